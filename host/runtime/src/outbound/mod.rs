//! Requests of plugins to services outside: where they may go, and how much comes back.
//!
//! The operator lists the hosts that a plugin may name. This module allows connections only to public
//! addresses, whatever a name resolves to, and bounds sizes and times. Hosts that the operator lists as private have
//! a client of their own, so that no connection to one serves a plugin that only names it.

pub mod addresses;
pub mod request;
pub mod response;
pub mod simulated;

use std::{
    error::Error,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Response,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::time::timeout;

use crate::{
    outbound::{
        addresses::Reach,
        request::OutboundRequest,
        response::{MAX_BODY_BYTES, OutboundError, OutboundResponse},
        simulated::SimulatedServices,
    },
    policy::secrets::UsedSecret,
};
use maro_process::http::{
    body::{self, BodyError},
    client::{ClientOptions, LazyClient, Trust},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The largest headers of an answer, in bytes of names and values.
const MAX_HEADER_BYTES: usize = 64 * 1024;

/// Idle connections that are kept to one host, and for how long.
const MAX_IDLE: usize = 4;
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// What plugins see as the sender's name unless they give one themselves.
const USER_AGENT: &str = "maro";

/// Sends the requests of all plugins.
pub struct OutboundClient {
    reach: Reach,
    public: LazyClient,
    private: LazyClient,
    /// What stands in for services, at an author's.
    simulated: Option<Arc<SimulatedServices>>,
}

impl OutboundClient {
    pub fn new(reach: Reach) -> Self {
        Self {
            reach,
            public: client(reach, reach.allows),
            private: client(reach, reach.allows_private),
            simulated: None,
        }
    }

    /// With answers in place of services.
    #[must_use]
    pub fn with_simulated(self, simulated: Option<Arc<SimulatedServices>>) -> Self {
        Self { simulated, ..self }
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
        let secrets = request.secrets();
        let exchange = async {
            if let Some(simulated) = &self.simulated
                && let Some(answer) = simulated.answer(&request).await
            {
                return answer;
            }
            let (method, url) = (request.inner().method().to_string(), request.inner().url().to_string());
            let client = if request.is_to_private_host() { &self.private } else { &self.public };
            let client = client.get().await.map_err(unreachable)?;
            let response = read(client.execute(request.into_inner()).await.map_err(unreachable)?).await?;
            let response = without_secrets(response, &secrets);
            if let Some(simulated) = &self.simulated {
                simulated.keep(&method, &url, &response);
            }
            Ok(response)
        };
        timeout(self.reach.patience, exchange).await.unwrap_or(Err(OutboundError::TimedOut))
    }
}

/// The answer without the secrets that were sent: some services repeat what they are asked.
fn without_secrets(mut response: OutboundResponse, secrets: &[UsedSecret]) -> OutboundResponse {
    for secret in secrets {
        response.body = secret.take_out_of(response.body);
        for (_, value) in &mut response.headers {
            let bytes = secret.take_out_of(std::mem::take(value).into_bytes());
            *value = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    response
}

/// A client whose connections lead only to the addresses that `allows` names.
fn client(reach: Reach, allows: fn(IpAddr) -> bool) -> LazyClient {
    let trust = match reach.authority {
        Some(certificate) => Trust::Only(certificate),
        None if reach.plain_http => Trust::Nobody,
        None => Trust::System,
    };
    LazyClient::new(ClientOptions {
        user_agent: USER_AGENT,
        connect_timeout: CONNECT_TIMEOUT,
        max_idle: MAX_IDLE,
        idle_timeout: IDLE_TIMEOUT,
        https_only: !reach.plain_http,
        resolver: Some(Arc::new(PinnedResolver { look_up: reach.look_up, allows })),
        ..ClientOptions::new(trust)
    })
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
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if causes.into_iter().any(|cause| cause.is::<OnlyPrivate>()) {
        return OutboundError::Private;
    }
    OutboundError::Unreachable(Arc::new(error.without_url()))
}

/// Looks up names and passes on only the allowed addresses. The connection is made to exactly these, so it
/// doesn't help if the name resolves differently a moment later.
struct PinnedResolver {
    look_up: Option<fn(&str) -> Vec<IpAddr>>,
    allows: fn(IpAddr) -> bool,
}

/// The name has addresses, and none that is allowed.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address that is allowed")]
struct OnlyPrivate;

impl Resolve for PinnedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { look_up, allows } = *self;
        Box::pin(async move {
            let found: Vec<SocketAddr> = match look_up {
                Some(look_up) => look_up(name.as_str()).into_iter().map(|ip| (ip, 0).into()).collect(),
                None => tokio::net::lookup_host((name.as_str(), 0)).await?.collect(),
            };
            let is_known = !found.is_empty();
            let allowed: Vec<_> = found.into_iter().filter(|address| allows(address.ip())).collect();
            if is_known && allowed.is_empty() {
                return Err(OnlyPrivate.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
