//! `maro plugin docs`: the interface, from the comments in `wit/`, and how to call it in each language.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::{Context as _, anyhow, bail};
use clap::Args;

use crate::{
    languages::{
        embedded::{self, interface_version},
        project::Language,
        snippets,
    },
    output::say,
};
use maro_runtime::policy::grants::Grant;

#[derive(Debug, Args)]
pub struct DocsArguments {
    /// An interface, such as storage, or one of its functions or types, such as storage.swap; by default, all interfaces
    #[arg(value_name = "INTERFACE[.ITEM]")]
    item: Option<String>,
    /// Show calls in one language only
    #[arg(long, value_enum)]
    lang: Option<Language>,
}

pub(crate) fn run(arguments: &DocsArguments) -> anyhow::Result<ExitCode> {
    let interfaces: Vec<_> = embedded::wit().iter().flat_map(|(_, text)| interfaces(text)).collect();
    let Some(item) = &arguments.item else {
        say(&overview(&interfaces));
        return Ok(ExitCode::SUCCESS);
    };
    let wanted = Wanted::read(item);
    let interface = match &wanted.interface {
        Some(name) => named(&interfaces, name)?,
        // One word is an interface, or what one of them has.
        None => match named(&interfaces, &wanted.item) {
            Ok(interface) => {
                say_calls(&interface.text, &interface.name, None, arguments.lang);
                return Ok(ExitCode::SUCCESS);
            }
            Err(unknown) => only_one_with(&interfaces, &wanted.item).unwrap_or(Err(unknown))?,
        },
    };
    let name = &interface.name;
    match (interface.function(&wanted.item), interface.type_named(&wanted.item)) {
        (Some(text), _) => say_calls(&text, name, Some(&wanted.item), arguments.lang),
        (None, Some(text)) => say(text.trim_end()),
        (None, None) => bail!("{name} has no {}. It has {}", wanted.item, interface.items().join(", ")),
    }
    Ok(ExitCode::SUCCESS)
}

/// What somebody wants to read of, in the words of `wit/`.
struct Wanted {
    interface: Option<String>,
    item: String,
}

impl Wanted {
    /// Also as the languages write it: `tracker::list_tracked`, `setExpiring`, `maro:plugin/storage@0.2.0`.
    fn read(text: &str) -> Self {
        let text = text.strip_prefix("maro:plugin/").unwrap_or(text).split('@').next().unwrap_or_default();
        let text = text.replace("::", ".").replace(['/', '#'], ".");
        let (interface, item) =
            text.split_once('.').map_or((None, &*text), |(name, item)| (Some(name), item));
        Self { interface: interface.map(hyphenated), item: hyphenated(item) }
    }
}

fn named<'a>(interfaces: &'a [Interface], name: &str) -> anyhow::Result<&'a Interface> {
    let names = || interfaces.iter().map(|interface| &*interface.name).collect::<Vec<_>>().join(", ");
    let found = interfaces.iter().find(|interface| interface.name == name);
    found.with_context(|| format!("there is no interface {name} in maro:plugin. Choose from {}", names()))
}

/// The interface that has a function or a type. `None` if none has it.
fn only_one_with<'a>(interfaces: &'a [Interface], item: &str) -> Option<anyhow::Result<&'a Interface>> {
    let with: Vec<_> = interfaces.iter().filter(|interface| interface.items().contains(&item)).collect();
    match with[..] {
        [] => None,
        [interface] => Some(Ok(interface)),
        _ => {
            let choices: Vec<_> = with.iter().map(|interface| format!("{}.{item}", interface.name)).collect();
            Some(Err(anyhow!("more than one interface has {item}. Choose from {}", choices.join(", "))))
        }
    }
}

fn say_calls(text: &str, interface: &str, function: Option<&str>, language: Option<Language>) {
    say(format!("{}\n{}", text.trim_end(), calls(interface, function, language)).trim_end());
}

/// An interface as it is written, with the comments before it.
struct Interface {
    name: String,
    summary: String,
    text: String,
}

/// The interfaces of a file. Each begins and ends at the start of a line.
fn interfaces(text: &str) -> Vec<Interface> {
    let (mut found, mut comments, mut open) = (Vec::new(), String::new(), None::<Interface>);
    for line in text.lines() {
        if let Some(interface) = &mut open {
            let _ = writeln!(interface.text, "{line}");
            if line == "}" {
                found.extend(open.take());
            }
        } else if let Some(name) = line.strip_prefix("interface ").and_then(|rest| rest.strip_suffix(" {")) {
            let summary = first_sentence(&comments);
            open = Some(Interface { name: name.to_owned(), summary, text: format!("{comments}{line}\n") });
            comments.clear();
        } else if line.starts_with("///") {
            let _ = writeln!(comments, "{line}");
        } else {
            comments.clear();
        }
    }
    found
}

/// The first sentence of a comment, on one line.
fn first_sentence(comments: &str) -> String {
    let lines = comments.lines().map(|line| line.trim_start_matches("///").trim());
    let text = lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    text[..end].to_owned()
}

impl Interface {
    fn functions(&self) -> Vec<&str> {
        let names = self.text.lines().filter_map(|line| line.trim_start().split_once(": func("));
        names.map(|(name, _)| name).collect()
    }

    /// The names of functions and types.
    fn items(&self) -> Vec<&str> {
        let types = self.text.lines().filter_map(|line| type_in(line.trim_start()));
        self.functions().into_iter().chain(types).collect()
    }

    /// A type with its comments.
    fn type_named(&self, wanted: &str) -> Option<String> {
        let lines: Vec<_> = self.text.lines().map(|line| line.strip_prefix("    ").unwrap_or(line)).collect();
        let at = lines.iter().position(|line| type_in(line) == Some(wanted))?;
        let comments = lines[..at].iter().rev().take_while(|line| line.starts_with("///")).count();
        let has_fields = lines[at].ends_with('{');
        let length = if has_fields { lines[at..].iter().position(|line| *line == "}")? } else { 0 };
        Some(lines[at - comments..=at + length].join("\n") + "\n")
    }

    /// A function with its comments.
    fn function(&self, wanted: &str) -> Option<String> {
        let lines: Vec<_> = self.text.lines().map(str::trim_start).collect();
        let at = lines.iter().position(|line| line.starts_with(&format!("{wanted}: func(")))?;
        let comments = lines[..at].iter().rev().take_while(|line| line.starts_with("///")).count();
        Some(lines[at - comments..=at].join("\n") + "\n")
    }
}

/// The type that a line begins to define.
fn type_in(line: &str) -> Option<&str> {
    let kinds = ["record ", "variant ", "enum ", "type "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    rest.split([' ', '=', ';']).next().filter(|name| !name.is_empty())
}

/// `listTracked`, `list_tracked` and `LIST_TRACKED` as `list-tracked`.
fn hyphenated(name: &str) -> String {
    if !name.contains(|letter: char| letter.is_ascii_lowercase()) {
        return name.to_ascii_lowercase().replace('_', "-");
    }
    // A type as Rust writes it begins with a capital.
    let name = match name.chars().next() {
        Some(first) => first.to_ascii_lowercase().to_string() + &name[first.len_utf8()..],
        None => String::new(),
    };
    let letters = name
        .chars()
        .flat_map(|letter| [letter.is_ascii_uppercase().then_some('-'), Some(letter.to_ascii_lowercase())]);
    letters.flatten().collect::<String>().replace('_', "-")
}

fn overview(interfaces: &[Interface]) -> String {
    let mut text = format!("maro:plugin {}\n\n", interface_version());
    for interface in interfaces {
        let _ = writeln!(text, "{:<14} {}", interface.name, interface.summary);
        let functions = interface.functions();
        if !functions.is_empty() {
            let _ = writeln!(text, "{:<14} {}", "", functions.join(", "));
        }
    }
    text + "\nTo read one of them, name it: `maro plugin docs storage`, or `maro plugin docs storage.swap`."
}

/// How an interface or one of its functions is called, and what it takes to be allowed to.
fn calls(interface: &str, function: Option<&str>, language: Option<Language>) -> String {
    let snippets: Vec<_> = snippets::of(interface, function).collect();
    if snippets.is_empty() {
        return String::new();
    }
    let mut text = format!("\n{}\n", needs(interface, language));
    let all = [(Language::Rust, "Rust"), (Language::JavaScript, "JavaScript"), (Language::Python, "Python")];
    for (one, name) in all {
        if language.is_some_and(|language| language != one) {
            continue;
        }
        let _ = writeln!(text, "\n{name:<11} {}", snippets::import(&snippets, one));
        for snippet in &snippets {
            let _ = writeln!(text, "{:<11} {}", "", snippet.call(one));
        }
    }
    text
}

/// What a project has to state before it may call an interface.
fn needs(interface: &str, language: Option<Language>) -> String {
    let import = format!("`import maro:plugin/{interface}@{};` in wit/world.wit", interface_version());
    match (Grant::from_interface(interface), language) {
        (Some(grant), Some(Language::Rust)) => format!("It needs `grants = [\"{grant}\"]` in plugin.toml."),
        (Some(grant), _) => {
            format!(
                "It needs `grants = [\"{grant}\"]` in plugin.toml and, in JavaScript and Python, {import}."
            )
        }
        (None, Some(Language::Rust)) => "It needs no grant.".to_owned(),
        (None, _) => format!("It needs no grant. In JavaScript and Python, it needs {import}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_interface_and_every_function_is_told_with_its_comments() {
        let interfaces: Vec<_> = embedded::wit().iter().flat_map(|(_, text)| interfaces(text)).collect();
        for grant in Grant::ALL {
            let interface = interfaces.iter().find(|interface| interface.name == grant.as_str()).unwrap();
            assert!(!interface.summary.is_empty(), "{grant}");
            assert!(!interface.functions().is_empty(), "{grant}");
            for function in interface.functions() {
                let text = interface.function(function).unwrap();
                assert!(text.starts_with("///") && text.contains(": func("), "{grant}.{function}: {text}");
            }
        }
        assert!(overview(&interfaces).contains("swap"));
    }

    #[test]
    fn what_is_wanted_is_read_in_each_languages_spelling() {
        for (text, interface, item) in [
            ("storage", None, "storage"),
            ("storage.set-expiring", Some("storage"), "set-expiring"),
            ("storage.setExpiring", Some("storage"), "set-expiring"),
            ("storage::set_expiring", Some("storage"), "set-expiring"),
            ("STORAGE.SWAP", Some("storage"), "swap"),
            ("jira_edit", None, "jira-edit"),
            ("trackerEdit.track", Some("tracker-edit"), "track"),
            ("maro:plugin/storage@0.2.0", None, "storage"),
            ("reply.DateFormat", Some("reply"), "date-format"),
        ] {
            let wanted = Wanted::read(text);
            assert_eq!((wanted.interface.as_deref(), &*wanted.item), (interface, item), "{text}");
        }
    }

    #[test]
    fn types_are_found_by_their_names_and_so_is_what_one_interface_alone_has() {
        let interfaces: Vec<_> = embedded::wit().iter().flat_map(|(_, text)| interfaces(text)).collect();
        let of = |name: &str| interfaces.iter().find(|interface| interface.name == name).unwrap();
        let button = of("reply").type_named("button").unwrap();
        assert!(button.starts_with("/// A command to press") && button.ends_with("\n}\n"), "{button}");
        let key = of("types").type_named("issue-key").unwrap();
        assert!(key.ends_with("type issue-key = string;\n"), "{key}");
        assert!(of("reply").items().contains(&"date-format"));
        assert_eq!(only_one_with(&interfaces, "swap").unwrap().unwrap().name, "storage");
        let several = only_one_with(&interfaces, "get").unwrap().map(|one| one.name.clone());
        assert!(several.unwrap_err().to_string().contains("storage.get"));
        assert!(only_one_with(&interfaces, "nothing").is_none());
    }

    /// Whether a text has a word followed by what is given.
    fn has_word(text: &str, word: &str, then: &str) -> bool {
        let is_letter = |letter: char| letter.is_alphanumeric() || letter == '_';
        text.match_indices(&format!("{word}{then}")).any(|(at, _)| !text[..at].ends_with(is_letter))
    }

    /// In each language, the example imports the function and calls it.
    #[test]
    fn the_example_of_a_function_calls_this_very_function() {
        let interfaces: Vec<_> = embedded::wit().iter().flat_map(|(_, text)| interfaces(text)).collect();
        // What a plugin provides isn't called by it.
        let called = interfaces.iter().filter(|interface| interface.name != "command");
        let mut seen = 0;
        for interface in called {
            let module = interface.name.replace('-', "_");
            for function in interface.functions() {
                let what = format!("{}.{function}", interface.name);
                let shown = |language| {
                    let text = calls(&interface.name, Some(function), Some(language));
                    text.split_once("\n\n").unwrap_or_else(|| panic!("{what} has no example")).1.to_owned()
                };
                let snake = function.replace('-', "_");
                let rust = shown(Language::Rust);
                let is_called = match what.as_str() {
                    "http.send" => rust.contains("http::get(") && rust.contains(".send()?"),
                    _ => has_word(&rust, &module, &format!("::{snake}(")),
                };
                assert!(is_called && rust.contains(&format!("use maro_plugin::{module};")), "{what}: {rust}");
                let python = shown(Language::Python);
                assert!(has_word(&python, &module, &format!(".{snake}(")), "{what}: {python}");
                assert!(python.contains(&format!("from wit_world.imports import {module}\n")), "{python}");
                let javascript = shown(Language::JavaScript);
                let (_, after) = javascript.split_once("import { ").unwrap();
                let (imported, call) = after.split_once(" }").unwrap();
                let (original, name) = imported.split_once(" as ").unwrap_or((imported, imported));
                assert_eq!(hyphenated(original), function);
                assert!(has_word(call, name, "("), "{what}: {javascript}");
                assert!(call.contains(&format!("from 'maro:plugin/{}@", interface.name)), "{javascript}");
                seen += 1;
            }
        }
        assert_eq!(seen, interfaces.iter().map(|interface| interface.functions().len()).sum::<usize>() - 2);
    }
}
