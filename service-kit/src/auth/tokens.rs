//! The tokens file: hashes of bearer tokens, each with a caller's name and roles.
//!
//! ```toml
//! [[token]]
//! name = "web-backend"
//! sha256 = "…64 hexadecimal digits…"
//! roles = ["app"]
//! ```
//!
//! The file has no secret: a token is 32 random bytes, so nobody finds it from its hash. Two tokens may have one name, so that a
//! token can be replaced without a gap. Deliberately absent: the tokens themselves, and lifetimes: a token is good until it is
//! taken out of the file.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio_util::sync::CancellationToken;

use super::{Identity, Role};

/// How many tokens a file may have.
const TOKENS_MAX: usize = 256;
/// How long a caller's name may be, in characters.
const NAME_MAX: usize = 64;
/// How long a token that is shown may be, in bytes.
const TOKEN_BYTES_MAX: usize = 512;

/// The tokens of a file.
#[derive(Clone, Debug)]
pub struct TokenSet(Vec<Known>);

#[derive(Clone, Debug)]
struct Known {
    hash: [u8; 32],
    identity: Arc<Identity>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    roles: Vec<Role>,
}

impl TokenSet {
    /// Reads the text of a file. Fails with what is wrong, and never repeats the text: somebody may have put a token there.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error: toml::de::Error| {
            let line = error.span().map(|span| line_of(text, span.start));
            let line = line.map_or_else(String::new, |line| format!(" in line {line}"));
            format!(
                "has a mistake{line}; each [[token]] has name, sha256 and roles, which are app, operator, service or peer"
            )
        })?;
        match file.token.len() {
            0 => return Err("names no token".to_owned()),
            1..=TOKENS_MAX => {}
            _ => return Err(format!("names more than {TOKENS_MAX} tokens")),
        }
        let mut known: Vec<Known> = Vec::with_capacity(file.token.len());
        for (n, entry) in (1..).zip(file.token) {
            let token = entry.check().map_err(|rule| format!("token {n}: {rule}"))?;
            if known.iter().any(|other| other.hash == token.hash) {
                return Err(format!("token {n}: the sha256 stands there twice"));
            }
            known.push(token);
        }
        Ok(Self(known))
    }

    /// What holds when the file says `new` from now on: those who are not known there any more, or by another name, or without one of
    /// their roles, are told so.
    pub(super) fn replaced_by(&self, mut new: Self) -> Self {
        for Known { hash, identity } in &self.0 {
            let keeps = |known: &&mut Known| {
                let same = known.hash == *hash && known.identity.name == identity.name;
                let mut roles = identity.roles.iter();
                same && roles.all(|role| known.identity.roles.contains(role))
            };
            match new.0.iter_mut().find(keeps) {
                Some(known) => {
                    known.identity = Arc::new(Identity {
                        name: known.identity.name.clone(),
                        roles: known.identity.roles.clone(),
                        revoked: identity.revoked.clone(),
                    });
                }
                None => identity.revoked.cancel(),
            }
        }
        new
    }

    /// Whose token this is. Takes as long for any text of one length, whatever the file has.
    pub(super) fn find(&self, token: &[u8]) -> Option<Arc<Identity>> {
        if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let hash = hash(token);
        let mut found = None;
        for known in &self.0 {
            if bool::from(known.hash.ct_eq(&hash)) {
                found = Some(known);
            }
        }
        found.map(|known| known.identity.clone())
    }
}

impl Entry {
    fn check(self) -> Result<Known, String> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if !(1..=NAME_MAX).contains(&self.name.len()) || !self.name.chars().all(fits) {
            let rule = "name must be 1 to 64 of the characters A-Z a-z 0-9 - _ .";
            return Err(rule.to_owned());
        }
        if self.roles.is_empty() {
            return Err("roles must name at least one role".to_owned());
        }
        let hash = unhex(&self.sha256);
        let hash = hash.ok_or_else(|| "sha256 must be 64 hexadecimal digits".to_owned())?;
        Ok(Known {
            hash,
            identity: Arc::new(Identity {
                name: self.name.into(),
                roles: self.roles.into(),
                revoked: CancellationToken::new(),
            }),
        })
    }
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

fn line_of(text: &str, at: usize) -> usize {
    let before = text.bytes().take(at);
    before.filter(|byte| *byte == b'\n').count() + 1
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (n, byte) in bytes.iter_mut().enumerate() {
        let digits = text.get(2 * n..2 * n + 2)?;
        // `from_str_radix` would take a sign.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        *byte = u8::from_str_radix(digits, 16).ok()?;
    }
    Some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A new token, and what the tokens file says of it.
pub struct NewToken {
    /// To be given to the caller, and shown to nobody else.
    pub token: String,
    /// To be added to the tokens file.
    pub stanza: String,
}

/// Makes a password of 256 random bits, of letters, digits, `-` and `_`. Fails when the system gives no randomness.
pub fn new_password() -> Result<String, String> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Makes a token of 256 random bits for the caller `name` with `roles`. Fails when the name or the roles are not such as a file may
/// have, or the system gives no randomness.
pub fn new_token(name: &str, roles: &[Role]) -> Result<NewToken, String> {
    let token = format!("acq_{}", new_password()?);
    let hash = hex(&hash(token.as_bytes()));
    let names: Vec<_> = roles.iter().map(|role| format!("\"{role}\"")).collect();
    let names = names.join(", ");
    let stanza = format!("[[token]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nroles = [{names}]\n");
    let entry = Entry {
        name: name.to_owned(),
        sha256: hash,
        roles: roles.to_owned(),
    };
    entry.check()?;
    Ok(NewToken { token, stanza })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stanza(name: &str, sha256: &str, roles: &str) -> String {
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{sha256}\"\nroles = {roles}\n")
    }

    #[test]
    fn finds_a_caller_by_the_token_alone() {
        // The hash of "secret" as `printf secret | sha256sum` prints it.
        let hash = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
        let text = stanza("web", hash, "[\"app\", \"service\"]");
        let other = new_token("desk", &[Role::Operator]).unwrap();
        let tokens = TokenSet::parse(&format!("{text}{}", other.stanza)).unwrap();
        let found = |token: &[u8]| {
            let found = tokens.find(token)?;
            Some((found.name.to_string(), found.roles.to_vec()))
        };
        let web = ("web".to_owned(), vec![Role::App, Role::Service]);
        assert_eq!(found(b"secret"), Some(web));
        let desk = ("desk".to_owned(), vec![Role::Operator]);
        assert_eq!(found(other.token.as_bytes()), Some(desk));
        for wrong in [
            &b""[..],
            b"Secret",
            b"secret ",
            hash.as_bytes(),
            &[b'x'; 600],
        ] {
            assert!(tokens.find(wrong).is_none());
        }
        let upper = stanza("web", &hash.to_uppercase(), "[\"app\"]");
        assert!(TokenSet::parse(&upper).unwrap().find(b"secret").is_some());
    }

    #[test]
    fn whoever_has_less_than_before_is_told() {
        let tokens = ["kept", "more", "less", "renamed", "gone"].map(|name| {
            let token = new_token(name, &[Role::App, Role::Service]).unwrap();
            (token.token, token.stanza)
        });
        let file = |stanzas: &[String]| TokenSet::parse(&stanzas.concat()).unwrap();
        let [kept, more, less, renamed, gone] = tokens.clone().map(|(_, stanza)| stanza);
        let old = file(&[
            kept.clone(),
            more.clone(),
            less.clone(),
            renamed.clone(),
            gone,
        ]);
        let both = "[\"app\", \"service\"]";
        assert!(more.contains(both), "{more}");
        let new = file(&[
            renamed.replace("renamed", "other"),
            less.replace(both, "[\"app\"]"),
            more.replace(both, "[\"app\", \"peer\", \"service\"]"),
            kept,
        ]);
        let revoked = tokens
            .each_ref()
            .map(|(token, _)| old.find(token.as_bytes()).unwrap().revoked.clone());
        let are_revoked = || revoked.each_ref().map(CancellationToken::is_cancelled);
        assert_eq!(are_revoked(), [false; 5]);
        let new = old.replaced_by(new);
        assert_eq!(are_revoked(), [false, false, true, true, true]);
        // Who was not told is told by what comes next, and who was begins anew.
        let last = new.replaced_by(file(&[stanza("a", &"ab".repeat(32), "[\"app\"]")]));
        assert_eq!(are_revoked(), [true; 5]);
        assert_eq!(last.0.len(), 1);
    }

    #[test]
    fn says_what_is_wrong_with_a_file_and_not_what_it_has() {
        let hash = "ab".repeat(32);
        let good = stanza("web", &hash, "[\"app\"]");
        let many: String = (0..=TOKENS_MAX)
            .map(|n| stanza("web", &format!("{n:064x}"), "[\"app\"]"))
            .collect();
        for (text, told) in [
            (String::new(), "names no token"),
            ("token = []".to_owned(), "names no token"),
            (many, "names more than 256 tokens"),
            (
                format!("{good}{good}"),
                "token 2: the sha256 stands there twice",
            ),
            (format!("{good}secret = 1"), "has a mistake in line 5"),
            (format!("{good}[[token]]\n"), "has a mistake"),
            (
                stanza("web", &hash, "[\"admin\"]"),
                "has a mistake in line 4",
            ),
            (stanza("web", &hash, "[]"), "token 1: roles must name"),
            (stanza("", &hash, "[\"app\"]"), "token 1: name must be"),
            (stanza("a b", &hash, "[\"app\"]"), "token 1: name must be"),
            (
                stanza(&"a".repeat(65), &hash, "[\"app\"]"),
                "token 1: name must be",
            ),
            (
                stanza("web", "acq_token", "[\"app\"]"),
                "token 1: sha256 must be 64",
            ),
            (
                stanza("web", &"+a".repeat(32), "[\"app\"]"),
                "token 1: sha256 must be 64",
            ),
        ] {
            let error = TokenSet::parse(&text).unwrap_err();
            assert!(error.starts_with(told), "{error}");
            assert!(
                !error.contains("secret") && !error.contains("acq_"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_new_token_is_new_and_for_somebody() {
        let (one, two) = (new_token("a", &[Role::App]), new_token("a", &[Role::App]));
        assert_ne!(one.unwrap().token, two.unwrap().token);
        assert!(new_token("a", &[]).is_err() && new_token("a\"", &[Role::App]).is_err());
    }
}
