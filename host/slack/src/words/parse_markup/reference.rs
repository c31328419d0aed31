//! What is between `<` and `>`: links, people, channels, groups, dates.

use url::Url;

use crate::words::parse_markup::source::Source;

/// Something that Slack's markup refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reference {
    Link {
        url: String,
        label: String,
    },
    /// Where only some program can go, such as `tel:+4670123`. Nothing makes a link of it.
    Address {
        url: String,
        label: String,
    },
    /// Somebody or something whose name Slack didn't write, and the sign before the name.
    Nameless {
        id: String,
        sign: char,
    },
    /// Anybody or anything else, as text.
    Mention(String),
}

impl Reference {
    /// Reads the inside of `<…>`. `None` if Slack wouldn't write it.
    fn parse(inside: &str, source: Source) -> Option<Self> {
        let (target, label) = match inside.split_once('|') {
            Some((target, label)) => (target, Some(label).filter(|label| !label.trim().is_empty())),
            None => (inside, None),
        };
        let (sign, name) = target.split_at_checked(1)?;
        let decode = |text: &str| source.decode(text);
        let label_of = |label: &str| decode(without_emphasis(label));
        let with_sign = |sign: &str, name: &str| format!("{sign}{}", decode(name).trim_start_matches(sign));
        match sign {
            "@" | "#" if is_id(name) => Some(match label {
                Some(label) => Self::Mention(with_sign(sign, label)),
                None => Self::Nameless { id: name.to_owned(), sign: if sign == "@" { '@' } else { '#' } },
            }),
            "!" if label.is_none() && name.strip_prefix(GROUP).is_some_and(is_id) => {
                Some(Self::Nameless { id: name.to_owned(), sign: '@' })
            }
            // `!here`, `!subteam^S1|@group`, `!date^1392734382^{date}|a day`.
            "!" if name.starts_with(|first: char| first.is_ascii_lowercase()) => {
                let of_date = |label: &str| name.starts_with("date^").then(|| decode(label));
                let text = label.and_then(of_date);
                Some(Self::Mention(text.unwrap_or_else(|| with_sign("@", label.unwrap_or(name)))))
            }
            _ => Self::link(&decode(target), label.map(label_of)).or_else(|| {
                // What people type between brackets is theirs. In a message it is Slack's.
                (source == Source::Message).then(|| Self::other(&decode(target), label.map(label_of)))?
            }),
        }
    }

    /// What apps write that isn't a link: `<tel:+4670123>`, `<wiki.example|Runbook>`, `<@grace>`.
    fn other(target: &str, label: Option<String>) -> Option<Self> {
        if target.contains(char::is_whitespace) {
            return None;
        }
        let is_name = target.len() > 1 && target.starts_with(['@', '#']);
        let url = target.to_owned();
        match label {
            Some(label) => Some(Self::Address { url, label }),
            None if is_name => Some(Self::Mention(url)),
            None => Url::parse(target).is_ok().then(|| Self::Address { label: url.clone(), url }),
        }
    }

    fn link(target: &str, label: Option<String>) -> Option<Self> {
        let url = Url::parse(target).ok()?;
        if !matches!(url.scheme(), "http" | "https" | "mailto") || target.contains(char::is_whitespace) {
            return None;
        }
        let shown = target.strip_prefix("mailto:").unwrap_or(target);
        Some(Self::Link { url: target.to_owned(), label: label.unwrap_or_else(|| shown.to_owned()) })
    }

    /// As plain text, where links aren't possible. If the label is the end of the address, as when Slack
    /// links a typed `example.com`, the label is enough. Any other would hide the address.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Link { url, label } | Self::Address { url, label } if url.ends_with(&label) => label,
            Self::Link { url, label } | Self::Address { url, label } => format!("{label} ({url})"),
            Self::Nameless { id, sign } => format!("{sign}{}", id.trim_start_matches(GROUP)),
            Self::Mention(text) => text,
        }
    }
}

/// A label without the emphasis that is around all of it: `<https://x.example|*Down*>` is how apps write a bold link.
fn without_emphasis(label: &str) -> &str {
    let mut label = label.trim();
    for marker in ['*', '_', '~', '`', '*'] {
        let inner = label.strip_prefix(marker).and_then(|rest| rest.strip_suffix(marker));
        let inner = inner.filter(|inner| !inner.contains(marker) && !inner.trim().is_empty());
        label = inner.unwrap_or(label);
    }
    label
}

/// What comes before the id of a user group.
const GROUP: &str = "subteam^";

fn is_id(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// The reference at the start of `text`, and its length in bytes.
pub(super) fn at_start(text: &str, source: Source) -> Option<(Reference, usize)> {
    let inside = text.strip_prefix('<')?;
    // The inside contains no other `<`, so each character is looked at for only one `<`.
    let end = inside.find(['<', '>', '\n'])?;
    if inside.as_bytes()[end] != b'>' {
        return None;
    }
    Some((Reference::parse(&inside[..end], source)?, end + 2))
}

/// A message with some references written in another way, and everything else as it is.
pub(super) fn rewrite(text: &str, mut rewritten: impl FnMut(Reference) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find('<') {
        out.push_str(&rest[..position]);
        rest = &rest[position..];
        let (reference, length) = at_start(rest, Source::Message)
            .map_or((None, 1), |(reference, length)| (Some(reference), length));
        match reference.and_then(&mut rewritten) {
            Some(written) => out.push_str(&written),
            None => out.push_str(&rest[..length]),
        }
        rest = &rest[length..];
    }
    out + rest
}

/// The text with each reference replaced, and entities decoded.
pub(super) fn replace(text: &str, source: Source, mut shown: impl FnMut(Reference) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(position) = rest.find('<') {
        out.push_str(&source.decode(&rest[..position]));
        rest = &rest[position..];
        if let Some((reference, length)) = at_start(rest, source) {
            out.push_str(&shown(reference));
            rest = &rest[length..];
        } else {
            out.push('<');
            rest = &rest[1..];
        }
    }
    out.push_str(&source.decode(rest));
    out
}
