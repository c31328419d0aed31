//! How the simulated site can fail.

pub(crate) mod answers;
pub(crate) mod connection;

use std::{collections::VecDeque, time::Duration};

/// How the REST API fails. Web pages (`/browse/…`) aren't affected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JiraFault {
    /// This status with Jira's error body and, if given, this `Retry-After`.
    Status(u16, Option<String>),
    /// Status 401, since the token doesn't cover the request.
    MissingScope,
    /// No answer, but the connection stays open.
    Hang,
    /// The right answer, but late.
    Slow(Duration),
    /// The connection is reset before the answer.
    Reset,
    /// The request is carried out, and the connection is reset before the answer.
    DoneThenReset,
    /// The request is carried out, but there is no answer and the connection stays open.
    DoneThenHang,
    /// The request is carried out, but the answer is this status, as from a proxy that timed out.
    DoneThenStatus(u16),
    /// The request is carried out this late, even if nobody waits for the answer by then.
    DoneLate(Duration),
    /// The answer is status 504 at once, as from a proxy that gave up, and the request is carried out this late.
    GivenUpThenDone(Duration),
    /// The right answer, but its list of `errors` has only texts, as other programs in front of Jira write it.
    OddErrors,
    /// The connection ends in the middle of the answer.
    CutShort,
    /// Status 200 and a login page.
    Html,
    /// Status 404 and a web server's page: Jira isn't at this address.
    NoSuchAddress,
    /// Half of a JSON document.
    InvalidJson,
    /// JSON that doesn't fit any request.
    WrongShape,
    /// 5 MB of white space, in chunks.
    HugeBody,
    /// White space without end, as fast as it is read.
    EndlessBody,
    /// White space without end, a byte at a time: the connection is never silent for long.
    Drips,
    /// Status 302 to this address.
    Redirect(String),
    /// The credentials are ignored, so nothing is visible. Headers say so, as with Data Center.
    Anonymous,
    /// As [`JiraFault::Anonymous`], but without the headers.
    SilentlyAnonymous,
    /// This status with this JSON, whatever was asked.
    Answer(u16, String),
    /// Some issues couldn't be read: an empty answer with an entry in `issueErrors`.
    IssueErrors,
}

/// The faults that are switched on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// Faults for the next requests, one each. `None` lets a request through.
    next: VecDeque<Option<JiraFault>>,
    /// The fault for all requests after those.
    then: Option<JiraFault>,
    /// As `next`, for the requests whose path ends with a text: these come first, and count for nothing else.
    of: Vec<(String, VecDeque<Option<JiraFault>>)>,
    /// For all requests whose path ends with a text.
    always_of: Vec<(String, JiraFault)>,
    /// For all requests that name an issue, by any of these names of it. These come before all else.
    of_issues: Vec<(Vec<String>, JiraFault)>,
}

impl Faults {
    pub(crate) fn set(&mut self, next: impl IntoIterator<Item = Option<JiraFault>>, then: Option<JiraFault>) {
        *self = Self { next: next.into_iter().collect(), then, ..Self::default() };
    }

    pub(crate) fn set_of(&mut self, part: &str, next: impl IntoIterator<Item = Option<JiraFault>>) {
        self.of.retain(|(other, _)| other != part);
        self.of.push((part.to_owned(), next.into_iter().collect()));
    }

    pub(crate) fn set_always_of(&mut self, part: &str, fault: Option<JiraFault>) {
        self.always_of.retain(|(other, _)| other != part);
        self.always_of.extend(fault.map(|fault| (part.to_owned(), fault)));
    }

    pub(crate) fn set_of_issue(&mut self, names: Vec<String>, fault: Option<JiraFault>) {
        self.of_issues.retain(|(others, _)| *others != names);
        self.of_issues.extend(fault.map(|fault| (names, fault)));
    }

    pub(crate) fn always_of(&self) -> Vec<(String, JiraFault)> {
        self.always_of.clone()
    }

    /// The fault for all future requests, if any.
    pub(crate) fn lasting(&self) -> Option<JiraFault> {
        self.then.clone()
    }

    /// The fault for the request that has just come, if any.
    pub(crate) fn next(&mut self, path: &str, body: &[u8]) -> Option<JiraFault> {
        let body = String::from_utf8_lossy(body);
        let is_named = |name: &String| names(path, name) || names(&body, name);
        if let Some((_, fault)) = self.of_issues.iter().find(|(all, _)| all.iter().any(is_named)) {
            return Some(fault.clone());
        }
        let of_path =
            self.of.iter_mut().find(|(part, next)| path.ends_with(part.as_str()) && !next.is_empty());
        if let Some((_, next)) = of_path {
            return next.pop_front().flatten();
        }
        if let Some((_, fault)) = self.always_of.iter().find(|(part, _)| path.ends_with(part.as_str())) {
            return Some(fault.clone());
        }
        self.next.pop_front().unwrap_or_else(|| self.then.clone())
    }
}

/// Whether a text has a name as a word of its own.
fn names(text: &str, name: &str) -> bool {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '-';
    text.match_indices(name).any(|(start, _)| {
        let (before, after) = (text[..start].chars().next_back(), text[start + name.len()..].chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
