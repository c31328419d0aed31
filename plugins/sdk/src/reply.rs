//! Building replies: structure, not markup, so that no text can mention, link or format anything.
//!
//! ```
//! use maro_plugin::{Reply, reply, spans};
//!
//! let reply = Reply::to_channel()
//!     .paragraph(spans!["Ready for review in ", reply::channel(), ":"])
//!     .items([spans![reply::issue("SCRUM-1"), ": Sign-up form"]]);
//! assert_eq!(reply.preview(), "Ready for review in #channel:\n• SCRUM-1: Sign-up form");
//! ```

use std::borrow::Cow;

pub use crate::bindings::maro::plugin::reply::{
    Block, Button, Date, DateFormat, Item, Link, Reply, Span, Visibility,
};

/// The longest summary to show, in characters.
const SUMMARY_LENGTH: usize = 80;

/// The spans of a line or paragraph.
pub type Line = Vec<Span>;

/// Makes the spans of a line from texts and spans: `spans!["See ", issue(key), "."]`.
#[macro_export]
macro_rules! spans {
    ($($part:expr),* $(,)?) => {
        ::std::vec![$($crate::reply::Span::from($part)),*]
    };
}

impl Reply {
    /// A reply that only the person who typed the command sees. The usual choice.
    pub fn to_caller() -> Self {
        Self { visibility: Visibility::Caller, blocks: Vec::new() }
    }

    /// A reply that everyone in the channel sees, for changes to what the channel shares.
    pub fn to_channel() -> Self {
        Self { visibility: Visibility::Channel, blocks: Vec::new() }
    }

    /// As [`Reply::to_channel`], but if the command came from a button of a message of this plugin that everyone
    /// sees, it takes that message's place.
    pub fn to_update() -> Self {
        Self { visibility: Visibility::Update, blocks: Vec::new() }
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn paragraph(mut self, line: Line) -> Self {
        self.blocks.push(Block::Paragraph(line));
        self
    }

    /// Adds a bulleted list of lines, or of [`Item`]s with a button each.
    #[must_use]
    pub fn items<I: Into<Item>>(mut self, items: impl IntoIterator<Item = I>) -> Self {
        self.blocks.push(Block::Items(items.into_iter().map(Into::into).collect()));
        self
    }

    /// Adds lines that belong together, without bullets.
    #[must_use]
    pub fn lines(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.blocks.push(Block::Lines(lines.into_iter().collect()));
        self
    }

    /// Adds a row of at most 25 buttons. See [`button`].
    #[must_use]
    pub fn buttons(mut self, buttons: impl IntoIterator<Item = Button>) -> Self {
        self.blocks.push(Block::Buttons(buttons.into_iter().collect()));
        self
    }

    /// The reply's text, roughly as Slack shows it, for tests: keys and labels without their links, code in
    /// backticks, `[label]` for a button, and `#channel` and `@caller` for what only the host knows.
    pub fn preview(&self) -> String {
        let mut lines = Vec::new();
        for block in &self.blocks {
            match block {
                Block::Paragraph(line) => lines.push(preview(line)),
                Block::Items(items) => lines.extend(items.iter().map(preview_item)),
                Block::Lines(group) => lines.extend(group.iter().map(|line| preview(line))),
                Block::Buttons(buttons) => {
                    lines.push(buttons.iter().map(preview_button).collect::<Vec<_>>().join(" "));
                }
            }
        }
        lines.join("\n")
    }
}

impl Item {
    /// An item with a button. See [`button`].
    #[must_use]
    pub fn with_button(line: Line, button: Button) -> Self {
        Self { spans: line, button: Some(button) }
    }
}

impl From<Line> for Item {
    fn from(line: Line) -> Self {
        Self { spans: line, button: None }
    }
}

impl From<&str> for Span {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Span {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Span {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Cow<'_, str>> for Span {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Text(text.into_owned())
    }
}

/// The key, linked to the issue on the configured Jira site.
pub fn issue(key: impl Into<String>) -> Span {
    Span::Issue(key.into())
}

/// The channel in which the command was typed.
pub fn channel() -> Span {
    Span::Channel
}

/// The person who typed the command.
pub fn caller() -> Span {
    Span::Caller
}

/// Another person, by Slack user id.
pub fn user(id: impl Into<String>) -> Span {
    Span::User(id.into())
}

/// Text in a fixed-width font: what to type, or what was typed.
pub fn code(text: impl Into<String>) -> Span {
    Span::Code(text.into())
}

/// Bold text.
pub fn strong(text: impl Into<String>) -> Span {
    Span::Strong(text.into())
}

/// A link. Only `http` and `https` URLs become links; for others only the label is shown.
pub fn link(url: impl Into<String>, label: impl Into<String>) -> Span {
    Span::Link(Link { url: url.into(), label: label.into() })
}

/// A button that runs `/maro command` as the person who presses it: `button("Next page", "tracked 2")`.
pub fn button(label: impl Into<String>, command: impl Into<String>) -> Button {
    Button { label: label.into(), command: command.into(), confirm: None }
}

impl Button {
    /// With a question that Slack asks before the press counts: `Delete the rota?` At most 200 characters.
    #[must_use]
    pub fn asking(self, question: impl Into<String>) -> Self {
        Self { confirm: Some(question.into()), ..self }
    }
}

/// A moment, in seconds since 1970, shown to each reader in their own time zone.
pub fn date(seconds: u64, format: DateFormat) -> Span {
    Span::Date(Date { seconds, format })
}

/// An issue in a few words, to put after its key: `: User authentication flow (Open)`. The summary is cut at
/// 80 characters. Empty parts are left out.
pub fn details(summary: &str, status: &str) -> Span {
    let summary = shorten(summary, SUMMARY_LENGTH);
    let colon = if summary.is_empty() { "" } else { ": " };
    let (open, close) = if status.is_empty() { ("", "") } else { (" (", ")") };
    Span::Text([colon, &summary, open, status, close].concat())
}

/// That an issue has another key than the one it was asked for by: `SCRUM-149 is now OPS-1`.
pub fn moved(from: &str, to: &str) -> Line {
    spans![issue(from), " is now ", issue(to)]
}

/// At most `max_length` characters of `text`, ending in `…` if anything was cut.
pub fn shorten(text: &str, max_length: usize) -> Cow<'_, str> {
    // A character has at least one byte, so a short text doesn't need counting.
    if text.len() <= max_length || text.chars().nth(max_length).is_none() {
        return Cow::Borrowed(text);
    }
    let mut short: String = text.chars().take(max_length.saturating_sub(1)).collect();
    if max_length > 0 {
        short.push('…');
    }
    Cow::Owned(short)
}

fn preview(line: &[Span]) -> String {
    let mut text = String::new();
    for span in line {
        match span {
            Span::Text(part) | Span::Strong(part) | Span::Issue(part) => text.push_str(part),
            Span::Code(part) => text.extend(["`", part, "`"]),
            Span::Link(link) => text.push_str(&link.label),
            Span::Channel => text.push_str("#channel"),
            Span::Caller => text.push_str("@caller"),
            Span::User(id) => text.extend(["@", id]),
            Span::Date(date) => text.push_str(&preview_date(date)),
        }
    }
    text
}

/// In UTC: `2026-01-31 09:30 UTC`.
fn preview_date(date: &Date) -> String {
    let (days, seconds) = (date.seconds / 86_400, date.seconds % 86_400);
    let time = format!("{:02}:{:02} UTC", seconds / 3_600, seconds / 60 % 60);
    // Counted from 1 March of the year 0, so that the day that not every year has is the last.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let day = format!("{year:04}-{month:02}-{day:02}");
    match date.format {
        DateFormat::Day => day,
        DateFormat::Time => time,
        DateFormat::DayAndTime | DateFormat::Ago => format!("{day} {time}"),
    }
}

fn preview_item(item: &Item) -> String {
    let button = item.button.as_ref().map(|button| [" ", &preview_button(button)].concat());
    ["• ", &preview(&item.spans), &button.unwrap_or_default()].concat()
}

fn preview_button(button: &Button) -> String {
    ["[", &button.label, "]"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_reads_as_it_is_built() {
        let reply = Reply::to_caller()
            .paragraph(spans!["In ", channel(), " for ", caller(), " and ", user("U2"), ":"])
            .items([
                Item::with_button(spans![issue("A-1"), String::from(": first")], button("Drop", "drop A-1")),
                spans![strong("second")].into(),
            ])
            .lines([
                spans!["See ", link("https://example.com", "there")],
                spans!["Type ", code("/maro help")],
            ])
            .buttons([button("Back", "list 1"), button("Next", "list 3")]);
        assert_eq!(reply.visibility, Visibility::Caller);
        assert_eq!(
            reply.preview(),
            "In #channel for @caller and @U2:\n• A-1: first [Drop]\n• second\nSee there\nType `/maro help`\n\
             [Back] [Next]"
        );
        assert_eq!(Reply::to_channel().visibility, Visibility::Channel);
    }

    #[test]
    fn a_date_is_previewed_in_utc() {
        for (seconds, expected) in [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_399, "2000-02-28 23:59 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (1_769_851_800, "2026-01-31 09:30 UTC"),
            (253_402_300_799, "9999-12-31 23:59 UTC"),
        ] {
            let line = spans![date(seconds, DateFormat::DayAndTime)];
            assert_eq!(Reply::to_update().paragraph(line).preview(), expected);
        }
        assert_eq!(preview(&spans![date(1_769_851_800, DateFormat::Day)]), "2026-01-31");
        assert_eq!(preview(&spans![date(1_769_851_800, DateFormat::Time)]), "09:30 UTC");
        let button = button("Delete", "rota delete").asking("Delete the rota?");
        assert_eq!(button.confirm.as_deref(), Some("Delete the rota?"));
    }

    #[test]
    fn details_leave_out_what_is_empty() {
        assert_eq!(details("Sign-up form", "Open"), Span::from(": Sign-up form (Open)"));
        assert_eq!(details("Sign-up form", ""), Span::from(": Sign-up form"));
        assert_eq!(details("", "Open"), Span::from(" (Open)"));
        assert_eq!(details("", ""), Span::from(""));
        let Span::Text(long) = details(&"é".repeat(255), "") else { panic!("details are text") };
        assert_eq!(long.chars().count(), 2 + 80);
    }

    #[test]
    fn a_shortened_text_never_exceeds_its_limit() {
        assert_eq!(shorten("abcdef", 6), "abcdef");
        assert_eq!(shorten("abcdefg", 6), "abcde…");
        assert_eq!(shorten("éééé", 4), "éééé");
        assert_eq!(shorten("ééééé", 4), "ééé…");
        assert_eq!(shorten("ab", 1), "…");
        assert_eq!(shorten("ab", 0), "");
        assert_eq!(shorten("", 0), "");
    }
}
