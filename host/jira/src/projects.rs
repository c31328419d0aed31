//! Projects, for people to choose from.
//!
//! Cloud has a search, which finds projects where the account may create issues. Data Center only lists
//! every project that the account can see.

use std::borrow::Cow;

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    error::JiraError,
    request::{JiraRequest, RequestKind},
    site::JiraSite,
    transport::Answer,
    wire::{
        page::ListPage,
        parse::{is_project_key, parse},
        refusal::is_jira_error,
    },
};
use maro_domain::{issue::one_line, ticket::Project};

/// The longest name that is kept, in characters. Jira's own limit is 80.
const MAX_NAME_LENGTH: usize = 100;

/// The most projects that Cloud returns in one answer.
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

pub(super) async fn search_projects(
    site: &JiraSite,
    typed: &str,
    limit: u32,
    deadline: Instant,
) -> Result<Vec<Project>, JiraError> {
    let typed = one_line(typed, MAX_TYPED_LENGTH);
    let limit = limit.clamp(1, MAX_PROJECTS);
    let mut projects = if site.is_cloud() {
        cloud_projects(site, &typed, limit, deadline).await?
    } else {
        matching(all_projects(site, deadline).await?, &typed)
    };
    projects.sort_by_key(|project| !project.key.eq_ignore_ascii_case(&typed));
    projects.truncate(limit as usize);
    Ok(projects)
}

pub(super) async fn get_project(
    site: &JiraSite,
    key: &str,
    deadline: Instant,
) -> Result<Option<Project>, JiraError> {
    if !is_project_key(key) {
        return Ok(None);
    }
    let request = JiraRequest::get(RequestKind::GetProject, site.url(&["project", key]));
    let Some(body) = site.find(&request, deadline).await? else { return Ok(None) };
    Ok(Some(parse::<RawProject<'_>>(&body, "the project")?.into()))
}

async fn cloud_projects(
    site: &JiraSite,
    typed: &str,
    limit: u32,
    deadline: Instant,
) -> Result<Vec<Project>, JiraError> {
    let mut url = site.url(&["project", "search"]);
    url.query_pairs_mut().extend_pairs([("maxResults", limit.to_string().as_str()), ("action", "create")]);
    if !typed.is_empty() {
        url.query_pairs_mut().append_pair("query", typed);
    }
    match site.ask(&JiraRequest::get(RequestKind::SearchProjects, url), deadline).await? {
        // Jira may say so if no project matches.
        Answer::NotFound(body) if is_jira_error(&body) => Ok(Vec::new()),
        answer => {
            let body = answer.found()?;
            let page: ListPage<RawProject<'_>> = parse(&body, "the projects")?;
            Ok(usable(page.values))
        }
    }
}

/// Data Center's projects, sorted by key.
async fn all_projects(site: &JiraSite, deadline: Instant) -> Result<Vec<Project>, JiraError> {
    if let Some(projects) = site.caches.projects.get("", Instant::now()) {
        return Ok(projects);
    }
    let request = JiraRequest::get(RequestKind::SearchProjects, site.url(&["project"]));
    let body = site.ask(&request, deadline).await?.found()?;
    let mut projects = usable(parse(&body, "the projects")?);
    projects.sort_by(|one, other| one.key.cmp(&other.key));
    site.caches.projects.put("", projects.clone(), Instant::now());
    Ok(projects)
}
/// Leaves out projects whose issues couldn't have a valid key.
fn usable(projects: Vec<RawProject<'_>>) -> Vec<Project> {
    projects.into_iter().map(Project::from).filter(|project| is_project_key(&project.key)).collect()
}

/// The projects whose key, name, or a word in the name starts with what was typed.
fn matching(projects: Vec<Project>, typed: &str) -> Vec<Project> {
    let typed = typed.to_lowercase();
    let is_match = |project: &Project| {
        let name = project.name.to_lowercase();
        project.key.to_lowercase().starts_with(&typed)
            || name.starts_with(&typed)
            || name
                .match_indices(char::is_whitespace)
                .any(|(gap, _)| name[gap..].trim_start().starts_with(&typed))
    };
    projects.into_iter().filter(is_match).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_matches_the_start_of_a_word() {
        let projects = || {
            [("OPS", "Site operations"), ("SITE", "Web site"), ("X", "Ops")]
                .map(|(key, name)| Project { key: key.to_owned(), name: name.to_owned() })
                .into()
        };
        let keys = |typed: &str| -> Vec<String> {
            matching(projects(), typed).into_iter().map(|project| project.key).collect()
        };
        assert_eq!(keys(""), ["OPS", "SITE", "X"]);
        assert_eq!(keys("op"), ["OPS", "X"]);
        assert_eq!(keys("Site"), ["OPS", "SITE"]);
        assert_eq!(keys("site op"), ["OPS"]);
        assert_eq!(keys("perations"), [""; 0]);
    }
}
