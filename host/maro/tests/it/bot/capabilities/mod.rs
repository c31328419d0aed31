//! What a plugin may do is what its operator says, where and for whom; and what it does leaves a line.

mod outbound;
mod scopes;
mod values;

use crate::{bot::TestBot, plugins::PluginsFolder};

/// All that the fixture uses.
const GRANTS: &str = "grants = [\"storage\", \"settings\", \"clock\", \"http\"]\n";

/// The bot with the fixture `capable`, and more in its manifest.
async fn capable_bot(more: &str) -> TestBot {
    TestBot::with_plugins(with_capable(more)).await
}

fn with_capable(more: &str) -> PluginsFolder {
    PluginsFolder::shipped().with_fixture("capable", "capable", &format!("{GRANTS}{more}"))
}
