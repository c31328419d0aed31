//! Threads that give way to those that answer people.

/// As `nice` counts: a third of what others get of a processor that they want whole. More would let honest
/// plugins that compute for long run into their limits on a busy machine.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 5;

/// For how long a thread that gives way keeps a processor from one that wakes up, in nanoseconds. The usual
/// three milliseconds are many times what a command takes.
#[cfg(target_os = "linux")]
const SLICE: u64 = 100_000;

/// Lets the calling thread give way to others, as far as the system can: elsewhere than on Linux a priority is
/// the whole process's, and before Linux 6.12 there are no slices of a thread's own.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    {
        // A thread that gives way further already goes on doing so.
        let niceness = rustix::process::getpriority_process(None).unwrap_or_default().max(NICENESS);
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
        // SAFETY: it reads the structure, whose size it is told, and changes nothing in this process.
        let outcome = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
        if outcome != 0 {
            let error = std::io::Error::last_os_error();
            tracing::warn!(%error, "can't lower the priority of threads that compute for plugins");
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_gives_way() {
        let before = rustix::process::getpriority_process(None).unwrap();
        let there = std::thread::spawn(|| {
            give_way();
            rustix::process::getpriority_process(None).unwrap()
        });
        assert_eq!(there.join().unwrap(), NICENESS.max(before));
        assert_eq!(rustix::process::getpriority_process(None).unwrap(), before);
    }
}
