//! What a TOML parser has against a value, without the value: it may be a secret. And without its words for types.

/// What the parser found, by the beginning of its words for that.
const FOUND: [(&str, &str); 7] = [
    ("string", "text"),
    ("integer", "a number"),
    ("floating point", "a number"),
    ("boolean", "true or false"),
    ("sequence", "a list"),
    ("map", "a table"),
    ("datetime", "a date"),
];

/// What it expected.
const EXPECTED: [(&str, &str); 11] = [
    ("a sequence", "a list in brackets, as in [\"a\", \"b\"]"),
    ("a map", "a table"),
    ("struct ", "a table"),
    ("a string", "text in quotes"),
    ("string only", "text in quotes"),
    ("path string", "a path in quotes"),
    ("a boolean", "true or false"),
    ("u", "a whole number"),
    ("i", "a whole number"),
    ("f32", "a number"),
    ("f64", "a number"),
];

/// Turns the parser's message into one that may be shown to anybody.
pub fn without_value(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let about_value =
        ["invalid type: ", "invalid value: "].iter().find_map(|start| message.strip_prefix(start));
    // The value may hold these words, too.
    let Some((found, expected)) = about_value.and_then(|rest| rest.rsplit_once(", expected ")) else {
        return message.to_owned();
    };
    let expected =
        EXPECTED.iter().find(|(theirs, _)| is_named(expected, theirs)).map_or(expected, |(_, ours)| ours);
    match FOUND.iter().find(|(theirs, _)| found.starts_with(theirs)) {
        Some((_, found)) => format!("expected {expected}, not {found}"),
        None => format!("expected {expected}"),
    }
}

/// `u` and `i` stand for whole numbers of any size, such as `u32`.
fn is_named(expected: &str, theirs: &str) -> bool {
    match expected.strip_prefix(theirs) {
        Some(rest) if theirs.len() == 1 => rest == "size" || rest.parse::<u8>().is_ok(),
        Some(rest) => rest.is_empty() || theirs.ends_with(' '),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_the_wrong_kind_is_not_shown() {
        for (theirs, ours) in [
            ("invalid type: string \"s3cret\", expected struct Held", "expected a table, not text"),
            ("invalid type: string \"x, expected y\", expected a map", "expected a table, not text"),
            ("invalid type: integer `4711`, expected a string", "expected text in quotes, not a number"),
            ("invalid value: integer `-4711`, expected u32", "expected a whole number, not a number"),
            (
                "invalid type: boolean `true`, expected a sequence",
                "expected a list in brackets, as in [\"a\", \"b\"], not true or false",
            ),
            ("invalid type: unit variant, expected string only", "expected text in quotes"),
            ("invalid type: map, expected a unit of time", "expected a unit of time, not a table"),
            ("unknown field `hots`, expected `hosts`.", "unknown field `hots`, expected `hosts`"),
        ] {
            assert_eq!(without_value(theirs), ours);
        }
    }
}
