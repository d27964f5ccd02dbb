//! The bounds of a write transaction, for engines whose connection lies inside what their commands work on.
//!
//! Deliberately absent: what lies between the two, and transactions that only read (see [`super::Readers`]).

use rusqlite::Connection;

use crate::crash;
use crate::error::StoreError;

/// Begins a write transaction. What follows is ended by [`end`], whatever becomes of it.
pub fn begin(conn: &Connection) -> Result<(), StoreError> {
    conn.prepare_cached("begin immediate")?.execute([])?;
    crash::point("commit.begun");
    Ok(())
}

/// Commits when `outcome` is `Ok`; when it is not, or the commit fails, rolls back and returns the error: then nothing has been
/// stored.
pub fn end<E: From<StoreError>>(conn: &Connection, outcome: Result<(), E>) -> Result<(), E> {
    let run = |sql| -> Result<(), StoreError> {
        conn.prepare_cached(sql)?.execute([])?;
        Ok(())
    };
    let ended = outcome.and_then(|()| {
        crash::point("commit.ready");
        run("commit")?;
        crash::point("commit.done");
        Ok(())
    });
    // After some errors SQLite has rolled back by itself.
    if ended.is_err() && !conn.is_autocommit() {
        run("rollback")?;
    }
    ended
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSERT: &str = "insert into t values (1)";

    fn with_table() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        let sql =
            "create table t (x); pragma foreign_keys = on; create table parent (x primary key);
            create table child (x references parent deferrable initially deferred)";
        conn.execute_batch(sql).unwrap();
        conn
    }

    fn count(conn: &Connection) -> i64 {
        conn.query_row("select count(*) from t", [], |row| row.get(0))
            .unwrap()
    }

    fn transaction(conn: &Connection, sql: &str) -> Result<(), StoreError> {
        begin(conn)?;
        let outcome = conn
            .execute(INSERT, [])
            .and_then(|_| conn.execute_batch(sql));
        end(conn, outcome.map_err(StoreError::from))
    }

    #[test]
    fn a_transaction_is_all_or_nothing() {
        let conn = with_table();
        assert_eq!(transaction(&conn, ""), Ok(()));
        assert_eq!(count(&conn), 1);
        let refusal = |conn: &Connection| {
            begin(conn)?;
            conn.execute(INSERT, [])?;
            end(conn, Err(StoreError::Overloaded))
        };
        assert_eq!(refusal(&conn), Err(StoreError::Overloaded));
        assert_eq!((count(&conn), conn.is_autocommit()), (1, true));
    }

    #[test]
    fn a_full_disk_leaves_nothing_and_passes() {
        let conn = with_table();
        let fill = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 100)
            insert into t select randomblob(1000) from n";
        conn.execute_batch("pragma max_page_count = 10").unwrap();
        let full = transaction(&conn, fill).unwrap_err();
        assert!(matches!(full, StoreError::Unavailable(_)), "{full}");
        assert_eq!((count(&conn), conn.is_autocommit()), (0, true));
        conn.execute_batch("pragma max_page_count = 1000").unwrap();
        assert_eq!(transaction(&conn, fill), Ok(()));
        assert_eq!(count(&conn), 101);
    }

    #[test]
    fn a_commit_that_fails_leaves_nothing() {
        let conn = with_table();
        transaction(&conn, "insert into child values (7)").unwrap_err();
        assert_eq!((count(&conn), conn.is_autocommit()), (0, true));
        assert_eq!(transaction(&conn, ""), Ok(()));
        assert_eq!(count(&conn), 1);
    }

    #[test]
    fn a_transaction_that_was_rolled_back_already_is_not_rolled_back_again() {
        let conn = with_table();
        let wrong = "insert or rollback into parent values (1), (1)";
        let failed = transaction(&conn, wrong).unwrap_err();
        assert!(failed.to_string().contains("UNIQUE"), "{failed}");
        assert_eq!(count(&conn), 0);
    }
}
