//! The writer of the embedded store: begins, lets the commands of a batch work, writes what they put, commits, wakes watchers.
//!
//! Deliberately absent: the thread and the batching (service-kit's group commit), and what the commands do.

use std::sync::Arc;

use rusqlite::{Connection, params};
use service_kit::{
    clock::Clock,
    environment::{Environment, Random},
    epoch::{EPOCH_SQL, EpochId, Epochs},
    error::StoreError,
    feed::Hub,
    group_commit::{Engine, Undone},
    id::IdSource,
    secret::StoreSecret,
    sqlite::{self, Checkpointer, OpenError, SqliteFile, migrate},
    time::Time,
};
use uuid::Uuid;

use super::{
    batch::{Batch, Meta},
    codec::Columns,
};
use crate::{
    domain::policy::Policy,
    store::{
        rows::{FeedCursor, Rows as _},
        standing_metrics::StandingMetrics,
    },
};

/// The tables, step by step; each is applied once and never changed afterwards.
pub const MIGRATIONS: &[(&str, &str)] = &[
    ("0001_start", include_str!("../migrations/0001_start.sql")),
    ("0002_epoch", EPOCH_SQL),
    ("0003_plans", include_str!("../migrations/0003_plans.sql")),
    ("0004_ranges", include_str!("../migrations/0004_ranges.sql")),
    (
        "0005_standing",
        include_str!("../migrations/0005_standing.sql"),
    ),
];

/// The write side.
pub(super) struct SqliteEngine {
    // Dropped in this order: the connection, then what watches its log, then the lock of the file.
    batch: Batch<Connection>,
    _checkpointer: Option<Checkpointer>,
    _file: SqliteFile,
    clock: Arc<dyn Clock>,
    hub: Hub,
    standings: StandingMetrics,
}

/// An engine with what it found in the file.
pub(super) struct Opened {
    pub(super) engine: SqliteEngine,
    pub(super) standings: StandingMetrics,
    pub(super) epochs: Epochs,
    pub(super) secret: StoreSecret,
}

impl SqliteEngine {
    pub(super) fn open(
        file: SqliteFile,
        environment: Environment,
        hub: Hub,
    ) -> Result<Opened, OpenError> {
        let Environment {
            clock,
            random,
            executor,
        } = environment;
        let mut conn = file.writer()?;
        migrate(&mut conn, MIGRATIONS)?;
        let secret = load_or_make_secret(&conn, &*random)?;
        let meta = load_meta(&conn)?;
        let epochs = Epochs::begin(&conn, meta.head, &*random)?;
        let checkpointer = file.checkpointer(executor, &mut conn)?;
        let mut ids = IdSource::from_random(random);
        ids.resume_after(meta.last_id);
        hub.publish(meta.head, []);
        let standings = StandingMetrics::new();
        let engine = Self {
            batch: Batch::new(conn, secret.clone(), ids, meta, true),
            _checkpointer: checkpointer,
            _file: file,
            clock,
            hub,
            standings: standings.clone(),
        };
        Ok(Opened {
            engine,
            standings,
            epochs,
            secret,
        })
    }
}

fn load_or_make_secret(conn: &Connection, random: &dyn Random) -> Result<StoreSecret, StoreError> {
    conn.execute(
        "insert or ignore into meta (id, secret, last_time, last_id, head, feed_position) values (1, ?1, 0, ?2, 0, 0)",
        params![StoreSecret::generate(random)?.as_bytes(), Uuid::nil().as_bytes()],
    )?;
    let bytes: Vec<u8> =
        conn.query_row("select secret from meta where id = 1", [], |row| row.get(0))?;
    StoreSecret::from_bytes(&bytes)
        .ok_or_else(|| StoreError::corrupt("the store's secret is malformed"))
}

/// What the store knows about itself.
pub(super) fn load_meta(conn: &Connection) -> Result<Meta, StoreError> {
    let mut statement = conn.prepare_cached(
        "select last_time, last_id, head, feed_epoch, feed_position from meta where id = 1",
    )?;
    let mut rows = statement.query([])?;
    let row = rows
        .next()?
        .ok_or_else(|| StoreError::corrupt("the store has lost its first row"))?;
    let mut columns = Columns::new(row);
    Ok(Meta {
        last_time: columns.time()?,
        last_id: columns.uuid()?,
        head: columns.position()?,
        cursor: FeedCursor {
            epoch: read_epoch(columns.get()?)?,
            position: columns.position()?,
        },
    })
}

fn read_epoch(bytes: Option<Vec<u8>>) -> Result<Option<EpochId>, StoreError> {
    let id = |bytes: Vec<u8>| EpochId::try_from(bytes.as_slice());
    let malformed = |_| StoreError::corrupt("a malformed epoch");
    bytes.map(id).transpose().map_err(malformed)
}

/// The last committed time.
pub(super) fn last_time(conn: &Connection) -> Result<Time, StoreError> {
    let millis = conn
        .prepare_cached("select last_time from meta where id = 1")?
        .query_row([], |row| row.get(0))?;
    Ok(Time::from_millis(millis))
}

/// Writes the last time as it stands: a commit that changes nothing.
pub(super) fn rewrite_time(conn: &Connection) -> Result<(), StoreError> {
    conn.prepare_cached("update meta set last_time = last_time where id = 1")?
        .execute([])?;
    Ok(())
}

impl Engine for SqliteEngine {
    type Work = Batch<Connection>;

    fn transaction(
        &mut self,
        _commands: usize,
        body: &mut dyn FnMut(&mut Self::Work) -> Result<(), StoreError>,
    ) -> Result<(), Undone> {
        sqlite::begin(self.batch.conn())?;
        self.batch.begin(self.clock.now());
        let ran = body(&mut self.batch).map_err(Undone::Body);
        let outcome = ran.and_then(|()| Ok(self.batch.flush()?));
        let done = sqlite::end(self.batch.conn(), outcome);
        if done.is_err() {
            self.batch.roll_back();
        }
        done
    }

    fn committed(&mut self) {
        let (head, concerned) = self.batch.news();
        self.hub.publish(head, concerned);
        for news in self.batch.changed_standings() {
            self.standings.note(news);
        }
        self.batch.clear();
    }
}

/// How many rows of each kind one call deletes.
const FORGOTTEN_MAX: i64 = 1_000;

/// Deletes what is kept for a time only and is over: remembered requests, cool-downs, events. Whether there may be more.
pub(super) fn forget_old(
    batch: &mut Batch<Connection>,
    policy: &Policy,
) -> Result<bool, StoreError> {
    let now = batch.now();
    let conn = batch.conn();
    let requests = conn
        .prepare_cached(
            "delete from of_member where kind = 9 and (member, key) in
                 (select inviter, request_id from request where time <= ?1 order by time limit ?2)",
        )?
        .execute(params![
            now.minus(policy.request_kept).millis(),
            FORGOTTEN_MAX
        ])?;
    let cooldowns = conn
        .prepare_cached(
            "delete from withdraw_cooldown where ordered_pair in
                 (select ordered_pair from withdraw_cooldown where until <= ?1 order by until limit ?2)",
        )?
        .execute(params![now.millis(), FORGOTTEN_MAX])?;
    // Positions are in the order of time, so the first that is kept ends the search.
    let events = conn
        .prepare_cached(
            "delete from event where position in
                 (select position from (select position, time from event order by position limit ?2) where time <= ?1)",
        )?
        .execute(params![now.minus(policy.events_kept).millis(), FORGOTTEN_MAX])?;
    let full = usize::try_from(FORGOTTEN_MAX).unwrap_or(usize::MAX);
    Ok([requests, cooldowns, events].contains(&full))
}
