//! What the compiler's process can't do, whatever a component makes of it: gain rights, touch files, use the
//! network, or reach other processes.
//!
//! It gets a component and gives code through two pipes that are open already. Landlock is there from Linux 5.13
//! on, if it is switched on; newer kernels restrict more.

#[cfg(target_os = "linux")]
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetError, RulesetStatus, Scope,
};

/// The newest version of Landlock whose rights are known here. An older kernel knows fewer, which has to do.
#[cfg(target_os = "linux")]
const NEWEST: ABI = ABI::V6;

/// Confines the calling thread and all that it starts from now on. Returns whether Landlock does its part.
#[cfg(target_os = "linux")]
pub(super) fn confine() -> bool {
    // Landlock wants this, too, and sets it again.
    let _ = rustix::thread::set_no_new_privs(true);
    restrict().is_ok_and(|status| status != RulesetStatus::NotEnforced)
}

#[cfg(target_os = "linux")]
fn restrict() -> Result<RulesetStatus, RulesetError> {
    let ruleset = Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?;
    // There is no exception from any of it.
    Ok(ruleset.create()?.restrict_self()?.ruleset)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn confine() -> bool {
    false
}

/// Whether the kernel has Landlock at all. Restricts nothing.
#[cfg(target_os = "linux")]
pub(super) fn is_possible() -> bool {
    let required = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    required.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn is_possible() -> bool {
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::{fs, io::ErrorKind, thread};

    use super::*;

    #[test]
    fn a_confined_thread_gains_nothing_and_touches_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (secret, new) = (folder.path().join("secret"), folder.path().join("new"));
        fs::write(&secret, "x").unwrap();
        let (read, written, tried) = (secret.clone(), new.clone(), is_possible());
        let there = thread::spawn(move || {
            assert_eq!(confine(), tried, "it doesn't say what it does");
            assert!(rustix::thread::no_new_privs().unwrap());
            // The caller that waits for a component has it open already.
            [fs::read(read).map(drop), fs::write(written, "y")]
                .map(|outcome| outcome.map_err(|error| error.kind()))
        });
        let outcomes = there.join().unwrap();
        if tried {
            assert_eq!(outcomes, [Err(ErrorKind::PermissionDenied); 2]);
        }
        assert_eq!(new.exists(), !tried);
        assert!(!rustix::thread::no_new_privs().unwrap(), "this thread is confined, too");
        fs::read(&secret).unwrap();
    }
}
