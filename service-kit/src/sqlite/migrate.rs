//! Bringing a store's tables to what the program expects.
//!
//! Deliberately absent: the way back. A program never runs on tables that a newer one has made.

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::OpenError;
use crate::crash;

const SCHEMA_MIGRATION_SQL: &str = "create table if not exists schema_migration (
    number integer primary key,
    name text not null unique,
    checksum blob not null
) strict;";

/// Applies those of `migrations` (name, SQL) that the store does not have yet, in order, each in a transaction of its own. Safe
/// to run again, and safe to break off.
///
/// [`OpenError::ChangedMigration`] when one that the store has differs in name, place or SQL from the one given,
/// [`OpenError::UnknownMigration`] when the store has more than are given: then nothing is changed. [`OpenError::Sqlite`] when
/// one fails: those before it stay.
pub fn migrate(conn: &mut Connection, migrations: &[(&str, &str)]) -> Result<(), OpenError> {
    conn.execute_batch(SCHEMA_MIGRATION_SQL)?;
    let applied = check_migrations(conn, migrations)?;
    for ((name, sql), number) in migrations.iter().zip(1_i64..).skip(applied) {
        let tx = Transaction::new(conn, TransactionBehavior::Immediate)?;
        tx.execute_batch(sql)?;
        tx.execute(
            "insert into schema_migration (number, name, checksum) values (?1, ?2, ?3)",
            params![number, name, blake3::hash(sql.as_bytes()).as_bytes()],
        )?;
        crash::point("start.migrating");
        tx.commit()?;
        crash::point("start.migrated");
        tracing::info!(name, "migrated");
    }
    Ok(())
}

/// How many of `migrations` the store has. Fails where it has others, or is no store.
pub(crate) fn check_migrations(
    conn: &Connection,
    migrations: &[(&str, &str)],
) -> Result<usize, OpenError> {
    let mut known = migrations.iter();
    let applied = applied(conn)?;
    let count = applied.len();
    for (name, checksum) in applied {
        let Some((known_name, sql)) = known.next() else {
            return Err(OpenError::UnknownMigration { name });
        };
        if name != *known_name || checksum != blake3::hash(sql.as_bytes()).as_bytes() {
            return Err(OpenError::ChangedMigration { name });
        }
    }
    Ok(count)
}

fn applied(conn: &Connection) -> rusqlite::Result<Vec<(String, Vec<u8>)>> {
    let mut statement =
        conn.prepare("select name, checksum from schema_migration order by number")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: (&str, &str) = (
        "0001_first",
        "create table a (x); insert into a values (1);",
    );
    const SECOND: (&str, &str) = ("0002_second", "create table b (x);");

    #[test]
    fn migrations_are_applied_once_and_in_order() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, &[FIRST]).unwrap();
        migrate(&mut conn, &[FIRST]).unwrap();
        migrate(&mut conn, &[FIRST, SECOND]).unwrap();
        let rows: i64 = conn
            .query_row("select count(*) from a", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 1);
        conn.execute("insert into b values (1)", []).unwrap();
    }

    #[test]
    fn migrations_that_do_not_fit_change_nothing() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate(&mut conn, &[FIRST, SECOND]).unwrap();
        let changed = [FIRST, ("0002_second", "create table c (x);")];
        for other in [
            &changed[..],
            &[SECOND, FIRST],
            &[("0001_other", FIRST.1), SECOND],
        ] {
            let refused = migrate(&mut conn, other);
            assert!(
                matches!(refused, Err(OpenError::ChangedMigration { .. })),
                "{refused:?}"
            );
        }
        let Err(OpenError::UnknownMigration { name }) = migrate(&mut conn, &[FIRST]) else {
            panic!("an older program ran on a newer store")
        };
        assert_eq!(name, SECOND.0);
        let third = ("0003_third", "create table d (x); create table d (x);");
        assert!(matches!(
            migrate(&mut conn, &[FIRST, SECOND, third]),
            Err(OpenError::Sqlite(_))
        ));
        assert!(
            conn.execute("insert into d values (1)", []).is_err(),
            "rolled back as a whole"
        );
        migrate(&mut conn, &[FIRST, SECOND]).unwrap();
    }
}
