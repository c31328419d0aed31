//! Opens modals: a command or a shortcut opens one at once, and only then is Jira asked.

use std::{future::ready, sync::Arc};

use tokio_util::task::TaskTracker;

use crate::{
    form::{
        create::{
            message_text::described,
            screens::Screens,
            views::{CREATE_ISSUE, CreateInputs, MAX_SUMMARY_LENGTH},
        },
        modal::{modal_calls::Modals, state::ModalState},
    },
    intents::records::Origin,
    stories::epic_key::{self, NotOneEpic},
};
use maro_access::Access;
use maro_domain::{
    command_name::CommandName,
    ids::{ChannelId, UserId},
    reply::Reply,
    typed_keys::NoKey,
    words::Site,
};
use maro_jira::client::JiraClient;
use maro_process::telemetry::error_chain;
use maro_slack::{
    interaction::{MessageShortcut, Shortcut},
    words::emoji,
    words::parse_markup,
    words::title::{cut_between_words, title_as_typed, title_of},
};
use maro_texts as texts;

const CREATE_FROM_MESSAGE: &str = "create_from_message";

/// The shortcut that opens no form: it tracks the issues that a message names.
pub const TRACK_FROM_MESSAGE: &str = "track_from_message";

/// Opens forms.
pub(crate) struct Opener {
    pub(crate) jira: Arc<JiraClient>,
    pub(crate) modals: Arc<Modals>,
    /// Whose links count.
    pub(crate) site: Site,
    /// The project that the create form preselects.
    pub(crate) default_project: Option<String>,
    pub(crate) access: Arc<Access>,
    pub(crate) screens: Arc<Screens>,
    /// Work that outlives the request it came with.
    pub(crate) tasks: TaskTracker,
}

impl Opener {
    /// `/maro create [summary]`: opens the create modal. Returns a reply only if that fails.
    pub(crate) async fn open_create(
        self: &Arc<Self>,
        origin: CommandOrigin<'_>,
        typed: &str,
    ) -> Option<Reply> {
        let (trigger_id, place) = (origin.trigger_id.to_owned(), origin.into_origin());
        let opened = if parse_markup::nameless(typed).is_empty() {
            self.open_create_form(&trigger_id, place, inputs_as_typed(typed)).await
        } else {
            // Slack is asked for names, which may take longer than the trigger lasts.
            let (opener, typed) = (Arc::clone(self), typed.to_owned());
            let inputs =
                async move { inputs_as_typed(&opener.modals.announcer.slack.with_names(&typed).await) };
            self.open_create_later(&trigger_id, place, inputs).await
        };
        opened.err().map(Reply::sentence)
    }

    /// The shortcut on a message: the same, with the message's text and a link to it.
    ///
    /// # Errors
    /// The sentence for the person, who otherwise waits for a form.
    pub(crate) async fn open_create_from_message(
        self: &Arc<Self>,
        shortcut: &MessageShortcut,
    ) -> Result<(), &'static str> {
        if shortcut.callback_id != CREATE_FROM_MESSAGE {
            tracing::debug!(callback_id = shortcut.callback_id, "an unknown shortcut was left alone");
            return Ok(());
        }
        let slack = &self.modals.announcer.slack;
        let permalink = slack.get_permalink(&shortcut.channel, &shortcut.message_ts);
        let words = slack.with_names(&shortcut.words.text);
        let mut origin = Origin {
            channel: shortcut.channel.as_str().to_owned(),
            user: shortcut.user.as_str().to_owned(),
            thread_ts: Some(shortcut.thread_ts.clone().unwrap_or_else(|| shortcut.message_ts.clone())),
            permalink: None,
            team: shortcut.team.clone(),
            command_name: None,
        }
        .called(&self.modals.announcer.renderer.command_in_use.name());
        // The trigger lasts three seconds. So a loading view opens first, and the link comes with the form.
        let loading = self.modals.sentence(
            texts::issues::created::CREATE_TITLE,
            &origin,
            texts::issues::forms::LOADING,
        );
        let opened = self.modals.open(&shortcut.trigger_id, &loading).await?;
        let (permalink, words) = tokio::join!(permalink, words);
        match permalink {
            Ok(permalink) => origin.permalink = Some(permalink),
            Err(error) => tracing::warn!(error = error_chain(&error), "couldn't get a message's permalink"),
        }
        let inputs = CreateInputs {
            summary: match &shortcut.words.name {
                Some(name) => cut(name, MAX_SUMMARY_LENGTH),
                None => title_of(&words),
            },
            description: described(
                &parse_markup::to_typed(&emoji::shown(&words)),
                origin.permalink.as_deref(),
            ),
            ..CreateInputs::default()
        };
        let view = self.filled_create_view(ModalState::new(origin), inputs).await;
        self.modals.update(&opened.id, &view).await;
        Ok(())
    }

    /// The shortcut from anywhere in Slack. It has no channel, so the form asks for one.
    ///
    /// # Errors
    /// The sentence for the person, who otherwise waits for a form.
    pub(crate) async fn open_create_from_anywhere(
        self: &Arc<Self>,
        shortcut: &Shortcut,
    ) -> Result<(), &'static str> {
        if shortcut.callback_id != CREATE_ISSUE {
            tracing::debug!(callback_id = shortcut.callback_id, "an unknown shortcut was left alone");
            return Ok(());
        }
        let origin = Origin { team: shortcut.team.clone(), ..Origin::nowhere(&shortcut.user) };
        let origin = origin.called(&self.modals.announcer.renderer.command_in_use.name());
        self.open_create_form(&shortcut.trigger_id, origin, CreateInputs::default()).await
    }

    async fn open_create_form(
        self: &Arc<Self>,
        trigger_id: &str,
        origin: Origin,
        inputs: CreateInputs,
    ) -> Result<(), &'static str> {
        self.jira.expect_project_search();
        if self.default_project.is_none() {
            // There is nothing to look up, so the form can open at once.
            let state = ModalState::new(origin);
            let opened = self.modals.open(trigger_id, &self.empty_create_view(&state, &inputs)).await?;
            let opener = Arc::clone(self);
            self.tasks.spawn(async move { opener.explain_empty(&opened.id, &state, &inputs).await });
            return Ok(());
        }
        self.open_create_later(trigger_id, origin, ready(inputs)).await
    }

    /// A form that is filled once it's known with what.
    async fn open_create_later(
        self: &Arc<Self>,
        trigger_id: &str,
        origin: Origin,
        inputs: impl Future<Output = CreateInputs> + Send + 'static,
    ) -> Result<(), &'static str> {
        let loading = self.modals.sentence(
            texts::issues::created::CREATE_TITLE,
            &origin,
            texts::issues::forms::LOADING,
        );
        let opened = self.modals.open(trigger_id, &loading).await?;
        let opener = Arc::clone(self);
        self.tasks.spawn(async move {
            let view = opener.filled_create_view(ModalState::new(origin), inputs.await).await;
            opener.modals.update(&opened.id, &view).await;
        });
        Ok(())
    }

    /// `/maro stories EPIC-1`: opens a modal, checks the epic, and asks for the titles.
    pub(crate) async fn open_stories(
        self: &Arc<Self>,
        origin: CommandOrigin<'_>,
        typed: &str,
    ) -> Option<Reply> {
        let (epic, stories) = match epic_key::read(typed, &self.site) {
            Ok(read) => read,
            Err(NotOneEpic::NoKey(NoKey::OtherSite)) => {
                return Some(Reply::sentence(texts::issues::typed_keys::OTHER_SITE));
            }
            Err(NotOneEpic::NoKey(NoKey::NoIssue(link))) => {
                return Some(Reply::line(texts::issues::typed_keys::not_a_key(&link)));
            }
            Err(NotOneEpic::NoKey(NoKey::Unclear)) => {
                return Some(Reply::line(texts::issues::stories::which_epic()));
            }
            Err(NotOneEpic::Several(epics)) => {
                return Some(Reply::line(texts::issues::stories::one_epic_at_a_time(&epics)));
            }
        };
        let sight = self.access.sight(origin.channel, origin.user).await;
        if let Err(rule) = sight.project(epic.project_key()) {
            return Some(Reply::sentence(texts::rights::access::withheld(epic.as_str(), rule)));
        }
        let stories = title_as_typed(stories);
        let trigger_id = origin.trigger_id.to_owned();
        let origin = origin.into_origin();
        let loading =
            self.modals.sentence(texts::issues::stories::TITLE, &origin, texts::issues::forms::LOADING);
        let opened = match self.modals.open(&trigger_id, &loading).await {
            Ok(opened) => opened,
            Err(sentence) => return Some(Reply::sentence(sentence)),
        };
        let opener = Arc::clone(self);
        self.tasks.spawn(async move {
            let state = ModalState { epic: Some(epic.as_str().to_owned()), ..ModalState::new(origin) };
            let view = opener.filled_stories_view(state, &sight, &epic, &stories).await;
            opener.modals.update(&opened.id, &view).await;
        });
        None
    }
}

/// Where a slash command was typed, as far as it knows.
#[derive(Debug, Clone, Copy)]
pub struct CommandOrigin<'a> {
    pub channel: &'a ChannelId,
    pub user: &'a UserId,
    pub team: Option<&'a str>,
    pub trigger_id: &'a str,
    pub command_name: &'a CommandName,
}

impl CommandOrigin<'_> {
    fn into_origin(self) -> Origin {
        Origin {
            channel: self.channel.as_str().to_owned(),
            user: self.user.as_str().to_owned(),
            thread_ts: None,
            permalink: None,
            team: self.team.map(str::to_owned),
            command_name: None,
        }
        .called(self.command_name)
    }
}

/// What was typed as a summary, in the form: the first line with words, up to the end of one. If that isn't all, the
/// description has the whole of it.
fn inputs_as_typed(mrkdwn: &str) -> CreateInputs {
    let typed = title_as_typed(mrkdwn);
    let has_words = |line: &&str| line.contains(char::is_alphanumeric);
    let line = typed.lines().map(str::trim).find(has_words).unwrap_or_else(|| typed.trim());
    let summary = cut_between_words(line, MAX_SUMMARY_LENGTH);
    let description = if summary == typed.trim() {
        String::new()
    } else {
        described(&parse_markup::to_typed(&emoji::shown(mrkdwn)), None)
    };
    CreateInputs { summary, description, ..CreateInputs::default() }
}

/// At most `length` UTF-16 units of one trimmed text, which is how Slack and Jira count.
fn cut(text: &str, length: usize) -> String {
    let mut units = 0;
    let fits = |letter: &char| {
        units += letter.len_utf16();
        units <= length
    };
    text.trim().chars().take_while(fits).collect()
}
