//! What stands in a store's file, whatever its tables are called.
//!
//! Deliberately absent: the meaning of anything found.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, types::ValueRef};

/// Every row of a store that has all of these names in it, in whatever columns, also as a part of a text or of bytes.
pub fn rows_naming(file: &Path, names: &[&str]) -> Vec<String> {
    let conn = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut tables = conn
        .prepare("select name from sqlite_master where type = 'table'")
        .unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let tables: Vec<_> = tables.collect::<Result<_, _>>().unwrap();
    assert!(tables.len() > 3, "not a store: {tables:?}");
    let mut found = Vec::new();
    for table in tables {
        let mut statement = conn.prepare(&format!("select * from \"{table}\"")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<_> = (0..columns).map(|at| row.get_ref(at).unwrap()).collect();
            let named = |name: &&str| values.iter().any(|value| contains(*value, name));
            if names.iter().all(named) {
                found.push(format!("{table}: {values:?}"));
            }
        }
    }
    found
}

fn contains(value: ValueRef<'_>, name: &str) -> bool {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes
            .windows(name.len())
            .any(|window| window == name.as_bytes()),
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => false,
    }
}
