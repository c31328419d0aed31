//! Whether the label of a link passes for something that the link doesn't lead to: an address, an issue, a channel
//! or a person.
//!
//! A label is read as people read it, not as programs do: what can't be seen is passed over, and what looks like a
//! dot, a slash or an `@` counts as one. Letters of every script count as letters, so that a Cyrillic `а` in a
//! name makes it no less an address. What then looks like an address has to be the link's own, and what looks like
//! the key of an issue has to be in a link to the Jira site. Files such as `report.pdf` are no addresses.

mod reading;

use std::net::Ipv6Addr;

use url::Url;

use crate::outgoing::link_label::reading::{as_read, first_word, last_word};

/// What files end in and addresses don't, for want of such a top-level domain.
const FILE_ENDINGS: [&str; 57] = [
    "bak", "bin", "bmp", "cfg", "conf", "cpp", "css", "csv", "diff", "doc", "docx", "env", "exe", "gif",
    "go", "gz", "htm", "html", "ini", "ipynb", "jar", "java", "jpeg", "jpg", "js", "json", "jsonl", "jsx",
    "lock", "log", "mjs", "odt", "pdf", "php", "png", "ppt", "pptx", "rb", "rtf", "sql", "svg", "tar", "tgz",
    "toml", "ts", "tsx", "txt", "wasm", "wat", "webp", "wit", "xls", "xlsx", "xml", "xz", "yaml", "yml",
];

/// What both end in. Such a name is a file's only if the link's address ends in it.
const ENDINGS_OF_BOTH: [&str; 7] = ["md", "mov", "pl", "py", "rs", "sh", "zip"];

/// Whether nothing of a label can be seen.
pub(crate) fn is_invisible(label: &str) -> bool {
    as_read(label).trim().is_empty()
}

/// A link, and what stands beside it without a gap.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShownLink<'a> {
    pub(crate) before: &'a str,
    pub(crate) label: &'a str,
    pub(crate) after: &'a str,
    pub(crate) target: &'a Url,
}

impl ShownLink<'_> {
    /// Whether it looks like something that it doesn't lead to. `site` is the Jira site.
    pub(crate) fn misleads(&self, site: &Url) -> bool {
        let Self { before, label, after, target } = *self;
        if !target.username().is_empty() || target.password().is_some() {
            return true;
        }
        let before = if label.starts_with(char::is_whitespace) { "" } else { last_word(before) };
        let after = if label.ends_with(char::is_whitespace) { "" } else { first_word(after) };
        let mut text = as_read(before);
        let start = text.len();
        text.push_str(&as_read(label));
        let end = text.len();
        text.push_str(&as_read(after));
        let mut offset = 0;
        text.split_inclusive(char::is_whitespace).any(|word| {
            let (from, to) = (start.saturating_sub(offset), end.saturating_sub(offset));
            offset += word.len();
            let word = Word { text: word.trim_end(), from, to, target, site };
            word.misleads()
        })
    }
}

/// A word that is a part of a link, at least from `from` to `to`.
struct Word<'a> {
    text: &'a str,
    from: usize,
    to: usize,
    target: &'a Url,
    site: &'a Url,
}

impl Word<'_> {
    fn misleads(&self) -> bool {
        if self.text.contains("<!") && self.is_linked(0, self.text.len()) {
            return true;
        }
        if let Some((start, end)) = self.ipv6() {
            return self.is_linked(start, end)
                && !self.leads_to(&format!("[{}]", &self.text[start..end]), None);
        }
        let mut at = 0;
        while let Some((start, end)) = self.next_name(at) {
            at = end;
            if self.is_called(start, end) && self.is_linked(start, end) {
                return true;
            }
            if let Some(authority_end) = self.authority(start, end) {
                let is_followed = self.text[authority_end..].starts_with(['/', '?', '#']);
                let whole = if is_followed { self.text.len() } else { authority_end };
                if !self.is_true_address(start, authority_end) {
                    if self.is_linked(start, whole) {
                        return true;
                    }
                } else if is_followed {
                    // The rest is a path on a server that is named truly.
                    return false;
                }
                at = authority_end;
                continue;
            }
            if self.is_linked(start, end) && self.is_other_issue(start, end) {
                return true;
            }
        }
        // `https://` and nothing else.
        self.text.ends_with("://") && self.is_linked(0, self.text.len())
    }

    /// Whether any of these bytes is a part of the label.
    fn is_linked(&self, start: usize, end: usize) -> bool {
        start < self.to && end > self.from
    }

    /// Where the next run of letters, digits, dots, hyphens and underscores is, without those at its ends.
    fn next_name(&self, at: usize) -> Option<(usize, usize)> {
        let start = at + self.text[at..].find(char::is_alphanumeric)?;
        let is_part = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '-' | '_');
        let length = self.text[start..].find(|letter| !is_part(letter)).unwrap_or(self.text.len() - start);
        let end = start + self.text[start..start + length].trim_end_matches(['.', '-', '_']).len();
        Some((start, end))
    }

    /// Where the server ends, with its port, if a name is one.
    fn authority(&self, start: usize, end: usize) -> Option<usize> {
        let (name, before, after) = (&self.text[start..end], &self.text[..start], &self.text[end..]);
        let is_after_slashes = before
            .strip_suffix("//")
            .is_some_and(|scheme| scheme.is_empty() || scheme.ends_with([':', '<', '(']));
        let is_after_scheme = ["http:", "https:"].iter().any(|scheme| before.eq_ignore_ascii_case(scheme));
        let port =
            after.strip_prefix(':').map_or(0, |rest| rest.bytes().take_while(u8::is_ascii_digit).count());
        let behind_port = if (1..=5).contains(&port) { end + 1 + port } else { end };
        let has_port_and_path = behind_port > end && self.text[behind_port..].starts_with('/');
        let is_server = is_after_slashes
            || is_after_scheme
            || is_domain(name) && !self.is_file(name, after)
            || is_ipv4(name)
            || name.eq_ignore_ascii_case("localhost")
            || has_port_and_path && name.contains(char::is_alphabetic);
        is_server.then_some(behind_port)
    }

    fn is_file(&self, name: &str, after: &str) -> bool {
        let Some((stem, ending)) = name.rsplit_once('.') else { return false };
        let is_one_of = |endings: &[&str]| endings.iter().any(|known| known.eq_ignore_ascii_case(ending));
        if is_one_of(&FILE_ENDINGS) {
            return !after.starts_with([':', '/']);
        }
        let last_of_target = self.target.path_segments().and_then(|mut segments| segments.next_back());
        is_one_of(&ENDINGS_OF_BOTH)
            && !stem.contains('.')
            && !after.starts_with([':', '/'])
            && last_of_target.is_some_and(|last| last.eq_ignore_ascii_case(name))
    }

    fn is_true_address(&self, start: usize, end: usize) -> bool {
        let (name, port) = match self.text[start..end].rsplit_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (&self.text[start..end], None),
        };
        !self.text[end..].starts_with('@') && self.leads_to(name, port)
    }

    fn leads_to(&self, server: &str, port: Option<&str>) -> bool {
        let Ok(named) = Url::parse(&format!("http://{server}/")) else { return false };
        let without_www = |url: &Url| {
            url.host_str().map(|host| host.trim_end_matches('.').trim_start_matches("www.").to_owned())
        };
        let is_port = |port: &str| port.parse().ok() == self.target.port_or_known_default();
        without_www(&named) == without_www(self.target)
            && port.is_none_or(is_port)
            && !is_of_mixed_scripts(server)
    }

    /// An address of version 6, in brackets or alone.
    fn ipv6(&self) -> Option<(usize, usize)> {
        let bracketed = self.text.find('[').and_then(|open| {
            let close = open + self.text[open..].find(']')?;
            Some((open + 1, close))
        });
        let alone = || {
            let is_outside = |letter: char| !letter.is_ascii_hexdigit() && letter != ':';
            let start = self.text.find(|letter| !is_outside(letter))?;
            let end = start + self.text[start..].trim_end_matches(is_outside).len();
            Some((start, end))
        };
        [bracketed, alone()].into_iter().flatten().find(|(start, end)| {
            let inside = &self.text[*start..*end];
            inside.bytes().any(|byte| byte.is_ascii_digit()) && inside.parse::<Ipv6Addr>().is_ok()
        })
    }

    /// Whether a name is an issue's key, in any case and script, and not that of an issue to which the link leads.
    fn is_other_issue(&self, start: usize, end: usize) -> bool {
        let name = &self.text[start..end];
        if !is_issue_key(name) {
            return false;
        }
        let is_on_site = self.target.origin() == self.site.origin();
        let address = self.target.as_str();
        let is_word_end =
            |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric() && letter != '-');
        let names_it =
            address.to_ascii_uppercase().match_indices(&name.to_ascii_uppercase()).any(|(at, found)| {
                is_word_end(address[..at].chars().next_back())
                    && is_word_end(address[at + found.len()..].chars().next())
            });
        !(is_on_site && names_it)
    }

    /// Whether a name is called as people and channels are: `@ada`, `ada@harbor.example`, `#docks`.
    fn is_called(&self, start: usize, end: usize) -> bool {
        let (name, before) = (&self.text[start..end], &self.text[..start]);
        // Versions and numbers: `react@18.2.0`, `#12`.
        if name.chars().all(|letter| letter.is_ascii_digit() || letter == '.') {
            return false;
        }
        match before.strip_suffix('#') {
            Some(before) => !before.ends_with(char::is_alphanumeric),
            None => before.ends_with('@'),
        }
    }
}

/// Whether a name has the form of a domain: several parts, of which the last may be a top-level domain.
fn is_domain(name: &str) -> bool {
    let Some((rest, top)) = name.rsplit_once('.') else { return false };
    if rest.is_empty() || name.contains("..") {
        return false;
    }
    let is_mixed = top.contains(|letter: char| letter.is_ascii()) && top.contains(is_east_asian);
    top.starts_with("xn--") || top.chars().count() >= 2 && top.chars().all(char::is_alphabetic) && !is_mixed
}

/// Chinese, Japanese and Korean letters: a sentence in them may end in a Latin word.
fn is_east_asian(letter: char) -> bool {
    matches!(letter, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}')
}

fn is_ipv4(name: &str) -> bool {
    let is_number = |part: &str| {
        let (digits, radix) = part.strip_prefix("0x").map_or((part, 10), |digits| (digits, 16));
        u32::from_str_radix(digits, radix).is_ok_and(|number| number < 256)
    };
    name.split('.').count() == 4 && name.split('.').all(is_number)
}

/// Whether Latin letters stand among letters that look like them. No honest name needs that.
fn is_of_mixed_scripts(server: &str) -> bool {
    let is_similar = |letter: char| matches!(letter, '\u{370}'..='\u{1fff}');
    server.contains(|letter: char| letter.is_ascii_alphabetic()) && server.contains(is_similar)
}

/// A key as Jira makes them, or what looks like one: of any script, and with `O` and `l` for digits.
fn is_issue_key(name: &str) -> bool {
    let Some((project, number)) = name.split_once('-') else { return false };
    let is_digit = |letter: char| letter.is_numeric() || matches!(letter, 'O' | 'o' | 'l' | 'I');
    project.chars().count() >= 2
        && project.starts_with(char::is_alphabetic)
        && project.chars().all(|letter| letter.is_alphanumeric() || letter == '_')
        && number.chars().all(is_digit)
        && number.contains(char::is_numeric)
        && !number.starts_with('0')
}
