//! How much memory this process may use: what its container is limited to, or what the machine has.

use std::{fs, path::Path};

/// What is assumed where the system doesn't say, in bytes.
const UNKNOWN: u64 = 4 << 30;

/// How much there is, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AvailableMemory {
    pub bytes: u64,
    pub limited_by: LimitedBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitedBy {
    /// The container, or the service manager.
    Container,
    Machine,
}

/// Reads what there is.
pub fn available() -> AvailableMemory {
    available_at(Path::new("/"))
}

/// As [`available`], with the files of the system below `root`.
fn available_at(root: &Path) -> AvailableMemory {
    let machine = machine(root).unwrap_or(UNKNOWN);
    // Without a limit, the first version of cgroups names a number larger than any machine.
    match container(root).filter(|limit| *limit < machine) {
        Some(bytes) => AvailableMemory { bytes, limited_by: LimitedBy::Container },
        None => AvailableMemory { bytes: machine, limited_by: LimitedBy::Machine },
    }
}

fn machine(root: &Path) -> Option<u64> {
    let text = fs::read_to_string(root.join("proc/meminfo")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// The lowest limit of the groups that this process is in. Each line of the file is one hierarchy:
/// `0::/path` in the second version of cgroups, `4:memory:/path` in the first.
fn container(root: &Path) -> Option<u64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let limits = groups.lines().filter_map(|line| {
        let mut parts = line.splitn(3, ':').skip(1);
        let (controllers, path) = (parts.next()?, parts.next()?);
        if controllers.is_empty() {
            lowest(&root.join("sys/fs/cgroup"), path, "memory.max")
        } else if controllers.split(',').any(|controller| controller == "memory") {
            lowest(&root.join("sys/fs/cgroup/memory"), path, "memory.limit_in_bytes")
        } else {
            None
        }
    });
    limits.min()
}

/// The lowest of the limits of a group and of those around it. In a container the path may be the host's, and
/// only the outermost group is there: the container's own.
fn lowest(mount: &Path, path: &str, file: &str) -> Option<u64> {
    let groups = Path::new(path.trim_start_matches('/')).ancestors();
    // A limit that isn't a number is `max`, which means that there's no limit.
    groups
        .filter_map(|group| fs::read_to_string(mount.join(group).join(file)).ok()?.trim().parse().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1024 * 1024;

    /// What is found on a machine of 2 GiB with these files.
    fn found(files: &[(&str, &str)]) -> (u64, LimitedBy) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in [&[("proc/meminfo", "MemTotal:  2097152 kB\nMemFree: 1 kB\n")], files].concat() {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let AvailableMemory { bytes, limited_by } = available_at(root.path());
        (bytes / MIB, limited_by)
    }

    #[test]
    fn a_containers_limit_counts_and_else_the_machines_memory() {
        use LimitedBy::{Container, Machine};
        let v2 = ("proc/self/cgroup", "0::/\n");
        let nested = ("proc/self/cgroup", "0::/system.slice/maro.service\n");
        let v1 = ("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/kubepods/pod1\n1:cpu:/\n");
        let table = [
            (vec![], (2048, Machine)),
            (vec![v2, ("sys/fs/cgroup/memory.max", "536870912\n")], (512, Container)),
            (vec![v2, ("sys/fs/cgroup/memory.max", "max\n")], (2048, Machine)),
            (
                vec![
                    nested,
                    ("sys/fs/cgroup/system.slice/maro.service/memory.max", "max"),
                    ("sys/fs/cgroup/system.slice/memory.max", "268435456"),
                ],
                (256, Container),
            ),
            // The path is the host's.
            (vec![v1, ("sys/fs/cgroup/memory/memory.limit_in_bytes", "134217728")], (128, Container)),
            (
                vec![v1, ("sys/fs/cgroup/memory/kubepods/pod1/memory.limit_in_bytes", "9223372036854771712")],
                (2048, Machine),
            ),
        ];
        for (row, (files, expected)) in table.into_iter().enumerate() {
            assert_eq!(found(&files), expected, "row {row}");
        }
    }

    #[test]
    fn a_system_that_says_nothing_has_some_memory() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(available_at(root.path()).bytes, UNKNOWN);
        assert!(available().bytes > MIB);
    }
}
