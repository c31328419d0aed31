//! Letters of what people type and paste, and words without meaning among keys. The standard library alone, as in
//! `parser.rs`.

/// What may surround a key, beside emoji: quotes, brackets, the end of a sentence, Markdown's emphasis, and the
/// invisible characters that come along when text is copied.
const AROUND: &[char] = &[
    '\'', '"', '`', '‘', '’', '‚', '“', '”', '„', '‹', '›', '«', '»', '(', ')', '[', ']', '{', '}', '<', '>',
    '.', ':', '!', '?', '*', '_', '~', '#', '…', '「', '」', '『', '』', '【', '】', '《', '》', '〈', '〉',
    '؟', '।', '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{2060}', '\u{feff}',
];

/// What stands between keys, in the languages that people write in, and says nothing.
const FILLERS: &[&str] = &[
    "", "&", "+", "/", "|", "and", "or", "plus", "please", "pls", "thanks", "und", "oder", "sowie", "et",
    "ou", "y", "o", "e", "en", "och", "og", "i", "oraz", "и", "ve", "و", "와", "과", "및", "和", "与", "及",
    "と",
];

/// What people write around keys in a sentence: `the ticket SCRUM-1 for us`. Unlike fillers, these join nothing.
const SMALL_WORDS: [&str; 44] = [
    "the", "a", "an", "this", "that", "these", "those", "it", "to", "for", "from", "in", "on", "of", "at",
    "with", "me", "us", "my", "our", "your", "is", "are", "here", "now", "also", "too", "issue", "issues",
    "ticket", "tickets", "task", "tasks", "bug", "bugs", "story", "stories", "key", "keys", "jira",
    "channel", "list", "epic", "epics",
];

/// What sets the keys behind it apart from those before it, in lower case: another command, or a word that leaves out.
const TURNS: &[&str] = &[
    "track",
    "untrack",
    "remove",
    "delete",
    "stop",
    "not",
    "no",
    "don't",
    "don’t",
    "dont",
    "except",
    "excluding",
    "exclude",
    "without",
    "minus",
    "but",
    "than",
    "instead",
    "unless",
    "nicht",
    "außer",
    "ohne",
    "sauf",
    "sans",
    "pas",
    "excepto",
    "menos",
    "sin",
];

/// What stands before a number that belongs to no project, in lower case: `SCRUM-10 to 12`.
const BEFORE_NUMBERS: [&str; 15] = [
    "to", "till", "until", "thru", "through", "upto", "bis", "in", "on", "at", "for", "of", "from", "by",
    "is",
];

/// A text with its full-width letters as ASCII, and without what nobody sees.
pub fn tidy(text: &str) -> String {
    let plain = |letter: char| match u32::from(letter) {
        point @ 0xff01..=0xff5e => char::from_u32(point - 0xfee0).unwrap_or(letter),
        _ => letter,
    };
    text.chars().filter(|letter| !is_invisible(*letter)).map(plain).collect()
}

/// A word without what surrounds it.
pub fn trim(word: &str) -> &str {
    word.trim_matches(is_around)
}

/// Whether a letter may surround a key.
pub fn is_around(letter: char) -> bool {
    let is_emoji = matches!(u32::from(letter), 0x20e3 | 0x2190..=0x21ff | 0x2300..=0x23ff | 0x2600..=0x27bf
        | 0x2b00..=0x2bff | 0x1f000..=0x1faff | 0xe0020..=0xe007f);
    is_emoji || AROUND.contains(&letter)
}

/// What nobody sees: soft hyphens, marks of width and direction, variants of emoji.
pub fn is_invisible(letter: char) -> bool {
    matches!(u32::from(letter), 0xad | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x2069 | 0xfe00..=0xfe0f | 0xfeff)
}

/// White space within a line.
pub fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{3000}')
}

/// Whether a word that is no key says nothing beside keys: `and`, `🙏`, `:pray:`.
pub fn is_filler(word: &str) -> bool {
    let is_code = word.len() > 2
        && word.starts_with(':')
        && word.ends_with(':')
        && word
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b":_+-'".contains(&byte));
    let bare = trim(word);
    is_code || bare.strip_prefix(is_hyphen) == Some("") || FILLERS.contains(&bare.to_lowercase().as_str())
}

/// Whether a word is one of a sentence that says nothing beside keys.
pub fn is_small(word: &str) -> bool {
    SMALL_WORDS.contains(&trim(word).to_lowercase().as_str())
}

/// Whether the keys behind a word aren't meant as those before it: `not`, `untrack`, `/maro`.
pub fn is_turn(word: &str) -> bool {
    let is_name =
        |name: &str| name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains('/');
    let is_command = || word.strip_prefix('/').is_some_and(is_name);
    TURNS.contains(&trim(word).to_lowercase().as_str()) || is_command()
}

/// Whether a letter is of a script that is written without spaces, or joined to what stands before it.
pub fn is_unspaced(letter: char) -> bool {
    matches!(u32::from(letter), 0x1100..=0x11ff | 0x3005..=0x3007 | 0x3041..=0x3096 | 0x309d..=0x309f
        | 0x30a1..=0x30fa | 0x30fd..=0x318f | 0x3400..=0x4dbf | 0x4e00..=0x9fff | 0xac00..=0xd7a3
        | 0xf900..=0xfaff | 0xff66..=0xff6f | 0xff71..=0xff9f | 0x20000..=0x2fa1f)
}

/// Whether a word leads to a number, and is no project's key.
pub fn leads_to_number(word: &str) -> bool {
    BEFORE_NUMBERS.contains(&word)
}

/// The hyphen, what editors replace it with (non-breaking hyphens, dashes, the minus sign), and what input methods
/// offer in its place.
pub fn is_hyphen(character: char) -> bool {
    matches!(
        character,
        '-' | '\u{2010}'
            ..='\u{2015}'
                | '\u{2043}'
                | '\u{2212}'
                | 'ー'
                | '\u{fe58}'
                | '\u{fe63}'
                | '\u{ff0d}'
                | '\u{ff70}'
    )
}
