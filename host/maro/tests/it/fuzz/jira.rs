//! Jira's webhooks.

use arbtest::arbtest;
use maro_jira::webhooks::{
    signature,
    webhook::{self, WebhookEvent},
};
use maro_process::secret::Secret;

use crate::fuzz::{Corpus, fuzz};

#[test]
fn a_webhook_gives_a_key_an_id_and_no_word_more() {
    fuzz("webhooks", |body| {
        let event = webhook::parse_event(body);
        let shown = format!("{event:?}");
        assert!(!shown.contains("Sale") && !shown.contains("quay"), "{shown}");
        if let Ok(WebhookEvent::Changed { id, key, status }) = event {
            assert!(id.as_ref().is_none_or(|id| (1..=32).contains(&id.as_str().len())), "{id:?}");
            assert!(key.iter().all(|key| key.as_str().is_ascii()), "{key:?}");
            assert!(id.is_some() || key.is_some());
            for text in status.iter().flat_map(|change| [&change.status, &change.by]) {
                assert!((1..=100).contains(&text.chars().count()), "{text:?}");
            }
        }
    });
}

#[test]
fn only_the_right_signature_of_a_webhook_passes() {
    let secret = Secret::new("a webhook secret");
    let corpus = Corpus::read("webhooks");
    arbtest(|random| {
        let body = corpus.altered(random)?;
        let signature = signature::sign(&secret, &body);
        assert!(signature::is_signed(&secret, &signature, &body));
        let other = Corpus(vec![signature.clone().into_bytes()]).altered(random)?;
        let other = String::from_utf8_lossy(&other);
        let is_same =
            other.strip_prefix("sha256=").is_some_and(|digits| signature.ends_with(&digits.to_lowercase()))
                && other.len() == signature.len();
        assert_eq!(signature::is_signed(&secret, &other, &body), is_same, "{other}");
        Ok(())
    })
    .run();
}
