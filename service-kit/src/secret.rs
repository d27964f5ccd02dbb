//! The secret of a store, and what is derived from it.
//!
//! It makes hashes that say nothing to those who do not have it, and keys page tokens (see [`crate::page_token`]). Deliberately
//! absent: where it is kept (in the store that it belongs to), and passwords or credentials of any caller.

use crate::environment::Random;
use crate::error::StoreError;

/// 32 random bytes that never leave the store. `Debug` does not show them.
#[derive(Clone)]
pub struct StoreSecret([u8; 32]);

impl std::fmt::Debug for StoreSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreSecret")
    }
}

impl StoreSecret {
    /// A new secret. Fails when `random` does: a secret that can be guessed is none.
    pub fn generate(random: &dyn Random) -> Result<Self, StoreError> {
        let mut bytes = [0; 32];
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The secret of these bytes; `None` unless there are exactly 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes, to be stored.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A hash of `parts` that nobody can make or test without the secret. Different for each `purpose`, which must be a text
    /// that is used for nothing else; and different where the same bytes are parted differently.
    pub fn keyed_hash(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        let key = self.derive("keyed hash", purpose);
        let mut hasher = blake3::Hasher::new_keyed(&key);
        hasher.update(&length_prefixed(parts));
        let mut hash = [0; 16];
        hasher.finalize_xof().fill(&mut hash);
        hash
    }

    /// A key for one use of one purpose.
    pub(crate) fn derive(&self, usage: &'static str, purpose: &'static str) -> [u8; 32] {
        blake3::derive_key(
            &format!("acquaint service-kit 1 {usage}: {purpose}"),
            &self.0,
        )
    }
}

/// The parts in a row, each after its length, so that different parts never make the same bytes.
pub(crate) fn length_prefixed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::SystemRandom;

    #[test]
    fn a_hash_depends_on_all_that_it_is_made_of() {
        let secret = StoreSecret::from_bytes(&[1; 32]).unwrap();
        let hash = secret.keyed_hash("a", &[b"x", b"yz"]);
        assert_eq!(hash, secret.clone().keyed_hash("a", &[b"x", b"yz"]));
        let others = [
            secret.keyed_hash("b", &[b"x", b"yz"]),
            secret.keyed_hash("a", &[b"xy", b"z"]),
            secret.keyed_hash("a", &[b"xyz"]),
            secret.keyed_hash("a", &[b"x", b"yz", b""]),
            StoreSecret::from_bytes(&[2; 32])
                .unwrap()
                .keyed_hash("a", &[b"x", b"yz"]),
        ];
        for other in others {
            assert_ne!(hash, other);
        }
    }

    #[test]
    fn a_secret_is_kept_and_not_shown() {
        let secret = StoreSecret::generate(&SystemRandom).unwrap();
        assert_ne!(
            secret.as_bytes(),
            StoreSecret::generate(&SystemRandom).unwrap().as_bytes()
        );
        assert_eq!(
            StoreSecret::from_bytes(secret.as_bytes())
                .unwrap()
                .as_bytes(),
            secret.as_bytes()
        );
        assert!(
            StoreSecret::from_bytes(&[0; 31]).is_none()
                && StoreSecret::from_bytes(&[0; 33]).is_none()
        );
        assert_eq!(format!("{secret:?}"), "StoreSecret");
    }
}
