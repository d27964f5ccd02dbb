//! The history that several processes write together: its end, and the epochs by which one that went back is noticed.
//!
//! The end is one row. Whoever appends to the history locks it first, before all other rows that it locks, and gives out the next positions; so
//! the order of positions is the order of commits. Each process that starts begins an epoch, which all share from then on: the row names the newest, and
//! whoever reads a position reads with it which epoch is in force. A process that finds the end, or the epochs, before what it has seen
//! itself knows that the database was restored from a backup or has failed over to a standby that lagged, and begins an epoch too.
//!
//! Deliberately absent: what happened (events are the services'), and watching (`crate::feed`).

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Client, Failure, Statement};
use crate::environment::Random;
use crate::epoch::{Diverged, EPOCHS_MAX, EpochId, Epochs};
use crate::secret::StoreSecret;

/// The tables of the history, to be part of each service's migrations. Services add columns of their own to `head`.
pub const HISTORY_SQL: &str = "
-- One row: what the database itself knows.
create table head (
    lane integer primary key check (lane = 0),
    secret bytea not null,                -- 32 bytes; keys of tokens and of hashes are derived from it
    lanes integer not null,               -- over how many lanes rows are spread
    last_time bigint not null,            -- the last committed time; the store's time never goes back behind it
    position bigint not null,             -- of the last event
    epoch bigint not null,                -- the number of the newest epoch
    epoch_id bytea not null               -- and its id
);
-- The epochs, in the order in which they began.
create table epoch (
    lane integer not null check (lane = 0),
    number bigint not null,
    id bytea not null,
    first_position bigint not null,
    batch bigint not null,                -- the last that the process which began it has committed
    primary key (lane, number)
);
";

const MAKE_HEAD: Statement = Statement::new(
    "insert into head (lane, secret, lanes, last_time, position, epoch, epoch_id) values (0, $1, $2, 0, 0, 0, '') on conflict do nothing",
    &[Type::BYTEA, Type::INT4],
);
const LOCK_HEAD: Statement = Statement::new(
    "select position, epoch, epoch_id, secret, lanes from head where lane = 0 for update",
    &[],
);
const ADD_EPOCH: Statement = Statement::new(
    "insert into epoch (lane, number, id, first_position, batch) values (0, $1, $2, $3, 0)",
    &[Type::INT8, Type::BYTEA, Type::INT8],
);
const NAME_EPOCH: Statement = Statement::new(
    "update head set epoch = $1, epoch_id = $2 where lane = 0 and epoch = $3 returning epoch",
    &[Type::INT8, Type::BYTEA, Type::INT8],
);
const DROP_EPOCHS: Statement = Statement::new(
    "delete from epoch where lane = 0 and number <= $1",
    &[Type::INT8],
);
const EPOCHS: Statement = Statement::new(
    "select id, first_position, number from epoch where lane = 0 order by number desc",
    &[],
);
const NOTE_BATCH: Statement = Statement::new(
    "update epoch set batch = $3 where lane = 0 and number = $1 and id = $2 returning number",
    &[Type::INT8, Type::BYTEA, Type::INT8],
);
const LAST_BATCH: Statement = Statement::new(
    "select batch from epoch where lane = 0 and number = $1 and id = $2 for update",
    &[Type::INT8, Type::BYTEA],
);

/// The end of the history as a transaction found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadRow {
    /// The position of the last event.
    pub position: u64,
    /// The number of the newest epoch.
    pub epoch: i64,
    /// And its id.
    pub epoch_id: EpochId,
}

impl HeadRow {
    /// From the columns `position, epoch, epoch_id`, which begin at `column`.
    pub fn read(row: &Row, column: usize) -> Result<Self, Failure> {
        let position: i64 = row.try_get(column)?;
        Ok(Self {
            position: u64::try_from(position)
                .map_err(|_| Failure::corrupt("a position out of range"))?,
            epoch: row.try_get(column + 1)?,
            epoch_id: epoch_id(row.try_get(column + 2)?)?,
        })
    }
}

fn epoch_id(bytes: &[u8]) -> Result<EpochId, Failure> {
    EpochId::try_from(bytes).map_err(|_| Failure::corrupt("a malformed epoch"))
}

/// How what was found of the history relates to what had been seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It goes on in the same epoch.
    Same,
    /// An epoch has begun since: [`History::reload`].
    Newer,
    /// It is an earlier or another one: [`History::begin_again`].
    WentBack,
}

/// What a new process found.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The history.
    pub history: History,
    /// The database's secret.
    pub secret: StoreSecret,
    /// Over how many lanes its rows are spread.
    pub lanes: u16,
}

/// The history as this process knows it. Clones are the same.
#[derive(Clone, Debug)]
pub struct History(Arc<RwLock<Known>>);

#[derive(Debug)]
struct Known {
    head: HeadRow,
    epochs: Epochs,
    /// The epoch that this process began.
    own: (i64, EpochId),
}

impl History {
    /// Makes the end of the history if there is none, with a new secret and so many lanes.
    pub async fn make(client: &Client, lanes: u16, random: &dyn Random) -> Result<(), Failure> {
        let new_secret = StoreSecret::generate(random)?;
        let (secret, lanes) = (new_secret.as_bytes().as_slice(), i32::from(lanes));
        MAKE_HEAD.query(client, &[&secret, &lanes]).await?;
        Ok(())
    }

    /// Begins an epoch of this process, after the end that was [made](Self::make).
    pub async fn begin(client: &Client, random: &dyn Random) -> Result<Opened, Failure> {
        let (known, row) = begin_epoch(client, random).await?;
        let secret: &[u8] = row.try_get(3)?;
        let lanes: i32 = row.try_get(4)?;
        let malformed = || Failure::corrupt("the store's secret is malformed");
        Ok(Opened {
            history: Self(Arc::new(RwLock::new(known))),
            secret: StoreSecret::from_bytes(secret).ok_or_else(malformed)?,
            lanes: u16::try_from(lanes).map_err(|_| Failure::corrupt("a number of lanes"))?,
        })
    }

    /// Begins another epoch, since the history has gone back.
    pub async fn begin_again(&self, client: &Client, random: &dyn Random) -> Result<(), Failure> {
        let (known, _) = begin_epoch(client, random).await?;
        tracing::warn!(
            position = known.head.position,
            "the database has gone back to an earlier state; whoever has read beyond it is told"
        );
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// The end as it was known last: to be asked for before a transaction that will find it anew.
    pub fn known(&self) -> HeadRow {
        self.read().head
    }

    /// How `found` relates to `before`, which was [known](Self::known) before the transaction that found it. Notes it if it is later.
    pub fn saw(&self, before: HeadRow, found: HeadRow) -> Seen {
        let other_epoch = found.epoch == before.epoch && found.epoch_id != before.epoch_id;
        if other_epoch || found.epoch < before.epoch || found.position < before.position {
            return Seen::WentBack;
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if found.epoch > known.head.epoch {
            return Seen::Newer;
        }
        if found.epoch == known.head.epoch && found.epoch_id == known.head.epoch_id {
            known.head.position = known.head.position.max(found.position);
        }
        Seen::Same
    }

    /// Learns the epochs that have begun. [`Failure::WentBack`] when this process's own is none of them any more.
    pub async fn reload(&self, client: &Client, found: HeadRow) -> Result<(), Failure> {
        let rows = EPOCHS.query(client, &[]).await?;
        let (epochs, newest) = read_epochs(&rows)?;
        let own = self.read().own;
        let mut is_known = false;
        for row in &rows {
            is_known |= (row.try_get(2)?, epoch_id(row.try_get(0)?)?) == own;
        }
        if !is_known {
            return Err(Failure::WentBack);
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if newest > known.head.epoch {
            known.head = HeadRow {
                position: found.position.max(known.head.position),
                epoch: newest,
                epoch_id: epochs.current(),
            };
            known.epochs = epochs;
        }
        Ok(())
    }

    /// Notes what this process has committed: the end of the history that it has written.
    pub fn wrote(&self, position: u64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.head.position = known.head.position.max(position);
    }

    /// Marks a transaction as this process's batch of this number, in the transaction itself.
    pub async fn mark(&self, client: &Client, batch: i64) -> Result<(), Failure> {
        let (number, id) = self.read().own;
        let marked = NOTE_BATCH
            .query(client, &[&number, &id.as_bytes().as_slice(), &batch])
            .await?;
        if marked.len() == 1 {
            Ok(())
        } else {
            Err(Failure::WentBack)
        }
    }

    /// Whether this process's batch of this number was committed. Waits for a transaction that is still under way. [`Failure::WentBack`]
    /// when the database no longer knows this process.
    pub async fn was_committed(&self, client: &Client, batch: i64) -> Result<bool, Failure> {
        let (number, id) = self.read().own;
        let rows = LAST_BATCH
            .query(client, &[&number, &id.as_bytes().as_slice()])
            .await?;
        let row = rows.first().ok_or(Failure::WentBack)?;
        Ok(row.try_get::<_, i64>(0)? >= batch)
    }

    /// The number of the epoch that this process began, which no other process has.
    pub fn own(&self) -> i64 {
        self.read().own.0
    }

    /// The epoch in force.
    pub fn current(&self) -> EpochId {
        self.read().epochs.current()
    }

    /// See [`Epochs::check`].
    pub fn check(&self, id: &EpochId, position: u64) -> Result<(), Diverged> {
        self.read().epochs.check(id, position)
    }

    /// Every statement of the history.
    pub fn statements() -> Vec<Statement> {
        vec![
            MAKE_HEAD,
            LOCK_HEAD,
            ADD_EPOCH,
            NAME_EPOCH,
            DROP_EPOCHS,
            EPOCHS,
            NOTE_BATCH,
            LAST_BATCH,
        ]
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        // Nothing that holds the lock can leave it half changed.
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins an epoch after the last position, in a transaction of its own.
async fn begin_epoch(client: &Client, random: &dyn Random) -> Result<(Known, Row), Failure> {
    client.batch_execute("begin").await?;
    let begun = write_epoch(client, random).await;
    if begun.is_err() {
        // Whatever went wrong is told; on a connection that is gone there is nothing to roll back.
        let _ = client.batch_execute("rollback").await;
        return begun;
    }
    client.batch_execute("commit").await?;
    begun
}

async fn write_epoch(client: &Client, random: &dyn Random) -> Result<(Known, Row), Failure> {
    let mut rows = LOCK_HEAD.query(client, &[]).await?;
    let row = rows
        .pop()
        .ok_or_else(|| Failure::corrupt("the store has lost its first row"))?;
    let position: i64 = row.try_get(0)?;
    let before: i64 = row.try_get(1)?;
    let (number, id) = (before.saturating_add(1), EpochId::random(random)?);
    let bytes = id.as_bytes().as_slice();
    ADD_EPOCH
        .query(client, &[&number, &bytes, &position.saturating_add(1)])
        .await?;
    let named = NAME_EPOCH
        .query(client, &[&number, &bytes, &before])
        .await?;
    if named.len() != 1 {
        return Err(Failure::overtaken("head"));
    }
    DROP_EPOCHS
        .query(client, &[&number.saturating_sub(i64::from(EPOCHS_MAX))])
        .await?;
    let (epochs, _) = read_epochs(&EPOCHS.query(client, &[]).await?)?;
    let position =
        u64::try_from(position).map_err(|_| Failure::corrupt("a position out of range"))?;
    let known = Known {
        head: HeadRow {
            position,
            epoch: number,
            epoch_id: id,
        },
        epochs,
        own: (number, id),
    };
    Ok((known, row))
}

fn read_epochs(newest_first: &[Row]) -> Result<(Epochs, i64), Failure> {
    let mut begun = Vec::with_capacity(newest_first.len());
    for row in newest_first {
        let first: i64 = row.try_get(1)?;
        begun.push((epoch_id(row.try_get(0)?)?, first));
    }
    let newest = newest_first.first().map(|row| row.try_get(2)).transpose()?;
    Ok((Epochs::of(&begun)?, newest.unwrap_or_default()))
}
