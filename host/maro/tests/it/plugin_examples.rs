//! The examples of `maro plugin docs`, as they are printed: in each language a plugin is built of them, and runs each.

use std::{fs, path::Path};

use crate::plugin_kit::{has, maro, said};

/// An interface or one of its functions, and its example in one language.
struct Example {
    item: String,
    import: String,
    calls: Vec<String>,
}

impl Example {
    fn of(item: &str, language: &str) -> Self {
        let told = said(Path::new("."), &["plugin", "docs", item, "--lang", language]);
        let mut lines = told.lines().rev().take_while(|line| !line.is_empty()).collect::<Vec<_>>();
        lines.reverse();
        let (name, import) = lines[0].split_at(12);
        assert!(["Rust", "JavaScript", "Python"].contains(&name.trim()), "{told}");
        let calls: Vec<_> = lines[1..].iter().map(|line| line.trim_start().to_owned()).collect();
        assert!(!calls.is_empty(), "{told}");
        Self { item: item.to_owned(), import: import.to_owned(), calls }
    }

    /// The item as a name in all languages.
    fn name(&self) -> String {
        format!("example_{}", self.item.replace(['.', '-'], "_"))
    }
}

/// All interfaces that a plugin can call, and their functions.
fn items() -> Vec<String> {
    let overview = said(Path::new("."), &["plugin", "docs"]);
    let lines: Vec<_> = overview.lines().collect();
    let mut items = Vec::new();
    for [above, below] in lines.array_windows() {
        let Some(functions) = below.strip_prefix(&" ".repeat(15)) else { continue };
        let interface = above.split(' ').next().unwrap();
        // It's what a plugin provides.
        if interface == "command" {
            continue;
        }
        items.push(interface.to_owned());
        items.extend(functions.split(", ").map(|function| format!("{interface}.{function}")));
    }
    assert!(items.iter().any(|item| item == "jira.get-issues") && items.len() > 40, "{items:?}");
    items
}

/// Makes a project with all grants, has `write` put the examples into it, and runs each as a command.
fn all_run(language: &str, write: impl FnOnce(&Path, &[Example])) {
    let folder = tempfile::tempdir().unwrap();
    let all = "jira,jira-edit,tracker,tracker-edit,storage,settings,clock,http,caller";
    said(folder.path(), &["plugin", "new", "examples", "--lang", language, "--with", all]);
    let examples: Vec<_> = items().iter().map(|item| Example::of(item, language)).collect();
    write(&folder.path().join("examples"), &examples);
    let answers = "[[answers]]\nurl = \"https://api.example.com/\"\nbody = \"hello\"\n";
    fs::write(folder.path().join("answers.toml"), answers).unwrap();
    // What a whole interface's examples changed in Jira mustn't be in the way of each alone.
    let (functions, interfaces): (Vec<_>, Vec<_>) =
        examples.iter().map(|example| &*example.item).partition(|item| item.contains('.'));
    for items in [interfaces, functions] {
        let run = ["plugin", "run", "examples", "--http", "answers.toml"];
        let output = maro(folder.path(), &[&run[..], &items].concat());
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        for item in items {
            let shown = format!("/maro examples {item}\n\n{item} did what it says.\n");
            assert!(told.contains(&shown), "{item}: {told}");
        }
        assert!(output.status.success(), "{told}");
    }
}

#[test]
fn the_examples_in_rust_run() {
    all_run("rust", |project, examples| {
        let source = project.join("src/lib.rs");
        let text = fs::read_to_string(&source).unwrap();
        let answer = "Ok(answer(unescape(arguments).trim()))";
        assert!(text.contains(answer));
        let (mut cases, mut modules) = (String::new(), String::new());
        for example in examples {
            let (name, Example { item, import, calls }) = (example.name(), example);
            let calls = calls.join("\n");
            cases += &format!("{item:?} => {name}::run()?,\n");
            modules += &format!(
                "#[allow(unused)]\nmod {name} {{\nuse maro_plugin::RunError;\n{import}\n\
                 pub(crate) fn run() -> Result<(), RunError> {{\n{calls}\nOk(())\n}}\n}}\n"
            );
        }
        let running = format!(
            "match arguments {{\n{cases}_ => return Err(RunError::usage(arguments)),\n}}
            Ok(Reply::to_caller().paragraph(spans![arguments, \" did what it says.\"]))"
        );
        let text = text.replace(answer, &running).replace(", typed::unescape", "");
        fs::write(&source, text + &modules).unwrap();
    });
}

#[test]
fn the_examples_in_javascript_run() {
    if !has("npm") {
        return;
    }
    all_run("js", |project, examples| {
        let (mut imports, mut cases) = (String::new(), String::new());
        for example in examples {
            let (name, Example { item, import, calls }) = (example.name(), example);
            let module = format!("{import}\nexport function run() {{\n{}\n}}\n", calls.join("\n"));
            fs::write(project.join(format!("{name}.js")), module).unwrap();
            imports += &format!("import {{ run as {name} }} from './{name}.js';\n");
            cases += &format!("  '{item}': {name},\n");
        }
        let source = format!(
            "import {{ paragraph, passOn, toCaller }} from './maro.js';
{imports}
const examples = {{
{cases}}};

export const command = {{
  describe: () => ({{ name: 'examples', version: '1', summary: 'Run examples', usage: '' }}),
  run(typed) {{
    try {{
      examples[typed]();
    }} catch (error) {{
      throw passOn(error);
    }}
    return toCaller(paragraph(typed, ' did what it says.'));
  }},
}};
"
        );
        fs::write(project.join("plugin.js"), source).unwrap();
    });
}

#[test]
fn the_examples_in_python_run() {
    if !has("python3") {
        return;
    }
    all_run("python", |project, examples| {
        let (mut imports, mut cases) = (String::new(), String::new());
        for example in examples {
            let (name, Example { item, import, calls }) = (example.name(), example);
            let module = format!("{import}\n\n\ndef run():\n    {}\n", calls.join("\n    "));
            fs::write(project.join(format!("{name}.py")), module).unwrap();
            imports += &format!("import {name}\n");
            cases += &format!("    {item:?}: {name}.run,\n");
        }
        let source = format!(
            "from componentize_py_types import Err
from maro import paragraph, pass_on, to_caller
from wit_world import exports
from wit_world.exports.command import Description
{imports}
EXAMPLES = {{
{cases}}}


class Command(exports.Command):
    def describe(self):
        return Description(\"examples\", \"1\", \"Run examples\", \"\")

    def run(self, typed):
        try:
            EXAMPLES[typed]()
        except Err as error:
            raise pass_on(error)
        return to_caller(paragraph(typed, \" did what it says.\"))
"
        );
        fs::write(project.join("plugin.py"), source).unwrap();
    });
}
