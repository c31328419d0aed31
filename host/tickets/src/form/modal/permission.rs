//! Whether a person may create and link issues: asked when a form opens, and again when it is sent.

use crate::{intents::exactly_once::Driver, intents::records::IntentPlace, provenance::Provenance};
use maro_access::roles::Role;
use maro_domain::author::Author;
use maro_texts as texts;

impl Driver {
    /// `action` and `subject` are for the audit log, which notes a refusal.
    ///
    /// # Errors
    /// The sentence for the person.
    pub(crate) async fn may_create(
        &self,
        place: &IntentPlace,
        provenance: &Provenance,
        action: &str,
        subject: &str,
    ) -> Result<(), String> {
        let foreign_team = provenance.foreign_team.as_ref();
        let Err(refused) = self.access.roles.check_person(Role::Create, &place.user, foreign_team).await
        else {
            return Ok(());
        };
        let author = Author { request: None, ..provenance.author(place) };
        self.audit.refused(&author, action, subject).await;
        Err(texts::rights::roles::not_allowed(&refused))
    }
}
