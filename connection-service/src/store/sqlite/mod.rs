//! The store on `SQLite`: one file, one writer whose commits are shared, some readers.
//!
//! Deliberately absent: rules and the order of writes (see `store::transaction`), and waiting for anything but the store itself.

mod cards;
mod codec;
mod feed;
mod held;
mod label_rows;
mod labels;
mod lists;
mod metrics;
mod network;
mod reads;
mod rows;
mod store;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use rusqlite::{Connection, params};
use service_kit::clock::Clock;
use service_kit::environment::{Environment, Random};
use service_kit::epoch::{EPOCH_SQL, Epochs};
use service_kit::error::StoreError;
use service_kit::feed::Hub;
use service_kit::group_commit::{Engine, GroupCommit, GroupCommitOptions, Undone};
use service_kit::id::{MemberId, PairKey};
use service_kit::metrics::store::StoreMetrics;
use service_kit::secret::StoreSecret;
use service_kit::sqlite::{
    self, Checkpointer, OpenError, Readers, SqliteFile, SqliteOptions, migrate,
};
use service_kit::store_health::StoreHealth;
use service_kit::time::Time;
use tokio::sync::watch;

use self::rows::SqliteRows;
use super::erasure::erased_hash;
use super::roster::Rosters;
use super::rows::{Head, Rows};
use crate::domain::member::Member;
use crate::domain::pair::Pair;
use crate::domain::policy::Policy;

/// The tables, step by step; each is applied once and never changed afterwards.
pub const MIGRATIONS: &[(&str, &str)] = &[
    (
        "0001_connections",
        include_str!("../migrations/0001_connections.sql"),
    ),
    ("0002_epochs", EPOCH_SQL),
    ("0003_cards", include_str!("../migrations/0003_cards.sql")),
    ("0004_labels", include_str!("../migrations/0004_labels.sql")),
    (
        "0005_dismissals",
        include_str!("../migrations/0005_dismissals.sql"),
    ),
    (
        "0006_verdicts_by_age",
        include_str!("../migrations/0006_verdicts_by_age.sql"),
    ),
];

/// The store on `SQLite`. Clones are the same store.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    writer: GroupCommit<SqliteEngine>,
    readers: Readers,
    rosters: Rosters,
    /// Held by whoever builds a roster: one at a time, so that those who wait for the same one find it.
    building: tokio::sync::Mutex<()>,
    clock: Arc<dyn Clock>,
    policy: Policy,
    secret: Arc<StoreSecret>,
    epochs: Epochs,
    hub: Hub,
    acknowledged: watch::Receiver<u64>,
    metrics: StoreMetrics,
    file: PathBuf,
    health: StoreHealth,
}

impl SqliteStore {
    /// Opens the store, makes or migrates its tables, and begins an epoch. Fails with [`OpenError::InUse`] while another process
    /// has it open.
    pub fn open(
        options: SqliteOptions,
        group_commit: GroupCommitOptions,
        policy: Policy,
        environment: Environment,
    ) -> Result<Self, OpenError> {
        let Environment {
            clock,
            random,
            executor,
        } = environment;
        let file = SqliteFile::open(options)?;
        let mut conn = file.writer()?;
        migrate(&mut conn, MIGRATIONS)?;
        let secret = Arc::new(read_or_make_secret(&conn, &*random)?);
        let head = read_head(&conn)?;
        let epochs = Epochs::begin(&conn, head.position, &*random)?;
        let readers = file.readers(executor)?;
        let checkpointer = file.checkpointer(executor, &mut conn)?;
        let (metrics, path) = (file.metrics().clone(), file.path().to_owned());
        let hub = Hub::new();
        hub.publish(head.position, []);
        let (tell, acknowledged) = watch::channel(head.acknowledged);
        let engine = SqliteEngine {
            rows: SqliteRows::new(conn, clock.clone(), secret.clone()),
            hub: hub.clone(),
            acknowledged: tell,
            _checkpointer: checkpointer,
            _file: file,
        };
        let of_writer = metrics.writer.clone();
        let writer = GroupCommit::start(engine, "store-writer", group_commit, executor, of_writer)
            .map_err(OpenError::Thread)?;
        Ok(Self {
            shared: Arc::new(Shared {
                writer,
                readers,
                rosters: Rosters::new(policy.roster_bytes_max),
                building: tokio::sync::Mutex::new(()),
                clock,
                policy,
                secret,
                epochs,
                hub,
                acknowledged,
                metrics,
                file: path,
                health: StoreHealth::new(),
            }),
        })
    }
}

/// The writer's side. The order of the fields is the order in which they are dropped: the connection, then the thread that
/// empties the log, then the lock.
struct SqliteEngine {
    rows: SqliteRows,
    hub: Hub,
    acknowledged: watch::Sender<u64>,
    _checkpointer: Option<Checkpointer>,
    _file: SqliteFile,
}

impl Engine for SqliteEngine {
    type Work = dyn Rows;

    fn transaction(
        &mut self,
        _commands: usize,
        body: &mut dyn FnMut(&mut Self::Work) -> Result<(), StoreError>,
    ) -> Result<(), Undone> {
        let rows = &mut self.rows;
        rows.reset();
        sqlite::begin(&rows.conn)?;
        let ran = body(rows).map_err(Undone::Body);
        let outcome = ran.and_then(|()| Ok(rows.flush()?));
        sqlite::end(&rows.conn, outcome)
    }

    fn committed(&mut self) {
        if let Some(position) = self.rows.acknowledged {
            self.acknowledged.send_replace(position);
        }
        if let Ok(head) = self.rows.head()
            && !self.rows.named.is_empty()
        {
            let named = self.rows.named.iter().map(MemberId::as_str);
            self.hub.publish(head.position, named);
        }
    }
}

fn read_or_make_secret(conn: &Connection, random: &dyn Random) -> Result<StoreSecret, StoreError> {
    let found = rows::optional(conn.query_row("select secret from meta", [], |row| {
        row.get::<_, Vec<u8>>(0)
    }))?;
    if let Some(bytes) = found {
        return StoreSecret::from_bytes(&bytes)
            .ok_or_else(|| StoreError::corrupt("the secret has a wrong length"));
    }
    let secret = StoreSecret::generate(random)?;
    conn.execute(
        "insert into meta (one, secret, head, last_time, acknowledged, pruned)
         values (1, ?1, 0, ?2, 0, 0)",
        params![secret.as_bytes(), i64::MIN],
    )?;
    Ok(secret)
}

fn read_head(conn: &Connection) -> Result<Head, StoreError> {
    let mut statement =
        conn.prepare_cached("select head, last_time, acknowledged, pruned from meta")?;
    let mut rows = statement.query([])?;
    let row = rows.next()?;
    let row = row.ok_or_else(|| StoreError::corrupt("the store has lost its head"))?;
    Ok(Head {
        position: codec::position(row, 0)?,
        last_time: codec::time(row, 1)?,
        acknowledged: codec::position(row, 2)?,
        pruned: codec::position(row, 3)?,
    })
}

fn read_pair(conn: &Connection, key: &PairKey) -> Result<Pair, StoreError> {
    let mut statement = conn.prepare_cached(
        "select connect_time, invitation_id, blocked_by_low_time, blocked_by_high_time,
             removed_by_low_time, removed_by_high_time
         from pair where low = ?1 and high = ?2",
    )?;
    let mut rows = statement.query([key.low().as_str(), key.high().as_str()])?;
    match rows.next()? {
        Some(row) => codec::pair_value(row, 0),
        None => Ok(Pair::default()),
    }
}

fn read_member(conn: &Connection, id: &MemberId) -> Result<Option<Member>, StoreError> {
    let mut statement = conn.prepare_cached(
        "select connections, blocks, removal_marks, last_fact from member where member = ?1",
    )?;
    let mut rows = statement.query([id.as_str()])?;
    rows.next()?.map(codec::member).transpose()
}

/// The position of the fact of the erasure, if the id of this hash was erased.
fn read_erased(conn: &Connection, hash: &[u8; 16]) -> Result<Option<u64>, StoreError> {
    let mut statement = conn.prepare_cached("select position from erased where hash = ?1")?;
    let mut rows = statement.query([hash])?;
    rows.next()?.map(|row| codec::position(row, 0)).transpose()
}

fn read_acknowledged_by(conn: &Connection, time: Time) -> Result<u64, StoreError> {
    let mut statement = conn.prepare_cached(
        "select position from acknowledgement where time <= ?1 order by time desc limit 1",
    )?;
    let mut rows = statement.query([time.millis()])?;
    let found = rows
        .next()?
        .map(|row| codec::position(row, 0))
        .transpose()?;
    Ok(found.unwrap_or(0))
}
