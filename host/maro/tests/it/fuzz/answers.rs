//! Jira's answers: screens of forms, issues as the sync reads them, comments. Whatever a site or what stands before it
//! says, it is read within bounds or is no answer.

use std::{
    future::Future,
    net::Ipv4Addr,
    sync::{Arc, Mutex},
    time::Duration,
};

use arbtest::arbtest;
use axum::{Router, extract::Request, response::IntoResponse};
use maro_domain::{
    issue::{Issue, IssueKey},
    screen::{FieldKind, MAX_OPTIONS, ScreenField},
};
use maro_jira::{
    client::JiraClient,
    config::{JiraConfig, JiraCredentials},
    searching::plugin_search::Search,
};
use maro_process::secret::Secret;
use tokio::{net::TcpListener, time::Instant};

use crate::fuzz::Corpus;

const PATIENCE: Duration = Duration::from_secs(5);

/// A site that answers everything with the same, but knows who asks.
struct Site {
    answer: Arc<Mutex<Vec<u8>>>,
    clients: [JiraClient; 2],
}

impl Site {
    async fn start() -> Self {
        let answer = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::clone(&answer);
        let router = Router::new().fallback(move |request: Request| {
            let said = Arc::clone(&said);
            async move {
                let is_own = request.uri().path().ends_with("/myself");
                let own = br#"{"accountId":"1","name":"bot","displayName":"MARO","active":true}"#.to_vec();
                let body = if is_own { own } else { said.lock().unwrap().clone() };
                ([("content-type", "application/json")], body).into_response()
            }
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url: url::Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let cloud = JiraCredentials::Cloud { email: "bot@x.example".to_owned(), api_token: Secret::new("t") };
        let data_center = JiraCredentials::DataCenter { token: Secret::new("t") };
        let client = |credentials| JiraClient::new(&JiraConfig::new(url.clone(), credentials)).unwrap();
        Self { answer, clients: [client(cloud), client(data_center)] }
    }
}

/// Gives altered answers of a corpus to both editions' clients, for as long as there is time.
async fn answers<F: Future<Output = ()>>(target: &str, check: impl Fn(Arc<Site>, usize, u64) -> F) {
    let site = Arc::new(Site::start().await);
    let corpus = Corpus::read(target);
    let runtime = tokio::runtime::Handle::current();
    let mut number = 0;
    let mut give = |answer: Vec<u8>| {
        number += 1;
        *site.answer.lock().unwrap() = answer;
        for edition in 0..2 {
            let began = Instant::now();
            runtime.block_on(check(Arc::clone(&site), edition, number));
            assert!(began.elapsed() < PATIENCE * 2, "it took {:?}", began.elapsed());
        }
    };
    tokio::task::block_in_place(|| {
        corpus.0.iter().for_each(|answer| give(answer.clone()));
        arbtest(|random| {
            give(corpus.altered(random)?);
            Ok(())
        })
        .run();
    });
}

fn is_line(text: &str, most: usize) -> bool {
    text.chars().count() <= most && !text.chars().any(char::is_control)
}

fn check_field(field: &ScreenField) {
    let ScreenField { id, name, kind, .. } = field;
    assert!(!id.is_empty() && id.is_ascii() && is_line(id, 255), "{id:?}");
    assert!(!name.is_empty() && is_line(name, 255), "{name:?}");
    if let FieldKind::Select(options) | FieldKind::MultiSelect(options) | FieldKind::Checkboxes(options) =
        kind
    {
        assert!(options.len() <= MAX_OPTIONS);
        assert!(options.iter().all(|option| is_line(&option.name, 100)), "{options:?}");
    }
}

fn check_issue(issue: &Issue) {
    assert!(IssueKey::parse(issue.key.as_str()).is_ok(), "{:?}", issue.key);
    assert!(is_line(&issue.summary, 300) && is_line(&issue.status, 100), "{issue:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_screen_is_read_within_bounds_or_is_no_answer() {
    answers("screens", async |site, edition, number| {
        // Screens are remembered, so each is another one.
        let issue_type = (10_000 + number).to_string();
        let screen = site.clients[edition].get_screen("HARB", &issue_type, Instant::now() + PATIENCE).await;
        match screen {
            Ok(screen) => screen.iter().flatten().for_each(check_field),
            Err(error) => assert!(!error.is_outage(), "{error}"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn issues_are_read_within_bounds_or_are_no_answer() {
    let keys = ["HARB-90", "HARB-91"].map(|key| IssueKey::parse(key).unwrap());
    answers("issues", async |site, edition, _| {
        let client = &site.clients[edition];
        match client.get_issues(&keys, Instant::now() + PATIENCE).await {
            Ok(issues) => {
                assert_eq!(issues.len(), keys.len());
                issues.iter().flatten().for_each(check_issue);
            }
            Err(error) => assert!(!error.is_outage(), "{error}"),
        }
        let search = Search { jql: "updated >= -5m", projects: None, hidden: None, limit: 100, after: None };
        if let Ok(page) = client.find_issues(search, Instant::now() + PATIENCE).await {
            page.issues.iter().for_each(|found| check_issue(&found.issue));
        }
        if let Ok(fields) = client.watched_fields(&keys, Instant::now() + PATIENCE).await {
            assert!(fields.len() <= keys.len());
            for (_, fields) in fields {
                check_issue(&fields.issue);
                let texts = [&fields.assignee, &fields.priority, &fields.sprint];
                assert!(texts.iter().all(|text| is_line(&text.name, 255)), "{texts:?}");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn comments_are_read_within_bounds_or_are_no_answer() {
    let key = IssueKey::parse("HARB-90").unwrap();
    answers("comments", async |site, edition, _| {
        let comments = site.clients[edition].newest_comments(&key, Instant::now() + PATIENCE).await;
        for comment in comments.into_iter().flatten() {
            assert!(comment.author.is_none_or(|author| is_line(&author.name, 255)));
        }
    })
    .await;
}
