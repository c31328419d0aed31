//! The address of Jira's own form for a new issue, with everything filled in that was typed in Slack.

use url::Url;

use crate::filled_fields::{AskedKind, FilledField, PickedOption};
use maro_domain::screen::BELOW;

/// The longest address. Slack takes 3,000 characters in a section, in which an ampersand counts five times.
const MAX_LENGTH: usize = 2_000;

/// What is filled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filled<'a> {
    /// The project's number.
    pub(crate) project: u64,
    pub(crate) issue_type_id: &'a str,
    pub(crate) summary: &'a str,
    pub(crate) description: &'a str,
    pub(crate) fields: &'a [FilledField],
}

/// The address on a site. A description that is too long is cut.
pub(crate) fn address(site: &Url, filled: Filled<'_>) -> Option<Url> {
    let mut url = site.clone();
    url.set_query(None);
    url.path_segments_mut().ok()?.pop_if_empty().extend(["secure", "CreateIssueDetails!init.jspa"]);
    url.query_pairs_mut()
        .append_pair("pid", &filled.project.to_string())
        .append_pair("issuetype", filled.issue_type_id)
        .append_pair("summary", filled.summary);
    for field in filled.fields {
        for value in values(field) {
            let longer = with(&url, &field.asked.id, &value);
            if length(&longer) <= MAX_LENGTH {
                url = longer;
            }
        }
    }
    let description = filled.description.trim();
    let mut end = description.len();
    while end > 0 {
        let longer = with(&url, "description", &description[..end]);
        if length(&longer) <= MAX_LENGTH {
            return Some(longer);
        }
        // Each character takes from one to twelve in an address.
        let excess = (length(&longer) - MAX_LENGTH).div_ceil(12);
        end = description.floor_char_boundary(end.saturating_sub(excess));
    }
    Some(url)
}

fn with(url: &Url, name: &str, value: &str) -> Url {
    let mut url = url.clone();
    url.query_pairs_mut().append_pair(name, value);
    url
}

fn length(url: &Url) -> usize {
    url.as_str().replace('&', "&amp;").len()
}

/// A field's values as that form takes them. Days, times and estimates are left out: their form depends on the site.
fn values(FilledField { asked, filling }: &FilledField) -> Vec<String> {
    let text = filling.text.trim();
    match asked.kind {
        AskedKind::Date | AskedKind::DateTime | AskedKind::Parent | AskedKind::Estimate => Vec::new(),
        AskedKind::Labels => text.split_whitespace().map(str::to_owned).collect(),
        AskedKind::Line | AskedKind::Text | AskedKind::Number if text.is_empty() => Vec::new(),
        AskedKind::Line | AskedKind::Text | AskedKind::Number => vec![text.to_owned()],
        AskedKind::Select
        | AskedKind::MultiSelect
        | AskedKind::Checkboxes
        | AskedKind::User
        | AskedKind::Users
        | AskedKind::EpicLink
        | AskedKind::Sprint
        | AskedKind::Group
        | AskedKind::Groups => filling.options.iter().map(upper_id).collect(),
    }
}

/// Of an option below another, the upper one's: the form asks for the lower one again.
fn upper_id(option: &PickedOption) -> String {
    option.id.split(BELOW).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filled_fields::{AskedField, Filling};

    fn filled<'a>(description: &'a str, fields: &'a [FilledField]) -> Filled<'a> {
        Filled { project: 10_001, issue_type_id: "10002", summary: "Gate 7 & 8", description, fields }
    }

    #[test]
    fn everything_is_filled_in() {
        let site = Url::parse("https://jira.example/tracker/").unwrap();
        let asked = AskedField {
            id: "labels".to_owned(),
            name: "Labels".to_owned(),
            kind: AskedKind::Labels,
            is_required: false,
        };
        let filling = Filling { text: "north quay".to_owned(), options: Vec::new() };
        let fields = [FilledField { asked, filling }];
        assert_eq!(
            address(&site, filled("Why?\nBecause.", &fields)).unwrap().as_str(),
            "https://jira.example/tracker/secure/CreateIssueDetails!init.jspa?pid=10001&issuetype=10002\
             &summary=Gate+7+%26+8&labels=north&labels=quay&description=Why%3F%0ABecause."
        );
    }

    #[test]
    fn an_address_stays_short_enough_for_slack() {
        let site = Url::parse("https://jira.example").unwrap();
        for description in ["x".repeat(3_000), "&é😀".repeat(700), "港".repeat(3_000)] {
            let url = address(&site, filled(&description, &[])).unwrap();
            assert!((1_900..=MAX_LENGTH).contains(&length(&url)), "{}", length(&url));
            let (_, kept) = url.query_pairs().find(|(name, _)| name == "description").unwrap();
            assert!(description.starts_with(kept.as_ref()));
        }
    }
}
