//! Who MARO itself is to Jira, whose own changes nobody has to be told of.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use maro_jira::{accounts::account::Account, client::JiraClient};

/// How long Jira may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long Jira isn't asked again that didn't say. It may refuse the account, which each question would bring nearer to
/// being locked, or never say it: a token may not let MARO read its own name.
const PAUSE: Duration = Duration::from_secs(60);

/// The account, once Jira has said it.
#[derive(Debug, Default)]
pub(crate) struct OwnAccount(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    account: Option<Account>,
    /// Until when Jira isn't asked.
    rests_until: Option<Instant>,
}

impl OwnAccount {
    /// `None` while Jira hasn't said it.
    pub(crate) async fn get(&self, jira: &JiraClient) -> Option<Account> {
        {
            let mut known = self.known();
            let now = Instant::now();
            if known.account.is_some() || known.rests_until.is_some_and(|until| now < until) {
                return known.account.clone();
            }
            known.rests_until = Some(now + PAUSE);
        }
        let account = jira.probe(Instant::now() + PATIENCE).await.ok()?;
        self.known().account = Some(account.clone());
        Some(account)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpListener,
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
    };

    use maro_jira::config::{JiraConfig, JiraCredentials};
    use maro_process::secret::Secret;

    use super::*;

    #[tokio::test]
    async fn who_is_refused_does_not_ask_again_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let site = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                counted.fetch_add(1, Ordering::Relaxed);
                let _ = stream.read(&mut [0; 4096]);
                let _ = stream.write_all(
                    b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
                );
            }
        });
        let password = JiraCredentials::Password { user: "maro".to_owned(), password: Secret::new("old") };
        let jira = JiraClient::new(&JiraConfig::new(site, password)).unwrap();
        let own = OwnAccount::default();
        for _ in 0..3 {
            assert_eq!(own.get(&jira).await, None);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
