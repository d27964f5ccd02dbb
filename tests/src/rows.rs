//! What a store of either engine holds, to be asked by one query: a file as it is, the tables of a database copied into SQLite.
//!
//! A copy is of one moment. Its columns are those of the database, with ids as their bytes and truth as a number; [`Names`] gives it what
//! files name otherwise. Deliberately absent: what a store should hold.

use std::{collections::BTreeMap, path::PathBuf};

use rusqlite::{Connection, OpenFlags, params_from_iter, types::Value};
use serde_json::Value as Json;
use service_kit::postgres::{Client, PostgresUrl};
use uuid::Uuid;

use crate::postgres::connect;

/// The views of a copy: names, and what they select.
pub type Names = &'static [(&'static str, &'static str)];

/// What connection-service's store in a file names otherwise.
pub const CONNECTION_NAMES: Names = &[(
    "meta",
    "select position as head, last_time, acknowledged, pruned from head",
)];

/// What invitation-service's store in a file names otherwise.
pub const INVITATION_NAMES: Names = &[
    (
        "meta",
        "select position as head, last_time, last_id, feed_epoch, feed_position from head",
    ),
    (
        "pair_due",
        "select due, low, high from pair where due is not null",
    ),
    (
        "member_due",
        "select auto_withdraw_due as due, member from member where auto_withdraw_due is not null",
    ),
];

/// The name that a connection of SQLite has for its own database.
const OWN: &str = "main";

const COLUMNS: &str = "select c.relname::text, a.attname::text, t.typname::text from pg_class c
     join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
     join pg_type t on t.oid = a.atttypid
     where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
     order by c.relname, a.attnum";

/// A store whose rows can be looked at.
pub enum Look {
    /// In a file.
    File(PathBuf),
    /// On PostgreSQL.
    Database {
        /// The way there.
        client: Box<Client>,
        /// What to name otherwise.
        names: Names,
    },
}

impl Look {
    /// At a file.
    pub fn at_file(path: PathBuf) -> Self {
        Self::File(path)
    }

    /// At a database.
    pub async fn at_database(url: &PostgresUrl, names: Names) -> Self {
        Self::Database {
            client: Box::new(connect(url.clone()).await),
            names,
        }
    }

    /// The rows as they are now.
    pub async fn rows(&self) -> Connection {
        match self {
            Self::File(path) => {
                Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
            }
            Self::Database { client, names } => {
                let copy = Copy::read(client, names).await;
                let conn = Connection::open_in_memory().unwrap();
                copy.write(&conn, OWN);
                conn
            }
        }
    }

    /// What a database holds now. A file needs no copy.
    pub async fn copy(&self) -> Option<Copy> {
        match self {
            Self::File(_) => None,
            Self::Database { client, names } => Some(Copy::read(client, names).await),
        }
    }

    /// Puts the store beside others on a connection, under a name: a file to be read, a database as `copy` has it.
    pub fn attach(&self, conn: &Connection, name: &str, copy: Option<&Copy>) {
        let place = match self {
            Self::File(path) => format!("file:{}?mode=ro", path.display()),
            Self::Database { .. } => ":memory:".to_owned(),
        };
        conn.execute_batch(&format!("attach '{place}' as {name}"))
            .unwrap();
        if let Some(copy) = copy {
            copy.write(conn, name);
        }
    }
}

/// Everything in a database at one moment.
pub struct Copy {
    tables: BTreeMap<String, Table>,
    names: Names,
}

#[derive(Default)]
struct Table {
    /// Names and types.
    columns: Vec<(String, String)>,
    rows: Vec<Json>,
}

impl Copy {
    /// Reads all tables.
    async fn read(client: &Client, names: Names) -> Self {
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        for row in client.query(COLUMNS, &[]).await.unwrap() {
            let table = tables.entry(row.get(0)).or_default();
            table.columns.push((row.get(1), row.get(2)));
        }
        // One statement sees one moment.
        let each = tables
            .keys()
            .map(|name| format!("select '{name}', row_to_json(t)::text from \"{name}\" t"));
        let all = each.collect::<Vec<_>>().join(" union all ");
        for row in client.query(&all, &[]).await.unwrap() {
            let (name, json): (&str, &str) = (row.get(0), row.get(1));
            let row = serde_json::from_str(json).unwrap();
            tables.get_mut(name).unwrap().rows.push(row);
        }
        Self { tables, names }
    }

    /// Writes them into a database of this connection, in place of what an earlier copy wrote there.
    pub fn write(&self, conn: &Connection, schema: &str) {
        conn.execute_batch("begin").unwrap();
        for (name, table) in &self.tables {
            let columns: Vec<_> = table
                .columns
                .iter()
                .map(|(name, _)| format!("\"{name}\""))
                .collect();
            let make = format!(
                "create table if not exists {schema}.\"{name}\" ({}); delete from {schema}.\"{name}\"",
                columns.join(", ")
            );
            conn.execute_batch(&make).unwrap();
            let places = vec!["?"; columns.len()].join(", ");
            let insert = format!("insert into {schema}.\"{name}\" values ({places})");
            let mut insert = conn.prepare(&insert).unwrap();
            for row in &table.rows {
                let values = table
                    .columns
                    .iter()
                    .map(|(name, kind)| value(&row[name], kind));
                insert.execute(params_from_iter(values)).unwrap();
            }
        }
        for (name, select) in self.names {
            let view = format!("create view if not exists {schema}.{name} as {select}");
            conn.execute_batch(&view).unwrap();
        }
        conn.execute_batch("commit").unwrap();
    }
}

fn value(json: &Json, kind: &str) -> Value {
    match (json, kind) {
        (Json::Null, _) => Value::Null,
        (Json::Bool(truth), _) => Value::Integer(i64::from(*truth)),
        (Json::Number(number), _) => Value::Integer(number.as_i64().unwrap()),
        (Json::String(id), "uuid") => Value::Blob(Uuid::parse_str(id).unwrap().as_bytes().to_vec()),
        (Json::String(bytes), "bytea") => Value::Blob(unhex(bytes)),
        (Json::String(text), _) => Value::Text(text.clone()),
        (Json::Array(_) | Json::Object(_), _) => panic!("no column of {kind} is known: {json}"),
    }
}

/// The bytes of `\x…`.
fn unhex(text: &str) -> Vec<u8> {
    let digits = text.strip_prefix("\\x").unwrap().as_bytes();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}
