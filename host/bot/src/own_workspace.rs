//! Learning which workspace the bot belongs to, and so who its admins are.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::services::Services;

/// Asks Slack until `shutdown`. Admins who are written with the bot's own workspace count once it's known.
pub(crate) fn learn(services: &Services, shutdown: CancellationToken) -> impl Future<Output = ()> + use<> {
    let (slack, memory) = (Arc::clone(&services.slack), Arc::clone(&services.stores.workspace));
    let (workspace, admins) = (Arc::clone(&services.workspace), services.admins.clone());
    let learning = Arc::clone(&workspace).learn(slack, memory, services.clock.clone(), shutdown.clone());
    async move {
        let recognised = async {
            workspace.until_known().await;
            let known = workspace.in_own_terms(&admins.get());
            admins.set(known);
        };
        tokio::join!(learning, shutdown.run_until_cancelled(recognised));
    }
}
