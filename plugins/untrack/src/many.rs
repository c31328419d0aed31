//! `/maro untrack all` and `/maro untrack done`: asks first, says how many, and can be undone. So can what a digest's
//! button untracks.

use maro_plugin::{
    IssueKey, Reply, RunError,
    jira::{self, Finding, JiraError, JiraErrorKind, StatusCategory},
    keys::{self, parser::letters::is_small},
    reply::{Block, Line, Span, button, channel, issue},
    spans,
    storage::{self, Scope},
    tracker::{self, FilteredPage, ListFilter, Page, TrackedIssue, TrackerError},
    tracker_edit::{self, TrackOutcome, UntrackOutcome},
    typed::plain_words,
};

/// How many keys one call of the host takes, and how many rows.
const KEYS_PER_CALL: usize = 100;
const ROWS_PER_CALL: u32 = 200;

/// What people write beside `all` and `done`, and beside no keys.
const SMALL_WORDS: [&str; 4] = ["them", "ones", "what's", "what’s"];

/// How many keys a reply names.
const MAX_NAMED: usize = 20;

/// Where the keys are kept that can be tracked again.
const UNDO: &str = "undo";

/// How many characters are kept there: what one value holds.
const MAX_KEPT: usize = 60_000;

/// Said if the database fails after some were removed.
const CUT_OFF: &str =
    "The others may still be tracked, because MARO lost its database connection. Try again in a minute.";

/// Said of a question that Jira's last word is behind.
const AS_LAST_SAID: &str = "Jira can't be asked right now, so this goes by what it last said.";

/// Which issues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    /// Those whose status counts as done in Jira.
    Done,
}

/// What was typed or pressed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Ask(Which),
    /// With the number that the person was asked about.
    Untrack(Which, usize),
    /// As a button names them, which can be undone.
    These(Vec<IssueKey>),
    /// With the number of what is to be undone.
    Undo(u64),
}

impl Request {
    /// What the arguments ask for, if it isn't about single keys.
    pub(crate) fn parse(arguments: &str) -> Option<Self> {
        let words: Vec<&str> = arguments.split_whitespace().collect();
        match words[..] {
            ["all", count] if is_number(count) => {
                return Some(Self::Untrack(Which::All, count.parse().ok()?));
            }
            ["done", count] if is_number(count) => {
                return Some(Self::Untrack(Which::Done, count.parse().ok()?));
            }
            // People write so, too: `these tickets SCRUM-1`.
            ["these", ref keys @ ..] if !keys.is_empty() && keys.iter().all(|key| is_key(key)) => {
                return Some(Self::These(keys.iter().map(|&key| key.to_owned()).collect()));
            }
            ["undo", number] => return Some(Self::Undo(number.parse().ok()?)),
            _ => {}
        }
        let words: Vec<String> = plain_words(arguments).iter().map(|word| word.to_lowercase()).collect();
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .filter(|word| !is_small(word) && !SMALL_WORDS.contains(word))
            .collect();
        match words[..] {
            ["all" | "everything"] => Some(Self::Ask(Which::All)),
            ["done" | "closed" | "resolved"] | ["all", "done" | "closed" | "resolved"] => {
                Some(Self::Ask(Which::Done))
            }
            _ => None,
        }
    }

    pub(crate) fn run(self) -> Result<Reply, RunError> {
        match self {
            Self::Ask(which) => {
                let Listed { keys, is_stored } = which.keys()?;
                Ok(told_of(is_stored, ask(which, keys.len())))
            }
            Self::Untrack(which, count) => untrack(which, count),
            Self::These(keys) => untrack_these(&keys),
            Self::Undo(number) => undo(number),
        }
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether a word is a key as buttons have it.
fn is_key(word: &str) -> bool {
    keys::parse(word).is_ok_and(|words| words.keys() == [word])
}

impl Which {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Done => "done",
        }
    }

    fn keys(self) -> Result<Listed, RunError> {
        match self {
            Self::All => Ok(Listed { keys: all_keys()?, is_stored: false }),
            Self::Done => match done_keys(&all_keys()?) {
                Ok(keys) => Ok(Listed { keys, is_stored: false }),
                // As all that only changes the list, this works without Jira.
                Err(JiraError { kind: JiraErrorKind::Denied | JiraErrorKind::InvalidArgument, message }) => {
                    Err(RunError::Failed(message))
                }
                Err(_) => Ok(Listed { keys: stored_as_done()?, is_stored: true }),
            },
        }
    }
}

/// What is to be untracked.
struct Listed {
    keys: Vec<IssueKey>,
    /// Whether that is what Jira said last, since it doesn't answer now.
    is_stored: bool,
}

/// The question, which says so.
fn told_of(is_stored: bool, mut question: Reply) -> Reply {
    if is_stored {
        question.blocks.insert(1, Block::Paragraph(spans![AS_LAST_SAID]));
    }
    question
}

fn all_keys() -> Result<Vec<IssueKey>, RunError> {
    page_by_page(|offset| {
        let Page { issues, more } = tracker::list_tracked(offset, ROWS_PER_CALL)?;
        Ok((issues, more))
    })
}

/// What is done as far as Jira last said.
fn stored_as_done() -> Result<Vec<IssueKey>, RunError> {
    page_by_page(|offset| {
        let FilteredPage { rows, more, .. } =
            tracker::list_filtered(ListFilter::Done, offset, ROWS_PER_CALL)?;
        Ok((rows.into_iter().map(|row| row.issue).collect(), more))
    })
}

/// The keys of all pages. `page` reads the one from an offset on, and says whether there are more.
fn page_by_page(
    page: impl Fn(u32) -> Result<(Vec<TrackedIssue>, bool), TrackerError>,
) -> Result<Vec<IssueKey>, RunError> {
    let mut keys = Vec::new();
    loop {
        let (issues, more) = page(u32::try_from(keys.len()).unwrap_or(u32::MAX))?;
        let is_last = issues.is_empty() || !more;
        keys.extend(issues.into_iter().map(|issue| issue.key));
        if is_last {
            return Ok(keys);
        }
    }
}

/// Jira is asked what is done: the list may be some minutes old.
fn done_keys(keys: &[IssueKey]) -> Result<Vec<IssueKey>, JiraError> {
    let mut done = Vec::new();
    for keys in keys.chunks(KEYS_PER_CALL) {
        // A query may only name issues that Jira knows.
        let known: Vec<IssueKey> = jira::look_up(keys)?.into_iter().filter_map(found).collect();
        if known.is_empty() {
            continue;
        }
        let page = jira::search(&["key in (", &known.join(","), ")"].concat(), 100, None)?;
        let is_done = |key: &IssueKey| {
            let mut found = page.issues.iter();
            found.any(|found| found.issue.key == *key && found.status_category == StatusCategory::Done)
        };
        done.extend(known.into_iter().filter(is_done));
    }
    Ok(done)
}

fn found(finding: Finding) -> Option<IssueKey> {
    match finding {
        Finding::Found(issue) => Some(issue.key),
        Finding::Missing | Finding::Withheld(_) => None,
    }
}

/// `count` of which: the question, with a button that answers it.
fn ask(which: Which, count: usize) -> Reply {
    let issues = issues(count);
    let reply = Reply::to_caller();
    match (which, count) {
        (Which::All, 0) => {
            return reply.paragraph(spans!["No Jira issues are tracked in ", channel(), " yet."]);
        }
        (Which::Done, 0) => {
            return reply.paragraph(spans!["No issues tracked in ", channel(), " are done."]);
        }
        _ => {}
    }
    let question = match which {
        Which::All => spans!["Stop tracking all of ", channel(), "? ", "The list has ", issues.as_str(), "."],
        Which::Done => {
            spans!["Stop tracking what's done in ", channel(), "? ", "That's ", issues.as_str(), "."]
        }
    };
    let command = ["untrack ", which.name(), " ", &count.to_string()].concat();
    reply.paragraph(question).buttons([button(["Stop tracking ", &issues].concat(), command)])
}

/// Does it if there are still as many as the person was asked about.
fn untrack(which: Which, count: usize) -> Result<Reply, RunError> {
    let Listed { keys, is_stored } = which.keys()?;
    if keys.len() != count || keys.is_empty() {
        return Ok(told_of(is_stored, ask(which, keys.len())));
    }
    untrack_these(&keys)
}

fn untrack_these(keys: &[IssueKey]) -> Result<Reply, RunError> {
    let (mut untracked, mut is_cut_off) = (Vec::new(), false);
    for keys in keys.chunks(KEYS_PER_CALL) {
        let outcomes = match tracker_edit::untrack(keys) {
            Ok(outcomes) => outcomes,
            Err(error) if untracked.is_empty() => return Err(error.into()),
            // What was removed before is told, and can be undone.
            Err(_) => {
                is_cut_off = true;
                break;
            }
        };
        let done = keys.iter().zip(outcomes).filter(|(_, outcome)| *outcome == UntrackOutcome::Untracked);
        untracked.extend(done.map(|(key, _)| key.clone()));
    }
    // Without a way back, they stay untracked.
    let number = keep(&untracked).ok().flatten();
    let reply = untracked_reply(&untracked, number);
    Ok(if is_cut_off { reply.paragraph(spans![CUT_OFF]) } else { reply })
}

fn untracked_reply(keys: &[IssueKey], number: Option<u64>) -> Reply {
    // It takes the place of the question.
    let reply = Reply::to_update().paragraph(named("Stopped tracking ", keys));
    match number {
        Some(number) => reply.buttons([button("Undo", ["untrack undo ", &number.to_string()].concat())]),
        None => reply,
    }
}

/// Keeps the keys that were untracked last, under a number that nothing else has had.
fn keep(keys: &[IssueKey]) -> Result<Option<u64>, RunError> {
    let before = storage::get(Scope::Channel, UNDO)?;
    let number = before.as_deref().and_then(kept).map_or(1, |(number, _)| number.saturating_add(1));
    let value = [&number.to_string(), " ", &keys.join(" ")].concat();
    if value.len() > MAX_KEPT {
        return Ok(None);
    }
    let is_kept = storage::swap(Scope::Channel, UNDO, before.as_deref(), Some(&value))?;
    Ok(is_kept.then_some(number))
}

/// The number and the keys of a kept value.
fn kept(value: &str) -> Option<(u64, Vec<IssueKey>)> {
    let mut words = value.split(' ');
    let number = words.next()?.parse().ok()?;
    Some((number, words.filter(|word| !word.is_empty()).map(str::to_owned).collect()))
}

fn undo(number: u64) -> Result<Reply, RunError> {
    let value = storage::get(Scope::Channel, UNDO)?;
    let keys = value.as_deref().and_then(kept).filter(|(kept, keys)| *kept == number && !keys.is_empty());
    let Some((_, keys)) = keys else {
        return Ok(Reply::to_caller().paragraph(spans!["This can't be undone any more."]));
    };
    let mut tracked = Vec::new();
    let mut missing: Vec<Line> = Vec::new();
    for keys in keys.chunks(KEYS_PER_CALL) {
        let findings = jira::look_up(keys)?;
        for (key, finding) in keys.iter().zip(&findings) {
            match finding {
                Finding::Found(_) => {}
                Finding::Withheld(sentence) => missing.push(spans![sentence.as_str()]),
                Finding::Missing => missing.push(spans![issue(key), " not found in Jira"]),
            }
        }
        let found: Vec<IssueKey> = findings.into_iter().filter_map(found).collect();
        let outcomes = tracker_edit::track(&found)?;
        let new = found.into_iter().zip(outcomes).filter(|(_, outcome)| *outcome == TrackOutcome::Tracked);
        tracked.extend(new.map(|(key, _)| key));
    }
    // The number stays, so that the next one is another. What somebody else has untracked meanwhile stays, too.
    storage::swap(Scope::Channel, UNDO, value.as_deref(), Some(&number.to_string()))?;
    // It takes the place of what is undone, and of the button.
    let reply = if tracked.is_empty() { Reply::to_caller() } else { Reply::to_update() };
    Ok(reply.paragraph(named("Resumed tracking ", &tracked)).lines(missing))
}

/// How many, and the first of them.
fn named(start: &str, keys: &[IssueKey]) -> Line {
    let mut line = spans![start, issues(keys.len()), if keys.is_empty() { "" } else { ": " }];
    for (number, key) in keys.iter().take(MAX_NAMED).enumerate() {
        line.extend((number > 0).then(|| Span::from(", ")));
        line.push(issue(key));
    }
    if keys.len() > MAX_NAMED {
        line.push(Span::from([" and ", &(keys.len() - MAX_NAMED).to_string(), " more"].concat()));
    }
    line
}

fn issues(count: usize) -> String {
    let noun = if count == 1 { " issue" } else { " issues" };
    [&count.to_string(), noun].concat()
}

#[cfg(test)]
mod tests {
    use maro_plugin::reply::Visibility;

    use super::*;

    #[test]
    fn words_that_no_key_can_be_are_understood() {
        assert_eq!(Request::parse(" ALL "), Some(Request::Ask(Which::All)));
        assert_eq!(Request::parse("done"), Some(Request::Ask(Which::Done)));
        assert_eq!(Request::parse("done 17"), Some(Request::Untrack(Which::Done, 17)));
        assert_eq!(Request::parse("undo 3"), Some(Request::Undo(3)));
        let these = vec!["A-1".to_owned(), "B-2".to_owned()];
        assert_eq!(Request::parse("these A-1 B-2"), Some(Request::These(these)));
        for all in ["“All”", "`all`", "everything!", "all issues", "all of them", "all, please", "ａｌｌ"]
        {
            assert_eq!(Request::parse(all), Some(Request::Ask(Which::All)), "{all}");
        }
        for done in ["done.", "the done issues", "all closed ones", "what's done", "Resolved, please!"] {
            assert_eq!(Request::parse(done), Some(Request::Ask(Which::Done)), "{done}");
        }
        for other in [
            "",
            "all SCRUM-1",
            "SCRUM-1 all",
            "all -1",
            "all 1 2",
            "undo",
            "these",
            "these tickets A-1",
            "these: A-1",
            "all but A-1",
            "the list",
        ] {
            assert_eq!(Request::parse(other), None, "{other}");
        }
    }

    #[test]
    fn the_question_counts_and_its_button_answers_it() {
        let reply = ask(Which::All, 48);
        assert_eq!(
            reply.preview(),
            "Stop tracking all of #channel? The list has 48 issues.\n[Stop tracking 48 issues]"
        );
        assert_eq!(reply.visibility, Visibility::Caller);
        let row = [button("Stop tracking 1 issue", "untrack done 1")];
        assert_eq!(ask(Which::Done, 1).blocks.last(), Some(&Block::Buttons(row.into())));
        assert_eq!(ask(Which::All, 0).preview(), "No Jira issues are tracked in #channel yet.");
        assert_eq!(ask(Which::Done, 0).preview(), "No issues tracked in #channel are done.");
    }

    #[test]
    fn what_was_done_is_counted_and_can_be_undone() {
        let keys: Vec<IssueKey> = (1..=22).map(|number| ["A-", &number.to_string()].concat()).collect();
        let reply = untracked_reply(&keys, Some(3)).preview();
        assert!(reply.starts_with("Stopped tracking 22 issues: A-1, A-2, "), "{reply}");
        assert!(reply.ends_with(", A-20 and 2 more\n[Undo]"), "{reply}");
        assert_eq!(untracked_reply(&keys[..1], None).preview(), "Stopped tracking 1 issue: A-1");
        assert_eq!(kept("7 A-1 B-2"), Some((7, vec!["A-1".into(), "B-2".into()])));
        assert_eq!(kept("7"), Some((7, Vec::new())));
        assert_eq!(kept("x A-1"), None);
    }
}
