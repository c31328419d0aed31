//! The issues that a command of the host's own is about, where it takes a few keys: `/maro where`, `/maro notify`.

use crate::commands::{CommandOutcome, choosing::name_typed::MAX_SHOWN_LENGTH};
use maro_domain::{
    issue::{IssueKey, one_line},
    reply::{Block, Reply, Span},
    typed_keys::{NoKey, typed_keys},
    words::{
        Site,
        letters::{is_filler, is_small},
    },
};
use maro_texts as texts;

/// How many issues one command is about. Jira may be asked for each.
const MAX_KEYS: usize = 10;

/// Why what was typed can't be carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) enum Unusable {
    /// It's about an issue of another Jira site.
    OtherSite,
    TooMany,
    /// It names no issue, but this.
    NotAKey(String),
    /// It names nothing, or isn't understood.
    Unclear,
}

impl Unusable {
    pub(in crate::commands) fn refusal(self, usage: Vec<Span>) -> CommandOutcome {
        CommandOutcome::Refused(match self {
            Self::OtherSite => Reply::sentence(texts::issues::typed_keys::OTHER_SITE),
            Self::TooMany => Reply::sentence(texts::issues::typed_keys::too_many_keys(MAX_KEYS)),
            Self::NotAKey(word) => {
                let mut reply = Reply::line(texts::issues::typed_keys::not_a_key(&word));
                reply.blocks.push(Block::Paragraph(usage));
                reply
            }
            Self::Unclear => Reply::line(usage),
        })
    }
}

/// The keys in what was typed, [`MAX_KEYS`] at most.
///
/// # Errors
/// [`Unusable`].
pub(in crate::commands) fn few_keys(typed: &str, site: &Site) -> Result<Vec<IssueKey>, Unusable> {
    match typed_keys(typed, site) {
        Ok(keys) if keys.len() <= MAX_KEYS => Ok(keys),
        Ok(_) => Err(Unusable::TooMany),
        Err(NoKey::OtherSite) => Err(Unusable::OtherSite),
        Err(NoKey::NoIssue(link)) => Err(Unusable::NotAKey(one_line(&link, MAX_SHOWN_LENGTH))),
        Err(NoKey::Unclear) => {
            let says_something = |word: &&str| !is_small(word) && !is_filler(word);
            let word = typed.split_whitespace().find(says_something);
            Err(word.map_or(Unusable::Unclear, |word| Unusable::NotAKey(one_line(word, MAX_SHOWN_LENGTH))))
        }
    }
}
