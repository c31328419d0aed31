//! Answers of PostgreSQL that are lost on the way: what was asked has happened, and nobody was told.

use std::sync::{Arc, Mutex};

use maro_domain::tracked::TrackOutcome::Tracked;
use maro_process::secret::Secret;
use maro_store::tracker::TrackerError;
use maro_tickets::texts;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use url::Url;

use crate::{
    postgres,
    tracker::given::{Given, channel, issue, key},
};

/// A way to the database on which one answer can be lost, together with its connection.
struct LossyRoute {
    url: Secret,
    doomed: Arc<Mutex<Option<&'static str>>>,
}

impl LossyRoute {
    async fn to(database: &postgres::Database) -> Self {
        let mut url: Url = database.url.parse().unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        url.set_host(Some(&address.ip().to_string())).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let doomed = Arc::new(Mutex::new(None));
        let watched = Arc::clone(&doomed);
        tokio::spawn(async move {
            while let Ok((bot, _)) = listener.accept().await {
                let database = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(bot, database, Arc::clone(&watched)));
            }
        });
        Self { url: Secret::new(url.to_string()), doomed }
    }

    /// The answer to the next request with this text in it does not arrive.
    fn lose_answer_to(&self, text: &'static str) {
        *self.doomed.lock().unwrap() = Some(text);
    }
}

async fn carry(mut bot: TcpStream, mut database: TcpStream, doomed: Arc<Mutex<Option<&'static str>>>) {
    let (mut request, mut answer) = ([0; 16_384], [0; 16_384]);
    let mut is_doomed = false;
    loop {
        tokio::select! {
            length = bot.read(&mut request) => {
                let Ok(length @ 1..) = length else { return };
                let asked = String::from_utf8_lossy(&request[..length]);
                is_doomed |= doomed.lock().unwrap().take_if(|text| asked.contains(*text)).is_some();
                database.write_all(&request[..length]).await.unwrap();
            }
            length = database.read(&mut answer) => {
                let Ok(length @ 1..) = length else { return };
                if is_doomed {
                    return;
                }
                bot.write_all(&answer[..length]).await.unwrap();
            }
        }
    }
}

async fn given() -> Option<(Given, LossyRoute)> {
    let database = postgres::Database::new().await?;
    let route = LossyRoute::to(&database).await;
    let given = Given::on(postgres::Database { url: route.url.expose().to_owned() }).await;
    // So that the statements are known to the connection, and a request with a key in it is a change.
    given.track("C1", &[issue(1, "WARM-1")], 0).await;
    given.tracker.untrack(&channel("C1"), &[key("WARM-1")]).await.unwrap();
    Some((given, route))
}

#[tokio::test]
async fn an_issue_that_was_tracked_without_word_of_it_is_new_all_the_same() {
    let Some((given, route)) = given().await else { return };
    route.lose_answer_to("LOST-1");
    assert_eq!(given.track("C1", &[issue(2, "LOST-1"), issue(3, "LOST-2")], 1).await, [Tracked, Tracked]);
    assert_eq!(given.keys("C1").await, ["LOST-1", "LOST-2"]);
    given.database.close().await;
}

#[tokio::test]
async fn an_issue_that_was_untracked_without_word_of_it_is_not_said_to_be_there() {
    let Some((given, route)) = given().await else { return };
    given.track("C1", &[issue(2, "LOST-1")], 1).await;
    route.lose_answer_to("LOST-1");
    let error = given.tracker.untrack(&channel("C1"), &[key("LOST-1")]).await.unwrap_err();
    assert!(matches!(error, TrackerError::Uncertain(_)), "{error:?}");
    insta::assert_snapshot!(texts::database::tracker_failed(&error), @"MARO lost its database connection partway through. Type /maro tracked in a minute to see whether it worked.");
    assert!(given.keys("C1").await.is_empty());
    given.database.close().await;
}
