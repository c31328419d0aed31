//! Formatted text between Slack's markup and Jira's: what both can say, and no more.

/// A text with its formatting.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RichText {
    pub blocks: Vec<RichBlock>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RichBlock {
    Paragraph(Vec<Inline>),
    BulletList(Vec<Vec<Inline>>),
    NumberedList(Vec<Vec<Inline>>),
    /// Text as it stands, line breaks included.
    Code(String),
    Quote(Vec<Inline>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inline {
    Text { text: String, style: Style },
    Link { url: String, label: String },
    LineBreak,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Style {
    pub bold: bool,
    pub italic: bool,
    pub strike: bool,
    pub code: bool,
}

impl Inline {
    /// Text without formatting.
    pub fn plain(text: impl Into<String>) -> Self {
        Self::Text { text: text.into(), style: Style::default() }
    }
}
