//! A real browser: Chromium without a window, driven through chromedriver.
//!
//! Where it is not installed, tests say so on stderr and pass; with `CI` set they fail.

use std::{
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    sync::LazyLock,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

use super::webdriver::{Element, WebDriver};

/// Runs a driver until its standard input is closed, then ends it with all its browsers. So they go with
/// the process that holds the other end, however that process ends. A driver that ends by itself takes the rest with
/// it, so that nobody waits for its answer.
const KEEPER: &str = r#"
(chromedriver --port=0 --log-level=SEVERE 2>/dev/null; kill -KILL 0) &
read -r end || true
kill -KILL 0
"#;

/// What a browser needs as root, and what keeps it from the network and from asking anything.
const SWITCHES: [&str; 12] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--window-size=1280,800",
];

/// The driver of all tests; `None` where there is none.
static DRIVER: LazyLock<Option<Driver>> = LazyLock::new(Driver::start);

struct Driver {
    port: u16,
    /// Its standard input stays open for as long as this process lives.
    _keeper: Child,
}

/// How many browsers run at once.
static PLACES: Semaphore = Semaphore::const_new(2);

/// How long a page has to show what is waited for, in milliseconds.
const PATIENCE: u64 = 30_000;

/// Waits until an element that matches a selector has a text in it, and gives the element's whole text.
const SEE: &str = r#"
const [selector, text, done] = arguments;
const look = () => {
  const found = [...document.querySelectorAll(selector)].findLast((it) => it.textContent.includes(text));
  if (!found) return;
  observer.disconnect();
  // What has only just come has no lines before it is painted.
  requestAnimationFrame(() => requestAnimationFrame(() => done(found.innerText)));
};
const observer = new MutationObserver(look);
observer.observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
look();
"#;

/// How often the page may have redrawn an element between the look at it and its use.
const MAX_REDRAWN: usize = 20;

/// One browser of a test's own. It is closed when dropped.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    port: u16,
    _profile: TempDir,
    _place: SemaphorePermit<'static>,
}

impl Driver {
    fn start() -> Option<Self> {
        let is_there = |program| {
            Command::new(program)
                .arg("--version")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .is_ok()
        };
        if !is_there("chromedriver") || !is_there("chromium") {
            assert!(env::var_os("CI").is_none(), "Chromium and chromedriver are not installed");
            let mut stderr = std::io::stderr();
            let _ = writeln!(
                stderr,
                "SKIPPED: tests in a browser, for Chromium and chromedriver are not installed"
            );
            return None;
        }
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(keeper.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port_in =
            |line: String| line.rsplit_once("successfully on port ")?.1.trim_end_matches('.').parse().ok();
        let port = said.filter_map(port_in).next().expect("chromedriver says on which port it listens");
        Some(Self { port, _keeper: keeper })
    }
}

impl Browser {
    /// A fresh browser, or `None` where there is none.
    pub(crate) async fn open() -> Option<Self> {
        let port = DRIVER.as_ref()?.port;
        let place = PLACES.acquire().await.unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut switches = SWITCHES.map(str::to_owned).to_vec();
        switches.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": switches },
            "goog:loggingPrefs": { "browser": "ALL" },
            "timeouts": { "script": PATIENCE },
        });
        let driver = WebDriver::open(port, capabilities).await.unwrap();
        Some(Self { driver, port, _profile: profile, _place: place })
    }

    pub(crate) async fn go(&self, url: &Url) {
        self.driver.go(url.as_str()).await.unwrap();
    }

    /// Waits until an element that matches `selector` contains `text`; the text of the last such one.
    pub(crate) async fn see(&self, selector: &str, text: &str) -> String {
        match self.driver.execute_async(SEE, &[json!(selector), json!(text)]).await {
            Ok(found) => found.as_str().unwrap().to_owned(),
            Err(error) => {
                let page = self.run("return document.body.innerText", &[]).await;
                panic!("{text:?} is not in {selector}: {error}\n{}", page.as_str().unwrap_or_default())
            }
        }
    }

    /// Runs a script in the page, with `arguments`, and gives what it returns.
    pub(crate) async fn run(&self, script: &str, arguments: &[Value]) -> Value {
        self.driver.execute(script, arguments).await.unwrap()
    }

    /// Clicks the last element that matches, once there is one.
    pub(crate) async fn click(&self, selector: &str) {
        for _ in 0..MAX_REDRAWN {
            self.see(selector, "").await;
            let found = self.driver.find_all(selector).await.unwrap();
            let Some(last) = found.last() else { continue };
            match self.driver.click(last).await {
                Err(error) if error.is_stale() => {}
                clicked => return clicked.unwrap(),
            }
        }
        panic!("{selector} is redrawn all the time");
    }

    /// Types into the first element that matches, once there is one.
    pub(crate) async fn type_into(&self, selector: &str, text: &str) {
        for _ in 0..MAX_REDRAWN {
            self.see(selector, "").await;
            let found = self.driver.find(selector).await.unwrap();
            match self.driver.send_keys(&found, text).await {
                Err(error) if error.is_stale() => {}
                typed => return typed.unwrap(),
            }
        }
        panic!("{selector} is redrawn all the time");
    }

    /// Chooses an option of a select by its label.
    pub(crate) async fn choose(&self, selector: &str, label: &str) {
        let option = "return [...document.querySelector(arguments[0]).options]
            .find((it) => it.textContent === arguments[1])";
        let found = self.run(option, &[json!(selector), json!(label)]).await;
        self.driver.click(&Element::parse(&found).unwrap()).await.unwrap();
    }

    /// The texts of all elements that match.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((it) => it.innerText)";
        serde_json::from_value(self.run(script, &[json!(selector)]).await).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Nothing can be awaited here, and a test that fails is to end its browser, too.
        let Ok(mut stream) = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else { return };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
        let _ = write!(
            stream,
            "DELETE /session/{} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n",
            self.driver.id(),
            self.port
        );
        let _ = stream.read_to_end(&mut Vec::new());
    }
}
