//! Where marked-up text comes from, and what follows for its signs.

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A message: what is no markup is escaped.
    Message,
    /// An input: nothing is.
    Typed,
}

impl Source {
    /// What begins a quotation.
    pub(super) fn quote_marker(self) -> &'static str {
        match self {
            Self::Message => "&gt;",
            Self::Typed => ">",
        }
    }

    /// The text with its entities decoded, once.
    pub(super) fn decode(self, text: &str) -> String {
        match self {
            Self::Typed => text.to_owned(),
            Self::Message => text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"),
        }
    }
}
