//! Every sentence that the host itself says to people in Slack.
//!
//! Plugins bring their own words; the failures of a capability are worded here, so that each sounds the
//! same in every subcommand and no internal text ever reaches Slack.

use std::time::Duration;

use crate::{jira::error::JiraError, tracker::TrackerError};

pub const HELP_HEADING: &str = "MARO keeps the Jira issues that this channel tracks:";
pub const HELP_SUMMARY: &str = "Shows what you can type, or how one subcommand is used";
pub const PLUGINS_SUMMARY: &str = "Shows the installed plugins and how they do";
pub const NO_PLUGINS: &str =
    "No subcommands are installed. Whoever runs MARO has to put plugins into its plugins folder.";
pub const USAGE: &str = "Type ";
pub const UNKNOWN_SUBCOMMAND: &str = "MARO has no subcommand ";
pub const DID_YOU_MEAN: &str = "Did you mean ";
pub const LISTS_ALL: &str = " lists them all.";
pub const PLUGINS_HEADING: &str = "Installed plugins:";
pub const PLUGINS_USAGE: &str =
    "Type /maro plugins for the list, or /maro plugins reload to load the folder anew.";
pub const PLUGINS_UNREADABLE: &str =
    "The plugins folder cannot be read; what was loaded before serves on. The log says why.";
pub const ADMINS_ONLY: &str = "Only administrators of MARO can do this.";

/// Jira could not be asked. None of these says that an issue does not exist.
pub fn jira_error(error: &JiraError) -> String {
    match error {
        JiraError::Unauthorized => {
            "Jira does not accept MARO's credentials. Nothing was changed; whoever runs MARO has to renew them."
                .to_owned()
        }
        JiraError::Forbidden => {
            "Jira does not allow MARO to do this. Nothing was changed; whoever runs MARO can ask a Jira \
             administrator for the permission."
                .to_owned()
        }
        JiraError::RateLimited { retry_after } => {
            format!("Jira is limiting MARO's requests. Nothing was changed; try again in {}.", wait(*retry_after))
        }
        JiraError::Unreachable { .. } => {
            "Jira cannot be reached at the moment. Nothing was changed; try again in a few minutes.".to_owned()
        }
        JiraError::TimedOut => {
            "Jira did not answer in time. Nothing was changed; try again in a few minutes.".to_owned()
        }
        JiraError::InvalidResponse { .. } => {
            "Jira gave an answer that MARO does not understand. Nothing was changed; if it happens again, tell \
             whoever runs MARO."
                .to_owned()
        }
    }
}

/// The lists could not be read or changed.
pub fn tracker_error(_error: &TrackerError) -> String {
    "MARO cannot reach its database at the moment. Nothing was changed; try again in a minute.".to_owned()
}

/// A plugin called a capability that its operator did not grant.
pub fn denied(grant: &str) -> String {
    format!("This subcommand is not allowed to use {grant}. Whoever runs MARO can grant it.")
}

/// A plugin asked a capability for something impossible.
pub fn invalid_argument(what: &str) -> String {
    format!("This subcommand asked MARO for something impossible: {what}.")
}

/// A plugin trapped, broke a limit or answered nonsense. The operator finds the rest under the id.
pub fn plugin_fault(subcommand: &str, incident: &str) -> String {
    format!("/maro {subcommand} failed because of a fault in it. If you report this, mention {incident}.")
}

/// A plugin ran out of time.
pub fn plugin_timed_out(subcommand: &str, incident: &str) -> String {
    format!("/maro {subcommand} took too long and was stopped. If you report this, mention {incident}.")
}

/// Too many commands at once.
pub fn busy() -> String {
    "MARO is busy with other commands. Nothing was changed; try again in a moment.".to_owned()
}

/// The host itself is at fault.
pub fn internal_fault(incident: &str) -> String {
    format!("MARO could not do this because of a fault of its own. If you report this, mention {incident}.")
}

/// A waiting time in words, rounded up.
fn wait(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    match seconds {
        0 | 1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", seconds.div_ceil(60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_said_in_words() {
        for (duration, words) in [
            (Duration::ZERO, "a second"),
            (Duration::from_millis(1_200), "2 seconds"),
            (Duration::from_secs(90), "90 seconds"),
            (Duration::from_secs(91), "2 minutes"),
            (Duration::from_secs(3_600), "60 minutes"),
        ] {
            assert_eq!(wait(duration), words);
        }
    }
}
