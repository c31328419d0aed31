//! What Jira's webhooks say.
//!
//! These are pure functions; the server owns the address `/jira/webhook`. A webhook is a hint that an issue changed
//! and no more: Jira repeats one that it thinks was lost, guarantees no order, and writes into it what MARO's account
//! may not be allowed to see. So only the issue's id and key are read, and who set which status: the name counts once
//! Jira itself shows that status to the account.

use sha2::{Digest as _, Sha256};

use crate::{
    error::JiraError,
    wire::event::{self, Reference},
};
use maro_domain::issue::{IssueId, IssueKey};

/// The header in which Jira names a webhook, the same each time that it sends it.
pub const IDENTIFIER_HEADER: &str = "x-atlassian-webhook-identifier";

/// Who set which status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusChange {
    /// One line of at most 100 characters, as of an issue.
    pub status: String,
    /// The person's name, one line of at most 100 characters.
    pub by: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookEvent {
    /// This issue changed, moved or was deleted. A moved issue has its new key and its old id.
    Changed {
        /// Rules that people write may leave it out, or the key.
        id: Option<IssueId>,
        key: Option<IssueKey>,
        /// What it says of the status, if anything.
        status: Option<StatusChange>,
    },
    /// Something else, such as a comment.
    Ignored,
}

/// What stands for a status where the status itself mustn't stand: SHA-256 of its name, in hexadecimal.
pub fn status_digest(status: &str) -> String {
    hex::encode(Sha256::digest(status.as_bytes()))
}

/// Reads the body of a webhook whose sender is known. Jira's own webhooks name their event. Those of a workflow's post
/// function and of automation rules don't, and may be about anything.
///
/// # Errors
/// [`JiraError::InvalidResponse`] if it isn't JSON. Anything else is Jira's, which would send it again.
pub fn parse_event(body: &[u8]) -> Result<WebhookEvent, JiraError> {
    let name = event::name(body)?;
    if !matches!(name.as_deref(), None | Some("jira:issue_updated" | "jira:issue_deleted")) {
        return Ok(WebhookEvent::Ignored);
    }
    Ok(match event::loose_reference(body) {
        Some(Reference { id, key }) => {
            WebhookEvent::Changed { id, key, status: name.and_then(|_| status_change(body)) }
        }
        None => WebhookEvent::Ignored,
    })
}

fn status_change(body: &[u8]) -> Option<StatusChange> {
    let (status, by) = event::parse_status_change(body)?;
    Some(StatusChange { status, by })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_issues_id_and_key_are_read() {
        let (id, key) = (IssueId::new("10001"), IssueKey::parse("NEW-7").unwrap());
        for body in [
            r#"{"timestamp":1,"webhookEvent":"jira:issue_updated","issue":{"id":"10001","self":"x",
                "key":"NEW-7","fields":{"summary":"Moved","status":{"name":"Done"},"assignee":null}}}"#,
            r#"{"webhookEvent":"jira:issue_updated","issue":{"id":"10001","key":"NEW-7","fields":7}}"#,
            r#"{"webhookEvent":"jira:issue_deleted","user":{},"issue":{"id":"10001","key":"NEW-7"}}"#,
            r#"{"webhookEvent":"jira:issue_updated","issue":{"id":10001,"key":"NEW-7"}}"#,
        ] {
            let changed =
                WebhookEvent::Changed { id: Some(id.clone()), key: Some(key.clone()), status: None };
            assert_eq!(parse_event(body.as_bytes()).unwrap(), changed);
        }
    }

    #[test]
    fn who_set_a_status_is_read_if_jira_says_it() {
        let status = |body: serde_json::Value| match parse_event(body.to_string().as_bytes()).unwrap() {
            WebhookEvent::Changed { status, .. } => status.map(|change| (change.status, change.by)),
            WebhookEvent::Ignored => panic!("it's a change"),
        };
        let event = |user: serde_json::Value, items: serde_json::Value| {
            serde_json::json!({
                "webhookEvent": "jira:issue_updated", "issue": {"id": "1", "key": "A-1"},
                "user": user, "changelog": {"items": items},
            })
        };
        let priya = serde_json::json!({"accountId": "1", "displayName": "Priya\nRaman"});
        let items = serde_json::json!([
            {"field": "summary", "from": null, "fromString": "a", "to": null, "toString": "b"},
            {"field": "status", "from": "1", "fromString": "Open", "to": "2", "toString": "In  Review"},
        ]);
        let read = status(event(priya.clone(), items.clone()));
        assert_eq!(read, Some(("In Review".to_owned(), "Priya Raman".to_owned())));
        for (user, items) in [
            (serde_json::json!(null), items.clone()),
            (serde_json::json!({"displayName": " "}), items.clone()),
            (serde_json::json!({"displayName": 7}), items),
            (priya.clone(), serde_json::json!([])),
            (priya, serde_json::json!([{"field": "status"}])),
        ] {
            assert_eq!(status(event(user, items)), None);
        }
    }

    #[test]
    fn what_names_no_event_may_name_an_issue_in_any_way() {
        let (id, key) = (IssueId::new("10001"), IssueKey::parse("NEW-7").unwrap());
        let changed = |id: Option<&IssueId>| WebhookEvent::Changed {
            id: id.cloned(),
            key: Some(key.clone()),
            status: None,
        };
        for body in [
            r#"{"transition":{"transitionId":31},"user":{},"issue":{"id":"10001","key":"NEW-7","fields":{}}}"#,
            r#"{"webhookEvent":null,"issue":{"id":10001,"key":"new-7"}}"#,
            r#"{"id":"10001","key":"NEW-7","self":"x","fields":{}}"#,
        ] {
            assert_eq!(parse_event(body.as_bytes()).unwrap(), changed(Some(&id)), "{body}");
        }
        for body in [r#"{"issue":{"key":"NEW-7"}}"#, r#"{"issueKey":"NEW-7"}"#, r#"{"issue":"NEW-7"}"#] {
            assert_eq!(parse_event(body.as_bytes()).unwrap(), changed(None), "{body}");
        }
        let by_id = WebhookEvent::Changed { id: Some(id), key: None, status: None };
        for body in [
            r#"{"issue":{"id":"10001"}}"#,
            r#"{"webhookEvent":"jira:issue_updated","issue":{"id":10001,"self":"x"}}"#,
            r#"{"issueId":10001}"#,
            r#"{"webhookEvent":"jira:issue_updated","issue":{"id":"10001","key":"","fields":{"resolution":null}}}"#,
            r#"{"issue":{"id":" 10001 ","key":null}}"#,
        ] {
            assert_eq!(parse_event(body.as_bytes()).unwrap(), by_id, "{body}");
        }
        for body in [
            r#"{"id":"Q-1","state":"open"}"#,
            r#"{"comment":"","timestamp":1}"#,
            r#"{"issue":{}}"#,
            r#"{"issue":{"key":"no key"}}"#,
        ] {
            assert_eq!(parse_event(body.as_bytes()).unwrap(), WebhookEvent::Ignored, "{body}");
        }
    }

    #[test]
    fn other_events_and_shapes_are_ignored_and_nonsense_is_not() {
        let comment = br#"{"timestamp":"soon","webhookEvent":"comment_created","issue":{"id":"1","key":"A-1","fields":{}}}"#;
        assert_eq!(parse_event(comment).unwrap(), WebhookEvent::Ignored);
        for body in [
            "[]",
            "{}",
            "5",
            r#"["A-1"]"#,
            r#""A-1""#,
            r#"{"webhookEvent":5}"#,
            r#"{"webhookEvent":"jira:issue_updated"}"#,
            r#"{"webhookEvent":"jira:issue_updated","issue":{"id":"1","key":"Sale of the quay","fields":{}}}"#,
            r#"{"webhookEvent":"jira:issue_deleted","issue":{"id":"","key":"A-1"}}"#,
        ] {
            assert_eq!(parse_event(body.as_bytes()).unwrap(), WebhookEvent::Ignored, "{body}");
        }
        let nonsense: [&[u8]; 3] = [b"", b"issue=A-1", br#"{"webhookEvent":"Sale of the quay""#];
        for body in nonsense {
            let error = parse_event(body).unwrap_err();
            assert!(matches!(error, JiraError::InvalidResponse { .. }));
            assert!(!format!("{error:?}").contains("Sale"), "{error:?}");
        }
    }
}
