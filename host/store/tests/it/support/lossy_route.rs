//! A way to PostgreSQL on which answers are lost: what was asked has happened, and nobody was told.

use std::sync::{Arc, Mutex};

use maro_process::secret::Secret;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use url::Url;

use super::postgres;

/// Which answers are lost: to requests with this text in them, so many times.
#[derive(Default)]
struct Doomed {
    text: String,
    times: u32,
}

impl Doomed {
    fn take(&mut self, request: &[u8]) -> bool {
        let is_doomed = self.times > 0 && String::from_utf8_lossy(request).contains(&self.text);
        self.times -= u32::from(is_doomed);
        is_doomed
    }
}

/// A way to the database on which answers can be lost, each together with its connection.
pub(crate) struct LossyRoute {
    pub(crate) url: Secret,
    doomed: Arc<Mutex<Doomed>>,
}

impl LossyRoute {
    pub(crate) async fn to(database: &postgres::Database) -> Self {
        let mut url: Url = database.url.parse().unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        url.set_host(Some(&address.ip().to_string())).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let doomed = Arc::new(Mutex::new(Doomed::default()));
        let watched = Arc::clone(&doomed);
        tokio::spawn(async move {
            while let Ok((bot, _)) = listener.accept().await {
                let database = TcpStream::connect(&server).await.unwrap();
                tokio::spawn(carry(bot, database, Arc::clone(&watched)));
            }
        });
        Self { url: Secret::new(url.to_string()), doomed }
    }

    /// The answers to the next requests with this text in them don't arrive.
    pub(crate) fn lose_answers_to(&self, text: &str, times: u32) {
        *self.doomed.lock().unwrap() = Doomed { text: text.to_owned(), times };
    }
}

async fn carry(mut bot: TcpStream, mut database: TcpStream, doomed: Arc<Mutex<Doomed>>) {
    let (mut request, mut answer) = ([0; 16_384], [0; 16_384]);
    let mut is_doomed = false;
    loop {
        tokio::select! {
            length = bot.read(&mut request) => {
                let Ok(length @ 1..) = length else { return };
                is_doomed |= doomed.lock().unwrap().take(&request[..length]);
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
