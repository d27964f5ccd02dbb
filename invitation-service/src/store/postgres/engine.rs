//! The writer of a store on PostgreSQL: lets the commands of a batch run until nothing that they ask for is missing, writes what they put,
//! commits, wakes watchers.
//!
//! A transaction locks pairs, members and last the one row of the history's end, each in the order of their keys; what the commands come to
//! is written under these locks. So positions and ids are given out in the order of commits, and what was read is what is changed. A batch
//! that other processes are in the way of begins anew as a whole. Deliberately absent: the thread and the batching (service-kit's group
//! commit), and what the commands do.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use service_kit::{
    environment::Random,
    epoch::EpochId,
    error::StoreError,
    feed::Hub,
    group_commit::Engine,
    id::IdSource,
    postgres::{
        Client, Connector, Failure, HISTORY_SQL, HeadRow, History, Migration, PostgresOptions, Row,
        Seen, Statement, Writer, types::Type,
    },
    secret::StoreSecret,
    time::Time,
};
use tokio::time::timeout;

use super::{
    batch::{Batch, Head},
    clock::StoreClock,
    columns::Columns,
    flush,
    load::{Locking, load},
};
use crate::store::{rows::FeedCursor, standing_metrics::StandingMetrics};

/// The tables, step by step; each is applied once and never changed afterwards.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_history",
        sql: HISTORY_SQL,
        expands: false,
    },
    Migration {
        name: "0002_start",
        sql: include_str!("migrations/0002_start.sql"),
        expands: false,
    },
];

macro_rules! head_sql {
    ($lock:literal) => {
        Statement::new(
            concat!(
                "select position, epoch, epoch_id, last_time, last_id, acts, feed_epoch, feed_position, leader,
                     (extract(epoch from clock_timestamp()) * 1000)::bigint
                 from head where lane = 0",
                $lock
            ),
            &[],
        )
    };
}
/// The end of the history, with the time that the server's clock shows.
pub(super) static HEAD: Statement = head_sql!("");
static LOCK_HEAD: Statement = head_sql!(" for update");

/// Makes a process lead, unless another does still.
pub(super) const LEAD: Statement = Statement::new(
    "update head set leader = $1, leader_until = $3 where lane = 0 and (leader = $1 or leader_until <= $2) returning leader",
    &[Type::INT8, Type::INT8, Type::INT8],
);

/// How often commands are run again for what they still ask for.
const PASSES_MAX: usize = 64;
/// How often one batch finds that the history has gone back.
const WENT_BACK_MAX: usize = 3;
/// Every statement of the engine.
pub(super) fn statements() -> Vec<Statement> {
    vec![HEAD.clone(), LOCK_HEAD.clone(), LEAD]
}

/// The row of [`HEAD`].
pub(super) fn read_head(row: &Row) -> Result<(HeadRow, Head, Time), Failure> {
    let found = HeadRow::read(row, 0)?;
    let mut columns = Columns::new(row);
    columns.skip(3);
    let head = Head {
        position: found.position,
        last_time: columns.time()?,
        last_id: columns.uuid()?,
        acts: columns.position()?,
        cursor: FeedCursor {
            epoch: epoch(columns.get()?)?,
            position: columns.position()?,
        },
        leader: columns.get()?,
    };
    Ok((found, head, columns.time()?))
}

fn epoch(bytes: Option<&[u8]>) -> Result<Option<EpochId>, Failure> {
    let malformed = |_| Failure::corrupt("a malformed epoch");
    bytes.map(EpochId::try_from).transpose().map_err(malformed)
}

/// What the writer and the readers both have.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) history: History,
    pub(super) secret: StoreSecret,
    pub(super) lanes: u16,
    pub(super) clock: StoreClock,
    pub(super) hub: Hub,
    /// How long an answer is waited for: longer than the server works at one.
    pub(super) answer_wait: Duration,
    /// Up to where watchers here have been told of what concerns them.
    pub(super) published: Arc<AtomicU64>,
    pub(super) random: Arc<dyn Random>,
}

impl Shared {
    /// Begins another epoch, since the history has gone back.
    pub(super) async fn begin_again(&self, client: &Client) -> Result<(), Failure> {
        self.in_time(self.history.begin_again(client, &*self.random))
            .await
    }

    /// Waits for an answer, but not for ever.
    pub(super) async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        timeout(self.answer_wait, answer)
            .await
            .unwrap_or_else(|_| Err(Failure::Away("no answer within the time for it".into())))
    }

    /// Takes note of the end of the history as a transaction found it, which knew of `before` when it began; the end, and the time.
    pub(super) async fn saw(
        &self,
        client: &Client,
        before: HeadRow,
        rows: &[Row],
    ) -> Result<(Head, Time), Failure> {
        let row = rows
            .first()
            .ok_or_else(|| Failure::corrupt("the store has lost its first row"))?;
        let (found, head, database) = read_head(row)?;
        match self.history.saw(before, found) {
            Seen::Same => {}
            Seen::Newer => self.history.reload(client, found).await?,
            Seen::WentBack => return Err(Failure::WentBack),
        }
        Ok((head, self.clock.of(database)))
    }
}

/// The write side.
pub(super) struct PostgresEngine {
    writer: Writer,
    shared: Shared,
    batch: Batch,
    /// The number of the transaction under way, among this process's.
    number: i64,
    standings: StandingMetrics,
}

impl PostgresEngine {
    /// A writer that is not connected yet.
    pub(super) fn new(
        connector: Connector,
        options: &PostgresOptions,
        shared: Shared,
        standings: StandingMetrics,
    ) -> io::Result<Self> {
        let ids = IdSource::from_random(shared.random.clone());
        Ok(Self {
            writer: Writer::new(connector, options, shared.random.clone())?,
            batch: Batch::new(shared.secret.clone(), ids),
            shared,
            number: 0,
            standings,
        })
    }
}

type Body<'b> = &'b mut dyn FnMut(&mut Batch) -> Result<(), StoreError>;

/// One transaction over one connection.
struct Attempt<'a> {
    client: &'a Client,
    shared: &'a Shared,
    batch: &'a mut Batch,
    begin: &'a str,
    number: i64,
}

/// How far commands have come under locks.
enum Ran {
    /// Nothing is missing, so this is what they come to.
    Whole,
    /// They ask for rows that are to be locked, which must be locked in order with the others.
    MissesLocked,
}

impl Attempt<'_> {
    async fn run(&mut self, body: Body<'_>) -> Result<(), Failure> {
        self.batch.clear();
        self.discover(body).await?;
        for _ in 0..PASSES_MAX {
            let clock = self.lock().await?;
            match self.decide(clock, body).await? {
                Ran::Whole => return self.commit().await,
                Ran::MissesLocked => self.client.batch_execute("rollback").await?,
            }
        }
        Err(too_many_passes())
    }

    /// Finds out which rows the commands ask for, as far as some cannot be known before others were read. What is read here is locked by
    /// nobody, and counts for nothing else.
    async fn discover(&mut self, body: Body<'_>) -> Result<(), Failure> {
        let clock = self.shared.clock.now();
        for _ in 0..PASSES_MAX {
            self.batch.restart(clock);
            // What they come to on rows that may be missing says nothing, and neither does an error.
            let _ = body(self.batch);
            if !self.batch.looks {
                return Ok(());
            }
            let (before, lanes) = (self.shared.history.known(), self.shared.lanes);
            let loaded = load(
                self.client,
                self.batch,
                lanes,
                Locking::Unlocked,
                None,
                Some(&HEAD),
            );
            let rows = self.shared.in_time(loaded).await?;
            (self.batch.found, _) = self.shared.saw(self.client, before, &rows).await?;
        }
        Err(too_many_passes())
    }

    /// Begins the transaction and locks and loads all that was asked for, the end of the history last; the time.
    async fn lock(&mut self) -> Result<Time, Failure> {
        self.batch.unload();
        let (before, lanes) = (self.shared.history.known(), self.shared.lanes);
        let loaded = load(
            self.client,
            self.batch,
            lanes,
            Locking::Locked,
            Some(self.begin),
            Some(&LOCK_HEAD),
        );
        let rows = self.shared.in_time(loaded).await?;
        let (found, clock) = self.shared.saw(self.client, before, &rows).await?;
        self.batch.found = found;
        Ok(clock)
    }

    /// Lets the commands run until nothing is missing that need not be locked.
    async fn decide(&mut self, clock: Time, body: Body<'_>) -> Result<Ran, Failure> {
        for _ in 0..PASSES_MAX {
            self.batch.restart(clock);
            let ran = body(self.batch);
            if !self.batch.wants() {
                return Ok(ran.map(|()| Ran::Whole)?);
            }
            if self.batch.wants_locked() {
                return Ok(Ran::MissesLocked);
            }
            let lanes = self.shared.lanes;
            let loaded = load(
                self.client,
                self.batch,
                lanes,
                Locking::Unlocked,
                None,
                None,
            );
            self.shared.in_time(loaded).await?;
        }
        Err(too_many_passes())
    }

    async fn commit(&mut self) -> Result<(), Failure> {
        let shared = self.shared;
        let marked = shared.history.mark(self.client, self.number);
        let flushed = flush::flush(self.client, self.batch, shared.lanes, Box::pin(marked));
        if !shared.in_time(flushed).await? {
            // Nothing was put: the locks go without a word on the disk.
            let ended = self.client.batch_execute("rollback");
            return shared.in_time(async { Ok(ended.await?) }).await;
        }
        let committed = self.client.batch_execute("commit");
        let committed = shared.in_time(async { Ok(committed.await?) }).await;
        committed.map_err(Failure::at_commit)?;
        Ok(())
    }
}

fn too_many_passes() -> Failure {
    Failure::internal("commands ask for ever more rows")
}

impl Engine for PostgresEngine {
    type Work = Batch;

    fn transaction(
        &mut self,
        body: &mut dyn FnMut(&mut Self::Work) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let Self {
            writer,
            shared,
            batch,
            number,
            ..
        } = self;
        *number += 1;
        let number = *number;
        let begin = writer.begin().to_owned();
        let mut went_back = 0;
        loop {
            let mut in_doubt = false;
            let done = writer.run(async |client| {
                if in_doubt {
                    let committed = shared.history.was_committed(client, number);
                    if shared.in_time(committed).await? {
                        return Ok(());
                    }
                }
                let mut attempt = Attempt {
                    client,
                    shared,
                    batch,
                    begin: &begin,
                    number,
                };
                let done = attempt.run(body).await;
                in_doubt = matches!(done, Err(Failure::Doubt(_)));
                done
            });
            match done {
                Err(Failure::WentBack) if went_back < WENT_BACK_MAX => {
                    went_back += 1;
                    writer.run(async |client| shared.begin_again(client).await)?;
                }
                done => return Ok(done?),
            }
        }
    }

    fn committed(&mut self) {
        let (from, to) = (self.batch.found.position, self.batch.head.position);
        self.shared.history.wrote(to);
        self.shared.hub.publish(to, self.batch.concerned());
        // Where nothing of others lies between, they have been told of everything.
        let published = &self.shared.published;
        let _ = published.compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed);
        for news in self.batch.standings.drain(..) {
            self.standings.note(news);
        }
        self.batch.found = self.batch.head;
        self.batch.clear();
    }
}
