//! What `maro doctor` says of what the settings name in Slack: the operators' channel, and user groups.

use crate::doctor::{finding::Finding, rules};
use maro_bot::config::Config;
use maro_domain::ids::ChannelId;
use maro_process::telemetry::error_chain;
use maro_slack::web_api::{Conversation, SlackWebApi, error::ApiError, identity::Identity};

/// How many user groups Slack is asked about.
const MAX_GROUPS: usize = 20;

/// Lets the bot post to public channels that it isn't in.
const POST_ANYWHERE: &str = "chat:write.public";

/// `identity` is what Slack says of the bot. What Slack doesn't answer is left open.
pub(super) async fn findings(config: &Config, identity: &Identity) -> Vec<Finding> {
    let slack = SlackWebApi::new(&config.slack);
    let mut findings = Vec::new();
    if let Some(channel) = &config.plugins.channel {
        findings.extend(of_channel(channel, slack.get_conversation(channel).await, identity));
    }
    for group in rules::named_groups(&config.roles).into_iter().take(MAX_GROUPS) {
        findings.extend(of_group(group, slack.get_user_group_members(group).await));
    }
    findings
}

fn of_channel(
    channel: &ChannelId,
    answer: Result<Conversation, ApiError>,
    identity: &Identity,
) -> Option<Finding> {
    let channel = channel.as_str();
    let may_post_anywhere = || identity.scopes.iter().any(|scope| scope == POST_ANYWHERE);
    match answer {
        Err(ApiError::ChannelNotFound) => Some(Finding::Risky {
            what: format!("Slack shows MARO no channel {channel} (MARO_PLUGIN_CHANNEL), so nothing can be told there."),
            fix: "Correct the id, which the channel's details in Slack show, or invite MARO if the channel is private."
                .to_owned(),
        }),
        Ok(known) if !known.is_member && (known.is_private || !may_post_anywhere()) => Some(Finding::Risky {
            what: format!("MARO isn't in the channel {channel} (MARO_PLUGIN_CHANNEL), so it can tell nothing there."),
            fix: "Type /invite @maro there.".to_owned(),
        }),
        _ => None,
    }
}

fn of_group(group: &str, answer: Result<Vec<String>, ApiError>) -> Option<Finding> {
    let text = match answer {
        Err(error @ ApiError::Refused { .. }) => error_chain(&error),
        Ok(members) if members.is_empty() => "nobody is in it".to_owned(),
        _ => return None,
    };
    Some(Finding::Risky {
        what: format!("The user group {group} of [roles] in maro.toml gives nobody a role: {text}."),
        fix: "Correct its id, which Slack shows under More, Copy group ID, or add people to it.".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use maro_domain::ids::UserId;

    fn identity(scopes: &[&str]) -> Identity {
        Identity {
            team_id: "T1".to_owned(),
            enterprise_id: None,
            is_enterprise_install: false,
            team: "Harbor".to_owned(),
            user_id: UserId::parse("U1").unwrap(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            expires_in: None,
        }
    }

    #[test]
    fn a_channel_that_cannot_be_told_is_named() {
        let channel = ChannelId::parse("C024BE91L").unwrap();
        let is_named = |answer, scopes: &[&str]| of_channel(&channel, answer, &identity(scopes)).is_some();
        let known =
            |is_private, is_member| Ok(Conversation { is_private, is_member, ..Conversation::default() });
        assert!(is_named(Err(ApiError::ChannelNotFound), &[]));
        assert!(is_named(known(false, false), &["chat:write"]));
        assert!(is_named(known(true, false), &[POST_ANYWHERE]));
        assert!(!is_named(known(false, false), &[POST_ANYWHERE]) && !is_named(known(true, true), &[]));
        assert!(!is_named(Err(ApiError::MissingScope { needed: "groups:read".to_owned() }), &[]));
        assert!(!is_named(Err(ApiError::TimedOut), &[]));
    }

    #[test]
    fn a_user_group_that_slack_does_not_know_is_named() {
        let unknown = ApiError::Refused { error: "no_such_subteam".to_owned(), details: Vec::new() };
        let Some(Finding::Risky { what, .. }) = of_group("S012ABCDE", Err(unknown)) else {
            panic!("it isn't named")
        };
        assert!(what.contains("S012ABCDE") && what.contains("no_such_subteam"), "{what}");
        assert!(of_group("S012ABCDE", Ok(Vec::new())).is_some());
        assert!(of_group("S012ABCDE", Ok(vec!["U1".to_owned()])).is_none());
        let away = ApiError::MissingScope { needed: "usergroups:read".to_owned() };
        assert!(of_group("S012ABCDE", Err(away)).is_none());
    }
}
