//! What stands between MARO and its services in a company: an authority of its own, TLS before every service, names
//! that only the proxy knows, and a proxy that connects.

use std::{
    collections::HashMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::postgres::not_available;

/// An authority that no system knows.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: rcgen::Certificate,
    /// Servers show its certificate beside theirs, since another authority has signed it.
    is_deputy: bool,
}

impl Authority {
    pub(super) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), certificate, is_deputy: false }
    }

    /// Another one, for which this one vouches.
    pub(super) fn deputy(&self) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Self { issuer: Issuer::new(params, key), certificate, is_deputy: true }
    }

    pub(super) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Its certificate, as a file.
    pub(super) fn write(&self, folder: &Path) -> PathBuf {
        let path = folder.join("ca.pem");
        fs::write(&path, self.pem()).unwrap();
        path
    }

    /// A certificate for somebody, with its key, as a file.
    pub(super) fn write_identity(&self, name: &str, folder: &Path) -> PathBuf {
        let (certificate, key) = self.vouch_for(named(name));
        let path = folder.join("identity.pem");
        fs::write(&path, certificate.pem() + &key.serialize_pem()).unwrap();
        path
    }

    fn vouch_for(&self, params: CertificateParams) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    fn server(&self, params: CertificateParams, asks_for_certificate: bool) -> TlsAcceptor {
        #[expect(clippy::disallowed_methods, reason = "it is the service's, not MARO's")]
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = if asks_for_certificate {
            let mut roots = RootCertStore::empty();
            roots.add(self.certificate.der().clone()).unwrap();
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots.into(), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        } else {
            builder.with_no_client_auth()
        };
        let (certificate, key) = self.vouch_for(params);
        let mut chain = vec![certificate.der().clone()];
        chain.extend(self.is_deputy.then(|| self.certificate.der().clone()));
        let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        TlsAcceptor::from(Arc::new(builder.with_single_cert(chain, key).unwrap()))
    }

    /// TLS under a name before a service that has none. Returns its address.
    pub(super) async fn front(&self, name: &str, service: SocketAddr) -> SocketAddr {
        serve_tls(self.server(named(name), false), service).await
    }

    /// As [`Authority::front`], with a certificate of years ago.
    pub(super) async fn expired(&self, name: &str, service: SocketAddr) -> SocketAddr {
        let mut params = named(name);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        serve_tls(self.server(params, false), service).await
    }

    /// As [`Authority::front`], for those alone that this authority vouches for.
    pub(super) async fn gate(&self, name: &str, service: SocketAddr) -> SocketAddr {
        serve_tls(self.server(named(name), true), service).await
    }
}

fn named(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).unwrap()
}

async fn serve_tls(acceptor: TlsAcceptor, service: SocketAddr) -> SocketAddr {
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut service = TcpStream::connect(service).await.unwrap();
                let _ = copy_bidirectional(&mut stream, &mut service).await;
            });
        }
    });
    address
}

async fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap()
}

/// The internet as the proxy sees it: connects by name (`CONNECT`), and remembers to what.
#[derive(Clone)]
pub(super) struct Internet {
    pub(super) address: SocketAddr,
    places: Arc<Mutex<HashMap<String, SocketAddr>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Internet {
    pub(super) async fn start() -> Self {
        let listener = listener().await;
        let internet =
            Self { address: listener.local_addr().unwrap(), places: Arc::default(), asked: Arc::default() };
        let serving = internet.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let serving = serving.clone();
                tokio::spawn(async move { serving.connect(stream).await });
            }
        });
        internet
    }

    /// Has `name:port` lead to an address.
    pub(super) fn place(&self, name: &str, address: SocketAddr) {
        self.places.lock().unwrap().insert(name.to_owned(), address);
    }

    pub(super) fn take_away(&self, name: &str) {
        self.places.lock().unwrap().remove(name);
    }

    /// Each `name:port` that was asked for, in order, once.
    pub(super) fn asked(&self) -> Vec<String> {
        let mut asked = self.asked.lock().unwrap().clone();
        asked.sort();
        asked.dedup();
        asked
    }

    async fn connect(&self, stream: TcpStream) {
        let mut stream = BufReader::new(stream);
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_until(b'\n', &mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let head = String::from_utf8(head).unwrap();
        let name = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
        let name = name.unwrap_or_else(|| panic!("not a CONNECT: {head}")).to_owned();
        let place = self.places.lock().unwrap().get(&name).copied();
        self.asked.lock().unwrap().push(name);
        let Some(place) = place else {
            let _ = stream.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await;
            return;
        };
        let mut service = TcpStream::connect(place).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let _ = copy_bidirectional(&mut stream, &mut service).await;
    }
}

/// tinyproxy before an [`Internet`].
pub(super) struct Proxy {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Proxy {
    /// Started, and accepting. `None`, with a word on stderr, where it isn't installed.
    pub(super) async fn start(internet: &Internet, folder: &Path) -> Option<Self> {
        // Nobody else is likely to take it in the moment until the proxy does.
        let address = listener().await.local_addr().unwrap();
        let log = folder.join("tinyproxy.log");
        let config = folder.join("tinyproxy.conf");
        let settings = format!(
            "Port {}\nListen 127.0.0.1\nAllow 127.0.0.1\nTimeout 600\nMaxClients 100\nLogFile \"{}\"\n\
             LogLevel Connect\nBasicAuth maro s3cretword\nUpstream http {}\n",
            address.port(),
            log.display(),
            internet.address
        );
        fs::write(&config, settings).unwrap();
        let started = Command::new("tinyproxy")
            .arg("-d")
            .arg("-c")
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(child) = started else {
            not_available("tinyproxy is not installed");
            return None;
        };
        let proxy = Self { child, address, log };
        crate::bot::until("the proxy accepts", async || TcpStream::connect(address).await.is_ok()).await;
        Some(proxy)
    }

    /// For `MARO_HTTPS_PROXY`.
    pub(super) fn url(&self) -> String {
        format!("http://maro:s3cretword@{}", self.address)
    }

    /// What it wrote of the connections that it was asked for.
    pub(super) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
