//! The embedded store that is copied: its lock, what it is, and its rows, read on a thread of their own.

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::super::{Column, Value, lane_of};
use super::value::{Senseless, lane_name, of_file};
use super::{BATCH_ROWS, CopyError, Origin};
use crate::error::StoreError;
use crate::secret::StoreSecret;
use crate::sqlite::{OpenError, SqliteFile, SqliteOptions, check_migrations, migrate};

/// How many batches are read ahead.
const BATCHES_AHEAD: usize = 2;

/// The secret, and the newest epoch.
const IDENTITY: &str =
    "select secret, (select id from epoch order by number desc limit 1) from meta";

/// A row, and the lane that it belongs into.
pub(super) struct CopiedRow {
    pub(super) lane: i32,
    pub(super) values: Vec<Value<'static>>,
}

/// Batches of rows, in the order of their keys.
pub(super) type Batches = mpsc::Receiver<Result<Vec<CopiedRow>, CopyError>>;

/// Which store it is.
pub(super) struct Identity {
    pub(super) secret: Vec<u8>,
    /// Stands for the store as the last service that ran on it has left it: each start begins an epoch.
    pub(super) name: [u8; 16],
}

pub(super) struct Source {
    file: SqliteFile,
}

impl Source {
    /// Takes the file's lock, and brings its tables to what the program expects, as a start of the service does.
    pub(super) fn open(
        options: SqliteOptions,
        migrations: &[(&str, &str)],
    ) -> Result<Self, CopyError> {
        if !options.path.exists() {
            return Err(CopyError::Missing(options.path));
        }
        let file = SqliteFile::open(options)?;
        let mut conn = file.writer()?;
        // A file that is no store must not become one.
        check_migrations(&conn, migrations)?;
        migrate(&mut conn, migrations)?;
        Ok(Self { file })
    }

    pub(super) fn identity(&self) -> Result<Identity, CopyError> {
        let conn = self.file.reader()?;
        let read = conn.query_row(IDENTITY, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (secret, epoch): (Vec<u8>, Vec<u8>) = read.map_err(OpenError::from)?;
        let key = StoreSecret::from_bytes(&secret);
        let key = key.ok_or_else(|| StoreError::corrupt("the store's secret is malformed"))?;
        Ok(Identity {
            name: key.keyed_hash("a copy of a store", &[&epoch]),
            secret,
        })
    }

    /// How many rows there are.
    pub(super) fn count(&self, origin: &Origin) -> Result<u64, CopyError> {
        let sql = format!("select count(*) from {}", origin.from);
        let conn = self.file.reader()?;
        let count: i64 = conn
            .query_row(&sql, [], |row| row.get(0))
            .map_err(StoreError::from)?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// The rows in the order of their keys but for the first of them. To be called within a runtime.
    pub(super) fn scan(
        &self,
        origin: &Origin,
        skipped: u64,
        lanes: u16,
    ) -> Result<Batches, CopyError> {
        let conn = self.file.reader()?;
        let scan = Scan {
            sql: select(origin),
            columns: origin.table.columns().copied().collect(),
            table: origin.table.name(),
            has_key: !origin.table.key().is_empty(),
            skipped: i64::try_from(skipped).unwrap_or(i64::MAX),
            lanes,
        };
        let (sender, batches) = mpsc::channel(BATCHES_AHEAD);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = scan.read(&conn, &sender) {
                // Nobody may wait for it any more.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Ok(batches)
    }
}

/// Every row's columns, in the order of the keys.
fn select(origin: &Origin) -> String {
    let names = |columns: &[Column]| {
        let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
        names.join(", ")
    };
    let all: Vec<_> = origin.table.columns().copied().collect();
    let key = origin.table.key();
    let order = if key.is_empty() {
        String::new()
    } else {
        format!(" order by {}", names(key))
    };
    let (columns, from) = (names(&all), &origin.from);
    format!("select {columns} from {from}{order} limit -1 offset ?1")
}

struct Scan {
    sql: String,
    columns: Vec<Column>,
    table: &'static str,
    has_key: bool,
    skipped: i64,
    lanes: u16,
}

impl Scan {
    /// Sends all rows, or as many as somebody waits for.
    fn read(
        &self,
        conn: &Connection,
        sender: &mpsc::Sender<Result<Vec<CopiedRow>, CopyError>>,
    ) -> Result<(), CopyError> {
        let mut statement = conn.prepare(&self.sql).map_err(StoreError::from)?;
        let mut rows = statement.query([self.skipped]).map_err(StoreError::from)?;
        let mut batch = Vec::with_capacity(BATCH_ROWS);
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            batch.push(self.row(row)?);
            if batch.len() == BATCH_ROWS {
                let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH_ROWS));
                if sender.blocking_send(Ok(full)).is_err() {
                    return Ok(());
                }
            }
        }
        if !batch.is_empty() {
            // Nobody may wait for it any more.
            let _ = sender.blocking_send(Ok(batch));
        }
        Ok(())
    }

    fn row(&self, row: &rusqlite::Row<'_>) -> Result<CopiedRow, CopyError> {
        let mut values = Vec::with_capacity(self.columns.len());
        for (number, (column, kind)) in self.columns.iter().enumerate() {
            let stored = row.get_ref(number).map_err(StoreError::from)?;
            let value = of_file(*kind, stored);
            values.push(value.map_err(|Senseless| CopyError::Malformed {
                table: self.table,
                column,
            })?);
        }
        let leads = values.first().filter(|_| self.has_key);
        let name = leads.and_then(lane_name);
        let lane = name.map_or(0, |name| lane_of(name, self.lanes));
        Ok(CopiedRow { lane, values })
    }
}
