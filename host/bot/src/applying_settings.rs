//! What may change of a running bot.

use std::{sync::Arc, time::Duration};

use crate::{config::Config, services::Services};
use maro_access::{Access, workspace::Workspace};
use maro_domain::caller::Person;
use maro_jira::client::JiraClient;
use maro_process::{replaceable::Live, secret::Secret};
use maro_slack::{sealed::Sealer, web_api::SlackWebApi};

/// The parts of a bot that take over changed settings.
pub(crate) struct RunningParts {
    slack: Arc<SlackWebApi>,
    jira: Arc<JiraClient>,
    access: Arc<Access>,
    workspace: Arc<Workspace>,
    admins: Live<Vec<Person>>,
    sync_interval: Live<Duration>,
    sealer: Sealer,
    /// Where there's no signing secret, this one seals.
    bot_token: Live<Secret>,
}

impl RunningParts {
    pub(crate) fn new(config: &Config, services: &Services) -> Self {
        Self {
            slack: Arc::clone(&services.slack),
            jira: Arc::clone(&services.jira),
            access: Arc::clone(&services.access),
            workspace: Arc::clone(&services.workspace),
            admins: services.admins.clone(),
            sync_interval: services.sync_interval.clone(),
            sealer: services.sealer.clone(),
            bot_token: Live::new(config.slack.bot_token.clone()),
        }
    }

    pub(crate) fn adjust(&self, config: &Config) {
        let slack = &config.slack;
        self.slack.replace_token(&slack.bot_token);
        match &slack.signing_secret {
            Some(secret) => self.sealer.replace(secret, slack.previous_signing_secret.as_ref()),
            // Forms that are open outlive the token that they were sealed with.
            None if *self.bot_token.get() != slack.bot_token => {
                self.sealer.replace(&slack.bot_token, Some(&self.bot_token.get()));
            }
            None => {}
        }
        self.bot_token.set(slack.bot_token.clone());
        self.jira.replace_credentials(&config.jira);
        self.access.replace_policy(config.access.clone());
        self.access.roles.replace_roles(config.roles.clone());
        self.admins.set(self.workspace.in_own_terms(&config.admins));
        self.sync_interval.set(config.sync_interval);
    }
}
