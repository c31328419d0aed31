//! From a guest's reply to a [`Reply`]: bounded, with every id and key checked.

use std::sync::Arc;

use jiff::Timestamp;

use crate::{
    interface::bindings::maro::plugin::reply as wit,
    policy::{limits::Limits, manifest::Manifest},
    running::left_out::{LeftOut, MAX_COMMAND_LENGTH, MAX_LABEL_LENGTH, MAX_QUESTION_LENGTH, Mistake},
};
use maro_domain::{
    ids::UserId,
    issue::{IssueKey, one_line},
    reply::{
        Block, Button, ButtonKind, Item, MAX_CONFIRMED_COMMAND, Maker, Reply, Span, TimeForm, Visibility,
    },
};
use maro_texts as texts;

/// The most blocks, lines and spans of one reply, together.
const MAX_PARTS: usize = 20_000;

/// The last moment that is shown as a date, in seconds: the end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// What a date counts for, in bytes: about what it becomes.
const DATE_BYTES: usize = 64;

/// A reply beyond the plugin's limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ReplyError {
    #[error("{}", texts::plugins::faults::reply_over_limit(*.limit_kib))]
    TooLarge { limit_kib: u32 },
    #[error("{}", texts::plugins::faults::reply_of_too_many_parts(MAX_PARTS))]
    TooManyParts,
}

/// Turns a guest's reply into the host's.
///
/// An invalid key or user id is shown as text: a small mistake shouldn't cost the whole answer. The log has them.
///
/// # Errors
/// More text or parts than the limits allow.
pub(super) fn convert(
    reply: wit::Reply,
    manifest: &Manifest,
    subcommand: &Arc<str>,
) -> Result<Reply, ReplyError> {
    let (reply, left_out) = convert_counting(reply, manifest, subcommand)?;
    for sentence in left_out.sentences() {
        tracing::info!(plugin = &**subcommand, "in a reply, {sentence}");
    }
    Ok(reply)
}

fn convert_counting(
    reply: wit::Reply,
    manifest: &Manifest,
    subcommand: &Arc<str>,
) -> Result<(Reply, LeftOut), ReplyError> {
    let limits = &manifest.limits;
    let mut budget = Budget {
        bytes: limits.reply_kib as usize * 1024,
        parts: MAX_PARTS,
        limit_kib: limits.reply_kib,
        subcommand,
        manifest,
        left_out: LeftOut::default(),
    };
    let visibility = match reply.visibility {
        wit::Visibility::Caller => Visibility::Caller,
        wit::Visibility::Channel => Visibility::Channel,
        wit::Visibility::Update => Visibility::Update,
    };
    let blocks = reply.blocks.into_iter().map(|block| budget.block(block)).collect::<Result<_, _>>()?;
    Ok((Reply { visibility, blocks }, budget.left_out))
}

struct Budget<'a> {
    bytes: usize,
    parts: usize,
    limit_kib: u32,
    /// The subcommand that answers.
    subcommand: &'a Arc<str>,
    manifest: &'a Manifest,
    left_out: LeftOut,
}

impl Budget<'_> {
    fn block(&mut self, block: wit::Block) -> Result<Block, ReplyError> {
        self.spend(0)?;
        Ok(match block {
            wit::Block::Paragraph(spans) => Block::Paragraph(self.spans(spans)?),
            wit::Block::Items(items) => {
                Block::Items(items.into_iter().map(|item| self.item(item)).collect::<Result<_, _>>()?)
            }
            wit::Block::Lines(lines) => Block::Lines(self.lines(lines)?),
            wit::Block::Buttons(buttons) => {
                let buttons = buttons.into_iter().map(|button| self.button(button));
                let buttons: Vec<_> = buttons.collect::<Result<_, _>>()?;
                Block::Buttons(buttons.into_iter().flatten().collect())
            }
        })
    }

    fn item(&mut self, item: wit::Item) -> Result<Item, ReplyError> {
        let spans = self.spans(item.spans)?;
        let button = item.button.map(|button| self.button(button)).transpose()?;
        Ok(Item { spans, button: button.flatten() })
    }

    /// `None` for a button that couldn't be pressed: the text stays without it.
    fn button(&mut self, button: wit::Button) -> Result<Option<Button>, ReplyError> {
        let question = button.confirm.as_deref().unwrap_or_default();
        self.spend(button.label.len() + button.command.len() + question.len())?;
        self.left_out.buttons += 1;
        if question.chars().count() > MAX_QUESTION_LENGTH {
            self.left_out.note(Mistake::LongQuestion);
        }
        if button.label.chars().count() > MAX_LABEL_LENGTH {
            self.left_out.note(Mistake::LongLabel);
        }
        let question = Some(one_line(question, MAX_QUESTION_LENGTH)).filter(|question| !question.is_empty());
        // It may be written as people type it, with `/maro`.
        let trimmed = button.command.trim_start();
        let command = match trimmed.strip_prefix("/maro ") {
            None if trimmed.len() == button.command.len() => {
                into_one_line(button.command, MAX_COMMAND_LENGTH + 1)
            }
            rest => one_line(rest.unwrap_or(trimmed), MAX_COMMAND_LENGTH + 1),
        };
        let label = into_one_line(button.label, MAX_LABEL_LENGTH);
        let is_short = command.len() <= MAX_COMMAND_LENGTH || command.chars().count() <= MAX_COMMAND_LENGTH;
        let name = command.split_whitespace().next().unwrap_or_default();
        let is_confirmed_first = !self.manifest.lets_buttons_run(self.subcommand, name);
        let mistake = match () {
            () if command.is_empty() || label.is_empty() => Some(Mistake::UnlabelledButton),
            () if !is_short => Some(Mistake::LongCommand),
            () if is_confirmed_first && !can_be_confirmed(&command) => Some(Mistake::UnaskableCommand),
            () => None,
        };
        if let Some(mistake) = mistake {
            self.left_out.note(mistake);
            return Ok(None);
        }
        let kind = if name == &**self.subcommand { ButtonKind::TurnsPage } else { ButtonKind::Runs };
        let maker = Maker::Plugin(Arc::clone(self.subcommand));
        Ok(Some(Button { label, command, kind, maker, question, is_confirmed_first }))
    }

    fn lines(&mut self, lines: Vec<Vec<wit::Span>>) -> Result<Vec<Vec<Span>>, ReplyError> {
        lines.into_iter().map(|spans| self.spans(spans)).collect()
    }

    fn spans(&mut self, spans: Vec<wit::Span>) -> Result<Vec<Span>, ReplyError> {
        self.spend(0)?;
        spans.into_iter().map(|span| self.span(span)).collect()
    }

    fn span(&mut self, span: wit::Span) -> Result<Span, ReplyError> {
        let (length, span) = match span {
            wit::Span::Text(text) => (text.len(), Span::Text(text)),
            wit::Span::Strong(text) => (text.len(), Span::Strong(text)),
            wit::Span::Code(text) => (text.len(), Span::Code(text)),
            wit::Span::Link(link) => {
                (link.url.len() + link.label.len(), Span::Link { url: link.url, label: link.label })
            }
            wit::Span::Issue(key) => match IssueKey::parse(&key) {
                Ok(issue) => (key.len(), Span::Issue(issue)),
                Err(_) => {
                    self.left_out.note(Mistake::NoKey);
                    (key.len(), Span::Text(key))
                }
            },
            wit::Span::Channel => (0, Span::Channel),
            wit::Span::Caller => (0, Span::Caller),
            wit::Span::User(id) => match UserId::parse(&id) {
                Ok(user) => (id.len(), Span::User(user)),
                Err(_) => {
                    self.left_out.note(Mistake::NoPerson);
                    (id.len(), Span::Text(id))
                }
            },
            wit::Span::Date(date) => (DATE_BYTES, self.moment(&date)),
        };
        self.spend(length)?;
        Ok(span)
    }

    /// A date, or its number if there is no such date.
    fn moment(&mut self, date: &wit::Date) -> Span {
        let form = match date.format {
            wit::DateFormat::Day => TimeForm::Day,
            wit::DateFormat::Time => TimeForm::Clock,
            wit::DateFormat::DayAndTime => TimeForm::DayAndClock,
            wit::DateFormat::Ago => TimeForm::Ago,
        };
        let seconds = Some(date.seconds).filter(|seconds| *seconds <= LAST_SECOND);
        let at = seconds.and_then(|seconds| Timestamp::from_second(i64::try_from(seconds).ok()?).ok());
        at.map_or_else(
            || {
                self.left_out.note(Mistake::NoDate);
                Span::Text(date.seconds.to_string())
            },
            |at| Span::Time { at, form },
        )
    }

    fn spend(&mut self, bytes: usize) -> Result<(), ReplyError> {
        self.parts = self.parts.checked_sub(1).ok_or(ReplyError::TooManyParts)?;
        self.bytes =
            self.bytes.checked_sub(bytes).ok_or(ReplyError::TooLarge { limit_kib: self.limit_kib })?;
        Ok(())
    }
}

/// As [`one_line`], without a copy of what is one line already, as nearly all is.
fn into_one_line(text: String, max_length: usize) -> String {
    let mut before = b' ';
    let is_one_line = text.len() <= max_length
        && text.bytes().all(|byte| {
            let fits = byte.is_ascii_graphic() || byte == b' ' && before != b' ';
            before = byte;
            fits
        });
    if is_one_line && before != b' ' { text } else { one_line(&text, max_length) }
}

/// Whether Slack's dialog can show the whole of a command as it is.
fn can_be_confirmed(command: &str) -> bool {
    let is_invisible = |letter: char| {
        matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
    };
    command.encode_utf16().count() <= MAX_CONFIRMED_COMMAND && !command.chars().any(is_invisible)
}

/// Checks a sentence that is the whole reply.
///
/// # Errors
/// It is longer than the limits allow.
pub(super) fn check_sentence(sentence: &str, limits: &Limits) -> Result<(), ReplyError> {
    let limit_kib = limits.reply_kib;
    if sentence.len() > limit_kib as usize * 1024 { Err(ReplyError::TooLarge { limit_kib }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(spans: Vec<wit::Span>) -> wit::Reply {
        wit::Reply { visibility: wit::Visibility::Caller, blocks: vec![wit::Block::Paragraph(spans)] }
    }

    #[test]
    fn what_is_one_line_already_is_the_same_as_what_becomes_one() {
        let texts = [
            "",
            " ",
            "a",
            "untrack SCRUM-1",
            " a",
            "a ",
            "a  b",
            "a\tb",
            "a\u{202e}b",
            "é",
            "12345678",
            "123456789",
        ];
        for text in texts {
            assert_eq!(into_one_line(text.to_owned(), 15), one_line(text, 15), "{text:?}");
            assert_eq!(into_one_line(text.to_owned(), 8), one_line(text, 8), "{text:?}");
        }
    }

    #[test]
    fn a_made_up_key_or_user_is_text() {
        let converted = convert(
            reply(vec![
                wit::Span::Issue("SCRUM-1".to_owned()),
                wit::Span::Issue("x|<!channel>".to_owned()),
                wit::Span::User("U1> <!here".to_owned()),
            ]),
            &Manifest::default(),
            &"tracked".into(),
        )
        .unwrap();
        let expected = vec![
            Span::Issue(IssueKey::parse("SCRUM-1").unwrap()),
            Span::Text("x|<!channel>".to_owned()),
            Span::Text("U1> <!here".to_owned()),
        ];
        assert_eq!(converted.blocks, [Block::Paragraph(expected)]);
    }

    #[test]
    fn a_button_may_name_its_command_as_people_type_it() {
        let button = |command: &str| wit::Button {
            label: "Next".to_owned(),
            command: command.to_owned(),
            confirm: None,
        };
        let buttons = vec![button("tracked 2"), button(" /maro tracked 2")];
        let reply =
            wit::Reply { visibility: wit::Visibility::Caller, blocks: vec![wit::Block::Buttons(buttons)] };
        let converted = convert(reply, &Manifest::default(), &"tracked".into()).unwrap();
        let expected = Button {
            label: "Next".to_owned(),
            command: "tracked 2".to_owned(),
            kind: ButtonKind::TurnsPage,
            maker: Maker::Plugin("tracked".into()),
            question: None,
            is_confirmed_first: false,
        };
        assert_eq!(converted.blocks, [Block::Buttons(vec![expected.clone(), expected])]);
    }

    #[test]
    fn a_command_of_another_is_shown_whole_before_it_runs() {
        let manifest = Manifest { buttons: vec!["untrack".to_owned()], ..Manifest::default() };
        let confirmed = |command: &str| {
            let button = wit::Button { label: "Go".to_owned(), command: command.to_owned(), confirm: None };
            let blocks = vec![wit::Block::Buttons(vec![button])];
            let reply = wit::Reply { visibility: wit::Visibility::Caller, blocks };
            let converted = convert(reply, &manifest, &"tracked".into()).unwrap();
            let [Block::Buttons(buttons)] = &converted.blocks[..] else { panic!("one row") };
            buttons.first().map(|button| button.is_confirmed_first)
        };
        for own in ["tracked 2", "TRACKED", "untrack A-1", "/maro Untrack A-1"] {
            assert_eq!(confirmed(own), Some(false), "{own}");
        }
        for other in
            ["track A-1", "stories A-1", "untracked", "create", &format!("track {}", "x".repeat(288))]
        {
            assert_eq!(confirmed(other), Some(true), "{other}");
        }
        for hidden in [format!("track {}", "x".repeat(289)), "track\u{200b} A-1".to_owned()] {
            assert_eq!(confirmed(&hidden), None, "{hidden}");
        }
    }

    #[test]
    fn what_is_not_shown_as_it_was_written_is_told_once_for_each_kind() {
        let button = |label: &str, command: &str, confirm: &str| wit::Button {
            label: label.to_owned(),
            command: command.to_owned(),
            confirm: Some(confirm.to_owned()),
        };
        let (long, spans) = ("x".repeat(1_001), |span| wit::Block::Paragraph(vec![span]));
        let buttons = vec![
            button("Go", "tracked 2", ""),
            button(" ", "tracked 2", ""),
            button("Go", "", ""),
            button("Go", &long, ""),
            button("Go", "track\u{200b} A-1", ""),
            button(&long, "tracked 2", &long),
        ];
        let date = wit::Date { seconds: u64::MAX, format: wit::DateFormat::Day };
        let blocks = vec![
            wit::Block::Buttons(buttons),
            spans(wit::Span::Issue("no key".to_owned())),
            spans(wit::Span::User("nobody!".to_owned())),
            spans(wit::Span::Date(date)),
        ];
        let reply = wit::Reply { visibility: wit::Visibility::Caller, blocks };
        let (_, left_out) = convert_counting(reply, &Manifest::default(), &"tracked".into()).unwrap();
        let expected = [
            "2 of 6 buttons aren't shown: each needs a label and a command",
            "1 of 6 buttons isn't shown: a command has 1000 characters at most",
            "1 of 6 buttons isn't shown: the command of another plugin has 294 characters at most, and none that are \
             invisible",
            "1 button's label was cut to 75 characters",
            "1 question before a press was cut to 200 characters",
            "1 issue was shown as text: it isn't an issue's key",
            "1 person was shown as text: it isn't a person's id",
            "1 date was shown as a number: it's after the year 9999",
        ];
        assert_eq!(left_out.sentences().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_reply_is_bounded_in_text_and_parts() {
        let limits = Limits { reply_kib: 1, ..Limits::default() };
        let manifest = Manifest { limits, ..Manifest::default() };
        let name: Arc<str> = "tracked".into();
        assert!(convert(reply(vec![wit::Span::Text("x".repeat(1024))]), &manifest, &name).is_ok());
        assert_eq!(
            convert(reply(vec![wit::Span::Text("x".repeat(1025))]), &manifest, &name),
            Err(ReplyError::TooLarge { limit_kib: 1 })
        );
        assert_eq!(
            convert(reply(vec![wit::Span::Caller; MAX_PARTS]), &manifest, &name),
            Err(ReplyError::TooManyParts)
        );
    }
}
