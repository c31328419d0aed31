//! Tickets that people create or link from Slack, and what follows from it.
//!
//! Each flow writes its intention into the journal before it asks Jira and the result after, and says what
//! happened with a [`maro_domain::events::DomainEvent`]. What follows, such as tracking, is in
//! [`crate::hooks`].

mod announce;
pub mod audit;
mod buttons;
mod create;
mod duplicates;
pub mod entry;
mod epic_key;
pub mod flows;
pub mod hooks;
mod link;
mod options;
pub mod plugin_creation;
mod record;
mod recovery;
mod settle;
mod similarity;
mod stories;
mod submit;
pub mod sync;
pub mod texts;
mod views;
mod work;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;
use url::Url;

use crate::{flows::Flows, hooks::Hooks};
use maro_domain::reply::Block;
use maro_jira::client::JiraClient;
use maro_process::clock::Clock;
use maro_slack::{render::Renderer, sealed::Sealer, view::View, web_api::SlackWebApi};
use maro_store::intents::Intents;

/// How long a modal may stay open before it has to be opened anew.
const MODAL_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long Jira may take for what somebody waits for in a modal.
const LOOK_UP_PATIENCE: Duration = Duration::from_secs(8);

/// How long Jira may take to create something: giving up early leaves it unknown.
const CREATE_PATIENCE: Duration = Duration::from_secs(15);

/// Everything that creates or links tickets.
pub struct Tickets {
    pub journal: Arc<dyn Intents>,
    pub jira: Arc<JiraClient>,
    pub slack: SlackWebApi,
    pub sealer: Sealer,
    pub renderer: Renderer,
    pub hooks: Arc<Hooks>,
    pub clock: Clock,
    /// The site, for links.
    pub jira_base_url: Url,
    /// The project that the modal preselects.
    pub default_project: Option<String>,
    /// Work that outlives the request it came with.
    pub tasks: TaskTracker,
    /// What plugins began may have to be finished.
    pub flows: Arc<Flows>,
}

/// What a submitted modal turns into.
#[derive(Debug)]
enum Outcome {
    /// It closes; the channel hears the rest.
    Close,
    /// Another takes its place. `news` is what the person would otherwise not hear of, in case that modal
    /// can no longer be shown because they have closed it.
    Show { view: Box<View>, news: Vec<Block> },
    /// Errors beside inputs, by block id. `form` has them at its top, for when Slack no longer waits.
    Errors { errors: BTreeMap<String, String>, form: Box<View> },
}

impl Outcome {
    /// A modal without news: the channel hears of it, or there is nothing to hear yet.
    fn show(view: View) -> Self {
        Self::Show { view: Box::new(view), news: Vec::new() }
    }

    /// A modal that the person has to hear of.
    fn news(view: View, news: Vec<Block>) -> Self {
        Self::Show { view: Box::new(view), news }
    }
}

fn deadline(patience: Duration) -> tokio::time::Instant {
    tokio::time::Instant::now() + patience
}
