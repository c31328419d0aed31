//! `/maro tracked [open|done|mine|find WORDS] [page]`: lists the channel's issues. Works even when Jira is down, with
//! what Jira last said.

use maro_plugin::{
    Description, Plugin, Reply, RunError,
    keys::parser::{self, Word, letters::is_small, tidy},
    register,
    reply::{Block, Button, Item, Line, Span, Visibility, button, caller, channel, code, details, issue},
    spans,
    tracker::{self, DetailedPage, FilteredPage, ListFilter, RowDetails, RowState, TrackedIssue},
    typed::{plain_words, unescape},
};

/// Issues per page: few enough to read, and to give each a button.
const PAGE_SIZE: u32 = 20;

/// Rows that one call of the host reads, and the most rows that are searched.
const ROWS_PER_CALL: u32 = 200;
const MAX_SEARCHED: u32 = 10_000;

/// The longest words that are looked for, in characters: a button has to hold them.
const MAX_WORDS: usize = 200;

struct Tracked;

impl Plugin for Tracked {
    fn describe() -> Description {
        Description {
            name: "tracked",
            version: env!("CARGO_PKG_VERSION"),
            summary: "List the Jira issues tracked in this channel",
            usage: "[open | done | mine | find WORDS] [PAGE]",
        }
    }

    fn run(arguments: &str) -> Result<Reply, RunError> {
        match to_share(arguments) {
            Some(arguments) => answer(arguments).map(|reply| shared(arguments, reply)),
            None => answer(arguments),
        }
    }
}

register!(Tracked);

fn answer(arguments: &str) -> Result<Reply, RunError> {
    match wanted(arguments)? {
        (Wanted::Fitting(filter), number) => page(filter, number),
        (Wanted::Words(words), number) => Ok(matching(&words)?.shown(&words, number)),
        (Wanted::WordsOrPage { words, all }, number) => {
            let matches = matching(&words)?;
            if has_page(matches.rows.len(), number) {
                return Ok(matches.shown(&words, number));
            }
            let rows: Vec<RowDetails> = matches.rows.iter().filter(|row| has(row, &all)).cloned().collect();
            let is_word = matches.rows.is_empty() || !rows.is_empty();
            let narrower = Matches { rows, hidden: matches.hidden };
            Ok(if is_word { narrower.shown(&all, 1) } else { matches.shown(&words, number) })
        }
    }
}

fn has_page(count: usize, number: u32) -> bool {
    (number - 1).saturating_mul(PAGE_SIZE) < u32::try_from(count).unwrap_or(u32::MAX)
}

/// What stands behind `share`, which MARO's button for it puts before the rest.
fn to_share(arguments: &str) -> Option<&str> {
    let arguments = arguments.trim_start();
    let (first, rest) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
    first.eq_ignore_ascii_case("share").then_some(rest)
}

/// The same for everyone in the channel, without buttons: these are for the person who asked. What isn't a list stays
/// theirs.
fn shared(arguments: &str, mut reply: Reply) -> Reply {
    if !reply.blocks.iter().any(|block| matches!(block, Block::Items(_))) {
        return reply;
    }
    reply.visibility = Visibility::Channel;
    reply.blocks.retain(|block| !matches!(block, Block::Buttons(_)));
    for block in &mut reply.blocks {
        if let Block::Items(items) = block {
            items.iter_mut().for_each(|item| item.button = None);
        }
    }
    // To others, it's not their list.
    if let (Ok((Wanted::Fitting(ListFilter::Mine), _)), Some(heading)) =
        (wanted(arguments), reply.blocks.first_mut())
    {
        *heading = Block::Paragraph(spans![caller(), "'s Jira issues in ", channel(), ":"]);
    }
    reply
}

/// Which issues somebody wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Wanted {
    Fitting(ListFilter),
    /// Those that have all these words.
    Words(String),
    /// The same, and the number behind them is that of a page if there is one, or else a word: `find Safari 16`.
    WordsOrPage {
        words: String,
        all: String,
    },
}

fn page(filter: ListFilter, number: u32) -> Result<Reply, RunError> {
    let start = (number - 1).saturating_mul(PAGE_SIZE);
    let page = tracker::list_filtered(filter, start, PAGE_SIZE)?;
    let hidden = match filter {
        ListFilter::Open if page.count == 0 => hidden_beside(ListFilter::Done)?,
        ListFilter::Done if page.count == 0 => hidden_beside(ListFilter::Open)?,
        _ => 0,
    };
    Ok(beside_hidden(filtered(filter, number, page), hidden))
}

/// How many issues can't be shown, if all that can be fit a filter.
fn hidden_beside(shown: ListFilter) -> Result<u32, RunError> {
    let count = tracker::count_tracked()?;
    Ok(if count == 0 { 0 } else { count.saturating_sub(tracker::list_filtered(shown, 0, 1)?.count) })
}

/// A page of the issues that fit a filter.
fn filtered(filter: ListFilter, number: u32, page: FilteredPage) -> Reply {
    let FilteredPage { rows, more, count, open } = page;
    let pages = count.div_ceil(PAGE_SIZE);
    if count == 0 {
        return nothing_fits(filter);
    }
    if rows.is_empty() && number > pages {
        return past_the_end(prefix(filter), number, count);
    }
    // More open ones than there are: the host didn't count them, since Jira would have to say of each whether the
    // person sees it.
    let count = match filter {
        ListFilter::All | ListFilter::Mine if open <= count => {
            [&count.to_string(), " issues, ", &open.to_string(), " open"].concat()
        }
        _ => [&count.to_string(), " issues"].concat(),
    };
    let totals = (pages > 1).then(|| spans![count]);
    list_of(heading(filter), totals, prefix(filter), number, pages, DetailedPage { rows, more })
}

/// What stands before the number of the page in a command.
fn prefix(filter: ListFilter) -> &'static str {
    match filter {
        ListFilter::All => "",
        ListFilter::Open => "open ",
        ListFilter::Done => "done ",
        ListFilter::Mine => "mine ",
    }
}

fn heading(filter: ListFilter) -> &'static str {
    match filter {
        ListFilter::All => "Tracked Jira issues in ",
        ListFilter::Open => "Open Jira issues tracked in ",
        ListFilter::Done => "Done Jira issues tracked in ",
        ListFilter::Mine => "Your Jira issues in ",
    }
}

fn nothing_fits(filter: ListFilter) -> Reply {
    let nothing = match filter {
        ListFilter::All => return nothing_tracked(),
        ListFilter::Open => "No open Jira issues are tracked in ",
        ListFilter::Done => "No done Jira issues are tracked in ",
        ListFilter::Mine => "You have no Jira issues in ",
    };
    Reply::to_caller().paragraph(spans![nothing, channel(), "."])
}

/// With how many issues nobody can say whether they fit.
fn beside_hidden(reply: Reply, hidden: u32) -> Reply {
    let issues = if hidden == 1 { " tracked issue" } else { " tracked issues" };
    match hidden {
        0 => reply,
        _ => reply.paragraph(spans![
            [&hidden.to_string(), issues, " can't be shown here. To see all keys, type "].concat(),
            code("/maro tracked")
        ]),
    }
}

/// Which issues to show, and the number of the page.
fn wanted(arguments: &str) -> Result<(Wanted, u32), RunError> {
    let typed = unescape(arguments);
    let words: Vec<&str> = typed.split_whitespace().collect();
    let is_find = |word: &&str| ["find", "search"].iter().any(|find| word.eq_ignore_ascii_case(find));
    if words.first().is_some_and(is_find) {
        return found_by(&words[1..]);
    }
    let listed = listed(&plain_words(arguments));
    // A key can only be meant to be found, but `page 2` and `open 2` are none.
    match listed {
        Err(error) => Ok((Wanted::Words(one_key(arguments, Apart::IsKey)?.ok_or(error)?), 1)),
        listed => listed,
    }
}

/// Whether `SCRUM 7` is a key, or words to look for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Apart {
    IsKey,
    IsWords,
}

/// The key that is all that was typed.
///
/// # Errors
/// [`RunError::Usage`] for several keys.
fn one_key(typed: &str, apart: Apart) -> Result<Option<String>, RunError> {
    let plain = tidy(&unescape(typed));
    // Which site is ours isn't known here. A link to another shows no more than the key in it would.
    let words = match apart {
        Apart::IsKey => parser::asked(&plain, None),
        Apart::IsWords => parser::words(&plain, None).collect(),
    };
    match &words[..] {
        [Word::Key(key)] => Ok(Some(key.clone())),
        [Word::Key(_), rest @ ..] if rest.iter().all(|word| matches!(word, Word::Key(_))) => {
            Err(RunError::usage("Enter one issue at a time."))
        }
        _ => Ok(None),
    }
}

/// Said of a number that no page has.
const NO_PAGE: &str = "Enter a page number, starting from 1.";

/// What people write beside the name of a list.
const SMALL_WORDS: [&str; 7] = ["show", "list", "see", "view", "get", "them", "ones"];

/// The list that these words name, and the number of its page.
fn listed(words: &[String]) -> Result<(Wanted, u32), RunError> {
    let (mut filter, mut page) = (None, None);
    for word in words {
        let named = match word.to_lowercase().as_str() {
            "all" | "everything" => continue,
            "open" => ListFilter::Open,
            "done" | "closed" | "resolved" => ListFilter::Done,
            "mine" | "my" | "me" => ListFilter::Mine,
            "page" => continue,
            number if number.starts_with(|first: char| first.is_ascii_digit() || "-+".contains(first)) => {
                if page.replace(page_number(number)?).is_some() {
                    return Err(RunError::usage(NO_PAGE));
                }
                continue;
            }
            small if is_small(small) || SMALL_WORDS.contains(&small) => continue,
            _ => return Err(RunError::usage(NO_PAGE)),
        };
        if filter.replace(named).is_some_and(|before| before != named) {
            return Err(RunError::usage("Enter one list at a time: open, done or mine."));
        }
    }
    Ok((Wanted::Fitting(filter.unwrap_or(ListFilter::All)), page.unwrap_or(1)))
}

/// The issues that have these words, and the number of the page behind them.
fn found_by(words: &[&str]) -> Result<(Wanted, u32), RunError> {
    let number = match words[..] {
        [_, .., last] => last.parse().ok().filter(|&number| number > 0),
        _ => None,
    };
    let all = unquoted(words);
    if let Some(key) = one_key(&all, Apart::IsWords)? {
        return Ok((Wanted::Words(key), 1));
    }
    match all.chars().count() {
        0 => return Err(RunError::usage("Enter the words to look for.")),
        1..=MAX_WORDS => {}
        _ => return Err(RunError::usage("Enter fewer words.")),
    }
    let before = unquoted(&words[..words.len() - 1]);
    Ok(match number {
        Some(number) if !before.is_empty() => (Wanted::WordsOrPage { words: before, all }, number),
        _ => (Wanted::Words(all), 1),
    })
}

/// Quotes around words are none of theirs.
fn unquoted(words: &[&str]) -> String {
    let words = words.iter().map(|word| word.trim_matches(is_quote)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '“' | '”' | '„' | '‘' | '’' | '‚' | '«' | '»')
}

/// What a search found.
struct Matches {
    rows: Vec<RowDetails>,
    /// How many issues were searched by their keys alone, because they can't be shown.
    hidden: u32,
}

impl Matches {
    /// A page of them.
    fn shown(&self, words: &str, number: u32) -> Reply {
        beside_hidden(found(words, number, &self.rows), if self.rows.is_empty() { self.hidden } else { 0 })
    }
}

/// The issues whose keys, summary and status have all the words, in any case.
fn matching(words: &str) -> Result<Matches, RunError> {
    let mut found = Matches { rows: Vec::new(), hidden: 0 };
    let mut offset = 0;
    loop {
        let DetailedPage { rows, more } = tracker::list_details(offset, ROWS_PER_CALL)?;
        let is_last = rows.is_empty() || !more;
        let hidden = rows.iter().filter(|row| row.state == RowState::Hidden).count();
        found.hidden += u32::try_from(hidden).unwrap_or(u32::MAX);
        found.rows.extend(rows.into_iter().filter(|row| has(row, words)));
        offset += ROWS_PER_CALL;
        if is_last || offset >= MAX_SEARCHED {
            return Ok(found);
        }
    }
}

fn has(row: &RowDetails, words: &str) -> bool {
    let TrackedIssue { key, summary, status, .. } = &row.issue;
    let former = row.moved_from.as_deref().unwrap_or_default();
    let text = [key, " ", former, " ", summary, " ", status].concat().to_lowercase();
    words.to_lowercase().split(' ').all(|word| text.contains(word))
}

/// A page of what was found.
fn found(words: &str, number: u32, found: &[RowDetails]) -> Reply {
    let count = u32::try_from(found.len()).unwrap_or(u32::MAX);
    let filter = ["find ", words, " "].concat();
    let start = (number - 1).saturating_mul(PAGE_SIZE) as usize;
    let rows: Vec<RowDetails> = found.iter().skip(start).take(PAGE_SIZE as usize).cloned().collect();
    if count == 0 {
        let nothing = spans!["No issues tracked in ", channel(), " match ", code(words), "."];
        return Reply::to_caller().paragraph(nothing);
    }
    if rows.is_empty() {
        return past_the_end(&filter, number, count);
    }
    let more = start + rows.len() < found.len();
    let pages = count.div_ceil(PAGE_SIZE);
    let matches = if count == 1 { " issue matches " } else { " issues match " };
    let matches = spans![count.to_string(), matches, code(words)];
    list_of(heading(ListFilter::All), Some(matches), &filter, number, pages, DetailedPage { rows, more })
}

/// Pages count from 1.
fn page_number(number: &str) -> Result<u32, RunError> {
    let number = number.parse().ok().filter(|&number| number > 0);
    number.ok_or_else(|| RunError::usage(NO_PAGE))
}

/// A page under a heading. `totals` say how many issues there are in all. `filter` is what stands before the number
/// of the page in a command.
fn list_of(
    heading: &'static str,
    totals: Option<Line>,
    filter: &str,
    number: u32,
    pages: u32,
    page: DetailedPage,
) -> Reply {
    let mut reply = Reply::to_caller().paragraph(spans![heading, channel(), ":"]);
    if let Some(totals) = totals {
        reply = reply.lines([totals]);
    }
    let reply = reply.items(page.rows.into_iter().map(item));
    let place = || spans![["Page ", &number.to_string(), " of ", &pages.to_string()].concat()];
    let previous = || page_button("Previous page", filter, number - 1);
    let next = || page_button("Next page", filter, number + 1);
    let more = || [place(), spans!["Next: ", command(filter, number + 1)]];
    match (number, page.more) {
        (1, false) => reply,
        (1, true) => reply.lines(more()).buttons([next()]),
        (_, true) => reply.lines(more()).buttons([previous(), next()]),
        (_, false) => reply.lines([place()]).buttons([previous()]),
    }
}

fn item(row: RowDetails) -> Item {
    let TrackedIssue { key, summary, status, .. } = row.issue;
    let stop = button("Stop tracking", ["untrack ", &key].concat());
    // What doesn't exist is no link.
    let key = if row.state == RowState::Gone { Span::from(key) } else { issue(key) };
    let mut line = spans![key, details(&summary, &status)];
    if let (RowState::Present, Some(former)) = (row.state, row.moved_from) {
        line.push(Span::from([" · was ", &former].concat()));
    }
    Item::with_button(line, stop)
}

fn page_button(label: &str, filter: &str, number: u32) -> Button {
    button(label, ["tracked ", filter, &number.to_string()].concat())
}

fn nothing_tracked() -> Reply {
    Reply::to_caller()
        .paragraph(spans!["No Jira issues are tracked in ", channel(), " yet."])
        .paragraph(spans!["To track one, type ", code("/maro track SCRUM-123")])
}

fn past_the_end(filter: &str, number: u32, count: u32) -> Reply {
    let last = count.div_ceil(PAGE_SIZE);
    let pages = if last == 1 { " page" } else { " pages" };
    Reply::to_caller().paragraph(spans![
        ["There's no page ", &number.to_string(), "; the list has ", &last.to_string(), pages, ". Try "]
            .concat(),
        command(filter, last),
    ])
}

fn command(filter: &str, page: u32) -> Span {
    code(["/maro tracked ", filter, &page.to_string()].concat())
}

#[cfg(test)]
mod tests {
    use maro_plugin::tracker::StatusCategory;

    use super::*;

    fn tracked(key: &str, summary: &str, status: &str) -> TrackedIssue {
        TrackedIssue {
            key: key.into(),
            summary: summary.into(),
            status: status.into(),
            tracked_by: "U1".into(),
            tracked_at: 0,
        }
    }

    fn row(issue: TrackedIssue) -> RowDetails {
        let status_category = StatusCategory::Unknown;
        RowDetails { issue, last_read: None, state: RowState::Present, status_category, moved_from: None }
    }

    #[test]
    fn the_list_reads_as_promised() {
        let issues = [
            tracked("SCRUM-123", "User authentication flow", "Open"),
            tracked("SCRUM-124", "Database migration", "In Progress"),
            tracked("SCRUM-125", "API documentation", "Done"),
            tracked("SCRUM-126", "", ""),
            tracked("SCRUM-127", &"é".repeat(81), ""),
        ];
        let mut rows: Vec<RowDetails> = issues.into_iter().map(row).collect();
        rows[1].moved_from = Some("OPS-9".into());
        let reply = filtered(ListFilter::All, 1, FilteredPage { rows, more: false, count: 5, open: 4 });
        let cut = "é".repeat(79);
        assert_eq!(
            reply.preview(),
            format!(
                "Tracked Jira issues in #channel:\n\
                 • SCRUM-123: User authentication flow (Open) [Stop tracking]\n\
                 • SCRUM-124: Database migration (In Progress) · was OPS-9 [Stop tracking]\n\
                 • SCRUM-125: API documentation (Done) [Stop tracking]\n\
                 • SCRUM-126 [Stop tracking]\n\
                 • SCRUM-127: {cut}… [Stop tracking]"
            )
        );
        let Block::Items(items) = &reply.blocks[1] else { panic!("the list is items") };
        assert_eq!(items[1].button, Some(button("Stop tracking", "untrack SCRUM-124")));
        assert_eq!(reply.visibility, Visibility::Caller);
    }

    #[test]
    fn a_page_says_how_many_issues_there_are_and_how_to_see_the_next() {
        let shown = |filter, number, count, more| {
            let rows = vec![row(tracked("A-1", "", ""))];
            filtered(filter, number, FilteredPage { rows, more, count, open: 31 }).preview()
        };
        let without_row = |shown: String| {
            shown.lines().skip(1).filter(|line| !line.starts_with('•')).collect::<Vec<_>>().join(" ")
        };
        let end = |number, count, more| without_row(shown(ListFilter::All, number, count, more));
        assert_eq!(end(1, 20, false), "");
        assert_eq!(
            shown(ListFilter::All, 1, 48, true),
            "Tracked Jira issues in #channel:\n48 issues, 31 open\n• A-1 [Stop tracking]\nPage 1 of 3\n\
             Next: `/maro tracked 2`\n[Next page]"
        );
        let middle = "48 issues, 31 open Page 2 of 3 Next: `/maro tracked 3` [Previous page] [Next page]";
        assert_eq!(end(2, 48, true), middle);
        assert_eq!(end(3, 48, false), "48 issues, 31 open Page 3 of 3 [Previous page]");
        assert_eq!(
            shown(ListFilter::Open, 1, 31, true),
            "Open Jira issues tracked in #channel:\n31 issues\n• A-1 [Stop tracking]\nPage 1 of 2\n\
             Next: `/maro tracked open 2`\n[Next page]"
        );
        let rows = vec![row(tracked("A-1", "", ""))];
        let uncounted = FilteredPage { rows, more: true, count: 48, open: u32::MAX };
        let shown = filtered(ListFilter::All, 2, uncounted).preview();
        assert!(shown.contains("\n48 issues\n"), "{shown}");
    }

    #[test]
    fn a_filter_is_one_word_before_the_page() {
        let fitting = |filter| Ok((Wanted::Fitting(filter), 1));
        assert_eq!(wanted("open"), fitting(ListFilter::Open));
        assert_eq!(wanted(" Done "), fitting(ListFilter::Done));
        assert_eq!(wanted("mine 2"), Ok((Wanted::Fitting(ListFilter::Mine), 2)));
        let usage = |sentence| Err(RunError::usage(sentence));
        for open in [
            "open.",
            "Open!",
            "“open”",
            "ｏｐｅｎ",
            "open issues",
            "list open issues",
            "all open",
            "open, please",
        ] {
            assert_eq!(wanted(open), fitting(ListFilter::Open), "{open}");
        }
        for mine in ["my issues", "list my issues", "mine!", "all my tickets"] {
            assert_eq!(wanted(mine), fitting(ListFilter::Mine), "{mine}");
        }
        for all in ["", "all issues", "issues", "please", "page 1", "everything"] {
            assert_eq!(wanted(all), fitting(ListFilter::All), "{all}");
        }
        for second in ["open, 2", "2 open", "open page 2"] {
            assert_eq!(wanted(second), Ok((Wanted::Fitting(ListFilter::Open), 2)), "{second}");
        }
        assert_eq!(wanted("open sesame"), usage(NO_PAGE));
        assert_eq!(wanted("in progress"), usage(NO_PAGE));
        assert_eq!(wanted("open mine"), usage("Enter one list at a time: open, done or mine."));
        assert_eq!(wanted("open 0"), usage("Enter a page number, starting from 1."));
        assert_eq!(wanted("A-1 A-2"), usage("Enter one issue at a time."));
        for link in ["https://x.example/browse/A-1", "find <https://x.example/browse/A-1|A-1>"] {
            assert_eq!(wanted(link), Ok((Wanted::Words("A-1".to_owned()), 1)), "{link}");
        }
        let words = |words: &str, page| Ok((Wanted::Words(words.to_owned()), page));
        let (login, all) = ("login form".to_owned(), "login form 2".to_owned());
        assert_eq!(wanted("find \"login form\" 2"), Ok((Wanted::WordsOrPage { words: login, all }, 2)));
        assert_eq!(wanted("find “it's”"), words("it's", 1));
        assert_eq!(wanted("SCRUM-7"), words("SCRUM-7", 1));
        assert_eq!(wanted("scrum 7"), words("SCRUM-7", 1));
        assert_eq!(wanted("find scrum–7"), words("SCRUM-7", 1));
        assert_eq!(wanted("find login 0"), words("login 0", 1));
        assert_eq!(wanted("page 2"), Ok((Wanted::Fitting(ListFilter::All), 2)));
        assert_eq!(wanted("find \"\""), usage("Enter the words to look for."));
        let none = FilteredPage { rows: Vec::new(), more: false, count: 0, open: 0 };
        let nothing = filtered(ListFilter::Done, 1, none).preview();
        assert_eq!(nothing, "No done Jira issues are tracked in #channel.");
        let one = beside_hidden(nothing_fits(ListFilter::Open), 1).preview();
        assert!(
            one.ends_with("\n1 tracked issue can't be shown here. To see all keys, type `/maro tracked`")
        );
        assert_eq!(
            Matches { rows: Vec::new(), hidden: 2 }.shown("a", 1).preview(),
            "No issues tracked in #channel match `a`.\n\
             2 tracked issues can't be shown here. To see all keys, type `/maro tracked`"
        );
        let past = FilteredPage { rows: Vec::new(), more: false, count: 41, open: 0 };
        assert_eq!(
            filtered(ListFilter::Mine, 9, past).preview(),
            "There's no page 9; the list has 3 pages. Try `/maro tracked mine 3`"
        );
    }

    #[test]
    fn a_shared_list_is_for_everyone_and_has_no_buttons() {
        assert_eq!(to_share(" Share  open 2"), Some(" open 2"));
        assert_eq!(to_share("share"), Some(""));
        assert_eq!(to_share("shared"), None);
        let page = |filter| {
            let rows = vec![row(tracked("A-1", "Anchor", "Open"))];
            filtered(filter, 2, FilteredPage { rows, more: true, count: 48, open: 31 })
        };
        let list = shared("2", page(ListFilter::All));
        assert_eq!(list.visibility, Visibility::Channel);
        assert_eq!(
            list.preview(),
            "Tracked Jira issues in #channel:\n48 issues, 31 open\n• A-1: Anchor (Open)\nPage 2 of 3\n\
             Next: `/maro tracked 3`"
        );
        let mine = shared("mine 2", page(ListFilter::Mine)).preview();
        assert!(mine.starts_with("@caller's Jira issues in #channel:\n"), "{mine}");
        assert_eq!(shared("", nothing_tracked()), nothing_tracked());
    }

    #[test]
    fn an_empty_list_says_how_to_track() {
        assert_eq!(
            nothing_tracked().preview(),
            "No Jira issues are tracked in #channel yet.\nTo track one, type `/maro track SCRUM-123`"
        );
    }

    #[test]
    fn a_page_past_the_end_leads_back_to_the_last() {
        assert_eq!(
            past_the_end("", 9, 41).preview(),
            "There's no page 9; the list has 3 pages. Try `/maro tracked 3`"
        );
        assert_eq!(
            past_the_end("", u32::MAX, 1).preview(),
            "There's no page 4294967295; the list has 1 page. Try `/maro tracked 1`"
        );
    }

    #[test]
    fn what_has_the_words_is_found_and_paged() {
        let or_page =
            |words: &str, all: &str| Wanted::WordsOrPage { words: words.to_owned(), all: all.to_owned() };
        assert_eq!(wanted("find Login  FLOW 2"), Ok((or_page("Login FLOW", "Login FLOW 2"), 2)));
        assert_eq!(wanted("find 'Safari' 16"), Ok((or_page("Safari", "Safari 16"), 16)));
        assert!([(0, 1), (20, 2), (21, 3)].iter().all(|&(count, page)| !has_page(count, page)));
        assert!([(1, 1), (21, 2)].iter().all(|&(count, page)| has_page(count, page)));
        assert_eq!(wanted("FIND 404"), Ok((Wanted::Words("404".to_owned()), 1)));
        assert_eq!(wanted("find R&amp;D 0"), Ok((Wanted::Words("R&D 0".to_owned()), 1)));
        assert!(matches!(wanted("find "), Err(RunError::Usage(_))));
        assert!(matches!(wanted(&["find ", &"x".repeat(201)].concat()), Err(RunError::Usage(_))));
        let issue = tracked("SCRUM-123", "User authentication flow", "In Progress");
        let issue = RowDetails { moved_from: Some("OLD-7".into()), ..row(issue) };
        for words in ["auth", "FLOW user", "scrum-123", "progress flow", "old-7"] {
            assert!(has(&issue, words), "{words}");
        }
        assert!(!has(&issue, "auth done"));
        let rows: Vec<_> =
            (1..=21).map(|number| row(tracked(&["A-", &number.to_string()].concat(), "", ""))).collect();
        let first = found("a", 1, &rows).preview();
        assert!(first.starts_with("Tracked Jira issues in #channel:\n21 issues match `a`\n"), "{first}");
        assert!(first.ends_with("Page 1 of 2\nNext: `/maro tracked find a 2`\n[Next page]"), "{first}");
        let last = found("a", 2, &rows);
        assert!(last.preview().ends_with("• A-21 [Stop tracking]\nPage 2 of 2\n[Previous page]"));
        assert_eq!(
            last.blocks.last(),
            Some(&Block::Buttons(vec![button("Previous page", "tracked find a 1")]))
        );
        assert_eq!(found("b", 1, &[]).preview(), "No issues tracked in #channel match `b`.");
        assert_eq!(
            found("a", 9, &rows).preview(),
            "There's no page 9; the list has 2 pages. Try `/maro tracked find a 2`"
        );
    }

    #[test]
    fn page_numbers_start_from_one() {
        let all = |number| Ok((Wanted::Fitting(ListFilter::All), number));
        assert_eq!(wanted(""), all(1));
        for two in [" 2 ", "2.", "page 2", "Page 2", "２", ", 2"] {
            assert_eq!(wanted(two), all(2), "{two}");
        }
        assert_eq!(wanted("4294967295"), all(u32::MAX));
        for bad in ["0", "-1", "1.5", "1 2", "4294967296", "99999999999999999999"] {
            let usage = RunError::usage("Enter a page number, starting from 1.");
            assert_eq!(wanted(bad), Err(usage), "{bad:?}");
        }
        assert!(matches!(wanted("two"), Err(RunError::Usage(_))));
    }
}
