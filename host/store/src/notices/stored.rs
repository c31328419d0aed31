//! Reads what waits in the outbox, which both databases return as JSON, and writes what becomes of it.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    database::{
        error::{self, DatabaseError},
        time::StoredTime,
    },
    notices::{
        Became, ClaimedChannel, DigestSetting, DueDigest, Head, HeadUpdate, Kind, LastReply, Mode, Outcome,
        Part, Recent, ReplyUpdate, Thread, Told, Waiting, timing::MAX_PAUSE_MS,
    },
};
use maro_domain::{
    ids::{ChannelId, UserId},
    issue::{IssueId, IssueKey},
};

/// A channel: its id, mode, whether it's introduced, pauses, the message about many issues with its age in
/// milliseconds, the zone of its digest, and what waits.
#[derive(Deserialize)]
struct StoredChannel(String, String, u8, u32, Option<String>, Option<i64>, Option<String>, Vec<StoredNotice>);

#[derive(Deserialize)]
struct StoredNotice {
    id: i64,
    issue_id: String,
    issue_key: String,
    kind: String,
    from_status: String,
    to_status: String,
    set_by: Option<String>,
    noted_at: StoredTime,
    state: String,
    /// By the database's clock in milliseconds since 1970.
    begun: Option<String>,
    message_ts: Option<String>,
    listed_status: Option<String>,
    tracked_by: Option<String>,
    head_ts: Option<String>,
    is_head_line: Option<u8>,
    reply_ts: Option<String>,
    reply_from: Option<String>,
    /// In milliseconds.
    reply_age: Option<i64>,
    has_choice: Option<u8>,
    is_muted: Option<u8>,
}

/// Reads one channel. `None` if its id is invalid.
pub(super) fn parse_channel(json: &str) -> Result<Option<ClaimedChannel>, DatabaseError> {
    let StoredChannel(channel, mode, is_introduced, pauses, bulk_ts, bulk_age, zone, notices) =
        error::parse(json)?;
    let Ok(channel) = ChannelId::parse(&channel) else {
        tracing::warn!(channel, "skipped notices with an invalid channel_id");
        return Ok(None);
    };
    Ok(Some(ClaimedChannel {
        channel,
        // Of a mode that only a newer MARO knows, no more is told than by the quietest.
        mode: Mode::from_name(&mode).unwrap_or(Mode::Off),
        is_introduced: is_introduced != 0,
        pauses,
        bulk: recent(bulk_ts, bulk_age),
        zone,
        notices: notices.into_iter().filter_map(waiting).collect(),
    }))
}

fn recent(ts: Option<String>, age: Option<i64>) -> Option<Recent> {
    let age = Duration::from_millis(u64::try_from(age?).unwrap_or(0));
    Some(Recent { ts: ts?, age })
}

fn waiting(row: StoredNotice) -> Option<Waiting> {
    let Ok(key) = IssueKey::parse(&row.issue_key) else {
        tracing::warn!(issue_key = row.issue_key, "skipped a notice with an invalid issue_key");
        return None;
    };
    let kind = Kind::from_name(&row.kind).unwrap_or(Kind::Status);
    let head = match row.head_ts {
        None => Head::None,
        Some(ts) if ts.is_empty() => Head::Uncertain,
        Some(ts) => Head::Known { ts, is_line: row.is_head_line == Some(1) },
    };
    let message = recent(row.reply_ts, row.reply_age);
    let has_choice = row.has_choice == Some(1);
    let reply = message.zip(row.reply_from).map(|(message, from)| LastReply { message, from, has_choice });
    Some(Waiting {
        id: row.id,
        issue_id: IssueId::new(row.issue_id),
        key,
        part: Part { kind, from: row.from_status, to: row.to_status, set_by: row.set_by },
        at: row.noted_at.0,
        is_unconfirmed: row.state == "sending",
        begun_at: row.begun.and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok()),
        added_to: row.message_ts.filter(|_| row.state == "sending"),
        is_muted: row.is_muted == Some(1),
        is_tracked: row.tracked_by.is_some(),
        listed_status: row.listed_status,
        tracked_by: row.tracked_by.as_deref().and_then(|user| UserId::parse(user).ok()),
        thread: Thread { head, reply },
    })
}

/// Reads what was told: keys, kinds, what was and what is, and who changed it.
pub(super) fn parse_told(json: &str) -> Result<Vec<Told>, DatabaseError> {
    type Row = (String, String, String, String, Option<String>);
    let told = |(key, kind, from, to, set_by): Row| {
        let (key, kind) = (IssueKey::parse(&key).ok()?, Kind::from_name(&kind)?);
        Some(Told { key, part: Part { kind, from, to, set_by } })
    };
    Ok(error::parse::<Vec<Row>>(json)?.into_iter().filter_map(told).collect())
}

/// When a channel gets its digest: schedule, zone and the next time. `None` if it never chose one.
pub(super) fn parse_digest(json: &str) -> Result<Option<DigestSetting>, DatabaseError> {
    type Row = (Option<String>, Option<String>, StoredTime);
    if json.is_empty() {
        return Ok(None);
    }
    let (schedule, zone, StoredTime(due_at)) = error::parse::<Row>(json)?;
    Ok(schedule.zip(due_at).map(|(schedule, due_at)| DigestSetting { schedule, zone, due_at }))
}

/// The digests whose time has come: channels, schedules, zones, the times as they're stored, and the time now.
pub(super) fn parse_due(json: &str) -> Result<Vec<DueDigest>, DatabaseError> {
    type Row = (String, String, Option<String>, String, StoredTime);
    let due = |(channel, schedule, zone, due_at, StoredTime(now)): Row| {
        Some(DueDigest { channel: ChannelId::parse(&channel).ok()?, schedule, zone, due_at, now: now? })
    };
    Ok(error::parse::<Vec<Row>>(json)?.into_iter().filter_map(due).collect())
}

/// What becomes of a claimed channel, as both databases' statements take it.
pub(super) fn outcome(channel: &ChannelId, holder: i64, outcome: &Outcome<'_>, keeps: bool) -> Value {
    let (state, reason, message_ts) = match outcome.became {
        Became::Waiting => ("waiting", None, None),
        Became::Sent(ts) => ("sent", None, Some(ts)),
        Became::Unconfirmed => ("sending", None, None),
        Became::Lost => ("lost", None, None),
        Became::Withheld(reason) => ("withheld", Some(reason), None),
    };
    let thread = outcome.thread.as_ref();
    let (sets_head, head_ts, is_line) = match thread.map(|thread| thread.head) {
        None | Some(HeadUpdate::Keep) => (0, None, 0),
        Some(HeadUpdate::Forget) => (1, None, 0),
        Some(HeadUpdate::Set { ts, is_line }) => (1, Some(ts), u8::from(is_line)),
    };
    let (sets_reply, reply_ts, reply_from, is_new_reply, has_choice) = match thread.map(|thread| thread.reply)
    {
        None | Some(ReplyUpdate::Keep) => (sets_head, None, None, false, false),
        Some(ReplyUpdate::Forget) => (1, None, None, false, false),
        Some(ReplyUpdate::Set { ts, from, is_new, has_choice }) => {
            (1, Some(ts), Some(from), is_new, has_choice)
        }
    };
    json!({
        "channel": channel.as_str(),
        "holder": holder,
        "ids": outcome.notices,
        "state": state,
        "reason": reason,
        "message_ts": message_ts,
        "issue": thread.map(|thread| thread.issue.as_str()),
        "sets_head": sets_head,
        "head_ts": head_ts,
        "is_head_line": is_line,
        "sets_reply": sets_reply,
        "reply_ts": reply_ts,
        "reply_from": reply_from,
        "is_new_reply": u8::from(is_new_reply),
        "has_choice": u8::from(has_choice),
        "bulk_ts": outcome.bulk.map(|(ts, _)| ts),
        "forgets_bulk": u8::from(outcome.forgets_bulk),
        "old_heads": outcome.old_heads.iter().map(|(id, key)| [id.as_str(), key.as_str()]).collect::<Vec<_>>(),
        "is_new_bulk": outcome.bulk.map_or(0, |(_, is_new)| u8::from(is_new)),
        "introduces": u8::from(outcome.introduces),
        "pause_ms": u64::try_from(outcome.pause.as_millis()).unwrap_or(u64::MAX).min(MAX_PAUSE_MS),
        "paused_for": outcome.paused_for,
        "keeps": u8::from(keeps),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_read_with_its_thread() {
        let row = |key: &str, head: &str| {
            format!(
                r#"{{"id":1,"issue_id":"10","issue_key":"{key}","kind":"status","from_status":"A","to_status":"B",
                    "set_by":null,"noted_at":"2026-01-02T03:04:05+00:00","state":"sending","begun":"1767323045000","message_ts":"5.0","tracked_by":"U1","listed_status":null,"head_ts":{head},"is_head_line":1,"reply_ts":"5.0",
                    "reply_from":"A","reply_age":-3,"has_choice":0,"is_muted":1}}"#
            )
        };
        let rows = [row("A-1", "null"), row("a 1", "null"), row("A-2", "\"\""), row("A-3", "\"4.0\"")];
        let json = format!(r#"["C1","loud",0,2,"9.0",60000,null,[{}]]"#, rows.join(","));
        let claimed = parse_channel(&json).unwrap().unwrap();
        assert_eq!((claimed.mode, claimed.pauses), (Mode::Off, 2));
        assert_eq!(claimed.bulk, Some(Recent { ts: "9.0".to_owned(), age: Duration::from_secs(60) }));
        let first = &claimed.notices[0];
        assert!(first.is_unconfirmed && first.is_muted);
        assert_eq!(first.added_to.as_deref(), Some("5.0"));
        assert_eq!(claimed.notices[0].at, "2026-01-02T03:04:05Z".parse().ok());
        assert_eq!(first.begun_at, "2026-01-02T03:04:05Z".parse().ok());
        let heads: Vec<_> = claimed.notices.iter().map(|notice| notice.thread.head.clone()).collect();
        let known = Head::Known { ts: "4.0".to_owned(), is_line: true };
        assert_eq!(heads, [Head::None, Head::Uncertain, known]);
        let reply = claimed.notices[0].thread.reply.as_ref().unwrap();
        assert_eq!(reply.message.age, Duration::ZERO);
        assert!(parse_channel(r#"["a channel","off",0,0,null,null,null,[]]"#).unwrap().is_none());
    }
}
