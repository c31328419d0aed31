//! The versions of `maro:plugin` that this host speaks.

/// A version of `maro:plugin`: major, minor, patch.
pub(crate) type Version = (u64, u64, u64);

/// The newest release of each line that this host speaks, oldest first.
pub(crate) const VERSIONS: [Version; 2] = [(0, 1, 0), (0, 2, 0)];
