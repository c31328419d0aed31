//! Who changed the fields of an issue, as webhooks say it, and what of that is MARO's own.

use maro_jira::{
    accounts::{account::Account, people::Editor},
    webhooks::field_edits::{EditedField, FieldEdits},
};
use maro_store::issue_fields::SeenFields;

/// The last who changed a field to what Jira shows `now`, if a webhook says so. Webhooks come in any order, and what they
/// say of what changed since is of somebody else.
pub(crate) fn author(
    hints: &[FieldEdits],
    field: EditedField,
    now: &str,
    own: Option<&Account>,
) -> Option<String> {
    let is_to_now = |edits: &&FieldEdits| {
        edits.items.iter().rfind(|item| item.field == field).is_some_and(|item| item.to == now)
    };
    let last = hints.iter().rev().find(is_to_now)?;
    last.by.clone().filter(|by| !is_own(by, own)).map(|by| by.name)
}

/// What there was before what the webhooks say, where Jira shows what they say there is now. `None` if they say nothing
/// that counts.
pub(crate) fn before(seen: &SeenFields, hints: &[FieldEdits], own: Option<&Account>) -> Option<SeenFields> {
    let mut before = seen.clone();
    let is_others = |edits: &&FieldEdits| edits.by.as_ref().is_none_or(|by| !is_own(by, own));
    let others = hints.iter().rev().filter(is_others);
    for item in others.flat_map(|edits| &edits.items) {
        let (field, id) = match item.field {
            EditedField::Assignee => (&mut before.assignee, &mut before.ids.assignee),
            EditedField::Priority => (&mut before.priority, &mut before.ids.priority),
            EditedField::Sprint => (&mut before.sprint, &mut before.ids.sprint),
        };
        if *field == item.to {
            field.clone_from(&item.from);
            *id = None;
        }
    }
    (before != *seen).then_some(before)
}

/// Whether it's MARO itself. Nobody knows while Jira hasn't said who that is.
pub(crate) fn is_own(by: &Editor, own: Option<&Account>) -> bool {
    own.is_some_and(|own| own.is(by))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use maro_jira::webhooks::field_edits::FieldEdit;

    pub(crate) fn editor(name: &str) -> Editor {
        Editor { name: name.to_owned(), id: None }
    }

    pub(crate) fn account(name: &str) -> Account {
        Account { display_name: name.to_owned(), id: Some("maro".to_owned()) }
    }

    fn edits(by: &str, from: &str, to: &str) -> FieldEdits {
        let item = FieldEdit { field: EditedField::Assignee, from: from.to_owned(), to: to.to_owned() };
        FieldEdits { by: Some(editor(by)), items: vec![item] }
    }

    #[test]
    fn what_a_webhook_says_counts_where_jira_shows_it() {
        let seen = SeenFields { assignee: "Grace".to_owned(), ..SeenFields::default() };
        let hints = [edits("Priya", "", "Ada"), edits("Priya", "Ada", "Grace")];
        assert_eq!(before(&seen, &hints, Some(&account("MARO"))).unwrap().assignee, "");
        assert_eq!(before(&seen, &[edits("Priya", "Grace", "Ada")], None), None);
        assert_eq!(before(&seen, &[edits("MARO", "Ada", "Grace")], Some(&account("MARO"))), None);
        let who = |hints: &[FieldEdits], field, now, own| author(hints, field, now, own);
        assert_eq!(who(&hints, EditedField::Assignee, "Grace", None).as_deref(), Some("Priya"));
        assert_eq!(who(&hints, EditedField::Sprint, "", None), None);
        let own = who(&hints, EditedField::Assignee, "Grace", Some(&account("Priya")));
        assert_eq!(own, None, "it's MARO's own change");
    }

    #[test]
    fn who_changed_a_field_is_who_changed_it_to_what_it_is() {
        let who = |hints: &[FieldEdits], now: &str| author(hints, EditedField::Assignee, now, None);
        // The later change came first, and of a third one no webhook came.
        let hints = [edits("Bob", "Ada", "Grace"), edits("Priya", "", "Ada")];
        assert_eq!(who(&hints, "Grace").as_deref(), Some("Bob"));
        assert_eq!(who(&hints, "Ada").as_deref(), Some("Priya"));
        assert_eq!(who(&hints, "Hedy"), None);
        let again = [edits("Bob", "", "Grace"), edits("Priya", "Grace", ""), edits("Cy", "", "Grace")];
        assert_eq!(who(&again, "Grace").as_deref(), Some("Cy"));
    }
}
