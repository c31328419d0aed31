//! Who may use the page: nobody but this machine's browser on the page itself.

use std::net::{Ipv4Addr, SocketAddr};

use maro_dev::{
    builds::Builds,
    playground::{PageError, PlaygroundPage},
};
use maro_process::http::client::{self, ClientOptions, Trust};
use reqwest::{Client, RequestBuilder};

use crate::playground::{bot, page, playground};

fn client() -> Client {
    client::build(&ClientOptions::new(Trust::Nobody)).unwrap()
}

#[tokio::test]
async fn another_host_or_origin_is_refused() {
    let bot = bot().await;
    let page = page(&bot, &Builds::default()).await;
    let (client, url) = (client(), page.url());
    let own = url.as_str().trim_end_matches('/').to_owned();
    let status = async |request: RequestBuilder| request.send().await.unwrap().status().as_u16();

    for host in ["evil.example", "evil.example:3001", "127.0.0.1:1", "localhost"] {
        assert_eq!(status(client.get(url.clone()).header("host", host)).await, 421, "{host}");
    }
    let by_name = format!("localhost:{}", url.port().unwrap());
    assert_eq!(status(client.get(url.clone()).header("host", by_name)).await, 200);
    assert_eq!(status(client.get(format!("{own}/live")).header("sec-fetch-site", "cross-site")).await, 403);
    // Following a link from elsewhere is no harm.
    let navigation = client.get(url.clone()).header("sec-fetch-site", "cross-site");
    assert_eq!(status(navigation.header("sec-fetch-mode", "navigate")).await, 200);

    let post = || client.post(format!("{own}/jira")).body(r#"{"fail":{"how":"slow"}}"#);
    let json = || post().header("content-type", "application/json");
    assert_eq!(status(json()).await, 403, "without an origin");
    for origin in ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1"] {
        assert_eq!(status(json().header("origin", origin)).await, 403, "{origin}");
    }
    assert_eq!(status(post().header("origin", &own)).await, 415, "a form needs no leave to be sent");
    assert_eq!(bot.jira.fault(), None);
    assert_eq!(status(json().header("origin", &own)).await, 200);
    assert!(bot.jira.fault().is_some());
}

#[tokio::test]
async fn every_answer_forbids_what_the_page_does_not_need() {
    let bot = bot().await;
    let page = page(&bot, &Builds::default()).await;
    for path in ["", "assets/main.js", "assets/none.js", "live"] {
        let response = client().get(page.url().join(path).unwrap()).send().await.unwrap();
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
    }
}

#[tokio::test]
async fn the_page_does_not_leave_this_machine() {
    let bot = bot().await;
    let everywhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
    let refused = PlaygroundPage::start(everywhere, playground(&bot, &Builds::default())).await.unwrap_err();
    assert!(matches!(refused, PageError::NotLoopback(_)), "{refused}");
}

#[tokio::test]
async fn the_bot_itself_has_no_route_of_the_page() {
    let bot = bot().await;
    for path in ["", "assets/main.js", "live", "slack", "jira"] {
        assert_eq!(client().get(bot.url(path)).send().await.unwrap().status(), 404, "{path}");
    }
}
