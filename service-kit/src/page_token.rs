//! Tokens that only this store can make and read: page tokens and cursors.
//!
//! A token carries where a listing goes on, and is bound to what was listed (the member, the filter): under any other it does
//! not open. Nothing in it can be read or changed by the one who holds it. Deliberately absent: what the payload means, and
//! expiry (a payload may carry a time).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::secret::{StoreSecret, length_prefixed};

/// The longest token that is read, in characters.
pub const TOKEN_CHARS_MAX: usize = 1_024;

/// The longest payload whose token can be read again, in bytes: what remains of [`TOKEN_CHARS_MAX`] beside nonce and tag.
pub const PAYLOAD_BYTES_MAX: usize = TOKEN_CHARS_MAX / 4 * 3 - NONCE_BYTES - TAG_BYTES;

const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;

/// The token was not made by this store for this purpose and for what it is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a token of this listing")]
pub struct InvalidToken;

/// Makes and reads the tokens of one purpose.
#[derive(Clone)]
pub struct TokenSealer {
    cipher: XChaCha20Poly1305,
    nonce_key: [u8; 32],
}

impl std::fmt::Debug for TokenSealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenSealer")
    }
}

impl TokenSealer {
    /// A sealer with keys of its own for `purpose`, a text that is used for nothing else.
    pub fn new(secret: &StoreSecret, purpose: &'static str) -> Self {
        let key = secret.derive("token", purpose);
        Self {
            cipher: XChaCha20Poly1305::new(&key.into()),
            nonce_key: secret.derive("token nonce", purpose),
        }
    }

    /// A token of `payload` (at most [`PAYLOAD_BYTES_MAX`] bytes; the token of a longer one does not open) that opens only with
    /// the same `bound_to`. Characters: `A-Z a-z 0-9 - _`.
    ///
    /// The same arguments give the same token: the nonce is a keyed hash of them, so a nonce never serves two contents, and no
    /// randomness is needed that could fail.
    pub fn seal(&self, bound_to: &[&[u8]], payload: &[u8]) -> String {
        let aad = length_prefixed(bound_to);
        let mut nonce = [0; NONCE_BYTES];
        blake3::Hasher::new_keyed(&self.nonce_key)
            .update(&length_prefixed(&[&aad, payload]))
            .finalize_xof()
            .fill(&mut nonce);
        // Fails only beyond 256 GiB; an empty token does not open.
        let sealed = self.cipher.encrypt(
            &XNonce::from(nonce),
            Payload {
                msg: payload,
                aad: &aad,
            },
        );
        let mut bytes = nonce.to_vec();
        bytes.extend(sealed.unwrap_or_default());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The payload of `token`. [`InvalidToken`] unless it was made by [`TokenSealer::seal`] with the same secret, purpose and
    /// `bound_to`, and is not longer than [`TOKEN_CHARS_MAX`].
    pub fn open(&self, bound_to: &[&[u8]], token: &str) -> Result<Vec<u8>, InvalidToken> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(InvalidToken);
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
        let (nonce, sealed) = bytes
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(InvalidToken)?;
        let payload = Payload {
            msg: sealed,
            aad: &length_prefixed(bound_to),
        };
        self.cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| InvalidToken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealer(byte: u8, purpose: &'static str) -> TokenSealer {
        TokenSealer::new(&StoreSecret::from_bytes(&[byte; 32]).unwrap(), purpose)
    }

    #[test]
    fn opens_only_as_it_was_sealed() {
        let tokens = sealer(1, "list");
        let token = tokens.seal(&[b"ann", b"received"], b"position 7");
        assert_eq!(
            tokens.open(&[b"ann", b"received"], &token),
            Ok(b"position 7".to_vec())
        );
        for bound_to in [
            &[b"bob".as_slice(), b"received"],
            &[b"annr".as_slice(), b"eceived"],
        ] {
            assert_eq!(tokens.open(bound_to, &token), Err(InvalidToken));
        }
        assert_eq!(tokens.open(&[b"ann"], &token), Err(InvalidToken));
        for other in [sealer(2, "list"), sealer(1, "watch")] {
            assert_eq!(
                other.open(&[b"ann", b"received"], &token),
                Err(InvalidToken)
            );
        }
    }

    #[test]
    fn every_changed_character_and_every_cut_is_noticed() {
        let tokens = sealer(1, "list");
        let token = tokens.seal(&[], b"");
        assert_eq!(tokens.open(&[], &token), Ok(Vec::new()));
        for at in 0..token.len() {
            let mut changed = token.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(
                tokens.open(&[], std::str::from_utf8(&changed).unwrap()),
                Err(InvalidToken),
                "{at}"
            );
            assert_eq!(tokens.open(&[], &token[..at]), Err(InvalidToken), "{at}");
        }
        for odd in ["", "====", "é", "+/+/", " "] {
            assert_eq!(tokens.open(&[], odd), Err(InvalidToken));
        }
    }

    #[test]
    fn the_longest_payload_fits_and_no_longer_one() {
        let tokens = sealer(1, "list");
        let longest = vec![9; PAYLOAD_BYTES_MAX];
        let token = tokens.seal(&[b"ann"], &longest);
        assert_eq!(token.len(), TOKEN_CHARS_MAX);
        assert_eq!(tokens.open(&[b"ann"], &token), Ok(longest));
        assert_eq!(
            tokens.open(
                &[b"ann"],
                &tokens.seal(&[b"ann"], &[9; PAYLOAD_BYTES_MAX + 1])
            ),
            Err(InvalidToken)
        );
    }

    #[test]
    fn the_nonce_follows_from_the_content() {
        let tokens = sealer(1, "list");
        let token = tokens.seal(&[b"a"], b"x");
        assert_eq!(token, tokens.seal(&[b"a"], b"x"));
        assert_ne!(token[..32], tokens.seal(&[b"a"], b"y")[..32]);
        assert_ne!(token[..32], tokens.seal(&[b"b"], b"x")[..32]);
    }
}
