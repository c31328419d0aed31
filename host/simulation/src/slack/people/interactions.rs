//! What people do besides typing commands: fill in and submit modals, press buttons, use shortcuts, write.

use std::time::Duration;

use serde_json::Value;

use crate::slack::{
    modals::{filling, form::ShownChoice, modal::Modal, submission},
    people::{
        act_error::{ActError, SubmitOutcome},
        messages,
        pressing::{self, Press},
    },
    server::SimulatedSlack,
    shown::history::ShownMessage,
    to_bot::{
        delivery, events,
        parcel::{BotAnswer, NoAnswer, Parcel},
    },
};

/// How long [`SimulatedSlack::wait_for_modal`] waits.
const MODAL_PATIENCE: Duration = Duration::from_secs(20);

impl SimulatedSlack {
    /// A person's topmost modal. `None` if there is none, or no such person.
    pub fn modal(&self, user: &str) -> Option<Modal> {
        self.shared.views.top(&self.shared.workspace.person(user)?.id)
    }

    /// Waits up to 20 s until the person's topmost modal satisfies `condition`, and returns it.
    ///
    /// # Errors
    /// [`ActError::NotShown`] with what the person sees instead.
    pub async fn wait_for_modal(
        &self,
        user: &str,
        condition: impl Fn(&Modal) -> bool,
    ) -> Result<Modal, ActError> {
        let person = self.shared.person(user)?;
        let look = || self.shared.views.top(&person.id).filter(&condition);
        let found = self.shared.changes.wait_until(MODAL_PATIENCE, look).await;
        found.ok_or_else(|| ActError::NotShown { shown: self.shared.seen(&person.id) })
    }

    /// Fills in fields of the person's modal, found by action id, block id or label, in this order. Text is
    /// typed, and an option is chosen by its label or value (several are separated by commas). In a select
    /// whose options the bot suggests, the text is typed first, and then a suggested option is chosen.
    ///
    /// # Errors
    /// [`ActError`]. The fields before the wrong one are filled in.
    pub async fn fill(&self, user: &str, values: &[(&str, &str)]) -> Result<Modal, ActError> {
        filling::fill(&self.shared, user, values).await
    }

    /// What the bot suggests when the person types this into a select of the modal. If it is shorter than the
    /// select requires, the bot isn't asked and nothing is suggested.
    ///
    /// # Errors
    /// [`ActError`], also if the bot doesn't answer or its answer is invalid.
    pub async fn suggestions(
        &self,
        user: &str,
        field: &str,
        typed: &str,
    ) -> Result<Vec<ShownChoice>, ActError> {
        filling::suggestions(&self.shared, user, field, typed).await
    }

    /// Submits the person's modal and does what the bot's answer says.
    ///
    /// # Errors
    /// [`ActError`] if there is nothing to submit.
    pub async fn submit(&self, user: &str) -> Result<SubmitOutcome, ActError> {
        submission::submit(&self.shared, user).await
    }

    /// Submits the same modal twice at the same time.
    ///
    /// # Errors
    /// As [`SimulatedSlack::submit`].
    pub async fn submit_twice(&self, user: &str) -> Result<[SubmitOutcome; 2], ActError> {
        submission::submit_twice(&self.shared, user).await
    }

    /// Presses a button in the person's modal: `"Link this one"`, or
    /// `Press::button("Link this one").beside("SCRUM-5")`.
    ///
    /// # Errors
    /// [`ActError`], also if the bot doesn't acknowledge it within 3 s.
    pub async fn press(&self, user: &str, press: impl Into<Press>) -> Result<(), ActError> {
        pressing::in_modal(&self.shared, user, &press.into()).await
    }

    /// As [`SimulatedSlack::press`], in a message.
    ///
    /// # Errors
    /// As [`SimulatedSlack::press`].
    pub async fn press_in(
        &self,
        user: &str,
        message: &ShownMessage,
        press: impl Into<Press>,
    ) -> Result<(), ActError> {
        pressing::in_message(&self.shared, user, message, &press.into()).await
    }

    /// Closes the person's modal. The bot is notified if it asked for that.
    ///
    /// # Errors
    /// [`ActError`] if none is open.
    pub async fn close(&self, user: &str) -> Result<(), ActError> {
        submission::close(&self.shared, user).await
    }

    /// Uses a global shortcut.
    ///
    /// # Errors
    /// [`ActError`], also if the bot doesn't acknowledge it within 3 s.
    pub async fn use_shortcut(&self, user: &str, callback_id: &str) -> Result<(), ActError> {
        messages::use_shortcut(&self.shared, user, callback_id).await
    }

    /// Uses a shortcut on a message.
    ///
    /// # Errors
    /// As [`SimulatedSlack::use_shortcut`].
    pub async fn use_message_shortcut(
        &self,
        user: &str,
        message: &ShownMessage,
        callback_id: &str,
    ) -> Result<(), ActError> {
        messages::use_message_shortcut(&self.shared, user, message, callback_id).await
    }

    /// Writes a plain message.
    ///
    /// # Errors
    /// [`ActError`] if there is no such person or channel.
    pub fn write(&self, user: &str, channel: &str, text: &str) -> Result<ShownMessage, ActError> {
        messages::write(&self.shared, user, channel, text, None)
    }

    /// Writes a message that the bot hears about: in the person's conversation with it, or with `@maro` in a channel.
    ///
    /// # Errors
    /// As [`SimulatedSlack::write`].
    pub async fn write_to_bot(
        &self,
        user: &str,
        channel: &str,
        text: &str,
    ) -> Result<ShownMessage, ActError> {
        events::write(&self.shared, user, channel, text, None).await
    }

    /// Opens the bot's Home tab. What the bot shows there is [`SimulatedSlack::home`] a moment later.
    ///
    /// # Errors
    /// [`ActError`], also if the bot doesn't acknowledge it within 3 s.
    pub async fn open_home(&self, user: &str) -> Result<(), ActError> {
        events::open_home(&self.shared, user).await
    }

    /// The view in a person's Home tab, if the bot has shown any.
    pub fn home(&self, user: &str) -> Option<Value> {
        self.shared.views.home(&self.shared.workspace.person(user)?.id)
    }

    /// As [`SimulatedSlack::write_to_bot`], in the thread below another message.
    ///
    /// # Errors
    /// As [`SimulatedSlack::write`].
    pub async fn reply_to_bot(
        &self,
        user: &str,
        message: &ShownMessage,
        text: &str,
    ) -> Result<ShownMessage, ActError> {
        let thread_ts = message.thread_ts.clone().unwrap_or_else(|| message.ts.clone());
        events::write(&self.shared, user, &message.channel, text, Some(thread_ts)).await
    }

    /// A message of another app, with any of the fields that Slack's messages have. A shortcut on it sends them.
    ///
    /// # Errors
    /// As [`SimulatedSlack::write`].
    pub fn write_as_app(&self, channel: &str, message: Value) -> Result<ShownMessage, ActError> {
        let somebody = &self.shared.workspace.people[0].name;
        messages::write_as_app(&self.shared, somebody, channel, message)
    }

    /// Writes a plain message in the thread below another.
    ///
    /// # Errors
    /// As [`SimulatedSlack::write`].
    pub fn write_reply(
        &self,
        user: &str,
        message: &ShownMessage,
        text: &str,
    ) -> Result<ShownMessage, ActError> {
        let thread_ts = message.thread_ts.as_ref().unwrap_or(&message.ts);
        messages::write(&self.shared, user, &message.channel, text, Some(thread_ts.clone()))
    }

    /// What the bot posted on its own in a channel (by name or id) for everyone to see, oldest first.
    pub fn posted(&self, channel: &str) -> Vec<ShownMessage> {
        let name = channel.strip_prefix('#').unwrap_or(channel);
        let known = self.shared.workspace.channels.iter().find(|channel| channel.name == name);
        let id = known.map_or(name, |channel| channel.id.as_str());
        let is_posted = |message: &ShownMessage| {
            message.is_posted && message.visible_to.is_none() && message.channel == id
        };
        self.messages().into_iter().filter(is_posted).collect()
    }

    /// What Slack would send if the person submitted their modal now: for
    /// [`SimulatedSlack::send_interaction`], as it is or forged.
    ///
    /// # Errors
    /// [`ActError`] if there is nothing to submit.
    pub fn submission(&self, user: &str) -> Result<Value, ActError> {
        submission::payload(&self.shared, user)
    }

    /// As [`SimulatedSlack::submission`], of a button in the person's modal.
    ///
    /// # Errors
    /// [`ActError`] if there is no such button.
    pub fn press_of(&self, user: &str, press: impl Into<Press>) -> Result<Value, ActError> {
        pressing::payload(&self.shared, user, &press.into())
    }

    /// The payloads of all interactions that were sent to the bot, oldest first.
    pub fn interactions(&self) -> Vec<Value> {
        self.shared.sent_interactions()
    }

    /// Sends any payload as a signed interaction: one that Slack would never send, or an old one again.
    ///
    /// # Errors
    /// [`NoAnswer`] if the bot doesn't answer with status 200 within 3 s.
    pub async fn send_interaction(&self, payload: &Value) -> Result<BotAnswer, NoAnswer> {
        delivery::deliver(&self.shared, &Parcel::Interaction(payload.clone())).await
    }

    /// Sends the body of an event, such as an `event_callback`.
    ///
    /// # Errors
    /// As [`SimulatedSlack::send_interaction`].
    pub async fn send_event(&self, body: &Value) -> Result<BotAnswer, NoAnswer> {
        delivery::deliver(&self.shared, &Parcel::Event(body.clone())).await
    }
}
