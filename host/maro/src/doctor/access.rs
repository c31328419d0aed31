//! What `maro doctor` says of the access policy: what can't be known, and which lists are at odds with it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::doctor::finding::Finding;
use maro_access::{
    Access, JiraAs,
    audience::{PRIVATE_SCOPE, PUBLIC_SCOPE},
    workspace::Workspace,
};
use maro_bot::config::Config;
use maro_domain::{ids::ChannelId, issue::IssueKey};
use maro_jira::client::JiraClient;
use maro_slack::web_api::{SlackWebApi, identity::Identity};
use maro_store::database::Database;

/// How long to wait for Jira.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many channels Slack is asked about.
const MAX_CHANNELS: usize = 300;

/// How many keys of a list are named.
const MAX_NAMED: usize = 5;

/// `identity` is what Slack says of the bot.
pub(crate) async fn findings(config: &Config, identity: &Identity) -> Vec<Finding> {
    let mut findings = scopes(config, identity);
    let Ok(listed) = Database::read_lists(&config.database).await else { return findings };
    let mut lists: BTreeMap<ChannelId, Vec<IssueKey>> = BTreeMap::new();
    for (channel, key) in listed {
        lists.entry(channel).or_default().push(key);
    }
    let slack = Arc::new(SlackWebApi::new(&config.slack));
    let access = Access::new(config.access.clone(), slack, Arc::new(Workspace::of(identity)));
    for (channel, keys) in lists.into_iter().take(MAX_CHANNELS) {
        let sight = access.sight(&channel, &identity.user_id).await;
        let withheld: Vec<&IssueKey> =
            keys.iter().filter(|key| sight.project(key.project_key()).is_err()).collect();
        findings.extend(at_odds(&channel, &withheld));
    }
    findings
}

fn at_odds(channel: &ChannelId, withheld: &[&IssueKey]) -> Option<Finding> {
    if withheld.is_empty() {
        return None;
    }
    let named: Vec<&str> = withheld.iter().take(MAX_NAMED).map(|key| key.as_str()).collect();
    let rest = withheld.len() - named.len();
    let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
    Some(Finding::Risky {
        what: format!(
            "The list of {channel} has issues that may not be shown there: {}{more}.",
            named.join(", ")
        ),
        fix: "People see only their keys. Untrack them there, or change [access] in maro.toml.".to_owned(),
    })
}

fn scopes(config: &Config, identity: &Identity) -> Vec<Finding> {
    let lacks =
        |scope: &&str| !identity.scopes.is_empty() && !identity.scopes.iter().any(|granted| granted == scope);
    let mut findings = Vec::new();
    let missing: Vec<&str> = [PUBLIC_SCOPE, PRIVATE_SCOPE].into_iter().filter(lacks).collect();
    if !missing.is_empty() {
        findings.push(Finding::Risky {
            what: "MARO can't tell which channels are shared with other organizations, so it treats none as shared."
                .to_owned(),
            fix: format!("If you share channels, add these scopes to the Slack app: {}.", missing.join(", ")),
        });
    }
    let missing: Vec<&str> = ["users:read", "users:read.email"].into_iter().filter(lacks).collect();
    if config.jira_as == JiraAs::Person && !missing.is_empty() {
        findings.push(Finding::ill(
            "With MARO_JIRA_AS=person nobody sees any issue, since MARO can't read email addresses in Slack.",
            format!("Add these scopes to the Slack app, and reinstall it: {}.", missing.join(", ")),
        ));
    }
    findings
}

/// With `MARO_JIRA_AS=person`, how MARO learns what people may create and change.
pub(crate) async fn rights_of_people(config: &Config, jira: &JiraClient) -> Option<Finding> {
    if config.jira_as != JiraAs::Person {
        return None;
    }
    Some(match jira.may_ask_for_others(Instant::now() + PATIENCE).await {
        Ok(true) => Finding::Fine(
            "MARO's Jira account administers Jira, so it asks Jira what each person may create and change."
                .to_owned(),
        ),
        _ => Finding::Risky {
            what: "MARO's Jira account can't ask Jira what each person may create and change. So people can \
            create and change anything they can see, through MARO's account."
                .to_owned(),
            fix: "If that is too much, give the account the global permission Administer Jira (Jira Cloud only), or \
                  limit who may create in [roles] of maro.toml."
                .to_owned(),
        },
    })
}
