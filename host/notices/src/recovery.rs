//! Messages whose sending was cut off, by a crash or because Slack's answer was lost: found again in the channel's
//! history by their marks, where the app may read it. What isn't there is told again. Where the app may not look,
//! such a message counts as lost, so that nothing is told twice.

use jiff::{SignedDuration, Timestamp};

use crate::{pace::OUTAGE_PAUSE, send_log::Record};
use maro_access::Access;
use maro_domain::{ids::ChannelId, issue::IssueId};
use maro_process::{clock::Clock, telemetry::error_chain};
use maro_slack::web_api::{
    SlackWebApi,
    error::ApiError,
    history::{Marked, Marks},
};
use maro_store::{
    claim_renewal::while_renewing,
    database::error::DatabaseError,
    notices::{Became, ClaimedChannel, Head, HeadUpdate, Outcome, ReplyUpdate, ThreadUpdate, Waiting},
};

/// How far Slack's clock may be behind the database's, and those of replicas behind one another.
const LEEWAY: SignedDuration = SignedDuration::from_hours(2);

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
    clock: &Clock,
) -> Result<Found, DatabaseError> {
    // What was being added to a message is added once more.
    let is_lost = |notice: &&Waiting| notice.is_unconfirmed && notice.added_to.is_none();
    let unconfirmed: Vec<&Waiting> = claimed.notices.iter().filter(is_lost).collect();
    let heads: Vec<&Waiting> =
        claimed.notices.iter().filter(|notice| notice.thread.head == Head::Uncertain).collect();
    if unconfirmed.is_empty() && heads.is_empty() {
        return Ok(Found::Nothing);
    }
    let sought = Sought { unconfirmed, heads, is_turned: !clock.ahead().is_zero() };
    let look = match access.may_read_history().await {
        // That may take longer than a claim lasts.
        true => while_renewing(sought.look(&claimed.channel, slack), || record.hold()).await,
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
    sought.settle(marks.as_ref(), record).await
}

/// What has to be found, or known not to be there.
struct Sought<'a> {
    unconfirmed: Vec<&'a Waiting>,
    /// Notices of issues whose head line is uncertain.
    heads: Vec<&'a Waiting>,
    /// Whether the time is turned, so that the database's isn't Slack's.
    is_turned: bool,
}

impl Sought<'_> {
    /// Since when its message may be there. A change that a digest tells was seen long before.
    fn since(&self, notice: &Waiting) -> Timestamp {
        let begun = notice.begun_at.filter(|_| notice.is_unconfirmed && !self.is_turned);
        let since = begun.or(notice.at).and_then(|since| since.checked_sub(LEEWAY).ok());
        since.unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// All marks since the oldest of them may have been sent. `None`: there are too many threads to be sure.
    async fn look(&self, channel: &ChannelId, slack: &SlackWebApi) -> Result<Option<Marks>, ApiError> {
        let Self { unconfirmed, heads, .. } = self;
        let all = || unconfirmed.iter().chain(heads);
        let since = all().map(|notice| self.since(notice)).min().unwrap_or(Timestamp::UNIX_EPOCH);
        let wanted: Vec<Marked> = unconfirmed.iter().map(|notice| Marked::Notice(notice.id)).collect();
        let wanted: Vec<Marked> = wanted.into_iter().chain(heads.iter().map(|notice| head(notice))).collect();
        let mut marks = slack.marks_in(channel, None, since, &wanted).await?;
        let missing = unconfirmed.iter().filter(|notice| marks.of(&Marked::Notice(notice.id)).is_none());
        let mut threads: Vec<&str> = missing.filter_map(|notice| notice.thread.head_ts()).collect();
        threads.sort_unstable();
        threads.dedup();
        if threads.len() > MAX_THREADS {
            return Ok(None);
        }
        for thread in threads {
            match slack.marks_in(channel, Some(thread), since, &wanted).await {
                Ok(more) => marks.extend(more),
                // With the thread, the answer is gone.
                Err(error) if error.is_message_gone() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(Some(marks))
    }

    async fn settle(&self, marks: Option<&Marks>, record: &Record<'_>) -> Result<Found, DatabaseError> {
        let reaches = |notice: &Waiting| marks.is_some_and(|marks| marks.reach(self.since(notice)));
        let mut lost = 0;
        for notice in &self.unconfirmed {
            let became = match marks.and_then(|marks| marks.of(&Marked::Notice(notice.id))) {
                Some(ts) => Became::Sent(ts),
                None if reaches(notice) => Became::Waiting,
                None => Became::Lost,
            };
            lost += usize::from(became == Became::Lost);
            record.keep(Outcome { notices: &[notice.id], became, ..Outcome::default() }).await?;
        }
        if lost > 0 {
            let channel = record.claimed.channel.as_str();
            tracing::warn!(
                channel,
                notices = lost,
                "can't tell whether a message was sent, so it isn't sent again"
            );
        }
        let mut issues: Vec<&IssueId> = Vec::new();
        for notice in &self.heads {
            let head = match marks.and_then(|marks| marks.of(&head(notice))) {
                Some(ts) => HeadUpdate::Set { ts, is_line: true },
                None if reaches(notice) => HeadUpdate::Forget,
                None => continue,
            };
            let issue = &notice.issue_id;
            if issues.contains(&issue) {
                continue;
            }
            issues.push(issue);
            let thread = Some(ThreadUpdate { issue, head, reply: ReplyUpdate::Keep });
            record.keep(Outcome { thread, ..Outcome::default() }).await?;
        }
        if self.unconfirmed.is_empty() && issues.is_empty() {
            // Nobody knows whether there is a head line: the next message stands by itself.
            return Ok(Found::Nothing);
        }
        record.finish(Outcome::default()).await?;
        Ok(Found::Settled)
    }
}

/// The mark of the head line of a notice's issue.
fn head(notice: &Waiting) -> Marked {
    Marked::Head(notice.issue_id.as_str().to_owned())
}

/// Whether looking again later may help.
fn may_pass(error: &ApiError) -> bool {
    error.is_outage() || matches!(error, ApiError::RateLimited { .. })
}
