//! What of a reply isn't shown as its author wrote it: a small mistake shouldn't cost the whole answer, but its author
//! should hear of it.

use std::collections::BTreeMap;

use maro_domain::reply::MAX_CONFIRMED_COMMAND;
use maro_texts::plugins::left_out as words;

/// The longest command line behind a button, in characters.
pub const MAX_COMMAND_LENGTH: usize = 1_000;

/// The longest label of a button, in characters.
pub(super) const MAX_LABEL_LENGTH: usize = 75;

/// The longest question before a press, in characters.
pub(super) const MAX_QUESTION_LENGTH: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mistake {
    UnlabelledButton,
    LongCommand,
    /// Slack's dialog can't show the command as it is.
    UnaskableCommand,
    LongLabel,
    LongQuestion,
    NoKey,
    NoPerson,
    NoDate,
}

/// The mistakes of one reply.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    counts: BTreeMap<Mistake, usize>,
    pub(super) buttons: usize,
}

impl LeftOut {
    pub(super) fn note(&mut self, mistake: Mistake) {
        *self.counts.entry(mistake).or_default() += 1;
    }

    /// A sentence for each kind.
    pub(super) fn sentences(&self) -> impl Iterator<Item = String> {
        let buttons = |count, why: &str| words::buttons(count, self.buttons, why);
        self.counts.iter().map(move |(mistake, count)| match mistake {
            Mistake::UnlabelledButton => buttons(*count, words::NEEDS_BOTH),
            Mistake::LongCommand => buttons(*count, &words::command_too_long(MAX_COMMAND_LENGTH)),
            Mistake::UnaskableCommand => buttons(*count, &words::not_askable(MAX_CONFIRMED_COMMAND)),
            Mistake::LongLabel => words::labels_cut(*count, MAX_LABEL_LENGTH),
            Mistake::LongQuestion => words::questions_cut(*count, MAX_QUESTION_LENGTH),
            Mistake::NoKey => words::not_keys(*count),
            Mistake::NoPerson => words::not_people(*count),
            Mistake::NoDate => words::not_dates(*count),
        })
    }
}
