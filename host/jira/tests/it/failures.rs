//! How Jira's failures are reported.

use std::{net::SocketAddr, time::Duration};

use maro_jira::{client::JiraClient, config::JiraConfig, error::JiraError};
use maro_simulation::jira::{
    credentials::{API_TOKEN, PERSONAL_ACCESS_TOKEN},
    faults::JiraFault,
    server::SimulatedJira,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_util::sync::CancellationToken;

use super::{EDITIONS, Edition, PATIENCE, World, config, key, start_site, within};

/// How long a person waits for an answer.
const A_PERSONS_PATIENCE: Duration = Duration::from_secs(2);

/// The outcome's name, and how many times Jira was asked.
async fn outcome(edition: Edition, fault: JiraFault, patience: Duration) -> (String, usize) {
    let world = World::failing(edition, fault).await;
    let result = world.get_within(patience, "SCRUM-123").await;
    if let Err(error) = &result {
        assert_secret_free(error);
    }
    let name = match result {
        Ok(_) => "found".to_owned(),
        Err(JiraError::Unauthorized) => "unauthorized".to_owned(),
        Err(JiraError::Forbidden { .. }) => "forbidden".to_owned(),
        Err(JiraError::MissingScope { scope }) => format!("missing {scope}"),
        Err(JiraError::RateLimited { retry_after }) => format!("rate limited {}", retry_after.as_secs()),
        Err(JiraError::Unreachable { .. }) => "unreachable".to_owned(),
        Err(JiraError::TimedOut) => "timed out".to_owned(),
        Err(JiraError::InvalidResponse { .. }) => "invalid response".to_owned(),
    };
    (name, world.paths().len())
}

fn assert_secret_free(error: &JiraError) {
    let mut shown = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        shown.push_str(&source.to_string());
        cause = source.source();
    }
    for secret in [API_TOKEN, PERSONAL_ACCESS_TOKEN, "bWFyb0", "session"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

fn status(status: u16) -> JiraFault {
    JiraFault::Status(status, None)
}

fn status_and_wait(status: u16, retry_after: &str) -> JiraFault {
    JiraFault::Status(status, Some(retry_after.to_owned()))
}

#[tokio::test]
async fn each_failure_has_its_own_outcome() {
    let rows = [
        (status(401), "unauthorized", 1),
        (status(403), "forbidden", 1),
        (JiraFault::Anonymous, "unauthorized", 1),
        // If Jira asks for a longer wait than a person has, that is reported at once.
        (status_and_wait(429, "7"), "rate limited 7", 1),
        (status_and_wait(429, "Fri, 01 Jan 2100 00:00:00 GMT"), "rate limited 86400", 1),
        (status_and_wait(503, "7"), "unreachable", 1),
        (status(429), "rate limited 30", 2),
        (status_and_wait(429, "soon"), "rate limited 30", 2),
        (status(502), "unreachable", 3),
        (status(503), "unreachable", 3),
        (status(504), "unreachable", 3),
        (status(500), "unreachable", 1),
        (status(501), "unreachable", 1),
        (JiraFault::Reset, "unreachable", 3),
        (JiraFault::CutShort, "unreachable", 3),
        (status(400), "invalid response", 1),
        (status(410), "invalid response", 1),
        (status(204), "invalid response", 1),
        (JiraFault::Html, "invalid response", 1),
        (JiraFault::NoSuchAddress, "invalid response", 1),
        (JiraFault::InvalidJson, "invalid response", 1),
        (JiraFault::WrongShape, "invalid response", 1),
        (JiraFault::HugeBody, "invalid response", 1),
        (JiraFault::Redirect("/login.jsp?session=1".to_owned()), "invalid response", 1),
        (JiraFault::Hang, "timed out", 1),
    ];
    for (fault, expected, requests) in rows {
        for edition in EDITIONS {
            let hangs = fault == JiraFault::Hang;
            let patience = if hangs { Duration::from_millis(100) } else { A_PERSONS_PATIENCE };
            let outcome = outcome(edition, fault.clone(), patience).await;
            assert_eq!(outcome, (expected.to_owned(), requests), "{edition:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_failure_that_passes_goes_unnoticed() {
    let passing = [
        status(502),
        status(503),
        status(504),
        status(429),
        status_and_wait(429, "0"),
        status_and_wait(503, "0"),
        JiraFault::Reset,
        JiraFault::CutShort,
    ];
    for fault in passing {
        for edition in EDITIONS {
            let world = World::confirmed(edition).await;
            world.site.set_next_faults([Some(fault.clone())]);
            assert_eq!(world.keys_of("SCRUM-123").await, "SCRUM-123", "{edition:?} {fault:?}");
            assert_eq!(world.paths().len(), 2, "{edition:?} {fault:?}");
        }
    }
}

#[tokio::test]
async fn a_slow_answer_in_time_is_an_answer() {
    for edition in EDITIONS {
        let world = World::failing(edition, JiraFault::Slow(Duration::from_millis(50))).await;
        assert_eq!(world.keys_of("SCRUM-123 SCRUM-124").await, "SCRUM-123 SCRUM-124");
    }
}

#[tokio::test]
async fn one_failing_key_fails_the_look_up() {
    for edition in EDITIONS {
        let world = World::confirmed(edition).await;
        world.site.set_next_faults([Some(status(403))]);
        assert!(matches!(world.get("SCRUM-123 SCRUM-124").await, Err(JiraError::Forbidden { .. })));
    }
}

#[tokio::test]
async fn a_probe_fails_as_a_look_up_does() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        let mut outcomes = Vec::new();
        for fault in [status(401), status(403), JiraFault::NoSuchAddress, JiraFault::WrongShape] {
            world.site.set_fault(fault);
            outcomes.push(world.client.probe(within(PATIENCE)).await.unwrap_err());
        }
        assert!(
            matches!(
                outcomes.as_slice(),
                [
                    JiraError::Unauthorized,
                    JiraError::Forbidden { .. },
                    JiraError::InvalidResponse { .. },
                    JiraError::InvalidResponse { .. }
                ]
            ),
            "{outcomes:?}"
        );
    }
}

#[tokio::test]
async fn nothing_is_missing_while_the_account_cannot_be_confirmed() {
    for edition in EDITIONS {
        let world = World::start(edition).await;
        world.site.set_next_faults([None, Some(JiraFault::Html), None, Some(status(403))]);
        assert!(matches!(world.get("SCRUM-999").await, Err(JiraError::InvalidResponse { .. })));
        assert!(matches!(world.get("SCRUM-999").await, Err(JiraError::Forbidden { .. })));
        assert_eq!(world.keys_of("SCRUM-999").await, "-");
    }
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() {
    for edition in EDITIONS {
        let elsewhere = start_site().await;
        let target = format!("{}rest/api/3/myself", elsewhere.base_url());
        let world = World::failing(edition, JiraFault::Redirect(target)).await;
        let error = world.get("SCRUM-123").await.unwrap_err();
        assert!(error.to_string().contains("a redirect to another page of 127.0.0.1"), "{error}");
        assert!(elsewhere.requests().is_empty());
    }
}

#[tokio::test]
async fn a_site_that_is_gone_is_unreachable_and_needs_no_restart() {
    for edition in EDITIONS {
        let site = start_site().await;
        let client = JiraClient::new(&config(&site, edition)).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], site.base_url().port().unwrap()));
        let keys = [key("SCRUM-123")];
        client.get_issues(&keys, within(PATIENCE)).await.unwrap();
        site.stop().await;
        let error = client.get_issues(&keys, within(PATIENCE)).await.unwrap_err();
        assert!(matches!(error, JiraError::Unreachable { .. }), "{error:?}");

        let _site = SimulatedJira::start(address, &CancellationToken::new()).await.unwrap();
        client.get_issues(&keys, within(PATIENCE)).await.unwrap();
    }
}

#[tokio::test]
async fn something_that_does_not_speak_http_makes_no_sense() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _ = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(b"220 mail.example.com ESMTP ready\r\n\r\n").await.unwrap();
        stream
    });
    let site = start_site().await;
    let client = JiraClient::new(&JiraConfig { base_url, ..site.cloud_config() }).unwrap();
    let error = client.probe(within(PATIENCE)).await.unwrap_err();
    assert!(matches!(error, JiraError::InvalidResponse { .. }), "{error:?}");
    server.await.unwrap();
}
