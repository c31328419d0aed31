//! The screen for new issues of one type in one project: which fields it has, and which of them Jira demands.
//!
//! The address is the same in both editions (Data Center since 8.4); the list in the answer has different names.

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    connection::cache::LIFETIME,
    connection::request::{JiraRequest, RequestKind},
    connection::site::JiraSite,
    connection::transport::Answer,
    creating::epic_fields::{EPIC_LINK, EPIC_NAME},
    creating::old_createmeta::{self, TypeWithFields, may_be_old},
    error::JiraError,
    wire::{
        page::ListPage,
        parse::{is_id, is_project_key, parse},
        refusal::is_jira_error,
    },
};
use maro_domain::{
    issue::one_line,
    screen::{BELOW, FieldKind, FieldOption, MAX_OPTIONS, ScreenField},
};

const MAX_NAME_LENGTH: usize = 100;

/// The end of what Jira calls the field for sprints.
const SPRINT: &str = "gh-sprint";

/// How many fields one page holds: Jira's own limit.
const PAGE_SIZE: usize = 200;

/// How many pages are read.
const MAX_PAGES: usize = 5;

/// How much selects show of an option's name.
const MAX_SHOWN: usize = 75;

/// Stands between the names of an option and of one below it.
const BETWEEN: &str = " › ";

/// How much is left of the upper one's name, however long the lower one's is.
const MIN_UPPER: usize = 15;

/// The most options that people want a box for each.
const MAX_BOXES: usize = 10;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawField {
    #[serde(default, deserialize_with = "null_as_default")]
    field_id: String,
    /// What some releases have instead.
    #[serde(default, deserialize_with = "null_as_default")]
    key: String,
    #[serde(default, deserialize_with = "null_as_default")]
    name: String,
    #[serde(default, deserialize_with = "null_as_default")]
    required: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    has_default_value: bool,
    #[serde(default, deserialize_with = "null_as_default")]
    schema: RawSchema,
    #[serde(default)]
    allowed_values: Option<Vec<Value>>,
}

#[derive(Deserialize, Default)]
struct RawSchema {
    #[serde(default, rename = "type", deserialize_with = "null_as_default")]
    kind: String,
    items: Option<String>,
    system: Option<String>,
    custom: Option<String>,
}

/// What Jira leaves empty is as good as missing.
fn null_as_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

pub(crate) async fn get_screen(
    site: &JiraSite,
    project_key: &str,
    issue_type_id: &str,
    deadline: Instant,
) -> Result<Option<Vec<ScreenField>>, JiraError> {
    if !is_project_key(project_key) || !is_id(issue_type_id) {
        return Ok(None);
    }
    let name = format!("{project_key}/{issue_type_id}");
    if let Some(screen) = site.caches.screens.get(&name) {
        return Ok(Some(screen));
    }
    let Some(screen) = read(site, project_key, issue_type_id, deadline).await? else { return Ok(None) };
    site.caches.screens.put(name, screen.clone(), LIFETIME);
    Ok(Some(screen))
}

/// The same if Jira said it not long ago.
pub(crate) fn known_screen(site: &JiraSite, project_key: &str, issue_type_id: &str) -> Vec<ScreenField> {
    site.caches.screens.get(&format!("{project_key}/{issue_type_id}")).unwrap_or_default()
}

async fn read(
    site: &JiraSite,
    project_key: &str,
    issue_type_id: &str,
    deadline: Instant,
) -> Result<Option<Vec<ScreenField>>, JiraError> {
    let (mut screen, mut start) = (Vec::new(), 0);
    for _ in 0..MAX_PAGES {
        let mut url = site.url(&["issue", "createmeta", project_key, "issuetypes", issue_type_id]);
        url.query_pairs_mut().extend_pairs([
            ("startAt", start.to_string().as_str()),
            ("maxResults", PAGE_SIZE.to_string().as_str()),
        ]);
        let body = match site.ask(&JiraRequest::get(RequestKind::GetScreen, url), deadline).await? {
            answer if may_be_old(site, &answer) => {
                return read_old(site, (project_key, issue_type_id), answer, deadline).await;
            }
            Answer::NotFound(body) | Answer::Refused(_, body) if is_jira_error(&body) => return Ok(None),
            answer => answer.found()?,
        };
        let ListPage { values, total, is_last } = parse::<ListPage<Value>>(&body, "the screen")?;
        start += values.len();
        let is_over =
            values.is_empty() || is_last.unwrap_or_else(|| total.is_none_or(|total| start >= total));
        screen.extend(values.into_iter().filter_map(|field| RawField::read(field)?.field()));
        if is_over {
            return Ok(Some(screen));
        }
    }
    Ok(Some(screen))
}

/// The same from a release without that address, which gave `answer`.
async fn read_old(
    site: &JiraSite,
    (project_key, issue_type_id): (&str, &str),
    answer: Answer,
    deadline: Instant,
) -> Result<Option<Vec<ScreenField>>, JiraError> {
    let place = (project_key, Some(issue_type_id));
    let types =
        old_createmeta::types::<TypeWithFields>(site, RequestKind::GetScreen, place, deadline).await?;
    let Some(types) = types else {
        return Err(answer.found().err().unwrap_or_else(|| JiraError::invalid("there is no screen")));
    };
    let found = types.into_iter().find(|kind| kind.id == issue_type_id);
    let fields = |kind: TypeWithFields| {
        let named = kind.fields.into_iter();
        named
            .filter_map(|(field_id, field)| RawField { field_id, ..RawField::read(field)? }.field())
            .collect()
    };
    Ok(found.map(fields))
}

impl RawField {
    /// `None` for what has another shape, as fields of apps may have: the others are asked for anyway.
    fn read(field: Value) -> Option<Self> {
        serde_json::from_value(field).ok()
    }

    fn field(self) -> Option<ScreenField> {
        let name = one_line(&self.name, MAX_NAME_LENGTH);
        let kind = self.kind();
        let is_epic_name = self.schema.custom.as_deref() == Some(EPIC_NAME);
        let id = if self.field_id.is_empty() { self.key } else { self.field_id };
        is_id(&id).then(|| ScreenField {
            name: if name.is_empty() { id.clone() } else { name },
            id,
            is_required: self.required,
            // MARO itself gives an epic its name.
            has_default: self.has_default_value || is_epic_name,
            kind,
        })
    }

    fn kind(&self) -> FieldKind {
        let schema = &self.schema;
        // `com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes`
        let custom =
            schema.custom.as_deref().and_then(|custom| custom.rsplit(':').next()).unwrap_or_default();
        let is_text =
            custom == "textarea" || matches!(schema.system.as_deref(), Some("description" | "environment"));
        match (schema.kind.as_str(), schema.items.as_deref()) {
            ("string", _) if is_text => FieldKind::Text,
            ("string", _) => FieldKind::Line,
            ("number", _) => FieldKind::Number,
            ("date", _) => FieldKind::Date,
            ("datetime", _) => FieldKind::DateTime,
            ("user", _) => FieldKind::User,
            ("array", Some("user")) => FieldKind::Users,
            ("group", _) => FieldKind::Group,
            ("array", Some("group")) => FieldKind::Groups,
            ("timetracking", _) => FieldKind::Estimate,
            // A list of numbers on Cloud and of texts on Data Center; both take one number.
            _ if custom == SPRINT => FieldKind::Sprint,
            _ if schema.system.as_deref() == Some("parent") => FieldKind::Parent,
            _ if schema.custom.as_deref() == Some(EPIC_LINK) => FieldKind::EpicLink,
            ("array", Some("string")) => FieldKind::Labels,
            (
                "option" | "priority" | "version" | "component" | "securitylevel" | "resolution" | "project",
                _,
            ) => self.options().map_or(FieldKind::Other, FieldKind::Select),
            ("option-with-child", _) => self.cascade().map_or(FieldKind::Other, FieldKind::Select),
            ("array", Some("option" | "version" | "component")) => match self.options() {
                Some(options) if custom == "multicheckboxes" && options.len() <= MAX_BOXES => {
                    FieldKind::Checkboxes(options)
                }
                Some(options) => FieldKind::MultiSelect(options),
                None => FieldKind::Other,
            },
            _ => FieldKind::Other,
        }
    }

    /// As [`RawField::options`], of options with others below them: each of those is one, and the upper one alone.
    fn cascade(&self) -> Option<Vec<FieldOption>> {
        let below = |upper: &FieldOption, value: &Value| -> Vec<FieldOption> {
            let lower = value["children"].as_array().into_iter().flatten().filter_map(option);
            let joined = |lower: FieldOption| FieldOption {
                id: format!("{}{BELOW}{}", upper.id, lower.id),
                name: below_name(&upper.name, &lower.name),
            };
            lower.map(joined).collect()
        };
        let with_below = |value: &Value| {
            let upper = option(value)?;
            let below = below(&upper, value);
            Some([upper].into_iter().chain(below))
        };
        let options: Vec<FieldOption> =
            self.allowed_values.as_ref()?.iter().filter_map(with_below).flatten().collect();
        (1..=MAX_OPTIONS).contains(&options.len()).then_some(options)
    }

    /// What can be chosen; `None` if Jira doesn't say, or there is too much of it.
    fn options(&self) -> Option<Vec<FieldOption>> {
        let options: Vec<FieldOption> = self.allowed_values.as_ref()?.iter().filter_map(option).collect();
        (1..=MAX_OPTIONS).contains(&options.len()).then_some(options)
    }
}

/// The name of an option below another: if there's no room for both, it's the upper one that is cut.
fn below_name(upper: &str, lower: &str) -> String {
    let room = MAX_SHOWN.saturating_sub(lower.chars().count() + BETWEEN.len()).max(MIN_UPPER);
    one_line(&format!("{}{BETWEEN}{lower}", one_line(upper, room)), MAX_NAME_LENGTH)
}

fn option(value: &Value) -> Option<FieldOption> {
    let is_usable = value["disabled"] != true && value["archived"] != true;
    // Most ids are texts, some are numbers.
    let id = value["id"].as_str().map(str::to_owned).or_else(|| Some(value["id"].as_i64()?.to_string()))?;
    // Fields of apps call it a label.
    let name = ["value", "name", "label"].iter().find_map(|name| value[*name].as_str())?;
    // `-1` is what Jira calls none.
    (is_id(id.strip_prefix('-').unwrap_or(&id)) && is_usable)
        .then(|| FieldOption { id, name: one_line(name, MAX_NAME_LENGTH) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(schema: Value, allowed: Value) -> FieldKind {
        let field = json!({ "fieldId": "customfield_1", "name": "Field", "schema": schema, "allowedValues": allowed });
        serde_json::from_value::<RawField>(field).unwrap().field().unwrap().kind
    }

    #[test]
    fn what_jira_leaves_empty_is_asked_for_all_the_same() {
        let field = json!({ "fieldId": "customfield_1", "key": null, "name": null, "required": true,
            "hasDefaultValue": null, "schema": null });
        let field = RawField::read(field).unwrap().field().unwrap();
        assert_eq!(
            (field.name.as_str(), field.is_required, field.has_default),
            ("customfield_1", true, false)
        );
        assert_eq!(field.kind, FieldKind::Other);
    }

    #[test]
    fn options_below_one_with_a_long_name_can_be_told_apart() {
        let upper = "Long ".repeat(20);
        let (north, south) = (below_name(&upper, "North"), below_name(&upper, "South"));
        assert!(north.ends_with("… › North") && south.ends_with("… › South"), "{north} {south}");
        assert!((MAX_SHOWN - 5..=MAX_SHOWN).contains(&north.chars().count()), "{north}");
    }

    #[test]
    fn what_can_be_asked_for_is_known_by_its_schema() {
        let allowed = json!([
            { "id": "1", "value": "Low" },
            { "id": 2, "name": "High" },
            { "id": "3", "value": "Old", "disabled": true },
            { "value": "No id" },
            { "id": 4, "label": "Sad" },
            { "id": "-1", "value": "None" },
        ]);
        let options = || {
            [("1", "Low"), ("2", "High"), ("4", "Sad"), ("-1", "None")]
                .map(|(id, name)| FieldOption { id: id.to_owned(), name: name.to_owned() })
                .to_vec()
        };
        let custom = |name: &str| format!("com.atlassian.jira.plugin.system.customfieldtypes:{name}");
        let none = Value::Null;
        for (schema, allowed, expected) in [
            (json!({ "type": "string", "custom": custom("textfield") }), &none, FieldKind::Line),
            (json!({ "type": "string", "custom": custom("textarea") }), &none, FieldKind::Text),
            (json!({ "type": "string", "system": "environment" }), &none, FieldKind::Text),
            (json!({ "type": "number" }), &none, FieldKind::Number),
            (json!({ "type": "date", "system": "duedate" }), &none, FieldKind::Date),
            (json!({ "type": "datetime" }), &none, FieldKind::DateTime),
            (json!({ "type": "user" }), &none, FieldKind::User),
            (json!({ "type": "array", "items": "user" }), &none, FieldKind::Users),
            (json!({ "type": "issuelink", "system": "parent" }), &none, FieldKind::Parent),
            (json!({ "type": "any", "custom": EPIC_LINK }), &none, FieldKind::EpicLink),
            (json!({ "type": "array", "items": "string", "system": "labels" }), &none, FieldKind::Labels),
            (
                json!({ "type": "array", "items": "string", "custom": "com.pyxis.greenhopper.jira:gh-sprint" }),
                &none,
                FieldKind::Sprint,
            ),
            (
                json!({ "type": "array", "items": "json", "custom": "com.pyxis.greenhopper.jira:gh-sprint" }),
                &none,
                FieldKind::Sprint,
            ),
            (json!({ "type": "group", "custom": custom("grouppicker") }), &none, FieldKind::Group),
            (json!({ "type": "array", "items": "group" }), &none, FieldKind::Groups),
            (json!({ "type": "timetracking", "system": "timetracking" }), &none, FieldKind::Estimate),
            (json!({ "type": "string", "custom": custom("url") }), &none, FieldKind::Line),
            (json!({ "type": "option" }), &allowed, FieldKind::Select(options())),
            (json!({ "type": "priority" }), &allowed, FieldKind::Select(options())),
            (json!({ "type": "array", "items": "version" }), &allowed, FieldKind::MultiSelect(options())),
            (
                json!({ "type": "array", "items": "option", "custom": custom("multicheckboxes") }),
                &allowed,
                FieldKind::Checkboxes(options()),
            ),
            (json!({ "type": "option" }), &none, FieldKind::Other),
            (json!({ "type": "option-with-child" }), &allowed, FieldKind::Select(options())),
            (
                json!({ "type": "option-with-child", "custom": custom("cascadingselect") }),
                &json!([{ "id": "1", "value": "Quay", "children": [
                    { "id": "11", "value": "North" }, { "id": "12", "value": "Old", "disabled": true },
                ]}]),
                FieldKind::Select(vec![
                    FieldOption { id: "1".to_owned(), name: "Quay".to_owned() },
                    FieldOption { id: "1/11".to_owned(), name: "Quay › North".to_owned() },
                ]),
            ),
            (json!({ "type": "any", "custom": "com.example:thing" }), &none, FieldKind::Other),
            (json!({}), &none, FieldKind::Other),
        ] {
            assert_eq!(kind(schema.clone(), allowed.clone()), expected, "{schema}");
        }
    }
}
