//! The ways in: a command or a shortcut opens a modal at once, and Jira is asked after that.

use std::sync::Arc;

use crate::{
    LOOK_UP_PATIENCE, Tickets, deadline, epic_key,
    record::{ModalState, Origin},
    texts,
    views::{CREATE_FROM_MESSAGE, CREATE_ISSUE, CreateForm, MAX_SUMMARY_LENGTH},
};
use maro_domain::{
    ids::{ChannelId, UserId},
    reply::Reply,
    ticket::{IssueType, Project},
};
use maro_jira::epic::EpicLookup;
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::{MessageShortcut, Shortcut},
    markup,
    view::{View, input::Choice},
    web_api::error::ApiError,
};

impl Tickets {
    /// `/maro create [summary]`: opens the create modal. A reply only if that fails.
    pub async fn open_create(self: &Arc<Self>, origin: CommandOrigin<'_>, summary: &str) -> Option<Reply> {
        let form = CreateForm { summary: cut(summary, MAX_SUMMARY_LENGTH), ..CreateForm::default() };
        self.open_create_form(origin.trigger_id, origin.into_origin(), form).await.err().map(Reply::sentence)
    }

    /// The shortcut on a message: as above, with the message's text and a link to it.
    pub async fn open_create_from_message(self: &Arc<Self>, shortcut: MessageShortcut) {
        if shortcut.callback_id != CREATE_FROM_MESSAGE {
            tracing::debug!(callback_id = shortcut.callback_id, "an unknown shortcut was left alone");
            return;
        }
        let permalink = self.slack.get_permalink(&shortcut.channel, &shortcut.message_ts);
        let mut origin = Origin {
            channel: shortcut.channel.as_str().to_owned(),
            user: shortcut.user.as_str().to_owned(),
            thread_ts: Some(shortcut.thread_ts.clone().unwrap_or_else(|| shortcut.message_ts.clone())),
            permalink: None,
            team: shortcut.team.clone(),
        };
        // The trigger waits three seconds; the link comes with the form, after the loading view.
        let loading = self.sentence_view(texts::issues::CREATE_TITLE, &origin, texts::forms::LOADING);
        let opened = match self.slack.open_view(&shortcut.trigger_id, &loading).await {
            Ok(opened) => opened,
            Err(error) => {
                let _ = self.modal_not_opened(&error);
                return;
            }
        };
        match permalink.await {
            Ok(permalink) => origin.permalink = Some(permalink),
            Err(error) => tracing::warn!(error = error_chain(&error), "a message has no link"),
        }
        let mut description = markup::to_typed(&shortcut.text);
        if let Some(permalink) = &origin.permalink {
            description = format!("{description}\n\n{permalink}");
        }
        let title = markup::to_title(&shortcut.text);
        let form = CreateForm {
            summary: cut(title.trim_start().lines().next().unwrap_or_default(), MAX_SUMMARY_LENGTH),
            description: cut(description.trim(), 3_000),
            ..CreateForm::default()
        };
        let view = self.filled_create_view(origin, form).await;
        self.update(&opened.id, &view).await;
    }

    /// The shortcut from anywhere in Slack, which comes from no channel: the form asks for one.
    pub async fn open_create_from_anywhere(self: &Arc<Self>, shortcut: Shortcut) {
        if shortcut.callback_id != CREATE_ISSUE {
            tracing::debug!(callback_id = shortcut.callback_id, "an unknown shortcut was left alone");
            return;
        }
        let origin = Origin {
            channel: shortcut.user.as_str().to_owned(),
            user: shortcut.user.as_str().to_owned(),
            thread_ts: None,
            permalink: None,
            team: shortcut.team,
        };
        // Why it did not open is in the log; there is no channel to say it in.
        let _ = self.open_create_form(&shortcut.trigger_id, origin, CreateForm::default()).await;
    }

    async fn open_create_form(
        self: &Arc<Self>,
        trigger_id: &str,
        origin: Origin,
        form: CreateForm,
    ) -> Result<(), &'static str> {
        if self.default_project.is_none() {
            // Nothing to look up: the form can open as it is.
            let view = self.create_view(&self.new_state(origin), &form, &[]);
            return self
                .slack
                .open_view(trigger_id, &view)
                .await
                .map(drop)
                .map_err(|error| self.modal_not_opened(&error));
        }
        let loading = self.sentence_view(texts::issues::CREATE_TITLE, &origin, texts::forms::LOADING);
        let opened = self
            .slack
            .open_view(trigger_id, &loading)
            .await
            .map_err(|error| self.modal_not_opened(&error))?;
        let tickets = Arc::clone(self);
        self.tasks.spawn(async move {
            let view = tickets.filled_create_view(origin, form).await;
            tickets.update(&opened.id, &view).await;
        });
        Ok(())
    }

    /// The create form with the default project and the first of its issue types preselected.
    async fn filled_create_view(&self, origin: Origin, mut form: CreateForm) -> View {
        let mut notices = Vec::new();
        if let Some(key) = &self.default_project {
            let deadline = deadline(LOOK_UP_PATIENCE);
            let (project, types) =
                tokio::join!(self.jira.get_project(key, deadline), self.jira.get_issue_types(key, deadline));
            match (project, types) {
                (Ok(Some(project)), Ok(Some(types))) => {
                    form.project = Some(project_choice(&project));
                    // A story or task is what people mean; epics have other ways in.
                    let usual = types.iter().find(|issue_type| issue_type.hierarchy_level == 0);
                    form.issue_type = usual.or(types.first()).map(issue_type_choice);
                }
                (Err(error), _) | (_, Err(error)) => {
                    tracing::warn!(error = error_chain(&error), "the default project cannot be preselected");
                    notices.push(texts::jira::failed(&error));
                }
                _ => tracing::warn!(project = key, "JIRA_DEFAULT_PROJECT is not a project that MARO can see"),
            }
        }
        self.create_view(&self.new_state(origin), &form, &notices)
    }

    /// `/maro stories EPIC-1`: opens a modal, checks the epic, and asks for the titles.
    pub async fn open_stories(self: &Arc<Self>, origin: CommandOrigin<'_>, arguments: &str) -> Option<Reply> {
        let Some(epic) = epic_key::parse(arguments) else {
            return Some(Reply::line(texts::stories::which_epic()));
        };
        let trigger_id = origin.trigger_id.to_owned();
        let origin = origin.into_origin();
        let loading = self.sentence_view(texts::stories::TITLE, &origin, texts::forms::LOADING);
        let opened = match self.slack.open_view(&trigger_id, &loading).await {
            Ok(opened) => opened,
            Err(error) => return Some(Reply::sentence(self.modal_not_opened(&error))),
        };
        let tickets = Arc::clone(self);
        self.tasks.spawn(async move {
            let view = match tickets.jira.get_epic(&epic, deadline(LOOK_UP_PATIENCE)).await {
                Ok(EpicLookup::Epic(found)) => {
                    let mut state = tickets.new_state(origin);
                    state.epic = Some(found.issue.key.as_str().to_owned());
                    let heading = texts::stories::new_under(&found.issue.key, &found.issue.summary);
                    tickets.stories_view(&state, heading, "")
                }
                Ok(EpicLookup::NotAnEpic { issue, type_name }) => {
                    let text = texts::stories::not_an_epic(issue.key.as_str(), &type_name);
                    tickets.sentence_view(texts::stories::TITLE, &origin, &text)
                }
                Ok(EpicLookup::NoStoryType { project_key, .. }) => tickets.sentence_view(
                    texts::stories::TITLE,
                    &origin,
                    &texts::stories::no_story_type(&project_key),
                ),
                Ok(EpicLookup::Missing) => tickets.sentence_view(
                    texts::stories::TITLE,
                    &origin,
                    &texts::jira::not_found(epic.as_str()),
                ),
                Err(error) => {
                    tickets.sentence_view(texts::stories::TITLE, &origin, &texts::jira::failed(&error))
                }
            };
            tickets.update(&opened.id, &view).await;
        });
        None
    }

    /// Shows another view in an open modal. People close modals; that is no error.
    pub(super) async fn update(&self, view_id: &str, view: &View) -> bool {
        match self.slack.update_view(view_id, view).await {
            Ok(_) => true,
            Err(error) => {
                tracing::warn!(error = error_chain(&error), "a modal was not updated");
                false
            }
        }
    }

    fn modal_not_opened(&self, error: &ApiError) -> &'static str {
        tracing::error!(error = error_chain(error), "a modal was not opened");
        match error {
            ApiError::TriggerExpired => texts::forms::OPENED_TOO_LATE,
            _ => texts::forms::NOT_OPENED,
        }
    }

    pub(super) fn new_state(&self, origin: Origin) -> ModalState {
        let intent_id = format!("{:032x}", rand::random::<u128>());
        ModalState { intent_id, origin, candidates: Vec::new(), project: None, epic: None }
    }
}

/// What a slash command knows of where it was typed.
#[derive(Debug, Clone, Copy)]
pub struct CommandOrigin<'a> {
    pub channel: &'a ChannelId,
    pub user: &'a UserId,
    pub team: Option<&'a str>,
    pub trigger_id: &'a str,
}

impl CommandOrigin<'_> {
    fn into_origin(self) -> Origin {
        Origin {
            channel: self.channel.as_str().to_owned(),
            user: self.user.as_str().to_owned(),
            thread_ts: None,
            permalink: None,
            team: self.team.map(str::to_owned),
        }
    }
}

pub(super) fn project_choice(project: &Project) -> Choice {
    Choice::new(&project.key, format!("{} ({})", project.name, project.key))
}

pub(super) fn issue_type_choice(issue_type: &IssueType) -> Choice {
    Choice::new(&issue_type.id, &issue_type.name)
}

/// At most `length` characters of one trimmed text.
fn cut(text: &str, length: usize) -> String {
    text.trim().chars().take(length).collect()
}
