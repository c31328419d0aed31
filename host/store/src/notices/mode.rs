//! What a channel wants to hear, as it's typed and stored.

/// What a channel wants to hear.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Changes from one category of status to another.
    #[default]
    Status,
    /// All changes of status, and those of other fields, and comments.
    All,
    /// That an issue is done.
    Done,
    /// All changes of status, at a time of day.
    Digest,
    Off,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::All => "all",
            Self::Done => "done",
            Self::Digest => "digest",
            Self::Off => "off",
        }
    }

    /// The mode with this name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Status, Self::All, Self::Done, Self::Digest, Self::Off]
            .into_iter()
            .find(|mode| mode.as_str() == name)
    }
}
