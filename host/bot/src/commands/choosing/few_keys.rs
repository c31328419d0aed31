//! The issues that a command of the host's own is about, where it takes a few keys: `/maro where`, `/maro notify`.

use crate::commands::CommandOutcome;
use maro_domain::{
    issue::IssueKey,
    reply::{Reply, Span},
    typed_keys::{NoKey, typed_keys},
    words::Site,
};
use maro_texts as texts;

/// How many issues one command is about. Jira may be asked for each.
const MAX_KEYS: usize = 10;

/// Why what was typed can't be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Unusable {
    /// It's about an issue of another Jira site.
    OtherSite,
    /// It names no issue, or too many, or isn't understood.
    Unclear,
}

impl Unusable {
    pub(in crate::commands) fn refusal(self, usage: Vec<Span>) -> CommandOutcome {
        CommandOutcome::Refused(match self {
            Self::OtherSite => Reply::sentence(texts::issues::typed_keys::OTHER_SITE),
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
        Err(NoKey::OtherSite) => Err(Unusable::OtherSite),
        _ => Err(Unusable::Unclear),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_command_is_about_ten_issues_at_most() {
        let site = Site::at("https://quarry.atlassian.net");
        let typed = |count: usize| (1..=count).map(|number| format!("SCRUM-{number} ")).collect::<String>();
        assert_eq!(few_keys(&typed(10), &site).unwrap().len(), 10);
        assert_eq!(few_keys(&typed(11), &site), Err(Unusable::Unclear));
    }
}
