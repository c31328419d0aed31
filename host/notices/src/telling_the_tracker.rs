//! Tells the person who tracked an issue how to let MARO write in a channel where it may not.

use crate::{messages::Messages, slack_poster::Poster};
use maro_domain::{ids::ChannelId, issue::IssueId};
use maro_process::telemetry::error_chain;
use maro_slack::web_api::posting_once::Mark;
use maro_store::notices::Waiting;

/// By direct message, the first of those who tracked what `mark` stands for. `is_in`: whether MARO is in the channel.
pub(crate) async fn tell(
    poster: Poster<'_>,
    messages: &Messages<'_>,
    notices: &[Waiting],
    mark: Mark<'_>,
    is_in: bool,
) {
    let trackers = notices.iter().filter(|notice| match mark {
        Mark::Notices(ids) => ids.contains(&notice.id),
        Mark::Head(issue) => notice.issue_id == IssueId::new(issue),
    });
    let Some(user) = trackers.filter_map(|notice| notice.tracked_by.as_ref()).next() else { return };
    let message = messages.cannot_post(user, is_in);
    if let Err(failure) = poster.slack.post_notice(&ChannelId::of_person(user), None, &message, None).await {
        tracing::info!(user = user.as_str(), error = error_chain(&failure), "a person wasn't told");
    }
}
