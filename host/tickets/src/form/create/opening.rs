//! Forms as they open: with a project, a type and its fields, or an epic, as far as Jira says them now.

use std::time::Duration;

use crate::{
    form::{
        create::{
            fields::Demanded,
            views::{
                CREATE_ISSUE, CreateInputs, RELOAD_STORIES, away_view, create_view, issue_type_choice,
                project_choice,
            },
        },
        modal::{modal_calls::note_foreign_button, open::Opener, outcome::sentence, state::ModalState},
        stories::{CREATE_STORIES, STORIES, stories_view, story_place},
        story_lines::fitting,
    },
    intents::{
        patience::{LOOK_UP_PATIENCE, deadline},
        records::{IntentPlace, Origin},
    },
    stories::epic::{NoEpic, read_epic},
};
use maro_access::{hiding_rules::Rule, policy_in_channel::Sight};
use maro_domain::{issue::IssueKey, reply::Block, ticket::IssueType};
use maro_jira::error::{JiraError, JiraOutage};
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::BlockAction,
    view::{View, ViewBlock, button::ViewButton},
};
use maro_texts as texts;

/// How long a form waits for Jira to say which fields a type has. Without them it asks when it is sent.
const SCREEN_PATIENCE: Duration = Duration::from_secs(2);

impl Opener {
    /// The create form without a project. If Jira is known to be away, it says so.
    pub(crate) fn empty_create_view(&self, state: &ModalState, inputs: &CreateInputs) -> View {
        if self.jira.is_silent() {
            let error = JiraError::Unreachable { source: JiraOutage::NotAsked };
            return away_view(&self.modals, state, inputs, &error);
        }
        create_view(&self.modals, state, inputs, &[])
    }

    /// Says in a form that is open without a project if there is none to choose, and why.
    pub(crate) async fn explain_empty(&self, view_id: &str, state: &ModalState, inputs: &CreateInputs) {
        if let Some(reason) = self.nothing_created(&state.origin).await
            && !self.jira.is_silent()
        {
            let view = create_view(&self.modals, state, inputs, &[sentence(&reason)]);
            self.modals.update(view_id, &view).await;
        }
    }

    /// The create form with the default project and the first of its issue types preselected, unless there is a project
    /// already.
    pub(crate) async fn filled_create_view(&self, mut state: ModalState, mut inputs: CreateInputs) -> View {
        let mut notices = Vec::new();
        match self.fill(&mut state, &mut inputs).await {
            Ok(beyond) => notices.extend(beyond),
            Err(error) if error.is_outage() => return away_view(&self.modals, &state, &inputs, &error),
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "the default project can't be preselected");
                notices.push(sentence(&texts::failures::jira::failed(&error)));
            }
        }
        create_view(&self.modals, &state, &inputs, &notices)
    }

    /// "Try again" in a form that Jira had nothing for: the same form, with what was typed and what Jira says now.
    pub(crate) async fn reload(&self, action: BlockAction) {
        let Some(view) = action.view else { return };
        let own = self.modals.own_state(CREATE_ISSUE, &view.private_metadata, &action.user);
        let Some(state) = own else {
            return note_foreign_button(&action.user);
        };
        let inputs = CreateInputs::read(&state.asked, &view.values);
        // Slack keeps what an input shows for as long as the input is there, even if that is nothing.
        let loading = self.modals.sentence(
            texts::issues::created::CREATE_TITLE,
            &state.origin,
            texts::issues::forms::LOADING,
        );
        self.modals.update(&view.id, &loading).await;
        let form = self.filled_create_view(state, inputs).await;
        self.modals.update(&view.id, &form).await;
    }

    /// The form for stories under an epic with what was typed behind it, or why there is none.
    pub(crate) async fn filled_stories_view(
        &self,
        mut state: ModalState,
        sight: &Sight,
        epic: &IssueKey,
        typed: &str,
    ) -> View {
        let (title, origin) = (texts::issues::stories::TITLE, state.origin.clone());
        match read_epic(&self.jira, sight, epic).await {
            Ok(found) => {
                state.epic = Some(found.issue.key.as_str().to_owned());
                let place = (found.project_key.as_str(), found.story_type.id.as_str());
                let screen = self.screens.read_if_soon(place, SCREEN_PATIENCE).await.unwrap_or_default();
                (state.project, state.issue_type) = (Some(place.0.to_owned()), Some(place.1.to_owned()));
                let heading = texts::issues::stories::new_under(&found.issue.key, &found.issue.summary);
                let mut heading = vec![Block::Paragraph(heading)];
                // The epic's own title may have been copied along.
                let typed = if is_title(typed, &found.issue.summary) { "" } else { typed };
                let (stories, left_out) = fitting(typed);
                if left_out > 0 {
                    heading.push(sentence(&texts::issues::stories::left_out(left_out)));
                }
                heading.extend(self.screens.beyond(&screen, &story_place(&state)).await);
                stories_view(&self.modals, &state, &heading, stories, &Demanded::of(screen))
            }
            Err(NoEpic::Refused(reason)) => self.modals.sentence(title, &origin, &reason),
            Err(NoEpic::Away(reason)) => {
                let (stories, left_out) = fitting(typed);
                let mut heading = vec![sentence(&reason), sentence(texts::issues::forms::NOTHING_LOST)];
                if left_out > 0 {
                    heading.push(sentence(&texts::issues::stories::left_out(left_out)));
                }
                let again = ViewButton::new(RELOAD_STORIES, texts::issues::forms::TRY_AGAIN, "");
                stories_view(&self.modals, &state, &heading, stories, &Demanded::default())
                    .with_block(ViewBlock::Actions(vec![again]))
            }
        }
    }

    /// "Try again" where Jira didn't say what an epic is.
    pub(crate) async fn reload_stories(&self, action: BlockAction) {
        let Some(view) = action.view else { return };
        let own = self.modals.own_state(CREATE_STORIES, &view.private_metadata, &action.user);
        let Some(state) = own else {
            return note_foreign_button(&action.user);
        };
        let typed = view.values.text(STORIES).unwrap_or_default();
        let epic = state.epic.as_deref().and_then(|epic| IssueKey::parse(epic).ok());
        let (Some(epic), Ok(IntentPlace { channel, user })) = (epic, state.origin.place()) else { return };
        let sight = self.access.sight(&channel, &user).await;
        let form = self.filled_stories_view(state, &sight, &epic, typed).await;
        self.modals.update(&view.id, &form).await;
    }

    /// Puts in what Jira says. Returns what else the person has to know.
    async fn fill(
        &self,
        state: &mut ModalState,
        inputs: &mut CreateInputs,
    ) -> Result<Option<Block>, JiraError> {
        let chosen = inputs.project.as_ref().map(|choice| choice.value.clone());
        let key = match self.project_in(&state.origin, chosen).await {
            Ok(key) => key,
            Err(reason) => {
                // There is nothing to put in, but people who try again want to know whether Jira is back.
                self.jira.search_projects("", 1, deadline(LOOK_UP_PATIENCE)).await?;
                return Ok(reason.as_deref().map(sentence));
            }
        };
        let deadline = deadline(LOOK_UP_PATIENCE);
        let (project, types) = tokio::try_join!(
            self.jira.get_project(&key, deadline),
            self.jira.get_issue_types(&key, deadline)
        )?;
        let (Some(project), Some(types)) = (project, types) else {
            tracing::warn!(project = key, "JIRA_DEFAULT_PROJECT isn't a project that MARO can see");
            return Ok(None);
        };
        inputs.project = Some(project_choice(&project));
        let is_chosen = |issue_type: &&IssueType| {
            inputs.issue_type.as_ref().is_some_and(|choice| choice.value == issue_type.id)
        };
        let Some(issue_type) = types.iter().find(is_chosen).or_else(|| usual_type(&types)) else {
            return Ok(None);
        };
        inputs.issue_type = Some(issue_type_choice(issue_type));
        (state.project, state.issue_type) = (Some(key.clone()), Some(issue_type.id.clone()));
        let place = (key.as_str(), issue_type.id.as_str());
        let screen = self.screens.read_if_soon(place, SCREEN_PATIENCE).await.unwrap_or_default();
        *inputs = std::mem::take(inputs).on(&screen);
        Ok(self.screens.beyond(&screen, inputs).await)
    }

    /// The project that was chosen, or the default one, if its issues may be shown there.
    ///
    /// # Errors
    /// There is none, and the person has to know why if it isn't about this project.
    async fn project_in(&self, origin: &Origin, chosen: Option<String>) -> Result<String, Option<String>> {
        let (Some(key), Ok(IntentPlace { channel, user })) =
            (chosen.or_else(|| self.default_project.clone()), origin.place())
        else {
            return Err(self.nothing_created(origin).await);
        };
        let sight = self.access.sight(&channel, &user).await;
        let Err(rule) = sight.sees_project(&key).await else { return Ok(key) };
        let is_about_person = sight.project(&key).is_ok() && rule != Rule::NotVisible;
        Err(match is_about_person {
            true => Some(texts::rights::access::not_created(&key, &rule)),
            false => self.nothing_created(origin).await,
        })
    }

    /// Why no issue can be created from somewhere, whatever its project, if so.
    async fn nothing_created(&self, origin: &Origin) -> Option<String> {
        let IntentPlace { channel, user } = origin.place().ok()?;
        let rule = self.access.sight(&channel, &user).await.anything().await.err()?;
        Some(texts::rights::access::nothing_created(&rule))
    }
}

/// Whether words are the title of an issue, as people copy it from a list: perhaps with its status.
fn is_title(words: &str, summary: &str) -> bool {
    let rest = words.get(..summary.len()).filter(|start| start.eq_ignore_ascii_case(summary));
    rest.is_some_and(|_| {
        let behind = words[summary.len()..].trim();
        behind.is_empty() || behind.starts_with('(') && behind.ends_with(')')
    })
}

/// People usually mean a story or task rather than an epic or a bug.
fn usual_type(types: &[IssueType]) -> Option<&IssueType> {
    let usual = || types.iter().filter(|issue_type| issue_type.hierarchy_level == 0);
    usual().find(|issue_type| !issue_type.is_bug()).or_else(|| usual().next()).or(types.first())
}
