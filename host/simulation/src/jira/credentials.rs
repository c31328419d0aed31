//! The accounts that the simulated site lets in.

/// The site's account as Jira Cloud.
pub const EMAIL: &str = "maro@example.com";
/// The API token of that account.
pub const API_TOKEN: &str = "simulated-api-token";
/// The site's personal access token as Jira Data Center.
pub const PERSONAL_ACCESS_TOKEN: &str = "simulated-personal-access-token";

/// [`EMAIL`] and [`API_TOKEN`] as a header: Base64 of both, separated by a colon.
pub(super) const BASIC: &str = "Basic bWFyb0BleGFtcGxlLmNvbTpzaW11bGF0ZWQtYXBpLXRva2Vu";
/// [`PERSONAL_ACCESS_TOKEN`] as a header.
pub(super) const BEARER: &str = "Bearer simulated-personal-access-token";
