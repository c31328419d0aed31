//! Answers from a file in place of services, and real ones kept for it: for authors, never for a bot that serves.

use std::{
    collections::BTreeMap,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reqwest::header::{HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::outbound::{
    request::OutboundRequest,
    response::{MAX_BODY_BYTES, OutboundError, OutboundResponse},
};
use maro_process::bounded_file::read_bounded;

/// The largest file of answers, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024 * 1024;

/// Headers that say nothing to a plugin, or too much to people who read the file.
const UNKEPT_HEADERS: [&str; 6] =
    ["connection", "content-length", "date", "set-cookie", "strict-transport-security", "transfer-encoding"];

/// As in `wit/http.wit`.
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// The file of answers, in TOML.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answers {
    #[serde(default)]
    answers: Vec<SimulatedAnswer>,
}

/// One answer. The first that fits a request is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SimulatedAnswer {
    /// `GET`; if absent, any.
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    /// The whole address; a `*` at its end stands for anything.
    url: String,
    #[serde(default = "ok", skip_serializing_if = "is_ok")]
    status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    headers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    body: String,
    /// How long it takes, in milliseconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    delay_ms: u64,
    /// Why there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<SimulatedFailure>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SimulatedFailure {
    Unreachable,
    TimedOut,
    TooLarge,
    Private,
}

fn ok() -> u16 {
    200
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_ok(status: &u16) -> bool {
    *status == ok()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What stands in for services.
#[derive(Debug)]
pub struct SimulatedServices {
    /// `None`: services are asked, and what they answer is kept.
    answers: Option<Vec<SimulatedAnswer>>,
    kept: Mutex<Vec<SimulatedAnswer>>,
    unanswered: Mutex<Vec<String>>,
}

/// No answer in the file fits.
#[derive(Debug, thiserror::Error)]
#[error("no answer in the file matches {0}")]
struct NoAnswer(String);

impl SimulatedServices {
    /// Answers from a file.
    ///
    /// # Errors
    /// It can't be read; a sentence says where.
    pub fn from_file(path: &Path) -> io::Result<Arc<Self>> {
        let named = |error: &dyn std::fmt::Display| io::Error::other(format!("{}: {error}", path.display()));
        let text = read_bounded(path, MAX_FILE_BYTES).map_err(|error| named(&error))?;
        let text = String::from_utf8(text).map_err(|error| named(&error))?;
        let Answers { answers } = toml::from_str(&text).map_err(|error| named(&error))?;
        for (place, answer) in answers.iter().enumerate() {
            answer.check().map_err(|problem| named(&format_args!("answer {}: {problem}", place + 1)))?;
        }
        Ok(Self::new(Some(answers)))
    }

    /// Keeps what services answer.
    pub fn keeping() -> Arc<Self> {
        Self::new(None)
    }

    fn new(answers: Option<Vec<SimulatedAnswer>>) -> Arc<Self> {
        Arc::new(Self { answers, kept: Mutex::default(), unanswered: Mutex::default() })
    }

    /// The requests since the last call that no answer fits.
    pub fn take_unanswered(&self) -> Vec<String> {
        std::mem::take(&mut *locked(&self.unanswered))
    }

    /// Writes what was kept to a file, after what is in it.
    ///
    /// # Errors
    /// The file can't be read or written.
    pub fn write_kept(&self, path: &Path) -> io::Result<usize> {
        let kept = std::mem::take(&mut *locked(&self.kept));
        let mut answers = match Self::from_file(path) {
            Ok(before) => before.answers.clone().unwrap_or_default(),
            Err(_) if !path.exists() => Vec::new(),
            Err(error) => return Err(error),
        };
        let count = kept.len();
        for answer in kept {
            answers.retain(|before| before.method != answer.method || before.url != answer.url);
            answers.push(answer);
        }
        let text = toml::to_string_pretty(&Answers { answers }).map_err(io::Error::other)?;
        std::fs::write(path, text)?;
        Ok(count)
    }

    /// The answer to a request. `None` if the service is to be asked.
    pub(super) async fn answer(
        &self,
        request: &OutboundRequest,
    ) -> Option<Result<OutboundResponse, OutboundError>> {
        let answers = self.answers.as_ref()?;
        let (method, url) = (request.inner().method().as_str(), request.inner().url().as_str());
        let Some(answer) = answers.iter().find(|answer| answer.fits(method, url)) else {
            let asked = format!("{method} {url}");
            tracing::warn!("no simulated answer fits {asked}");
            locked(&self.unanswered).push(asked.clone());
            return Some(Err(OutboundError::Unreachable(Arc::new(NoAnswer(asked)))));
        };
        tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
        Some(answer.response())
    }

    /// Keeps what a service answered, if that is wanted.
    pub(super) fn keep(&self, method: &str, url: &str, response: &OutboundResponse) {
        if self.answers.is_some() {
            return;
        }
        let headers = response.headers.iter().filter(|(name, _)| !UNKEPT_HEADERS.contains(&&**name));
        let answer = SimulatedAnswer {
            method: Some(method.to_owned()),
            url: url.to_owned(),
            status: response.status,
            headers: headers.cloned().collect(),
            body: String::from_utf8_lossy(&response.body).into_owned(),
            delay_ms: 0,
            failure: None,
        };
        locked(&self.kept).push(answer);
    }
}

impl SimulatedAnswer {
    /// Finds what no request fits, or no service answers.
    fn check(&self) -> Result<(), String> {
        if let Some(method) = self.method.as_deref()
            && !METHODS.iter().any(|known| known.eq_ignore_ascii_case(method))
        {
            return Err(format!("{method:?} isn't a method: use {}", METHODS.join(", ")));
        }
        self.check_url()?;
        if !(100..=999).contains(&self.status) {
            return Err(format!("{} isn't a status: use 100 to 999", self.status));
        }
        if let Some((name, _)) = self.headers.iter().find(|(name, value)| {
            HeaderName::from_bytes(name.as_bytes()).is_err()
                || HeaderValue::from_bytes(value.as_bytes()).is_err()
        }) {
            return Err(format!("the header {name:?} can't be sent"));
        }
        let has_answer = !is_ok(&self.status) || !self.headers.is_empty() || !self.body.is_empty();
        if self.failure.is_some() && has_answer {
            return Err("it has a `failure`, so it can't have a status, headers or a body".to_owned());
        }
        Ok(())
    }

    /// Finds what isn't the beginning of any request's address, as requests have them.
    fn check_url(&self) -> Result<(), String> {
        const HTTPS: &str = "https://";
        let start = self.url.strip_suffix('*');
        let url = start.unwrap_or(&self.url);
        let rest = url.strip_prefix(HTTPS).unwrap_or_default();
        let host = rest.split(['/', '?']).next().unwrap_or_default();
        if host.contains('*') {
            return Err(format!("{:?} has a * in the host's name: it can only be at the end", self.url));
        }
        // A beginning may end before its host's name does.
        if start.is_some() && host.len() == rest.len() {
            let is_beginning = HTTPS.starts_with(url) || url.starts_with(HTTPS);
            let is_as_read = !host.contains(|letter: char| letter.is_ascii_uppercase() || letter == '@');
            return match is_beginning && is_as_read {
                true => Ok(()),
                false => {
                    Err(format!("{:?} fits no request: write https://, and the host in lowercase", self.url))
                }
            };
        }
        let read = Url::parse(url).map_err(|error| format!("{:?} isn't an address: {error}", self.url))?;
        if read.scheme() != "https" {
            return Err(format!("{:?} doesn't begin with https://", self.url));
        }
        if read.as_str() != url && read.as_str().strip_suffix('/') != Some(url) {
            return Err(format!("{:?} fits no request, which would have {read}", self.url));
        }
        Ok(())
    }

    fn fits(&self, method: &str, url: &str) -> bool {
        let same_method = self.method.as_ref().is_none_or(|own| own.eq_ignore_ascii_case(method));
        same_method
            && match self.url.strip_suffix('*') {
                Some(start) => url.starts_with(start),
                // As the request's address was read: with a path.
                None => url == self.url || url.strip_suffix('/') == Some(&self.url),
            }
    }

    fn response(&self) -> Result<OutboundResponse, OutboundError> {
        match self.failure {
            Some(SimulatedFailure::Unreachable) => {
                Err(OutboundError::Unreachable(Arc::new(NoAnswer(self.url.clone()))))
            }
            Some(SimulatedFailure::TimedOut) => Err(OutboundError::TimedOut),
            Some(SimulatedFailure::Private) => Err(OutboundError::Private),
            Some(SimulatedFailure::TooLarge) => Err(OutboundError::TooLarge),
            None if self.body.len() > MAX_BODY_BYTES => Err(OutboundError::TooLarge),
            None => Ok(OutboundResponse {
                status: self.status,
                headers: self.headers.clone().into_iter().collect(),
                body: self.body.clone().into_bytes(),
            }),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::{addresses::Reach, request::Parts};

    fn request(method: &str, url: &str) -> OutboundRequest {
        let parts = Parts { method, url, headers: &[], body: None };
        OutboundRequest::new(parts, Reach::INTERNET).unwrap()
    }

    #[tokio::test]
    async fn the_first_answer_that_fits_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.toml");
        std::fs::write(
            &path,
            r#"
            [[answers]]
            method = "get"
            url = "https://rota.example.com/today?team=cranes"
            headers = { content-type = "application/json" }
            body = '{"on_duty":"Imani"}'
            [[answers]]
            url = "https://rota.example.com/*"
            status = 404
            [[answers]]
            url = "https://slow.example.com"
            failure = "timed-out"
            "#,
        )
        .unwrap();
        let services = SimulatedServices::from_file(&path).unwrap();
        let status = async |method, url| match services.answer(&request(method, url)).await.unwrap() {
            Ok(response) => format!("{} {}", response.status, String::from_utf8_lossy(&response.body)),
            Err(error) => error.to_string(),
        };
        let today = "https://rota.example.com/today?team=cranes";
        assert_eq!(status("GET", today).await, "200 {\"on_duty\":\"Imani\"}");
        assert_eq!(status("POST", today).await, "404 ");
        assert_eq!(status("GET", "https://slow.example.com/").await, "the service took too long to respond");
        assert_eq!(status("GET", "https://other.example.com/x").await, "can't reach the service");
        assert_eq!(services.take_unanswered(), ["GET https://other.example.com/x"]);
        std::fs::write(&path, "[[answers]]\nurl = \"x\"\nstatsu = 1").unwrap();
        let error = SimulatedServices::from_file(&path).unwrap_err().to_string();
        assert!(error.contains("answers.toml") && error.contains("line 3"), "{error}");
    }

    #[test]
    fn an_answer_that_no_request_fits_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.toml");
        let read = |answer: &str| {
            std::fs::write(&path, format!("[[answers]]\nurl = \"*\"\n[[answers]]\n{answer}")).unwrap();
            SimulatedServices::from_file(&path).map(drop).map_err(|error| error.to_string())
        };
        for fine in [
            "url = 'https://a.example'",
            "url = 'https://a.example/x%20y'",
            "url = 'https://a.example:8443/x?y=z*'",
            "url = 'https://*'",
            "url = 'https://a.example/x*y'",
            "url = 'https://a.exam*'",
            "method = 'patch'\nurl = 'https://a.example/*'\nstatus = 999",
            "url = 'https://a.example/'\nfailure = 'private'\ndelay-ms = 1",
        ] {
            assert_eq!(read(fine), Ok(()), "{fine}");
        }
        for (answer, problem) in [
            ("method = 'FETCH'\nurl = 'https://a.example/'", "isn't a method"),
            ("url = 'http://a.example/'", "doesn't begin with https://"),
            ("url = 'http://a.exam*'", "in lowercase"),
            ("url = 'a.example'", "isn't an address"),
            ("url = 'https://A.example/'", "https://a.example/"),
            ("url = 'https://A.exam*'", "in lowercase"),
            ("url = 'https://a.example:443/x'", "https://a.example/x"),
            ("url = 'https://a.example/x y'", "https://a.example/x%20y"),
            ("url = 'https://*.example.com/'", "in the host's name"),
            ("url = 'https://a.example/'\nstatus = 99", "isn't a status"),
            ("url = 'https://a.example/'\nheaders = { 'a b' = 'x' }", "can't be sent"),
            ("url = 'https://a.example/'\nfailure = 'private'\nbody = 'x'", "`failure`"),
        ] {
            let error = read(answer).unwrap_err();
            assert!(
                error.contains("answers.toml: answer 2: ") && error.contains(problem),
                "{answer}: {error}"
            );
        }
    }

    #[tokio::test]
    async fn what_was_kept_is_given_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("answers.toml");
        let services = SimulatedServices::keeping();
        let url = "https://rota.example.com/today";
        assert!(services.answer(&request("GET", url)).await.is_none());
        let response = OutboundResponse {
            status: 201,
            headers: vec![
                ("content-type".to_owned(), "text/plain".to_owned()),
                ("date".to_owned(), "x".to_owned()),
            ],
            body: b"Imani".to_vec(),
        };
        for _ in 0..2 {
            services.keep("GET", url, &response);
        }
        services.write_kept(&path).unwrap();
        services.write_kept(&path).unwrap();
        let again = SimulatedServices::from_file(&path).unwrap();
        assert_eq!(again.answers.as_ref().unwrap().len(), 1);
        let given = again.answer(&request("GET", url)).await.unwrap().unwrap();
        assert_eq!((given.status, given.body), (201, b"Imani".to_vec()));
        assert_eq!(given.headers, [("content-type".to_owned(), "text/plain".to_owned())]);
    }
}
