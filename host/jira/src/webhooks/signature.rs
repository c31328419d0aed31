//! Whether a webhook is Jira's: the signature over its body, or the secret in its address.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use maro_process::secret::Secret;

pub const SIGNATURE_HEADER: &str = "x-hub-signature";

/// Whether `signature`, the header's text, is `sha256=` and the HMAC of the raw body in hexadecimal, in
/// either case. Takes the same time wherever a wrong signature differs.
pub fn is_signed(secret: &Secret, signature: &str, body: &[u8]) -> bool {
    let Some(digest) = signature.strip_prefix("sha256=").and_then(|digits| hex::decode(digits).ok()) else {
        return false;
    };
    mac(secret, body).verify_slice(&digest).is_ok()
}

/// The header's text with which Jira would sign a body.
pub fn sign(secret: &Secret, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(mac(secret, body).finalize().into_bytes()))
}

fn mac(secret: &Secret, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    mac
}

/// Whether somebody who can't sign knows the secret. Takes the same time wherever a wrong one differs.
pub fn is_secret(secret: &Secret, said: &str) -> bool {
    // Both are hashed with the same key, so neither their lengths nor their beginnings show in the time.
    let tag = mac(secret, said.as_bytes()).finalize().into_bytes();
    mac(secret, secret.expose().as_bytes()).verify(&tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> Secret {
        Secret::new("It's a Secret to Everybody")
    }

    #[test]
    fn only_the_right_signature_passes() {
        // The worked example in Atlassian's and GitHub's documentation of this header.
        let digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let body = b"Hello, World!";
        assert!(is_signed(&secret(), &format!("sha256={digest}"), body));
        assert!(is_signed(&secret(), &format!("sha256={}", digest.to_uppercase()), body));
        assert_eq!(sign(&secret(), body), format!("sha256={digest}"));
        for wrong in [
            String::new(),
            digest.to_owned(),
            "sha256=".to_owned(),
            format!("sha256={}", &digest[..62]),
            format!("sha256={digest}00"),
            format!("sha256={}", "0".repeat(64)),
            format!("sha256={}é", &digest[..62]),
            format!("sha1={digest}"),
        ] {
            assert!(!is_signed(&secret(), &wrong, body), "{wrong}");
        }
        assert!(!is_signed(&secret(), &format!("sha256={digest}"), b"Hello, world!"));
        assert!(!is_signed(&Secret::new("other"), &format!("sha256={digest}"), body));
    }

    #[test]
    fn the_secret_itself_is_compared_as_a_whole() {
        assert!(is_secret(&secret(), "It's a Secret to Everybody"));
        for wrong in
            ["", "It's a Secret to Everybod", "It's a Secret to Everybody!", "it's a Secret to Everybody"]
        {
            assert!(!is_secret(&secret(), wrong), "{wrong}");
        }
    }
}
