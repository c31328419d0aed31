//! A scoped token, which the site refuses and Atlassian's gateway takes.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{
        StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
    routing::get,
};
use maro_process::http::client::{self, ClientOptions, Trust};
use maro_simulation::jira::faults::JiraFault;

use crate::{
    process::{
        Process,
        doctor::doctor,
        networks::{Company, JIRA, service},
    },
    raw::query,
};

pub(super) const SITE: &str = "harbor-demo.atlassian.net";
pub(super) const GATEWAY: &str = "api.atlassian.com";
const CLOUD_ID: &str = "7c1f90d2-3b64-4e0a-8a7e-51d2c6b0e9f4";

/// The paths that a site was asked for.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// A site that refuses every token, and says which cloud it is in.
async fn site(asked: &Asked) -> SocketAddr {
    let refuse = |State(asked): State<Asked>, request: Request| async move {
        asked.lock().unwrap().push(request.uri().path().to_owned());
        (StatusCode::UNAUTHORIZED, r#"{"code":401,"message":"Unauthorized"}"#)
    };
    let tenant = |State(asked): State<Asked>, request: Request| async move {
        assert!(!request.headers().contains_key("authorization"), "tenant_info needs no credentials");
        asked.lock().unwrap().push(request.uri().path().to_owned());
        format!(r#"{{"cloudId":"{CLOUD_ID}"}}"#)
    };
    let router = Router::new().route("/_edge/tenant_info", get(tenant)).fallback(refuse);
    service(router.with_state(Arc::clone(asked))).await
}

/// The gateway: what is below the site's cloud id is Jira.
pub(super) async fn gateway(jira: SocketAddr) -> SocketAddr {
    let http = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    let below = |path: &str| path.strip_prefix(&format!("/ex/jira/{CLOUD_ID}")).map(str::to_owned);
    let pass_on = move |request: Request| {
        let http = http.clone();
        async move { forward(&http, jira, request, None, below).await }
    };
    service(Router::new().fallback(pass_on)).await
}

/// Passes a request on to another service, at the path that `place` makes of its own, with other credentials if there
/// are any.
pub(super) async fn forward(
    http: &reqwest::Client,
    service: SocketAddr,
    request: Request,
    credentials: Option<&str>,
    place: impl FnOnce(&str) -> Option<String>,
) -> Response {
    let (mut head, body) = request.into_parts();
    let Some(path) = place(head.uri.path_and_query().unwrap().as_str()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if let Some(credentials) = credentials {
        head.headers.insert(AUTHORIZATION, credentials.parse().unwrap());
    }
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let mut passed = http.request(head.method, format!("http://{service}{path}")).body(body);
    for name in [AUTHORIZATION, CONTENT_TYPE] {
        if let Some(value) = head.headers.get(&name) {
            passed = passed.header(name, value);
        }
    }
    let answer = passed.send().await.unwrap();
    let status = answer.status();
    (status, [(CONTENT_TYPE, "application/json")], Body::from(answer.bytes().await.unwrap())).into_response()
}

/// A company whose Jira is such a site.
pub(super) async fn company(asked: &Asked) -> Option<Company> {
    let company = Company::start().await?;
    company.place(SITE, site(asked).await).await;
    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    company.place(GATEWAY, gateway(jira).await).await;
    Some(company)
}

#[tokio::test]
async fn a_scoped_token_works_at_the_gateway_and_links_lead_to_the_site() {
    let asked = Asked::default();
    let Some(mut company) = company(&asked).await else { return };
    let mut command = company.command("serve");
    command.env("JIRA_BASE_URL", format!("https://{SITE}"));
    let process = Process::start(command);
    process.logged("ready").await;
    process.logged("Jira accepts the configured account").await;
    assert!(company.world.slack.wait_for_sockets(2).await);
    company.world.serve(process).await;
    assert_eq!(*asked.lock().unwrap(), ["/rest/api/3/myself", "/_edge/tenant_info"]);

    let patience = crate::process::PATIENCE;
    for typed in [
        "/maro track SCRUM-123".to_owned(),
        "/maro tracked".to_owned(),
        format!("/maro track <https://{SITE}/browse/SCRUM-124>"),
    ] {
        let messages = company.world.slack.run_command("general", "ada", &typed, patience).await.unwrap();
        let shown = format!("{messages:?}");
        assert!(shown.contains(&format!("https://{SITE}/browse/SCRUM-12")), "{typed}: {shown}");
        assert!(!shown.contains(GATEWAY), "{typed}: {shown}");
    }
    assert_eq!(asked.lock().unwrap().len(), 2, "it is asked once, and the site not again");
}

/// Starts a bot for that site, and waits until Jira knows it.
async fn start(company: &Company) -> Process {
    let mut command = company.command("serve");
    command.env("JIRA_BASE_URL", format!("https://{SITE}"));
    let process = Process::start(command);
    process.logged("Jira accepts the configured account").await;
    process
}

async fn until_remembered(company: &Company, cloud_id: Option<&str>) {
    let memory = "SELECT CAST(value AS TEXT) FROM plugin_storage WHERE plugin = '*jira'";
    let expected: Vec<_> = cloud_id.into_iter().collect();
    crate::bot::until("it is remembered", async || query(&company.world.database, memory).await == expected)
        .await;
}

#[tokio::test]
async fn the_gateway_is_remembered_over_restarts_until_it_refuses() {
    let asked = Asked::default();
    let Some(company) = company(&asked).await else { return };
    let process = start(&company).await;
    until_remembered(&company, Some(CLOUD_ID)).await;
    drop(process);
    let questions = asked.lock().unwrap().clone();
    drop(start(&company).await);
    assert_eq!(*asked.lock().unwrap(), questions, "the site isn't asked at a later start");

    // The token becomes one that the site itself takes, and the gateway doesn't.
    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    company.place(SITE, jira).await;
    company
        .place(GATEWAY, service(Router::new().fallback(|| async { StatusCode::UNAUTHORIZED })).await)
        .await;
    let process = start(&company).await;
    until_remembered(&company, None).await;
    drop(process);

    // And a gateway that knows the site no more, as after a move.
    company.place(SITE, site(&asked).await).await;
    company.place(GATEWAY, gateway(jira).await).await;
    let process = start(&company).await;
    until_remembered(&company, Some(CLOUD_ID)).await;
    drop(process);
    company.place(SITE, jira).await;
    company.place(GATEWAY, service(Router::new()).await).await;
    let process = start(&company).await;
    until_remembered(&company, None).await;
    drop(process);
}

#[tokio::test]
async fn a_token_that_nobody_takes_is_said_to_be_one() {
    let asked = Asked::default();
    let Some(company) = company(&asked).await else { return };
    let mut command = company.command("doctor");
    command.env("JIRA_BASE_URL", format!("https://{SITE}")).env("JIRA_API_TOKEN", "wrong");
    let (is_well, said) = doctor(command).await;
    assert!(!is_well && said.contains("Check JIRA_EMAIL and JIRA_API_TOKEN"), "{said}");
}

#[tokio::test]
async fn the_api_is_where_the_setting_says() {
    let Some(company) = company(&Asked::default()).await else { return };
    company.internet.take_away(&format!("{SITE}:443"));
    let mut command = company.command("doctor");
    command
        .env("JIRA_BASE_URL", "https://jira.harbor-demo.example")
        .env("JIRA_API_URL", format!("https://{GATEWAY}/ex/jira/{CLOUD_ID}"));
    let (is_well, said) = doctor(command).await;
    assert!(is_well, "{said}");
    let asked = company.internet.asked();
    assert!(asked.iter().any(|name| name.starts_with(GATEWAY)), "{asked:?}");
}

#[tokio::test]
async fn a_missing_scope_is_named_with_what_it_is_for_and_all_else_works() {
    let mut world = crate::process::World::new().await;
    let faults = || std::iter::repeat_n(Some(JiraFault::MissingScope), 100);
    world.jira.set_next_faults_of("/myself", faults());
    world.run().await;
    let shown = world.say("/maro track SCRUM-123 SCRUM-404 SCRUM-124").await;
    for expected in ["SCRUM-123", "SCRUM-404 not found in Jira", "SCRUM-124"] {
        assert!(shown.contains(expected), "{shown}");
    }
    let shown = world.say("/maro tracked").await;
    assert!(shown.contains("SCRUM-123") && shown.contains("SCRUM-124"), "{shown}");

    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(is_well, "{said}");
    let warning = "WARN  MARO's token for Jira doesn't have the scope read:jira-user, which it needs to know its own name.";
    assert!(said.contains(warning), "{said}");

    world.jira.set_next_faults_of("/issue", faults());
    world.jira.set_next_faults_of("/comment", faults());
    let (is_well, said) = doctor(world.command("doctor")).await;
    assert!(!is_well, "{said}");
    let problem = "FAIL  MARO's token for Jira doesn't have the scope write:jira-work, which it needs to create issues and to \
         comment on issues.";
    assert!(said.contains(problem), "{said}");
}

#[tokio::test]
async fn credentials_for_the_other_edition_are_told_from_bad_ones() {
    let Some(company) = Company::start().await else { return };
    for (deployment, said_to_be, is_token) in
        [("Server", "this is Jira Data Center, but ", false), ("Cloud", "this is Jira Cloud, but ", true)]
    {
        let info = format!(r#"{{"deploymentType":"{deployment}","version":"10.3.2"}}"#);
        let site = Router::new()
            .route("/rest/api/2/serverInfo", get(move || async { info }))
            .fallback(|| async { StatusCode::UNAUTHORIZED });
        company.place(JIRA, service(site).await).await;
        let mut command = company.command("doctor");
        if is_token {
            command.env_remove("JIRA_EMAIL").env_remove("JIRA_API_TOKEN").env("JIRA_PAT", "a-token");
        }
        let (is_well, said) = doctor(command).await;
        assert!(!is_well && said.contains(&format!("FAIL  Jira: {said_to_be}")), "{said}");
    }
}

#[tokio::test]
async fn a_gateway_that_cannot_be_asked_is_named() {
    let Some(company) = Company::start().await else { return };
    // Says nothing of its cloud.
    let refuse = || async { (StatusCode::UNAUTHORIZED, "{}") };
    company.place(SITE, service(Router::new().fallback(refuse)).await).await;
    let ask = async || {
        let mut command = company.command("doctor");
        command.env("JIRA_BASE_URL", format!("https://{SITE}"));
        let (is_well, said) = doctor(command).await;
        assert!(!is_well, "{said}");
        said
    };
    let said = ask().await;
    assert!(said.contains("the site's cloud id can't be read (status 401)"), "{said}");
    let advice = format!(
        "set JIRA_API_URL to https://api.atlassian.com/ex/jira/ and the site's cloud id, which https://{SITE}/_edge/tenant_info \
         shows"
    );
    assert!(said.contains(&advice), "{said}");

    // Says it, but nobody lets MARO through to the gateway.
    company.place(SITE, site(&Asked::default()).await).await;
    let said = ask().await;
    assert!(said.contains(&format!("can't reach Jira: the connection to {GATEWAY} failed")), "{said}");
    assert!(said.contains(&format!("The proxy in MARO_HTTPS_PROXY won't connect to {GATEWAY}")), "{said}");
    for host in [SITE, GATEWAY] {
        assert!(said.contains(&format!(", at {host}, go through the proxy 127.0.0.1:")), "{said}");
    }
}
