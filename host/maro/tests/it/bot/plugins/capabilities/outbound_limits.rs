//! `http`: how long, how much, how many at once; and names that resolve to more than they should.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::{HeaderMap, HeaderName},
    routing::get,
};
use futures_util::stream;
use maro_runtime::outbound::addresses::Reach;
use tokio::sync::watch;

use crate::bot::plugins::capabilities::outbound::{Service, bot_reaching, bot_with_hosts};

/// How long a request may take in these tests.
const PATIENCE: Duration = Duration::from_secs(1);

/// Below ten times that, and more than a busy machine needs.
const LATEST: Duration = Duration::from_secs(6);

fn reach() -> Reach {
    Reach { plain_http: true, patience: PATIENCE, ..Reach::INTERNET }
}

/// A byte now and then: the connection is never silent for long, and the answer never whole.
async fn drips() -> Body {
    Body::from_stream(stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(20)).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b"x")), ()))
    }))
}

/// Headers of so many KiB.
async fn headers(Path(kib): Path<usize>) -> HeaderMap {
    let name = |number: usize| -> HeaderName { format!("x-{number}").parse().unwrap() };
    (0..kib).map(|number| (name(number), "x".repeat(1_000).parse().unwrap())).collect()
}

#[tokio::test]
async fn a_request_ends_when_its_time_is_up_however_the_answer_comes() {
    let service = Service::with_routes(Router::new().route("/drips", get(drips))).await;
    let bot = bot_reaching(service.address, reach(), "").await;
    for path in ["silent", "drips"] {
        let began = Instant::now();
        let shown = bot.say(&format!("/maro capable fetch-kind {}", service.url(path))).await;
        let took = began.elapsed();
        assert_eq!(shown, "Some(HttpErrorKind::TimedOut)", "{path}");
        assert!(took >= PATIENCE && took < LATEST, "{path}: {took:?}");
    }
}

#[tokio::test]
async fn the_headers_of_an_answer_are_bounded() {
    let service = Service::with_routes(Router::new().route("/headers/{kib}", get(headers))).await;
    let bot = bot_reaching(service.address, Reach { patience: LATEST, ..reach() }, "").await;
    for (kib, expected) in [(50, "None"), (80, "Some(HttpErrorKind::TooLarge)")] {
        let url = service.url(&format!("headers/{kib}"));
        assert_eq!(bot.say(&format!("/maro capable fetch-kind {url}")).await, expected, "{kib} KiB");
    }
}

#[tokio::test]
async fn a_plugin_has_as_many_commands_at_once_as_it_may_and_the_others_have_their_turn() {
    let (at_once, most) = (watch::Sender::new(0), Arc::new(AtomicUsize::new(0)));
    let meet = {
        let most = Arc::clone(&most);
        move || async move {
            at_once.send_modify(|count| *count += 1);
            most.fetch_max(*at_once.borrow(), Ordering::Relaxed);
            // Each stays until there are two, and then long enough for a third.
            at_once.subscribe().wait_for(|count| *count >= 2).await.unwrap();
            tokio::time::sleep(Duration::from_millis(500)).await;
            at_once.send_modify(|count| *count -= 1);
            "met"
        }
    };
    let service = Service::with_routes(Router::new().route("/meet", get(meet))).await;
    let reach = Reach { patience: Duration::from_secs(10), ..reach() };
    let bot = bot_reaching(service.address, reach, "[limits]\nconcurrency = 2").await;
    let typed = format!("/maro capable fetch GET {}", service.url("meet"));
    let answers = futures_util::future::join_all((0..4).map(|_| bot.say(&typed))).await;
    assert_eq!(answers, ["200 met"; 4]);
    assert_eq!(most.load(Ordering::Relaxed), 2);
}

/// On this machine, and as good as public in these tests; nobody listens there.
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const PRIVATE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test]
async fn a_name_with_a_public_and_a_private_address_leads_to_the_public_one_alone() {
    let service = Service::with_routes(Router::new()).await;
    let host = format!("service.example:{}", service.address.port());
    let (url, hosts) = (format!("http://{host}/echo"), format!("hosts = [{host:?}]"));
    for (look_up, expected) in [
        ((|_: &str| vec![PUBLIC, PRIVATE]) as fn(&str) -> Vec<IpAddr>, "Unreachable"),
        (|_| vec![PRIVATE, PUBLIC], "Unreachable"),
        (|_| vec![PUBLIC, PRIVATE, PUBLIC], "Unreachable"),
        (|_| vec![PRIVATE], "Denied"),
        (|_| vec![], "Unreachable"),
    ] {
        let is_public = |address| address == PUBLIC;
        let reach = Reach { allows: is_public, look_up: Some(look_up), ..reach() };
        let bot = bot_with_hosts(&hosts, reach).await;
        let shown = bot.say(&format!("/maro capable fetch-kind {url}")).await;
        assert_eq!(shown, format!("Some(HttpErrorKind::{expected})"));
    }
    assert_eq!(service.requests(), 0, "a private address was contacted");
    let reach = Reach { allows: |_| true, look_up: Some(|_| vec![PRIVATE, PUBLIC]), ..reach() };
    let bot = bot_with_hosts(&hosts, reach).await;
    bot.say(&format!("/maro capable fetch GET {url}")).await;
    assert_eq!(service.requests(), 1, "the look-up is what the request goes by");
}
