//! Proof that a request comes from Slack: its signature over the time and the raw body.
//!
//! No part of a request is parsed before this has passed.

use hmac::{Hmac, Mac};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::keyed_secrets::{KeyedSecrets, keyed};
use maro_process::secret::Secret;

/// How far a request's time may be from ours, either way. Slack's own recommendation.
const TOLERANCE_SECONDS: u64 = 300;

/// The version of the scheme, at the start of both the signature and the signed text.
const VERSION: &[u8] = b"v0=";

/// Why a request isn't Slack's. A caller on the network should learn nothing but "not authorised".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    #[error("the request has no X-Slack-Request-Timestamp")]
    MissingTimestamp,
    #[error("the request has no X-Slack-Signature")]
    MissingSignature,
    #[error("X-Slack-Request-Timestamp isn't a number of seconds")]
    MalformedTimestamp,
    /// A replay, or one of the two clocks is wrong.
    #[error("the request was signed {seconds_off} seconds away from this machine's time")]
    Stale { seconds_off: u64 },
    #[error("X-Slack-Signature isn't v0= and 64 hexadecimal digits")]
    MalformedSignature,
    #[error("the signature doesn't match this body and SLACK_SIGNING_SECRET")]
    Mismatch,
}

/// Checks signatures made with the signing secret, which is hashed only once rather than for every request. Copies
/// share the secret.
#[derive(Clone)]
pub struct SignatureVerifier {
    secrets: KeyedSecrets,
}

impl SignatureVerifier {
    pub fn new(signing_secret: &Secret) -> Self {
        Self::accepting(signing_secret, None)
    }

    /// Also accepts what is signed with the `previous` secret.
    pub fn accepting(signing_secret: &Secret, previous: Option<&Secret>) -> Self {
        Self { secrets: KeyedSecrets::new(as_key, signing_secret, previous) }
    }

    /// Accepts these secrets from now on.
    pub fn replace(&self, signing_secret: &Secret, previous: Option<&Secret>) {
        self.secrets.replace(signing_secret, previous);
    }

    /// Checks the headers `X-Slack-Request-Timestamp` and `X-Slack-Signature` against the raw body.
    /// Returns what identifies the request, however its headers are written.
    /// Takes the same time wherever a wrong signature differs from the right one.
    ///
    /// # Errors
    /// [`SignatureError`] if a header is missing or malformed, the time is more than 300 s away from
    /// `now`, or the signature is wrong.
    pub fn verify(
        &self,
        timestamp: Option<&[u8]>,
        signature: Option<&[u8]>,
        body: &[u8],
        now: Timestamp,
    ) -> Result<RequestId, SignatureError> {
        let timestamp = timestamp.ok_or(SignatureError::MissingTimestamp)?;
        let signature = signature.ok_or(SignatureError::MissingSignature)?;
        let signed_at = parse_seconds(timestamp).ok_or(SignatureError::MalformedTimestamp)?;
        let seconds_off = now.as_second().abs_diff(signed_at);
        if seconds_off > TOLERANCE_SECONDS {
            return Err(SignatureError::Stale { seconds_off });
        }
        let digits = signature.strip_prefix(VERSION).ok_or(SignatureError::MalformedSignature)?;
        let mut expected = [0; 32];
        hex::decode_to_slice(digits, &mut expected).map_err(|_| SignatureError::MalformedSignature)?;
        if !self.secrets.any(|keyed| signing(keyed, timestamp, body).verify_slice(&expected).is_ok()) {
            return Err(SignatureError::Mismatch);
        }
        Ok(request_id(u32::try_from(signed_at).unwrap_or_default(), &expected))
    }
}

/// Identifies a request: the same request always has the same one, and no two have. Starts with the time that the
/// request has in itself, if it has one.
pub type RequestId = [u8; 16];

/// The identity of a request with a digest of at least twelve bytes.
pub(crate) fn request_id(seconds: u32, digest: &[u8]) -> RequestId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&seconds.to_be_bytes());
    id[4..].copy_from_slice(&digest[..12]);
    id
}

/// The identity of an event, which Slack may send several times.
pub fn event_id(event: &str) -> RequestId {
    request_id(0, &Sha256::digest(event))
}

/// The value of `X-Slack-Signature` for a body signed at `timestamp`, seconds since the epoch. For the
/// simulated Slack and for tests.
pub fn sign(signing_secret: &Secret, timestamp: &str, body: &[u8]) -> String {
    let mac = signing(as_key(signing_secret), timestamp.as_bytes(), body).finalize();
    format!("v0={}", hex::encode(mac.into_bytes()))
}

fn as_key(signing_secret: &Secret) -> Hmac<Sha256> {
    keyed(signing_secret.expose().as_bytes())
}

fn signing(mut mac: Hmac<Sha256>, timestamp: &[u8], body: &[u8]) -> Hmac<Sha256> {
    mac.update(b"v0:");
    mac.update(timestamp);
    mac.update(b":");
    mac.update(body);
    mac
}

/// Reads at most twelve digits and nothing else, so that what is signed can be read in only one way.
fn parse_seconds(timestamp: &[u8]) -> Option<i64> {
    if !(1..=12).contains(&timestamp.len()) {
        return None;
    }
    timestamp.iter().try_fold(0, |seconds: i64, byte| {
        byte.is_ascii_digit().then(|| seconds * 10 + i64::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example from Slack's documentation, "Verifying requests from Slack".
    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const TIMESTAMP: &str = "1531420618";
    const BODY: &[u8] = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn verify(
        timestamp: Option<&str>,
        signature: Option<&str>,
        body: &[u8],
        now: i64,
    ) -> Result<(), SignatureError> {
        SignatureVerifier::new(&Secret::new(SECRET))
            .verify(
                timestamp.map(str::as_bytes),
                signature.map(str::as_bytes),
                body,
                Timestamp::from_second(now).unwrap(),
            )
            .map(drop)
    }

    #[test]
    fn a_request_has_one_identity_however_it_is_written() {
        let verifier = SignatureVerifier::new(&Secret::new(SECRET));
        let now = Timestamp::from_second(1_531_420_618).unwrap();
        let identify = |timestamp: &str, signature: &str, body: &[u8]| {
            verifier.verify(Some(timestamp.as_bytes()), Some(signature.as_bytes()), body, now)
        };
        let id = identify(TIMESTAMP, SIGNATURE, BODY).unwrap();
        let in_capitals = format!("v0={}", SIGNATURE[3..].to_uppercase());
        assert_eq!(identify(TIMESTAMP, &in_capitals, BODY), Ok(id));
        let other = sign(&Secret::new(SECRET), TIMESTAMP, b"text=track");
        assert_ne!(identify(TIMESTAMP, &other, b"text=track"), Ok(id));
        assert_eq!(id[..4], 1_531_420_618_u32.to_be_bytes());
    }

    #[test]
    fn the_example_of_slacks_documentation_is_accepted() {
        assert_eq!(verify(Some(TIMESTAMP), Some(SIGNATURE), BODY, 1_531_420_618), Ok(()));
        assert_eq!(sign(&Secret::new(SECRET), TIMESTAMP, BODY), SIGNATURE);
    }

    #[test]
    fn five_minutes_either_way_are_tolerated_and_no_more() {
        for now in [1_531_420_318, 1_531_420_918] {
            assert_eq!(verify(Some(TIMESTAMP), Some(SIGNATURE), BODY, now), Ok(()));
        }
        for now in [1_531_420_317, 1_531_420_919] {
            assert_eq!(
                verify(Some(TIMESTAMP), Some(SIGNATURE), BODY, now),
                Err(SignatureError::Stale { seconds_off: 301 })
            );
        }
    }

    #[test]
    fn anything_altered_is_a_mismatch() {
        let mut forged = SIGNATURE.to_owned();
        forged.replace_range(66..67, "4");
        let now = 1_531_420_618;
        assert_eq!(verify(Some(TIMESTAMP), Some(&forged), BODY, now), Err(SignatureError::Mismatch));
        assert_eq!(verify(Some(TIMESTAMP), Some(SIGNATURE), &BODY[1..], now), Err(SignatureError::Mismatch));
        assert_eq!(verify(Some("1531420619"), Some(SIGNATURE), BODY, now), Err(SignatureError::Mismatch));
        // The same number, written differently, isn't what was signed.
        assert_eq!(verify(Some("01531420618"), Some(SIGNATURE), BODY, now), Err(SignatureError::Mismatch));
    }

    #[test]
    fn a_secret_is_accepted_until_it_is_replaced_and_the_previous_one_as_long_as_it_is_named() {
        let (old, new) = (Secret::new(SECRET), Secret::new("its successor"));
        let verifier = SignatureVerifier::new(&old);
        let accepts = |secret: &Secret| {
            let signature = sign(secret, TIMESTAMP, BODY);
            let now = Timestamp::from_second(1_531_420_618).unwrap();
            verifier.verify(Some(TIMESTAMP.as_bytes()), Some(signature.as_bytes()), BODY, now).is_ok()
        };
        assert_eq!((accepts(&old), accepts(&new)), (true, false));
        verifier.clone().replace(&new, Some(&old));
        assert_eq!((accepts(&old), accepts(&new)), (true, true));
        verifier.replace(&new, None);
        assert_eq!((accepts(&old), accepts(&new)), (false, true));
    }

    #[test]
    fn missing_and_malformed_headers_are_named() {
        let now = 1_531_420_618;
        assert_eq!(verify(None, Some(SIGNATURE), BODY, now), Err(SignatureError::MissingTimestamp));
        assert_eq!(verify(Some(TIMESTAMP), None, BODY, now), Err(SignatureError::MissingSignature));
        for bad in ["", "now", "-1531420618", "1531420618.5", " 1531420618", "9999999999999"] {
            assert_eq!(
                verify(Some(bad), Some(SIGNATURE), BODY, now),
                Err(SignatureError::MalformedTimestamp),
                "{bad:?}"
            );
        }
        for bad in ["", "v0=", "v0=zz", &SIGNATURE[..66], &format!("{SIGNATURE}00"), &SIGNATURE[3..]] {
            assert_eq!(
                verify(Some(TIMESTAMP), Some(bad), BODY, now),
                Err(SignatureError::MalformedSignature),
                "{bad:?}"
            );
        }
    }
}
