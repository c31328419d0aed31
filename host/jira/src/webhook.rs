//! Jira's webhooks: their signature and their content.
//!
//! These are pure functions; the server owns the address `/jira/webhook`. Jira repeats a webhook that it
//! thinks was lost and guarantees no order, so an event is a hint that an issue changed, not a log to replay.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{
    error::JiraError,
    wire::event::{parse_event_issue, parse_event_name, parse_event_reference},
};
use maro_domain::issue::{Issue, IssueId, IssueKey};
use maro_process::secret::Secret;

/// The header that holds the signature.
pub const SIGNATURE_HEADER: &str = "x-hub-signature";

/// The parts of a webhook that MARO uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// When it happened, by Jira's clock, in milliseconds since 1970; `None` if Jira doesn't say.
    pub at: Option<i64>,
    pub event: WebhookEvent,
}

/// What a webhook says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebhookEvent {
    /// The issue as it is now. A moved issue has its new key and its old id.
    Updated(Issue),
    /// The issue is gone for good.
    Deleted { id: IssueId, key: IssueKey },
    /// Something else, such as a comment.
    Ignored,
}

/// Whether `signature`, the header's text, is `sha256=` and the HMAC of the raw body in hexadecimal, in
/// either case. Takes the same time wherever a wrong signature differs.
pub fn is_signed(secret: &Secret, signature: &str, body: &[u8]) -> bool {
    let Some(digest) = signature.strip_prefix("sha256=").and_then(|digits| hex::decode(digits).ok()) else {
        return false;
    };
    mac(secret, body).verify_slice(&digest).is_ok()
}

/// The header's text with which Jira would sign a body.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(mac(secret, body).finalize().into_bytes()))
}

fn mac(secret: &Secret, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    mac
}

/// Reads the body of a webhook whose signature was right. It needs neither the user nor the changelog.
///
/// # Errors
/// [`JiraError::InvalidResponse`] if it isn't a webhook of Jira's, or lacks what its event should have.
pub fn parse_event(body: &[u8]) -> Result<Webhook, JiraError> {
    let (name, at) = parse_event_name(body)?;
    let event = match name.as_ref() {
        "jira:issue_updated" => WebhookEvent::Updated(parse_event_issue(body)?),
        "jira:issue_deleted" => {
            let (id, key) = parse_event_reference(body)?;
            WebhookEvent::Deleted { id, key }
        }
        _ => WebhookEvent::Ignored,
    };
    Ok(Webhook { at, event })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("It's a Secret to Everybody")
    }

    #[test]
    fn only_the_right_signature_passes() {
        // The worked example in Atlassian's and GitHub's documentation of this header.
        let digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let body = b"Hello, World!";
        assert!(is_signed(&secret(), &format!("sha256={digest}"), body));
        assert!(is_signed(&secret(), &format!("sha256={}", digest.to_uppercase()), body));
        assert_eq!(sign(&secret(), body), format!("sha256={digest}"));
        for wrong in [
            String::new(),
            digest.to_owned(),
            "sha256=".to_owned(),
            format!("sha256={}", &digest[..62]),
            format!("sha256={digest}00"),
            format!("sha256={}", "0".repeat(64)),
            format!("sha256={}é", &digest[..62]),
            format!("sha1={digest}"),
        ] {
            assert!(!is_signed(&secret(), &wrong, body), "{wrong}");
        }
        assert!(!is_signed(&secret(), &format!("sha256={digest}"), b"Hello, world!"));
        assert!(!is_signed(&Secret::new("other"), &format!("sha256={digest}"), body));
    }

    #[test]
    fn a_change_needs_neither_user_nor_changelog() {
        let body = br#"{"timestamp":1,"webhookEvent":"jira:issue_updated","issue":{"id":"10001","self":"x",
            "key":"NEW-7","fields":{"summary":"Moved","status":{"name":"Done"},"assignee":null}}}"#;
        let issue = Issue::new(IssueId::new("10001"), IssueKey::parse("NEW-7").unwrap(), "Moved", "Done");
        assert_eq!(parse_event(body).unwrap(), Webhook { at: Some(1), event: WebhookEvent::Updated(issue) });
    }

    #[test]
    fn a_deleted_issue_needs_no_fields() {
        let body = br#"{"webhookEvent":"jira:issue_deleted","user":{},"issue":{"id":"10001","key":"A-1"}}"#;
        let (id, key) = (IssueId::new("10001"), IssueKey::parse("A-1").unwrap());
        assert_eq!(
            parse_event(body).unwrap(),
            Webhook { at: None, event: WebhookEvent::Deleted { id, key } }
        );
    }

    #[test]
    fn other_events_are_ignored_and_nonsense_is_not() {
        let comment = br#"{"timestamp":"soon","webhookEvent":"comment_created","issue":{"id":"1","key":"A-1","fields":{}}}"#;
        assert_eq!(parse_event(comment).unwrap(), Webhook { at: None, event: WebhookEvent::Ignored });
        let nonsense: [&[u8]; 5] = [
            b"",
            b"[]",
            b"{}",
            br#"{"webhookEvent":"jira:issue_updated"}"#,
            br#"{"webhookEvent":"jira:issue_updated","issue":{"id":"1","key":"A-1","fields":{}}}"#,
        ];
        for body in nonsense {
            assert!(matches!(parse_event(body), Err(JiraError::InvalidResponse { .. })));
        }
    }
}
