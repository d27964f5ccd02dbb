//! The store's duties over a real file: every command, every read, restarts, and that everything agrees with the pairs.
//!
//! Deliberately absent: the rules' tables (beside the rules) and the wire (in the workspace's tests).

mod cards;
mod erasing;
mod feed;
mod importing;
mod labels;
mod labels_counted;
mod labels_listed;
mod labels_random;
mod lists;
mod pairs;
mod random;
mod retention;

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::Connection;
use service_kit::clock::ManualClock;
use service_kit::environment::Environment;
use service_kit::group_commit::GroupCommitOptions;
use service_kit::id::{MemberId, PairKey};
use service_kit::metrics::work::WorkMetrics;
use service_kit::sqlite::{SqliteOptions, Synchronous};
use service_kit::time::{Span, Time};
use tempfile::TempDir;
use uuid::Uuid;

use super::SqliteStore;
use crate::domain::ensure::{Acceptance, Verdict};
use crate::domain::fixtures::{at, id, key};
use crate::domain::import::{Outcome, Reason};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::store::{Act, Acted, Ensured, Imported, ListRequest, Store};
use crate::worker;

/// A store in a folder of its own, with a clock that moves when told to.
struct Fixture {
    folder: TempDir,
    clock: ManualClock,
    policy: Policy,
    store: SqliteStore,
}

const START: Time = at(1_000_000);

impl Fixture {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(START);
        let store = open(&folder, policy, &clock).unwrap();
        Self {
            folder,
            clock,
            policy,
            store,
        }
    }

    /// Closes the store and opens it again, as a new process would.
    async fn restart(&mut self) {
        self.store.close().await;
        self.store = open(&self.folder, self.policy, &self.clock).unwrap();
    }

    fn tick(&self, millis: i64) {
        self.clock.advance(Span::millis(millis));
    }

    async fn ensure(
        &self,
        invitation: u128,
        number: u32,
        inviter: &str,
        acceptor: &str,
    ) -> Ensured {
        use service_kit::clock::Clock as _;
        self.ensure_at(invitation, number, inviter, acceptor, self.clock.now())
            .await
    }

    async fn ensure_at(
        &self,
        invitation: u128,
        number: u32,
        inviter: &str,
        acceptor: &str,
        accept_time: Time,
    ) -> Ensured {
        let key = key(inviter, acceptor);
        let acceptance = Acceptance {
            invitation: Uuid::from_u128(invitation),
            number,
            accept_time,
            acceptor: key.side_of(&id(acceptor)).unwrap(),
        };
        self.store.ensure_connection(key, acceptance).await.unwrap()
    }

    /// Connects two members at the present moment.
    async fn connect(&self, a: &str, b: &str) -> u64 {
        let invitation = u128::from(self.head().await) << 64 | u128::from(b.len() as u64) | 7;
        let ensured = self.ensure(invitation, 1, a, b).await;
        assert!(
            matches!(ensured.verdict, Verdict::Created { .. }),
            "{ensured:?}"
        );
        ensured.position
    }

    /// Imports pairs as connected at the present moment; what became of each.
    async fn import(&self, pairs: &[(&str, &str)]) -> Vec<Outcome> {
        use service_kit::clock::Clock as _;
        let connect_time = self.clock.now();
        let imported = pairs.iter().map(|(a, b)| Imported {
            key: key(a, b),
            connect_time,
        });
        self.store.import(imported.collect()).await.unwrap()
    }

    async fn remove(&self, member: &str, other: &str) -> Result<Acted, Refusal> {
        self.store
            .remove_connection(act(member, other), None)
            .await
            .unwrap()
    }

    async fn block(&self, member: &str, other: &str) -> Result<Acted, Refusal> {
        self.store.block_member(act(member, other)).await.unwrap()
    }

    async fn unblock(&self, member: &str, other: &str) -> Result<Acted, Refusal> {
        self.store.unblock_member(act(member, other)).await.unwrap()
    }

    async fn head(&self) -> u64 {
        self.store.feed_state().await.unwrap().head
    }

    async fn round(&self) {
        worker::round(&self.store, &WorkMetrics::default())
            .await
            .unwrap();
    }

    /// The others in a member's list of connections, newest first.
    async fn connections(&self, member: &str) -> Vec<String> {
        let page = self
            .store
            .connections(id(member), ListRequest::newest(1_000))
            .await
            .unwrap();
        assert_eq!(page.total.number as usize, page.lines.len(), "{member}");
        page.lines
            .iter()
            .map(|line| line.other.to_string())
            .collect()
    }

    async fn blocks(&self, member: &str) -> Vec<String> {
        let page = self.store.blocks(id(member), None, 1_000).await;
        names(&page.unwrap().lines)
    }

    /// The file as another connection sees it.
    fn file(&self) -> Connection {
        Connection::open(self.folder.path().join("connections.db")).unwrap()
    }

    /// Checks everything that follows from the pairs against the pairs.
    fn check(&self) {
        check_counts(&self.file());
    }
}

fn open(
    folder: &TempDir,
    policy: Policy,
    clock: &ManualClock,
) -> Result<SqliteStore, service_kit::sqlite::OpenError> {
    let mut options = SqliteOptions::new(folder.path().join("connections.db"));
    // No test pulls the plug.
    options.synchronous = Synchronous::Normal;
    SqliteStore::open(
        options,
        GroupCommitOptions::default(),
        policy,
        Environment::system(Arc::new(clock.clone())),
    )
}

fn act(member: &str, other: &str) -> Act {
    Act::new(&id(member), &id(other)).unwrap()
}

fn names(lines: &[crate::store::Line]) -> Vec<String> {
    lines.iter().map(|line| line.other.to_string()).collect()
}

type Lines = Vec<(String, i64, String)>;

fn lines(conn: &Connection, sql: &str) -> Lines {
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

fn check_counts(conn: &Connection) {
    let connections = both(conn, "connect_time", "connect_time");
    let blocks = both(conn, "blocked_by_low_time", "blocked_by_high_time");
    let marks = both(conn, "removed_by_low_time", "removed_by_high_time");
    assert_eq!(connections, lines(conn, "select * from connection"));
    assert_eq!(blocks, lines(conn, "select * from block"));
    assert_eq!(marks, lines(conn, "select * from removal_mark"));
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
    labels_counted::check(conn);
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
fn is_named(conn: &Connection, text: &str) -> Vec<String> {
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

fn pairs(a: &str, others: &[&str]) -> Vec<PairKey> {
    others.iter().map(|b| key(a, b)).collect()
}

fn ids(texts: &[&str]) -> Vec<MemberId> {
    texts.iter().map(|text| id(text)).collect()
}
