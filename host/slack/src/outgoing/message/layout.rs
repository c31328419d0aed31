//! How a message's text is split into blocks, and where its buttons go.

use std::ops::Range;

use crate::{
    outgoing::message::{
        button::{CommandButton, Making},
        limits::{MAX_ALL_SECTIONS, MAX_ALL_TEXTS, MAX_BLOCKS, MAX_SECTION, cut_point},
    },
    view::{button::MAX_ROW, plain_text::length},
};
use maro_domain::reply::Button;

/// The number of the button beside a title.
const TITLE_NUMBER: usize = 0;

/// Where buttons go in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placement {
    /// Beside these bytes, which are whole lines.
    Beside(Range<usize>),
    /// The same for a title, whose button doesn't count among the others. A message has one at most.
    Titled(Range<usize>),
    /// In a row after the line that ends here.
    Below(usize),
}

impl Placement {
    fn start(&self) -> usize {
        match self {
            Self::Beside(lines) | Self::Titled(lines) => lines.start,
            Self::Below(end) => *end,
        }
    }

    fn end(&self) -> usize {
        match self {
            Self::Beside(lines) | Self::Titled(lines) => lines.end,
            Self::Below(end) => *end,
        }
    }
}

/// One block of a message. Its text is a range of the message's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Section(Range<usize>),
    SectionWithButton(Range<usize>, CommandButton),
    Row(Vec<CommandButton>),
}

impl Part {
    pub(super) fn section(&self) -> Option<&Range<usize>> {
        match self {
            Self::Section(section) | Self::SectionWithButton(section, _) => Some(section),
            Self::Row(_) => None,
        }
    }

    pub(super) fn buttons(&self) -> &[CommandButton] {
        match self {
            Self::Section(_) => &[],
            Self::SectionWithButton(_, button) => std::slice::from_ref(button),
            Self::Row(buttons) => buttons,
        }
    }
}

/// Splits a text into blocks: without the buttons beside its items if it is too long with them, with as many rows of
/// buttons as there's room for, and into none at all if it is too long for any blocks.
pub(super) fn parts(text: &str, controls: &[(Placement, Vec<Button>)], making: Making<'_>) -> Vec<Part> {
    let all = parts_with(text, controls.iter(), making);
    if !all.is_empty() || controls.is_empty() {
        return all;
    }
    let is_row = |(placement, _): &&(Placement, Vec<Button>)| matches!(placement, Placement::Below(_));
    let first_rows = |count: usize| parts_with(text, controls.iter().filter(is_row).take(count), making);
    let most = controls.iter().filter(is_row).count().min(MAX_BLOCKS);
    let counts: Vec<_> = (1..=most).collect();
    first_rows(counts.partition_point(|count| !first_rows(*count).is_empty()))
}

fn parts_with<'a>(
    text: &str,
    controls: impl Iterator<Item = &'a (Placement, Vec<Button>)>,
    making: Making<'_>,
) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut shown_to = 0;
    let mut numbers = TITLE_NUMBER + 1..;
    for (placement, buttons) in controls {
        let is_title = matches!(placement, Placement::Titled(_));
        let mut buttons = buttons.iter().take(MAX_ROW).map(|button| {
            let number = if is_title { TITLE_NUMBER } else { numbers.next().unwrap_or_default() };
            CommandButton::new(button.clone(), number, making)
        });
        let before = shown_to..placement.start();
        parts.extend(sections(text, before).into_iter().map(Part::Section));
        match placement {
            Placement::Beside(lines) | Placement::Titled(lines) => match buttons.next() {
                Some(button) if length(&text[lines.clone()]) <= MAX_SECTION => {
                    parts.push(Part::SectionWithButton(lines.clone(), button));
                }
                _ => parts.extend(sections(text, lines.clone()).into_iter().map(Part::Section)),
            },
            Placement::Below(_) => parts.push(Part::Row(buttons.collect())),
        }
        shown_to = placement.end();
    }
    parts.extend(sections(text, shown_to..text.len()).into_iter().map(Part::Section));
    within_limits(parts, text)
}

/// The parts, or none of them if they are more than Slack accepts.
fn within_limits(parts: Vec<Part>, text: &str) -> Vec<Part> {
    let of_buttons: usize = parts.iter().flat_map(Part::buttons).map(CommandButton::text_length).sum();
    let most = MAX_ALL_SECTIONS.min(MAX_ALL_TEXTS.saturating_sub(of_buttons));
    // No text has more units than bytes.
    let is_short = text.len() < most;
    let total = || -> usize {
        parts.iter().filter_map(Part::section).map(|section| length(&text[section.clone()]) + 1).sum()
    };
    if parts.len() <= MAX_BLOCKS && (is_short || total() <= most) { parts } else { Vec::new() }
}

/// Splits at line ends, and inside a line only if that line is longer than a section.
pub(in crate::outgoing) fn sections(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut range = range;
    // Two blocks are on separate lines anyway, so the line break between this and a part with a button is
    // dropped.
    if range.start > 0 && text[range.clone()].starts_with('\n') {
        range.start += 1;
    }
    let offset = range.start;
    let text = text[range].trim_end_matches('\n');
    if text.trim().is_empty() {
        return Vec::new();
    }
    if text.len() <= MAX_SECTION {
        return std::iter::once(offset..offset + text.len()).collect();
    }
    let mut sections: Vec<Range<usize>> = Vec::new();
    let (mut line_start, mut filled) = (0, MAX_SECTION);
    for line in text.split('\n') {
        let mut start = line_start;
        for piece in line_pieces(line) {
            let end = start + piece.len();
            let added = length(piece) + 1;
            match sections.last_mut() {
                Some(section) if filled + added <= MAX_SECTION => {
                    section.end = offset + end;
                    filled += added;
                }
                _ => {
                    sections.push(offset + start..offset + end);
                    filled = added - 1;
                }
            }
            start = end;
        }
        line_start += line.len() + 1;
    }
    // Slack rejects a section without text.
    sections.retain(|section| !text[section.start - offset..section.end - offset].trim().is_empty());
    sections
}

/// A line in parts that each fit into a section.
fn line_pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest.take()?;
        if line.len() <= MAX_SECTION || length(line) <= MAX_SECTION {
            return Some(line);
        }
        let (piece, after) = line.split_at(cut_point(line, MAX_SECTION));
        rest = Some(after);
        Some(piece)
    })
}
