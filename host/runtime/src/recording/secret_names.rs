//! What is secret by its name, and what stands in for it.

/// Parts of a setting's or header's name that show that its value is secret.
const SECRET_NAMES: [&str; 7] =
    ["token", "secret", "password", "authorization", "cookie", "api-key", "apikey"];

/// What stands in for a secret, before its number.
pub(super) const SECRET: &str = "SECRET";

/// The shortest secret that is replaced within a word, too.
pub(super) const UNMISTAKABLE_LENGTH: usize = 8;

pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', "-");
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}
