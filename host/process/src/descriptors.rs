//! File descriptors: how many this process may have open. Each connection takes one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// More than this isn't asked for: programs that are started from here may look at every one.
const ENOUGH: u64 = 65_536;

/// Raises the limit as far as the system allows without more rights, and returns what it is then.
pub fn raise_limit() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (current, maximum) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    let wanted = maximum.min(ENOUGH);
    if current >= wanted {
        return current;
    }
    let limit =
        Rlimit { current: Some(wanted), maximum: Some(maximum).filter(|maximum| *maximum < u64::MAX) };
    match setrlimit(Resource::Nofile, limit) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, current, "the limit of open files can't be raised");
            current
        }
    }
}
