//! The options of the create modal's selects, as somebody types.

use std::{sync::Arc, time::Duration};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    form::{
        create::{
            screens::Screens,
            views::{
                CREATE_ISSUE, CreateInputs, ISSUE_TYPE, PROJECT, away_view, create_view, issue_type_choice,
                project_choice,
            },
        },
        modal::{latest_change::Latest, modal_calls::Modals, outcome::sentence, state::ModalState},
        stories::CREATE_STORIES,
    },
    intents::{patience::deadline, records::Origin},
};
use maro_access::{Access, policy_in_channel::Sight, policy_settings::ProjectList};
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::Block,
    ticket::Project,
};
use maro_jira::{client::JiraClient, error::JiraError};
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::{BlockAction, OptionsWanted},
    view::input::Choice,
};
use maro_texts as texts;

/// How long Slack waits for options, minus the way back.
pub(crate) const PATIENCE: Duration = Duration::from_millis(2_300);

/// How long Jira may take to say which fields a type has.
const SCREEN_PATIENCE: Duration = Duration::from_secs(5);

/// How many projects Jira is asked for at once.
const AT_ONCE: usize = 8;

/// How many options Slack shows.
pub(crate) const MAX_OPTIONS: u32 = 100;

/// Offers projects and their issue types.
pub(crate) struct Choices {
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) modals: Arc<Modals>,
    /// The project that the modal preselects.
    pub(crate) default_project: Option<String>,
    pub(crate) access: Arc<Access>,
    pub(crate) screens: Arc<Screens>,
    /// The redrawing of forms after a choice.
    pub(crate) redrawn: Latest,
}

impl Choices {
    /// The choices for a select; none if Jira doesn't answer in time.
    pub(crate) async fn options(&self, wanted: &OptionsWanted) -> Vec<Choice> {
        let choices = match wanted.action_id.as_str() {
            PROJECT => self.project_choices(wanted).await,
            ISSUE_TYPE => self.issue_type_choices(wanted).await,
            _ => self.field_choices(wanted).await,
        };
        choices.unwrap_or_else(|error| {
            if !error.is_outage() {
                tracing::warn!(error = error_chain(&error), "couldn't load a select's options");
            }
            Vec::new()
        })
    }

    async fn project_choices(&self, wanted: &OptionsWanted) -> Result<Vec<Choice>, JiraError> {
        let (typed, until) = (wanted.typed.trim(), deadline(PATIENCE));
        let sight = self.sight(wanted).await;
        let mut projects = match sight.projects() {
            None => self.jira.search_projects(typed, MAX_OPTIONS, until).await?,
            Some(allowed) => self.allowed_projects(&allowed, &typed.to_lowercase()).await?,
        };
        let keys = projects.iter().map(|project| project.key.clone()).collect();
        let visible = sight.visible_projects(keys, until).await;
        projects.retain(|project| visible.contains(&project.key));
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
    pub(crate) async fn sight(&self, wanted: &OptionsWanted) -> Sight {
        match self.state(wanted) {
            Some(state) => self.sight_in(&state.origin, &wanted.user).await,
            None => self.access.sight(&ChannelId::of_person(&wanted.user), &wanted.user).await,
        }
    }

    async fn sight_in(&self, origin: &Origin, user: &UserId) -> Sight {
        let channel = origin.place().map_or_else(|_| ChannelId::of_person(user), |place| place.channel);
        self.access.sight(&channel, user).await
    }

    pub(crate) fn state(&self, wanted: &OptionsWanted) -> Option<ModalState> {
        let view = wanted.view.as_ref()?;
        let purpose = [CREATE_ISSUE, CREATE_STORIES].into_iter().find(|form| *form == view.callback_id)?;
        self.modals.state(purpose, &view.private_metadata).ok()
    }

    /// Notes the project or type that somebody chose, so that its types can be offered and its fields asked for. What
    /// was filled in stays.
    pub(crate) async fn chosen(&self, action: BlockAction) {
        let Some(view) = action.view else { return };
        let own = self.modals.own_state(CREATE_ISSUE, &view.private_metadata, &action.user);
        let Some(mut state) = own else {
            return;
        };
        if ![PROJECT, ISSUE_TYPE].contains(&action.action_id.as_str()) {
            return;
        }
        let change = self.redrawn.begin(&view.id);
        let mut inputs = CreateInputs::read(&state.asked, &view.values);
        if action.action_id == PROJECT {
            state.project = Some(action.value);
            // So that its types can be offered, however long the rest takes.
            self.modals.update(&view.id, &create_view(&self.modals, &state, &inputs, &[])).await;
        } else if let Some(project) = &inputs.project {
            state.project = Some(project.value.clone());
        }
        let project = state.project.clone().or_else(|| self.default_project.clone());
        let (mut notices, before) = (Vec::new(), (state.clone(), inputs.clone()));
        let mut outage = None;
        let refused = match &project {
            Some(project) => self.sight_in(&state.origin, &action.user).await.creates(project).await.err(),
            None => None,
        };
        if let (Some(project), Some(rule)) = (&project, &refused) {
            notices.push(sentence(&texts::rights::access::not_created(project, rule)));
        } else if let Some(project) = project {
            match self.jira.get_issue_types(&project, deadline(SCREEN_PATIENCE)).await {
                Ok(types) if types.as_ref().is_none_or(Vec::is_empty) => {
                    notices.push(sentence(&texts::failures::jira::cannot_create_in(&project)));
                }
                Ok(_) => notices.extend(self.choose_type(&project, &mut state, &mut inputs).await),
                Err(error) if error.is_outage() => outage = Some(error),
                Err(error) => notices.push(sentence(&texts::failures::jira::failed(&error))),
            }
        }
        let is_new = !notices.is_empty() || outage.is_some() || (&state, &inputs) != (&before.0, &before.1);
        if is_new && self.redrawn.is_latest(&change) {
            let form = match outage {
                Some(error) => away_view(&self.modals, &state, &inputs, &error),
                None => create_view(&self.modals, &state, &inputs, &notices),
            };
            self.modals.update(&view.id, &form).await;
        }
    }

    /// Notes the type that is chosen, as it is in this project, and its fields. Returns what else the person has to
    /// know.
    async fn choose_type(
        &self,
        project: &str,
        state: &mut ModalState,
        inputs: &mut CreateInputs,
    ) -> Option<Block> {
        let issue_type = self.screens.type_in(project, inputs.issue_type.clone()?, SCREEN_PATIENCE).await;
        state.issue_type = Some(issue_type.value.clone());
        inputs.issue_type = Some(issue_type.clone());
        // If Jira doesn't say it now, it is asked again when the form is sent.
        let screen = self.screens.read_if_soon((project, issue_type.value.as_str()), SCREEN_PATIENCE).await?;
        // Nothing at all says rather that Jira didn't say.
        if !screen.asked.is_empty() {
            *inputs = std::mem::take(inputs).on(&screen);
        }
        self.screens.beyond(&screen, inputs).await
    }

    /// The issue types in the chosen project, or in the default one.
    async fn issue_type_choices(&self, wanted: &OptionsWanted) -> Result<Vec<Choice>, JiraError> {
        let (state, until) = (self.state(wanted), deadline(PATIENCE));
        let noted = state.as_ref().and_then(|state| state.project.as_deref());
        let Some(project) = noted.or(self.default_project.as_deref()) else {
            return Ok(Vec::new());
        };
        if self.sight(wanted).await.creates(project).await.is_err() {
            return Ok(Vec::new());
        }
        let types = self.jira.get_issue_types(project, until).await?.unwrap_or_default();
        let typed = wanted.typed.trim().to_lowercase();
        Ok(types
            .iter()
            .filter(|issue_type| issue_type.name.to_lowercase().contains(&typed))
            .map(issue_type_choice)
            .collect())
    }
}
