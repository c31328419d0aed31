//! For the operators' channel: credentials that no longer work, or soon won't.

use std::time::Duration;

use crate::{durations::wait, text, with_code};
use maro_domain::reply::Span;

pub fn app_token_refused() -> Vec<Span> {
    with_code(
        "Slack no longer accepts MARO's app token, so commands and buttons don't reach MARO. Renew SLACK_APP_TOKEN, \
         then run `maro doctor`.",
    )
}

/// `keys` are the settings with the credentials.
pub fn jira_refuses(keys: &str) -> Vec<Span> {
    with_code(&format!(
        "Jira no longer accepts MARO's credentials, so nothing that needs Jira works. Renew them in {keys}, then check \
         them with `maro doctor`."
    ))
}

/// Whatever the password, Jira Data Center refuses an account for which somebody failed to sign in several times.
pub fn jira_wants_captcha(keys: &str) -> Vec<Span> {
    vec![text(format!(
        "Jira refuses MARO's account until it solves a CAPTCHA, so nothing that needs Jira works. Check {keys}, and \
         sign in to Jira once in a browser, as that account."
    ))]
}

/// Slack's token is one that ends, and nothing has replaced it yet.
pub fn slack_token_ends(lasts: Duration) -> Vec<Span> {
    vec![text(format!(
        "MARO's Slack token expires in {}, and MARO can't renew it. Put a new one into SLACK_BOT_TOKEN before then.",
        wait(lasts)
    ))]
}
