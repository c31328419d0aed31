//! How to call each capability in each language, for the README of a new project.

use crate::languages::project::Language;
use maro_runtime::policy::grants::Grant;

/// What a capability is for, and a line of code that uses it.
pub(crate) fn snippet(grant: Grant, language: Language) -> (&'static str, &'static str) {
    let (purpose, rust, javascript, python) = match grant {
        Grant::Jira => (
            "reading and searching issues",
            "jira::get_issues(&keys)?",
            "import { getIssues } from 'maro:plugin/jira@VERSION'",
            "from wit_world.imports import jira  # jira.get_issues(keys)",
        ),
        Grant::Tracker => (
            "reading the channel's list",
            "tracker::list_tracked(0, 50)?",
            "import { listTracked } from 'maro:plugin/tracker@VERSION'",
            "from wit_world.imports import tracker  # tracker.list_tracked(0, 50)",
        ),
        Grant::TrackerEdit => (
            "changing the channel's list",
            "tracker_edit::untrack(&keys)?",
            "import { untrack } from 'maro:plugin/tracker-edit@VERSION'",
            "from wit_world.imports import tracker_edit  # tracker_edit.untrack(keys)",
        ),
        Grant::JiraEdit => (
            "changing Jira",
            "jira_edit::comment(&key, \"Done.\")?",
            "import { comment } from 'maro:plugin/jira-edit@VERSION'",
            "from wit_world.imports import jira_edit  # jira_edit.comment(key, \"Done.\")",
        ),
        Grant::Storage => (
            "storing texts between commands",
            "storage::get(storage::Scope::Channel, \"seen\")?",
            "import { get, set } from 'maro:plugin/storage@VERSION'",
            "from wit_world.imports import storage  # storage.get(storage.Scope.CHANNEL, \"seen\")",
        ),
        Grant::Settings => (
            "reading the operator's settings",
            "settings::get(\"team\")?",
            "import { get as setting } from 'maro:plugin/settings@VERSION'",
            "from wit_world.imports import settings  # settings.get(\"team\")",
        ),
        Grant::Clock => (
            "the time of day",
            "clock::now()?",
            "import { now } from 'maro:plugin/clock@VERSION'",
            "from wit_world.imports import clock  # clock.now()",
        ),
        Grant::Http => (
            "requests to hosts that the operator lists",
            "http::get(\"https://api.example.com/\").send()?",
            "import { send } from 'maro:plugin/http@VERSION'",
            "from wit_world.imports import http  # http.send(request)",
        ),
        Grant::Caller => (
            "knowing one person from another",
            "caller::id()?",
            "import { id } from 'maro:plugin/caller@VERSION'",
            "from wit_world.imports import caller  # caller.id()",
        ),
    };
    (
        purpose,
        match language {
            Language::Rust => rust,
            Language::JavaScript => javascript,
            Language::Python => python,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::embedded;

    /// `listTracked` as `list-tracked`.
    fn hyphenated(name: &str) -> String {
        let letters = name.chars().flat_map(|letter| {
            [letter.is_ascii_uppercase().then_some('-'), Some(letter.to_ascii_lowercase())]
        });
        letters.flatten().collect()
    }

    #[test]
    fn what_a_line_calls_is_a_function_of_the_interface() {
        for grant in Grant::ALL {
            let opening = format!("interface {grant} {{\n");
            let interface = embedded::wit().iter().find_map(|(_, text)| text.split(&*opening).nth(1));
            let interface = interface.unwrap().split("\n}").next().unwrap();
            let is_function = |name: &str| interface.contains(&format!("    {name}: func("));
            let (_, javascript) = snippet(grant, Language::JavaScript);
            let names = javascript.split(['{', '}']).nth(1).unwrap().split(',');
            for name in names.map(|name| name.split_whitespace().next().unwrap()) {
                let function = hyphenated(name);
                assert!(is_function(&function), "{grant} has no {function}");
            }
            let (_, python) = snippet(grant, Language::Python);
            let call = python.split("# ").nth(1).unwrap().split('(').next().unwrap();
            let function = call.split('.').nth(1).unwrap().replace('_', "-");
            assert!(is_function(&function), "{grant} has no {function}");
        }
    }
}
