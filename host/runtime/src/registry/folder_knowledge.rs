//! What is known of the plugins folder itself, beside its files.

use maro_texts::plugins::refused_files as texts;

#[derive(Default)]
pub(super) struct FolderKnowledge {
    /// The device that its files were on.
    pub(super) device: Option<u64>,
    /// Why it can't be read, if it was tried and couldn't.
    pub(super) problem: Option<String>,
}

impl FolderKnowledge {
    /// Why an empty folder on `device` doesn't mean that its files were removed.
    pub(super) fn outage(&self, device: u64, wants_it: bool) -> Option<&'static str> {
        let has_lasted = self.problem.is_some() && !wants_it;
        match self.device {
            Some(before) if before != device => Some(texts::NOT_MOUNTED),
            Some(_) if has_lasted => Some(texts::BACK_AND_EMPTY),
            _ => None,
        }
    }
}
