//! What an issue that people write about is shown as: below a link to it, or in answer to its key.

use crate::commands::{
    Commands,
    issues::show::{Asked, Shown},
};
use maro_domain::{
    caller::Caller,
    issue::IssueKey,
    issue_details::IssueDetails,
    reply::{Block, Button, ButtonKind, Maker, Reply, Visibility},
};
use maro_texts as texts;

impl Commands {
    /// What a link to an issue is shown as below somebody's message, to everybody in the channel. `None` if it may not
    /// be shown there, or Jira doesn't say.
    pub(crate) async fn unfurl(&self, caller: &Caller, key: IssueKey) -> Option<Reply> {
        self.unfurl_all(caller, vec![key]).await.into_iter().next().map(|(_, reply)| reply)
    }

    /// As [`Commands::unfurl`], of those issues that may be shown, by the keys that they were asked for. People of
    /// other organizations don't read who is at them, and nothing that only some people see in Jira.
    pub(crate) async fn unfurl_all(&self, caller: &Caller, keys: Vec<IssueKey>) -> Vec<(IssueKey, Reply)> {
        let asked = keys.into_iter().map(Asked::Key).collect();
        let Ok(shown) = self.look(caller, asked).await else { return Vec::new() };
        let is_shared = self.capabilities.access.may_have_strangers(&caller.channel).await;
        let issues = shown.into_iter().filter_map(|shown| match shown {
            Shown::Issue { asked, details, row } if !(is_shared && details.issue.has_security_level) => {
                Some((asked, details, row.is_some()))
            }
            _ => None,
        });
        issues
            .map(|(asked, details, is_tracked)| (asked, self.preview(&details, is_tracked, is_shared)))
            .collect()
    }

    fn preview(&self, details: &IssueDetails, is_tracked: bool, is_shared: bool) -> Reply {
        let issue = &details.issue;
        let head = texts::issues::shown_issue::head(&issue.key, &issue.summary, &issue.status);
        let about = texts::issues::shown_issue::unfurled(details, !is_shared);
        let track = if is_tracked { None } else { self.button(&issue.key, None) };
        let buttons = track.into_iter().chain([assign_button(details, is_shared)]).collect();
        let blocks = vec![Block::Lines(vec![head, about]), Block::Buttons(buttons)];
        Reply { visibility: Visibility::Channel, blocks }
    }
}

/// Slack asks first if that takes the issue from somebody, where that may be said.
fn assign_button(details: &IssueDetails, is_shared: bool) -> Button {
    let key = &details.issue.key;
    let from = details.assignee.as_ref().filter(|_| !is_shared);
    Button {
        label: texts::issues::assigning::ASSIGN.to_owned(),
        command: key.to_string(),
        kind: ButtonKind::Assigns,
        maker: Maker::Host,
        question: from.map(|person| texts::issues::assigning::takes_over(key, &person.name)),
        is_confirmed_first: false,
    }
}
