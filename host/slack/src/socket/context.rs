//! What all connections of one bot share.

use tokio::sync::watch;

use crate::{socket::answers::Answers, web_api::SlackWebApi};
use maro_process::{http::retry::Backoff, replaceable::Live, secret::Secret};

/// What all connections share.
pub(super) struct SocketContext {
    pub(super) api: SlackWebApi,
    pub(super) app_token: Live<Secret>,
    pub(super) answers: Answers,
    /// How many connections Slack has greeted and not yet ended.
    pub(super) connected: watch::Sender<usize>,
    /// Whether Socket Mode is turned off in the app's settings, as far as is known.
    pub(super) is_off: watch::Sender<bool>,
    /// The pauses while it is.
    pub(super) off_pauses: Backoff,
}

impl SocketContext {
    /// Slack has said that Socket Mode is turned off.
    pub(super) fn turned_off(&self) {
        if !self.is_off.send_replace(true) {
            tracing::error!(
                "Socket Mode is turned off in the Slack app's settings, so MARO hears nothing; it asks again every \
                 few minutes"
            );
        }
    }

    /// Slack has greeted a connection.
    pub(super) fn greeted(&self) {
        if self.is_off.send_replace(false) {
            tracing::info!("Socket Mode is turned on again");
        }
    }
}
