//! What there is to choose from in the create modal's selects, as somebody types.

use crate::{
    Tickets,
    create::form,
    deadline,
    entry::{issue_type_choice, project_choice},
    record::ModalState,
    views::{CREATE_ISSUE, ISSUE_TYPE, PROJECT},
};
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::{BlockAction, OptionsWanted},
    view::input::Choice,
};

/// How long Slack waits for options, less the way back.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(2_300);

/// How many options Slack shows.
const MAX_OPTIONS: u32 = 100;

impl Tickets {
    /// The choices for a select; none if Jira does not answer in time.
    pub async fn options(&self, wanted: &OptionsWanted) -> Vec<Choice> {
        let choices = match wanted.action_id.as_str() {
            PROJECT => self.project_choices(&wanted.typed).await,
            ISSUE_TYPE => self.issue_type_choices(wanted).await,
            _ => Ok(Vec::new()),
        };
        choices.unwrap_or_else(|error| {
            tracing::warn!(error = error_chain(&error), "a select has no options");
            Vec::new()
        })
    }

    async fn project_choices(&self, typed: &str) -> Result<Vec<Choice>, maro_jira::error::JiraError> {
        let projects = self.jira.search_projects(typed.trim(), MAX_OPTIONS, deadline(PATIENCE)).await?;
        Ok(projects.iter().map(project_choice).collect())
    }

    /// Notes the project that somebody chose, so that its types can be offered.
    pub async fn chosen(&self, action: BlockAction) {
        let (PROJECT, Some(view)) = (action.action_id.as_str(), action.view) else { return };
        let opened = self.sealer.open::<ModalState>(CREATE_ISSUE, &view.private_metadata, self.clock.now());
        let Some(mut state) = opened.ok().filter(|state| state.origin.user == action.user.as_str()) else {
            return;
        };
        state.project = Some(action.value);
        self.update(&view.id, &self.create_view(&state, &form(&view.values), &[])).await;
    }

    /// The kinds of issue in the project that is chosen, or the default one.
    async fn issue_type_choices(
        &self,
        wanted: &OptionsWanted,
    ) -> Result<Vec<Choice>, maro_jira::error::JiraError> {
        let state = wanted.view.as_ref().and_then(|view| {
            self.sealer.open::<ModalState>(CREATE_ISSUE, &view.private_metadata, self.clock.now()).ok()
        });
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
