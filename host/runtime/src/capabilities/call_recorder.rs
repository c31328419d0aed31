//! Every call of a guest passes here on its way to the host. It is counted, may be recorded, and in a replay
//! is answered without the host.

use std::time::Instant;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tracing::Instrument as _;
use wasmtime::component::HasData;

use crate::{
    interface::bindings::maro::plugin::{
        caller, clock, http, jira, jira_edit, log, reply, settings, storage, tracker, tracker_edit, types,
    },
    invocation::Invocation,
    recording::{bodies, tape::HostCall},
};
use maro_process::spans;

/// An invocation as its guest reaches it.
pub(crate) struct Tap<'a>(pub(crate) &'a mut Invocation);

/// Tells the linker of [`Tap`].
pub(crate) struct HasTap;

impl HasData for HasTap {
    type Data<'a> = Tap<'a>;
}

impl types::Host for Tap<'_> {}
impl reply::Host for Tap<'_> {}

impl log::Host for Tap<'_> {
    fn log(&mut self, level: log::Level, message: String) -> wasmtime::Result<()> {
        if let Some(tape) = &self.0.tape {
            tape.note_line(level_name(level), message.clone());
            if tape.is_played_back() {
                return Ok(());
            }
        }
        log::Host::log(self.0, level, message)
    }
}

fn level_name(level: log::Level) -> &'static str {
    match level {
        log::Level::Debug => "debug",
        log::Level::Info => "info",
        log::Level::Warn => "warn",
        log::Level::Error => "error",
    }
}

/// Implements each capability by counting the call and asking the tape, then the host.
macro_rules! tapped {
    ($($module:ident { $(fn $function:ident($($parameter:ident: $type:ty),*) -> $answer:ty;)* })*) => {$(
        impl $module::Host for Tap<'_> {$(
            async fn $function(&mut self, $($parameter: $type),*) -> wasmtime::Result<$answer> {
                self.0.budget.count_host_call()?;
                let span = spans::host_call(stringify!($module), stringify!($function));
                let Some(tape) = self.0.tape.clone() else {
                    return $module::Host::$function(self.0, $($parameter),*).instrument(span).await;
                };
                let call = call_name(stringify!($module), stringify!($function));
                let arguments: [(String, Value); _] =
                    [$((stringify!($parameter).to_owned(), serde_json::to_value(&$parameter)?)),*];
                let arguments = bodies::as_text(&call, Value::Object(Map::from_iter(arguments)));
                if let Some(answer) = tape.recorded_answer(&call, &arguments)? {
                    return read(&call, bodies::as_bytes(&call, answer));
                }
                let started = Instant::now();
                let answer = $module::Host::$function(self.0, $($parameter),*).instrument(span).await?;
                let noted = bodies::as_text(&call, serde_json::to_value(&answer)?);
                let noted = HostCall { call, arguments, answer: noted };
                tape.note_call(noted, started.elapsed());
                Ok(answer)
            }
        )*}
    )*};
}

/// Hands every function of every capability to a macro.
macro_rules! every_function {
    ($macro:ident) => {
        $macro! {
            jira {
                fn get_issues(keys: Vec<String>) -> Result<Vec<jira::Lookup>, types::JiraError>;
                fn look_up(keys: Vec<String>) -> Result<Vec<jira::Finding>, types::JiraError>;
                fn site() -> Result<String, types::JiraError>;
                fn read(keys: Vec<String>, fields: Vec<String>) -> Result<Vec<jira::Reading>, types::JiraError>;
                fn search(jql: String, limit: u32, after: Option<String>) -> Result<jira::SearchPage, types::JiraError>;
            }
            jira_edit {
                fn comment(key: String, text: String) -> Result<(), jira_edit::EditError>;
                fn list_transitions(key: String) -> Result<Vec<jira_edit::AvailableTransition>, jira_edit::EditError>;
                fn transition(key: String, transition_id: String) -> Result<(), jira_edit::EditError>;
                fn find_assignable(key: String, words: String) -> Result<Vec<types::JiraUser>, jira_edit::EditError>;
                fn assign(key: String, user_id: Option<String>) -> Result<(), jira_edit::EditError>;
                fn create(issue: jira_edit::NewIssue) -> Result<types::Issue, jira_edit::EditError>;
            }
            tracker {
                fn list_tracked(offset: u32, limit: u32) -> Result<tracker::Page, types::TrackerError>;
                fn list_details(offset: u32, limit: u32) -> Result<tracker::DetailedPage, types::TrackerError>;
                fn list_filtered(filter: tracker::ListFilter, offset: u32, limit: u32) -> Result<tracker::FilteredPage, types::TrackerError>;
                fn count_tracked() -> Result<u32, types::TrackerError>;
                fn is_tracked(keys: Vec<String>) -> Result<Vec<bool>, types::TrackerError>;
            }
            tracker_edit {
                fn track(keys: Vec<String>) -> Result<Vec<tracker_edit::TrackOutcome>, types::TrackerError>;
                fn untrack(keys: Vec<String>) -> Result<Vec<tracker_edit::UntrackOutcome>, types::TrackerError>;
            }
            storage {
                fn get(scope: storage::Scope, key: String) -> Result<Option<String>, storage::StorageError>;
                fn set(scope: storage::Scope, key: String, value: String) -> Result<(), storage::StorageError>;
                fn set_expiring(scope: storage::Scope, key: String, value: String, seconds: u64) -> Result<(), storage::StorageError>;
                fn add(scope: storage::Scope, key: String, amount: i64) -> Result<i64, storage::StorageError>;
                fn delete(scope: storage::Scope, key: String) -> Result<bool, storage::StorageError>;
                fn swap(scope: storage::Scope, key: String, expected: Option<String>, new: Option<String>) -> Result<bool, storage::StorageError>;
                fn list_keys(scope: storage::Scope, prefix: String) -> Result<Vec<String>, storage::StorageError>;
            }
            settings {
                fn get(name: String) -> Result<Option<String>, types::HostError>;
                fn all() -> Result<Vec<(String, String)>, types::HostError>;
            }
            caller {
                fn id() -> Result<String, types::HostError>;
                fn is_admin() -> Result<bool, types::HostError>;
                fn time_zone() -> Result<Option<String>, types::HostError>;
            }
            clock {
                fn now() -> Result<u64, types::HostError>;
            }
            http {
                fn send(request: http::Request) -> Result<http::Response, http::HttpError>;
            }
        }
    };
}

every_function!(tapped);

/// `tracker-edit.track` from its names in Rust.
fn call_name(module: &str, function: &str) -> String {
    format!("{module}.{function}").replace('_', "-")
}

fn read<T: DeserializeOwned>(call: &str, answer: Value) -> wasmtime::Result<T> {
    serde_json::from_value(answer).map_err(|error| {
        wasmtime::Error::msg(format!("the recorded answer of {call} doesn't fit this version: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::*;
    use crate::{
        invocation::{authority::Origin, budget::LimitReached},
        policy::{functions::Function, manifest::Manifest},
    };

    /// An argument that requests nothing.
    trait Nothing {
        fn nothing() -> Self;
    }

    impl<T: Default> Nothing for T {
        fn nothing() -> Self {
            T::default()
        }
    }

    impl Nothing for storage::Scope {
        fn nothing() -> Self {
            Self::Channel
        }
    }

    impl Nothing for tracker::ListFilter {
        fn nothing() -> Self {
            Self::All
        }
    }

    impl Nothing for jira_edit::NewIssue {
        fn nothing() -> Self {
            Self { project: None, issue_type: None, summary: String::new(), description: String::new() }
        }
    }

    impl Nothing for http::Request {
        fn nothing() -> Self {
            Self { method: http::Method::Get, url: String::new(), headers: Vec::new(), body: None }
        }
    }

    fn invocation() -> Invocation {
        let origin = Origin { digest: String::new(), manifest_file: String::new() };
        let manifest = Manifest::parse("limits.host-calls = 3").unwrap();
        Invocation::for_describe("test".into(), Arc::new(origin), Arc::new(manifest))
    }

    /// How many calls of each function are answered before the limit is reached.
    macro_rules! counted {
        ($($module:ident { $(fn $function:ident($($parameter:ident: $type:ty),*) -> $answer:ty;)* })*) => {
            [$($({
                let (mut invocation, mut calls) = (invocation(), 0);
                let stopped = loop {
                    let mut tap = Tap(&mut invocation);
                    match $module::Host::$function(&mut tap, $(<$type as Nothing>::nothing()),*).await {
                        Ok(_) if calls < 10 => calls += 1,
                        Ok(_) => break None,
                        Err(error) => break error.downcast_ref::<LimitReached>().copied(),
                    }
                };
                (call_name(stringify!($module), stringify!($function)), calls, stopped)
            },)*)*]
        };
    }

    #[tokio::test]
    async fn every_function_can_be_narrowed_by_its_name() {
        let calls: BTreeSet<_> = every_function!(counted).map(|(function, ..)| function).into();
        let known = Function::ALL.map(|Function { grant, name, .. }| format!("{grant}.{name}"));
        assert_eq!(known.into_iter().collect::<BTreeSet<_>>(), calls);
    }

    #[tokio::test]
    async fn every_function_of_every_capability_counts() {
        let counts = every_function!(counted);
        for (function, calls, stopped) in counts {
            let limit = LimitReached::HostCalls { host_calls: 3 };
            assert_eq!((calls, stopped), (3, Some(limit)), "{function}");
        }
    }
}
