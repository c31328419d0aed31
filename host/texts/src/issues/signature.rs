//! In Jira: who asked for what MARO writes there.

/// The last line of what MARO writes to Jira, before a link to the conversation. The name is the person's choice, and
/// the command is given as it is typed.
pub fn requested_by(user: &str, name: &str, channel: &str, command: &str) -> String {
    let name = if name.is_empty() { String::new() } else { format!(" ({name})") };
    format!("— Requested by Slack user {user}{name} in {channel} with {command}:")
}
