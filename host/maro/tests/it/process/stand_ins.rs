//! What answers in Jira's or Slack's place: pages that ask to sign in, gates, redirects, and what proxies say.

use std::net::SocketAddr;

use axum::{Router, http::HeaderMap, response::IntoResponse as _};
use tokio::net::TcpListener;

use crate::process::{World, doctor::doctor};

type Header = (&'static str, &'static str);

/// A service that answers everything the same way.
async fn answering(status: u16, headers: &'static [Header], body: &'static str) -> SocketAddr {
    let answer = move || async move {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        (axum::http::StatusCode::from_u16(status).unwrap(), map, body).into_response()
    };
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    address
}

const PAGE: &str = "\n<!DOCTYPE html><html><title>Sign in</title></html>";
const HTML: Header = ("content-type", "text/html");

#[tokio::test]
async fn the_doctor_says_what_answers_in_jiras_place() {
    let world = World::new().await;
    let cases: [(u16, &'static [Header], &'static str, &str, &str); 9] = [
        (200, &[HTML], PAGE, "something stands in front of Jira", "JIRA_HEADERS"),
        (
            403,
            &[HTML],
            PAGE,
            "something stands in front of Jira and doesn't let MARO through",
            "JIRA_HEADERS",
        ),
        (
            302,
            &[("location", "https://sso.harbor.example/saml?session=s3cret")],
            "",
            "status 302, a redirect to sso.harbor.example",
            "JIRA_BASE_URL",
        ),
        (303, &[("location", "/login.jsp")], "", "a redirect to another page of 127.0.0.1", "sign-in"),
        (
            403,
            &[
                ("x-seraph-loginreason", "AUTHENTICATION_DENIED"),
                ("x-authentication-denied-reason", "CAPTCHA_CHALLENGE; login-url=https://j/login.jsp"),
            ],
            "",
            "it wants MARO's account to solve a CAPTCHA",
            "sign in to Jira once in a browser",
        ),
        (
            403,
            &[("x-seraph-loginreason", "AUTHENTICATED_FAILED")],
            "",
            "rejected MARO's credentials",
            "Check JIRA_EMAIL",
        ),
        (
            403,
            &[("x-arequestid", "1x2x3")],
            PAGE,
            "isn't allowed to do this",
            "whether that account may use Jira",
        ),
        (410, &[], "{}", "status 410: Jira no longer has what MARO asks for", "JIRA_BASE_URL"),
        (503, &[HTML], PAGE, "the site responded with status 503", "is having trouble"),
    ];
    for (status, headers, body, said_to_be, fix) in cases {
        let address = answering(status, headers, body).await;
        let mut command = world.command("doctor");
        command.env("JIRA_BASE_URL", format!("http://{address}"));
        let (is_well, said) = doctor(command).await;
        assert!(!is_well, "{status}: {said}");
        let mut lines = said.lines().skip_while(|line| !line.starts_with("FAIL  Jira: "));
        let (what, how) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
        assert!(what.contains(said_to_be), "{status}: {said}");
        assert!(how.contains(fix), "{status}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}

#[tokio::test]
async fn the_doctor_says_what_answers_in_slacks_place() {
    let world = World::new().await;
    let cases: [(u16, &'static [Header], &'static str, &str); 3] = [
        (200, &[HTML], PAGE, "it is a web page"),
        (
            302,
            &[("location", "https://sso.harbor.example/?x=s3cret")],
            "",
            "a redirect to sso.harbor.example",
        ),
        (407, &[], "", "a proxy on the way wants a password"),
    ];
    for (status, headers, body, said_to_be) in cases {
        let address = answering(status, headers, body).await;
        let mut command = world.command("doctor");
        command.env("SLACK_API_URL", format!("http://{address}/api"));
        let (is_well, said) = doctor(command).await;
        let line = said.lines().find(|line| line.starts_with("FAIL  Slack: "));
        assert!(!is_well && line.is_some_and(|line| line.contains(said_to_be)), "{status}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
}
