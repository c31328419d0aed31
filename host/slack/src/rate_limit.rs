//! How long Slack wants to be left alone when it limits the rate of requests.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use maro_process::http::retry::retry_after;

/// The wait if Slack doesn't say for how long.
pub(crate) const DEFAULT_WAIT: Duration = Duration::from_secs(1);

/// The wait that an answer with status 429 asks for.
pub(crate) fn wait(headers: &HeaderMap, now: Timestamp) -> Duration {
    retry_after(headers, now).unwrap_or(DEFAULT_WAIT)
}
