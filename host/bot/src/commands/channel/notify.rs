//! `/maro notify`: what a channel is told about changes.

use crate::{
    commands::{
        CommandOutcome, Commands,
        choosing::{
            few_keys::{Unusable, few_keys},
            name_typed::{self, MAX_SHOWN_LENGTH},
        },
    },
    jira_patience::KEY_PATIENCE,
};
use maro_access::roles::Role;
use maro_domain::{
    author::Author,
    caller::Caller,
    issue::{IssueKey, one_line},
    reply::{Block, Reply, Span, Visibility},
    words::Site,
};
use maro_notices::digests::schedule::{self, Schedule, TypedSchedule, Unread};
use maro_process::telemetry::error_chain;
use maro_store::{
    database::error::DatabaseError,
    notices::{DigestSetting, Mode, Paused},
};
use maro_texts::{self as texts, notices::DigestText};
use tokio::time::Instant;

/// Stands for messages that name issues.
const KEYS: &str = "keys";

/// What a channel that hears too much wants.
const FEWER: &str = "fewer";

/// What people write beside the name of a setting.
const SAYING_NOTHING: [&str; 10] =
    ["please", "pls", "thanks", "only", "changes", "updates", "notices", "notifications", "here", "about"];

/// What a key is to the channel.
enum Named {
    /// It tracks the issue by this key.
    Tracked(IssueKey),
    NotTracked,
    /// Jira knows no such issue, as far as may be said here.
    Missing,
}

/// What somebody wants.
enum Wanted {
    /// To know.
    Nothing,
    Mode(Mode),
    /// No more than that issues are done.
    Fewer,
    Digest(TypedSchedule),
    /// A digest at a time in a zone of this name, which there isn't.
    UnknownZone(String),
    Muted(Vec<IssueKey>, bool),
    /// To have messages that name issues answered, or not; or to know.
    Keys(Option<bool>),
}

impl Commands {
    pub(crate) async fn notify(&self, caller: &Caller, arguments: &str) -> CommandOutcome {
        let wanted = match wanted(arguments, &self.site) {
            Ok(wanted) => wanted,
            Err(unusable) => return unusable.refusal(texts::notices::usage()),
        };
        if !matches!(wanted, Wanted::Nothing | Wanted::Keys(None))
            && let Some(sentence) = self.refusal(Role::Notify, caller, arguments).await
        {
            return CommandOutcome::Refused(Reply::sentence(sentence));
        }
        let one = |line| vec![line];
        let answered = match wanted {
            Wanted::Nothing => self.setting(caller).await,
            Wanted::Mode(mode) => self.set_mode(caller, mode).await.map(one),
            Wanted::Fewer => self.set_fewer(caller).await.map(one),
            Wanted::Digest(typed) => self.set_digest(caller, typed).await.map(one),
            Wanted::UnknownZone(zone) => {
                return CommandOutcome::Refused(Reply::line(texts::notices::unknown_zone(&zone)));
            }
            Wanted::Keys(answers) => self.answer_keys(caller, answers).await.map(one),
            Wanted::Muted(keys, is_muted) => self.mute_each(caller, &keys, is_muted).await,
        };
        match answered {
            Ok(lines) => {
                let blocks = vec![Block::Lines(lines)];
                let reply = Reply { visibility: Visibility::Caller, blocks };
                CommandOutcome::Replied(reply)
            }
            Err(error) => {
                tracing::debug!(error = error_chain(&error), "a channel's notices weren't changed");
                CommandOutcome::Refused(Reply::line(texts::failures::database::notices_failed(&error)))
            }
        }
    }

    async fn set_mode(&self, caller: &Caller, mode: Mode) -> Result<Vec<Span>, DatabaseError> {
        let now = self.capabilities.clock.now();
        Ok(match self.capabilities.tickets.notices.set_mode(&Author::from(caller), mode, now).await? {
            true => texts::notices::mode_set(mode),
            false => texts::notices::mode_kept(mode),
        })
    }

    /// Has messages that name issues answered in the channel, or not. `None` only says whether they are.
    async fn answer_keys(&self, caller: &Caller, answers: Option<bool>) -> Result<Vec<Span>, DatabaseError> {
        let notices = &self.capabilities.tickets.notices;
        let may_read = self.capabilities.access.may_read_history().await;
        let Some(answers) = answers else {
            return Ok(texts::notices::keys(notices.answers_keys(&caller.channel).await?, may_read));
        };
        let now = self.capabilities.clock.now();
        Ok(match notices.set_answers_keys(&Author::from(caller), answers, now).await? {
            true => texts::notices::keys_set(answers, may_read),
            false => texts::notices::keys_kept(answers),
        })
    }

    /// A channel that hears no more than of what is done, or of less, isn't told more than that.
    async fn set_fewer(&self, caller: &Caller) -> Result<Vec<Span>, DatabaseError> {
        match self.mode_and_digest(caller).await? {
            (Mode::Status | Mode::All, _) => self.set_mode(caller, Mode::Done).await,
            (mode @ (Mode::Done | Mode::Digest | Mode::Off), digest) => {
                Ok(texts::notices::fewer_already(mode, digest.as_ref()))
            }
        }
    }

    /// What the channel is told, and why it isn't told that just now.
    async fn setting(&self, caller: &Caller) -> Result<Vec<Vec<Span>>, DatabaseError> {
        let (mode, digest) = self.mode_and_digest(caller).await?;
        let paused = self.capabilities.tickets.notices.paused(&caller.channel).await?;
        let paused = paused.filter(|_| mode != Mode::Off);
        let paused = paused.map(|Paused { reason, waiting }| texts::notices::paused(&reason, waiting));
        Ok([texts::notices::mode(mode, digest.as_ref())].into_iter().chain(paused).collect())
    }

    async fn mode_and_digest(&self, caller: &Caller) -> Result<(Mode, Option<DigestText>), DatabaseError> {
        let notices = &self.capabilities.tickets.notices;
        let mode = notices.mode(&caller.channel).await?;
        let digest = match mode {
            Mode::Digest => notices.digest(&caller.channel).await?,
            Mode::Status | Mode::All | Mode::Done | Mode::Off => None,
        };
        let digest = digest.and_then(|digest| Some((Schedule::parse(&digest.schedule)?, digest.zone)));
        Ok((mode, digest.map(|(schedule, zone)| digest_text(schedule, zone))))
    }

    async fn set_digest(&self, caller: &Caller, typed: TypedSchedule) -> Result<Vec<Span>, DatabaseError> {
        let now = self.capabilities.clock.now();
        let TypedSchedule { schedule, zone } = typed;
        let zone = match zone {
            Some(zone) => Some(zone),
            // Without an answer of Slack's it's UTC, which the person reads and can change.
            None => self.capabilities.access.time_zone(&caller.user).await.ok().flatten(),
        };
        let (known, is_known) = schedule::zone_named(zone.as_deref());
        let zone = zone.filter(|_| is_known);
        let due_at = schedule.next_after(now, &known);
        let setting = DigestSetting { schedule: schedule.to_string(), zone: zone.clone(), due_at };
        let notices = &self.capabilities.tickets.notices;
        let text = digest_text(schedule, zone);
        Ok(match notices.set_digest(&Author::from(caller), &setting, now).await? {
            true => texts::notices::digest_set(&text, is_known),
            false => texts::notices::digest_kept(&text),
        })
    }

    async fn mute_each(
        &self,
        caller: &Caller,
        keys: &[IssueKey],
        is_muted: bool,
    ) -> Result<Vec<Vec<Span>>, DatabaseError> {
        let mut lines = Vec::new();
        for (place, key) in keys.iter().enumerate() {
            match self.mute(caller, key, is_muted).await {
                Ok(told) => lines.extend(told),
                Err(error) if place == 0 => return Err(error),
                Err(error) => {
                    tracing::debug!(
                        error = error_chain(&error),
                        "some of a channel's notices weren't changed"
                    );
                    lines.extend(keys[place..].iter().map(texts::notices::mute_failed));
                    break;
                }
            }
        }
        Ok(lines)
    }

    async fn mute(
        &self,
        caller: &Caller,
        asked: &IssueKey,
        is_muted: bool,
    ) -> Result<Vec<Vec<Span>>, DatabaseError> {
        let key = match self.tracked_key(caller, asked).await? {
            Named::Tracked(key) => key,
            Named::NotTracked => return Ok(vec![texts::notices::not_tracked(asked)]),
            Named::Missing => return Ok(vec![texts::notices::missing(asked)]),
        };
        let now = self.capabilities.clock.now();
        let line =
            match self.capabilities.tickets.notices.mute(&Author::from(caller), &key, is_muted, now).await? {
                true => texts::notices::muted(&key, is_muted),
                false => texts::notices::muted_already(&key, is_muted),
            };
        let moved = (key != *asked).then(|| texts::issues::shown_issue::moved(asked, &key));
        let is_in_vain =
            !is_muted && self.capabilities.tickets.notices.mode(&caller.channel).await? == Mode::Off;
        let off = is_in_vain.then(texts::notices::off_altogether);
        Ok([line].into_iter().chain(moved).chain(off).collect())
    }

    /// The key by which the channel tracks an issue, which may have moved since.
    async fn tracked_key(&self, caller: &Caller, asked: &IssueKey) -> Result<Named, DatabaseError> {
        let tracker = &self.capabilities.tracker;
        if tracker.is_tracked(&caller.channel, std::slice::from_ref(asked)).await? == [true] {
            return Ok(Named::Tracked(asked.clone()));
        }
        // Neither is it said where an issue went that may not be shown, nor whether there is one.
        let sight = self.capabilities.access.sight(&caller.channel, &caller.user).await;
        if sight.project(asked.project_key()).is_err() {
            return Ok(Named::Missing);
        }
        let asked = std::slice::from_ref(asked);
        let answer = self.capabilities.jira.get_issues(asked, Instant::now() + KEY_PATIENCE).await;
        let issue = match answer.map(|issues| issues.into_iter().flatten().next()) {
            Ok(Some(issue)) => issue,
            Ok(None) => return Ok(Named::Missing),
            // While Jira can't be asked, the list alone counts.
            Err(_) => return Ok(Named::NotTracked),
        };
        if sight.for_issues([&issue.key]).await.issue(&issue).is_err() {
            return Ok(Named::Missing);
        }
        let rows = tracker.find_tracked_issues(&caller.channel, &[issue.key], &[issue.id]).await?;
        Ok(rows.into_iter().next().map_or(Named::NotTracked, |row| Named::Tracked(row.key)))
    }
}

fn digest_text(schedule: Schedule, zone: Option<String>) -> DigestText {
    DigestText { when: schedule.in_words(), zone: zone.unwrap_or_else(|| "UTC".to_owned()) }
}

fn wanted(arguments: &str, site: &Site) -> Result<Wanted, Unusable> {
    let arguments = name_typed::bare(arguments).trim_end_matches(['.', '!', '?', ',']);
    let (first, rest) = arguments.split_once(char::is_whitespace).unwrap_or((arguments, ""));
    if name_typed::split(first).0 == Mode::Digest.as_str() {
        let schedule = match is_off(rest.trim()) {
            Some(true) => return Ok(Wanted::Mode(Mode::Off)),
            Some(false) => Schedule::typed(""),
            None => Schedule::typed(rest),
        };
        return digest(schedule);
    }
    match &words(arguments)[..] {
        [] => return Ok(Wanted::Nothing),
        [word] if *word == KEYS => return Ok(Wanted::Keys(None)),
        [word] if *word == FEWER => return Ok(Wanted::Fewer),
        [word] if let Some(mode) = mode_named(word) => return Ok(Wanted::Mode(mode)),
        // `daily 9:00`, `every Monday`: only a digest comes at a time.
        _ if first.starts_with(char::is_alphabetic)
            && let Ok(wanted) = digest(Schedule::typed(arguments)) =>
        {
            return Ok(wanted);
        }
        _ => {}
    }
    let (before, last) = arguments.rsplit_once(char::is_whitespace).ok_or(Unusable::Unclear)?;
    let (rest, is_muted) = match (is_off(last), is_off(first)) {
        (Some(is_off), _) => (before, is_off),
        // `off SCRUM-1`
        (None, Some(is_off)) => (rest, is_off),
        (None, None) => return Err(Unusable::Unclear),
    };
    if rest.trim().eq_ignore_ascii_case(KEYS) {
        return Ok(Wanted::Keys(Some(!is_muted)));
    }
    few_keys(rest, site).map(|keys| Wanted::Muted(keys, is_muted))
}

fn digest(typed: Result<TypedSchedule, Unread>) -> Result<Wanted, Unusable> {
    match typed {
        Ok(typed) => Ok(Wanted::Digest(typed)),
        Err(Unread::UnknownZone(zone)) => Ok(Wanted::UnknownZone(one_line(&zone, MAX_SHOWN_LENGTH))),
        Err(Unread::Unclear) => Err(Unusable::Unclear),
    }
}

/// The words that say something, in lower case.
fn words(arguments: &str) -> Vec<String> {
    let words = arguments.split_whitespace().map(|word| name_typed::split(word).0);
    words.filter(|word| !SAYING_NOTHING.contains(&word.as_str())).collect()
}

/// The mode that a word in lower case names, in MARO's own words or in people's.
fn mode_named(word: &str) -> Option<Mode> {
    Some(match word {
        "on" | "yes" | "enable" | "enabled" | "statuses" => Mode::Status,
        "everything" | "any" => Mode::All,
        "finished" => Mode::Done,
        "none" | "nothing" | "never" | "no" | "stop" | "mute" | "disable" | "disabled" | "quiet" => Mode::Off,
        own => Mode::from_name(own)?,
    })
}

fn is_off(word: &str) -> Option<bool> {
    match name_typed::split(word).0.as_str() {
        "off" | "mute" | "stop" => Some(true),
        "on" | "unmute" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(arguments: &str) -> String {
        match wanted(arguments, &Site::at("https://site.example")) {
            Err(Unusable::Unclear) => "usage".to_owned(),
            Err(Unusable::OtherSite) => "elsewhere".to_owned(),
            Err(Unusable::TooMany) => "too many".to_owned(),
            Err(Unusable::NotAKey(word)) => format!("{word} is no key"),
            Ok(Wanted::Nothing) => "setting".to_owned(),
            Ok(Wanted::Mode(mode)) => mode.as_str().to_owned(),
            Ok(Wanted::Fewer) => FEWER.to_owned(),
            Ok(Wanted::Digest(TypedSchedule { schedule, zone })) => {
                zone.map_or_else(|| schedule.to_string(), |zone| format!("{schedule} {zone}"))
            }
            Ok(Wanted::UnknownZone(zone)) => format!("zone {zone}?"),
            Ok(Wanted::Muted(keys, is_muted)) => {
                let keys: Vec<_> = keys.iter().map(IssueKey::as_str).collect();
                format!("{} {}", keys.join(" "), if is_muted { "off" } else { "on" })
            }
            Ok(Wanted::Keys(answers)) => format!("keys {answers:?}"),
        }
    }

    #[test]
    fn a_setting_is_understood_as_people_type_it() {
        for (arguments, expected) in [
            ("", "setting"),
            ("Status", "status"),
            ("\"all\"", "all"),
            ("status.", "status"),
            ("`done`", "done"),
            ("on", "status"),
            ("status changes", "status"),
            ("everything", "all"),
            ("fewer", "fewer"),
            ("all please", "all"),
            ("only done", "done"),
            ("Off!", "off"),
            ("none", "off"),
            ("stop", "off"),
            ("mute", "off"),
            ("digest", "daily 9:00"),
            ("digest: weekly fri", "weekly fri 9:00"),
            ("digest off", "off"),
            ("daily 9:30", "daily 9:30"),
            ("weekly", "weekly mon 9:00"),
            ("every tuesday at 8am", "weekly tue 8:00"),
            ("Mondays", "weekly mon 9:00"),
            ("digest 9am europe/berlin", "daily 9:00 Europe/Berlin"),
            ("weekly fri 16:30 CET", "weekly fri 16:30 CET"),
            ("digest 9am PST", "zone PST?"),
            ("SCRUM-1 off", "SCRUM-1 off"),
            ("off SCRUM-1, SCRUM-2", "SCRUM-1 SCRUM-2 off"),
            ("mute SCRUM-1", "SCRUM-1 off"),
            ("SCRUM-1 on.", "SCRUM-1 on"),
            ("keys", "keys None"),
            ("keys on", "keys Some(true)"),
            ("https://other.example/browse/A-1 off", "elsewhere"),
            ("loudly", "usage"),
            ("9:00", "usage"),
            ("digest often", "usage"),
            ("all done", "usage"),
            ("SCRUM-1", "usage"),
            ("off all", "all is no key"),
            ("ｏｆｆ", "off"),
            ("SCRUM-1 “off”", "SCRUM-1 off"),
            ("A-1..11 off", "too many"),
            ("the log-in off", "log-in is no key"),
        ] {
            assert_eq!(read(arguments), expected, "{arguments}");
        }
    }
}
