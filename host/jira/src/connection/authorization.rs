//! Who MARO is to Jira, in headers: fixed ones, or those with a token that is fetched and renewed.

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{
    Client,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue},
};

use crate::{
    config::{JiraConfig, JiraCredentials},
    connection::service_account_tokens::{Tokens, bearer},
    error::JiraError,
};
use maro_process::secret::Secret;

const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The headers of each request to one site.
#[derive(Debug)]
pub(crate) struct Authorization {
    source: RwLock<Arc<Source>>,
}

/// The headers of one request. Their values are marked sensitive.
#[derive(Debug, Clone)]
pub(crate) struct Headers {
    pub(crate) map: Arc<HeaderMap>,
    source: Arc<Source>,
}

#[derive(Debug)]
struct Source {
    /// Without the credentials if these are a token that is fetched.
    fixed: Arc<HeaderMap>,
    tokens: Option<Tokens>,
}

impl Authorization {
    pub(crate) fn new(config: &JiraConfig) -> Self {
        Self { source: RwLock::new(Arc::new(Source::new(config))) }
    }

    /// Has every later request carry these credentials. Whether they differ from those so far, of which a token is
    /// kept.
    pub(crate) fn replace(&self, config: &JiraConfig) -> bool {
        let source = Source::new(config);
        let mut current = self.source.write().unwrap_or_else(PoisonError::into_inner);
        let differs = !source.is_same(&current);
        if differs {
            *current = Arc::new(source);
        }
        differs
    }

    /// What a request carries. May have to fetch a token.
    pub(crate) async fn headers(&self, http: &Client) -> Result<Headers, JiraError> {
        let source = Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner));
        let map = match &source.tokens {
            None => Arc::clone(&source.fixed),
            Some(tokens) => tokens.get(http, &source.fixed).await?,
        };
        Ok(Headers { map, source })
    }

    /// What a request carries that asks as nobody.
    pub(crate) fn without_credentials(&self) -> HeaderMap {
        let source = self.source.read().unwrap_or_else(PoisonError::into_inner);
        let mut headers = (*source.fixed).clone();
        headers.remove(AUTHORIZATION);
        headers
    }

    /// Jira has refused these headers. Whether others may fare better.
    pub(crate) fn refused(&self, headers: &Headers) -> bool {
        let source = Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner));
        // The credentials were replaced meanwhile.
        if !Arc::ptr_eq(&source, &headers.source) {
            return true;
        }
        source.tokens.as_ref().is_some_and(|tokens| tokens.forget(&headers.map))
    }

    /// How long the current token lasts, if it's one that ends.
    pub(crate) fn lasts(&self) -> Option<Duration> {
        let source = Arc::clone(&self.source.read().unwrap_or_else(PoisonError::into_inner));
        source.tokens.as_ref()?.lasts()
    }
}

impl Source {
    fn new(config: &JiraConfig) -> Self {
        let mut fixed = config.headers.as_map().clone();
        fixed.insert(ACCEPT, JSON);
        let mut tokens = None;
        match &config.credentials {
            JiraCredentials::Cloud { email: user, api_token: password }
            | JiraCredentials::Password { user, password } => {
                fixed.insert(AUTHORIZATION, basic(user, password));
            }
            JiraCredentials::DataCenter { token } => {
                fixed.insert(AUTHORIZATION, bearer(token.expose()).expect("the settings hold no such token"));
            }
            JiraCredentials::ServiceAccount { client_id, client_secret } => {
                tokens = Some(Tokens::new(config, client_id, client_secret));
            }
        }
        Self { fixed: Arc::new(fixed), tokens }
    }
}

impl Source {
    fn is_same(&self, other: &Self) -> bool {
        let is_same_client = match (&self.tokens, &other.tokens) {
            (Some(one), Some(other)) => one.is_same_client(other),
            (one, other) => one.is_none() && other.is_none(),
        };
        self.fixed == other.fixed && is_same_client
    }
}

fn basic(user: &str, password: &Secret) -> HeaderValue {
    let encoded = BASE64_STANDARD.encode(format!("{user}:{}", password.expose()));
    let mut value = HeaderValue::from_str(&format!("Basic {encoded}")).expect("Base64 fits into a header");
    value.set_sensitive(true);
    value
}
