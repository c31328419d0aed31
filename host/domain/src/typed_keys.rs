//! The issue keys in what people type and paste for one command.

use crate::{
    issue::IssueKey,
    words::{Site, Word, asked, tidy},
};

/// Why what was typed names no issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoKey {
    /// There is no key in it.
    Unclear,
    /// It's in a link to another Jira site.
    OtherSite,
    /// There is nothing but a link, and it leads to no issue.
    NoIssue(String),
}

/// The keys in what was typed, each once, at least one: in upper or lower case, alone or in links to issues of `site`,
/// which may be bare or wrapped by Slack. Other words don't count: `is SCRUM-1 tracked?`
///
/// # Errors
/// [`NoKey`].
pub fn typed_keys(typed: &str, site: &Site) -> Result<Vec<IssueKey>, NoKey> {
    let typed = tidy(typed);
    let mut found: Vec<IssueKey> = Vec::new();
    let mut link = None;
    for word in asked(&typed, Some(site)) {
        match word {
            Word::Key(key) => {
                let key = IssueKey::from_string(key).ok();
                found.extend(key.filter(|key| !found.contains(key)));
            }
            Word::OtherSite(_) => return Err(NoKey::OtherSite),
            Word::Other(word) if word.contains("://") => link = link.or_else(|| Some(word.to_owned())),
            Word::Other(_) => {}
        }
    }
    if found.is_empty() { Err(link.map_or(NoKey::Unclear, NoKey::NoIssue)) } else { Ok(found) }
}
