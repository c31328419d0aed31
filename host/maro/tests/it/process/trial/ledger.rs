//! What people were told of what they did, to be held against what there is at the end.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
};

/// What somebody was told of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It was made.
    Done,
    /// It wasn't.
    Refused,
    /// Nobody knows: there was no answer, or one that says so.
    Unclear,
}

/// Whether a key is on a list, as far as words tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Listed,
    Absent,
    Unknown,
}

/// A thing that somebody wanted in Jira.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// Nothing else has this summary.
    pub(super) summary: String,
    /// The channel that is told, and whose list has it.
    pub(super) channel: &'static str,
    pub(super) word: Word,
    /// Everything that the form said, in order.
    pub(super) said: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Entries {
    /// By channel and key.
    pub(super) lists: BTreeMap<(&'static str, String), Standing>,
    pub(super) wishes: Vec<Wish>,
    /// The keys of issues that were done in Jira when their channel tracked them.
    pub(super) done: Vec<String>,
    /// Changes by what was said of them: done, refused, unclear.
    pub(super) said: [usize; 3],
    /// The sentences of refusals.
    pub(super) refusals: BTreeMap<String, usize>,
    /// What was said and can't be, given what was said before.
    pub(super) contradictions: Vec<String>,
}

/// The ledger, with the randomness of the trial.
#[derive(Debug)]
pub(super) struct Ledger {
    entries: Mutex<Entries>,
    random: AtomicU64,
}

impl Ledger {
    pub(super) fn new(seed: u64) -> Self {
        Self { entries: Mutex::default(), random: AtomicU64::new(seed) }
    }

    pub(super) fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap()
    }

    /// A number below `end` (SplitMix64).
    pub(super) fn random(&self, end: u64) -> u64 {
        let mut mixed = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    /// A summary that is like no other: duplicates are looked for by words.
    pub(super) fn summary(&self) -> String {
        let word = || format!("{:010x}", self.random(1 << 40));
        format!("{} {} {}", word(), word(), word())
    }

    /// Notes what was said of a change to a list.
    pub(super) fn note_listing(
        &self,
        channel: &'static str,
        key: &str,
        wanted: Standing,
        word: Word,
        said: &str,
    ) {
        let mut entries = self.entries();
        entries.count(word, said);
        let standing = entries.lists.entry((channel, key.to_owned())).or_insert(Standing::Absent);
        let before = *standing;
        match word {
            Word::Done => *standing = wanted,
            Word::Unclear => *standing = Standing::Unknown,
            Word::Refused => {}
        }
        // "is already tracked", "is not tracked": nothing has changed, so it was so before.
        let was_so = said.contains(" is already tracked") || said.contains(" is not tracked");
        if word == Word::Done && was_so && before != wanted && before != Standing::Unknown {
            entries.contradictions.push(format!("{key} in #{channel} was {before:?}, and then: {said}"));
        }
    }

    pub(super) fn note_wish(&self, wish: Wish) {
        let mut entries = self.entries();
        entries.count(wish.word, wish.said.last().map_or("", String::as_str));
        entries.wishes.push(wish);
    }
}

impl Entries {
    fn count(&mut self, word: Word, said: &str) {
        self.said[word as usize] += 1;
        if word == Word::Refused {
            *self.refusals.entry(said.to_owned()).or_default() += 1;
        }
    }
}
