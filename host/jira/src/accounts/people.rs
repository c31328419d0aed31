//! People with Jira accounts.

use serde::Deserialize;

use maro_domain::{issue::one_line, issue_details::Person};

/// The longest name that is kept, in characters.
pub(crate) const MAX_NAME_LENGTH: usize = 100;

/// The longest account id that is accepted, in characters. Jira Cloud's own limit is 128, Data Center's for
/// user names 255.
const MAX_ID_LENGTH: usize = 255;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawPerson {
    /// Cloud only.
    pub(super) account_id: Option<String>,
    /// Data Center only.
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) display_name: String,
}

impl RawPerson {
    /// The person, if they have a valid account id.
    pub(crate) fn person(self) -> Option<Person> {
        let id = self.account_id.or(self.name).filter(|id| is_account(id))?;
        let name = one_line(&self.display_name, MAX_NAME_LENGTH);
        Some(Person { name: if name.is_empty() { one_line(&id, MAX_NAME_LENGTH) } else { name }, id })
    }
}

/// Who changed something, as a webhook says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Editor {
    /// One line of at most 100 characters.
    pub name: String,
    /// Cloud's account id, or Data Center's user name, if it says that.
    pub id: Option<String>,
}

impl From<Person> for Editor {
    fn from(Person { id, name }: Person) -> Self {
        Self { name, id: Some(id) }
    }
}

/// Whether this can be the id of an account. `-1` is nobody's: to Jira it means "the default assignee".
pub fn is_account(id: &str) -> bool {
    (1..=MAX_ID_LENGTH).contains(&id.len()) && !id.chars().any(char::is_control) && id != "-1"
}
