//! `/maro notify`: what a channel is told about changes.

use crate::commands::{CommandOutcome, Commands};
use maro_access::role_book::Role;
use maro_domain::{
    author::Author,
    caller::Caller,
    issue::IssueKey,
    reply::{Reply, Span},
    words::Site,
};
use maro_process::telemetry::error_chain;
use maro_store::{database::error::DatabaseError, notices::Mode};
use maro_tickets::{epic_key, texts};

/// What somebody wants.
enum Wanted {
    /// To know.
    Nothing,
    Mode(Mode),
    Muted(IssueKey, bool),
}

impl Commands {
    pub(super) async fn notify(&self, caller: &Caller, arguments: &str) -> CommandOutcome {
        let Some(wanted) = wanted(arguments, &self.site) else {
            return CommandOutcome::Refused(Reply::line(texts::notices::usage()));
        };
        if !matches!(wanted, Wanted::Nothing)
            && let Some(sentence) = self.refusal(Role::Notify, caller, arguments).await
        {
            return CommandOutcome::Refused(Reply::sentence(sentence));
        }
        let answered = match wanted {
            Wanted::Nothing => {
                self.capabilities.tickets.notices.mode(&caller.channel).await.map(texts::notices::mode)
            }
            Wanted::Mode(mode) => self.set_mode(caller, mode).await,
            Wanted::Muted(key, is_muted) => self.mute(caller, &key, is_muted).await,
        };
        match answered {
            Ok(spans) => CommandOutcome::Replied(Reply::line(spans)),
            Err(error) => {
                tracing::debug!(error = error_chain(&error), "a channel's notices weren't changed");
                CommandOutcome::Refused(Reply::line(texts::database::switch_failed(&error)))
            }
        }
    }

    async fn set_mode(&self, caller: &Caller, mode: Mode) -> Result<Vec<Span>, DatabaseError> {
        let now = self.capabilities.clock.now();
        Ok(match self.capabilities.tickets.notices.set_mode(&Author::from(caller), mode, now).await? {
            true => texts::notices::mode_set(mode),
            false => texts::notices::mode_kept(mode),
        })
    }

    async fn mute(
        &self,
        caller: &Caller,
        key: &IssueKey,
        is_muted: bool,
    ) -> Result<Vec<Span>, DatabaseError> {
        let tracked =
            self.capabilities.tracker.is_tracked(&caller.channel, std::slice::from_ref(key)).await?;
        if tracked != [true] {
            return Ok(texts::notices::not_tracked(key));
        }
        let now = self.capabilities.clock.now();
        Ok(match self.capabilities.tickets.notices.mute(&Author::from(caller), key, is_muted, now).await? {
            true => texts::notices::muted(key, is_muted),
            false => texts::notices::muted_already(key, is_muted),
        })
    }
}

fn wanted(arguments: &str, site: &Site) -> Option<Wanted> {
    let arguments = arguments.trim();
    let Some((rest, last)) = arguments.rsplit_once(char::is_whitespace) else {
        return match arguments {
            "" => Some(Wanted::Nothing),
            mode => Mode::from_name(&mode.to_lowercase()).map(Wanted::Mode),
        };
    };
    let is_muted = match last.to_lowercase().as_str() {
        "off" => true,
        "on" => false,
        _ => return None,
    };
    epic_key::parse(rest, site).ok().map(|key| Wanted::Muted(key, is_muted))
}
