//! Messages whose sending was cut off, by a crash or because Slack's answer was lost: found again in the channel's history
//! by their marks, where the app may read it. What isn't there is told again. Where the app may not look, such a
//! message counts as lost, so that nothing is told twice.

use jiff::{SignedDuration, Timestamp};

use crate::{pace::OUTAGE_PAUSE, send_log::Record};
use maro_access::Access;
use maro_domain::{ids::ChannelId, issue::IssueId};
use maro_process::telemetry::error_chain;
use maro_slack::web_api::{
    SlackWebApi,
    error::ApiError,
    history::{Marked, Marks},
};
use maro_store::{
    claim_renewal::while_renewing,
    database::error::DatabaseError,
    notices::{Became, ClaimedChannel, Head, HeadUpdate, Outcome, ThreadUpdate, Waiting},
};

/// How far Slack's clock may be behind MARO's.
const LEEWAY: SignedDuration = SignedDuration::from_mins(10);

/// How many threads are looked through.
const MAX_THREADS: usize = 10;

/// Whether the channel can be told something now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// There was nothing to look for.
    Nothing,
    /// The channel was given back: what is known of it has changed.
    Settled,
}

/// Settles what was being sent when an earlier worker lost sight of it.
///
/// # Errors
/// The database fails.
pub(crate) async fn settle_unconfirmed(
    claimed: &ClaimedChannel,
    slack: &SlackWebApi,
    access: &Access,
    record: &Record<'_>,
) -> Result<Found, DatabaseError> {
    // What was being added to a message is added once more.
    let is_lost = |notice: &&Waiting| notice.is_unconfirmed && notice.added_to.is_none();
    let unconfirmed: Vec<&Waiting> = claimed.notices.iter().filter(is_lost).collect();
    let heads: Vec<&Waiting> =
        claimed.notices.iter().filter(|notice| notice.thread.head == Head::Uncertain).collect();
    if unconfirmed.is_empty() && heads.is_empty() {
        return Ok(Found::Nothing);
    }
    let look = match access.may_read_history().await {
        // That may take longer than a claim lasts.
        true => while_renewing(look(&claimed.channel, slack, &unconfirmed, &heads), || record.hold()).await,
        false => Ok(None),
    };
    if let Err(error) = &look
        && may_pass(error)
    {
        let pause = match error {
            ApiError::RateLimited { retry_after } => (*retry_after).max(OUTAGE_PAUSE),
            _ => OUTAGE_PAUSE,
        };
        record.finish(Outcome { pause, ..Outcome::default() }).await?;
        return Ok(Found::Settled);
    }
    let marks = look.unwrap_or_else(|error| {
        let (channel, error) = (claimed.channel.as_str(), error_chain(&error));
        tracing::info!(channel, error, "Slack doesn't show what was written in a channel");
        None
    });
    if marks.is_none() && !unconfirmed.is_empty() {
        let (channel, notices) = (claimed.channel.as_str(), unconfirmed.len());
        tracing::warn!(channel, notices, "can't tell whether a message was sent, so it isn't sent again");
    }
    if unconfirmed.is_empty() && marks.is_none() {
        // Nobody knows whether there is a head line: the next message stands by itself.
        return Ok(Found::Nothing);
    }
    note(record, marks.as_ref(), &unconfirmed, &heads).await?;
    record.finish(Outcome::default()).await?;
    Ok(Found::Settled)
}

/// All marks since the oldest of them may have been sent. `None`: there are too many messages to be sure.
async fn look(
    channel: &ChannelId,
    slack: &SlackWebApi,
    unconfirmed: &[&Waiting],
    heads: &[&Waiting],
) -> Result<Option<Marks>, ApiError> {
    let since = unconfirmed.iter().chain(heads).filter_map(|notice| notice.at).min();
    let since = since.and_then(|since| since.checked_sub(LEEWAY).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
    let Some(mut marks) = slack.marks_in(channel, None, since).await? else { return Ok(None) };
    let mut threads: Vec<&str> = unconfirmed.iter().filter_map(|notice| notice.thread.head_ts()).collect();
    threads.sort_unstable();
    threads.dedup();
    if threads.len() > MAX_THREADS {
        return Ok(None);
    }
    for thread in threads {
        match slack.marks_in(channel, Some(thread), since).await {
            Ok(Some(more)) => marks.extend(more),
            Ok(None) => return Ok(None),
            // With the thread, the answer is gone.
            Err(error) if error.is_message_gone() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Some(marks))
}

async fn note(
    record: &Record<'_>,
    marks: Option<&Marks>,
    unconfirmed: &[&Waiting],
    heads: &[&Waiting],
) -> Result<(), DatabaseError> {
    for notice in unconfirmed {
        let became = match marks {
            None => Became::Lost,
            Some(marks) => match marks.of(&Marked::Notice(notice.id)) {
                Some(ts) => Became::Sent(ts),
                None => Became::Waiting,
            },
        };
        record.keep(Outcome { notices: &[notice.id], became, ..Outcome::default() }).await?;
    }
    let Some(marks) = marks else { return Ok(()) };
    let mut issues: Vec<&IssueId> = heads.iter().map(|notice| &notice.issue_id).collect();
    issues.dedup();
    for issue in issues {
        let head = match marks.of(&Marked::Head(issue.as_str().to_owned())) {
            Some(ts) => HeadUpdate::Set { ts, is_line: true },
            None => HeadUpdate::Forget,
        };
        let thread = Some(ThreadUpdate { issue, head, reply: None });
        record.keep(Outcome { thread, ..Outcome::default() }).await?;
    }
    Ok(())
}

/// Whether looking again later may help.
fn may_pass(error: &ApiError) -> bool {
    error.is_outage() || matches!(error, ApiError::RateLimited { .. })
}
