//! What a plugin may do is what its operator says, where and for whom; and what it does leaves a line.

pub(crate) mod denials;
mod outbound;
mod outbound_limits;
mod scopes;
mod values;

use std::net::SocketAddr;

use maro_runtime::outbound::addresses::Reach;

use crate::{bot::TestBot, built_components::PluginsFolder};

/// All that the fixture uses.
const GRANTS: &str = "grants = [\"storage\", \"settings\", \"clock\", \"http\"]\n";

/// The bot with the fixture `capable`, and more in its manifest.
async fn capable_bot(more: &str) -> TestBot {
    TestBot::with_plugins(with_capable(more)).await
}

pub(crate) fn with_capable(more: &str) -> PluginsFolder {
    PluginsFolder::shipped().with_fixture("capable", "capable", &format!("{GRANTS}{more}"))
}

/// The bot with the fixture, which may reach a service.
pub(crate) async fn capable_bot_reaching(service: SocketAddr, reach: Reach) -> TestBot {
    outbound::bot_reaching(service, reach, "").await
}
