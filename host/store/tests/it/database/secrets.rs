//! Credentials and TLS: what a URL and the files it names may say, and that none of it shows.

use std::{
    fs,
    path::{Path, PathBuf},
};

use maro_domain::tracked::TrackOutcome::Tracked;
use maro_process::secret::Secret;
use maro_store::{
    Stores,
    config::{DatabaseConfig, UrlSource},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tempfile::TempDir;

use crate::support::{
    given::{issue, track},
    postgres::{Database, Server},
    raw::execute,
};

/// A server with TLS, and the files of its private authority.
struct TlsServer {
    server: Server,
    database: Database,
    authority: CertifiedIssuer<'static, KeyPair>,
    files: TempDir,
}

impl TlsServer {
    async fn start() -> Option<Self> {
        let server = Server::start()?;
        let database = server.database().await;
        let files = tempfile::tempdir().unwrap();
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        fs::write(files.path().join("authority.pem"), authority.pem()).unwrap();
        fs::write(files.path().join("notes.txt"), "Remember the milk.").unwrap();
        let server = Self { server, database, authority, files };
        server.certify(named("localhost"));
        server.run("ALTER SYSTEM SET ssl = on").await;
        server.reload().await;
        // The server takes a moment to read its settings again.
        let plain = format!("{}?sslmode=require", server.database.url);
        while open(&plain).await.is_err() {}
        Some(server)
    }

    /// Gives the server a certificate, from when it reads its settings again.
    fn certify(&self, certificate: CertificateParams) {
        let key = KeyPair::generate().unwrap();
        let certificate = certificate.signed_by(&key, &self.authority).unwrap();
        self.server.write("server.crt", &certificate.pem());
        self.server.write("server.key", &key.serialize_pem());
    }

    async fn reload(&self) {
        self.run("SELECT pg_reload_conf()").await;
    }

    async fn run(&self, statement: &str) {
        execute(&DatabaseConfig::postgres(Secret::new(self.database.url.clone())), statement).await;
    }

    /// A file with a text.
    fn with(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.file(name), text).unwrap();
        self.file(name)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.files.path().join(name)
    }

    /// The URL with another host.
    fn at(&self, host: &str, parameters: &str) -> String {
        format!("{}?{parameters}", self.database.url.replace("127.0.0.1", host))
    }
}

fn named(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

async fn open(url: &str) -> Result<(), String> {
    let opened = Stores::open(&DatabaseConfig::postgres(Secret::new(url.to_owned()))).await;
    match opened {
        Ok(stores) => {
            stores.tracker.ping().await.unwrap();
            stores.close().await;
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    }
}

fn root(path: &Path) -> String {
    format!("sslmode=verify-full&sslrootcert={}", path.display())
}

#[tokio::test]
async fn a_server_with_a_private_authority_is_verified() {
    let Some(server) = TlsServer::start().await else { return };
    let authority = root(&server.file("authority.pem"));
    open(&server.at("localhost", &authority)).await.unwrap();
    open(&server.at("localhost", "sslmode=prefer")).await.unwrap();
    for (host, parameters, hint) in [
        ("localhost", "sslmode=verify-full", "name the authority's file in sslrootcert"),
        ("127.0.0.1", &authority, "is for another name"),
        ("localhost", &root(&server.file("absent.pem")), "absent.pem, which can't be read: No such file"),
        ("localhost", &root(&server.file("notes.txt")), "notes.txt, which has no certificate in PEM."),
    ] {
        let sentence = open(&server.at(host, parameters)).await.unwrap_err();
        assert!(sentence.contains(hint), "{host} {parameters}: {sentence}");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
    }
    let only_the_authority = authority.replace("verify-full", "verify-ca");
    open(&server.at("127.0.0.1", &only_the_authority)).await.unwrap();
}

#[tokio::test]
async fn an_authority_in_a_file_with_others_is_found_and_a_file_that_is_cut_off_is_named() {
    let Some(server) = TlsServer::start().await else { return };
    let other = CertifiedIssuer::self_signed(named("other"), KeyPair::generate().unwrap()).unwrap();
    let (other, ours) = (other.pem(), server.authority.pem());
    let windows = ours.replace('\n', "\r\n");
    let marked = format!("\u{feff}{ours}");
    for text in [format!("{other}{ours}"), format!("The company's:\n{ours}\n{other}"), windows, marked] {
        open(&server.at("localhost", &root(&server.with("chain.pem", &text)))).await.unwrap();
    }
    for (text, hint) in [
        (format!("{ours}{}", &other[..other.len() / 2]), "it is cut off, or isn't PEM throughout"),
        (format!("{}\n{ours}", &other[..other.len() / 2]), "has a certificate that can't be used"),
        (KeyPair::generate().unwrap().serialize_pem(), "has no certificate in PEM"),
    ] {
        let sentence =
            open(&server.at("localhost", &root(&server.with("bad.pem", &text)))).await.unwrap_err();
        assert!(sentence.contains("bad.pem, which") && sentence.contains(hint), "{sentence}");
    }
}

#[tokio::test]
async fn each_problem_with_a_certificate_has_its_sentence() {
    let Some(server) = TlsServer::start().await else { return };
    let authority = root(&server.file("authority.pem"));
    let url = server.at("localhost", &authority);
    let mut expired = named("localhost");
    expired.not_after = rcgen::date_time_ymd(2020, 1, 1);
    let mut for_authorities = named("localhost");
    for_authorities.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    for (certificate, hint) in [
        (expired, "isn't valid now"),
        (for_authorities, "isn't one that a server may have"),
        (named("db.harbor.example"), "is for another name"),
    ] {
        server.certify(certificate);
        server.reload().await;
        // The server takes a moment to read its settings again.
        let mut said = open(&url).await;
        while !said.as_ref().is_err_and(|sentence| sentence.contains(hint)) {
            said = open(&url).await;
        }
        assert!(!said.unwrap_err().contains("check sslmode"));
    }

    // MARO's own.
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let ours = named("maro").signed_by(&key, &server.authority).unwrap().pem();
    let (ours, key) = (server.with("maro.pem", &ours), server.with("maro.key", &key.serialize_pem()));
    let other = server.with("other.key", &other.serialize_pem());
    for (certificate, key, hint) in [
        (&ours, &other, "other.key, which isn't the key of the certificate in sslcert."),
        (&ours, &ours, "maro.pem, which has no key in PEM without a password: it has a certificate."),
        (&key, &key, "maro.key, which has no certificate in PEM: it has a key."),
        (&ours, &server.file("absent.key"), "absent.key, which can't be read"),
    ] {
        let own = format!("{authority}&sslcert={}&sslkey={}", certificate.display(), key.display());
        let sentence = open(&server.at("localhost", &own)).await.unwrap_err();
        assert!(sentence.contains(hint), "{sentence}");
    }
}

#[tokio::test]
async fn an_account_that_is_not_let_in_is_told_why() {
    let Some(server) = TlsServer::start().await else { return };
    server.run("CREATE ROLE idle NOLOGIN").await;
    let idle = server.at("127.0.0.1", "sslmode=require").replace("maro@", "idle@");
    let sentence = open(&idle).await.unwrap_err();
    assert!(sentence.contains("run ALTER ROLE with LOGIN"), "{sentence}");
    let sentence = open(&idle.replace("idle@", "nobody@")).await.unwrap_err();
    assert!(sentence.contains("that user doesn't exist"), "{sentence}");
    server.server.write("pg_hba.conf", "hostssl all maro 127.0.0.1/32 trust\n");
    server.reload().await;
    let plain = server.at("127.0.0.1", "sslmode=disable");
    let mut said = open(&plain).await;
    while said.is_ok() {
        said = open(&plain).await;
    }
    assert!(said.as_ref().unwrap_err().contains("which sslmode=require in DATABASE_URL demands"), "{said:?}");
    let said = open(&idle).await.unwrap_err();
    assert!(said.contains("its pg_hba.conf needs a line for this machine"), "{said}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_demanded() {
    let Some(database) = Database::new().await else { return };
    let sentence = open(&format!("{}?sslmode=require", database.url)).await.unwrap_err();
    assert!(sentence.ends_with("the server has no TLS, and sslmode demands it."), "{sentence}");
}

#[tokio::test]
async fn a_password_that_changes_in_its_file_is_taken_up_at_the_next_connection() {
    let Some(server) = Server::start() else { return };
    let database = server.database().await;
    let admin = DatabaseConfig::postgres(Secret::new(database.url.clone()));
    execute(&admin, "CREATE ROLE bot LOGIN PASSWORD 'first'; GRANT ALL ON SCHEMA public TO bot").await;
    server.write("pg_hba.conf", "host all maro all trust\nhost all bot all scram-sha-256\n");
    execute(&admin, "SELECT pg_reload_conf()").await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let write = |password: &str| {
        let url = format!("postgres://bot:{password}@{}/{}\n", server.host(), database.name());
        fs::write(&file, url).unwrap();
    };
    write("first");
    let DatabaseConfig::Postgres(mut config) = admin.clone() else { panic!("not PostgreSQL") };
    config.url = UrlSource::File(file.clone());
    let config = DatabaseConfig::Postgres(config);
    let mut opened = Stores::open(&config).await;
    // The server takes a moment to read its settings again.
    while opened.is_err() {
        opened = Stores::open(&config).await;
    }
    let stores = opened.unwrap();
    stores.tracker.ping().await.unwrap();
    execute(&admin, "ALTER ROLE bot PASSWORD 'second'").await;
    stores.tracker.ping().await.unwrap();
    let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'bot'";
    execute(&admin, end).await;
    stores.tracker.ping().await.unwrap_err();
    write("second");
    stores.tracker.ping().await.unwrap();
    stores.close().await;
}

#[tokio::test]
async fn once_the_tables_are_made_the_bots_account_needs_no_right_to_change_them() {
    let Some(server) = Server::start() else { return };
    let database = server.database().await;
    open(&database.url).await.unwrap();
    let admin = DatabaseConfig::postgres(Secret::new(database.url.clone()));
    let rights = "CREATE ROLE bot LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO bot;
        GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO bot";
    execute(&admin, rights).await;
    let url = database.url.replace("maro@", "bot@");
    let stores = Stores::open(&DatabaseConfig::postgres(Secret::new(url.clone()))).await.unwrap();
    let issues: Vec<_> = (1..=3).map(|number| issue(number, &format!("A-{number}"))).collect();
    assert_eq!(track(&*stores.tracker, "C1", &issues, 0).await, [Tracked; 3]);
    assert_eq!(track(&*stores.tracker, "C2", &issues[..1], 0).await, [Tracked]);
    stores.close().await;
    execute(&admin, "DELETE FROM _sqlx_migrations WHERE version = 1").await;
    let sentence = open(&url).await.unwrap_err();
    assert!(sentence.contains("the user \"bot\" can't create tables"), "{sentence}");
}

#[tokio::test]
async fn no_value_of_a_url_is_shown() {
    let Some(database) = Database::new().await else { return };
    for (parameters, named, secrets) in [
        (
            "require_auth=scram-sha-256&scram_client_key=orchard-72",
            "the parameters require_auth and scram_client_key",
            vec!["scram-sha", "orchard"],
        ),
        (
            "oauth_client_id=maro&oauth_client_secret=orchard-72",
            "the parameters oauth_client_id and oauth_client_secret",
            vec!["orchard"],
        ),
        ("pasword=orchard-72", "the parameter pasword", vec!["orchard"]),
        (
            "application_name=maro&sslmode=disable&sslkeypassphrase=orchard-72",
            "the parameter sslkeypassphrase",
            vec!["orchard"],
        ),
        ("sslpassword=orchard-72", "the parameter sslpassword", vec!["orchard"]),
    ] {
        let sentence = open(&format!("{}?{parameters}", database.url)).await.unwrap_err();
        assert!(sentence.contains(named), "{sentence}");
        for secret in secrets {
            assert!(!sentence.contains(secret), "{sentence}");
        }
    }
}
