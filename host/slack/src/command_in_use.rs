//! What people call the command. No answer of Slack tells it, so it's known from the latest command.

use std::sync::{Arc, PoisonError, RwLock};

use maro_domain::command_name::CommandName;

/// The name in use, which all copies of this share.
#[derive(Debug, Clone, Default)]
pub struct CommandInUse(Arc<RwLock<CommandName>>);

impl CommandInUse {
    /// A command with this name was typed.
    pub fn learn(&self, name: &CommandName) {
        if self.name() != *name {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = name.clone();
        }
    }

    /// The usual name until one is known.
    pub fn name(&self) -> CommandName {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
