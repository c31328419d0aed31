//! Whether this machine lets MARO run what it has compiled.
//!
//! Some machines forbid a process to make memory executable that it has written to (W^X): by `MemoryDenyWriteExecute`
//! of systemd, SELinux or a seccomp filter. Then no plugin can run, whichever it is, and that is said once.

use wasmtime::{Engine, Module};

/// A module with one function that does nothing.
const ONE_FUNCTION: &[u8] = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x03\x02\x01\0\x0a\x04\x01\x02\0\x0b";

/// Whether code can be made and run here. `compile` makes code for `engine`. Anything but a refusal of the system
/// counts as yes: the first plugin will show what it is.
pub(super) fn is_allowed(engine: &Engine, compile: impl FnOnce(&[u8]) -> wasmtime::Result<Vec<u8>>) -> bool {
    let Ok(code) = compile(ONE_FUNCTION) else { return true };
    #[expect(unsafe_code, reason = "it is what wasmtime has just compiled")]
    // SAFETY: as the reason says.
    let module = unsafe { Module::deserialize(engine, &code) };
    module.err().is_none_or(|error| !is_refusal(&error))
}

fn is_refusal(error: &wasmtime::Error) -> bool {
    // Which crate's error it is depends on wasmtime.
    let said = format!("{error:#}");
    ["os error 13", "os error 1)"].iter().any(|refusal| said.contains(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_forbids_it_code_runs() {
        let engine = Engine::default();
        assert!(engine.precompile_module(ONE_FUNCTION).is_ok());
        assert!(is_allowed(&engine, |module| engine.precompile_module(module)));
    }

    #[test]
    fn a_refusal_of_the_system_is_told_from_other_failures() {
        let of = |number| is_refusal(&wasmtime::Error::new(std::io::Error::from_raw_os_error(number)));
        assert!(of(13) && of(1));
        assert!(!of(12), "no memory");
    }
}
