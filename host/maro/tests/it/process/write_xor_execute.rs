//! Machines that forbid a process to run what it has written: one sentence for the machine, none for a plugin.

use std::process::Command;

use crate::process::{Process, World};

/// Forbids it as `MemoryDenyWriteExecute` does, and starts the program that its arguments name. 65 is `PR_SET_MDWE`,
/// and 95 says that this kernel has no such thing.
const UNDER_WRITE_XOR_EXECUTE: &str = "
import ctypes, os, sys
if ctypes.CDLL(None).prctl(65, 1, 0, 0, 0) != 0:
    sys.exit(95)
os.execv(sys.argv[1], sys.argv[1:])
";

/// The same command under that rule, or `None` where it can't be imposed.
fn forbidden(command: &Command) -> Option<Command> {
    let python = |arguments: &[&std::ffi::OsStr]| {
        let mut python = Command::new("python3");
        python.args(["-c", UNDER_WRITE_XOR_EXECUTE]).args(arguments);
        python
    };
    let possible = python(&["/bin/true".as_ref()]).status().ok()?;
    if !possible.success() {
        return None;
    }
    let arguments: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).collect();
    let mut python = python(&arguments);
    python.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    for name in ["PATH", "HOME"] {
        python.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    if let Some(folder) = command.get_current_dir() {
        python.current_dir(folder);
    }
    Some(python)
}

const SENTENCE: &str = "No plugin can run: this machine doesn't let MARO run code that it compiled (W^X).";

#[tokio::test]
async fn a_machine_that_runs_no_compiled_code_is_told_of_once() {
    let world = World::new().await;
    let Some(mut doctor) = forbidden(&world.command("doctor")) else { return };
    let said = tokio::task::spawn_blocking(move || doctor.output().unwrap()).await.unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert_eq!(said.matches("W^X").count(), 1, "{said}");
    assert!(said.contains(SENTENCE) && said.contains("MemoryDenyWriteExecute=no"), "{said}");
    assert!(!said.contains("There are no plugins") && !said.contains("track.wasm"), "{said}");

    let process = Process::start(forbidden(&world.command("serve")).unwrap());
    let address = process.address().await;
    world.slack.connect_bot(address.join("slack/commands").unwrap());
    // It waits until the plugin has been tried.
    let shown = world.say("/maro track SCRUM-123").await;
    assert!(shown.contains("isn't running right now"), "{shown}");
    // The others may still be tried.
    process.logged("ready").await;
    let logged = process.log.borrow().clone();
    let about = |words: &str| logged.iter().filter(|line| line.to_string().contains(words)).count();
    assert_eq!(about("W^X"), 1, "{logged:?}");
    assert_eq!(about("couldn't be loaded"), 0, "{logged:?}");
    let shown = world.say("/maro plugins").await;
    assert_eq!(shown.matches("W^X").count(), 1, "{shown}");
    assert!(shown.contains(SENTENCE) && !shown.contains("track.wasm"), "{shown}");
}
