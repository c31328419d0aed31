//! The options of the create modal's selects, as somebody types.

use std::{sync::Arc, time::Duration};

use crate::{
    form::{
        create_views::{
            CREATE_ISSUE, CreateInputs, ISSUE_TYPE, PROJECT, create_view, issue_type_choice, project_choice,
        },
        modals::Modals,
    },
    patience::deadline,
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::{BlockAction, OptionsWanted},
    view::input::Choice,
};

/// How long Slack waits for options, minus the way back.
const PATIENCE: Duration = Duration::from_millis(2_300);

/// How many options Slack shows.
const MAX_OPTIONS: u32 = 100;

/// Offers projects and their issue types.
pub(crate) struct Choices {
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) modals: Arc<Modals>,
    /// The project that the modal preselects.
    pub(crate) default_project: Option<String>,
}

impl Choices {
    /// The choices for a select; none if Jira doesn't answer in time.
    pub(crate) async fn options(&self, wanted: &OptionsWanted) -> Vec<Choice> {
        let choices = match wanted.action_id.as_str() {
            PROJECT => self.project_choices(&wanted.typed).await,
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

    async fn project_choices(&self, typed: &str) -> Result<Vec<Choice>, JiraError> {
        let projects = self.jira.search_projects(typed.trim(), MAX_OPTIONS, deadline(PATIENCE)).await?;
        Ok(projects.iter().map(project_choice).collect())
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
        let types = self.jira.get_issue_types(project, deadline(PATIENCE)).await?.unwrap_or_default();
        let typed = wanted.typed.trim().to_lowercase();
        Ok(types
            .iter()
            .filter(|issue_type| issue_type.name.to_lowercase().contains(&typed))
            .map(issue_type_choice)
            .collect())
    }
}
