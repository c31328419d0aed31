//! Tickets that people create or link from Slack, tickets that plugins create, and what follows from them.
//!
//! Everything that is wanted from Jira takes the steps of [`intents::exactly_once`], even after a crash. What
//! each kind of intent asks for and what follows from it is a wish (`intents/wish.rs`) in its own file. [`form`] is the
//! Slack side.

pub mod announcer;
pub mod assigning;
pub mod audit;
pub mod auto_track;
mod create;
mod duplicates;
mod filled_fields;
pub mod form;
pub mod intents;
mod link;
pub mod plugin_creation;
pub mod provenance;
pub mod signature_line;
pub mod stories;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio_util::{sync::CancellationToken, task::TaskTracker};
use url::Url;

use crate::{
    duplicates::DuplicateSearch,
    form::{
        create::{choices::Choices, screens::Screens, submission::CreateForm},
        link_duplicate::LinkForm,
        modal::{
            answer_in_time::Submissions,
            buttons::Buttons,
            latest_change::Latest,
            modal_calls::Modals,
            open::{CommandOrigin, Opener},
        },
        stories::StoriesForm,
    },
    intents::{exactly_once::Driver, records::IntentPlace, recovery::Recovery},
    provenance::Provenance,
};
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::Reply,
    words::Site,
};
use maro_slack::{
    interaction::{
        BlockAction, MessageShortcut, OptionsWanted, Shortcut, ViewClosed, ViewSubmitted,
        answer::SubmissionResponse,
    },
    sealed::Sealer,
    view::input::Choice,
};

/// What tickets need in addition to the [`Driver`].
pub struct Settings {
    pub sealer: Sealer,
    /// The site, for links.
    pub jira_base_url: Url,
    /// The project that the create form preselects.
    pub default_project: Option<String>,
    /// Work that outlives the request it came with.
    pub tasks: TaskTracker,
}

/// Everything that people use to create or link tickets in Slack.
pub struct Tickets {
    opener: Arc<Opener>,
    choices: Choices,
    submissions: Arc<Submissions>,
    buttons: Buttons,
    recovery: Arc<Recovery>,
}

impl Tickets {
    pub fn new(driver: Arc<Driver>, settings: Settings) -> Self {
        let Settings { sealer, jira_base_url, default_project, tasks } = settings;
        let site = Site::at(jira_base_url.as_str());
        let modals = Arc::new(Modals {
            announcer: Arc::clone(&driver.announcer),
            sealer,
            clock: driver.clock.clone(),
            known_channels: Arc::clone(&driver.access.known_channels),
        });
        let screens = Arc::new(Screens { jira: Arc::clone(&driver.jira), base_url: jira_base_url });
        let duplicates = DuplicateSearch {
            jira: Arc::clone(&driver.jira),
            intents: Arc::clone(&driver.intents),
            clock: driver.clock.clone(),
            turns: duplicates::turns(),
        };
        let create = Arc::new(CreateForm {
            driver: Arc::clone(&driver),
            modals: Arc::clone(&modals),
            duplicates,
            screens: Arc::clone(&screens),
        });
        let link = Arc::new(LinkForm { driver: Arc::clone(&driver), modals: Arc::clone(&modals) });
        let stories = Arc::new(StoriesForm {
            driver: Arc::clone(&driver),
            modals: Arc::clone(&modals),
            screens: Arc::clone(&screens),
        });
        let opener = Arc::new(Opener {
            jira: Arc::clone(&driver.jira),
            modals: Arc::clone(&modals),
            site,
            default_project: default_project.clone(),
            access: Arc::clone(&driver.access),
            screens: Arc::clone(&screens),
            tasks: tasks.clone(),
        });
        Self {
            opener: Arc::clone(&opener),
            choices: Choices {
                jira: Arc::clone(&driver.jira),
                modals: Arc::clone(&modals),
                default_project,
                access: Arc::clone(&driver.access),
                screens,
                redrawn: Latest::default(),
            },
            submissions: Arc::new(Submissions {
                create: Arc::clone(&create),
                stories: Arc::clone(&stories),
                modals: Arc::clone(&modals),
                tasks: tasks.clone(),
            }),
            buttons: Buttons {
                create: Arc::clone(&create),
                link: Arc::clone(&link),
                stories: Arc::clone(&stories),
                modals,
                opener,
            },
            recovery: Arc::new(Recovery {
                driver,
                create,
                link,
                stories,
                tasks,
                unreadable: Mutex::default(),
            }),
        }
    }

    /// `/maro create [summary]`: opens the create form. Returns a reply only if that fails.
    pub async fn open_create(&self, origin: CommandOrigin<'_>, typed: &str) -> Option<Reply> {
        self.opener.open_create(origin, typed).await
    }

    /// Whether a person may create and link issues. A refusal is noted.
    ///
    /// # Errors
    /// The sentence for the person.
    pub async fn may_create(
        &self,
        channel: &ChannelId,
        user: &UserId,
        provenance: &Provenance,
    ) -> Result<(), String> {
        let place = IntentPlace { channel: channel.clone(), user: user.clone() };
        self.recovery.driver.may_create(&place, provenance, "create", "").await
    }

    /// The shortcut on a message.
    ///
    /// # Errors
    /// The form didn't open: the sentence for the person.
    pub async fn open_create_from_message(&self, shortcut: &MessageShortcut) -> Result<(), &'static str> {
        self.opener.open_create_from_message(shortcut).await
    }

    /// The shortcut from anywhere in Slack.
    ///
    /// # Errors
    /// The form didn't open: the sentence for the person.
    pub async fn open_create_from_anywhere(&self, shortcut: &Shortcut) -> Result<(), &'static str> {
        self.opener.open_create_from_anywhere(shortcut).await
    }

    /// `/maro stories EPIC-1`: opens the form for stories. Returns a reply only if that fails.
    pub async fn open_stories(&self, origin: CommandOrigin<'_>, typed: &str) -> Option<Reply> {
        self.opener.open_stories(origin, typed).await
    }

    /// The choices for a select in a form.
    pub async fn options(&self, wanted: &OptionsWanted) -> Vec<Choice> {
        self.choices.options(wanted).await
    }

    /// Something was chosen in a form that is still open.
    pub async fn chosen(&self, action: BlockAction) {
        self.choices.chosen(action).await;
    }

    /// What happens to a submitted modal, within `patience`.
    pub async fn submitted(
        &self,
        submitted: ViewSubmitted,
        provenance: Provenance,
        patience: Duration,
    ) -> SubmissionResponse {
        self.submissions.submitted(submitted, provenance, patience).await
    }

    /// A modal was closed without being submitted. What it would have begun isn't begun any more.
    pub async fn closed(&self, closed: ViewClosed) {
        self.buttons.create.closed(closed).await;
    }

    /// A button in a modal was pressed.
    pub async fn pressed(&self, action: BlockAction, provenance: &Provenance) {
        self.buttons.pressed(action, provenance).await;
    }

    /// Takes over intents that other processes left behind, until `shutdown`. `is_alone` says that no other
    /// process uses the database, so whatever is there at the start was left behind.
    pub async fn recover(self: Arc<Self>, is_alone: bool, shutdown: CancellationToken) {
        Arc::clone(&self.recovery).run(is_alone, shutdown).await;
    }
}
