//! Who imports from whom, in every crate: no files in a circle, and no room from one above it.
//!
//! Reads the code as tokens, without what only tests have. An import is any path that leads to a module of the
//! same crate, in a `use` or in the middle of the code.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::Path,
};

use crate::structure::{CRATES, root, rust_files};

/// The crates whose rooms, the modules of `lib.rs`, stand in a line: each imports only from those before it.
const IN_LINE: [&str; 1] = ["runtime"];

/// A module by its path in its crate: `["recording", "tape"]`, and `[]` for `lib.rs`.
type Module = Vec<String>;

/// The files of a crate, each with the files it imports from.
struct Imports {
    /// The rooms, in the order in which `lib.rs` has them.
    rooms: Vec<String>,
    by_module: BTreeMap<Module, BTreeSet<Module>>,
}

impl Imports {
    fn of_crate(name: &str) -> Self {
        let src = root().join("host").join(name).join("src");
        let texts = rust_files(&src).into_iter().map(|path| {
            let module = module_of(path.strip_prefix(&src).unwrap());
            (module, fs::read_to_string(&path).unwrap())
        });
        Self::of_texts(texts.collect())
    }

    fn of_texts(texts: BTreeMap<Module, String>) -> Self {
        let files: BTreeMap<_, _> =
            texts.iter().map(|(module, text)| (module, File::read(module, text))).collect();
        let of_tests: Vec<_> = files.values().flat_map(|file| &file.test_modules).collect();
        let is_production = |module: &Module| !of_tests.iter().any(|test| module.starts_with(test));
        let modules: BTreeSet<_> = texts.keys().cloned().collect();
        let by_module = files.iter().filter(|(module, _)| is_production(module)).map(|(module, file)| {
            let targets = file.paths.iter().filter_map(|path| file_of(path, &modules));
            let targets = targets.filter(|target| target != *module && is_production(target));
            ((*module).clone(), targets.collect())
        });
        let rooms = files.get(&Vec::new()).map(|lib| lib.children.clone()).unwrap_or_default();
        Self { rooms, by_module: by_module.collect() }
    }

    /// The shortest circle through each file that is in one, written once.
    fn circles(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        let circles = self.by_module.keys().filter_map(|start| self.way_back(start)).filter(|circle| {
            let files: BTreeSet<_> = circle.iter().cloned().collect();
            seen.insert(files)
        });
        circles.map(|circle| circle.iter().map(shown).collect::<Vec<_>>().join(" → ")).collect()
    }

    fn way_back(&self, start: &Module) -> Option<Vec<Module>> {
        let mut ways = VecDeque::from([vec![start.clone()]]);
        let mut reached = BTreeSet::new();
        while let Some(way) = ways.pop_front() {
            for next in &self.by_module[way.last().unwrap()] {
                let longer = [way.clone(), vec![next.clone()]].concat();
                if next == start {
                    return Some(longer);
                }
                if reached.insert(next) {
                    ways.push_back(longer);
                }
            }
        }
        None
    }

    /// The imports that lead from a room to one that stands after it.
    fn arrows_up(&self) -> Vec<String> {
        let floor = |module: &Module| self.rooms.iter().position(|room| Some(room) == module.first());
        let mut arrows = Vec::new();
        for (module, targets) in &self.by_module {
            for target in targets.iter().filter(|target| floor(target) > floor(module) && !module.is_empty())
            {
                arrows.push(format!("{} → {}", shown(module), shown(target)));
            }
        }
        arrows
    }
}

fn shown(module: &Module) -> String {
    if module.is_empty() { "lib".to_owned() } else { module.join("/") }
}

/// `["recording", "tape"]` of `recording/tape.rs`.
fn module_of(path: &Path) -> Module {
    let mut module: Module =
        path.with_extension("").iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        module.pop();
    }
    module
}

/// The file in which an item of this path stands.
fn file_of(path: &[String], modules: &BTreeSet<Module>) -> Option<Module> {
    (0..=path.len()).rev().map(|length| path[..length].to_vec()).find(|module| modules.contains(module))
}

/// What one file says of modules.
#[derive(Debug, Default)]
struct File {
    /// Modules with files of their own.
    children: Vec<String>,
    /// Those of them that only tests have.
    test_modules: Vec<Module>,
    /// Paths from the top of the crate.
    paths: Vec<Vec<String>>,
}

impl File {
    fn read(module: &Module, text: &str) -> Self {
        let mut file = Self::default();
        let tokens = file.without_tests(module, tokens(text));
        let tokens: Vec<_> = tokens.iter().map(String::as_str).collect();
        file.children = children(&tokens);
        // The module in which a token stands, and the depth of the braces that end it.
        let (mut inner, mut depth): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
        for position in 0..tokens.len() {
            match &tokens[position..] {
                ["mod", name, "{", ..] => inner.push(((*name).to_owned(), depth)),
                ["{", ..] => depth += 1,
                ["}", ..] => {
                    depth -= 1;
                    inner.pop_if(|(_, outside)| *outside == depth);
                }
                [name, "::", ..] if file.begins_path(&tokens[..position], name, !inner.is_empty()) => {
                    let within = module.iter().chain(inner.iter().map(|(name, _)| name)).cloned().collect();
                    file.paths.extend(paths(within, &tokens[position..]));
                }
                _ => {}
            }
        }
        file
    }

    /// Whether a token begins a path to a module of this crate.
    fn begins_path(&self, before: &[&str], name: &str, is_inside: bool) -> bool {
        let is_child = !is_inside && self.children.iter().any(|child| child == name);
        (matches!(name, "crate" | "self" | "super") || is_child)
            && before.last() != Some(&"::")
            && !before.ends_with(&["pub", "(", "in"])
    }

    /// Leaves out what is under `#[cfg(test)]`, and notes which modules are.
    fn without_tests(&mut self, module: &Module, tokens: Vec<String>) -> Vec<String> {
        let mut kept = Vec::new();
        let mut rest = &tokens[..];
        while let Some(token) = rest.first() {
            match attribute(rest) {
                Some((attribute, mut after)) if is_for_tests(attribute) => {
                    while let Some((_, further)) = self::attribute(after) {
                        after = further;
                    }
                    let (item, further) = after.split_at(item_length(after));
                    if let Some(position) = item.iter().take(5).position(|token| token == "mod") {
                        let name = item[position + 1].clone();
                        self.test_modules.push([module.clone(), vec![name]].concat());
                    }
                    rest = further;
                }
                _ => {
                    kept.push(token.clone());
                    rest = &rest[1..];
                }
            }
        }
        kept
    }
}

/// The names of `mod NAME;`.
fn children(tokens: &[&str]) -> Vec<String> {
    let declared = tokens.windows(3).filter(|three| three[0] == "mod" && three[2] == ";");
    declared.map(|three| three[1].to_owned()).collect()
}

/// The attribute that some tokens begin with, and what follows it.
fn attribute(tokens: &[String]) -> Option<(&[String], &[String])> {
    if tokens.len() < 2 || tokens[0] != "#" || tokens[1] != "[" {
        return None;
    }
    let mut depth = 0;
    let end = tokens.iter().position(|token| {
        depth += i32::from(token == "[") - i32::from(token == "]");
        token == "]" && depth == 0
    })?;
    Some(tokens.split_at(end + 1))
}

fn is_for_tests(attribute: &[String]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token == word);
    has("cfg") && has("test") && !has("not")
}

/// How many tokens the first item has: up to its semicolon or the end of its braces.
fn item_length(tokens: &[String]) -> usize {
    let ends_by_semicolon =
        tokens.iter().take(5).any(|token| matches!(token.as_str(), "use" | "const" | "static" | "let"))
            && !tokens.iter().take(5).any(|token| token == "fn");
    let mut depth = 0;
    for (position, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => {
                depth -= 1;
                if token == "}" && depth == 0 && !ends_by_semicolon {
                    return position + 1;
                }
            }
            ";" if depth == 0 => return position + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// The paths that some tokens begin with, several if they end in a group, seen from the top of the crate.
fn paths(within: Module, tokens: &[&str]) -> Vec<Vec<String>> {
    let (first, mut rest) = (tokens[0], &tokens[1..]);
    let mut start = within;
    match first {
        "crate" => start.clear(),
        "self" => {}
        "super" => drop(start.pop()),
        child => start.push(child.to_owned()),
    }
    while let ["::", "super", after @ ..] = rest {
        start.pop();
        rest = after;
    }
    let mut found = Vec::new();
    follow(start, rest, &mut found);
    found
}

/// Follows `::a::b` and `::{a, b::c}`; says how many tokens that were.
fn follow(mut path: Vec<String>, tokens: &[&str], found: &mut Vec<Vec<String>>) -> usize {
    let mut position = 0;
    loop {
        match &tokens[position..] {
            ["::", "{", ..] => {
                position += 2;
                while !matches!(tokens.get(position), None | Some(&"}")) {
                    match tokens[position] {
                        "," => position += 1,
                        name => {
                            let branch = [path.clone(), vec![name.to_owned()]].concat();
                            position += 1;
                            position += follow(branch, &tokens[position..], found);
                            // `as` and another name.
                            while !matches!(tokens.get(position), None | Some(&("," | "}"))) {
                                position += 1;
                            }
                        }
                    }
                }
                return position + 1;
            }
            ["::", name, ..] => {
                path.push((*name).to_owned());
                position += 2;
            }
            _ => {
                found.push(path);
                return position;
            }
        }
    }
}

/// Words, `::` and other signs, without comments, texts and spaces.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = quoted(rest) {
            length
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else if is_word(letter) {
            let length = rest.find(|letter| !is_word(letter)).unwrap_or(rest.len());
            tokens.push(rest[..length].to_owned());
            length
        } else {
            if !letter.is_whitespace() {
                tokens.push(letter.to_string());
            }
            letter.len_utf8()
        };
        rest = &rest[length..];
    }
    tokens
}

/// The length of the text or character that some code begins with.
fn quoted(code: &str) -> Option<usize> {
    let prefix = ["b", "c", ""]
        .into_iter()
        .find(|prefix| code.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(['"', 'r', '\''])))?;
    let rest = &code[prefix.len()..];
    if let Some(raw) = rest.strip_prefix('r') {
        let hashes = raw.len() - raw.trim_start_matches('#').len();
        raw[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let start = prefix.len() + 1 + hashes + 1;
        return Some(start + code[start..].find(&end)? + end.len());
    }
    let quote = rest.chars().next()?;
    let mut escaped = false;
    let inside = &rest[1..];
    // A lifetime is no character.
    if quote == '\'' && !inside.starts_with('\\') && inside.chars().nth(1) != Some('\'') {
        return None;
    }
    let end = inside.find(|letter| {
        let ends = letter == quote && !escaped;
        escaped = letter == '\\' && !escaped;
        ends
    })?;
    Some(prefix.len() + 1 + end + 1)
}

#[test]
fn no_files_import_from_one_another_in_a_circle() {
    let mut circles = Vec::new();
    for name in CRATES {
        let imports = Imports::of_crate(name);
        assert!(!imports.by_module.is_empty(), "{name} has no files");
        circles.extend(imports.circles().into_iter().map(|circle| format!("{name}: {circle}")));
    }
    assert!(circles.is_empty(), "files in a circle:\n{}", circles.join("\n"));
}

#[test]
fn a_room_imports_only_from_rooms_before_it() {
    for name in IN_LINE {
        let imports = Imports::of_crate(name);
        assert!(imports.rooms.len() > 5, "{name} has the rooms {:?}", imports.rooms);
        let arrows = imports.arrows_up();
        assert!(arrows.is_empty(), "imports in {name} lead up:\n{}", arrows.join("\n"));
    }
}

#[cfg(test)]
mod reading {
    use super::*;

    fn imports(files: &[(&str, &str)]) -> Imports {
        let texts = files.iter().map(|(path, text)| (module_of(Path::new(path)), (*text).to_owned()));
        Imports::of_texts(texts.collect())
    }

    /// What a file in `a/b.rs` imports from, among some other files.
    fn found(text: &str) -> Vec<String> {
        let files = [
            ("lib.rs", "pub mod a;\npub mod c;"),
            ("a/mod.rs", "pub mod b;\nmod d;"),
            ("a/b.rs", text),
            ("a/d.rs", ""),
            ("a/b/e.rs", ""),
            ("c.rs", ""),
        ];
        imports(&files).by_module[&module_of(Path::new("a/b.rs"))].iter().map(shown).collect()
    }

    #[test]
    fn imports_are_found_in_every_spelling() {
        assert_eq!(found("use crate::c::X;"), ["c"]);
        assert_eq!(found("use crate::{\n    a::{X, d::{self, Y as Z}},\n    c,\n};"), ["a", "a/d", "c"]);
        assert_eq!(found("fn f() -> crate::c::X { super::d::f() }"), ["a/d", "c"]);
        assert_eq!(found("use super::super::c::*; pub use self::e::X; mod e;"), ["a/b/e", "c"]);
        assert_eq!(found("mod e;\nfn f() { e::f(); other::e::f() }"), ["a/b/e"]);
        assert_eq!(found("mod e;\nuse e::{X, Y};"), ["a/b/e"]);
        assert_eq!(found("mod inner { use super::X; use super::super::d::Y; } use super::Z;"), ["a", "a/d"]);
        assert_eq!(found("macro_rules! m { () => { $crate::c::f() } }"), ["c"]);
    }

    #[test]
    fn what_is_no_import_is_not_found() {
        assert_eq!(
            found("// crate::c::X\n/* crate::c */ fn f() { \"crate::c::X\"; r#\"crate::c \" \"#; }"),
            [""; 0]
        );
        assert_eq!(found("pub(in crate::c) fn f() {} pub(super) fn g() {} pub(crate) fn h() {}"), [""; 0]);
        assert_eq!(found("fn f<'a>(x: &'a str) { ('\"', '\\'', b'\"'); } use other::crate_::c;"), [""; 0]);
        assert_eq!(found("#[cfg(test)]\nmod tests { use crate::c::X; fn f() { { } } }\nfn g() {}"), [""; 0]);
        assert_eq!(
            found("#[cfg(test)] use crate::{c::X};\n#[cfg(all(test, unix))]\nfn f() { crate::c::f() }"),
            [""; 0]
        );
        assert_eq!(found("#[cfg(test)]\nmod e;\n#[cfg(not(test))] use crate::c::X; use self::e::Y;"), ["c"]);
    }

    #[test]
    fn a_circle_and_an_arrow_up_are_found() {
        let files = [
            ("lib.rs", "pub mod a;\npub mod b;"),
            ("a.rs", "use crate::b::X;"),
            ("b/mod.rs", "mod c;"),
            ("b/c.rs", "use crate::a::Y;"),
        ];
        assert_eq!(imports(&files).circles(), [""; 0]);
        assert_eq!(imports(&files).arrows_up(), ["a → b"]);
        let circle = imports(&[files.as_slice(), &[("b/mod.rs", "mod c; pub use c::Z;")]].concat());
        assert_eq!(circle.circles(), ["a → b → b/c → a"]);
    }
}
