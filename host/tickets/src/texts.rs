//! Every sentence that the host itself says to people in Slack.
//!
//! Plugins bring their own words; the failures of a capability are worded here, so that each sounds the
//! same in every subcommand and no internal text ever reaches Slack.

use std::time::Duration;

use maro_jira::error::{JiraError, Outage};
use maro_store::tracker::TrackerError;

pub const STORAGE_FULL: &str = "This subcommand has no room left for what it keeps. Nothing was changed; whoever runs MARO can give it more.";

pub const HELP_HEADING: &str = "MARO keeps the Jira issues that this channel tracks:";
pub const HELP_SUMMARY: &str = "Shows what you can type, or how one subcommand is used";
pub const PLUGINS_SUMMARY: &str = "Shows the installed plugins and how they do";
pub const NO_PLUGINS: &str =
    "No subcommands are installed. Whoever runs MARO has to put plugins into its plugins folder.";
pub const USAGE: &str = "Type ";
/// After a command whose plugin is on its way.
pub const IS_BEING_LOADED: &str = " is being loaded. Try again in a moment.";
pub const UNKNOWN_SUBCOMMAND: &str = "MARO has no subcommand ";
pub const DID_YOU_MEAN: &str = "Did you mean ";
pub const LISTS_ALL: &str = " lists them all.";
pub const PLUGINS_HEADING: &str = "Installed plugins:";
pub const PLUGINS_USAGE: &str = "Type /maro plugins for the list. Administrators can also type \
    /maro plugins reload, /maro plugins disable NAME, or /maro plugins enable NAME.";
pub const PLUGINS_UNREADABLE: &str =
    "The plugins folder cannot be read; what was loaded before serves on. The log says why.";
pub const ADMINS_ONLY: &str = "Only administrators of MARO can do this.";
pub const UNKNOWN_PLUGIN: &str = "There is no plugin ";
pub const IS_SWITCHED_OFF_BY: &str = " is switched off, by ";
pub const SWITCHED_OFF_BY: &str = ": switched off by ";
pub const HEALTHY: &str = "healthy";
pub const NOTHING_GRANTED: &str = "nothing granted";
pub const BEING_TRIED: &str = "it failed repeatedly, and the next call tries it again";
pub const NOT_INSTALLED: &str = "not installed";

pub const CREATE_SUMMARY: &str = "Create a ticket, after a look for similar ones";
pub const STORIES_SUMMARY: &str = "Create stories under an epic, one a line";
pub const CREATE_TITLE: &str = "Create a ticket";
pub const CREATE_SUBMIT: &str = "Create";
pub const CHANNEL_LABEL: &str = "Channel";
pub const CHANNEL_MISSING: &str = "Choose a channel.";
pub const PROJECT_LABEL: &str = "Project";
pub const ISSUE_TYPE_LABEL: &str = "Type";
pub const SUMMARY_LABEL: &str = "Summary";
pub const DESCRIPTION_LABEL: &str = "Description";
pub const PROJECT_MISSING: &str = "Choose a project.";
pub const ISSUE_TYPE_MISSING: &str = "Choose a type.";
pub const SUMMARY_MISSING: &str = "Give the ticket a summary.";
pub const CREATED: &str = "Created";
pub const DUPLICATES_TITLE: &str = "Is it one of these?";
pub const DUPLICATES_SUBMIT: &str = "Create anyway";
pub const DUPLICATES_HEADING: &str = "These open tickets look like yours. Link one, or create all the same: ";
pub const DUPLICATES_UNCHECKED: &str = "MARO could not check whether there is such a ticket already.";
pub const JUST_CREATED: &str = "just created";
pub const UNASSIGNED: &str = "unassigned";
pub const LINK_LABEL: &str = "Link this one";
pub const LINKING: &str = "Linking …";
pub const LINKED_TITLE: &str = "Link a ticket";
pub const LINKED: &str = "Linked";
pub const REMOTE_LINK_TITLE: &str = "Slack conversation";
pub const STORIES_TITLE: &str = "Create stories";
pub const STORIES_SUBMIT: &str = "Create";
pub const STORIES_LABEL: &str = "Stories, one a line";
pub const STORIES_HEADING: &str = "New stories under ";
pub const STORIES_USAGE: &str = "Name the epic: /maro stories EPIC-1";
pub const STORIES_CREATED: &str = "Created:";
pub const STORIES_FAILED: &str = "Not created:";
pub const NO_STORIES: &str = "Write at least one title.";
pub const RETRY_LABEL: &str = "Send the failed ones again";
pub const LOADING: &str = "Asking Jira …";
pub const IN_PROGRESS: &str = "MARO is at it. You can close this; the channel hears of it when it is done.";
pub const DONE: &str = "Done.";
pub const CLOSE: &str = "Close";
pub const TRIGGER_EXPIRED: &str = "Slack took too long to open the form. Try again.";
pub const MODAL_NOT_OPENED: &str = "Slack did not let MARO open the form. Try again in a moment.";
pub const MODAL_EXPIRED: &str = "This form is no longer valid. Close it and start again.";
pub const MODAL_WAS_CLOSED: &str = "MARO had a question about the ticket that you sent, but you had closed the form. Nothing was created; start again.";
pub const NO_TRIGGER: &str = "Slack sent nothing to open the form with. Try again.";
pub const FLOW_BROKEN: &str =
    "MARO could not do this because of a fault of its own. Check in Jira before you try again.";
pub const DATABASE_UNAVAILABLE: &str =
    "MARO cannot reach its database at the moment. Try again in a minute; what was begun is finished then.";
pub const NOTHING_WRITTEN: &str =
    "MARO cannot reach its database at the moment. Nothing was changed; try again in a minute.";
pub const CREATION_UNSETTLED: &str =
    "Jira did not say whether it did this. MARO keeps looking, and the channel hears of it when it is known.";
pub const CREATION_UNKNOWN: &str =
    "Jira did not confirm this, and MARO did not find it there. Check in Jira before you try again.";
pub const ANNOUNCEMENT_FAILED: &str =
    "The channel could not be told, because Slack did not take the message.";
pub const NOT_IN_CHANNEL: &str =
    "The channel could not be told: invite MARO to it with /invite, and it can from then on.";

pub const EDIT_UNCERTAIN: &str =
    "Jira did not confirm this. It may have done it all the same: look in Jira before you try again.";
pub const PLUGIN_CREATION_UNSETTLED: &str = "Jira did not confirm the new issue. MARO goes on looking for it, and puts it on this channel's list if it is there: look in Jira before you try again.";
pub const QUERY_UNBALANCED: &str =
    "Jira does not understand this search: its brackets or quotation marks do not match.";

/// A ticket exists, and the rest has to wait for the database.
pub fn created_but_pending(key: &str) -> String {
    format!(
        "{key} was created. MARO cannot reach its database at the moment: the list and the channel follow."
    )
}

/// A ticket was created or linked, and is not on the list.
pub fn not_auto_tracked(key: &str) -> String {
    format!(
        "{key} could not be put on this channel's list yet. MARO tries again; /maro track {key} does it too."
    )
}

/// Jira wants fields that the modal does not have.
pub fn create_in_jira(site: &str) -> String {
    format!("This form has no such field. Create the ticket in Jira instead: {site}")
}

pub fn summary_too_long(max_length: usize) -> String {
    format!("A summary has at most {max_length} characters.")
}

pub fn line_too_long(number: usize, max_length: usize) -> String {
    format!("Line {number} is longer than {max_length} characters.")
}

pub fn too_many_stories(count: usize, max: usize) -> String {
    format!("These are {count} stories; at most {max} can be created at once.")
}

pub fn stories_hint(max: usize, max_length: usize) -> String {
    format!("At most {max} lines of {max_length} characters each.")
}

/// Before the epic's key.
pub fn stories_created(count: usize) -> String {
    if count == 1 { "Created a story under ".to_owned() } else { format!("Created {count} stories under ") }
}

/// There is nothing that could stand under an epic.
pub fn no_story_type(project: &str) -> String {
    format!("MARO cannot create stories in the project {project}.")
}

pub fn not_an_epic(key: &str, type_name: &str) -> String {
    format!("{key} is no epic but a {type_name}, and has no stories.")
}

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
        JiraError::Unreachable { source: Outage::Status(_) } => {
            "Jira is out of order at the moment. Nothing was changed; try again in a few minutes.".to_owned()
        }
        JiraError::Unreachable { source: Outage::Connection(_) } => {
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

/// What administrators do, behind a button that anybody may have made.
pub fn only_typed(command: &str) -> String {
    format!("A button cannot do this. An administrator can type {command}")
}

/// The lists could not be read or changed.
pub fn tracker_error(error: &TrackerError) -> String {
    match error {
        TrackerError::Unavailable(_) | TrackerError::TimedOut => NOTHING_WRITTEN.to_owned(),
        TrackerError::Uncertain(_) => {
            "MARO lost its database while it did this. Type /maro tracked in a minute to \
             see whether it was done."
                .to_owned()
        }
    }
}

/// A plugin called a capability that its operator did not grant.
pub fn denied(grant: &str) -> String {
    format!("This subcommand is not allowed to use {grant}. Whoever runs MARO can grant it.")
}

/// A plugin called a capability that it may use elsewhere.
pub fn denied_in_channel(grant: &str) -> String {
    format!("This subcommand is not allowed to use {grant} in this channel.")
}

/// A plugin called a capability that it may use for administrators.
pub fn denied_to_person(grant: &str) -> String {
    format!("Only administrators of MARO can use {grant} through this subcommand.")
}

/// A plugin called a capability that it may use for other projects.
pub fn denied_for_project(grant: &str, project: &str) -> String {
    format!("This subcommand is not allowed to use {grant} for the project {project}.")
}

/// A plugin wants to reach a host that is not on its list.
pub fn denied_to_host(host: &str) -> String {
    format!("This subcommand is not allowed to reach {host}.")
}

/// Jira does not understand a query; `reason` is Jira's own.
pub fn query_refused(reason: &str) -> String {
    format!("Jira does not understand this search: {reason}")
}

/// Jira has no such issue, or does not show it.
pub fn not_found(key: &str) -> String {
    format!("{key} not found in Jira")
}

/// Jira refuses a change; `reason` is Jira's own.
pub fn edit_refused(reason: &str) -> String {
    format!("Jira refuses this: {reason}")
}

/// The workflow has no such step for an issue, or not now.
pub fn no_such_transition(key: &str) -> String {
    format!("{key} cannot take this step of its workflow now.")
}

/// There is no such project, or MARO may not create anything there.
pub fn cannot_create_in(project: &str) -> String {
    format!("MARO cannot create issues in the project {project}: it is not in Jira, or closed to MARO.")
}

/// A project has no such type of issue.
pub fn no_such_issue_type(project: &str, wanted: &str, names: &[&str]) -> String {
    format!("The project {project} has no type {wanted}. It has {}.", names.join(", "))
}

/// The last line of what plugins write into Jira, where everything is under the bot's own name.
pub fn asked_by(name: &str, subcommand: &str) -> String {
    format!("— asked by {name} (Slack) with /maro {subcommand}")
}

/// A service that a plugin uses cannot be reached, or its certificate is no good.
pub fn host_unreachable(host: &str) -> String {
    format!("{host} cannot be reached at the moment. Try again in a few minutes.")
}

/// A service that a plugin uses is too slow. What it was asked may still happen.
pub fn host_timed_out(host: &str) -> String {
    format!("{host} did not answer in time. Try again in a few minutes.")
}

/// A service that a plugin uses answers with too much.
pub fn host_answer_too_large(host: &str) -> String {
    format!("{host} answered with more than MARO takes.")
}

/// A plugin asked a capability for something impossible.
pub fn invalid_argument(what: &str) -> String {
    format!("This subcommand asked MARO for something impossible: {what}.")
}

/// A plugin trapped, broke a limit or answered nonsense. The operator finds the rest under the id.
pub fn plugin_fault(subcommand: &str, incident: &str) -> String {
    format!("/maro {subcommand} failed because of a fault in it. If you report this, mention {incident}.")
}

/// A plugin says that it failed and nothing else.
pub fn plugin_failed_silently(subcommand: &str) -> String {
    format!("/maro {subcommand} failed and does not say why.")
}

/// A plugin ran out of time.
pub fn plugin_timed_out(subcommand: &str, incident: &str) -> String {
    format!("/maro {subcommand} took too long and was stopped. If you report this, mention {incident}.")
}

/// A plugin failed repeatedly and is not run for `wait`.
pub fn plugin_resting(subcommand: &str, duration: Duration) -> String {
    format!("/maro {subcommand} failed repeatedly and is resting. Try again in {}.", wait(duration))
}

/// In the list of plugins.
pub fn plugin_resting_for(duration: Duration) -> String {
    format!("it failed repeatedly and is not run for {}", wait(duration))
}

/// In the list of plugins.
pub fn granted(grants: &str) -> String {
    format!("granted {grants}")
}

/// In the list of plugins: the latest fault, with the id under which the log has it.
pub fn last_fault(fault: &str, incident: &str) -> String {
    format!("last fault ({incident}): {fault}")
}

/// In the list of plugins: what its operator may not have meant.
pub fn plugin_warning(warning: &str) -> String {
    format!("warning: {warning}")
}

/// In the list of plugins: the file has changed, and what serves is older.
pub fn newer_file_refused(reason: &str) -> String {
    format!("a newer file does not serve: {reason}; the earlier version serves on")
}

/// After the name of a file that does not serve.
pub fn plugin_file_refused(reason: &str, has_earlier: bool) -> String {
    let earlier = if has_earlier { "; the earlier version serves on" } else { "" };
    format!("does not serve: {reason}{earlier}")
}

/// In the list of plugins, after the name of a file.
pub const BEING_LOADED: &str = "is being loaded";

/// In the list of plugins: what serves will be replaced.
pub const NEWER_BEING_LOADED: &str = "a newer file is being loaded";

pub fn plugin_disabled(plugin: &str) -> String {
    format!("/maro {plugin} is switched off now. /maro plugins enable {plugin} switches it on again.")
}

pub fn plugin_enabled(plugin: &str) -> String {
    format!("/maro {plugin} is switched on again.")
}

pub fn plugin_not_disabled(plugin: &str) -> String {
    format!("/maro {plugin} is not switched off.")
}

/// The commands of MARO itself are no plugins.
pub fn not_a_plugin(subcommand: &str) -> String {
    format!("/maro {subcommand} is a command of MARO itself and cannot be switched off.")
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
