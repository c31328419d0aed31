//! What all connections of one bot share.

use std::sync::atomic::AtomicUsize;

use crate::{socket::answers::Answers, web_api::SlackWebApi};
use maro_process::{live::Live, secret::Secret};

/// What all connections share.
pub(super) struct SocketContext {
    pub(super) api: SlackWebApi,
    pub(super) app_token: Live<Secret>,
    pub(super) answers: Answers,
    pub(super) connected: AtomicUsize,
}
