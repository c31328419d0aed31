//! Secrets as other encodings spell them.

use std::collections::BTreeMap;

use base64::{
    Engine as _,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
    prelude::BASE64_STANDARD,
};
use serde_json::Value;
use url::form_urlencoded;

use crate::recording::secret_names::{SECRET, UNMISTAKABLE_LENGTH};

/// The shortest word that is looked at as base64, in bytes: `a:b` has four.
const MIN_BASE64: usize = 4;

/// Base64 as it occurs: with or without padding.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// As services may repeat a secret: spelled otherwise, in base64, and if it is base64 itself, what that says and the
/// password in it.
pub(crate) fn spellings_in_answers(secret: &str) -> Vec<String> {
    let said = STANDARD.decode(secret).ok().and_then(|said| String::from_utf8(said).ok());
    let pair = said.filter(|said| said.contains(':'));
    let password = pair.as_ref().and_then(|pair| Some(pair.split_once(':')?.1.to_owned()));
    let own = std::iter::once(secret.to_owned()).chain(pair).chain(password);
    let respelled = own.flat_map(|one| {
        let in_base64 = [BASE64_STANDARD.encode(&one)];
        spellings(&one).chain(in_base64).chain([one.clone()]).collect::<Vec<_>>()
    });
    respelled.filter(|spelling| spelling != secret).collect()
}

/// How a URL, a form and JSON spell a text, where that is different.
pub(super) fn spellings(original: &str) -> impl Iterator<Item = String> {
    let in_form: String = form_urlencoded::byte_serialize(original.as_bytes()).collect();
    let in_url = in_form.replace('+', "%20").replace('*', "%2A").replace("%7E", "~");
    // As `encodeURIComponent` of JavaScript, and as `quote` of Python, which leaves slashes.
    let kept = [("%21", "!"), ("%27", "'"), ("%28", "("), ("%29", ")"), ("%2A", "*")];
    let in_component = kept.iter().fold(in_url.clone(), |text, (code, letter)| text.replace(code, letter));
    let in_path = in_url.replace("%2F", "/");
    let in_json = serde_json::to_string(original).unwrap_or_default();
    let in_json = in_json.trim_start_matches('"').strip_suffix('"').unwrap_or_default().to_owned();
    let original = original.to_owned();
    [in_url, in_form, in_component, in_path, in_json]
        .into_iter()
        .filter(move |spelling| *spelling != original && !spelling.is_empty())
}

/// The text with replacements within what it has in base64. `None` if nothing there is replaced.
pub(super) fn base64_replaced(text: &str, replaced: impl Fn(&str) -> String) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut is_changed = false;
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|letter: char| !is_base64(letter)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        match recoded(run, &replaced) {
            Some(recoded) => {
                out.push_str(&recoded);
                is_changed = true;
            }
            None => out.push_str(run),
        }
        let between = after.find(is_base64).unwrap_or(after.len());
        out.push_str(&after[..between]);
        rest = &after[between..];
    }
    is_changed.then_some(out)
}

fn is_base64(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "+/-_=".contains(letter)
}

/// A word of base64 with replacements in what it says. Also if it stands behind a name, as in `token=…`.
fn recoded(run: &str, replaced: impl Fn(&str) -> String) -> Option<String> {
    let named = run.trim_end_matches('=').rfind('=').map(|at| run.split_at(at + 1));
    [("", run)].into_iter().chain(named).find_map(|(name, word)| {
        let (engine, decoded) = decoded(word)?;
        let new = replaced(&decoded);
        if new == decoded {
            return None;
        }
        let encoded = engine.encode(&new);
        let encoded = if word.ends_with('=') || word.len().is_multiple_of(4) {
            encoded
        } else {
            encoded.trim_end_matches('=').to_owned()
        };
        Some(format!("{name}{encoded}"))
    })
}

fn decoded(word: &str) -> Option<(GeneralPurpose, String)> {
    if word.len() < MIN_BASE64 {
        return None;
    }
    let decode = |engine: GeneralPurpose| {
        let text = String::from_utf8(engine.decode(word).ok()?).ok()?;
        Some((engine, text))
    };
    decode(STANDARD).or_else(|| decode(URL_SAFE))
}

/// Replaces secrets in a body that isn't text.
pub(super) fn replace_in_body(body: &mut Value, by_original: &BTreeMap<String, String>) {
    let Some(mut bytes) = body.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok()) else { return };
    let mut secrets: Vec<_> = by_original.iter().filter(|(_, standin)| standin.starts_with(SECRET)).collect();
    secrets.sort_by_key(|(original, _)| std::cmp::Reverse(original.len()));
    for (original, standin) in
        secrets.into_iter().filter(|(original, _)| original.len() >= UNMISTAKABLE_LENGTH)
    {
        bytes = replaced_bytes(&bytes, original.as_bytes(), standin.as_bytes());
    }
    *body = Value::String(BASE64_STANDARD.encode(bytes));
}

fn replaced_bytes(bytes: &[u8], original: &[u8], standin: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(first) = rest.first() {
        match rest.strip_prefix(original) {
            Some(after) => {
                out.extend_from_slice(standin);
                rest = after;
            }
            None => {
                out.push(*first);
                rest = &rest[1..];
            }
        }
    }
    out
}
