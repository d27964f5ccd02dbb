//! The recount: everything that follows from the pairs, compared with them, in the rows of a store of any engine.
//!
//! Deliberately absent: what follows from notes (see `notes`).

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::notes;

pub(crate) type Lines = Vec<(String, i64, String)>;

pub(crate) fn lines(conn: &Connection, sql: &str) -> Lines {
    let mut statement = conn.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    let mut lines: Lines = rows.unwrap().map(Result::unwrap).collect();
    lines.sort();
    lines
}

/// Both sides of a column of `pair` as lines of a list.
fn both(conn: &Connection, low: &str, high: &str) -> Lines {
    lines(
        conn,
        &format!(
            "select low, {low}, high from pair where {low} is not null
             union all select high, {high}, low from pair where {high} is not null"
        ),
    )
}

/// Checks everything that follows from the pairs against the pairs.
pub(crate) fn check(conn: &Connection) {
    let connections = both(conn, "connect_time", "connect_time");
    let blocks = both(conn, "blocked_by_low_time", "blocked_by_high_time");
    let marks = both(conn, "removed_by_low_time", "removed_by_high_time");
    assert_eq!(
        connections,
        lines(conn, "select member, connect_time, other from connection")
    );
    assert_eq!(
        blocks,
        lines(conn, "select member, block_time, other from block")
    );
    assert_eq!(
        marks,
        lines(conn, "select member, removed_time, other from removal_mark")
    );
    let mut counted: BTreeMap<String, [i64; 3]> = BTreeMap::new();
    for (column, lines) in [connections, blocks, marks].iter().enumerate() {
        for (member, ..) in lines {
            counted.entry(member.clone()).or_default()[column] += 1;
        }
    }
    // Members being erased have no row; what is left of their pairs is counted nowhere.
    let mut statement = conn
        .prepare("select member, connections, blocks, removal_marks from member")
        .unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            row.get::<_, String>(0)?,
            [row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?],
        ))
    });
    for row in rows.unwrap() {
        let (member, stored) = row.unwrap();
        assert_eq!(
            stored,
            counted.remove(&member).unwrap_or_default(),
            "{member}"
        );
    }
    let mut erasing = conn
        .prepare("select 1 from erasure where member = ?1")
        .unwrap();
    for member in counted.keys() {
        assert!(erasing.exists([member]).unwrap(), "{member} has no row");
    }
    notes::check(conn);
    // Positions have no gap.
    let (first, last, count): (Option<i64>, Option<i64>, i64) = conn
        .query_row(
            "select min(position), max(position), count(*) from fact",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    let (head, pruned): (i64, i64) = conn
        .query_row("select head, pruned from meta", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert_eq!(count, head - pruned);
    assert_eq!(first.unwrap_or(head + 1), pruned + 1);
    assert_eq!(last.unwrap_or(pruned), head);
    // No pair is kept that holds nothing.
    let empty: i64 = conn
        .query_row(
            "select count(*) from pair where coalesce(connect_time, blocked_by_low_time,
                 blocked_by_high_time, removed_by_low_time, removed_by_high_time) is null",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(empty, 0);
}

/// Whether the text stands anywhere in the store, in any table.
pub(crate) fn is_named(conn: &Connection, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut statement = conn
        .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
        .unwrap();
    let tables: Vec<String> = statement
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for table in tables {
        let mut rows = conn.prepare(&format!("select * from {table}")).unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                let value = row.get_ref(column).unwrap();
                if value.as_str().is_ok_and(|value| value == text) {
                    found.push(table.clone());
                }
            }
        }
    }
    found
}
