//! Copies of a store's file, and putting one back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use acquaint_tests::wait::eventually;
use tempfile::TempDir;

/// A copy of a store that nobody has open.
pub(crate) struct Backup {
    folder: TempDir,
}

/// What SQLite keeps beside a file.
const SUFFIXES: [&str; 3] = ["", "-wal", "-shm"];

impl Backup {
    /// Copies the store of a service that was stopped.
    pub(crate) async fn of(file: &Path) -> Self {
        closed(file).await;
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

    /// Puts the copy where the store of a service was that was stopped.
    pub(crate) async fn restore(&self, file: &Path) {
        closed(file).await;
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

/// Waits until nobody has the store open: a thread that reads may be the last, and whoever is takes the log away.
async fn closed(file: &Path) {
    let log = with_suffix(file, "-wal");
    eventually("the store is closed", || async {
        (!log.exists()).then_some(())
    })
    .await;
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}
