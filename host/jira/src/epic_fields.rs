//! The fields by which Data Center knows epics: Jira Software's custom fields, under ids that differ from
//! site to site.

use std::borrow::Cow;

use serde::Deserialize;
use tokio::time::Instant;

use crate::{
    cache::EpicFields,
    client::JiraClient,
    error::JiraError,
    model::{is_id, parse},
    transport::JiraRequest,
};

/// What every epic has, and no other issue: its name.
const EPIC_NAME: &str = "com.pyxis.greenhopper.jira:gh-epic-label";

/// What leads from a story to its epic.
const EPIC_LINK: &str = "com.pyxis.greenhopper.jira:gh-epic-link";

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

impl JiraClient {
    /// The site's epic fields, as they were within the last minute.
    pub(super) async fn epic_fields(&self, deadline: Instant) -> Result<EpicFields, JiraError> {
        if let Some(fields) = self.caches.epic_fields.get("", Instant::now()) {
            return Ok(fields);
        }
        let body = self.ask(&JiraRequest::get(self.url(&["field"])), deadline).await?.found()?;
        let fields: Vec<RawField<'_>> = parse(&body, "the fields")?;
        let id_of = |custom: &str| {
            let is_it = |field: &&RawField<'_>| {
                is_id(&field.id)
                    && field.schema.as_ref().is_some_and(|schema| schema.custom.as_deref() == Some(custom))
            };
            fields.iter().find(is_it).map(|field| field.id.clone().into_owned())
        };
        let fields = EpicFields { name: id_of(EPIC_NAME), link: id_of(EPIC_LINK) };
        self.caches.epic_fields.put("", fields.clone(), Instant::now());
        Ok(fields)
    }
}
