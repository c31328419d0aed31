//! Projects, for people to choose from.
//!
//! Cloud has a search, which finds projects where the account may create issues. Data Center lists every project that
//! the account can see, which may be thousands.

use std::{borrow::Cow, pin::pin, sync::Arc, time::Duration};

use serde::Deserialize;
use tokio::time::{Instant, timeout, timeout_at};

use crate::{
    connection::cache::LIFETIME,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    error::JiraError,
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

/// How long a search may take that nobody waits for any more.
const LATE: Duration = Duration::from_secs(30);

/// How long the list of all projects is waited for alone.
const PICKER_AFTER: Duration = Duration::from_secs(1);

/// Data Center's answer to what is typed in its own form.
#[derive(Deserialize)]
struct RawPicked<'a> {
    #[serde(borrow)]
    projects: Vec<RawProject<'a>>,
}

#[derive(Deserialize)]
struct RawProject<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Numbered<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
}

impl From<RawProject<'_>> for Project {
    fn from(raw: RawProject<'_>) -> Self {
        Self { key: raw.key.into_owned(), name: one_line(&raw.name, MAX_NAME_LENGTH) }
    }
}

pub(crate) async fn search_projects(
    site: &Arc<JiraSite>,
    typed: &str,
    limit: u32,
    deadline: Instant,
) -> Result<Vec<Project>, JiraError> {
    let typed = one_line(typed, MAX_TYPED_LENGTH);
    let limit = limit.clamp(1, MAX_PROJECTS);
    let mut projects = if site.is_cloud() {
        cloud_projects(site, &typed, limit, deadline).await?
    } else {
        data_center_projects(site, &typed, deadline).await?
    };
    projects.sort_by_key(|project| !project.key.eq_ignore_ascii_case(&typed));
    projects.truncate(limit as usize);
    Ok(projects)
}

/// Begins to read what a search is going to need, so that it is there when somebody searches.
pub(crate) fn expect_search(site: &Arc<JiraSite>) {
    let site = Arc::clone(site);
    tokio::spawn(async move {
        let deadline = Instant::now() + LATE;
        // Who searches is told what goes wrong.
        let _ = search_projects(&site, "", MAX_PROJECTS, deadline).await;
    });
}

pub(crate) async fn get_project(
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

/// The number by which Jira's pages and permissions know a project. `None` if it is missing or not visible.
pub(crate) async fn get_number(
    site: &JiraSite,
    key: &str,
    deadline: Instant,
) -> Result<Option<u64>, JiraError> {
    if !is_project_key(key) {
        return Ok(None);
    }
    let request = JiraRequest::get(RequestKind::GetProject, site.url(&["project", key]));
    let Some(body) = site.find(&request, deadline).await? else { return Ok(None) };
    Ok(parse::<Numbered<'_>>(&body, "the project")?.id.parse().ok())
}

/// What Jira finds by `deadline`. What comes later is kept for the next one to type the same, and until then what is
/// known of all projects has to do.
async fn cloud_projects(
    site: &Arc<JiraSite>,
    typed: &str,
    limit: u32,
    deadline: Instant,
) -> Result<Vec<Project>, JiraError> {
    let found = {
        let (site, typed) = (Arc::clone(site), typed.to_owned());
        tokio::spawn(async move {
            let found = ask_cloud(&site, &typed, limit, deadline.max(Instant::now() + LATE)).await?;
            site.caches.found_projects.put(typed, found.clone(), LIFETIME);
            Ok(found)
        })
    };
    match timeout_at(deadline, found).await {
        Ok(Ok(found)) => found,
        // It ends with the process.
        Ok(Err(_)) => Err(JiraError::TimedOut),
        Err(_) => {
            let known = site.caches.found_projects.get(typed);
            let among_first = || site.caches.found_projects.get("").map(|all| matching(&all, typed));
            known.or_else(among_first).filter(|known| !known.is_empty()).ok_or(JiraError::TimedOut)
        }
    }
}

async fn ask_cloud(
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

/// From the list of all projects. While that is long in coming, Jira's own picker is asked, too.
async fn data_center_projects(
    site: &Arc<JiraSite>,
    typed: &str,
    deadline: Instant,
) -> Result<Vec<Project>, JiraError> {
    let reading = Arc::clone(site);
    let listed =
        site.caches.projects.get(move |by| async move { all_projects(&reading, by).await }, deadline);
    let mut listed = pin!(listed);
    if let Ok(list) = timeout(PICKER_AFTER, &mut listed).await {
        return Ok(matching(&list?, typed));
    }
    tokio::select! {
        list = &mut listed => Ok(matching(&list?, typed)),
        Some(found) = picked(site, typed, deadline) => Ok(found),
    }
}

/// What Data Center's own form offers for what was typed, if it answers.
async fn picked(site: &JiraSite, typed: &str, deadline: Instant) -> Option<Vec<Project>> {
    let mut url = site.url(&["projects", "picker"]);
    let (limit, is_empty) = (MAX_PROJECTS.to_string(), typed.is_empty().to_string());
    url.query_pairs_mut().extend_pairs([
        ("query", typed),
        ("maxResults", &limit),
        ("allowEmptyQuery", &is_empty),
    ]);
    let answer = site.ask(&JiraRequest::get(RequestKind::PickProjects, url), deadline).await;
    let body = answer.ok()?.found().ok()?;
    let found: RawPicked<'_> = parse(&body, "the picked projects").ok()?;
    Some(usable(found.projects)).filter(|projects| !projects.is_empty())
}

/// Data Center's projects, sorted by key.
async fn all_projects(site: &JiraSite, deadline: Instant) -> Result<Vec<Project>, JiraError> {
    let request = JiraRequest::get(RequestKind::SearchProjects, site.url(&["project"]));
    let body = site.ask(&request, deadline).await?.found()?;
    let mut projects = usable(parse(&body, "the projects")?);
    projects.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(projects)
}

/// Leaves out projects whose issues couldn't have a valid key.
fn usable(projects: Vec<RawProject<'_>>) -> Vec<Project> {
    projects.into_iter().map(Project::from).filter(|project| is_project_key(&project.key)).collect()
}

/// The projects whose key, name, or a word in the name starts with what was typed.
fn matching(projects: &[Project], typed: &str) -> Vec<Project> {
    let typed = typed.to_lowercase();
    let is_match = |project: &Project| {
        let name = project.name.to_lowercase();
        project.key.to_lowercase().starts_with(&typed)
            || name.starts_with(&typed)
            || name
                .match_indices(char::is_whitespace)
                .any(|(gap, _)| name[gap..].trim_start().starts_with(&typed))
    };
    projects.iter().filter(|project| is_match(project)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_matches_the_start_of_a_word() {
        let projects = [("OPS", "Site operations"), ("SITE", "Web site"), ("X", "Ops")]
            .map(|(key, name)| Project { key: key.to_owned(), name: name.to_owned() });
        let keys = |typed: &str| -> Vec<String> {
            matching(&projects, typed).into_iter().map(|project| project.key).collect()
        };
        assert_eq!(keys(""), ["OPS", "SITE", "X"]);
        assert_eq!(keys("op"), ["OPS", "X"]);
        assert_eq!(keys("Site"), ["OPS", "SITE"]);
        assert_eq!(keys("site op"), ["OPS"]);
        assert_eq!(keys("perations"), [""; 0]);
    }
}
