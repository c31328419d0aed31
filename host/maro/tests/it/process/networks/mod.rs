//! MARO in a company's network: everything over TLS of the company's own authority, and through its proxy.

mod gateway;
mod rig;
mod service_account;

use std::{fs, net::SocketAddr, process::Command, time::Duration};

use axum::{Router, routing::any};
use maro_simulation::jira::faults::JiraFault;
use tokio::net::TcpListener;
use url::Url;

use crate::process::{
    Process, World,
    doctor::doctor,
    networks::rig::{Authority, Internet, Proxy},
};

const JIRA: &str = "jira.harbor.example";
const SLACK: &str = "slack.harbor.example";
const SOCKETS: &str = "wss.harbor.example";
const ROTA: &str = "rota.harbor.example";

/// A world whose services are known by name only to the proxy, and only over TLS.
struct Company {
    world: World,
    authority: Authority,
    internet: Internet,
    proxy: Proxy,
}

impl Company {
    /// `None`, with a word on stderr, where there is no proxy.
    async fn start() -> Option<Self> {
        let mut world = World::new().await;
        let manifest = format!(
            "grants = [\"storage\", \"settings\", \"clock\", \"http\"]\n[http]\nhosts = [\"{ROTA}\"]\n"
        );
        world.plugins =
            crate::built_components::PluginsFolder::shipped().with_fixture("capable", "capable", &manifest);
        let authority = Authority::new();
        let internet = Internet::start().await;
        let proxy = Proxy::start(&internet, world.folder.path()).await?;
        let company = Self { world, authority, internet, proxy };
        let slack = company.world.slack.url().socket_addrs(|| None).unwrap()[0];
        let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
        company.place(SLACK, slack).await;
        company.place(JIRA, jira).await;
        company.place(SOCKETS, company.world.slack.socket_address()).await;
        company.place(ROTA, service(Router::new().fallback(any(|| async { "Ada is on duty" }))).await).await;
        let url = |text: String| text.parse::<Url>().unwrap();
        company
            .world
            .slack
            .stand_behind(url(format!("https://{SLACK}/")), url(format!("wss://{SOCKETS}/link/")));
        Some(company)
    }

    /// Has a name lead to a service, over TLS.
    async fn place(&self, name: &str, service: SocketAddr) {
        let front = self.authority.front(name, service).await;
        self.internet.place(&format!("{name}:443"), front);
    }

    /// `maro SUBCOMMAND` in Socket Mode, on that network.
    fn command(&self, subcommand: &str) -> Command {
        let mut command = self.world.command(subcommand);
        command
            .env("MARO_HTTPS_PROXY", self.proxy.url())
            .env("MARO_CA_FILE", self.authority.write(self.world.folder.path()))
            .env("SLACK_API_URL", format!("https://{SLACK}/api"))
            .env("SLACK_APP_TOKEN", self.world.slack.app_token().expose())
            .env("JIRA_BASE_URL", format!("https://{JIRA}"));
        command
    }
}

/// A service on this machine. Returns its address.
async fn service(router: Router) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

#[tokio::test]
async fn all_five_ways_out_lead_through_the_proxy_to_services_of_a_private_authority() {
    let Some(mut company) = Company::start().await else { return };
    let mut command = company.command("serve");
    // Of other programs, and a dead end.
    command.env("https_proxy", "http://127.0.0.1:9").env("HTTPS_PROXY", "http://127.0.0.1:9");
    let process = Process::start(command);
    process.logged("ready").await;
    assert!(company.world.slack.wait_for_sockets(2).await, "no socket through the proxy");
    company.world.serve(process).await;
    // Jira, and an answer on the socket.
    let shown = company.world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");
    // A late reply, for which the Web API isn't asked.
    company.world.jira.set_next_faults([Some(JiraFault::Slow(Duration::from_secs(4)))]);
    let shown = company.world.say("/maro track SCRUM-124").await;
    assert!(shown.starts_with("Now tracking SCRUM-124"), "{shown}");
    // A plugin's request, by a name that only the proxy can look up.
    let shown = company.world.say(&format!("/maro capable fetch GET https://{ROTA}/now")).await;
    assert!(shown.contains("Ada is on duty"), "{shown}");
    let hosts = [JIRA, ROTA, SLACK, SOCKETS].map(|host| format!("{host}:443"));
    assert_eq!(company.internet.asked(), hosts);
    let log = company.proxy.log();
    assert!(hosts.iter().all(|host| log.contains(&format!("CONNECT {host}"))), "{log}");
}

#[tokio::test]
async fn the_doctor_says_by_which_way_and_opens_a_real_socket() {
    let Some(company) = Company::start().await else { return };
    let (is_well, said) = doctor(company.command("doctor")).await;
    assert!(is_well, "{said}");
    for (service, host) in [("Jira", JIRA), ("Slack", SLACK)] {
        let way = format!("{service}, at {host}, is reached through the proxy 127.0.0.1:");
        assert!(said.contains(&way), "{said}");
    }
    assert!(said.contains(&format!("Socket Mode works: connected to {SOCKETS}.")), "{said}");
    assert!(!said.contains("s3cretword"), "{said}");

    // A proxy that lets no sockets out.
    company.internet.take_away(&format!("{SOCKETS}:443"));
    let (is_well, said) = doctor(company.command("doctor")).await;
    assert!(!is_well, "{said}");
    assert!(said.contains(&format!("FAIL  Socket Mode: no connection to {SOCKETS}")), "{said}");
}

#[tokio::test]
async fn what_is_wrong_with_certificates_is_said_with_that_word() {
    let Some(company) = Company::start().await else { return };
    let mut command = company.command("doctor");
    command.env_remove("MARO_CA_FILE");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well);
    for service in ["Jira", "Slack"] {
        let line = said.lines().find(|line| line.starts_with(&format!("FAIL  {service}: ")));
        assert!(line.is_some_and(|line| line.contains("certificate")), "{said}");
    }
    assert_eq!(said.matches("MARO_CA_FILE").count(), 2, "{said}");

    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    let other = company.authority.front("other.harbor.example", jira).await;
    company.internet.place(&format!("{JIRA}:443"), other);
    let (is_well, said) = doctor(company.command("doctor")).await;
    assert!(!is_well && said.contains("The certificate is for another name."), "{said}");

    let mut command = company.command("doctor");
    command.env("MARO_HTTPS_PROXY", company.proxy.url().replace("maro:s3cretword@", ""));
    let (is_well, said) = doctor(command).await;
    assert!(!is_well && said.contains("The proxy wants a user and a password"), "{said}");
    let mut command = company.command("doctor");
    command.env("MARO_HTTPS_PROXY", company.proxy.url().replace("s3cretword", "m1staken"));
    let (is_well, said) = doctor(command).await;
    assert!(!is_well && said.contains("or rejects the password"), "{said}");
    assert!(!said.contains("m1staken"), "{said}");

    let mut command = company.command("doctor");
    let path = company.world.folder.path().join("empty.pem");
    fs::write(&path, "nothing").unwrap();
    command.env("MARO_CA_FILE", &path);
    let (is_well, said) = doctor(command).await;
    assert!(!is_well && said.contains("empty.pem, which has no certificate in PEM"), "{said}");
}

#[tokio::test]
async fn authorities_are_found_among_others_in_their_file_and_a_file_that_is_cut_off_is_named() {
    let Some(company) = Company::start().await else { return };
    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    // Its certificate is signed by somebody whom the authority has made one, too.
    company.internet.place(&format!("{JIRA}:443"), company.authority.deputy().front(JIRA, jira).await);
    let (ours, other) = (company.authority.pem(), Authority::new().pem());
    let path = company.world.folder.path().join("authorities.pem");
    let ask = async |text: &str| {
        fs::write(&path, text).unwrap();
        let mut command = company.command("doctor");
        command.env("MARO_CA_FILE", &path);
        doctor(command).await
    };
    for text in [format!("{other}{ours}"), format!("The company's:\n{ours}\n{other}")] {
        let (is_well, said) = ask(&text).await;
        assert!(is_well, "{said}");
    }
    for (text, hint) in [
        (format!("{ours}{}", &other[..other.len() / 2]), "it is cut off, or isn't PEM throughout"),
        (format!("{}\n{ours}", &other[..other.len() / 2]), "has a certificate that can't be used"),
    ] {
        let (is_well, said) = ask(&text).await;
        assert!(!is_well && said.contains("authorities.pem, which") && said.contains(hint), "{said}");
    }
    let (is_well, said) = ask(&other).await;
    assert!(!is_well && said.contains("The certificate isn't trusted."), "{said}");
}

#[tokio::test]
async fn certificates_that_no_longer_hold_or_that_nobody_has_signed_are_told_apart() {
    let Some(company) = Company::start().await else { return };
    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    let ask = async |front| {
        company.internet.place(&format!("{JIRA}:443"), front);
        let (is_well, said) = doctor(company.command("doctor")).await;
        assert!(!is_well, "{said}");
        said
    };
    let said = ask(company.authority.expired(JIRA, jira).await).await;
    assert!(said.contains("The certificate isn't valid now."), "{said}");
    let said = ask(Authority::new().front(JIRA, jira).await).await;
    assert!(said.contains("The certificate isn't trusted."), "{said}");
}

#[tokio::test]
async fn proxies_of_other_programs_change_nothing_and_the_doctor_says_so() {
    let mut world = World::new().await;
    let foreign =
        [("https_proxy", "http://127.0.0.1:9"), ("no_proxy", "127.0.0.1,localhost,.harbor.example")];
    let mut command = world.command("serve");
    command.envs(foreign);
    let process = Process::start(command);
    process.logged("ready").await;
    process.logged("Jira accepts the configured account").await;
    world.serve(process).await;
    world.jira.set_next_faults([Some(JiraFault::Slow(Duration::from_secs(4)))]);
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.starts_with("Now tracking SCRUM-123"), "{shown}");

    let mut command = world.command("doctor");
    command.envs(foreign);
    let (is_well, said) = doctor(command).await;
    assert!(is_well, "{said}");
    assert!(said.contains("WARN  https_proxy is set for other programs; MARO ignores it."), "{said}");
    assert!(said.contains("set MARO_HTTPS_PROXY"), "{said}");
}

#[tokio::test]
async fn a_gate_in_front_of_jira_gets_its_headers_and_its_certificate() {
    let Some(company) = Company::start().await else { return };
    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    let gate = company.authority.gate(JIRA, jira).await;
    company.internet.place(&format!("{JIRA}:443"), gate);
    let (is_well, said) = doctor(company.command("doctor")).await;
    assert!(!is_well, "{said}");
    let mut command = company.command("doctor");
    let identity = company.authority.write_identity("maro", company.world.folder.path());
    command
        .env("JIRA_CLIENT_CERT_FILE", identity)
        .env("JIRA_HEADERS", "CF-Access-Client-Id: abc\nX-Gate: word");
    company.world.jira.take_requests();
    let (is_well, said) = doctor(command).await;
    assert!(is_well, "{said}");
}
