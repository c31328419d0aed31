//! What Slack sends, over HTTP or Socket Mode, and how it's answered.

mod answer_deadlines;
pub(super) mod answers;
pub(super) mod buttons;
pub(super) mod channel_events;
pub(super) mod commands;
pub(super) mod events;
pub(super) mod home;
pub(super) mod interactions;
pub(super) mod presser;
pub(super) mod response_url_answers;
pub(crate) mod socket;
pub(super) mod telling_one_person;
