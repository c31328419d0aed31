//! What `maro doctor` says of the kinds of Slack's tokens, without asking anybody.

use std::time::Duration;

use crate::doctor::finding::Finding;
use maro_slack::config::SlackConfig;

const COPY_BOT_TOKEN: &str =
    "Copy the xoxb-… token from OAuth & Permissions in your Slack app into SLACK_BOT_TOKEN.";

pub(super) fn findings(config: &SlackConfig) -> Vec<Finding> {
    let bot = config.bot_token.expose();
    let app = config.app_token.as_ref().map(|token| token.expose());
    let wrong = |what: &str| Some(Finding::ill(format!("SLACK_BOT_TOKEN is {what}."), COPY_BOT_TOKEN));
    let bot_finding = match bot {
        _ if bot.starts_with("xoxe.") => Some(rotating(config)),
        _ if bot.starts_with("xoxe-") => wrong("a refresh token, which can't be used for calls"),
        _ if bot.starts_with("xapp-") => wrong("an app token, which only opens sockets"),
        _ if bot.starts_with("xoxp-") => wrong("a person's token: MARO would speak as that person"),
        _ => None,
    };
    let app_finding = app.filter(|token| token.starts_with("xox")).map(|_| {
        Finding::ill(
            "SLACK_APP_TOKEN isn't an app token.",
            "Copy an xapp-… token with connections:write from Basic Information in your Slack app into SLACK_APP_TOKEN.",
        )
    });
    let signing_finding = config.signing_secret.as_ref().filter(|secret| is_something_else(secret.expose())).map(|_| {
        Finding::ill(
            "SLACK_SIGNING_SECRET isn't a signing secret.",
            "Copy the Signing Secret, 32 letters and digits, from Basic Information in your Slack app into \
             SLACK_SIGNING_SECRET.",
        )
    });
    bot_finding.into_iter().chain(app_finding).chain(signing_finding).collect()
}

/// Whether this is a token, a signature or a line of a settings file.
fn is_something_else(signing_secret: &str) -> bool {
    ["xox", "xapp-", "v0="].iter().any(|start| signing_secret.starts_with(start))
        || signing_secret.starts_with("SLACK_")
}

/// A token that Slack replaces every twelve hours, which MARO itself can't renew.
fn rotating(config: &SlackConfig) -> Finding {
    let what = "SLACK_BOT_TOKEN is a token that Slack rotates: it stops working after twelve hours.";
    if config.is_token_in_file {
        return Finding::Risky {
            what: what.to_owned(),
            fix: "Make sure that something writes the next one into the file of SLACK_BOT_TOKEN_FILE in time; MARO reads \
                  it without a restart."
                .to_owned(),
        };
    }
    Finding::ill(
        what,
        "Create an app without token rotation (once on, it can't be turned off) and copy its xoxb-… token. Or \
        have something \
         renew it in a file, and set SLACK_BOT_TOKEN_FILE.",
    )
}

/// A token that Slack says ends.
pub(super) fn ending(lasts: Duration) -> Finding {
    let minutes = lasts.as_secs() / 60;
    Finding::Risky {
        what: format!("Slack says that SLACK_BOT_TOKEN expires in {minutes} minutes."),
        fix: "MARO can't renew it. Replace it before then.".to_owned(),
    }
}
