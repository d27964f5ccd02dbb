//! Copies of a store's file, and putting one back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// A copy of a store that nobody has open.
pub(crate) struct Backup {
    folder: TempDir,
}

/// What SQLite keeps beside a file.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

impl Backup {
    /// Copies the store.
    pub(crate) fn of(file: &Path) -> Self {
        let folder = acquaint_tests::pair::folder();
        for suffix in SUFFIXES {
            let from = with_suffix(file, suffix);
            if from.exists() {
                let to = folder.path().join(format!("copy{suffix}"));
                fs::copy(from, to).unwrap();
            }
        }
        Self { folder }
    }

    /// Puts the copy where the store was.
    pub(crate) fn restore(&self, file: &Path) {
        for suffix in SUFFIXES {
            let to = with_suffix(file, suffix);
            if to.exists() {
                fs::remove_file(&to).unwrap();
            }
            let from = self.folder.path().join(format!("copy{suffix}"));
            if from.exists() {
                fs::copy(from, to).unwrap();
            }
        }
    }
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
