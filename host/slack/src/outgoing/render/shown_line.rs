//! What people see of a line's spans.

use std::ops::Range;

use jiff::Timestamp;

use crate::outgoing::link_label;
use maro_domain::reply::{Span, TimeForm};

/// What is shown of a link. Without a label it's the address.
pub(super) fn link_label(span: &Span) -> &str {
    match span {
        Span::Link { url, label } if link_label::is_invisible(label) => url,
        Span::Link { label, .. } => label,
        _ => "",
    }
}

/// A line as people see it, and where each span is in it.
pub(super) fn as_shown(spans: &[Span]) -> (String, Vec<Range<usize>>) {
    let mut shown = String::new();
    let places = spans.iter().map(|span| {
        let start = shown.len();
        match span {
            Span::Text(text) | Span::Strong(text) | Span::Code(text) => shown.push_str(text),
            Span::Link { .. } => shown.push_str(link_label(span)),
            Span::Issue(key) => shown.push_str(key.as_str()),
            // A name that isn't known here.
            Span::Channel | Span::InChannel(_) | Span::Caller | Span::User(_) | Span::Time { .. } => {
                shown.push('…')
            }
        }
        start..shown.len()
    });
    let places = places.collect();
    (shown, places)
}

/// A time in Slack's markup, which Slack writes for each reader. What stands behind the bar is for readers elsewhere.
pub(super) fn time(at: Timestamp, form: TimeForm) -> String {
    let (token, elsewhere) = match form {
        TimeForm::Day => ("{date_short}", "%b %-d, %Y"),
        TimeForm::Clock => ("{time}", "%H:%M UTC"),
        TimeForm::DayAndClock => ("{date_short} {time}", "%b %-d, %Y %H:%M UTC"),
        TimeForm::Ago => ("{ago}", "%b %-d, %Y %H:%M UTC"),
    };
    format!("<!date^{}^{token}|{}>", at.as_second(), at.strftime(elsewhere))
}
