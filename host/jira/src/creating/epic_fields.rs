//! The fields by which Data Center knows epics: custom fields of Jira Software, whose ids differ from site
//! to site.

use std::borrow::Cow;

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    connection::cache::{EpicFields, LIFETIME},
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    error::JiraError,
    wire::parse::{is_id, parse},
};

/// The epic's name. Every epic has one, and no other issue.
pub(crate) const EPIC_NAME: &str = "com.pyxis.greenhopper.jira:gh-epic-label";

/// The sprints of an issue, in either edition.
const SPRINT: &str = "com.pyxis.greenhopper.jira:gh-sprint";

/// The link from a story to its epic.
pub(crate) const EPIC_LINK: &str = "com.pyxis.greenhopper.jira:gh-epic-link";

#[derive(Deserialize)]
struct RawField<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    schema: Option<RawSchema<'a>>,
}

#[derive(Deserialize)]
struct RawSchema<'a> {
    #[serde(borrow)]
    custom: Option<Cow<'a, str>>,
}

/// The site's epic fields, at most a minute old.
pub(crate) async fn get_epic_fields(site: &JiraSite, deadline: Instant) -> Result<EpicFields, JiraError> {
    if let Some(fields) = site.caches.epic_fields.get(&()) {
        return Ok(fields);
    }
    let request = JiraRequest::get(RequestKind::GetFields, site.url(&["field"]));
    let body = site.ask(&request, deadline).await?.found()?;
    let fields: Vec<RawField<'_>> = parse(&body, "the fields")?;
    let id_of = |custom: &str| {
        let is_it = |field: &&RawField<'_>| {
            is_id(&field.id)
                && field.schema.as_ref().is_some_and(|schema| schema.custom.as_deref() == Some(custom))
        };
        fields.iter().find(is_it).map(|field| field.id.clone().into_owned())
    };
    let fields = EpicFields { name: id_of(EPIC_NAME), link: id_of(EPIC_LINK), sprint: id_of(SPRINT) };
    site.caches.epic_fields.put((), fields.clone(), LIFETIME);
    Ok(fields)
}

/// The id of the field for sprints, at most a minute old. `None` if the site has none.
pub(crate) async fn get_sprint_field(
    site: &JiraSite,
    deadline: Instant,
) -> Result<Option<String>, JiraError> {
    Ok(get_epic_fields(site, deadline).await?.sprint)
}
