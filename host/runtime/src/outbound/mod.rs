//! Requests of plugins to services outside: where they may go, and how much comes back.
//!
//! The operator lists the hosts that a plugin may name. This module allows connections only to public
//! addresses, whatever a name resolves to, and bounds sizes and times.

pub mod addresses;
pub mod request;

use std::{error::Error, net::SocketAddr, sync::Arc, time::Duration};

use reqwest::{
    Response,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::time::timeout;

use crate::outbound::{addresses::Reach, request::OutboundRequest};
use maro_process::http::{
    body::{self, BodyError},
    client::{ClientOptions, LazyClient, Trust},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest body of an answer, in bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// The largest headers of an answer, in bytes of names and values.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Idle connections that are kept to one host, and for how long.
const MAX_IDLE: usize = 4;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What plugins see as the sender's name unless they give one themselves.
const USER_AGENT: &str = "maro";

/// A service's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundResponse {
    pub status: u16,
    /// In the order of arrival. Values that aren't UTF-8 are repaired.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// There is no connection, it can't be trusted, or the answer isn't HTTP.
    #[error("can't reach the service")]
    Unreachable(#[source] Arc<dyn Error + Send + Sync>),
    #[error("the service took too long to respond")]
    TimedOut,
    #[error("the response is too large")]
    TooLarge,
}

/// Sends the requests of all plugins.
pub struct OutboundClient {
    reach: Reach,
    client: LazyClient,
}

impl OutboundClient {
    pub fn new(reach: Reach) -> Self {
        let trust = match reach.authority {
            Some(certificate) => Trust::Only(certificate),
            None if reach.plain_http => Trust::Nobody,
            None => Trust::System,
        };
        let options = ClientOptions {
            user_agent: USER_AGENT,
            connect_timeout: CONNECT_TIMEOUT,
            max_idle: MAX_IDLE,
            idle_timeout: IDLE_TIMEOUT,
            https_only: !reach.plain_http,
            resolver: Some(Arc::new(PublicResolver { reach })),
            ..ClientOptions::new(trust)
        };
        Self { reach, client: LazyClient::new(options) }
    }

    /// Where requests may go.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Sends one request and reads the whole answer. Redirects are answers like any other.
    ///
    /// # Errors
    /// There is no complete answer. The service may have acted on the request anyway.
    pub async fn send(&self, request: OutboundRequest) -> Result<OutboundResponse, OutboundError> {
        let exchange = async {
            let client = self.client.get().await.map_err(unreachable)?;
            read(client.execute(request.into_inner()).await.map_err(unreachable)?).await
        };
        timeout(self.reach.patience, exchange).await.unwrap_or(Err(OutboundError::TimedOut))
    }
}

async fn read(response: Response) -> Result<OutboundResponse, OutboundError> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = response.headers();
    let headers: Vec<(String, String)> =
        headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect();
    if headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > MAX_HEADER_BYTES {
        return Err(OutboundError::TooLarge);
    }
    let status = response.status().as_u16();
    match body::read(response, MAX_BODY_BYTES).await {
        Ok(body) => Ok(OutboundResponse { status, headers, body: body.into() }),
        Err(BodyError::TooLarge) => Err(OutboundError::TooLarge),
        Err(BodyError::Broken(error)) => Err(unreachable(error)),
    }
}

/// The URL may contain one of the plugin's keys.
fn unreachable(error: reqwest::Error) -> OutboundError {
    if error.is_timeout() {
        return OutboundError::TimedOut;
    }
    OutboundError::Unreachable(Arc::new(error.without_url()))
}

/// Looks up names and passes on only the allowed addresses. The connection is made to exactly these, so it
/// doesn't help if the name resolves differently a moment later.
struct PublicResolver {
    reach: Reach,
}

#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NoPublicAddress;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        Box::pin(async move {
            let found: Vec<SocketAddr> = match reach.look_up {
                Some(look_up) => look_up(name.as_str()).into_iter().map(|ip| (ip, 0).into()).collect(),
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            let allowed: Vec<_> = found.into_iter().filter(|address| (reach.allows)(address.ip())).collect();
            if allowed.is_empty() {
                return Err(NoPublicAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
