//! The sprints that new issues of a project can be put into: those of its boards that aren't over.

use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    connection::cache::LIFETIME,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    error::JiraError,
    wire::{
        page::ListPage,
        parse::{is_project_key, parse},
    },
};
use maro_domain::{issue::one_line, screen::Sprint};

/// How many boards of a project are looked at, and how many at a time. Few projects have more than three.
const MAX_BOARDS: usize = 10;
const CONCURRENCY: usize = 5;

/// How many sprints of a board: one page.
const PAGE_SIZE: &str = "50";

/// The kind of board that has none.
const KANBAN: &str = "kanban";

const MAX_NAME_LENGTH: usize = 100;

#[derive(Deserialize)]
struct RawBoard {
    id: u64,
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct RawSprint {
    id: u64,
    #[serde(default)]
    name: String,
    #[serde(default)]
    state: String,
}

/// Those that have begun come first, each once.
pub(crate) async fn find_sprints(
    site: &JiraSite,
    project_key: &str,
    deadline: Instant,
) -> Result<Vec<Sprint>, JiraError> {
    if !is_project_key(project_key) {
        return Ok(Vec::new());
    }
    if let Some(sprints) = site.caches.sprints.get(project_key) {
        return Ok(sprints);
    }
    let (sprints, is_whole) = read(site, project_key, deadline).await?;
    if is_whole {
        site.caches.sprints.put(project_key.to_owned(), sprints.clone(), LIFETIME);
    }
    Ok(sprints)
}

/// The sprints, and whether each board has answered.
async fn read(
    site: &JiraSite,
    project_key: &str,
    deadline: Instant,
) -> Result<(Vec<Sprint>, bool), JiraError> {
    let mut url = site.agile_url(&["board"]);
    url.query_pairs_mut().extend_pairs([("projectKeyOrId", project_key), ("maxResults", PAGE_SIZE)]);
    let boards: Vec<RawBoard> = page(site, RequestKind::GetBoards, url, deadline).await?;
    let boards = boards.into_iter().filter(|board| board.kind != KANBAN).take(MAX_BOARDS);
    let asked: Vec<_> = boards.map(|board| sprints_of(site, board.id, deadline)).collect();
    let answers: Vec<_> = stream::iter(asked).buffered(CONCURRENCY).collect().await;
    let (mut found, mut trouble) = (Vec::<Sprint>::new(), None);
    for answer in answers {
        match answer {
            Ok(sprints) => {
                found.extend(sprints.into_iter().filter(|sprint| !sprint.name.is_empty()));
            }
            Err(error) => trouble = Some(error),
        }
    }
    found.sort_by_key(|sprint| (!sprint.is_active, sprint.id));
    found.dedup_by_key(|sprint| sprint.id);
    match trouble {
        Some(error) if found.is_empty() => Err(error),
        trouble => Ok((found, trouble.is_none())),
    }
}

async fn sprints_of(site: &JiraSite, board: u64, deadline: Instant) -> Result<Vec<Sprint>, JiraError> {
    let mut url = site.agile_url(&["board", &board.to_string(), "sprint"]);
    url.query_pairs_mut().extend_pairs([("state", "active,future"), ("maxResults", PAGE_SIZE)]);
    let sprints: Vec<RawSprint> = page(site, RequestKind::GetSprints, url, deadline).await?;
    let sprint = |raw: RawSprint| Sprint {
        id: raw.id,
        name: one_line(&raw.name, MAX_NAME_LENGTH),
        is_active: raw.state.eq_ignore_ascii_case("active"),
    };
    Ok(sprints.into_iter().map(sprint).collect())
}

/// A page of a list. An empty one from a site or board without such things.
async fn page<T: serde::de::DeserializeOwned>(
    site: &JiraSite,
    kind: RequestKind,
    url: url::Url,
    deadline: Instant,
) -> Result<Vec<T>, JiraError> {
    match site.ask(&JiraRequest::get(kind, url), deadline).await? {
        Answer::NotFound(_) | Answer::Refused(..) => Ok(Vec::new()),
        answer => Ok(parse::<ListPage<T>>(&answer.found()?, "the boards and sprints")?.values),
    }
}
