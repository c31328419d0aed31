//! The account that MARO uses in Jira.

use serde::Deserialize;

use crate::{
    accounts::people::{Editor, MAX_NAME_LENGTH, RawPerson},
    error::JiraError,
    wire::parse::parse,
};
use maro_domain::issue::one_line;

/// Who MARO is in Jira.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// One line of at most 100 characters.
    pub display_name: String,
    /// Cloud's account id, or Data Center's user name. `None` if Jira doesn't say it.
    pub id: Option<String>,
}

#[derive(Deserialize)]
struct RawAccount {
    #[serde(rename = "displayName")]
    display_name: String,
    #[serde(default, rename = "accountId")]
    account_id: Option<String>,
    #[serde(default)]
    name: Option<String>,
}

impl Account {
    pub(crate) fn read(body: &[u8]) -> Result<Self, JiraError> {
        let RawAccount { display_name, account_id, name } = parse(body, "the account")?;
        let person = RawPerson { account_id, name, display_name: display_name.clone() }.person();
        Ok(Self {
            display_name: one_line(&display_name, MAX_NAME_LENGTH),
            id: person.map(|person| person.id),
        })
    }

    /// Whether this is MARO, and nobody who is only called the same: the name says it where no id does.
    pub fn is(&self, person: &Editor) -> bool {
        match (&self.id, &person.id) {
            (Some(own), Some(id)) => own == id,
            _ => self.display_name == person.name,
        }
    }
}
