//! Where marked-up text comes from, which decides what its signs mean.

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A message, where what isn't markup is escaped.
    Message,
    /// An input, where nothing is escaped.
    Typed,
}

impl Source {
    /// The sign that starts a quotation.
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
