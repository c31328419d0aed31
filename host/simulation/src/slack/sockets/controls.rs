//! Lets the owner of the simulated workspace look at the bot's sockets, and break them.

use std::{sync::atomic::Ordering, time::Duration};

use crate::slack::{
    server::SimulatedSlack,
    sockets::{DisconnectReason, Order},
};

/// How long [`SimulatedSlack::wait_for_sockets`] waits.
const PATIENCE: Duration = Duration::from_secs(20);

impl SimulatedSlack {
    /// How many sockets the bot has open.
    pub fn sockets(&self) -> usize {
        self.shared.sockets.state().connections.len()
    }

    /// Waits up to 20 s until the bot has exactly `count` sockets open. Returns whether it does.
    pub async fn wait_for_sockets(&self, count: usize) -> bool {
        let look = || (self.sockets() == count).then_some(());
        self.shared.changes.wait_until(PATIENCE, look).await.is_some()
    }

    /// Ends all sockets for this reason.
    pub fn disconnect_sockets(&self, reason: DisconnectReason) {
        self.shared.sockets.order(None, || Order::Disconnect(reason));
    }

    /// Breaks off all sockets without notice.
    pub fn drop_sockets(&self) {
        self.shared.sockets.order(None, || Order::Drop);
    }

    /// Breaks off the socket of the next envelope, once that is sent.
    pub fn drop_socket_after_next_envelope(&self) {
        self.shared.sockets.drops_next.store(true, Ordering::Release);
    }
}
