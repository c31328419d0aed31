//! State that travels through Slack and back, in a view's `private_metadata` or a button's value: signed,
//! bound to one purpose, and of limited age.
//!
//! It isn't encrypted: anybody who sees Slack's traffic can read it, so it contains ids but no secrets. A
//! seal can be opened twice; what must happen only once is claimed by its intent id.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;

use crate::keyed_secrets::{KeyedSecrets, keyed};
use maro_process::secret::Secret;

/// The longest seal for `private_metadata`, which holds 3,000 characters.
pub const MAX_BYTES: usize = 2_800;

/// The longest seal for a button, whose value holds 2,000 characters.
pub const MAX_BUTTON_BYTES: usize = 2_000;

/// How much of a tag is kept, in bytes: as much as nobody can try.
const TAG_BYTES: usize = 16;

/// Starts every seal, so that a later scheme can recognise its own.
const VERSION: &str = "1.";

/// Separates this use of the secret from all others, such as checking signatures.
const KEY_CONTEXT: &[u8] = b"maro sealed state, version 1";

/// Why a text can't be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It is somebody else's, was altered, or was sealed for another purpose or with another secret.
    #[error("the sealed state wasn't sealed by this MARO")]
    Forged,
    #[error("the sealed state has expired")]
    Expired,
    /// It isn't a seal, or its value has another shape, as after an update of the bot.
    #[error("the sealed state is malformed")]
    Malformed,
}

/// The value is too large to travel through Slack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed state takes {bytes} bytes, but the limit is {max_bytes}")]
pub struct TooLong {
    pub bytes: usize,
    pub max_bytes: usize,
}

/// What is signed, together with the purpose.
#[derive(Serialize, Deserialize)]
struct Content<T> {
    /// The last second in which the seal can be opened.
    #[serde(rename = "e")]
    expires_at: i64,
    #[serde(rename = "v")]
    value: T,
}

/// Seals with one secret, and opens with that or the one before it. Replicas that share the secret can open one
/// another's seals. Copies share the secret.
#[derive(Clone)]
pub struct Sealer {
    /// The newest one seals.
    secrets: KeyedSecrets,
}

impl Sealer {
    /// `secret` is the signing secret, or the bot token where there is none.
    pub fn new(secret: &Secret) -> Self {
        Self::opening(secret, None)
    }

    /// Also opens what was sealed with the `previous` secret.
    pub fn opening(secret: &Secret, previous: Option<&Secret>) -> Self {
        Self { secrets: KeyedSecrets::new(derived, secret, previous) }
    }

    /// Uses these secrets from now on.
    pub fn replace(&self, secret: &Secret, previous: Option<&Secret>) {
        self.secrets.replace(secret, previous);
    }

    /// Seals `value` for a view's `private_metadata`. It can be opened for the same `purpose` only, until
    /// `lifetime` after `now`, to the second.
    ///
    /// # Errors
    /// [`TooLong`] beyond 2,800 bytes.
    pub fn seal<T: Serialize>(
        &self,
        purpose: &str,
        value: &T,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<String, TooLong> {
        self.seal_within(MAX_BYTES, purpose, value, now, lifetime)
    }

    /// As [`Sealer::seal`], for a button's value.
    ///
    /// # Errors
    /// [`TooLong`] beyond 2,000 bytes.
    pub fn seal_for_button<T: Serialize>(
        &self,
        purpose: &str,
        value: &T,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<String, TooLong> {
        self.seal_within(MAX_BUTTON_BYTES, purpose, value, now, lifetime)
    }

    fn seal_within<T: Serialize>(
        &self,
        max_bytes: usize,
        purpose: &str,
        value: &T,
        now: Timestamp,
        lifetime: Duration,
    ) -> Result<String, TooLong> {
        let lifetime_seconds = i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX);
        let content = Content { expires_at: now.as_second().saturating_add(lifetime_seconds), value };
        let content = serde_json::to_vec(&content).expect("what is sealed has string keys only");
        let tag = signing(self.secrets.newest(), purpose, &content).finalize().into_bytes();
        let mut seal = VERSION.to_owned();
        BASE64_URL_SAFE_NO_PAD.encode_string(&content, &mut seal);
        seal.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(tag, &mut seal);
        if seal.len() > max_bytes { Err(TooLong { bytes: seal.len(), max_bytes }) } else { Ok(seal) }
    }

    /// What was sealed for `purpose`. Takes the same time wherever a wrong signature differs.
    ///
    /// # Errors
    /// [`SealError`]. The content isn't looked at before the signature is known to be ours.
    pub fn open<T: DeserializeOwned>(
        &self,
        purpose: &str,
        seal: &str,
        now: Timestamp,
    ) -> Result<T, SealError> {
        if seal.len() > MAX_BYTES {
            return Err(SealError::Malformed);
        }
        let (content, tag) =
            seal.strip_prefix(VERSION).and_then(|rest| rest.split_once('.')).ok_or(SealError::Malformed)?;
        let decode = |text| BASE64_URL_SAFE_NO_PAD.decode(text).map_err(|_| SealError::Malformed);
        let (content, tag) = (decode(content)?, decode(tag)?);
        if !self.secrets.any(|keyed| signing(keyed, purpose, &content).verify_slice(&tag).is_ok()) {
            return Err(SealError::Forged);
        }
        let content: Content<T> = serde_json::from_slice(&content).map_err(|_| SealError::Malformed)?;
        if now.as_second() > content.expires_at { Err(SealError::Expired) } else { Ok(content.value) }
    }

    /// Seals texts that travel in the open, in 22 characters that last as long as the secret.
    pub(crate) fn tag(&self, purpose: &str, parts: &[&str]) -> String {
        let tag = signing_parts(self.secrets.newest(), purpose, parts).finalize().into_bytes();
        BASE64_URL_SAFE_NO_PAD.encode(&tag[..TAG_BYTES])
    }

    /// Whether [`Sealer::tag`] made this of the same texts.
    pub(crate) fn is_tag(&self, purpose: &str, parts: &[&str], tag: &str) -> bool {
        let Ok(tag) = BASE64_URL_SAFE_NO_PAD.decode(tag) else { return false };
        let is_ours = |keyed| signing_parts(keyed, purpose, parts).verify_truncated_left(&tag).is_ok();
        tag.len() == TAG_BYTES && self.secrets.any(is_ours)
    }
}

fn signing_parts(keyed: Hmac<Sha256>, purpose: &str, parts: &[&str]) -> Hmac<Sha256> {
    let mut mac = signing(keyed, purpose, &[]);
    for part in parts {
        // Lengths separate the parts.
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    mac
}

fn signing(mut mac: Hmac<Sha256>, purpose: &str, content: &[u8]) -> Hmac<Sha256> {
    // The length separates the purpose from the content.
    mac.update(&(purpose.len() as u64).to_be_bytes());
    mac.update(purpose.as_bytes());
    mac.update(content);
    mac
}

fn derived(secret: &Secret) -> Hmac<Sha256> {
    let mut derivation = keyed(secret.expose().as_bytes());
    derivation.update(KEY_CONTEXT);
    keyed(&derivation.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct State {
        intent: String,
        channel: String,
    }

    fn state() -> State {
        State { intent: "01JABC".to_owned(), channel: "C1".to_owned() }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn sealer() -> Sealer {
        Sealer::new(&Secret::new("8f742231b10e8888abcd99yyyzzz85a5"))
    }

    #[test]
    fn what_was_sealed_comes_back_until_it_expires() {
        let seal = sealer().seal("create", &state(), at(1_000), HOUR).unwrap();
        assert_eq!(sealer().open("create", &seal, at(1_000)), Ok(state()));
        assert_eq!(sealer().open("create", &seal, at(4_600)), Ok(state()));
        assert_eq!(sealer().open::<State>("create", &seal, at(4_601)), Err(SealError::Expired));
        // A replica's clock may be behind.
        assert_eq!(sealer().open("create", &seal, at(0)), Ok(state()));
    }

    #[test]
    fn one_kind_cannot_stand_for_another() {
        let seal = sealer().seal("create", &state(), at(0), HOUR).unwrap();
        for purpose in ["stories", "delete", "creat", "create ", ""] {
            assert_eq!(sealer().open::<State>(purpose, &seal, at(0)), Err(SealError::Forged));
        }
    }

    #[test]
    fn another_secret_and_any_altered_letter_are_noticed() {
        let seal = sealer().seal("create", &state(), at(0), HOUR).unwrap();
        let stranger = Sealer::new(&Secret::new("another"));
        assert_eq!(stranger.open::<State>("create", &seal, at(0)), Err(SealError::Forged));
        for index in 0..seal.len() {
            let mut forged = seal.clone().into_bytes();
            forged[index] = if forged[index] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert!(sealer().open::<State>("create", &forged, at(0)).is_err(), "{index}");
        }
    }

    #[test]
    fn what_is_no_seal_is_malformed() {
        let short_tag = "1.e30.AA";
        assert_eq!(sealer().open::<State>("create", short_tag, at(0)), Err(SealError::Forged));
        for bad in
            ["", "1.", "1..", "2.e30.e30", "{\"e\":1}", "1.e30=.AA", &format!("1.{}", "A".repeat(3_000))]
        {
            assert!(
                matches!(
                    sealer().open::<State>("create", bad, at(0)),
                    Err(SealError::Malformed | SealError::Forged)
                ),
                "{bad}"
            );
        }
        let seal = sealer().seal("create", &7, at(0), HOUR).unwrap();
        assert_eq!(sealer().open::<State>("create", &seal, at(0)), Err(SealError::Malformed));
    }

    #[test]
    fn a_tag_holds_for_its_texts_alone() {
        let tag = sealer().tag("button", &["minutes", "stories TIDE-20"]);
        assert_eq!(tag.len(), 22);
        assert!(sealer().is_tag("button", &["minutes", "stories TIDE-20"], &tag));
        for (purpose, parts, tag) in [
            ("form", ["minutes", "stories TIDE-20"], tag.as_str()),
            ("button", ["minutes", "stories TIDE-21"], &tag),
            ("button", ["minutess", "tories TIDE-20"], &tag),
            ("button", ["minutes", "stories TIDE-20"], &tag[..20]),
            ("button", ["minutes", "stories TIDE-20"], ""),
        ] {
            assert!(!sealer().is_tag(purpose, &parts, tag), "{purpose} {parts:?} {tag}");
        }
        assert!(!Sealer::new(&Secret::new("another")).is_tag(
            "button",
            &["minutes", "stories TIDE-20"],
            &tag
        ));
    }

    #[test]
    fn what_slack_would_not_carry_is_not_sealed() {
        let long = "x".repeat(1_500);
        assert!(sealer().seal("create", &long, at(0), HOUR).unwrap().len() <= MAX_BYTES);
        assert!(matches!(
            sealer().seal_for_button("create", &long, at(0), HOUR),
            Err(TooLong { max_bytes: 2_000, .. })
        ));
        assert!(sealer().seal("create", &"x".repeat(2_100), at(0), HOUR).is_err());
    }
}
