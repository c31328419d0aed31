//! `/maro search login form`: finds issues by words in their summaries, newest change first, and shows a button to
//! track each.

use maro_plugin::{
    Description, Plugin, Reply, RunError,
    jira::{self, IssueDetails, SearchPage},
    register,
    reply::{Item, button, code, details, issue},
    spans,
    typed::unescape,
};

/// Few enough to choose from at a glance.
const LIMIT: u32 = 10;

/// The longest words that are looked for, in characters.
const MAX_WORDS: usize = 200;

struct Search;

impl Plugin for Search {
    fn describe() -> Description {
        Description {
            name: "search",
            version: env!("CARGO_PKG_VERSION"),
            summary: "Find issues by words in their summaries",
            usage: "[open] WORDS",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        let wanted = Wanted::parse(&unescape(arguments))?;
        let page = match wanted.query() {
            Some(query) => jira::search(&query, LIMIT, None)?,
            None => SearchPage { issues: Vec::new(), next: None },
        };
        Ok(answer(&wanted.words, &page))
    }
}

register!(Search);

#[derive(Debug, PartialEq)]
struct Wanted {
    words: String,
    /// Not those that are done.
    is_open: bool,
}

impl Wanted {
    fn parse(typed: &str) -> Result<Self, RunError> {
        let words: Vec<&str> = typed.split_whitespace().collect();
        let (is_open, words) = match &words[..] {
            [first, rest @ ..] if !rest.is_empty() && first.eq_ignore_ascii_case("open") => (true, rest),
            all => (false, all),
        };
        let words = words.join(" ");
        match words.chars().count() {
            0 => Err(RunError::usage("Enter some words to search for.")),
            1..=MAX_WORDS => Ok(Self { words, is_open }),
            _ => Err(RunError::usage("Enter fewer words.")),
        }
    }

    /// `None` if there is no word among them: then nothing can be found.
    fn query(&self) -> Option<String> {
        let words = plain(&self.words);
        let open = if self.is_open { " AND statusCategory != Done" } else { "" };
        (!words.is_empty())
            .then(|| ["summary ~ ", &jira::quoted(&words), open, " ORDER BY updated DESC"].concat())
    }
}

/// The words alone, without what Jira takes for operators, or refuses: signs in them, and `AND`, `OR` and `NOT`.
fn plain(words: &str) -> String {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '\'' || letter == '_';
    let words = words.split(|letter| !is_word(letter)).map(|word| word.trim_matches('\''));
    let words = words.filter(|word| !matches!(*word, "" | "AND" | "OR" | "NOT"));
    words.collect::<Vec<_>>().join(" ")
}

fn answer(words: &str, page: &SearchPage) -> Reply {
    if page.issues.is_empty() {
        return Reply::to_caller().paragraph(spans!["No issues have ", code(words), " in their summary."]);
    }
    let reply = Reply::to_caller().items(page.issues.iter().map(item));
    match page.next {
        Some(_) => reply.paragraph(spans!["There are more results. Add a word to narrow them down."]),
        None => reply,
    }
}

fn item(found: &IssueDetails) -> Item {
    let issue_found = &found.issue;
    let name = found.assignee.as_ref().map_or("unassigned", |person| &*person.name);
    let status = [&*issue_found.status, ", ", name].concat();
    let track = button("Track", ["track ", &issue_found.key].concat());
    Item::with_button(spans![issue(&issue_found.key), details(&issue_found.summary, &status)], track)
}

#[cfg(test)]
mod tests {
    use maro_plugin::jira::{Issue, JiraUser, StatusCategory};

    use super::*;

    fn found(key: &str, assignee: Option<&str>) -> IssueDetails {
        IssueDetails {
            issue: Issue { key: key.into(), summary: "Login form".into(), status: "Open".into() },
            issue_type: "Story".into(),
            status_category: StatusCategory::ToDo,
            assignee: assignee.map(|name| JiraUser { id: "1".into(), name: name.into() }),
            updated_at: 0,
        }
    }

    #[test]
    fn words_are_words_and_nothing_else() {
        let query = |typed: &str| Wanted::parse(typed).unwrap().query().unwrap();
        assert_eq!(query(" login  form "), r#"summary ~ "login form" ORDER BY updated DESC"#);
        assert_eq!(query(r#"x" OR key = A-1"#), r#"summary ~ "x key A 1" ORDER BY updated DESC"#);
        assert_eq!(
            query("Open login"),
            r#"summary ~ "login" AND statusCategory != Done ORDER BY updated DESC"#
        );
        assert_eq!(query("open"), r#"summary ~ "open" ORDER BY updated DESC"#);
        assert_eq!(
            query("\"log-in\" C++ what's 'new'?"),
            r#"summary ~ "log in C what's new" ORDER BY updated DESC"#
        );
        assert_eq!(query("東京 é"), r#"summary ~ "東京 é" ORDER BY updated DESC"#);
        assert_eq!(Wanted::parse("*?").unwrap().query(), None);
        for bad in ["", "  ", &"x".repeat(MAX_WORDS + 1)] {
            assert!(matches!(Wanted::parse(bad), Err(RunError::Usage(_))), "{bad}");
        }
    }

    #[test]
    fn what_is_found_has_a_button_to_track_it() {
        let page = SearchPage { issues: vec![found("A-1", Some("Ada")), found("A-2", None)], next: None };
        assert_eq!(
            answer("login", &page).preview(),
            "• A-1: Login form (Open, Ada) [Track]\n• A-2: Login form (Open, unassigned) [Track]"
        );
        let more = SearchPage { next: Some("2".into()), ..page };
        assert!(
            answer("login", &more)
                .preview()
                .ends_with("There are more results. Add a word to narrow them down.")
        );
        let none = SearchPage { issues: Vec::new(), next: None };
        assert_eq!(answer("login", &none).preview(), "No issues have `login` in their summary.");
    }
}
