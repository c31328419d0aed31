//! Secrets as keys for HMAC: the one of now, and the one before it while that is being replaced. Each is hashed once
//! rather than at every use.

use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;

use maro_process::{replaceable::Live, secret::Secret};

/// Copies share the secrets.
#[derive(Clone)]
pub(crate) struct KeyedSecrets {
    /// How a secret becomes a key.
    derive: fn(&Secret) -> Hmac<Sha256>,
    keyed: Live<Vec<Hmac<Sha256>>>,
}

impl KeyedSecrets {
    pub(crate) fn new(
        derive: fn(&Secret) -> Hmac<Sha256>,
        secret: &Secret,
        previous: Option<&Secret>,
    ) -> Self {
        Self { derive, keyed: Live::new(all_derived(derive, secret, previous)) }
    }

    /// Uses these secrets from now on.
    pub(crate) fn replace(&self, secret: &Secret, previous: Option<&Secret>) {
        self.keyed.set(all_derived(self.derive, secret, previous));
    }

    /// The key to sign with.
    pub(crate) fn newest(&self) -> Hmac<Sha256> {
        self.keyed.get()[0].clone()
    }

    /// Whether a signature is right with any of the keys.
    pub(crate) fn any(&self, is_signed: impl Fn(Hmac<Sha256>) -> bool) -> bool {
        self.keyed.get().iter().cloned().any(is_signed)
    }
}

fn all_derived(
    derive: fn(&Secret) -> Hmac<Sha256>,
    secret: &Secret,
    previous: Option<&Secret>,
) -> Vec<Hmac<Sha256>> {
    [Some(secret), previous].into_iter().flatten().map(derive).collect()
}

pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}
