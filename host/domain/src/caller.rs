//! Whose command it is.

use crate::ids::{ChannelId, UserId};

/// Who typed a command, and where. Bound by the host; a guest can neither see nor change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub channel: ChannelId,
    pub user: UserId,
    /// What Slack calls the person, if it said so.
    pub user_name: Option<String>,
}
