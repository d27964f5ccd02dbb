//! Bringing a database's tables to what the program expects.
//!
//! Several processes may begin at once: whoever has locked the first row of the list of migrations applies them, the others find them
//! applied. Deliberately absent: the way back.

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Client, Failure, Statement};

const TABLE: &str = "create table if not exists schema_migration (
    number integer primary key,
    name text not null unique,
    checksum bytea not null,
    expands boolean not null
);
insert into schema_migration (number, name, checksum, expands) values (0, '', '', false) on conflict do nothing";

const LOCK: Statement = Statement::new(
    "select number from schema_migration where number = 0 for update",
    &[],
);
const APPLIED: Statement = Statement::new(
    "select name, checksum, expands from schema_migration where number > 0 order by number",
    &[],
);
const NOTE: Statement = Statement::new(
    "insert into schema_migration (number, name, checksum, expands) values ($1, $2, $3, $4)",
    &[Type::INT4, Type::TEXT, Type::BYTEA, Type::BOOL],
);

/// How often making the list itself is tried: two processes that do so at once are in each other's way.
const ATTEMPTS_MAX: usize = 20;

/// A step of a database's tables.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Its name, which is never changed.
    pub name: &'static str,
    /// What it does; never changed once it was released.
    pub sql: &'static str,
    /// Whether the program before it goes on working after it, so that processes can be replaced one after the other.
    pub expands: bool,
}

impl Migration {
    fn checksum(&self) -> [u8; 32] {
        *blake3::hash(self.sql.as_bytes()).as_bytes()
    }
}

/// Why a database's tables are not what the program expects.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// A migration that the database has is not what the program knows under this name.
    #[error("migration {name} of the database is not the one that this program knows")]
    Changed {
        /// The name in the database.
        name: String,
    },
    /// The database has a migration that the program does not know and cannot work with.
    #[error("migration {name} of the database is unknown to this program")]
    Unknown {
        /// The name in the database.
        name: String,
    },
    /// The database lacks a migration.
    #[error("migration {name} was not applied to the database")]
    Missing {
        /// The name in the program.
        name: &'static str,
    },
    /// The database could not do it.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// Applies those of `migrations` that the database does not have yet, in order, each in a transaction of its own; how many. Safe to run
/// again, to break off, and to run in several processes at once.
///
/// [`MigrateError::Changed`] and [`MigrateError::Unknown`] before anything is changed. A migration that is unknown but
/// [expands](Migration::expands) is left alone: a newer program made it, which still lets this one work.
pub async fn migrate(client: &Client, migrations: &[Migration]) -> Result<usize, MigrateError> {
    make_list(client).await?;
    let mut count = 0;
    loop {
        client.batch_execute("begin").await.map_err(Failure::from)?;
        let stepped = step(client, migrations).await;
        let end = match stepped {
            Ok(Some(_)) => "commit",
            _ => "rollback",
        };
        client.batch_execute(end).await.map_err(Failure::from)?;
        let Some(name) = stepped? else {
            return Ok(count);
        };
        tracing::info!(name, "migrated");
        count += 1;
    }
}

async fn make_list(client: &Client) -> Result<(), Failure> {
    let mut attempts = 0;
    loop {
        attempts += 1;
        match client.batch_execute(TABLE).await.map_err(Failure::from) {
            Err(Failure::Conflict(_)) if attempts < ATTEMPTS_MAX => {}
            ended => return ended,
        }
    }
}

/// Until the end of the transaction nobody else migrates the database, opens a store in it or begins a copy into it.
pub(super) async fn lock(client: &Client) -> Result<(), Failure> {
    LOCK.query(client, &[]).await?;
    Ok(())
}

/// Applies the first that is missing; its name.
async fn step(
    client: &Client,
    migrations: &[Migration],
) -> Result<Option<&'static str>, MigrateError> {
    lock(client).await?;
    let applied = check(&APPLIED.query(client, &[]).await?, migrations)?;
    let Some(next) = migrations.get(applied) else {
        return Ok(None);
    };
    let run = client.batch_execute(next.sql).await;
    run.map_err(Failure::from)?;
    let number = i32::try_from(applied).unwrap_or(i32::MAX).saturating_add(1);
    let checksum = next.checksum();
    NOTE.query(
        client,
        &[&number, &next.name, &checksum.as_slice(), &next.expands],
    )
    .await?;
    Ok(Some(next.name))
}

/// Whether the database has all `migrations`, and none that the program cannot work with; changes nothing.
pub async fn check_migrations(
    client: &Client,
    migrations: &[Migration],
) -> Result<(), MigrateError> {
    let applied = check(&APPLIED.query(client, &[]).await?, migrations)?;
    match migrations.get(applied) {
        None => Ok(()),
        Some(missing) => Err(MigrateError::Missing { name: missing.name }),
    }
}

/// How many of `migrations` the database has.
fn check(rows: &[Row], migrations: &[Migration]) -> Result<usize, MigrateError> {
    let mut known = migrations.iter();
    for row in rows {
        let name: String = row.try_get(0).map_err(Failure::from)?;
        let checksum: &[u8] = row.try_get(1).map_err(Failure::from)?;
        let expands: bool = row.try_get(2).map_err(Failure::from)?;
        match known.next() {
            None if expands => {}
            None => return Err(MigrateError::Unknown { name }),
            Some(own) if own.name != name || own.checksum() != checksum => {
                return Err(MigrateError::Changed { name });
            }
            Some(_) => {}
        }
    }
    Ok(rows.len().min(migrations.len()))
}
