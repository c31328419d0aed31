//! `/maro where KEY`: which channels track an issue, of those that the person is in.

use std::collections::BTreeSet;

use futures_util::future::join_all;

use crate::{
    commands::{
        CommandOutcome, Commands,
        choosing::{few_keys::few_keys, host_commands::OwnCommand},
    },
    jira_patience::KEY_PATIENCE,
};
use maro_access::hiding_rules::Rule;
use maro_domain::{
    caller::Caller,
    ids::ChannelId,
    issue::{Issue, IssueId, IssueKey},
    reply::{Block, Reply, Visibility},
};
use maro_texts as texts;

/// How many channels are named.
const MAX_NAMED: usize = 50;

impl Commands {
    pub(crate) async fn whereabouts(&self, caller: &Caller, arguments: &str) -> CommandOutcome {
        let keys = match few_keys(arguments, &self.site) {
            Ok(keys) => keys,
            Err(unusable) => {
                return unusable.refusal(texts::commands::usage(&OwnCommand::Where.usage()));
            }
        };
        let mut blocks = Vec::new();
        for found in join_all(keys.into_iter().map(|key| self.find_places(caller, key))).await {
            match found {
                Ok(reply) => blocks.extend(reply.blocks),
                Err(sentence) => blocks.extend(Reply::sentence(sentence).blocks),
            }
        }
        CommandOutcome::Replied(Reply { visibility: Visibility::Caller, blocks })
    }

    /// # Errors
    /// The sentence for the person.
    async fn find_places(&self, caller: &Caller, key: IssueKey) -> Result<Reply, String> {
        let capabilities = &self.capabilities;
        let sight = capabilities.access.sight(&caller.channel, &caller.user).await;
        let withheld = |rule: &Rule| texts::rights::access::withheld(key.as_str(), rule);
        sight.project(key.project_key()).map_err(withheld)?;
        let deadline = tokio::time::Instant::now() + KEY_PATIENCE;
        let answer = capabilities.jira.get_issues(std::slice::from_ref(&key), deadline).await;
        // Jira said that there is no such issue.
        let is_missing = answer.as_ref().is_ok_and(|issues| issues.iter().all(Option::is_none));
        let found = answer.ok().and_then(|issues| issues.into_iter().flatten().next());
        let sight = sight.for_issues(found.iter().map(|issue| &issue.key)).await;
        let sight = sight.for_missing(is_missing.then_some(&key)).await;
        sight.missing(&key).map_err(withheld)?;
        // What the person doesn't see in Jira is looked for by what was typed, as what Jira doesn't know is.
        let mut is_missing = is_missing;
        let shown = match found.map(|issue| (sight.issue(&issue), issue)) {
            None => None,
            Some((Err(Rule::NotVisible), _)) => {
                is_missing = true;
                None
            }
            Some((Ok(()), issue)) => Some(issue),
            Some((Err(rule), _)) => return Err(withheld(rule)),
        };
        let issue = shown.unwrap_or_else(|| Issue::new(IssueId::new(""), key.clone(), "", ""));
        let (places, own) = tokio::join!(
            capabilities.tracker.get_channels_tracking(&issue),
            capabilities.access.channels_of(&caller.user)
        );
        let places = places
            .map_err(|error| texts::failures::database::tracker_failed(&error, &caller.command_name))?;
        let is_complete = own.is_some();
        let own: BTreeSet<ChannelId> = own.into_iter().flatten().chain([caller.channel.clone()]).collect();
        let places: BTreeSet<ChannelId> =
            places.into_iter().map(|(channel, _)| channel).filter(|channel| own.contains(channel)).collect();
        Ok(told(&key, &issue.key, !is_missing, places, is_complete))
    }
}

/// `is_issue`: whether an issue has the key. If none does, it's no link.
fn told(
    asked: &IssueKey,
    key: &IssueKey,
    is_issue: bool,
    places: BTreeSet<ChannelId>,
    is_complete: bool,
) -> Reply {
    let heading = if places.is_empty() {
        texts::issues::whereabouts::nowhere(key, is_issue, is_complete)
    } else {
        texts::issues::whereabouts::heading(key, is_issue)
    };
    let mut reply = Reply::line(heading);
    if !places.is_empty() {
        let more = places.len().saturating_sub(MAX_NAMED);
        let mut lines: Vec<_> =
            places.into_iter().take(MAX_NAMED).map(texts::issues::whereabouts::place).collect();
        lines.extend((more > 0).then(|| texts::issues::whereabouts::more(more)));
        reply.blocks.push(Block::items(lines));
    }
    if asked != key {
        reply.blocks.push(Block::Paragraph(texts::issues::shown_issue::moved(asked, key)));
    }
    if !is_complete {
        reply.blocks.push(Block::Paragraph(texts::issues::whereabouts::only_here()));
    }
    reply
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_channels_are_named_and_the_rest_counted() {
        let key = IssueKey::parse("SCRUM-1").unwrap();
        let places =
            |count: usize| (0..count).map(|n| ChannelId::parse(&format!("C{n:03}")).unwrap()).collect();
        let named = |count: usize| match told(&key, &key, true, places(count), true).blocks.pop() {
            Some(Block::Items(items)) => items.into_iter().map(|item| item.spans).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let all = named(53);
        assert_eq!(all.len(), 51);
        assert_eq!(all[50], texts::issues::whereabouts::more(3));
        assert_eq!(named(50), all[..50]);
    }
}
