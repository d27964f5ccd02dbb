//! A copy of a store while it is written, and putting one back.
//!
//! The copy is one snapshot: a reader's, so it holds nobody up, and commits go on in the log meanwhile. `VACUUM INTO` writes it rather
//! than `SQLite`'s page by page backup, which begins again whenever another process writes, and which would carry along pages that hold
//! nothing any more. A file appears under its name only when it is whole, checked and on the disk.
//!
//! Deliberately absent: when copies are made and where they are kept; and telling anybody: a store that went back in time is noticed by
//! whoever follows it (see [`crate::epoch`]).

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use super::migrate::check_migrations;
use super::{BUSY_WAIT_MAX, OpenError, StoreLock};

/// Why a store was not copied, or not put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is nothing to copy.
    #[error("there is no store in {}", .0.display())]
    Missing(PathBuf),
    /// The copy, or the place where the store that is replaced would be kept, exists already.
    #[error("{} exists already; nothing is written over", .0.display())]
    Exists(PathBuf),
    /// What is to be copied is not a store that this program can use, or cannot be read, or the store is in use.
    #[error("{} cannot be used", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// The copy is damaged.
    #[error("{} is damaged: {finding}", path.display())]
    Damaged {
        /// The file that was looked at.
        path: PathBuf,
        /// What `SQLite` found.
        finding: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Copies the store in `from`, which another process may be writing at the same time, to the new file `to`, readable by the owner alone.
/// `migrations` are those of the program whose store it is.
///
/// Nothing is left behind where it fails, except by a process that is killed: a file whose name begins with `.backup-`.
pub fn back_up(from: &Path, to: &Path, migrations: &[(&str, &str)]) -> Result<(), BackupError> {
    if !from.exists() {
        return Err(BackupError::Missing(from.to_owned()));
    }
    let copy = begin_file(to)?;
    let conn = open_known(from, migrations)?;
    let target = copy.path().to_str().map(str::to_owned);
    let target = target.ok_or_else(|| file_error(to)(io::ErrorKind::InvalidFilename.into()))?;
    conn.execute("vacuum into ?1", [target])
        .map_err(unusable(from))?;
    drop(conn);
    check(copy.path(), migrations)?;
    finish_file(copy, to, NamedTempFile::persist_noclobber)
}

/// Puts the copy `backup` in the place of the store in `path`, which nobody may have open. The store that was there is kept beside it, under
/// its name with `.replaced` added.
pub fn restore(backup: &Path, path: &Path, migrations: &[(&str, &str)]) -> Result<(), BackupError> {
    if !backup.exists() {
        return Err(BackupError::Missing(backup.to_owned()));
    }
    let _lock = StoreLock::take(path).map_err(|source| BackupError::Unusable {
        path: path.to_owned(),
        source,
    })?;
    check(backup, migrations)?;
    let mut copy = begin_temporary(path)?;
    let mut from = File::open(backup).map_err(file_error(backup))?;
    io::copy(&mut from, copy.as_file_mut()).map_err(file_error(path))?;
    set_aside(path)?;
    finish_file(copy, path, NamedTempFile::persist)
}

/// Keeps a store beside its place, with its log. The file itself stays until it is replaced, so that at no moment there is none.
fn set_aside(path: &Path) -> Result<(), BackupError> {
    let kept = with_suffix(path, ".replaced");
    if kept.exists() {
        return Err(BackupError::Exists(kept));
    }
    if !path.exists() {
        return Ok(());
    }
    std::fs::hard_link(path, &kept).map_err(file_error(&kept))?;
    // A log of another store beside the new file would be taken for its own. The index of the log is made anew from it.
    let log = with_suffix(path, "-wal");
    if log.exists() {
        std::fs::rename(&log, with_suffix(&kept, "-wal")).map_err(file_error(&log))?;
    }
    let index = with_suffix(path, "-shm");
    if index.exists() {
        std::fs::remove_file(&index).map_err(file_error(&index))?;
    }
    Ok(())
}

fn begin_file(to: &Path) -> Result<NamedTempFile, BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    begin_temporary(to)
}

fn begin_temporary(to: &Path) -> Result<NamedTempFile, BackupError> {
    let mut builder = tempfile::Builder::new();
    // Readable by the owner alone, as the library makes them.
    let file = builder.prefix(".backup-").tempfile_in(folder_of(to));
    file.map_err(file_error(to))
}

/// Brings a file that is whole to the disk, and under its name.
fn finish_file(
    file: NamedTempFile,
    to: &Path,
    persist: impl FnOnce(NamedTempFile, PathBuf) -> Result<File, tempfile::PersistError>,
) -> Result<(), BackupError> {
    file.as_file().sync_all().map_err(file_error(to))?;
    persist(file, to.to_owned()).map_err(|error| match error.error.kind() {
        io::ErrorKind::AlreadyExists => BackupError::Exists(to.to_owned()),
        _ => file_error(to)(error.error),
    })?;
    let folder = File::open(folder_of(to)).map_err(file_error(to))?;
    folder.sync_all().map_err(file_error(to))
}

fn folder_of(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Opens a file for reading, if it is a store that the program knows.
fn open_known(path: &Path, migrations: &[(&str, &str)]) -> Result<Connection, BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).map_err(unusable(path))?;
    conn.busy_timeout(BUSY_WAIT_MAX).map_err(unusable(path))?;
    check_migrations(&conn, migrations).map_err(|source| BackupError::Unusable {
        path: path.to_owned(),
        source,
    })?;
    Ok(conn)
}

/// Reads every page of a file.
fn check(path: &Path, migrations: &[(&str, &str)]) -> Result<(), BackupError> {
    let conn = open_known(path, migrations)?;
    let finding: String = conn
        .query_row("pragma integrity_check(1)", [], |row| row.get(0))
        .map_err(unusable(path))?;
    if finding == "ok" {
        return Ok(());
    }
    Err(BackupError::Damaged {
        path: path.to_owned(),
        finding,
    })
}

fn unusable(path: &Path) -> impl Fn(rusqlite::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::Unusable {
        path: path.clone(),
        source: error.into(),
    }
}

fn file_error(path: &Path) -> impl Fn(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File {
        path: path.clone(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::{SqliteFile, SqliteOptions, migrate};
    use super::*;

    const MIGRATIONS: &[(&str, &str)] = &[("0001_first", "create table t (x);")];

    struct Store {
        folder: tempfile::TempDir,
        file: SqliteFile,
        conn: Connection,
    }

    fn store() -> Store {
        let folder = tempfile::tempdir().unwrap();
        let file = SqliteFile::open(SqliteOptions::new(folder.path().join("a.db"))).unwrap();
        let mut conn = file.writer().unwrap();
        migrate(&mut conn, MIGRATIONS).unwrap();
        conn.execute("insert into t values (1)", []).unwrap();
        Store { folder, file, conn }
    }

    fn rows(path: &Path) -> i64 {
        let conn = Connection::open(path).unwrap();
        conn.query_row("select count(*) from t", [], |row| row.get(0))
            .unwrap()
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_store_is_copied_while_it_is_open_and_put_back_when_it_is_closed() {
        let Store { folder, file, conn } = store();
        let (path, copy) = (file.path().to_owned(), folder.path().join("copy"));
        // In a transaction that has not ended: no part of the copy, which does not wait for it either.
        conn.execute_batch("begin immediate; insert into t values (2)")
            .unwrap();
        back_up(&path, &copy, MIGRATIONS).unwrap();
        conn.execute_batch("commit").unwrap();
        let mode = std::fs::metadata(&copy).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);

        let refused = restore(&copy, &path, MIGRATIONS).unwrap_err();
        assert!(
            matches!(
                &refused,
                BackupError::Unusable {
                    source: OpenError::InUse { .. },
                    ..
                }
            ),
            "{refused:?}"
        );
        // As after a crash: with a log.
        std::mem::forget(conn);
        drop(file);
        assert!(folder.path().join("a.db-wal").exists());
        restore(&copy, &path, MIGRATIONS).unwrap();
        assert_eq!(
            names(folder.path()),
            [
                "a.db",
                "a.db.lock",
                "a.db.replaced",
                "a.db.replaced-wal",
                "copy"
            ]
        );
        assert_eq!(rows(&path), 1);
        assert_eq!(rows(&folder.path().join("a.db.replaced")), 2);

        let refused = restore(&copy, &path, MIGRATIONS).unwrap_err();
        assert!(matches!(refused, BackupError::Exists(_)), "{refused:?}");
        assert_eq!(rows(&path), 1);
    }

    #[test]
    fn what_cannot_be_copied_leaves_nothing_behind() {
        // Open, as in a service: whoever opens a closed store last may leave its empty log beside it.
        let Store {
            folder,
            file,
            conn: _open,
        } = store();
        let to = folder.path().join("copy");
        let before = names(folder.path());
        let back_up = |from: &str, to: &Path, migrations| {
            let refused = back_up(&folder.path().join(from), to, migrations);
            assert_eq!(names(folder.path()), before);
            refused.unwrap_err()
        };
        let missing = back_up("b.db", &to, MIGRATIONS);
        assert!(matches!(missing, BackupError::Missing(_)), "{missing:?}");
        let exists = back_up("a.db", file.path(), MIGRATIONS);
        assert!(matches!(exists, BackupError::Exists(_)), "{exists:?}");
        for other in [&[("0001_other", "create table u (x);")][..], &[]] {
            let unknown = back_up("a.db", &to, other);
            assert!(
                matches!(unknown, BackupError::Unusable { .. }),
                "{unknown:?}"
            );
        }
        let nowhere = back_up("a.db", &folder.path().join("no/copy"), MIGRATIONS);
        assert!(matches!(nowhere, BackupError::File { .. }), "{nowhere:?}");
    }

    #[test]
    fn what_is_no_store_or_damaged_is_not_put_back() {
        let Store { folder, file, conn } = store();
        let (path, copy) = (file.path().to_owned(), folder.path().join("copy"));
        for number in 0..2_000 {
            conn.execute("insert into t values (?1)", [number]).unwrap();
        }
        back_up(&path, &copy, MIGRATIONS).unwrap();
        drop((conn, file));
        let whole = std::fs::read(&copy).unwrap();
        let mut damaged = whole.clone();
        let page = damaged.len() / 2 / 8_192 * 8_192;
        damaged[page..page + 2_000].fill(0xff);
        std::fs::write(&copy, damaged).unwrap();
        restore(&copy, &path, MIGRATIONS).unwrap_err();
        std::fs::write(&copy, "no store at all, but long enough to look like one").unwrap();
        restore(&copy, &path, MIGRATIONS).unwrap_err();
        assert_eq!(rows(&path), 2_001, "what was there is there");
        std::fs::write(&copy, whole).unwrap();
        restore(&copy, &path, MIGRATIONS).unwrap();
    }
}
