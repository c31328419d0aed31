//! The messages: what they say, and the buttons below them.

use jiff::tz::TimeZone;

use crate::{
    change::{Change, add},
    digests::content::{DIGEST_LINES, Digest},
};
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{Issue, IssueKey},
    reply::{Block, Button, ButtonKind, Maker, Reply, Span, Visibility},
};
use maro_slack::{outgoing::message::Message, outgoing::render::Renderer};
use maro_store::notices::{Kind, Mode, Part, Told};
use maro_texts::notices as texts;

/// How many issues a message about many shows.
const MAX_LINES: usize = 20;

/// Writes messages for one channel.
pub(crate) struct Messages<'a> {
    pub(crate) renderer: &'a Renderer,
    pub(crate) channel: &'a ChannelId,
    /// Whether people of other organizations may be there, who don't read who is at an issue.
    pub(crate) is_shared: bool,
}

impl Messages<'_> {
    pub(crate) fn introduction(&self) -> Message {
        let button = Block::Buttons(vec![mode_button(texts::TURN_ON, Mode::Status)]);
        self.message(vec![Block::Paragraph(texts::introduction()), button])
    }

    /// A thread's head line, which says what the issue is now.
    pub(crate) fn head(&self, issue: &Issue) -> Message {
        self.message(vec![Block::Paragraph(texts::head(&issue.key, &issue.summary, &issue.status))])
    }

    /// What changed of an issue, a line each. `has_choice`: with the buttons below the first notice of a channel.
    pub(crate) fn change(&self, issue: &Issue, parts: &[Part], has_choice: bool) -> Message {
        let mut blocks = vec![Block::Lines(self.lines(&issue.key, parts).collect())];
        if has_choice {
            blocks.push(choice());
        }
        self.message(blocks)
    }

    /// A new message about all of these.
    pub(crate) fn many(&self, changes: &[Change<'_>]) -> Message {
        self.many_told(changes.iter().flat_map(Change::told).collect(), changes)
    }

    /// All that a message tells, `changes` among it.
    pub(crate) fn many_told(&self, all: Vec<Told>, changes: &[Change<'_>]) -> Message {
        let mut told: Vec<(IssueKey, Vec<Part>)> = Vec::new();
        for Told { key, part } in all {
            match told.iter_mut().find(|(known, _)| *known == key) {
                Some((_, parts)) => add(parts, part),
                None => told.push((key, vec![part])),
            }
        }
        for change in changes {
            for (_, parts) in told.iter_mut().filter(|(key, _)| *key == change.issue.key) {
                change.catch_up(parts);
            }
        }
        let lines: Vec<_> = told.iter().flat_map(|(key, parts)| self.lines(key, parts)).collect();
        let mut blocks = vec![Block::Paragraph(texts::many(told.len(), is_about_statuses(&told)))];
        blocks.push(Block::items(lines.iter().take(MAX_LINES).cloned()));
        if lines.len() > MAX_LINES {
            blocks.push(Block::Paragraph(texts::more(lines.len() - MAX_LINES)));
        }
        blocks.push(choice());
        self.message(blocks)
    }

    /// By status, each change with who made it and since when the issue has the status, in `zone`.
    pub(crate) fn digest(&self, digest: &Digest<'_>, zone: &TimeZone) -> Message {
        // With long summaries it has fewer lines: what is too long for blocks has no button either.
        DIGEST_LINES
            .into_iter()
            .map(|most| self.digest_within(digest, zone, most))
            .find(Message::has_blocks)
            .unwrap_or_else(|| self.digest_within(digest, zone, 1))
    }

    /// At most so many of its changes, and of its finished issues.
    fn digest_within(&self, digest: &Digest<'_>, zone: &TimeZone, most: usize) -> Message {
        let mut blocks = Vec::new();
        let count = digest.len();
        if count > 0 {
            blocks.push(Block::Paragraph(texts::many(count, true)));
        }
        let mut room = most;
        for (status, changes) in digest.by_status() {
            if room == 0 {
                break;
            }
            blocks.push(Block::Paragraph(vec![Span::Strong(status.to_owned())]));
            let shown = changes.iter().take(room);
            let names = !self.is_shared;
            blocks.push(Block::items(
                shown.map(|change| texts::digest_line(change.issue, change.status(), change.at, zone, names)),
            ));
            room = room.saturating_sub(changes.len());
        }
        if count > most {
            blocks.push(Block::Paragraph(texts::more(count - most)));
        }
        if let Some(keys) = digest.finished(most) {
            blocks.push(Block::Paragraph(texts::finished(digest.finished.len() + digest.more_finished)));
            let shown = digest.finished.iter().take(most);
            blocks.push(Block::items(
                shown.map(|issue| texts::head(&issue.key, &issue.summary, &issue.status)),
            ));
            let more = digest.more_finished + digest.finished.len().saturating_sub(most);
            if more > 0 {
                blocks.push(Block::Paragraph(texts::more_finished(more)));
            }
            let command = format!("untrack these {keys}");
            blocks.push(Block::Buttons(vec![button(texts::STOP_TRACKING_THEM, command)]));
        }
        self.message(blocks)
    }

    /// For the person who tracked an issue in a channel that takes no messages. `is_in`: whether MARO is there.
    pub(crate) fn cannot_post(&self, user: &UserId, is_in: bool) -> Message {
        let blocks =
            vec![Block::Paragraph(if is_in { texts::may_not_post() } else { texts::not_in_channel() })];
        let reply = Reply { visibility: Visibility::Caller, blocks };
        self.renderer.render(&reply, self.channel, user)
    }

    fn lines<'t>(&'t self, key: &'t IssueKey, parts: &'t [Part]) -> impl Iterator<Item = Vec<Span>> + 't {
        let names = !self.is_shared;
        parts.iter().map(move |part| texts::change(key, part, &self.renderer.issue_address(key), names))
    }

    fn message(&self, blocks: Vec<Block>) -> Message {
        let reply = Reply { visibility: Visibility::Channel, blocks };
        // Nobody in particular: the texts name no caller.
        let nobody = UserId::parse("U0").expect("it's an id");
        self.renderer.render(&reply, self.channel, &nobody)
    }
}

fn is_about_statuses(told: &[(IssueKey, Vec<Part>)]) -> bool {
    told.iter().all(|(_, parts)| parts.iter().all(|part| part.kind == Kind::Status))
}

/// Below the first notice of a channel, and below those about many issues.
fn choice() -> Block {
    Block::Buttons(vec![button(texts::FEWER, "notify fewer".to_owned()), mode_button(texts::OFF, Mode::Off)])
}

fn mode_button(label: &str, mode: Mode) -> Button {
    button(label, format!("notify {}", mode.as_str()))
}

fn button(label: &str, command: String) -> Button {
    Button {
        label: label.to_owned(),
        command,
        kind: ButtonKind::Runs,
        maker: Maker::Host,
        question: None,
        is_confirmed_first: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_domain::issue::IssueId;

    #[test]
    fn a_digest_of_long_summaries_keeps_its_button_for_what_it_shows() {
        let issues: Vec<Issue> = (1..=50)
            .map(|number| {
                let key = IssueKey::parse(&format!("ENGINEERING-{number}")).unwrap();
                Issue::new(IssueId::new(number.to_string()), key, &"Zeppelin ".repeat(28), "Done")
            })
            .collect();
        let site = format!("https://{}.corp.example/jira", "engineering-".repeat(9));
        let renderer = Renderer::new(&site.parse().unwrap());
        let channel = ChannelId::parse("C1").unwrap();
        let messages = Messages { renderer: &renderer, channel: &channel, is_shared: false };
        let finished: Vec<_> = issues.iter().map(|issue| (1, issue)).collect();
        let message = messages.digest(&Digest::new(Vec::new(), &finished), &TimeZone::UTC);
        let sent = String::from_utf8(message.to_answer()).unwrap();
        let (_, button) = sent.split_once("untrack these").expect("the button is there");
        let listed = message.text().lines().filter(|line| line.contains("Zeppelin")).count();
        assert!(listed < 50, "they all fit");
        assert_eq!(button.matches("ENGINEERING-").count(), listed, "{button}");
        assert!(message.text().contains(&format!("and {} more", 50 - listed)), "{}", message.text());
    }
}
