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
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Response,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::time::timeout;
use url::Url;

use crate::{
    outbound::{
        addresses::Reach,
        request::OutboundRequest,
        response::{MAX_BODY_BYTES, OutboundError, OutboundResponse},
        simulated::SimulatedServices,
    },
    policy::secrets::UsedSecret,
    recording::standins::encodings::spellings_in_answers,
};
use maro_process::{
    http::{
        body::{self, BodyError},
        client::{ClientOptions, LazyClient, Trust},
        network::{Network, Way},
    },
    spans,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long looking up a name may take that a proxy looks up, too. Many networks with proxies know no other names than
/// their own.
const LOOK_UP_TIMEOUT: Duration = Duration::from_secs(2);

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
    network: Network,
    public: LazyClient,
    private: LazyClient,
    /// What stands in for services, at an author's.
    simulated: Option<Arc<SimulatedServices>>,
}

impl OutboundClient {
    pub fn new(reach: Reach, network: Network) -> Self {
        let client = |allows| client(reach, &network, allows);
        let (public, private) = (client(reach.allows), client(reach.allows_private));
        Self { reach, network, public, private, simulated: None }
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
                return answer.map(|response| without_secrets(response, &secrets));
            }
            let (method, url) = (request.inner().method().to_string(), request.inner().url().to_string());
            let (client, allows) = match request.is_to_private_host() {
                true => (&self.private, self.reach.allows_private),
                false => (&self.public, self.reach.allows),
            };
            self.check_name(request.inner().url(), allows).await?;
            let client = client.get().await.map_err(unreachable)?;
            let response =
                read(spans::execute(client, "plugin http", request.into_inner()).await.map_err(unreachable)?)
                    .await?;
            let response = without_secrets(response, &secrets);
            if let Some(simulated) = &self.simulated {
                simulated.keep(&method, &url, &response);
            }
            Ok(response)
        };
        timeout(self.reach.patience, exchange).await.unwrap_or(Err(OutboundError::TimedOut))
    }

    /// Refuses what a proxy is asked for by name if the name leads to an address that isn't allowed. What this machine
    /// can't look up, the proxy may. The client itself looks up all else.
    async fn check_name(&self, url: &Url, allows: fn(IpAddr) -> bool) -> Result<(), OutboundError> {
        let name = url.host_str().unwrap_or_default();
        if self.network.way_to(url) == Way::Straight && !self.network.is_proxy(name) {
            return Ok(());
        }
        let looked_up = timeout(LOOK_UP_TIMEOUT, look_up(self.reach.look_up, name)).await;
        let addresses = looked_up.unwrap_or_else(|_| Ok(Vec::new())).unwrap_or_default();
        if addresses.iter().all(|address| allows(address.ip())) {
            Ok(())
        } else {
            Err(OutboundError::Private)
        }
    }
}

/// The answer without the secrets that were sent: some services repeat what they are asked, in JSON, in a URL, or decoded.
fn without_secrets(mut response: OutboundResponse, secrets: &[UsedSecret]) -> OutboundResponse {
    let respelled = secrets.iter().flat_map(|secret| secret.spelled(spellings_in_answers(secret.value())));
    for secret in secrets.iter().cloned().chain(respelled) {
        response.body = secret.take_out_of(response.body);
        for (_, value) in &mut response.headers {
            let bytes = secret.take_out_of(std::mem::take(value).into_bytes());
            *value = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    response
}

async fn look_up(instead: Option<fn(&str) -> Vec<IpAddr>>, name: &str) -> io::Result<Vec<SocketAddr>> {
    match instead {
        Some(look_up) => Ok(look_up(name).into_iter().map(|ip| (ip, 0).into()).collect()),
        None => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
    }
}

/// A client whose connections lead only to the addresses that `allows` names, or to the operator's own proxy.
fn client(reach: Reach, network: &Network, allows: fn(IpAddr) -> bool) -> LazyClient {
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
        resolver: Some(Arc::new(PinnedResolver { look_up: reach.look_up, allows, network: network.clone() })),
        network: network.clone(),
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
    network: Network,
}

/// The name has addresses, and none that is allowed.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address that is allowed")]
struct OnlyPrivate;

impl Resolve for PinnedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (instead, allows) = (self.look_up, self.allows);
        // The operator's own proxy is where it is. Requests to it are checked before.
        let is_proxy = self.network.is_proxy(name.as_str());
        Box::pin(async move {
            if is_proxy {
                return Ok(Box::new(look_up(None, name.as_str()).await?.into_iter()) as Addrs);
            }
            let found = look_up(instead, name.as_str()).await?;
            let is_known = !found.is_empty();
            let allowed: Vec<_> = found.into_iter().filter(|address| allows(address.ip())).collect();
            if is_known && allowed.is_empty() {
                return Err(OnlyPrivate.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::outbound::request::Parts;

    /// A proxy that connects nobody, and remembers the names that it was asked for.
    async fn proxy() -> (Network, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let noting = Arc::clone(&asked);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = [0; 1024];
                let length = stream.read(&mut head).await.unwrap();
                let head = String::from_utf8_lossy(&head[..length]).into_owned();
                noting.lock().unwrap().push(head.split(' ').nth(1).unwrap().to_owned());
                stream.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").await.unwrap();
            }
        });
        (Network::default().through(&format!("http://{address}"), "").unwrap(), asked)
    }

    fn names(name: &str) -> Vec<IpAddr> {
        let addresses: &[&str] = match name {
            "public.example" => &["1.1.1.1"],
            "inner.example" => &["10.0.0.1"],
            "mixed.example" => &["1.1.1.1", "169.254.169.254"],
            _ => &[],
        };
        addresses.iter().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn a_secret_is_taken_out_however_it_is_spelled() {
        let secrets = |value: &str| {
            let toml = format!("key = {{ value = '{value}', hosts = ['a.example'] }}");
            let held: crate::policy::secrets::HeldSecrets = toml::from_str(&toml).unwrap();
            held.fill("${secret:key}", &Url::parse("https://a.example/").unwrap()).unwrap().unwrap().used
        };
        let cleaned = |value: &str, answer: &str| {
            let headers = vec![("x".to_owned(), answer.to_owned())];
            let response = OutboundResponse { status: 200, headers, body: answer.as_bytes().to_vec() };
            let response = without_secrets(response, &secrets(value));
            let body = String::from_utf8(response.body).unwrap();
            assert_eq!(response.headers[0].1, body);
            body
        };
        for (value, answer, expected) in [
            ("ab+cd/ef==x", "{\"key\":\"ab+cd/ef==x\"}", "{\"key\":\"${secret:key}\"}"),
            ("ab+cd/ef==x", "?key=ab%2Bcd%2Fef%3D%3Dx", "?key=${secret:key}"),
            ("a\"b\\cdefg", "{\"key\":\"a\\\"b\\\\cdefg\"}", "{\"key\":\"${secret:key}\"}"),
            ("topsecretvalue9", "dG9wc2VjcmV0dmFsdWU5", "${secret:key}"),
            // rota:topsecretvalue9
            (
                "cm90YTp0b3BzZWNyZXR2YWx1ZTk=",
                "rota:topsecretvalue9, topsecretvalue9",
                "${secret:key}, ${secret:key}",
            ),
            ("topsecretvalue9", "nothing of it", "nothing of it"),
        ] {
            assert_eq!(cleaned(value, answer), expected, "{value}: {answer}");
        }
    }

    #[tokio::test]
    async fn a_simulated_answer_shows_no_secret_either() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.toml");
        std::fs::write(&path, "[[answers]]\nurl = '*'\nbody = 'you sent topsecretvalue9'").unwrap();
        let services = SimulatedServices::from_file(&path).unwrap();
        let client = OutboundClient::new(Reach::INTERNET, Network::default()).with_simulated(Some(services));
        let headers = [("x".to_owned(), "${secret:key}".to_owned())];
        let parts = Parts { method: "GET", url: "https://a.example/", headers: &headers, body: None };
        let mut request = OutboundRequest::new(parts, Reach::INTERNET).unwrap();
        let held = toml::from_str("key = { value = 'topsecretvalue9', hosts = ['a.example'] }").unwrap();
        request.fill_in(&held).unwrap();
        assert_eq!(client.send(request).await.unwrap().body, b"you sent ${secret:key}");
    }

    #[tokio::test]
    async fn a_proxy_is_not_asked_for_names_that_lead_to_private_addresses() {
        let (network, asked) = proxy().await;
        let reach = Reach { look_up: Some(names), ..Reach::INTERNET };
        let client = OutboundClient::new(reach, network);
        for (host, is_refused) in [
            ("public.example", false),
            ("inner.example", true),
            ("mixed.example", true),
            ("known-to-the-proxy.example", false),
        ] {
            let url = format!("https://{host}/");
            let parts = Parts { method: "GET", url: &url, headers: &[], body: None };
            let answer = client.send(OutboundRequest::new(parts, reach).unwrap()).await;
            assert_eq!(matches!(answer, Err(OutboundError::Private)), is_refused, "{host}: {answer:?}");
        }
        assert_eq!(*asked.lock().unwrap(), ["public.example:443", "known-to-the-proxy.example:443"]);
    }
}
