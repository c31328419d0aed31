//! Tells the person who tracked an issue how to let MARO into a channel where it may not write.

use crate::{messages::Messages, slack_poster::Poster};
use maro_domain::{ids::ChannelId, issue::IssueId};
use maro_process::telemetry::error_chain;
use maro_slack::web_api::posting_once::Mark;
use maro_store::notices::Waiting;

/// By direct message, the first of those who tracked what `mark` stands for.
pub(crate) async fn tell(poster: Poster<'_>, messages: &Messages<'_>, notices: &[Waiting], mark: Mark<'_>) {
    let trackers = notices.iter().filter(|notice| match mark {
        Mark::Notices(ids) => ids.contains(&notice.id),
        Mark::Head(issue) => notice.issue_id == IssueId::new(issue),
    });
    let Some(user) = trackers.filter_map(|notice| notice.tracked_by.as_ref()).next() else { return };
    let message = messages.not_in_channel(user);
    if let Err(failure) = poster.slack.post_notice(&ChannelId::of_person(user), None, &message, None).await {
        tracing::info!(user = user.as_str(), error = error_chain(&failure), "a person wasn't told");
    }
}
