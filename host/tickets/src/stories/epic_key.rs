//! The epic after `/maro stories`, as people type and paste it.

use maro_domain::{
    issue::IssueKey,
    typed_keys::{NoKey, typed_keys},
    words::{Site, first_word_length},
};

/// Why what was typed names no epic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOneEpic {
    NoKey(NoKey),
    /// There are several: MARO doesn't guess which one is meant.
    Several(Vec<IssueKey>),
}

/// The key in what was typed.
///
/// # Errors
/// [`NotOneEpic`].
pub fn parse(typed: &str, site: &Site) -> Result<IssueKey, NotOneEpic> {
    let mut found = typed_keys(typed, site).map_err(NotOneEpic::NoKey)?;
    match found.len() {
        1 => Ok(found.remove(0)),
        _ => Err(NotOneEpic::Several(found)),
    }
}

/// What stands behind the epic in what was typed: stories, one a line. Nothing, unless the epic comes first.
pub fn behind<'a>(typed: &'a str, site: &Site) -> &'a str {
    const BETWEEN: [char; 7] = [':', '-', '–', '—', '|', ',', '•'];
    let typed = typed.trim_start();
    let end = match typed.starts_with('<') {
        true => typed.find('>').map_or(typed.len(), |end| end + 1),
        false => first_word_length(typed),
    };
    let (first, rest) = typed.split_at(end);
    if parse(first, site).is_err() {
        return "";
    }
    let rest = rest.trim();
    // A list's own bullets stay.
    if rest.contains('\n') { rest } else { rest.trim_start_matches(BETWEEN).trim_start() }
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
                parse(typed, &site()).map(IssueKey::into_string).as_deref(),
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
            ("scrum 1 Sign up", ""),
            ("SCRUM 1 Sign up", "Sign up"),
            ("SCRUM-1: Sign up", "Sign up"),
            ("<https://x.example/browse/SCRUM-1|the epic> - Sign up", "Sign up"),
            ("SCRUM-1 - Sign up\n- Sign in", "- Sign up\n- Sign in"),
            ("SCRUM-1\n• Sign up\n• Sign in", "• Sign up\n• Sign in"),
            ("for SCRUM-1 Sign up", ""),
            ("https://y.example/browse/SCRUM-1 Sign up", ""),
        ] {
            assert_eq!(behind(typed, &site()), stories, "{typed:?}");
        }
    }

    #[test]
    fn an_epic_is_not_guessed() {
        for typed in ["", "epic", "SCRUM", "SCRUM-0", "<!channel>", "@U1"] {
            assert_eq!(parse(typed, &site()), Err(NotOneEpic::NoKey(NoKey::Unclear)), "{typed:?}");
        }
        let link = NotOneEpic::NoKey(NoKey::NoIssue("https://wiki.example/1".to_owned()));
        assert_eq!(parse("<https://wiki.example/1|SCRUM-1>", &site()), Err(link));
        let several = ["SCRUM-1", "SCRUM-2"].map(|key| IssueKey::parse(key).unwrap()).to_vec();
        assert_eq!(parse("scrum-1, SCRUM-2 and SCRUM-1", &site()), Err(NotOneEpic::Several(several)));
        for typed in ["https://y.example/browse/SCRUM-1", "<https://y.example/browse/SCRUM-1|SCRUM-1>"] {
            assert_eq!(parse(typed, &site()), Err(NotOneEpic::NoKey(NoKey::OtherSite)), "{typed:?}");
        }
    }
}
