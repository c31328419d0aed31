//! A service that a plugin uses failed: through `http`, or Slack.

/// Slack doesn't say who somebody is.
pub const SLACK_IS_AWAY: &str = "MARO can't reach Slack right now. Try again in a few minutes.";

/// There is no connection, or the certificate is invalid.
pub fn unreachable(host: &str) -> String {
    format!("MARO can't reach {host} right now. Try again in a few minutes.")
}

/// The operator's secret for the service isn't in its file.
pub fn secret_unreadable(host: &str) -> String {
    format!("MARO can't read its secret for {host}. An admin can see why in the log.")
}

/// The service may still do what it was asked.
pub fn timed_out(host: &str) -> String {
    format!("{host} took too long to respond. Try again in a few minutes.")
}

pub fn response_too_large(host: &str) -> String {
    format!("The response from {host} was too large.")
}
