//! What the doctor finds.

/// The result of one check: it passed, how to fix it, or what could be better although all works.
#[derive(Debug)]
pub(super) enum Finding {
    Fine(String),
    Ill { what: String, fix: String },
    Risky { what: String, fix: String },
}

impl Finding {
    pub(super) fn ill(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self::Ill { what: what.into(), fix: fix.into() }
    }
}
