//! `maro plugin docs`: the interface, from the comments in `wit/`, and how to call it in each language.

use std::{fmt::Write as _, process::ExitCode};

use anyhow::bail;
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
    /// An interface, such as storage, or one of its functions, such as storage.swap; by default, all interfaces
    #[arg(value_name = "INTERFACE[.FUNCTION]")]
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
    let (name, function) = item.split_once('.').map_or((&**item, None), |(name, rest)| (name, Some(rest)));
    let name = name.replace('_', "-");
    let Some(interface) = interfaces.iter().find(|interface| interface.name == name) else {
        let names: Vec<_> = interfaces.iter().map(|interface| &*interface.name).collect();
        bail!("there is no interface {name} in maro:plugin. Choose from {}", names.join(", "));
    };
    let text = match function {
        None => interface.text.clone(),
        Some(function) => {
            let Some(text) = interface.function(function) else {
                bail!("{name} has no function {function}. It has {}", interface.functions().join(", "));
            };
            text
        }
    };
    say(&format!("{}\n{}", text.trim_end(), calls(&name, arguments.lang)));
    Ok(ExitCode::SUCCESS)
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
            let summary =
                comments.lines().next().unwrap_or_default().trim_start_matches("///").trim().to_owned();
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

impl Interface {
    fn functions(&self) -> Vec<&str> {
        let names = self.text.lines().filter_map(|line| line.trim_start().split_once(": func("));
        names.map(|(name, _)| name).collect()
    }

    /// A function with its comments. The name may be as any of the languages writes it.
    fn function(&self, name: &str) -> Option<String> {
        let wanted = hyphenated(name);
        let lines: Vec<_> = self.text.lines().map(str::trim_start).collect();
        let at = lines.iter().position(|line| line.starts_with(&format!("{wanted}: func(")))?;
        let comments = lines[..at].iter().rev().take_while(|line| line.starts_with("///")).count();
        Some(lines[at - comments..=at].join("\n") + "\n")
    }
}

/// `listTracked` and `list_tracked` as `list-tracked`.
fn hyphenated(name: &str) -> String {
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

/// How an interface is called, and what it takes to be allowed to.
fn calls(interface: &str, language: Option<Language>) -> String {
    let Some(grant) = Grant::from_interface(interface) else { return String::new() };
    let all = [Language::Rust, Language::JavaScript, Language::Python];
    let shown = all.into_iter().filter(|one| language.is_none_or(|language| language == *one));
    let mut text = format!("\nIt needs `grants = [\"{grant}\"]` in plugin.toml");
    if language != Some(Language::Rust) {
        let _ = write!(
            text,
            " and, in JavaScript and Python, `import maro:plugin/{grant}@{};` in wit/world.wit",
            interface_version()
        );
    }
    text.push_str(".\n");
    for one in shown {
        let (_, line) = snippets::snippet(grant, one);
        let name = match one {
            Language::Rust => "Rust",
            Language::JavaScript => "JavaScript",
            Language::Python => "Python",
        };
        let _ = writeln!(text, "{name:<11} {}", line.replace("VERSION", interface_version()));
    }
    text.trim_end().to_owned()
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
                let text = interface.function(&function.replace('-', "_")).unwrap();
                assert!(text.starts_with("///") && text.contains(": func("), "{grant}.{function}: {text}");
            }
            assert!(calls(grant.as_str(), Some(Language::Python)).contains("wit_world.imports"), "{grant}");
        }
        assert!(overview(&interfaces).contains("swap"));
    }
}
