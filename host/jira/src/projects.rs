//! Projects, for people to choose from.
//!
//! Cloud searches by itself, and for projects in which the account may create. Data Center gives all
//! projects that the account may see, at once and without a search.

use std::borrow::Cow;

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    client::JiraClient,
    error::JiraError,
    model::{is_jira_error, is_project_key, parse},
    transport::{Answer, JiraRequest},
    wire::page::ListPage,
};
use maro_domain::{issue::one_line, ticket::Project};

/// The longest name that is kept, in characters. Jira's own limit is 80.
const MAX_NAME_LENGTH: usize = 100;

/// The most projects that Cloud gives in one answer.
const MAX_PROJECTS: u32 = 100;

/// The longest text that is searched for, in characters.
const MAX_TYPED_LENGTH: usize = 100;

#[derive(Deserialize)]
struct RawProject<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

impl From<RawProject<'_>> for Project {
    fn from(raw: RawProject<'_>) -> Self {
        Self { key: raw.key.into_owned(), name: one_line(&raw.name, MAX_NAME_LENGTH) }
    }
}

impl JiraClient {
    /// At most `limit` (100 at most) projects whose key or name fits what somebody has `typed` so far, all
    /// of them fitting nothing typed. The project with just that key comes first, the others by key.
    ///
    /// On Cloud those in which the account may create tickets; on Data Center those that it may see, as
    /// they were within the last minute.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn search_projects(
        &self,
        typed: &str,
        limit: u32,
        deadline: Instant,
    ) -> Result<Vec<Project>, JiraError> {
        let typed = one_line(typed, MAX_TYPED_LENGTH);
        let limit = limit.clamp(1, MAX_PROJECTS);
        self.before(deadline, async {
            let mut projects = if self.is_cloud() {
                self.cloud_projects(&typed, limit, deadline).await?
            } else {
                fitting(self.all_projects(deadline).await?, &typed)
            };
            projects.sort_by_key(|project| !project.key.eq_ignore_ascii_case(&typed));
            projects.truncate(limit as usize);
            Ok(projects)
        })
        .await
    }

    /// The project with this key, or `None` if it is missing or not visible.
    ///
    /// # Errors
    /// Any [`JiraError`], at `deadline` at the latest.
    pub async fn get_project(&self, key: &str, deadline: Instant) -> Result<Option<Project>, JiraError> {
        if !is_project_key(key) {
            return Ok(None);
        }
        self.before(deadline, async {
            match self.ask(&JiraRequest::get(self.url(&["project", key])), deadline).await? {
                Answer::NotFound(body) if is_jira_error(&body) => {
                    self.confirm(deadline).await?;
                    Ok(None)
                }
                answer => Ok(Some(parse::<RawProject<'_>>(&answer.found()?, "the project")?.into())),
            }
        })
        .await
    }

    async fn cloud_projects(
        &self,
        typed: &str,
        limit: u32,
        deadline: Instant,
    ) -> Result<Vec<Project>, JiraError> {
        let mut url = self.url(&["project", "search"]);
        url.query_pairs_mut()
            .extend_pairs([("maxResults", limit.to_string().as_str()), ("action", "create")]);
        if !typed.is_empty() {
            url.query_pairs_mut().append_pair("query", typed);
        }
        match self.ask(&JiraRequest::get(url), deadline).await? {
            // So Jira may say that none fits.
            Answer::NotFound(body) if is_jira_error(&body) => Ok(Vec::new()),
            answer => {
                let body = answer.found()?;
                let page: ListPage<RawProject<'_>> = parse(&body, "the projects")?;
                Ok(usable(page.values))
            }
        }
    }

    /// Data Center's projects, by key.
    async fn all_projects(&self, deadline: Instant) -> Result<Vec<Project>, JiraError> {
        if let Some(projects) = self.caches.projects.get("", Instant::now()) {
            return Ok(projects);
        }
        let body = self.ask(&JiraRequest::get(self.url(&["project"])), deadline).await?.found()?;
        let mut projects = usable(parse(&body, "the projects")?);
        projects.sort_by(|one, other| one.key.cmp(&other.key));
        self.caches.projects.put("", projects.clone(), Instant::now());
        Ok(projects)
    }
}

/// Leaves out projects whose issues could have no proper key.
fn usable(projects: Vec<RawProject<'_>>) -> Vec<Project> {
    projects.into_iter().map(Project::from).filter(|project| is_project_key(&project.key)).collect()
}

/// The projects whose key or whose name, or a word of it, starts with what was typed.
fn fitting(projects: Vec<Project>, typed: &str) -> Vec<Project> {
    let typed = typed.to_lowercase();
    let fits = |project: &Project| {
        let name = project.name.to_lowercase();
        project.key.to_lowercase().starts_with(&typed)
            || name.starts_with(&typed)
            || name
                .match_indices(char::is_whitespace)
                .any(|(gap, _)| name[gap..].trim_start().starts_with(&typed))
    };
    projects.into_iter().filter(fits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_fits_the_start_of_a_word() {
        let projects = || {
            [("OPS", "Site operations"), ("SITE", "Web site"), ("X", "Ops")]
                .map(|(key, name)| Project { key: key.to_owned(), name: name.to_owned() })
                .into()
        };
        let fitting = |typed: &str| -> Vec<String> {
            fitting(projects(), typed).into_iter().map(|project| project.key).collect()
        };
        assert_eq!(fitting(""), ["OPS", "SITE", "X"]);
        assert_eq!(fitting("op"), ["OPS", "X"]);
        assert_eq!(fitting("Site"), ["OPS", "SITE"]);
        assert_eq!(fitting("site op"), ["OPS"]);
        assert_eq!(fitting("perations"), [""; 0]);
    }
}
