//! Copying an embedded store into a database: every row of every table, in batches that can be gone on with; then a comparison of both
//! sides; then the end of the history, which makes a store of it.
//!
//! The tables of both engines have the same columns by the same names, so a row is taken over value by value and nothing is decoded; what
//! it gets beside is its lane, which is that of the first column of its key, or 0 where that is a number. What shows that a copy has not ended is the row of
//! `unfinished_copy`: it names the source and says how far the copy has come, and it is changed in the transaction of each batch. It goes
//! in the transaction that writes the row of `head`, with which the database becomes a store with the secret, the epochs and the positions
//! of the file; no service opens it before ([`OpenError::Unfinished`](super::OpenError::Unfinished)).
//!
//! Deliberately absent: which tables a service has ([`CopyPlan`] says so), and showing how far it is.

mod digest;
mod source;
mod target;
mod value;

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::time::Instant;

use self::digest::Digest;
use self::source::Source;
use self::target::Progress;
use super::{
    Client, Connector, Failure, Kind, MigrateError, Migration, PostgresOptions, PostgresUrl,
    SetupError, Statement, Table, TableShape, migrate,
};
use crate::error::StoreError;
use crate::sqlite::{OpenError, SqliteOptions};

pub(super) use target::is_unfinished;

/// The table that shows an unfinished copy, to be part of each service's migrations.
pub const COPY_SQL: &str = "
-- One row while an embedded store is being copied into the database, which no service opens meanwhile; else none.
create table unfinished_copy (
    lane integer primary key check (lane = 0),
    source bytea not null,                -- stands for the store that is copied, and the last start of a service on it
    lanes integer not null,               -- over how many lanes rows are spread
    table_name text not null,             -- what is being copied; the tables before it are whole
    copied bigint not null                -- how many of its rows are here
);
";

/// How many rows go in one transaction.
const BATCH_ROWS: usize = 4_000;

/// The epochs, as every store has them.
static EPOCH: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "epoch",
        key: &[("number", Kind::Big)],
        rest: &[
            ("id", Kind::Bytes),
            ("first_position", Kind::Big),
            ("batch", Kind::Big),
        ],
        versioned: false,
    })
});
/// No process of the database has committed anything in them.
const EPOCHS_OF_FILE: &str = "(select number, id, first_position, 0 as batch from epoch)";

/// What is copied.
#[derive(Clone, Debug)]
pub struct CopyPlan {
    /// By which name the server's list of sessions shows the copy's.
    pub component: &'static str,
    /// The tables of the embedded store.
    pub from: &'static [(&'static str, &'static str)],
    /// The tables of the database.
    pub to: &'static [Migration],
    /// Every table but for the history's; the file has a table or view of the same name with all of its columns.
    pub tables: Vec<&'static Table>,
    /// The row of the history's end: a table without a key, whose columns include `lanes`.
    pub head: &'static Table,
    /// What the file has of it, but for `lanes`: a subquery of one row.
    pub head_from: &'static str,
}

impl CopyPlan {
    /// Every statement of a copy, but for those that go through a whole table.
    pub fn statements(&self) -> Vec<Statement> {
        let tables = self.tables.iter().copied().chain([&*EPOCH, self.head]);
        let inserts = tables.map(Table::insert_statement);
        inserts.chain(target::statements()).collect()
    }
}

/// A table of the database, and what the file has in its place.
struct Origin {
    table: &'static Table,
    /// A table, a view or a subquery with the table's columns.
    from: Cow<'static, str>,
}

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// There is nothing to copy.
    #[error("there is no store in {}", .0.display())]
    Missing(PathBuf),
    /// The file is in use, or is no store that this program knows.
    #[error("the store to copy cannot be used")]
    Source(#[from] OpenError),
    /// The file could not be read.
    #[error("the store to copy cannot be read")]
    Unreadable(#[from] StoreError),
    /// A value is not what its column holds.
    #[error("the store to copy is corrupt: {column} of {table} makes no sense in one of its rows")]
    Malformed {
        /// The table.
        table: &'static str,
        /// The column.
        column: &'static str,
    },
    /// The database cannot be used as it is configured.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The database's tables are not what the program expects.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The database could not be reached, read or written.
    #[error("the database to copy into")]
    Failed(#[from] Failure),
    /// The copy of this store was finished before.
    #[error(
        "the database holds this store already, or what became of it since; nothing was copied"
    )]
    Finished,
    /// The database is in use.
    #[error("the database is not empty: {table} has rows; a copy needs a database of its own")]
    NotEmpty {
        /// The table.
        table: &'static str,
    },
    /// The database has a part of something else.
    #[error(
        "the database holds an unfinished copy of another store, or of this one before a service was started on it again; make the database anew, \
         then copy"
    )]
    OtherSource,
    /// What was written is not what was read.
    #[error(
        "{table} is not the same on both sides: {file} in the file, {database} in the database; the copy stays unfinished"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// What the file has.
        file: Digest,
        /// What the database has.
        database: Digest,
    },
}

/// What has been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// So many rows more of a table are in the database.
    Copied {
        /// The table.
        table: &'static str,
        /// How many.
        rows: u64,
    },
    /// So many rows more of a table were read again, to be compared.
    Compared {
        /// The table.
        table: &'static str,
        /// How many.
        rows: u64,
    },
    /// A table is the same on both sides.
    Same {
        /// The table.
        table: &'static str,
        /// How many rows it has.
        rows: u64,
        /// How long this run has copied and compared it.
        took: Duration,
    },
}

/// A copy that was begun, or is gone on with. While it lives no service can have the file.
pub struct StoreCopy {
    source: Source,
    client: Client,
    origins: Vec<Origin>,
    head: Origin,
    progress: Progress,
}

impl StoreCopy {
    /// Takes the file for itself, brings the tables on both sides to what the program expects, and begins a copy in a database that is
    /// empty; or finds where an earlier one of the same store has ended. A new one spreads its rows over `options.lanes`.
    pub async fn begin(
        from: SqliteOptions,
        to: PostgresUrl,
        options: &PostgresOptions,
        plan: CopyPlan,
    ) -> Result<Self, CopyError> {
        let source = Source::open(from, plan.from)?;
        let identity = source.identity()?;
        let connector = Connector::new(to, options, plan.component)?;
        let (client, _) = connector.connect().await?;
        migrate(&client, plan.to).await?;
        let tables = plan.tables.iter().map(|table| Origin {
            table,
            from: table.name().into(),
        });
        let epochs = Origin {
            table: &EPOCH,
            from: EPOCHS_OF_FILE.into(),
        };
        let origins: Vec<_> = tables.chain([epochs]).collect();
        let progress = target::begin(&client, &identity, &origins, options.lanes).await?;
        let lanes = progress.lanes;
        let head = Origin {
            table: plan.head,
            from: format!("(select {lanes} as lanes, h.* from {} h)", plan.head_from).into(),
        };
        Ok(Self {
            source,
            client,
            origins,
            head,
            progress,
        })
    }

    /// How many rows there are in the file, and how many of them an earlier run has copied. They take a while to count.
    pub fn rows(&self) -> Result<(u64, u64), CopyError> {
        let (mut all, mut copied) = (0_u64, 0_u64);
        let mut reached = false;
        for origin in &self.origins {
            let rows = self.source.count(origin)?;
            all = all.saturating_add(rows);
            if origin.table.name() == self.progress.table {
                reached = true;
                copied = copied.saturating_add(self.progress.copied);
            } else if !reached {
                copied = copied.saturating_add(rows);
            }
        }
        Ok((all, copied))
    }

    /// Copies what is not in the database yet, compares all of it and ends the copy. `told` hears of each step. Broken off anywhere, it can be
    /// begun again.
    pub async fn run(mut self, mut told: impl FnMut(Step)) -> Result<(), CopyError> {
        let mut spent = Vec::with_capacity(self.origins.len());
        let origins = std::mem::take(&mut self.origins);
        let at = |origin: &Origin| origin.table.name() == self.progress.table;
        let begins = origins.iter().position(at).ok_or_else(|| {
            StoreError::corrupt("an unfinished copy is at a table that there is not")
        })?;
        for (number, origin) in origins.iter().enumerate() {
            let began = Instant::now();
            if number >= begins {
                self.copy(origin, &mut told).await?;
            }
            // How many rows there are is what the server plans by; it would find out by itself some time later.
            target::analyze(&self.client, origin.table).await?;
            spent.push(began.elapsed());
        }
        for (origin, copying) in origins.iter().zip(spent) {
            let began = Instant::now();
            let table = origin.table.name();
            let rows = self.compare(origin, &mut told).await?;
            told(Step::Same {
                table,
                rows,
                took: copying.saturating_add(began.elapsed()),
            });
        }
        self.end().await
    }

    async fn copy(
        &mut self,
        origin: &Origin,
        told: &mut impl FnMut(Step),
    ) -> Result<(), CopyError> {
        let table = origin.table.name();
        if self.progress.table != table {
            let next = self.progress.at(table, 0);
            target::step(&self.client, &self.progress, &next).await?;
            self.progress = next;
        }
        let lanes = self.progress.lanes;
        let mut batches = self.source.scan(origin, self.progress.copied, lanes)?;
        while let Some(batch) = batches.recv().await {
            let batch = batch?;
            let rows = batch.len() as u64;
            let next = self
                .progress
                .at(table, self.progress.copied.saturating_add(rows));
            target::write(&self.client, origin.table, batch, &self.progress, &next).await?;
            self.progress = next;
            told(Step::Copied { table, rows });
        }
        Ok(())
    }

    /// How many rows there are on both sides, which are the same.
    async fn compare(
        &self,
        origin: &Origin,
        told: &mut impl FnMut(Step),
    ) -> Result<u64, CopyError> {
        let (file, database) = futures::try_join!(
            self.digest(origin, told),
            target::digest(&self.client, origin.table)
        )?;
        same(origin.table, file, database)
    }

    /// What the file has of a table.
    async fn digest(
        &self,
        origin: &Origin,
        told: &mut impl FnMut(Step),
    ) -> Result<Digest, CopyError> {
        let table = origin.table.name();
        let mut digest = Digest::default();
        let mut batches = self.source.scan(origin, 0, self.progress.lanes)?;
        while let Some(batch) = batches.recv().await {
            let batch = batch?;
            for row in &batch {
                digest.add(row.lane, &row.values);
            }
            let rows = batch.len() as u64;
            told(Step::Compared { table, rows });
        }
        Ok(digest)
    }

    async fn end(self) -> Result<(), CopyError> {
        let mut rows = Vec::new();
        let mut batches = self.source.scan(&self.head, 0, self.progress.lanes)?;
        while let Some(batch) = batches.recv().await {
            rows.extend(batch?);
        }
        target::end(&self.client, self.head.table, rows, &self.progress).await
    }
}

fn same(table: &'static Table, file: Digest, database: Digest) -> Result<u64, CopyError> {
    if file == database {
        return Ok(file.rows);
    }
    Err(CopyError::Differs {
        table: table.name(),
        file,
        database,
    })
}
