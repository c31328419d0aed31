//! Threads that give way to the threads that answer people.

/// How much nicer than the process: a third of what its other threads get of a busy processor. With more, honest
/// plugins that compute for long would reach their limits on a busy machine.
#[cfg(target_os = "linux")]
const NICER: i32 = 5;

/// The highest value for `nice`.
#[cfg(target_os = "linux")]
const NICEST: i32 = 19;

/// How long a thread that gives way may keep the processor once another wakes up, in nanoseconds. The usual
/// three milliseconds are many times what a command takes.
#[cfg(target_os = "linux")]
const SLICE: u64 = 100_000;

/// Makes the calling thread give way to others, as far as the system can. Outside Linux, a priority applies
/// to the whole process, and before Linux 6.12 a thread has no time slice of its own.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    {
        let niceness = (niceness_of_process() + NICER).min(NICEST);
        let attributes = libc::sched_attr {
            size: size_of::<libc::sched_attr>() as u32,
            sched_policy: libc::SCHED_OTHER as u32,
            sched_flags: 0,
            sched_nice: niceness,
            sched_priority: 0,
            sched_runtime: SLICE,
            sched_deadline: 0,
            sched_period: 0,
        };
        #[expect(unsafe_code, reason = "the C library has no function for this system call")]
        // SAFETY: it only reads the structure, whose size it is given, and writes to no memory of this
        // process.
        let outcome = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
        if outcome != 0 {
            let error = std::io::Error::last_os_error();
            tracing::warn!(%error, "can't lower the priority of threads that compute for plugins");
        }
    }
}

/// That of its first thread. An operator may have chosen it.
#[cfg(target_os = "linux")]
fn niceness_of_process() -> i32 {
    rustix::process::getpriority_process(Some(rustix::process::getpid())).unwrap_or_default()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_gives_way() {
        let before = rustix::process::getpriority_process(None).unwrap();
        let there = std::thread::spawn(|| {
            give_way();
            // What a thread that gives way starts does so, too, and no further.
            std::thread::spawn(give_way).join().unwrap();
            give_way();
            rustix::process::getpriority_process(None).unwrap()
        });
        assert_eq!(there.join().unwrap(), (niceness_of_process() + NICER).min(NICEST));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
    }
}
