//! Where a form or a press of a button comes from.

use crate::intents::records::IntentPlace;
use maro_domain::{author::Author, ids::TeamId, request_token::RequestToken};

/// Which request it came with, and whose it is. Bound by the host.
#[derive(Debug, Clone, Default)]
pub struct Provenance {
    /// `None` if nobody could send it a second time.
    pub request: Option<RequestToken>,
    /// The person's workspace, if it isn't the bot's own.
    pub foreign_team: Option<TeamId>,
}

impl Provenance {
    /// MARO itself, for the person.
    pub(crate) fn author(&self, IntentPlace { channel, user }: &IntentPlace) -> Author {
        Author {
            foreign_team: self.foreign_team.clone(),
            request: self.request.clone(),
            ..Author::host(channel, user)
        }
    }

    /// Whether it has turned out that the request was handled before. Then nothing was done, and nothing is shown.
    pub(crate) fn is_replay(&self) -> bool {
        self.request.as_ref().is_some_and(RequestToken::is_replay)
    }
}
