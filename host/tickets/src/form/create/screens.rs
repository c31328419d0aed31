//! Which fields a form has to ask for, by the project and type that are chosen in it.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;
use url::Url;

use crate::{
    form::create::{
        fields::{Screen, is_demanded},
        jira_form::{self, Filled},
        views::{CreateInputs, issue_type_choice},
    },
    intents::patience::deadline,
};
use maro_domain::{reply::Block, screen::FieldKind};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::telemetry::error_chain;
use maro_slack::view::input::Choice;
use maro_texts as texts;

/// How long Jira may take to say a project's number. Without it the link leads to the site.
const NUMBER_PATIENCE: Duration = Duration::from_millis(700);

/// Asks Jira for the screens of new issues.
pub(crate) struct Screens {
    pub(crate) jira: Arc<JiraClient>,
    /// The site, for links.
    pub(crate) base_url: Url,
}

impl Screens {
    /// The screen for a type; an empty one if there is none. `refused` are fields that Jira demands although its screen
    /// doesn't say so.
    pub(crate) async fn read(
        &self,
        (project, issue_type): (&str, &str),
        refused: &[String],
        patience: Duration,
    ) -> Result<Screen, JiraError> {
        let until = deadline(patience);
        let mut fields = self.jira.get_screen(project, issue_type, until).await?.unwrap_or_default();
        for field in fields.iter_mut().filter(|field| is_demanded(field, refused)) {
            if self.has_no_choices(project, &field.kind, until).await {
                field.kind = FieldKind::Other;
            }
        }
        Ok(Screen::of(fields, refused))
    }

    /// What Jira lets people choose from in one field of a type's screen.
    pub(crate) async fn options(
        &self,
        (project, issue_type): (&str, &str),
        field: &str,
        patience: Duration,
    ) -> Result<Vec<Choice>, JiraError> {
        let screen = self.jira.get_screen(project, issue_type, deadline(patience)).await?;
        let fields = screen.unwrap_or_default().into_iter().filter(|known| known.id == field).collect();
        Ok(Screen::of(fields, &[field.to_owned()]).options.remove(field).unwrap_or_default())
    }

    /// Whether Jira has nothing to choose from for a field, or keeps it from MARO: a site without boards, an account
    /// that may not see groups.
    async fn has_no_choices(&self, project: &str, kind: &FieldKind, until: Instant) -> bool {
        let is_empty = match kind {
            FieldKind::Sprint => self.jira.find_sprints(project, until).await.map(|found| found.is_empty()),
            FieldKind::Group | FieldKind::Groups => {
                self.jira.find_groups("", until).await.map(|found| found.is_empty())
            }
            _ => return false,
        };
        is_empty.unwrap_or_else(|error| {
            matches!(
                error,
                JiraError::Forbidden { .. }
                    | JiraError::MissingScope { .. }
                    | JiraError::InvalidResponse { .. }
            )
        })
    }

    /// The same if Jira says it in time. Otherwise the form does without, and asks when it is sent.
    pub(crate) async fn read_if_soon(&self, place: (&str, &str), patience: Duration) -> Option<Screen> {
        match self.read(place, &[], patience).await {
            Ok(screen) => Some(screen),
            Err(error) => {
                if !error.is_outage() {
                    tracing::warn!(error = error_chain(&error), "Jira doesn't say which fields a type has");
                }
                None
            }
        }
    }

    /// The type that was chosen, as it is in this project: types of the same name have different ids. Unchanged if the
    /// project has none of that name, or Jira doesn't say in time.
    pub(crate) async fn type_in(&self, project: &str, chosen: Choice, patience: Duration) -> Choice {
        let types = self.jira.get_issue_types(project, deadline(patience)).await;
        let Ok(Some(types)) = types else { return chosen };
        if types.iter().any(|issue_type| issue_type.id == chosen.value) {
            return chosen;
        }
        let is_meant = |name: &str| name.eq_ignore_ascii_case(&chosen.label);
        types.iter().find(|issue_type| is_meant(&issue_type.name)).map_or(chosen.clone(), issue_type_choice)
    }

    /// Says which fields Slack can't ask for, with the way to Jira's own form. `None` if there are none.
    pub(crate) async fn beyond(&self, screen: &Screen, inputs: &CreateInputs) -> Option<Block> {
        if screen.beyond.is_empty() {
            return None;
        }
        let address = self.jira_form(inputs).await;
        Some(Block::Paragraph(texts::issues::forms::beyond_slack(&screen.beyond, address.as_str())))
    }

    /// The address of Jira's own form, with everything filled in; of the site if Jira doesn't say enough.
    pub(crate) async fn jira_form(&self, inputs: &CreateInputs) -> Url {
        let (Some(project), Some(issue_type)) = (&inputs.project, &inputs.issue_type) else {
            return self.base_url.clone();
        };
        let number = self.jira.get_project_number(&project.value, deadline(NUMBER_PATIENCE)).await;
        let address = number.ok().flatten().and_then(|project| {
            let CreateInputs { summary, description, fields, .. } = inputs;
            let filled = Filled { project, issue_type_id: &issue_type.value, summary, description, fields };
            jira_form::address(&self.base_url, filled)
        });
        address.unwrap_or_else(|| self.base_url.clone())
    }
}
