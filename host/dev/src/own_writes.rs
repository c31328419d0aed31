//! Sources that a build writes itself, as many a `build.rs` does: that they change while it runs is no save.

use std::{collections::BTreeSet, path::PathBuf};

/// After how many builds in a row that changed the same files these count as the builds' own. Nobody saves the same
/// files so often in so short a time.
const SURE_AFTER: u32 = 3;

#[derive(Debug, Default)]
pub(crate) struct OwnWrites {
    known: BTreeSet<PathBuf>,
    /// What changed during the last builds, and during how many.
    suspects: BTreeSet<PathBuf>,
    seen: u32,
}

impl OwnWrites {
    /// Takes what changed during a build. Returns whether that was all the build's own work, and what is news of it.
    pub(crate) fn take(&mut self, changed: BTreeSet<PathBuf>) -> (bool, BTreeSet<PathBuf>) {
        if changed.is_subset(&self.known) {
            self.seen = 0;
            return (true, BTreeSet::new());
        }
        self.seen = if changed == self.suspects { self.seen + 1 } else { 1 };
        self.suspects.clone_from(&changed);
        if self.seen < SURE_AFTER {
            return (false, BTreeSet::new());
        }
        self.known.extend(changed.iter().cloned());
        (true, changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_each_build_changes_is_its_own() {
        let files = |names: &[&str]| names.iter().map(PathBuf::from).collect::<BTreeSet<_>>();
        let (none, generated, saved) = (files(&[]), files(&["generated.rs"]), files(&["lib.rs"]));
        let mut own = OwnWrites::default();
        assert_eq!(own.take(none.clone()), (true, none.clone()));
        assert!(!own.take(generated.clone()).0);
        assert!(!own.take(generated.clone()).0);
        assert!(!own.take(saved.clone()).0, "somebody saves");
        assert!(!own.take(generated.clone()).0);
        assert!(!own.take(generated.clone()).0);
        assert_eq!(own.take(generated.clone()), (true, generated.clone()), "it's told once");
        assert_eq!(own.take(generated), (true, none.clone()));
        assert!(!own.take(saved).0);
        assert_eq!(own.take(none.clone()), (true, none));
    }
}
