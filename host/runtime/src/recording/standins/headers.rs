//! Which parts of a header's value are secret: not the scheme before a token, nor the names before values, because a
//! plugin writes these itself.

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// The secret parts of a header whose name shows that it has some.
pub(super) fn secrets(name: &str, value: &str) -> Vec<String> {
    match name.to_ascii_lowercase().as_str() {
        // What follows the first pair are attributes.
        "set-cookie" => value
            .split(';')
            .take(1)
            .filter_map(|pair| pair.split_once('='))
            .map(|(_, value)| trimmed(value))
            .collect(),
        "cookie" => value
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .map(|(_, value)| trimmed(value))
            .collect(),
        _ => match value.split_once(' ') {
            Some((scheme, rest))
                if scheme.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-') =>
            {
                credentials(scheme, rest)
            }
            _ => vec![value.to_owned()],
        },
    }
}

fn credentials(scheme: &str, rest: &str) -> Vec<String> {
    if scheme.eq_ignore_ascii_case("basic")
        && let Some(password) = password(rest)
    {
        return vec![password];
    }
    let parts = rest.split(',').map(|part| match part.split_once('=') {
        // `=` at the end of a token is padding.
        Some((name, value)) if is_name(name.trim()) && !value.trim_matches('=').is_empty() => trimmed(value),
        _ => trimmed(part),
    });
    // A value with a comma in it would fall apart.
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { vec![rest.to_owned()] } else { parts }
}

/// What follows the colon in `Basic` credentials.
fn password(encoded: &str) -> Option<String> {
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (_, password) = decoded.split_once(':')?;
    (!password.is_empty()).then(|| password.to_owned())
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter))
}

fn trimmed(value: &str) -> String {
    let value = value.trim();
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_plugin_does_not_write_itself_is_secret() {
        for (name, value, expected) in [
            ("authorization", "Bearer abc.def", &["abc.def"] as &[_]),
            ("authorization", "Token token=abc", &["abc"]),
            ("authorization", "Token token=\"abc\", nonce=\"def\"", &["abc", "def"]),
            ("authorization", "Basic c3ZjOmFiYw==", &["abc"]),
            ("authorization", "Bearer YWJj=", &["YWJj="]),
            ("authorization", "abc", &["abc"]),
            ("x-api-key", "abc", &["abc"]),
            ("cookie", "a=1; b=\"2\"", &["1", "2"]),
            ("set-cookie", "a=1; Path=/; Max-Age=60", &["1"]),
        ] {
            assert_eq!(secrets(name, value), expected, "{name}: {value}");
        }
    }
}
