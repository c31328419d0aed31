//! The account that MARO uses in Jira.

use std::borrow::Cow;

use serde::Deserialize;

use crate::{error::JiraError, wire::parse::parse};
use maro_domain::issue::one_line;

const MAX_NAME_LENGTH: usize = 100;

/// Who MARO is in Jira.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// One line of at most 100 characters.
    pub display_name: String,
}

#[derive(Deserialize)]
struct RawAccount<'a> {
    #[serde(borrow, rename = "displayName")]
    display_name: Cow<'a, str>,
}

impl Account {
    pub(crate) fn read(body: &[u8]) -> Result<Self, JiraError> {
        let raw: RawAccount<'_> = parse(body, "the account")?;
        Ok(Self { display_name: one_line(&raw.display_name, MAX_NAME_LENGTH) })
    }
}
