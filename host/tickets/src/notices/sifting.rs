//! What may be told in a channel at this moment, with what Jira shows now.

use std::collections::HashMap;

use maro_access::{Access, sight::Sight};
use maro_domain::{
    ids::UserId,
    issue::{Issue, IssueKey, StatusCategory},
};
use maro_store::notices::{ClaimedChannel, Kind, Mode, Waiting};

/// Stands for somebody whom nobody knows, and who therefore sees no more than everybody.
const NOBODY: &str = "U0";

/// What is told, and what isn't, by reason.
#[derive(Default)]
pub(super) struct Sifted<'a> {
    pub(super) told: Vec<(&'a Waiting, &'a Issue)>,
    pub(super) withheld: Vec<(&'static str, Vec<i64>)>,
    /// Issues that have been done for long, each with its notice.
    pub(super) finished: Vec<(i64, &'a Issue)>,
    /// The notices that say how to turn notices on.
    pub(super) introductions: Vec<i64>,
}

/// Jira's answers, by the key that was asked for.
pub(super) type Answers = HashMap<IssueKey, Option<Issue>>;

/// Asks the access policy, on behalf of who tracks each issue.
pub(super) async fn sift<'a>(
    access: &Access,
    claimed: &'a ClaimedChannel,
    answers: &'a Answers,
) -> Sifted<'a> {
    let sights = sights(access, claimed).await;
    let mut sifted = Sifted::default();
    for notice in &claimed.notices {
        match shown(claimed, notice, answers, &sights) {
            Ok(_) if notice.kind == Kind::Introduction => sifted.introductions.push(notice.id),
            Ok(issue) if notice.kind == Kind::Finished => sifted.finished.push((notice.id, issue)),
            Ok(issue) => sifted.told.push((notice, issue)),
            Err(reason) => match sifted.withheld.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, ids)) => ids.push(notice.id),
                None => sifted.withheld.push((reason, vec![notice.id])),
            },
        }
    }
    sifted
}

/// The issue, or why it's withheld.
fn shown<'a>(
    claimed: &ClaimedChannel,
    notice: &Waiting,
    answers: &'a Answers,
    sights: &HashMap<Option<UserId>, Sight>,
) -> Result<&'a Issue, &'static str> {
    if !notice.is_tracked {
        return Err("not tracked");
    }
    let is_wanted = match notice.kind {
        Kind::Introduction => claimed.mode == Mode::Off,
        Kind::Status => claimed.mode != Mode::Off,
        Kind::Finished => claimed.mode == Mode::Digest,
        Kind::Assignee | Kind::Priority | Kind::Sprint | Kind::Comments => claimed.mode == Mode::All,
    };
    if !is_wanted {
        return Err("turned off");
    }
    let issue = answers.get(&notice.key).and_then(Option::as_ref);
    // By now the key may be another issue's.
    let issue = issue.filter(|issue| issue.id == notice.issue_id).ok_or("not shown by Jira")?;
    if notice.kind == Kind::Finished && issue.status_category != StatusCategory::Done {
        return Err("not done any more");
    }
    match sights.get(&notice.tracked_by) {
        Some(sight) if sight.issue(issue).is_ok() => Ok(issue),
        _ => Err("not allowed"),
    }
}

async fn sights(access: &Access, claimed: &ClaimedChannel) -> HashMap<Option<UserId>, Sight> {
    let mut keys: HashMap<Option<UserId>, Vec<&IssueKey>> = HashMap::new();
    for notice in &claimed.notices {
        keys.entry(notice.tracked_by.clone()).or_default().push(&notice.key);
    }
    let mut sights = HashMap::new();
    for (user, keys) in keys {
        let Some(somebody) = user.clone().or_else(|| UserId::parse(NOBODY).ok()) else { continue };
        let sight = access.sight(&claimed.channel, &somebody).await.for_issues(keys).await;
        sights.insert(user, sight);
    }
    sights
}
