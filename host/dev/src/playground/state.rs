//! What the playground shows, and what its routes share.

use std::{net::SocketAddr, sync::Arc};

use tokio_util::sync::CancellationToken;

use crate::builds::Builds;
use maro_process::clock::Clock;
use maro_runtime::registry::Registry;
use maro_simulation::{jira::server::SimulatedJira, slack::SimulatedSlack};

/// What the page shows.
#[derive(Clone)]
pub struct Playground {
    pub slack: Arc<SimulatedSlack>,
    pub jira: Arc<SimulatedJira>,
    pub registry: Arc<Registry>,
    pub builds: Builds,
    /// The one that the bot and the workspace go by.
    pub clock: Clock,
}

/// What the routes share.
pub(super) struct PlaygroundState {
    pub(super) playground: Playground,
    pub(super) address: SocketAddr,
    /// Identifies this run. Another run has other messages.
    pub(super) session: String,
    pub(super) shutdown: CancellationToken,
}
