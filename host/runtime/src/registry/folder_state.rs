//! What is known of the plugins folder beside its files.

/// What is known of the folder beside its files.
#[derive(Default)]
pub(super) struct FolderOutage {
    /// The device that its files were on.
    pub(super) device: Option<u64>,
    /// Why it can't be read, if it was tried and couldn't.
    pub(super) problem: Option<String>,
}

impl FolderOutage {
    /// Whether an empty folder on `device` doesn't mean that its files were removed.
    pub(super) fn is_emptied_by_it(&self, device: u64, wants_it: bool) -> bool {
        let has_lasted = self.problem.is_some() && !wants_it;
        self.device.is_some_and(|before| before != device || has_lasted)
    }
}
