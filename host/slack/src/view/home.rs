//! The app's Home tab, which each person has their own of.

use serde_json::{Value, json};

use crate::{
    outgoing::render::Mrkdwn,
    view::{MAX_BLOCKS, ViewBlock, plain_text::plain_text},
};

/// The longest heading.
const MAX_HEADING: usize = 150;

/// What one person sees there, from top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HomeView {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Heading(String),
    Block(ViewBlock),
}

impl HomeView {
    /// Adds a heading, which is cut at 150 characters.
    pub fn heading(&mut self, text: impl Into<String>) {
        self.parts.push(Part::Heading(text.into()));
    }

    /// Adds lines. Only the first 100 parts are shown.
    pub fn section(&mut self, text: Mrkdwn) {
        self.parts.push(Part::Block(ViewBlock::section(text)));
    }

    /// Adds small print.
    pub fn note(&mut self, text: Mrkdwn) {
        self.parts.push(Part::Block(ViewBlock::Context(vec![text])));
    }

    /// The view in Slack's format.
    pub fn to_json(&self) -> Value {
        let blocks = self.parts.iter().filter_map(|part| match part {
            Part::Heading(text) => Some(json!({ "type": "header", "text": plain_text(text, MAX_HEADING) })),
            Part::Block(block) => block.to_json(),
        });
        json!({ "type": "home", "blocks": blocks.take(MAX_BLOCKS).collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_keeps_to_slacks_limits() {
        let mut home = HomeView::default();
        (0..120).for_each(|_| home.heading("x".repeat(200)));
        let json = home.to_json();
        let blocks = json["blocks"].as_array().unwrap();
        assert_eq!(blocks.len(), 100);
        assert_eq!(blocks[0]["text"]["text"].as_str().unwrap().chars().count(), 150);
        assert_eq!(json["type"], "home");
    }
}
