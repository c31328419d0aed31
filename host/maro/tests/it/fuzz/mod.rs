//! What comes from outside, altered at random: nothing panics, takes long, or lets through what it shouldn't.
//!
//! Each target begins with its corpus, which holds what once was wrong, too. `ARBTEST_BUDGET_MS` says for how long it
//! then goes on; a failure names a seed, and `ARBTEST_SEED` repeats it.

mod answers;
mod jira;
mod plugins;
mod replies;
mod requests;
mod secret_files;
mod slack;
mod words;

use std::{fs, path::PathBuf, time::Duration};

use arbitrary::{Result, Unstructured};
use arbtest::arbtest;
use rustix::time::{ClockId, clock_gettime};

/// More processor time than anything takes that is read before its sender is trusted, in an unoptimised build. Others
/// may hold the processor as long as they like.
const MAX_TIME: Duration = Duration::from_secs(5);

/// The most changes to one input.
const MAX_CHANGES: usize = 8;

/// What often makes a difference somewhere.
const PIECES: [&[u8]; 44] = [
    b"\0",
    b"\xff",
    b"\xc3",
    b"\xe2\x80\x8b",
    b"\xe2\x80\xae",
    b"\xf0\x9f\xa6\x80",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"{",
    b"}",
    b"[",
    b"]",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"0",
    b"=",
    b"&",
    b"%",
    b"%00",
    b"%ff",
    b"%2",
    b"+",
    b"<",
    b">",
    b"|",
    b"<!channel>",
    b"<@U1>",
    b"<https://x.example|y>",
    b"`",
    b"```",
    b"*",
    b"_",
    b"~",
    b"SCRUM-1",
    b"SCRUM-999999999999999999",
];

/// The inputs of one target to start from.
struct Corpus(Vec<Vec<u8>>);

impl Corpus {
    fn read(target: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/fuzz/corpus").join(target);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert!(!files.is_empty(), "{target} has nothing to start from");
        Self(files.into_iter().map(|file| fs::read(file).unwrap()).collect())
    }

    /// One of the inputs, altered a few times.
    fn altered(&self, random: &mut Unstructured<'_>) -> Result<Vec<u8>> {
        let mut input = random.choose(&self.0)?.clone();
        for _ in 0..random.int_in_range(1..=MAX_CHANGES)? {
            self.alter(&mut input, random)?;
        }
        Ok(input)
    }

    fn alter(&self, input: &mut Vec<u8>, random: &mut Unstructured<'_>) -> Result<()> {
        let (start, end) = (random.int_in_range(0..=input.len())?, random.int_in_range(0..=input.len())?);
        let place = start.min(end)..start.max(end);
        match random.int_in_range(0..=7)? {
            0 => drop(input.drain(place)),
            1 => input.truncate(start),
            2 => {
                let again = input[place].to_vec();
                let count = random.int_in_range(1..=64)?;
                input.splice(start..start, again.repeat(count).into_iter().take(64 * 1024));
            }
            3 => {
                let other = random.choose(&self.0)?;
                let from = random.int_in_range(0..=other.len())?;
                input.splice(place, other[from..].iter().copied());
            }
            4 => drop(input.splice(start..start, random.choose(&PIECES)?.iter().copied())),
            5 => drop(input.splice(place, random.choose(&PIECES)?.iter().copied())),
            _ => match input.get_mut(start) {
                Some(byte) => *byte = random.arbitrary()?,
                None => input.push(random.arbitrary()?),
            },
        }
        Ok(())
    }
}

/// Checks the inputs of a corpus, and altered ones for as long as there is time.
fn fuzz(target: &str, check: impl Fn(&[u8])) {
    let corpus = Corpus::read(target);
    fuzz_from(&corpus, check);
}

fn fuzz_from(corpus: &Corpus, check: impl Fn(&[u8])) {
    let check = |input: &[u8]| {
        let began = processor_time();
        check(input);
        let took = processor_time().saturating_sub(began);
        assert!(took < MAX_TIME, "it took {took:?}");
    };
    corpus.0.iter().for_each(|input| check(input));
    arbtest(|random| {
        check(&corpus.altered(random)?);
        Ok(())
    })
    .run();
}

/// How long this thread has computed.
fn processor_time() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap()
}

/// As [`fuzz`], of texts. What isn't UTF-8 is replaced, as nothing else becomes a text.
fn fuzz_text(target: &str, check: impl Fn(&str)) {
    fuzz(target, |input| check(&String::from_utf8_lossy(input)));
}
