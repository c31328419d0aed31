//! Keys, and links to issues, also within other links. The standard library alone, as in `parser.rs`.

use super::letters::{is_hyphen, trim};

/// The longest key, in characters, and the longest number in it: the host's limits.
const MAX_KEY_LENGTH: usize = 100;
const MAX_NUMBER_LENGTH: usize = 18;

/// What stands before a key in the path of a link: `…/browse/KEY`, `…/issues/KEY`, Jira's own `…/issue/KEY`.
const BEFORE_KEY: [&str; 3] = ["browse", "issues", "issue"];

/// What stands somewhere before it in the links of service desks, which end with the key:
/// `/servicedesk/customer/portal/7/KEY`, `/projects/A/queues/custom/19/KEY`.
const LEADING_TO_KEY: [&str; 3] = ["servicedesk", "portal", "queues"];

/// The parameters of a link that name an issue.
const KEY_PARAMETERS: [&str; 3] = ["selectedIssue", "issueKey", "issue"];

/// The parameters that say where a page for logging in, or one that checks links, leads on to.
const DESTINATIONS: [&str; 6] = ["os_destination", "dest-url", "continue", "url", "q", RELATIVE];

/// The one of a service desk, where it's a path that begins with no slash: `destination=portal/7/KEY`.
const RELATIVE: &str = "destination";

/// How many links within one another are read.
const MAX_WITHIN: usize = 3;

/// The end of Jira's older pages, which name an issue in `key`: `ViewIssue.jspa?key=KEY`.
const PAGE: &str = ".jspa";

/// Where Atlassian keeps the sites of Jira Cloud.
const CLOUD: [&str; 2] = [".atlassian.net", ".jira.com"];

/// A Jira site, to tell links to it from those to others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    host: String,
    /// Where Jira is on that host: empty, or `/jira`.
    path: String,
}

impl Site {
    /// The site at an address: `https://example.atlassian.net`, `https://example.com/jira`.
    pub fn at(address: &str) -> Self {
        let link = Link::of(address);
        Self { host: link.host(), path: link.path.trim_end_matches('/').to_owned() }
    }

    pub(super) fn has(&self, link: &Link<'_>) -> bool {
        let below = link.path.strip_prefix(self.path.as_str());
        link.host() == self.host && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Where a link leads.
pub(super) enum Target {
    Issue(String),
    OtherSite,
    /// Not to an issue.
    Elsewhere,
}

/// The parts of an address, as far as they matter.
pub(super) struct Link<'a> {
    /// With the port, but without the scheme. Empty if there is none, as in `/browse/SCRUM-1`.
    authority: &'a str,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

impl<'a> Link<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (before, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (address, query) = before.split_once('?').unwrap_or((before, ""));
        let after_scheme =
            address.split_once("://").map(|(_, rest)| rest).or_else(|| address.strip_prefix("//"));
        let rest = after_scheme.unwrap_or(address);
        let (start, path) = rest.split_at(rest.find(['/', '\\']).unwrap_or(rest.len()));
        // Without a scheme it's a host only if it looks like one: `example.com/browse/SCRUM-1`.
        let host = trim(start);
        if after_scheme.is_some() || (!path.is_empty() && host.contains('.')) {
            Self { authority: host, path, query, fragment }
        } else {
            Self { authority: "", path: rest, query, fragment }
        }
    }

    /// In lower case, without a user and a usual port.
    fn host(&self) -> String {
        let authority = self.authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
        let host =
            authority.strip_suffix(":443").or_else(|| authority.strip_suffix(":80")).unwrap_or(&authority);
        host.trim_end_matches('.').to_owned()
    }

    /// Where the link leads people of `site`.
    pub(super) fn target(&self, site: Option<&Site>) -> Target {
        self.target_within(site, 0)
    }

    fn target_within(&self, site: Option<&Site>, depth: usize) -> Target {
        let mut found = self.key();
        let destination = self.destination().filter(|_| found.is_none() && depth < MAX_WITHIN);
        if let Some(address) = destination {
            let link = Link::of(&address);
            if !is_url(&address) {
                found = link.key();
            } else if let target @ (Target::Issue(_) | Target::OtherSite) =
                link.target_within(site, depth + 1)
            {
                return target;
            }
        }
        let Some(site) = site.filter(|_| !self.authority.is_empty()) else {
            return found.map_or(Target::Elsewhere, Target::Issue);
        };
        if site.has(self) {
            return found.or_else(|| self.key_anywhere()).map_or(Target::Elsewhere, Target::Issue);
        }
        let in_cloud = || CLOUD.iter().any(|suffix| self.host().ends_with(suffix));
        if found.is_some() || (in_cloud() && !self.is_wiki()) { Target::OtherSite } else { Target::Elsewhere }
    }

    /// The address that the link leads on to, or a path on the same site.
    fn destination(&self) -> Option<String> {
        let mut pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(name, value)| {
            let is_path = |text: &str| text.starts_with('/') || name == RELATIVE && text.contains('/');
            let is_address = |text: &str| is_url(text) || is_path(text) && !text.starts_with("//");
            let once = Some(decoded(value)).filter(|_| DESTINATIONS.contains(&name))?;
            // Some pages encode it twice.
            [decoded(&once), once].into_iter().rev().find(|text| is_address(text))
        })
    }

    /// The key that the link leads to, wherever Jira writes it.
    pub(super) fn key(&self) -> Option<String> {
        // The mobile view has paths of its own, after the `#`.
        let (path, query) = self.fragment.split_once('?').unwrap_or((self.fragment, self.fragment));
        key_in_path(self.path)
            .or_else(|| key_in_query(self.query, self.path.ends_with(PAGE)))
            .or_else(|| key_in_path(path))
            .or_else(|| key_in_query(query, false))
    }

    /// The last part of the path that is a key, for links of Jira that MARO doesn't know.
    fn key_anywhere(&self) -> Option<String> {
        if self.is_wiki() { None } else { self.path.rsplit('/').find_map(|part| key(trim(part))) }
    }

    /// Confluence is on the same site as Jira, and its titles name issues.
    fn is_wiki(&self) -> bool {
        self.path.trim_start_matches('/').split('/').next() == Some("wiki")
    }
}

fn key_in_path(path: &str) -> Option<String> {
    let (mut before, mut is_desk) = ("", false);
    let mut last = None;
    for part in path.split('/').filter(|part| !part.is_empty()) {
        last = encoded_key(part);
        if let Some(key) = last.clone().filter(|_| is_among(before, &BEFORE_KEY)) {
            return Some(key);
        }
        is_desk |= is_among(part, &LEADING_TO_KEY);
        before = part;
    }
    last.filter(|_| is_desk)
}

fn key_in_query(query: &str, is_page: bool) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let is_key = |name: &str| KEY_PARAMETERS.contains(&name) || is_page && name == "key";
    let (_, value) = pairs.find(|(name, _)| is_key(name))?;
    encoded_key(value)
}

/// The key that a part of a link is, which may bring spaces along: `SCRUM%2D1%20`.
fn encoded_key(part: &str) -> Option<String> {
    key(trim(decoded(part).trim_matches(' ')))
}

/// Without percent signs before the numbers of ASCII's letters; others stay.
fn decoded(text: &str) -> String {
    let mut parts = text.split('%');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).filter(u8::is_ascii);
        match byte {
            Some(byte) => plain.push(char::from(byte)),
            None => plain.push('%'),
        }
        plain.push_str(if byte.is_some() { &part[2..] } else { part });
    }
    plain
}

fn is_among(part: &str, names: &[&str]) -> bool {
    names.iter().any(|name| part.eq_ignore_ascii_case(name))
}

pub(super) fn is_url(text: &str) -> bool {
    ["http://", "https://"]
        .iter()
        .any(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)))
}

/// Upper-cases a key that Jira could have made: `SCRUM-123`, in ASCII, without leading zeros.
pub(crate) fn key(text: &str) -> Option<String> {
    let (project, number) = text.split_once(is_hyphen)?;
    let well_formed = project.len() + 1 + number.len() <= MAX_KEY_LENGTH
        && project.starts_with(|first: char| first.is_ascii_alphabetic())
        && project.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && (1..=MAX_NUMBER_LENGTH).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && !number.starts_with('0');
    well_formed.then(|| [&project.to_ascii_uppercase(), "-", number].concat())
}
