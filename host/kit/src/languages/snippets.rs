//! How to call each function of the interface in each language: for `maro plugin docs`, and for the README of a new
//! project.

use crate::languages::{embedded::interface_version, project::Language};
use maro_runtime::policy::grants::Grant;

/// A call of one function.
pub(crate) struct Snippet {
    /// As `wit/` writes it, like the function.
    pub(crate) interface: &'static str,
    pub(crate) function: &'static str,
    /// The three calls, each on one line.
    rust: &'static str,
    javascript: &'static str,
    python: &'static str,
}

const fn call(
    interface: &'static str,
    function: &'static str,
    [rust, javascript, python]: [&'static str; 3],
) -> Snippet {
    Snippet { interface, function, rust, javascript, python }
}

/// One for each function. The first of a capability is the one that the README of a new project shows.
#[rustfmt::skip]
const SNIPPETS: &[Snippet] = &[
    call("log", "log", [
        r#"log::log(log::Level::Info, "begun");"#,
        "log('info', 'begun');",
        r#"log.log(log.Level.INFO, "begun")"#,
    ]),
    call("jira", "get-issues", [
        r#"let answers = jira::get_issues(&["SCRUM-101".to_owned()])?;"#,
        "const answers = getIssues(['SCRUM-101']);",
        r#"answers = jira.get_issues(["SCRUM-101"])"#,
    ]),
    call("jira", "look-up", [
        r#"let findings = jira::look_up(&["SCRUM-101".to_owned()])?;"#,
        "const findings = lookUp(['SCRUM-101']);",
        r#"findings = jira.look_up(["SCRUM-101"])"#,
    ]),
    call("jira", "site", [
        "let address = jira::site()?;",
        "const address = site();",
        "address = jira.site()",
    ]),
    call("jira", "read", [
        r#"let readings = jira::read(&["SCRUM-101".to_owned()], &["priority", "duedate"])?;"#,
        "const readings = read(['SCRUM-101'], ['priority', 'duedate']);",
        r#"readings = jira.read(["SCRUM-101"], ["priority", "duedate"])"#,
    ]),
    call("jira", "search", [
        r#"let page = jira::search("summary ~ \"login\" ORDER BY updated DESC", 10, None)?;"#,
        "const page = search('summary ~ \"login\" ORDER BY updated DESC', 10, undefined);",
        "page = jira.search('summary ~ \"login\" ORDER BY updated DESC', 10, None)",
    ]),
    call("tracker", "list-tracked", [
        "let page = tracker::list_tracked(0, 50)?;",
        "const page = listTracked(0, 50);",
        "page = tracker.list_tracked(0, 50)",
    ]),
    call("tracker", "list-details", [
        "let detailed = tracker::list_details(0, 50)?;",
        "const detailed = listDetails(0, 50);",
        "detailed = tracker.list_details(0, 50)",
    ]),
    call("tracker", "list-filtered", [
        "let filtered = tracker::list_filtered(tracker::ListFilter::Open, 0, 50)?;",
        "const filtered = listFiltered('open', 0, 50);",
        "filtered = tracker.list_filtered(tracker.ListFilter.OPEN, 0, 50)",
    ]),
    call("tracker", "count-tracked", [
        "let count = tracker::count_tracked()?;",
        "const count = countTracked();",
        "count = tracker.count_tracked()",
    ]),
    call("tracker", "is-tracked", [
        r#"let answers = tracker::is_tracked(&["SCRUM-101".to_owned()])?;"#,
        "const answers = isTracked(['SCRUM-101']);",
        r#"answers = tracker.is_tracked(["SCRUM-101"])"#,
    ]),
    call("tracker-edit", "untrack", [
        r#"let untracked = tracker_edit::untrack(&["SCRUM-101".to_owned()])?;"#,
        "const untracked = untrack(['SCRUM-101']);",
        r#"untracked = tracker_edit.untrack(["SCRUM-101"])"#,
    ]),
    call("tracker-edit", "track", [
        r#"let tracked = tracker_edit::track(&["SCRUM-101".to_owned()])?;"#,
        "const tracked = track(['SCRUM-101']);",
        r#"tracked = tracker_edit.track(["SCRUM-101"])"#,
    ]),
    call("jira-edit", "comment", [
        r#"jira_edit::comment("SCRUM-101", "Done.")?;"#,
        "comment('SCRUM-101', 'Done.');",
        r#"jira_edit.comment("SCRUM-101", "Done.")"#,
    ]),
    call("jira-edit", "list-transitions", [
        r#"let steps = jira_edit::list_transitions("SCRUM-101")?;"#,
        "const steps = listTransitions('SCRUM-101');",
        r#"steps = jira_edit.list_transitions("SCRUM-101")"#,
    ]),
    call("jira-edit", "transition", [
        r#"jira_edit::transition("SCRUM-101", "31")?;"#,
        "transition('SCRUM-101', '31');",
        r#"jira_edit.transition("SCRUM-101", "31")"#,
    ]),
    call("jira-edit", "find-assignable", [
        r#"let people = jira_edit::find_assignable("SCRUM-101", "ada")?;"#,
        "const people = findAssignable('SCRUM-101', 'ada');",
        r#"people = jira_edit.find_assignable("SCRUM-101", "ada")"#,
    ]),
    call("jira-edit", "assign", [
        r#"jira_edit::assign("SCRUM-101", None)?;"#,
        "assign('SCRUM-101', undefined);",
        r#"jira_edit.assign("SCRUM-101", None)"#,
    ]),
    call("jira-edit", "create", [
        r#"let issue = jira_edit::create(&jira_edit::NewIssue::new("The lift is stuck"))?;"#,
        "const issue = create({ summary: 'The lift is stuck', description: '' });",
        r#"issue = jira_edit.create(jira_edit.NewIssue(None, None, "The lift is stuck", ""))"#,
    ]),
    call("storage", "get", [
        r#"let value = storage::get(storage::Scope::Channel, "seen")?;"#,
        "const value = get('channel', 'seen');",
        r#"value = storage.get(storage.Scope.CHANNEL, "seen")"#,
    ]),
    call("storage", "set", [
        r#"storage::set(storage::Scope::Channel, "seen", "yes")?;"#,
        "set('channel', 'seen', 'yes');",
        r#"storage.set(storage.Scope.CHANNEL, "seen", "yes")"#,
    ]),
    call("storage", "set-expiring", [
        r#"storage::set_expiring(storage::Scope::Person, "voted", "yes", 24 * 3600)?;"#,
        "setExpiring('person', 'voted', 'yes', 24n * 3600n);",
        r#"storage.set_expiring(storage.Scope.PERSON, "voted", "yes", 24 * 3600)"#,
    ]),
    call("storage", "add", [
        r#"let sum = storage::add(storage::Scope::Channel, "votes", 1)?;"#,
        "const sum = add('channel', 'votes', 1n);",
        r#"sum = storage.add(storage.Scope.CHANNEL, "votes", 1)"#,
    ]),
    call("storage", "delete", [
        r#"let was_there = storage::delete(storage::Scope::Channel, "seen")?;"#,
        // `delete` is a word of the language.
        "const wasThere = remove('channel', 'seen');",
        r#"was_there = storage.delete(storage.Scope.CHANNEL, "seen")"#,
    ]),
    call("storage", "swap", [
        r#"let is_ours = storage::swap(storage::Scope::Channel, "turn", None, Some("Ada"))?;"#,
        "const isOurs = swap('channel', 'turn', undefined, 'Ada');",
        r#"is_ours = storage.swap(storage.Scope.CHANNEL, "turn", None, "Ada")"#,
    ]),
    call("storage", "list-keys", [
        r#"let keys = storage::list_keys(storage::Scope::Channel, "vote-")?;"#,
        "const keys = listKeys('channel', 'vote-');",
        r#"keys = storage.list_keys(storage.Scope.CHANNEL, "vote-")"#,
    ]),
    call("settings", "get", [
        r#"let team = settings::get("team")?;"#,
        // `storage` has a `get`, too.
        "const team = setting('team');",
        r#"team = settings.get("team")"#,
    ]),
    call("settings", "all", [
        "let everything = settings::all()?;",
        "const everything = all();",
        "everything = settings.all()",
    ]),
    call("clock", "now", [
        "let seconds = clock::now()?;",
        "const seconds = now();",
        "seconds = clock.now()",
    ]),
    call("http", "send", [
        r#"let response = http::get("https://api.example.com/").send()?;"#,
        "const response = send({ method: 'get', url: 'https://api.example.com/', headers: [] });",
        r#"response = http.send(http.Request(http.Method.GET, "https://api.example.com/", [], None))"#,
    ]),
    call("caller", "id", [
        "let person = caller::id()?;",
        "const person = id();",
        "person = caller.id()",
    ]),
    call("caller", "is-admin", [
        "let may_all = caller::is_admin()?;",
        "const mayAll = isAdmin();",
        "may_all = caller.is_admin()",
    ]),
    call("caller", "time-zone", [
        "let zone = caller::time_zone()?;",
        "const zone = timeZone();",
        "zone = caller.time_zone()",
    ]),
];

/// What a capability is for, and a line of code that uses it.
pub(crate) fn snippet(grant: Grant, language: Language) -> (&'static str, String) {
    let purpose = match grant {
        Grant::Jira => "reading and searching issues",
        Grant::Tracker => "reading the channel's list",
        Grant::TrackerEdit => "changing the channel's list",
        Grant::JiraEdit => "changing Jira",
        Grant::Storage => "storing texts between commands",
        Grant::Settings => "reading the operator's settings",
        Grant::Clock => "the time of day",
        Grant::Http => "requests to hosts that the operator lists",
        Grant::Caller => "knowing one person from another",
    };
    let first: Vec<_> = of(grant.as_str(), None).take(1).collect();
    let call = first.iter().map(|snippet| value(snippet.call(language))).collect::<String>();
    let line = match language {
        Language::Rust => call,
        Language::JavaScript => import(&first, language),
        Language::Python => format!("{}  # {call}", import(&first, language)),
    };
    (purpose, line)
}

/// A call without the name that its result is given.
fn value(call: &'static str) -> &'static str {
    let call = call.trim_end_matches(';');
    let is_name = |name: &str| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_');
    match call.strip_prefix("let ").unwrap_or(call).split_once(" = ") {
        Some((name, value)) if is_name(name) => value,
        _ => call,
    }
}

/// The calls of an interface's functions, or of one of them.
pub(crate) fn of(interface: &str, function: Option<&str>) -> impl Iterator<Item = &'static Snippet> {
    SNIPPETS.iter().filter(move |snippet| {
        snippet.interface == interface && function.is_none_or(|function| snippet.function == function)
    })
}

/// What stands at the beginning of a file that makes these calls of one interface. Empty without any.
pub(crate) fn import(snippets: &[&Snippet], language: Language) -> String {
    let Some(interface) = snippets.first().map(|snippet| snippet.interface) else { return String::new() };
    let module = interface.replace('-', "_");
    match language {
        Language::Rust => format!("use maro_plugin::{module};"),
        Language::JavaScript => {
            let names: Vec<_> = snippets.iter().map(|snippet| snippet.javascript_name()).collect();
            let version = interface_version();
            format!("import {{ {} }} from 'maro:plugin/{interface}@{version}';", names.join(", "))
        }
        Language::Python => format!("from wit_world.imports import {module}"),
    }
}

impl Snippet {
    pub(crate) fn call(&self, language: Language) -> &'static str {
        match language {
            Language::Rust => self.rust,
            Language::JavaScript => self.javascript,
            Language::Python => self.python,
        }
    }

    /// As JavaScript imports it.
    fn javascript_name(&self) -> String {
        match (self.interface, self.function) {
            ("storage", "delete") => "delete as remove".to_owned(),
            ("settings", "get") => "get as setting".to_owned(),
            (_, function) => camel_case(function),
        }
    }
}

/// `list-tracked` as `listTracked`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('-');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (initial, rest) = word.split_at(word.len().min(1));
        name + &initial.to_ascii_uppercase() + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_shows_a_call_of_each_capability() {
        for (language, expected) in [
            (Language::Rust, "storage::get(storage::Scope::Channel, \"seen\")?"),
            (Language::JavaScript, "import { get } from 'maro:plugin/storage@VERSION';"),
            (
                Language::Python,
                "from wit_world.imports import storage  # storage.get(storage.Scope.CHANNEL, \"seen\")",
            ),
        ] {
            let (purpose, line) = snippet(Grant::Storage, language);
            assert_eq!(line, expected.replace("VERSION", interface_version()));
            assert_eq!(purpose, "storing texts between commands");
        }
        for grant in Grant::ALL {
            assert!(!snippet(grant, Language::Rust).1.is_empty(), "{grant}");
        }
    }
}
