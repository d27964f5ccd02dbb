//! What every store on `SQLite` shares: one file, one writer, some readers, and a thread that checkpoints.
//!
//! The file belongs to one process at a time, which an operating system's lock makes sure of. The log (WAL) is checkpointed on a
//! thread of its own, so that no commit pays for it. Deliberately absent: tables, and the writer's queue
//! (see [`crate::group_commit`]). An engine that drops its parts in the order connection, [`Checkpointer`], [`SqliteFile`] leaves
//! an empty log and a free lock behind.
//!
//! Look rows up with [`Connection::prepare_cached`]: preparing costs more than most look-ups.

mod backup;
mod checkpoint;
mod jobs;
mod migrate;
mod readers;
mod transaction;

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

pub use backup::{BackupError, back_up, restore};
pub use checkpoint::Checkpointer;
pub(crate) use migrate::check_migrations;
pub use migrate::migrate;
pub use readers::Readers;
pub use transaction::{begin, end};

use crate::config::{Choice, Findings, Key};
use crate::environment::Executor;
use crate::error::StoreError;
use crate::metrics::store::StoreMetrics;

/// How large the pages of a new file are. What a member has takes a few KiB: in larger pages than SQLite's usual ones a commit writes
/// fewer of them; still larger ones were no better.
const PAGE_BYTES: u32 = 8_192;
/// How long a connection waits for another one's lock before it fails with "busy". Only checkpoints make one wait.
const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

/// How many prepared statements a connection keeps.
const STATEMENTS_MAX: usize = 256;

/// When a commit is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Before it is answered: nothing answered is lost, whatever fails.
    #[default]
    Full,
    /// Some time later: a crash of the machine (not of the process) may lose the last commits, never their order.
    Normal,
}

impl Choice for Synchronous {
    const WORDS: &'static [(&'static str, Self)] =
        &[("full", Self::Full), ("normal", Self::Normal)];
    const SHAPE: &'static str = "full | normal";
}

/// Where a store's file is and what it may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The file. Beside it lie `-wal` and `-shm`, which belong to it, and `.lock`.
    pub path: PathBuf,
    /// When a commit is on the disk.
    pub synchronous: Synchronous,
    /// How many threads read. At least 1.
    pub readers: usize,
    /// How many reads may wait; one more is answered [`StoreError::Overloaded`]. At least 1.
    pub reader_queue_max: usize,
    /// The page cache of each connection (the writer's and each reader's), in MiB. More is not better: a reader forgets its pages
    /// whenever the writer has committed, the writer looks through its cache at each commit that moved pages, and the system
    /// keeps the file's pages as well.
    pub cache_mebibytes: u32,
    /// By how many pages the log grows before it is carried over into the file. More means that a page written several times meanwhile is
    /// carried over once; the log, and what a start after a crash reads, is longer for it.
    pub checkpoint_pages: u32,
}

impl SqliteOptions {
    /// The usual options for the file `path`: durable, 2 readers, 4,096 waiting reads, 8 MiB of cache for each connection, a
    /// checkpoint each 4,096 pages (32 MiB).
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            synchronous: Synchronous::Full,
            readers: 2,
            reader_queue_max: 4_096,
            cache_mebibytes: 8,
            checkpoint_pages: 4_096,
        }
    }

    /// The keys of the options, but for where the file is: a store may also be elsewhere (see [`crate::config::store_key`]).
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::text(
                "sqlite.synchronous",
                Synchronous::form(),
                |o: &mut Self| &mut o.synchronous,
                "`full`: what was answered survives a crash of the machine; `normal`: the last commits may not",
            ),
            Key::count(
                "sqlite.readers",
                "threads",
                1..=64,
                |o: &mut Self| &mut o.readers,
                "threads that read, each with a connection of its own",
            ),
            Key::count(
                "sqlite.reader_queue_max",
                "reads",
                1..=1_000_000,
                |o: &mut Self| &mut o.reader_queue_max,
                "reads that may wait for a thread; one more is refused",
            ),
            Key::count(
                "sqlite.cache_mebibytes",
                "MiB",
                1..=65_536,
                |o: &mut Self| &mut o.cache_mebibytes,
                "page cache of each connection to the store: the writer's and each reader's",
            ),
            Key::count(
                "sqlite.checkpoint_pages",
                "pages of 8 KiB",
                1..=8_192,
                |o: &mut Self| &mut o.checkpoint_pages,
                "growth of the store's log after which it is carried over into the file, beside what goes on",
            ),
        ]
    }

    /// What should be known about the options.
    pub fn check(&self, findings: &mut Findings) {
        if self.synchronous == Synchronous::Normal {
            findings.risky(
                &["sqlite.synchronous"],
                "after a crash of the machine the last commits may be gone although they were answered: an acknowledged block, removal or \
                 erasure can be undone, and the two services may disagree until the one that lost nothing offers again what it knows",
            );
        }
    }
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has the store open.
    #[error("{} is in use by another process", path.display())]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// The folder, the file or its lock cannot be made or opened.
    #[error("cannot open {}", path.display())]
    File {
        /// What could not be made or opened.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no thread.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
    /// `SQLite` refuses.
    #[error("sqlite: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file cannot keep a write-ahead log, as on some network file systems.
    #[error("{} cannot keep a write-ahead log", path.display())]
    NoWriteAheadLog {
        /// The store's file.
        path: PathBuf,
    },
    /// A migration that the store has is not what the program knows under this name.
    #[error("migration {name} of the store is not the one that this program knows")]
    ChangedMigration {
        /// The name in the store.
        name: String,
    },
    /// The store has a migration that the program does not know: it was written by a newer program.
    #[error("migration {name} of the store is unknown to this program")]
    UnknownMigration {
        /// The name in the store.
        name: String,
    },
    /// What is stored could not be read or written while opening.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a text is not the address of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be sqlite:PATH, where PATH is a file and does not begin with //")]
pub struct MalformedDatabaseUrl;

/// The path of `sqlite:PATH`.
///
/// [`MalformedDatabaseUrl`] for another scheme, an empty path, one that begins with `//` (where `sqlite://a/b` would leave open
/// whether `a` is a host) and `:memory:`, which is no file.
pub fn parse_database_url(url: &str) -> Result<PathBuf, MalformedDatabaseUrl> {
    match url.strip_prefix("sqlite:") {
        None | Some("" | ":memory:") => Err(MalformedDatabaseUrl),
        Some(path) if path.starts_with("//") || path.contains('\0') => Err(MalformedDatabaseUrl),
        Some(path) => Ok(path.into()),
    }
}

/// A store's file with its lock, which is held until this is dropped.
#[derive(Debug)]
pub struct SqliteFile {
    options: SqliteOptions,
    metrics: StoreMetrics,
    _lock: StoreLock,
}

/// The right to a store's file, which one process has at a time; held until this is dropped.
#[derive(Debug)]
struct StoreLock(#[expect(dead_code, reason = "held, never read")] File);

impl StoreLock {
    /// Takes the lock of `PATH.lock`, which is made if it is absent.
    fn take(path: &Path) -> Result<Self, OpenError> {
        let mut lock_path = path.to_owned().into_os_string();
        lock_path.push(".lock");
        let lock_path = PathBuf::from(lock_path);
        let lock = private_file(&lock_path)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse {
                path: path.to_owned(),
            },
            TryLockError::Error(source) => OpenError::File {
                path: lock_path,
                source,
            },
        })?;
        Ok(Self(lock))
    }
}

impl SqliteFile {
    /// Makes the folder and the file if they are absent (readable by the owner alone) and takes the lock of `PATH.lock`.
    ///
    /// [`OpenError::InUse`] at once when another process, or another `SqliteFile` of this one, has it.
    pub fn open(mut options: SqliteOptions) -> Result<Self, OpenError> {
        // Also because `SQLite` would take a path that begins with `file:` for a URI.
        options.path = std::path::absolute(&options.path).map_err(|source| OpenError::File {
            path: options.path.clone(),
            source,
        })?;
        let path = &options.path;
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(|source| OpenError::File {
                path: folder.to_owned(),
                source,
            })?;
        }
        let lock = StoreLock::take(path)?;
        private_file(path)?;
        let file = Self {
            options,
            metrics: StoreMetrics::default(),
            _lock: lock,
        };
        // Makes it a database with a write-ahead log before any reader opens it, and refuses what is none.
        file.writer()?;
        Ok(file)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.options.path
    }

    /// The figures of the store.
    pub fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    /// A connection that may write. A store has one writer; its checkpoints are the [`Checkpointer`]'s, or left until the
    /// last connection is closed.
    pub fn writer(&self) -> Result<Connection, OpenError> {
        let conn = self.connect()?;
        // Set first: it replaces a hook that is set later.
        conn.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(conn)
    }

    /// Readers: threads of their own, or one that reads on the caller's task.
    pub fn readers(&self, executor: Executor) -> Result<Readers, OpenError> {
        if executor == Executor::Inline {
            let metrics = self.metrics.readers.clone();
            return Ok(Readers::inline(self.reader()?, metrics));
        }
        let count = self.options.readers.max(1);
        let conns = (0..count)
            .map(|_| self.reader())
            .collect::<Result<_, _>>()?;
        let queue_max = self.options.reader_queue_max.max(1);
        let metrics = self.metrics.readers.clone();
        Readers::spawn(conns, queue_max, metrics).map_err(OpenError::Thread)
    }

    /// Starts the thread that checkpoints what `writer` commits from now on, which replaces any other log hook of it. Without threads
    /// there is none: the log is carried over when the last connection is closed.
    pub fn checkpointer(
        &self,
        executor: Executor,
        writer: &mut Connection,
    ) -> Result<Option<Checkpointer>, OpenError> {
        if executor == Executor::Inline {
            return Ok(None);
        }
        let metrics = self.metrics.checkpoints.clone();
        let checkpointer =
            Checkpointer::spawn(self.writer()?, metrics, self.options.checkpoint_pages)
                .map_err(OpenError::Thread)?;
        checkpointer.watch(writer)?;
        Ok(Some(checkpointer))
    }

    /// A connection that only reads.
    pub(crate) fn reader(&self) -> Result<Connection, OpenError> {
        let conn = self.connect()?;
        conn.pragma_update(None, "query_only", true)?;
        Ok(conn)
    }

    fn connect(&self) -> Result<Connection, OpenError> {
        // Each connection is used by one thread at a time, which the compiler sees to.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.options.path, flags)?;
        conn.busy_timeout(BUSY_WAIT_MAX)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // Of a file that is still empty; another keeps what it has.
        conn.pragma_update(None, "page_size", PAGE_BYTES)?;
        let mode: String =
            conn.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        if mode != "wal" {
            return Err(OpenError::NoWriteAheadLog {
                path: self.options.path.clone(),
            });
        }
        let synchronous = match self.options.synchronous {
            Synchronous::Full => "full",
            Synchronous::Normal => "normal",
        };
        conn.pragma_update(None, "synchronous", synchronous)?;
        // What members withdraw or erase must not linger in free pages: what is deleted is overwritten with zeroes. The log still
        // has pages as they were until it is written over, or emptied when the store is closed.
        conn.pragma_update(None, "secure_delete", true)?;
        // A plan must not follow from what is bound: a statement with a parameter that a partial index might be held against would be
        // prepared anew each time that it is used.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        conn.pragma_update(None, "temp_store", "memory")?;
        conn.pragma_update(None, "mmap_size", 0)?;
        // Negative: in KiB instead of pages.
        conn.pragma_update(
            None,
            "cache_size",
            -(i64::from(self.options.cache_mebibytes) * 1_024),
        )?;
        Ok(conn)
    }
}

fn private_file(path: &Path) -> Result<File, OpenError> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)
        .map_err(|source| OpenError::File {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests;
