//! How long credentials last, where their giver says so.

use std::time::Duration;

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CredentialLabels {
    credential: &'static str,
}

const JIRA: CredentialLabels = CredentialLabels { credential: "jira" };
const SLACK: CredentialLabels = CredentialLabels { credential: "slack" };

/// In seconds, by credential.
#[derive(Debug, Default)]
pub struct Credentials {
    expires: Family<CredentialLabels, Gauge>,
}

impl Credentials {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let credentials = Self::default();
        let help = "How long a credential is still valid, if its issuer says so";
        registry.register("credential_expires_seconds", help, credentials.expires.clone());
        credentials
    }

    /// For how long Jira's token lasts, if that is known.
    pub fn set_jira(&self, lasts: Option<Duration>) {
        self.set(&JIRA, lasts);
    }

    /// For how long Slack's token lasts, if that is known.
    pub fn set_slack(&self, lasts: Option<Duration>) {
        self.set(&SLACK, lasts);
    }

    fn set(&self, credential: &CredentialLabels, lasts: Option<Duration>) {
        match lasts {
            Some(lasts) => {
                let seconds = i64::try_from(lasts.as_secs()).unwrap_or(i64::MAX);
                self.expires.get_or_create(credential).set(seconds);
            }
            None => drop(self.expires.remove(credential)),
        }
    }
}
