//! Whether a component may run under its manifest: it has the grants that it needs, and it's the one that is pinned.

use crate::policy::{grants::Grant, manifest::Manifest};
use maro_texts::plugins::refused_files;

/// Why a component may not run under the manifest in `file`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("{}", refused_files::not_granted(&list(.missing), &quoted(.missing), .file))]
    NotGranted { missing: Vec<Grant>, file: String },
    #[error("{}", refused_files::other_content(.file, .pinned, .found))]
    OtherContent { file: String, pinned: String, found: String },
}

impl Forbidden {
    /// The reason for a component that ran until its manifest was changed.
    pub(crate) fn withdrawn(&self) -> String {
        match self {
            Self::NotGranted { missing, file } => {
                refused_files::no_longer_granted(&list(missing), &quoted(missing), file)
            }
            Self::OtherContent { file, pinned, found } => {
                refused_files::content_no_longer_allowed(file, pinned, found)
            }
        }
    }

    /// The same if its file has another component by now.
    pub(crate) fn withdrawn_earlier(&self) -> String {
        match self {
            Self::NotGranted { missing, .. } => refused_files::previous_no_longer_granted(&list(missing)),
            Self::OtherContent { file, .. } => refused_files::previous_no_longer_allowed(file),
        }
    }
}

/// Compares what a component needs with what its operator grants.
///
/// # Errors
/// [`Forbidden::NotGranted`] with everything that is missing, and the `file` to add it to.
pub fn check_grants(imported: &[Grant], manifest: &Manifest, file: &str) -> Result<(), Forbidden> {
    let missing: Vec<_> = imported.iter().copied().filter(|grant| !manifest.allows(*grant)).collect();
    if missing.is_empty() { Ok(()) } else { Err(Forbidden::NotGranted { missing, file: file.to_owned() }) }
}

/// Compares a component's SHA-256, in lower-case hexadecimal, with the one that its operator pinned.
///
/// # Errors
/// [`Forbidden::OtherContent`] with both.
pub fn check_pin(digest: &str, manifest: &Manifest, file: &str) -> Result<(), Forbidden> {
    match &manifest.sha256 {
        Some(pinned) if pinned != digest => Err(Forbidden::OtherContent {
            file: file.to_owned(),
            pinned: pinned.clone(),
            found: digest.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn list(grants: &[Grant]) -> String {
    grants.iter().map(|grant| grant.as_str()).collect::<Vec<_>>().join(", ")
}

fn quoted(grants: &[Grant]) -> String {
    grants.iter().map(|grant| format!("\"{grant}\"")).collect::<Vec<_>>().join(", ")
}
