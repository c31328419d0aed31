//! The epic after `/maro stories`, as people type and paste it.

use maro_domain::{
    issue::IssueKey,
    typed_keys::{NoKey, typed_keys},
    words::{
        Site, Word, first_word_length, goes_on,
        letters::{is_filler, is_small, trim},
        tidy, words,
    },
};
use maro_slack::words::parse_markup::to_typed;

/// What may stand between an epic and its first story.
const BETWEEN: [char; 9] = [':', '-', '–', '—', '|', ',', '•', '：', '，'];

/// Why what was typed names no epic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOneEpic {
    NoKey(NoKey),
    /// There are several: MARO doesn't guess which one is meant.
    Several(Vec<IssueKey>),
}

/// The epic in what Slack sent, and the stories behind it, one a line and as Slack sent them.
///
/// Stories may name issues, and much else that looks like a key (`UTF-8`). So only what comes first is read as the
/// epic, unless nothing but keys was typed.
///
/// # Errors
/// [`NotOneEpic`].
pub fn read<'a>(typed: &'a str, site: &Site) -> Result<(IssueKey, &'a str), NotOneEpic> {
    let typed = typed.trim();
    let (line, below) = typed.split_once('\n').unwrap_or((typed, ""));
    for (named, stories) in [(typed, ""), (line, below)] {
        if let Some(epic) = only_keys(named, site)? {
            return Ok((epic, stories.trim()));
        }
    }
    if let Some((epic, stories)) = at_start(typed, line.len(), site) {
        return Ok((epic, stories));
    }
    match one_key(line, site) {
        Ok(epic) => Ok((epic, below.trim())),
        Err(NotOneEpic::NoKey(NoKey::Unclear)) => one_key(typed, site).map(|epic| (epic, "")),
        Err(error) => Err(error),
    }
}

fn one_key(typed: &str, site: &Site) -> Result<IssueKey, NotOneEpic> {
    let mut found = typed_keys(&to_typed(typed), site).map_err(NotOneEpic::NoKey)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(NotOneEpic::Several(found)),
    }
}

/// The epic, where keys are all that was typed: `SCRUM-1 and SCRUM-2`, `SCRUM-1, 2`.
fn only_keys(typed: &str, site: &Site) -> Result<Option<IssueKey>, NotOneEpic> {
    let plain = tidy(&to_typed(typed));
    let is_no_story = |word: &str| is_small(word) || trim(word).bytes().all(|digit| digit.is_ascii_digit());
    let (mut has_key, mut is_bare) = (false, true);
    for word in words(&plain, Some(site)) {
        match word {
            Word::Key(_) => has_key = true,
            Word::Other(word) if is_filler(word) => {}
            Word::Other(word) if is_no_story(word) => is_bare = false,
            Word::Other(_) | Word::OtherSite(_) => return Ok(None),
        }
    }
    match one_key(typed, site) {
        Err(several @ NotOneEpic::Several(_)) if has_key => Err(several),
        // `SCRUM-1 Bugs` has a story.
        Ok(epic) if has_key && is_bare => Ok(Some(epic)),
        _ => Ok(None),
    }
}

/// The epic that comes first, and what stands behind it. None if it's the first of several: `SCRUM-1, SCRUM-2`.
/// `line` is the length of the first line.
fn at_start<'a>(typed: &'a str, line: usize, site: &Site) -> Option<(IssueKey, &'a str)> {
    let start = typed.len() - behind_small_words(typed).len();
    let text = &typed[start..];
    let mut end = match text.starts_with('<') {
        true => text.find('>').map_or(text.len(), |end| end + 1),
        false => first_word_length(text),
    };
    // `SCRUM-1:Sign up`
    if let Some(sign) = text[..end].find([':', ',', '：', '，', '、'])
        && one_key(&text[..sign], site).is_ok()
    {
        end = sign;
    }
    let (first, rest) = text.split_at(end);
    let epic = one_key(first, site).ok()?;
    let beside = rest.get(..line.saturating_sub(start + end)).unwrap_or(rest);
    if goes_on(first, &to_typed(beside)) {
        return None;
    }
    let rest = rest.trim_start_matches(['*', '_', '`', ']', ')', '"', '”']).trim();
    // A list's own bullets stay.
    Some((
        epic,
        if rest.contains('\n') {
            rest.trim_start_matches([':', ','])
        } else {
            rest.trim_start_matches(BETWEEN)
        }
        .trim_start(),
    ))
}

/// Without words such as `for` and `the epic` at its start.
fn behind_small_words(typed: &str) -> &str {
    let mut rest = typed.trim_start_matches(is_between);
    while let Some((word, behind)) = rest.split_once(char::is_whitespace)
        && (is_small(word) || is_filler(word))
    {
        rest = behind.trim_start_matches(is_between);
    }
    rest
}

fn is_between(letter: char) -> bool {
    letter.is_whitespace() || BETWEEN.contains(&letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site::at("https://x.example")
    }

    #[test]
    fn an_epic_is_taken_as_people_paste_it() {
        for typed in [
            "SCRUM-1",
            " scrum-1 ",
            "SCRUM-1,",
            "`SCRUM-1`",
            "“SCRUM-1”.",
            "(*scrum-1*)",
            "#SCRUM-1",
            "\u{200b}SCRUM-1",
            "SCRUM\u{2011}1",
            "SCRUM-1 SCRUM-1",
            "scrum 1",
            "ＳＣＲＵＭ－１",
            "SCRUM-1: HTTP 500 🎉",
            "for SCRUM-1",
            "https://x.example/browse/SCRUM-1",
            "https://x.example/browse/scrum-1/",
            "https://x.example/browse/SCRUM-1?focusedCommentId=1",
            "https://x.example/jira/software/projects/SCRUM/boards/1?selectedIssue=SCRUM-1",
            "<https://x.example/browse/SCRUM-1>",
            "<https://x.example/browse/SCRUM-1|SCRUM-1>",
            "[SCRUM-1](https://x.example/browse/SCRUM-1)",
        ] {
            assert_eq!(
                read(typed, &site()).map(|(key, _)| key.into_string()).as_deref(),
                Ok("SCRUM-1"),
                "{typed:?}"
            );
        }
    }

    #[test]
    fn the_words_behind_an_epic_are_stories() {
        for (typed, stories) in [
            ("SCRUM-1", ""),
            ("SCRUM-1 Sign up", "Sign up"),
            ("SCRUM 1 Sign up", "Sign up"),
            ("SCRUM-1: Sign up", "Sign up"),
            ("SCRUM-1:Sign up", "Sign up"),
            ("(SCRUM-1) Sign up", "Sign up"),
            ("<https://x.example/browse/SCRUM-1|the epic> - Sign up", "Sign up"),
            ("<https://x.example/browse/SCRUM-1?a=1&amp;b=2> R&amp;D", "R&amp;D"),
            ("SCRUM-1 - Sign up\n- Sign in", "- Sign up\n- Sign in"),
            ("SCRUM-1\n• Sign up\n• Sign in", "• Sign up\n• Sign in"),
            ("SCRUM-1:\nSign up", "Sign up"),
            ("for SCRUM-1 Sign up", "Sign up"),
            ("the epic SCRUM-1: Sign up", "Sign up"),
            ("Epic SCRUM-1\nSign up\nSign in", "Sign up\nSign in"),
            ("more for SCRUM-1\nSign up\nSign in", "Sign up\nSign in"),
            // What only looks like a key, and other issues, are a story's words.
            ("SCRUM-1 Use UTF-8 everywhere", "Use UTF-8 everywhere"),
            ("SCRUM-1 Phase 2", "Phase 2"),
            ("SCRUM-1 Bugs", "Bugs"),
            ("SCRUM-1, Sign up for SCRUM-2", "Sign up for SCRUM-2"),
            ("SCRUM-1: Support ISO-8601 dates", "Support ISO-8601 dates"),
            ("SCRUM-1 SCRUM-2 is flaky", "SCRUM-2 is flaky"),
            ("SCRUM-1\nFix follow-ups of SCRUM-2\nSign in", "Fix follow-ups of SCRUM-2\nSign in"),
            ("SCRUM-1 See <https://y.example/browse/A-1>", "See <https://y.example/browse/A-1>"),
        ] {
            let read = read(typed, &site()).map(|(key, stories)| (key.into_string(), stories));
            assert_eq!(read, Ok(("SCRUM-1".to_owned(), stories)), "{typed:?}");
        }
    }

    #[test]
    fn an_epic_is_not_guessed() {
        for typed in ["", "epic", "SCRUM", "SCRUM-0", "<!channel>", "@U1"] {
            assert_eq!(read(typed, &site()), Err(NotOneEpic::NoKey(NoKey::Unclear)), "{typed:?}");
        }
        let link = NotOneEpic::NoKey(NoKey::NoIssue("https://wiki.example/1".to_owned()));
        assert_eq!(read("<https://wiki.example/1|SCRUM-1>", &site()), Err(link));
        let several = ["SCRUM-1", "SCRUM-2"].map(|key| IssueKey::parse(key).unwrap()).to_vec();
        for typed in [
            "scrum-1, SCRUM-2 and SCRUM-1",
            "SCRUM-1 SCRUM-2",
            "SCRUM-1\nSCRUM-2",
            "the epics SCRUM-1 &amp; SCRUM-2",
            "SCRUM-1, 2",
            "SCRUM-1/2",
            "SCRUM-1 to 2",
            "SCRUM-1, SCRUM-2 Sign up",
            "SCRUM-1 and SCRUM-2: Sign up",
            "SCRUM-1 SCRUM-2\nSign up",
        ] {
            assert_eq!(read(typed, &site()), Err(NotOneEpic::Several(several.clone())), "{typed:?}");
        }
        for typed in ["https://y.example/browse/SCRUM-1", "<https://y.example/browse/SCRUM-1|SCRUM-1>"] {
            assert_eq!(read(typed, &site()), Err(NotOneEpic::NoKey(NoKey::OtherSite)), "{typed:?}");
        }
    }
}
