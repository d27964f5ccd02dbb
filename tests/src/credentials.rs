//! A caller for each role, and the files that services know them by.

use std::path::{Path, PathBuf};

use service_kit::auth::{NewToken, Role, new_token};

/// A token for each role.
pub struct Credentials {
    folder: PathBuf,
    tokens: Vec<(Role, NewToken)>,
}

impl Credentials {
    /// Makes them, and their files in `folder`.
    pub fn make(folder: &Path) -> Self {
        let token = |role: Role| (role, new_token(role.name(), &[role]).unwrap());
        let made = Self {
            folder: folder.to_owned(),
            tokens: Role::ALL.map(token).into(),
        };
        let stanzas = made.tokens.iter().map(|(_, new)| new.stanza.as_str());
        std::fs::write(made.file(), stanzas.collect::<String>()).unwrap();
        std::fs::write(made.peer_file(), made.token(Role::Peer)).unwrap();
        made
    }

    /// The tokens file of both services.
    pub fn file(&self) -> PathBuf {
        self.folder.join("tokens.toml")
    }

    /// The token of the caller with this role.
    pub fn token(&self, role: Role) -> &str {
        let mut tokens = self.tokens.iter();
        let found = tokens.find(|(of, _)| *of == role);
        &found.unwrap().1.token
    }

    /// The file with the token that invitation-service shows connection-service.
    pub fn peer_file(&self) -> PathBuf {
        self.folder.join("peer-token")
    }
}
