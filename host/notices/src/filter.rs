//! What may be told in a channel at this moment, with what Jira shows now.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use maro_access::{Access, policy_in_channel::Sight};
use maro_domain::{
    ids::UserId,
    issue::{Issue, IssueKey, StatusCategory},
};
use maro_store::notices::{ClaimedChannel, Kind, Mode, Waiting};

/// Stands for somebody whom nobody knows, and who therefore sees no more than everybody.
const NOBODY: &str = "U0";

/// What is told, and what isn't, by reason.
#[derive(Default)]
pub(crate) struct Sifted<'a> {
    pub(crate) told: Vec<(&'a Waiting, &'a Issue)>,
    pub(crate) withheld: Vec<(&'static str, Vec<i64>)>,
    /// Issues that have been done for long, each with its notice.
    pub(crate) finished: Vec<(i64, &'a Issue)>,
    /// Changes that nobody is told of, each with the issue whose head line it changes.
    pub(crate) heads: Vec<(&'a Waiting, &'a Issue)>,
    /// The notices that say how to turn notices on.
    pub(crate) introductions: Vec<i64>,
    /// Whether there are some of which nobody knows yet whether they may be told. They wait.
    pub(crate) is_partial: bool,
}

/// Jira's answers.
pub(crate) struct Answers {
    /// By the key that was asked for. What Jira couldn't say isn't there.
    pub(crate) issues: HashMap<IssueKey, Option<Issue>>,
    /// When the oldest of them came.
    pub(crate) read_at: Instant,
    /// After what time the rest may be asked for again.
    pub(crate) pause: Duration,
}

/// Why a change isn't told.
enum Silence {
    /// For this reason, and never.
    Withheld(&'static str),
    /// Nobody knows yet whether it may be.
    NotYet,
}

/// Asks the access policy, on behalf of who tracks each issue.
pub(crate) async fn sift<'a>(
    access: &Access,
    claimed: &'a ClaimedChannel,
    answers: &'a Answers,
) -> Sifted<'a> {
    let sights = sights(access, claimed, answers).await;
    let mut sifted = Sifted::default();
    for notice in &claimed.notices {
        match shown(claimed, notice, answers, &sights) {
            Ok(_) if notice.part.kind == Kind::Introduction => sifted.introductions.push(notice.id),
            Ok(issue) if notice.part.kind == Kind::Finished => sifted.finished.push((notice.id, issue)),
            Ok(issue) if notice.part.kind == Kind::Head => sifted.heads.push((notice, issue)),
            Ok(issue) => sifted.told.push((notice, issue)),
            Err(Silence::NotYet) => sifted.is_partial = true,
            Err(Silence::Withheld(reason)) => {
                match sifted.withheld.iter_mut().find(|(known, _)| *known == reason) {
                    Some((_, ids)) => ids.push(notice.id),
                    None => sifted.withheld.push((reason, vec![notice.id])),
                }
            }
        }
    }
    sifted
}

/// The issue, or why it isn't told.
fn shown<'a>(
    claimed: &ClaimedChannel,
    notice: &Waiting,
    answers: &'a Answers,
    sights: &HashMap<Option<UserId>, Sight>,
) -> Result<&'a Issue, Silence> {
    if !notice.is_tracked {
        return Err(Silence::Withheld("not tracked"));
    }
    let is_wanted = match notice.part.kind {
        Kind::Introduction => claimed.mode == Mode::Off,
        Kind::Status => claimed.mode != Mode::Off,
        Kind::Head => !matches!(claimed.mode, Mode::Off | Mode::Digest),
        Kind::Finished => claimed.mode == Mode::Digest,
        Kind::Assignee | Kind::Priority | Kind::Sprint | Kind::Comments => claimed.mode == Mode::All,
    };
    if !is_wanted || notice.is_muted {
        return Err(Silence::Withheld("turned off"));
    }
    answers.issues.get(&notice.key).ok_or(Silence::NotYet)?;
    let issue = answer(notice, answers).ok_or(Silence::Withheld("not shown by Jira"))?;
    if notice.part.kind == Kind::Finished && issue.status_category != StatusCategory::Done {
        return Err(Silence::Withheld("not done any more"));
    }
    let Some(sight) = sights.get(&notice.tracked_by) else { return Err(Silence::Withheld("not allowed")) };
    match sight.issue(issue) {
        Ok(()) => Ok(issue),
        Err(rule) if rule.may_pass() => Err(Silence::NotYet),
        Err(_) => Err(Silence::Withheld("not allowed")),
    }
}

/// The issue of a notice. By now its key may be another issue's.
fn answer<'a>(notice: &Waiting, answers: &'a Answers) -> Option<&'a Issue> {
    let issue = answers.issues.get(&notice.key).and_then(Option::as_ref);
    issue.filter(|issue| issue.id == notice.issue_id)
}

/// What each person who tracks something may see of it, by the key that it has now.
async fn sights(
    access: &Access,
    claimed: &ClaimedChannel,
    answers: &Answers,
) -> HashMap<Option<UserId>, Sight> {
    let mut keys: HashMap<Option<UserId>, Vec<&IssueKey>> = HashMap::new();
    for notice in &claimed.notices {
        let shown = answer(notice, answers).map(|issue| &issue.key);
        keys.entry(notice.tracked_by.clone()).or_default().extend(shown);
    }
    let mut sights = HashMap::new();
    for (user, keys) in keys {
        let Some(somebody) = user.clone().or_else(|| UserId::parse(NOBODY).ok()) else { continue };
        let sight = access.sight(&claimed.channel, &somebody).await.for_issues(keys).await;
        sights.insert(user, sight);
    }
    sights
}
