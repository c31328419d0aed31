//! `/maro KEY`, or a pasted link: shows the issue, and whether this channel tracks it.

use std::collections::HashMap;

use crate::commands::{CommandOutcome, Commands, choosing::name_typed::MAX_SHOWN_LENGTH};
use maro_access::policy_in_channel::Sight;
use maro_domain::{
    caller::Caller,
    issue::{IssueId, IssueKey, one_line},
    issue_details::IssueDetails,
    reply::{Block, Button, ButtonKind, Item, Maker, Reply, Span, Visibility},
    tracked::TrackedIssue,
    words::{self, Word},
};
use maro_jira::error::JiraError;
use maro_process::telemetry::error_chain;
use maro_slack::words::parse_markup;
use maro_sync::security_levels::note_withheld;
use maro_texts as texts;

/// The most words that one command may have: as many as `/maro track` takes.
const MAX_WORDS: usize = 50;

/// A word of the command.
pub(crate) enum Asked {
    Key(IssueKey),
    /// What is said instead of an issue.
    Said(Vec<Span>),
}

/// What there is to show for a word.
pub(crate) enum Shown {
    Issue {
        asked: IssueKey,
        details: Box<IssueDetails>,
        row: Option<TrackedIssue>,
    },
    /// Jira can't be asked, but the issue is on the list.
    Stored(TrackedIssue),
    /// Jira has no such issue any more, but it's on the list.
    Gone(TrackedIssue),
    Said(Vec<Span>),
}

impl Commands {
    /// The issues that `typed` names, if its first word is a key or a link.
    pub(crate) async fn show(&self, caller: &Caller, typed: &str) -> Option<CommandOutcome> {
        let text = words::tidy(&parse_markup::to_typed(typed));
        let mut asked = Vec::new();
        for word in words::asked(&text, Some(&self.site)) {
            // No command has the name of a link.
            if asked.is_empty() && matches!(&word, Word::Other(word) if !word.contains("://")) {
                return None;
            }
            if !asked.contains(&word) {
                asked.push(word);
            }
            if asked.len() > MAX_WORDS {
                let sentence = texts::issues::typed_keys::too_many_keys(MAX_WORDS);
                return Some(CommandOutcome::Refused(Reply::sentence(sentence)));
            }
        }
        if asked.is_empty() {
            return None;
        }
        let asked = asked.into_iter().map(Asked::from).collect();
        Some(match self.look(caller, asked).await {
            Ok(shown) => {
                let reply = self.shown(shown);
                CommandOutcome::Showed(reply, typed.to_owned())
            }
            Err(sentence) => CommandOutcome::Refused(Reply::sentence(sentence)),
        })
    }

    /// Whether a word is a key or a link to an issue.
    pub(crate) fn is_key(&self, word: &str) -> bool {
        matches!(
            words::words(&words::tidy(word), Some(&self.site)).next(),
            Some(Word::Key(_) | Word::OtherSite(_))
        )
    }

    /// Those of these issues that a person may see here, by the keys that they were asked for.
    ///
    /// # Errors
    /// The sentence for the person: Jira doesn't say.
    pub(crate) async fn present(
        &self,
        caller: &Caller,
        keys: Vec<IssueKey>,
    ) -> Result<Vec<IssueKey>, String> {
        let shown = self.look(caller, keys.into_iter().map(Asked::Key).collect()).await?;
        let present = shown.into_iter().filter_map(|shown| match shown {
            Shown::Issue { asked, .. } => Some(asked),
            Shown::Stored(row) => Some(row.key),
            Shown::Gone(_) | Shown::Said(_) => None,
        });
        Ok(present.collect())
    }

    /// The issue that an address leads to, if it is one of our site's.
    pub(crate) fn issue_behind(&self, url: &str) -> Option<IssueKey> {
        if !url.starts_with("https://") && !url.starts_with("http://") {
            return None;
        }
        let mut words = words::words(url, Some(&self.site));
        match (words.next(), words.next()) {
            (Some(Word::Key(key)), None) => IssueKey::parse(&key).ok(),
            _ => None,
        }
    }

    /// Asks Jira and the list.
    ///
    /// # Errors
    /// The sentence for the person.
    pub(crate) async fn look(&self, caller: &Caller, asked: Vec<Asked>) -> Result<Vec<Shown>, String> {
        let capabilities = &self.capabilities;
        let sight = capabilities.access.sight(&caller.channel, &caller.user).await;
        let asked: Vec<Asked> = asked.into_iter().map(|asked| asked.seen_by(&sight)).collect();
        let keys: Vec<IssueKey> = asked.iter().filter_map(Asked::key).cloned().collect();
        if keys.is_empty() {
            return Ok(asked.into_iter().map(Asked::said).collect());
        }
        let (deadline, asked_at) =
            (tokio::time::Instant::now() + capabilities.jira_patience, capabilities.clock.now());
        let answer = capabilities.jira.get_details(&keys, deadline).await;
        let found: Vec<&IssueDetails> = answer.iter().flatten().flatten().collect();
        let ids: Vec<IssueId> = found.iter().map(|details| details.issue.id.clone()).collect();
        let present: Vec<IssueKey> = found.iter().map(|details| details.issue.key.clone()).collect();
        let all_keys = [&keys[..], &present[..]].concat();
        let rows = capabilities.tracker.find_tracked_issues(&caller.channel, &all_keys, &ids).await;
        let rows =
            rows.map_err(|error| texts::failures::database::tracker_failed(&error, &caller.command_name))?;
        let sight = sight.for_issues(present.iter().chain(rows.iter().map(|row| &row.key))).await;
        let missing = keys.iter().zip(answer.iter().flatten()).filter(|(_, details)| details.is_none());
        let sight = sight.for_missing(missing.map(|(key, _)| key)).await;
        let issues: Vec<_> = found.iter().map(|details| &details.issue).collect();
        note_withheld(&*capabilities.tracker, &sight, issues, asked_at).await;
        match answer {
            Ok(answer) => {
                let answers: HashMap<IssueKey, Option<IssueDetails>> = keys.into_iter().zip(answer).collect();
                Ok(asked.into_iter().map(|asked| asked.shown(&answers, &rows, &sight)).collect())
            }
            Err(error) => stored(asked, &rows, &sight, &error),
        }
    }

    fn shown(&self, shown: Vec<Shown>) -> Reply {
        let is_alone = shown.len() == 1;
        let mut blocks = Vec::new();
        for shown in shown {
            let (lines, button) = match shown {
                Shown::Said(spans) => (vec![spans], None),
                Shown::Gone(row) => {
                    let missing = vec![Span::Text(texts::failures::jira::not_found(row.key.as_str()))];
                    let button = self.button(&row.key, Some(&row));
                    (vec![missing, texts::issues::shown_issue::tracked(Some(&row))], button)
                }
                Shown::Stored(row) => {
                    let summary = row.last_jira_summary.as_deref().unwrap_or_default();
                    let status = row.last_jira_status.as_deref().unwrap_or_default();
                    let head = texts::issues::shown_issue::head(&row.key, summary, status);
                    let now = self.capabilities.clock.now();
                    let freshness = texts::issues::shown_issue::status_as_of(row.last_synced_at, now);
                    let button = self.button(&row.key, Some(&row));
                    (vec![head, freshness, texts::issues::shown_issue::tracked(Some(&row))], button)
                }
                Shown::Issue { asked, details, row } => {
                    let issue = &details.issue;
                    let mut lines =
                        vec![texts::issues::shown_issue::head(&issue.key, &issue.summary, &issue.status)];
                    if asked != issue.key {
                        lines.push(texts::issues::shown_issue::moved(&asked, &issue.key));
                    }
                    lines.push(texts::issues::shown_issue::about(&details));
                    lines.push(texts::issues::shown_issue::tracked(row.as_ref()));
                    let button = self.button(&issue.key, row.as_ref());
                    (lines, button)
                }
            };
            match button {
                Some(button) if is_alone => {
                    blocks.extend([Block::Lines(lines), Block::Buttons(vec![button])]);
                }
                Some(button) => {
                    let mut lines = lines.into_iter();
                    let spans = lines.next().unwrap_or_default();
                    blocks.push(Block::Items(vec![Item { spans, button: Some(button) }]));
                    blocks.push(Block::Lines(lines.collect()));
                }
                None => blocks.push(Block::Lines(lines)),
            }
        }
        Reply { visibility: Visibility::Caller, blocks }
    }

    /// Tracks the issue, or stops that, if there is a plugin for it.
    pub(crate) fn button(&self, key: &IssueKey, row: Option<&TrackedIssue>) -> Option<Button> {
        let (label, name, key) = match row {
            Some(row) => (texts::issues::shown_issue::STOP_TRACKING, "untrack", &row.key),
            None => (texts::issues::shown_issue::TRACK, "track", key),
        };
        self.registry.plugins().get(name)?;
        Some(Button {
            label: label.to_owned(),
            command: format!("{name} {key}"),
            kind: ButtonKind::Runs,
            maker: Maker::Host,
            question: None,
            is_confirmed_first: false,
        })
    }
}

impl From<Word<'_>> for Asked {
    fn from(word: Word<'_>) -> Self {
        let said = |word| Self::Said(texts::issues::typed_keys::not_a_key(&one_line(word, MAX_SHOWN_LENGTH)));
        match word {
            Word::Key(key) => match IssueKey::parse(&key) {
                Ok(key) => Self::Key(key),
                Err(_) => said(&key),
            },
            Word::OtherSite(_) => {
                Self::Said(vec![Span::Text(texts::issues::typed_keys::OTHER_SITE.to_owned())])
            }
            Word::Other(word) => said(word),
        }
    }
}

impl Asked {
    fn key(&self) -> Option<&IssueKey> {
        match self {
            Self::Key(key) => Some(key),
            Self::Said(_) => None,
        }
    }

    /// What isn't an issue is a sentence already.
    fn said(self) -> Shown {
        match self {
            Self::Key(key) => sentence(texts::failures::jira::not_found(key.as_str())),
            Self::Said(spans) => Shown::Said(spans),
        }
    }

    /// A sentence for a project whose issues may not be shown.
    fn seen_by(self, sight: &Sight) -> Self {
        match self {
            Self::Key(key) => match sight.project(key.project_key()) {
                Ok(()) => Self::Key(key),
                Err(rule) => {
                    Self::Said(vec![Span::Text(texts::rights::access::withheld(key.as_str(), rule))])
                }
            },
            said => said,
        }
    }

    fn shown(
        self,
        answers: &HashMap<IssueKey, Option<IssueDetails>>,
        rows: &[TrackedIssue],
        sight: &Sight,
    ) -> Shown {
        let Self::Key(asked) = self else { return self.said() };
        let Some(Some(details)) = answers.get(&asked) else {
            let mut rows = rows.iter();
            let row = rows.find(|row| row.key == asked && sight.row(&asked, row.has_security_level).is_ok());
            if let Some(row) = row {
                return Shown::Gone(row.clone());
            }
            return match sight.missing(&asked) {
                Ok(()) => Self::Key(asked).said(),
                Err(rule) => sentence(texts::rights::access::withheld(asked.as_str(), rule)),
            };
        };
        if let Err(rule) = sight.issue(&details.issue) {
            return sentence(texts::rights::access::withheld(asked.as_str(), rule));
        }
        let is_its = |row: &&TrackedIssue| {
            row.key == details.issue.key || row.issue_id.as_ref() == Some(&details.issue.id)
        };
        let row = rows.iter().find(is_its).cloned();
        Shown::Issue { asked, details: Box::new(details.clone()), row }
    }
}

/// What the list says while Jira can't be asked.
///
/// # Errors
/// Why Jira can't be asked, if the list says nothing of any issue.
fn stored(
    asked: Vec<Asked>,
    rows: &[TrackedIssue],
    sight: &Sight,
    error: &JiraError,
) -> Result<Vec<Shown>, String> {
    tracing::info!(error = error_chain(error), "an issue is shown as it was last read");
    let reason = texts::failures::jira::failed(error);
    if rows.is_empty() {
        return Err(reason);
    }
    let mut is_explained = false;
    let mut shown = Vec::new();
    for asked in asked {
        let Asked::Key(key) = asked else {
            shown.push(asked.said());
            continue;
        };
        match rows.iter().find(|row| row.key == key) {
            Some(row) => match sight.row(&row.key, row.has_security_level) {
                Ok(()) => shown.push(Shown::Stored(row.clone())),
                Err(rule) => shown.push(sentence(texts::rights::access::withheld(key.as_str(), rule))),
            },
            None if is_explained => {}
            None => {
                is_explained = true;
                shown.push(sentence(reason.clone()));
            }
        }
    }
    Ok(shown)
}

fn sentence(text: String) -> Shown {
    Shown::Said(vec![Span::Text(text)])
}
