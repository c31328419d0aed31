//! What failed that isn't a plugin: Jira, the database, another service, and credentials.

pub mod credentials;
pub mod database;
pub mod jira;
pub mod services;
