//! What is known of the plugins folder itself, beside its files.

#[derive(Default)]
pub(super) struct FolderKnowledge {
    /// The device that its files were on.
    pub(super) device: Option<u64>,
    /// Why it can't be read, if it was tried and couldn't.
    pub(super) problem: Option<String>,
}

impl FolderKnowledge {
    /// Whether an empty folder on `device` doesn't mean that its files were removed.
    pub(super) fn is_emptied_by_outage(&self, device: u64, wants_it: bool) -> bool {
        let has_lasted = self.problem.is_some() && !wants_it;
        self.device.is_some_and(|before| before != device || has_lasted)
    }
}
