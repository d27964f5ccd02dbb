//! The token that a service shows when it calls another.
//!
//! Read from a file, and anew when the file changes, so that it can be replaced without a restart. Deliberately absent: the token
//! in a configuration, a log or an error.

use std::path::Path;

use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::followed::{FileError, Followed};

/// A file with one token in it.
#[derive(Clone, Debug)]
pub struct TokenFile(Followed<MetadataValue<Ascii>>);

impl TokenFile {
    /// Reads the token from the file.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Followed::open(path, value, |_, new| new).map(Self)
    }

    /// Looks for a new token every second, for ever.
    pub async fn follow(self) {
        self.0.follow().await;
    }
}

/// Shows a token with each call, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Bearer(Option<TokenFile>);

impl Bearer {
    /// Shows the token of `file`; `None` shows none.
    pub fn new(file: Option<TokenFile>) -> Self {
        Self(file)
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(file) = &self.0 {
            let value = MetadataValue::clone(&file.0.get());
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }
}

fn value(text: &str) -> Result<MetadataValue<Ascii>, String> {
    let token = text.trim();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must have one token and nothing else".to_owned());
    }
    let value = format!("Bearer {token}").parse();
    let mut value: MetadataValue<Ascii> = value.map_err(|_| "is no token".to_owned())?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_the_token_of_the_file_and_hides_it_from_logs() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, " acq_one\n").unwrap();
        let file = TokenFile::open(&path).unwrap();
        let mut bearer = Bearer::new(Some(file.clone()));
        let mut shown = || {
            let request = bearer.call(Request::new(())).unwrap();
            request.metadata().get("authorization").cloned()
        };
        assert_eq!(shown().unwrap(), "Bearer acq_one");
        std::fs::write(&path, "acq_two").unwrap();
        assert!(file.0.look());
        assert_eq!(shown().unwrap(), "Bearer acq_two");
        assert!(!format!("{bearer:?}").contains("acq_"));
        let request = Bearer::default().call(Request::new(())).unwrap();
        assert!(request.metadata().is_empty());
        for wrong in ["", " \n", "two tokens", "t\u{e9}"] {
            std::fs::write(&path, wrong).unwrap();
            assert!(TokenFile::open(&path).is_err(), "{wrong}");
        }
    }
}
