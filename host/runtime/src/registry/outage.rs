//! What is known of the plugins folder beside its files.

/// What is known of the folder beside its files.
#[derive(Default)]
pub(super) struct Outage {
    /// The device that its files were on.
    pub(super) device: Option<u64>,
    /// Why it can't be read, if it was tried and couldn't.
    pub(super) problem: Option<String>,
}
