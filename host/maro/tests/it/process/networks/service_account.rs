//! OAuth 2.0 client credentials: tokens that are fetched, renewed ahead of their end, and one at a time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::future::join_all;
use maro_jira::config::JiraCredentials;
use maro_process::http::client::{self, ClientOptions, Trust};

use crate::{
    bot::until,
    process::{
        Process,
        networks::{
            Company, JIRA,
            gateway::{self, GATEWAY, SITE},
            service,
        },
    },
};

const CLIENT: &str = "grant_type=client_credentials&client_id=maro-client&client_secret=s3cret+%26+more";

/// Gives tokens that last so long, and counts them.
#[derive(Clone)]
struct Tokens {
    life: Duration,
    began: Instant,
    given: Arc<AtomicUsize>,
    /// How many more requests for a token are answered that there were too many.
    limits: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    /// Tokens with lower numbers are refused.
    first_good: Arc<AtomicUsize>,
}

impl Tokens {
    fn lasting(life: Duration) -> Self {
        let zero = Arc::<AtomicUsize>::default;
        let (given, limits, refused, first_good) = (zero(), zero(), zero(), zero());
        Self { life, began: Instant::now(), given, limits, refused, first_good }
    }

    async fn give(&self, request: Request) -> Response {
        let body = axum::body::to_bytes(request.into_body(), usize::MAX).await.unwrap();
        if body != CLIENT {
            return (StatusCode::UNAUTHORIZED, r#"{"error":"invalid_client"}"#).into_response();
        }
        let is_limited = |left: usize| left.checked_sub(1);
        if self.limits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_limited).is_ok() {
            return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")], "{}").into_response();
        }
        // Long enough that others come meanwhile.
        tokio::time::sleep(Duration::from_millis(100)).await;
        let number = self.given.fetch_add(1, Ordering::Relaxed);
        let ends = (self.began.elapsed() + self.life).as_millis();
        let life = self.life.as_secs();
        format!(r#"{{"access_token":"{number}-{ends}","expires_in":{life},"token_type":"Bearer"}}"#)
            .into_response()
    }

    /// Whether a request has a token that is still good.
    fn admits(&self, request: &Request) -> bool {
        let is_good = |value: &str| {
            let (number, ends) = value.strip_prefix("Bearer ")?.split_once('-')?;
            let is_of_now = number.parse::<usize>().ok()? >= self.first_good.load(Ordering::Relaxed);
            Some(is_of_now && self.began.elapsed().as_millis() < ends.parse().ok()?)
        };
        let value = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let is_good = value.and_then(is_good).unwrap_or_default();
        if !is_good {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        is_good
    }

    fn given(&self) -> usize {
        self.given.load(Ordering::Relaxed)
    }

    fn router(&self, path: &str) -> Router {
        let tokens = self.clone();
        Router::new().route(path, post(move |request: Request| async move { tokens.give(request).await }))
    }
}

/// A company whose service account gets its tokens at Atlassian's, for the gateway.
async fn cloud(tokens: &Tokens) -> Option<Company> {
    let company = gateway::company(&Default::default()).await?;
    company.place("auth.atlassian.com", service(tokens.router("/oauth/token")).await).await;
    let JiraCredentials::Cloud { email, api_token } = company.world.jira.cloud_config().credentials else {
        panic!()
    };
    let known = format!("Basic {}", BASE64_STANDARD.encode(format!("{email}:{}", api_token.expose())));
    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    let behind = gateway::gateway(jira).await;
    let (http, tokens) = (client::build(&ClientOptions::new(Trust::Nobody)).unwrap(), tokens.clone());
    let admit = move |request: Request| {
        let (http, tokens, known) = (http.clone(), tokens.clone(), known.clone());
        async move {
            if !tokens.admits(&request) {
                return (StatusCode::UNAUTHORIZED, r#"{"code":401,"message":"Unauthorized"}"#)
                    .into_response();
            }
            gateway::forward(&http, behind, request, Some(&known), |path| Some(path.to_owned())).await
        }
    };
    company.place(GATEWAY, service(Router::new().fallback(admit)).await).await;
    Some(company)
}

async fn serve(company: &mut Company, site: &str) {
    let mut command = company.command("serve");
    command
        .env_remove("JIRA_EMAIL")
        .env_remove("JIRA_API_TOKEN")
        .env("JIRA_CLIENT_ID", "maro-client")
        .env("JIRA_CLIENT_SECRET", "s3cret & more")
        .env("JIRA_BASE_URL", format!("https://{site}"));
    let process = Process::start(command);
    process.logged("ready").await;
    process.logged("Jira accepts the configured account").await;
    assert!(company.world.slack.wait_for_sockets(2).await);
    company.world.serve(process).await;
}

async fn assert_tracks(company: &Company, number: usize) {
    let shown = company.world.say(&format!("/maro track SCRUM-{}", 123 + number)).await;
    assert!(shown.contains(&format!("SCRUM-{}", 123 + number)), "{shown}");
    assert!(!shown.contains("rejected") && !shown.contains("reach"), "{shown}");
}

#[tokio::test]
async fn many_who_need_a_token_wait_for_one_and_a_revoked_one_is_replaced() {
    let tokens = Tokens::lasting(Duration::from_secs(3_600));
    let Some(mut company) = cloud(&tokens).await else { return };
    serve(&mut company, SITE).await;
    join_all((0..5).map(|number| assert_tracks(&company, number))).await;
    assert_eq!(tokens.given(), 1);
    assert_eq!(tokens.refused.load(Ordering::Relaxed), 0);
    // A token that is refused as soon as it is given isn't replaced.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    tokens.first_good.store(1, Ordering::Relaxed);
    join_all((0..5).map(|number| assert_tracks(&company, number))).await;
    assert_eq!(tokens.given(), 2);
}

/// The token server wants to be left alone for a while.
#[tokio::test]
async fn a_limited_giver_of_tokens_is_left_alone_as_long_as_it_says() {
    const MANY: usize = 1_000;
    let tokens = Tokens::lasting(Duration::from_secs(3_600));
    let Some(mut company) = cloud(&tokens).await else { return };
    serve(&mut company, SITE).await;
    assert_tracks(&company, 0).await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    tokens.first_good.store(1, Ordering::Relaxed);
    tokens.limits.store(MANY, Ordering::Relaxed);
    let began = Instant::now();
    for number in 1..=10 {
        let shown = company.world.say(&format!("/maro track SCRUM-{}", 123 + number)).await;
        assert!(shown.contains("Jira") && !shown.contains("credentials"), "{shown}");
    }
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let asked = MANY - tokens.limits.swap(0, Ordering::Relaxed);
    // Once for each kind of request that the bot had to send.
    assert!((1..=3).contains(&asked), "it was asked {asked} times");
    assert_eq!(tokens.given(), 1);
    until("its time is over", async || {
        company.world.say("/maro track SCRUM-124").await.contains("SCRUM-124:")
    })
    .await;
    assert!(began.elapsed() > Duration::from_secs(5), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end() {
    let tokens = Tokens::lasting(Duration::from_secs(5));
    let Some(mut company) = cloud(&tokens).await else { return };
    serve(&mut company, SITE).await;
    until("three tokens were needed", async || {
        assert_tracks(&company, 0).await;
        tokens.given() >= 3
    })
    .await;
    assert_eq!(tokens.refused.load(Ordering::Relaxed), 0, "none was used after its end");
}

#[tokio::test]
async fn data_center_gives_tokens_itself() {
    let tokens = Tokens::lasting(Duration::from_secs(3_600));
    let Some(mut company) = Company::start().await else { return };
    let JiraCredentials::DataCenter { token } = company.world.jira.data_center_config().credentials else {
        panic!()
    };
    let known = format!("Bearer {}", token.expose());
    let jira = company.world.jira.base_url().socket_addrs(|| None).unwrap()[0];
    let http = client::build(&ClientOptions::new(Trust::Nobody)).unwrap();
    let admitting = tokens.clone();
    let admit = move |request: Request| {
        let (http, tokens, known) = (http.clone(), admitting.clone(), known.clone());
        async move {
            if !tokens.admits(&request) {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            assert!(request.uri().path().starts_with("/rest/api/2/"), "{}", request.uri());
            gateway::forward(&http, jira, request, Some(&known), |path| Some(path.to_owned())).await
        }
    };
    let router = tokens.router("/rest/oauth2/latest/token").fallback(admit);
    company.place(JIRA, service(router).await).await;
    serve(&mut company, JIRA).await;
    assert_tracks(&company, 0).await;
    assert_eq!(tokens.given(), 1);
}
