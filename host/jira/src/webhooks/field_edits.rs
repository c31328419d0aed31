//! What a webhook says of fields that changed: hints, of which only those count that Jira itself bears out.

use crate::{
    accounts::people::Editor,
    wire::event::{self, ChangedField},
};
use maro_domain::issue::IssueKey;

/// A field of which channels may be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EditedField {
    Assignee,
    Priority,
    Sprint,
}

/// A change of a field. What isn't set is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldEdit {
    pub field: EditedField,
    pub from: String,
    pub to: String,
}

/// What somebody changed. Of comments it only says that there may be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldEdits {
    pub by: Option<Editor>,
    pub items: Vec<FieldEdit>,
}

/// Reads a webhook whose sender is known. `None` if it's about nothing of which channels are told.
pub fn parse(body: &[u8]) -> Option<(IssueKey, FieldEdits)> {
    let key = event::loose_reference(body)?.key?;
    match event::name(body).ok()??.as_str() {
        "comment_created" => Some((key, FieldEdits { by: None, items: Vec::new() })),
        "jira:issue_updated" => {
            let (by, changes) = event::parse_changes(body)?;
            let edit = |ChangedField { field, from, to }: ChangedField| {
                let field = match field.to_lowercase().as_str() {
                    "assignee" => EditedField::Assignee,
                    "priority" => EditedField::Priority,
                    "sprint" => EditedField::Sprint,
                    _ => return None,
                };
                Some(FieldEdit { field, from, to })
            };
            let items: Vec<FieldEdit> = changes.into_iter().filter_map(edit).collect();
            let is_comment = event::has_comment(body);
            (!items.is_empty() || is_comment).then_some((key, FieldEdits { by, items }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_channels_may_be_told_is_read() {
        let read = |name: &str, change: serde_json::Value| {
            let mut event = json!({ "webhookEvent": name, "issue": { "id": "1", "key": "A-1" } });
            event.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            parse(event.to_string().as_bytes()).map(|(key, edits)| (key.to_string(), edits))
        };
        let items = json!([
            { "field": "assignee", "from": null, "fromString": null, "to": "1", "toString": "Ada  Lovelace" },
            { "field": "Sprint", "fromString": "Sprint 1", "toString": "" },
            { "field": "description", "fromString": "a", "toString": "b" },
        ]);
        let change =
            json!({ "user": { "accountId": "7", "displayName": "Priya" }, "changelog": { "items": items } });
        let (key, edits) = read("jira:issue_updated", change).unwrap();
        let edit =
            |field, from: &str, to: &str| FieldEdit { field, from: from.to_owned(), to: to.to_owned() };
        let expected =
            [edit(EditedField::Assignee, "", "Ada Lovelace"), edit(EditedField::Sprint, "Sprint 1", "")];
        let by = edits.by.as_ref().map(|by| (by.name.as_str(), by.id.as_deref()));
        assert_eq!((key.as_str(), by, &*edits.items), ("A-1", Some(("Priya", Some("7"))), &expected[..]));
        // Jira may not name the person who did it.
        let nameless = json!({ "user": { "accountId": "1", "displayName": null }, "changelog": { "items": [
            {}, { "field": "priority", "fromString": "Low", "toString": "High" },
        ] } });
        let (_, edits) = read("jira:issue_updated", nameless).unwrap();
        assert_eq!((edits.by, &*edits.items), (None, &[edit(EditedField::Priority, "Low", "High")][..]));
        let comment = json!({ "comment": { "id": "7", "body": "secret" } });
        let (_, edits) = read("comment_created", comment.clone()).unwrap();
        assert_eq!(edits, FieldEdits { by: None, items: Vec::new() });
        assert!(read("jira:issue_updated", comment).is_some());
        assert_eq!(read("jira:issue_updated", json!({ "changelog": { "items": [] } })), None);
        assert_eq!(read("jira:issue_deleted", json!({})), None);
    }
}
