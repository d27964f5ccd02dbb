//! A value that stands in a file, read anew when the file changes.
//!
//! What cannot be read or understood later leaves the last good value in force and is logged once. Deliberately absent:
//! notifications of the file system; looking every second is enough and works on every one.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// The largest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 256 * 1024;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
#[error("{}: {why}", path.display())]
pub struct FileError {
    path: PathBuf,
    why: String,
}

/// A value in a file. Clones are the same value.
#[derive(Debug)]
pub(super) struct Followed<T>(Arc<Inner<T>>);

impl<T> Clone for Followed<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[derive(Debug)]
struct Inner<T> {
    path: PathBuf,
    parse: fn(&str) -> Result<T, String>,
    replaced_by: fn(&T, T) -> T,
    state: RwLock<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    value: Arc<T>,
    /// What was read last, or why it could not be.
    seen: Result<Vec<u8>, String>,
}

impl<T: Send + Sync + 'static> Followed<T> {
    /// Reads the file. `parse` must not repeat the file's text in its error. `replaced_by` is asked what holds when a new value comes
    /// after an old one.
    pub(super) fn open(
        path: &Path,
        parse: fn(&str) -> Result<T, String>,
        replaced_by: fn(&T, T) -> T,
    ) -> Result<Self, FileError> {
        let failed = |why| FileError {
            path: path.to_owned(),
            why,
        };
        let bytes = read(path).map_err(failed)?;
        let value = parsed(parse, &bytes).map_err(failed)?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            parse,
            replaced_by,
            state: RwLock::new(State {
                value: Arc::new(value),
                seen: Ok(bytes),
            }),
        })))
    }

    /// The value as it stood when the file was last looked at and good.
    pub(super) fn get(&self) -> Arc<T> {
        let state = self.0.state.read().unwrap_or_else(PoisonError::into_inner);
        state.value.clone()
    }

    /// Looks at the file again; whether the value is a new one.
    pub(super) fn look(&self) -> bool {
        let Inner {
            path, parse, state, ..
        } = &*self.0;
        let seen = read(path);
        {
            let state = state.read().unwrap_or_else(PoisonError::into_inner);
            if state.seen == seen {
                return false;
            }
        }
        let value = match &seen {
            Ok(bytes) => parsed(*parse, bytes),
            Err(why) => Err(why.clone()),
        };
        let mut state = state.write().unwrap_or_else(PoisonError::into_inner);
        state.seen = seen;
        match value {
            Ok(value) => {
                tracing::info!("{} has changed and was read", path.display());
                state.value = Arc::new((self.0.replaced_by)(&state.value, value));
                true
            }
            Err(why) => {
                tracing::error!("{}: {why}; what it said before still holds", path.display());
                false
            }
        }
    }

    /// Looks at the file every second, for ever.
    pub(super) async fn follow(self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            let followed = self.clone();
            // A file may lie where reading takes its time.
            if let Err(error) = tokio::task::spawn_blocking(move || followed.look()).await {
                tracing::error!("looking at {} failed: {error}", self.0.path.display());
            }
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    let bytes = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let file = File::open(path)?;
        file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = bytes().map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(format!("is larger than {FILE_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}

fn parsed<T>(parse: fn(&str) -> Result<T, String>, bytes: &[u8]) -> Result<T, String> {
    parse(std::str::from_utf8(bytes).map_err(|_| "is not UTF-8".to_owned())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Result<u32, String> {
        text.trim()
            .parse()
            .map_err(|_| "is not a number".to_owned())
    }

    #[test]
    fn the_last_good_value_holds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("n");
        let missing = Followed::open(&path, number, |_, new| new).unwrap_err();
        assert!(missing.to_string().contains("cannot be read"), "{missing}");
        std::fs::write(&path, "1").unwrap();
        let followed = Followed::open(&path, number, |_, new| new).unwrap();
        assert_eq!((*followed.get(), followed.look()), (1, false));
        std::fs::write(&path, "2").unwrap();
        assert!(followed.look());
        assert_eq!(*followed.get(), 2);
        let large = usize::try_from(FILE_BYTES_MAX).unwrap() + 1;
        for broken in [b"x".to_vec(), b"\xff".to_vec(), vec![b'1'; large]] {
            std::fs::write(&path, broken).unwrap();
            assert!(!followed.look());
            assert_eq!(*followed.get(), 2);
        }
        std::fs::remove_file(&path).unwrap();
        assert!(!followed.look());
        assert_eq!(*followed.get(), 2);
        std::fs::write(&path, "3").unwrap();
        assert!(followed.look());
        assert_eq!(*followed.get(), 3);
    }
}
