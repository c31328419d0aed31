//! What somebody wants of Jira, carried out exactly once: written down before Jira is asked, looked for by its
//! mark when the answer is lost, and finished by the replica that finds it.

pub mod exactly_once;
pub(crate) mod finding_by_mark;
mod forgetting;
mod lease;
pub mod patience;
pub(crate) mod records;
pub(crate) mod recovery;
pub(crate) mod saving;
pub(crate) mod wish;
