//! `clock`: the time of day.

use wasmtime_wasi::p2::bindings::clocks::wall_clock::{self, Datetime};

use crate::{
    capabilities::{call_recorder::Tap, permitted_call::Call},
    interface::bindings::maro::plugin::{clock::Host, types::HostError},
    invocation::Invocation,
    policy::{denials::Denial, functions::Function},
};
use maro_texts as texts;

/// How finely WASI tells the time, in nanoseconds.
const RESOLUTION: u32 = 1_000_000;

/// A guest asked its language for the time where a scope denies it. The answer has no room for an error, and any time
/// would pass for the right one.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", texts::plugins::faults::clock_out_of_scope(.cure))]
pub(crate) struct OutOfScope {
    /// What the person is told.
    pub(crate) sentence: String,
    cure: String,
}

impl Host for Invocation {
    async fn now(&mut self) -> wasmtime::Result<Result<u64, HostError>> {
        let time = Call::begin(self, Function::NOW).map(|call| call.capabilities.clock.now().as_second());
        Ok(time.map(|seconds| u64::try_from(seconds).unwrap_or(0)).map_err(HostError::from))
    }
}

/// The clock of WASI, which a language's own time functions use. Without the grant it stands still at the start of
/// 1970, so that there is no way around the grant: build tools import it for plugins that never ask for the time.
impl wall_clock::Host for Tap<'_> {
    fn now(&mut self) -> wasmtime::Result<Datetime> {
        let authority = &mut self.0.authority;
        let now = match authority.clock() {
            Ok(clock) => clock.now(),
            Err((_, Denial::NotGranted)) => jiff::Timestamp::UNIX_EPOCH,
            Err((place, denial)) => {
                let cure = denial.cure(&place.to_string(), &authority.origin.manifest_file);
                let sentence = authority.deny(place, denial);
                return Err(OutOfScope { sentence, cure }.into());
            }
        };
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
        Ok(Datetime { seconds: u64::try_from(now.as_second()).unwrap_or(0), nanoseconds })
    }

    fn resolution(&mut self) -> wasmtime::Result<Datetime> {
        Ok(Datetime { seconds: 0, nanoseconds: RESOLUTION })
    }
}
