//! The options of the create modal's selects, as somebody types.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    form::{
        create_views::{
            CREATE_ISSUE, CreateInputs, ISSUE_TYPE, PROJECT, create_view, issue_type_choice, project_choice,
        },
        modals::Modals,
    },
    patience::deadline,
};
use maro_access::{Access, policy::ProjectList, sight::Sight};
use maro_domain::{ids::ChannelId, ticket::Project};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::{BlockAction, OptionsWanted},
    view::input::Choice,
};

/// How long Slack waits for options, minus the way back.
const PATIENCE: Duration = Duration::from_millis(2_300);

/// How many projects Jira is asked for at once.
const AT_ONCE: usize = 8;

/// How many options Slack shows.
const MAX_OPTIONS: u32 = 100;

/// Offers projects and their issue types.
pub(crate) struct Choices {
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) modals: Arc<Modals>,
    /// The project that the modal preselects.
    pub(crate) default_project: Option<String>,
    pub(crate) access: Arc<Access>,
}

impl Choices {
    /// The choices for a select; none if Jira doesn't answer in time.
    pub(crate) async fn options(&self, wanted: &OptionsWanted) -> Vec<Choice> {
        let choices = match wanted.action_id.as_str() {
            PROJECT => self.project_choices(wanted).await,
            ISSUE_TYPE => self.issue_type_choices(wanted).await,
            _ => Ok(Vec::new()),
        };
        choices.unwrap_or_else(|error| {
            if !error.is_outage() {
                tracing::warn!(error = error_chain(&error), "a select has no options");
            }
            Vec::new()
        })
    }

    async fn project_choices(&self, wanted: &OptionsWanted) -> Result<Vec<Choice>, JiraError> {
        let typed = wanted.typed.trim();
        let projects = match self.sight(wanted).await.projects() {
            None => self.jira.search_projects(typed, MAX_OPTIONS, deadline(PATIENCE)).await?,
            Some(allowed) => self.allowed_projects(&allowed, &typed.to_lowercase()).await?,
        };
        Ok(projects.iter().map(project_choice).collect())
    }

    /// Those of a list that Jira shows and that contain what was typed. Jira's own search may not have them among
    /// its first.
    async fn allowed_projects(&self, allowed: &ProjectList, typed: &str) -> Result<Vec<Project>, JiraError> {
        let keys: Vec<&str> = allowed.iter().take(MAX_OPTIONS as usize).collect();
        // The compiler can't see that a stream of borrowing futures is Send unless they are made beforehand.
        let asked: Vec<_> = keys.iter().map(|key| self.jira.get_project(key, deadline(PATIENCE))).collect();
        let found: Vec<Option<Project>> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let is_meant = |project: &Project| {
            project.key.to_lowercase().starts_with(typed) || project.name.to_lowercase().contains(typed)
        };
        Ok(found.into_iter().flatten().filter(is_meant).collect())
    }

    /// What may be shown in the channel that a form is for. A form that has none yet is for the person.
    async fn sight(&self, wanted: &OptionsWanted) -> Sight {
        let view = wanted.view.as_ref();
        let state = view.and_then(|view| self.modals.state(CREATE_ISSUE, &view.private_metadata).ok());
        let place = state.and_then(|state| state.origin.place().ok()).map(|place| place.channel);
        let channel = place.unwrap_or_else(|| ChannelId::of_person(&wanted.user));
        self.access.sight(&channel, &wanted.user).await
    }

    /// Notes the project that somebody chose, so that its types can be offered.
    pub(crate) async fn chosen(&self, action: BlockAction) {
        let (PROJECT, Some(view)) = (action.action_id.as_str(), action.view) else { return };
        let opened = self.modals.state(CREATE_ISSUE, &view.private_metadata);
        let Some(mut state) = opened.ok().filter(|state| state.origin.user == action.user.as_str()) else {
            return;
        };
        state.project = Some(action.value);
        let form = create_view(&self.modals, &state, &CreateInputs::read(&view.values), &[]);
        self.modals.update(&view.id, &form).await;
    }

    /// The issue types in the chosen project, or in the default one.
    async fn issue_type_choices(&self, wanted: &OptionsWanted) -> Result<Vec<Choice>, JiraError> {
        let state = wanted
            .view
            .as_ref()
            .and_then(|view| self.modals.state(CREATE_ISSUE, &view.private_metadata).ok());
        let noted = state.as_ref().and_then(|state| state.project.as_deref());
        let Some(project) = noted.or(self.default_project.as_deref()) else {
            return Ok(Vec::new());
        };
        if self.sight(wanted).await.project(project).is_err() {
            return Ok(Vec::new());
        }
        let types = self.jira.get_issue_types(project, deadline(PATIENCE)).await?.unwrap_or_default();
        let typed = wanted.typed.trim().to_lowercase();
        Ok(types
            .iter()
            .filter(|issue_type| issue_type.name.to_lowercase().contains(&typed))
            .map(issue_type_choice)
            .collect())
    }
}
