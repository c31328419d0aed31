//! What channels are told of changes.

pub(super) mod digests;
pub(super) mod field_notices;
pub(super) mod notice_access;
pub(super) mod notice_faults;
mod notice_requests;
mod refused_edits;
pub(super) mod told;
mod true_words;
