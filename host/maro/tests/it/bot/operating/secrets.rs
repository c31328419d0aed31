//! What must not be in a log: keys in addresses, tokens, what people wrote, lines that a plugin forged.

use std::{net::SocketAddr, time::Duration};

use maro_runtime::outbound::addresses::Reach;
use maro_simulation::{jira::faults::JiraFault, slack::web_api::faults::SlackFault};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tracing::Level;

use crate::{
    bot::{TestBot, plugins::capabilities::capable_bot_reaching, server::http::signed, tickets::create},
    built_components::PluginsFolder,
    log::Log,
};

/// A word that stands nowhere but where a test puts it.
const MARKER: &str = "vz7kq2wm";

/// A service that answers each connection with these bytes once it has a request, and hangs up.
async fn service(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let _ = connection.read(&mut [0; 1024]).await;
            let _ = connection.write_all(answer).await;
        }
    });
    address
}

#[tokio::test]
async fn the_address_of_a_failed_request_is_told_to_nobody() {
    let (log, _guard) = Log::start_at(Level::DEBUG);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let hung_up = service(b"").await;
    let no_http = service(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
    let cut_short = service(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = silent.local_addr().map(|address| (address, silent)).unwrap();
    for (what, address, plain_http) in [
        ("nobody listens", nobody, true),
        ("it hangs up", hung_up, true),
        ("it speaks no HTTP", no_http, true),
        ("it breaks off", cut_short, true),
        ("it is silent", silent.0, true),
        ("it speaks no TLS", no_http, false),
    ] {
        let patience = Duration::from_millis(700);
        let reach = Reach { plain_http, patience, ..Reach::INTERNET };
        let bot = capable_bot_reaching(address, reach).await;
        let scheme = if plain_http { "http" } else { "https" };
        let url = format!("{scheme}://localhost:{}/path-{MARKER}?key={MARKER}", address.port());
        for method in ["GET", "POST"] {
            let shown =
                bot.say(&format!("/maro capable fetch {method} {url} x-key={MARKER} body={MARKER}")).await;
            assert!(shown.ends_with("in a few minutes.") && !shown.contains(MARKER), "{what}: {shown}");
        }
    }
    assert_eq!(log.lines("an outbound request failed").lines().count(), 12);
    log.assert_without(&[MARKER]);
}

#[tokio::test]
async fn a_plugin_forges_no_line_of_the_log() {
    let (log, _guard) = Log::start_at(Level::DEBUG);
    let grants = maro_runtime::policy::grants::Grant::ALL.map(|grant| format!("{:?}", grant.as_str()));
    let manifest = format!("grants = [{}]\nhttp.hosts = [\"nowhere.example\"]", grants.join(", "));
    let bot =
        TestBot::with_plugins(PluginsFolder::shipped().with_fixture("every-call", "every-call", &manifest))
            .await;
    for forged in [
        r"done\nERROR maro: forged",
        "done\rERROR maro: forged",
        "done\u{2028}ERROR maro: forged",
        "done\u{85}ERROR maro: forged",
        "done\u{1b}[2K\u{1b}[1GERROR maro: forged",
    ] {
        for how in ["log", "panic"] {
            bot.say(&format!("/maro every-call {how} {forged}")).await;
        }
        // So that it is not rested.
        assert_eq!(bot.say("/maro every-call clock.now").await.len(), 10);
    }
    let text = log.text();
    assert!(text.contains("maro: forged"), "nothing was logged");
    let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}'];
    for line in text.split(breaks) {
        assert!(!line.starts_with("ERROR maro: forged"), "{text}");
    }
    assert!(!text.contains('\u{1b}'), "a terminal would obey it");
}

#[tokio::test]
async fn what_people_write_is_not_logged() {
    let (log, _guard) = Log::start_at(Level::DEBUG);
    let bot = create::bot().await;
    for typed in ["track", "untrack", "tracked", "help", "plugins", "stories", ""] {
        bot.say(&format!("/maro {typed} {MARKER}")).await;
    }
    create::open_create(&bot, &format!("Zeppelin {MARKER}")).await;
    bot.slack.fill("ada", &[("description", MARKER)]).await.unwrap();
    bot.slack.submit("ada").await.unwrap();
    assert_eq!(create::told(&bot).len(), 1);
    // What fails is told more of.
    for fault in [
        JiraFault::Reset,
        JiraFault::InvalidJson,
        JiraFault::Html,
        JiraFault::Status(400, None),
        JiraFault::CutShort,
    ] {
        create::open_create(&bot, &format!("Balloon {MARKER}")).await;
        bot.jira.set_fault(fault);
        bot.slack.submit("ada").await.unwrap();
        bot.jira.clear_fault();
    }
    create::open_create(&bot, "Balloon").await;
    bot.jira.set_fault(JiraFault::Reset);
    // Under a fault there is nothing to offer.
    let _ = bot.slack.suggestions("ada", "project", MARKER).await;
    bot.jira.clear_fault();
    bot.slack.set_fault("views.open", SlackFault::Error("internal_error".to_owned()));
    bot.slack.send_command("general", "ada", &format!("/maro create {MARKER}")).await.unwrap();
    log.assert_without(&[MARKER]);
}

/// A command whose answer goes to an address of the test's own.
fn command(response_url: &str) -> String {
    let url: String = url::form_urlencoded::byte_serialize(response_url.as_bytes()).collect();
    format!("command=%2Fmaro&text=track+SCRUM-123&channel_id=C0GENERAL01&user_id=U1&response_url={url}")
}

/// Waits until so many late answers have failed.
async fn until_answers_failed(log: &Log, count: usize) {
    let told = async {
        while log.lines("a late answer").lines().count() < count {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), told).await.expect("the late answers fail");
}

#[tokio::test]
async fn the_address_of_a_late_answer_that_fails_is_told_to_nobody() {
    let (log, _guard) = Log::start_at(Level::DEBUG);
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let no_http = service(b"SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
    let mut failed = 0;
    for slack in [nobody, service(b"").await, no_http] {
        let bot = TestBot::with_settings(PluginsFolder::shipped(), |config| {
            config.slack.api_url = format!("http://{slack}/api").parse().unwrap();
        })
        .await;
        bot.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
        let body = command(&format!("http://{slack}/commands/{MARKER}?key={MARKER}"));
        signed(&bot, "slack/commands", body.as_bytes(), 0).send().await.unwrap();
        failed += 1;
        until_answers_failed(&log, failed).await;
    }
    log.assert_without(&[MARKER]);
}

#[tokio::test]
async fn no_secret_is_logged_whatever_fails() {
    let (log, _guard) = Log::start_at(Level::DEBUG);
    let bot = create::bot().await;
    // As good as a password while it lasts.
    let response_url = format!("{}commands/T1/{MARKER}", bot.slack.url());
    bot.jira.set_fault(JiraFault::Slow(Duration::from_secs(3)));
    let elsewhere = format!("https://hooks.example/{MARKER}?{MARKER}");
    for url in [response_url.as_str(), &elsewhere, &format!("no url {MARKER}")] {
        signed(&bot, "slack/commands", command(url).as_bytes(), 0).send().await.unwrap();
    }
    until_answers_failed(&log, 3).await;
    for fault in [
        JiraFault::Status(401, None),
        JiraFault::Reset,
        JiraFault::Html,
        JiraFault::Redirect(format!("https://example.com/login?session={MARKER}")),
    ] {
        bot.jira.set_fault(fault);
        bot.say("/maro track SCRUM-123").await;
    }
    bot.jira.clear_fault();
    for fault in [
        SlackFault::Error("invalid_auth".to_owned()),
        SlackFault::Status(500),
        SlackFault::Reset,
        SlackFault::RateLimited { retry_after: 60 },
    ] {
        bot.slack.set_fault("views.open", fault);
        bot.slack.send_command("general", "ada", "/maro create Something").await.unwrap();
    }
    signed(&bot, "slack/commands", b"command=%2Fmaro", 900).send().await.unwrap();
    let basic = "bWFyb0BleGFtcGxlLmNvbTpzaW11bGF0ZWQtYXBpLXRva2Vu";
    let api_token = maro_simulation::jira::credentials::API_TOKEN;
    log.assert_without(&[MARKER, "xoxb-test", "a signing secret", api_token, basic, "v0=", "/rest/api/"]);
}
