//! How a store that went back in time is noticed.
//!
//! Each start of the process begins an epoch with a new random id. Whoever follows the store keeps the id beside the position
//! it has reached. A store restored from a backup lacks the epochs that came after the backup, and ends the last one it has at
//! the backup's position, so a follower that had read further is told so instead of silently missing what was written anew.
//!
//! Deliberately absent: positions themselves (they are the store's) and what a follower does when the histories part.

use std::collections::HashMap;
use std::fmt;

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::crash;
use crate::environment::Random;
use crate::error::StoreError;

/// The table of epochs, to be part of each service's migrations.
pub const EPOCH_SQL: &str = "create table epoch (
    number integer primary key,
    id blob not null unique check (length(id) = 16),
    first_position integer not null check (first_position > 0)
) strict;";

/// How many epochs are kept: a follower whose epoch is older counts as one that knows nothing of this store.
pub const EPOCHS_MAX: u32 = 10_000;

/// The random name of one run of the process on its store.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EpochId([u8; 16]);

impl EpochId {
    /// An id that no other run has. Fails when `random` does.
    pub fn random(random: &dyn Random) -> Result<Self, StoreError> {
        let mut bytes = [0; 16];
        random.fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The id of these 16 bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl TryFrom<&[u8]> for EpochId {
    type Error = std::array::TryFromSliceError;

    /// Fails unless there are exactly 16 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, Self::Error> {
        bytes.try_into().map(Self)
    }
}

impl fmt::Debug for EpochId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// What was reached is not part of this store's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store went another way after position {common_position}")]
pub struct Diverged {
    /// Up to and with this position the two histories are the same; 0 when nothing is known to be common.
    pub common_position: u64,
}

/// The epochs of a store, and the one that is in force.
#[derive(Clone, Debug)]
pub struct Epochs {
    current: EpochId,
    /// The last position of each epoch; `None` for the current one, which is still growing.
    ends: HashMap<EpochId, Option<u64>>,
}

impl Epochs {
    /// Begins an epoch with a random id after position `head`, the last one written (0 when there is none). Writes one row and
    /// deletes those beyond the newest [`EPOCHS_MAX`]; call it once at the start, on the writer's connection, outside of a
    /// transaction.
    ///
    /// Fails with what the store or `random` fails with, and [`StoreError::Corrupt`] when a row makes no sense.
    pub fn begin(conn: &Connection, head: u64, random: &dyn Random) -> Result<Self, StoreError> {
        Self::begin_as(conn, head, EpochId::random(random)?)
    }

    /// [`Epochs::begin`] with a given id. An id used before is refused with [`StoreError::Internal`].
    pub fn begin_as(conn: &Connection, head: u64, id: EpochId) -> Result<Self, StoreError> {
        let first = head
            .checked_add(1)
            .and_then(|first| i64::try_from(first).ok());
        let first =
            first.ok_or_else(|| StoreError::corrupt("the head position is out of range"))?;
        // Takes the place to write at once: one that has begun to read would not wait for it.
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate)?;
        let number: i64 = tx.query_row(
            "select coalesce(max(number), 0) + 1 from epoch",
            [],
            |row| row.get(0),
        )?;
        tx.execute(
            "insert into epoch (number, id, first_position) values (?1, ?2, ?3)",
            params![number, id.0, first],
        )?;
        tx.execute(
            "delete from epoch where number <= ?1",
            [number - i64::from(EPOCHS_MAX)],
        )?;
        let epochs = Self::of(&load(&tx)?)?;
        crash::point("start.epoch_written");
        tx.commit()?;
        crash::point("start.epoch_begun");
        Ok(epochs)
    }

    /// The epochs that began at these first positions, the newest first.
    ///
    /// [`StoreError::Corrupt`] where one begins before the one before it, or there is none.
    pub(crate) fn of(newest_first: &[(EpochId, i64)]) -> Result<Self, StoreError> {
        let mut ends = HashMap::new();
        let mut end = None;
        for (id, first) in newest_first {
            let before = u64::try_from(*first)
                .ok()
                .and_then(|first| first.checked_sub(1));
            let before =
                before.ok_or_else(|| StoreError::corrupt("an epoch begins at no position"))?;
            if end.is_some_and(|end| end < before) {
                return Err(StoreError::corrupt(
                    "an epoch begins before the one before it",
                ));
            }
            ends.insert(*id, end);
            end = Some(before);
        }
        let (current, _) = newest_first
            .first()
            .ok_or_else(|| StoreError::corrupt("there is no epoch"))?;
        Ok(Self {
            current: *current,
            ends,
        })
    }

    /// The epoch in force: the newest, which this process or another of the same store began.
    pub fn current(&self) -> EpochId {
        self.current
    }

    /// Whether what epoch `id` had reached at `position` is part of this store's history.
    ///
    /// [`Diverged`] with the epoch's last position when `position` is beyond it, and with 0 when the epoch is unknown. The
    /// current epoch has no last position: whether `position` is beyond the head is the caller's to see.
    pub fn check(&self, id: &EpochId, position: u64) -> Result<(), Diverged> {
        match self.ends.get(id) {
            None => Err(Diverged { common_position: 0 }),
            Some(&Some(end)) if position > end => Err(Diverged {
                common_position: end,
            }),
            Some(_) => Ok(()),
        }
    }
}

fn load(conn: &Connection) -> Result<Vec<(EpochId, i64)>, StoreError> {
    let mut statement =
        conn.prepare("select id, first_position from epoch order by number desc")?;
    let rows = statement.query_map([], |row| Ok((EpochId(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::SystemRandom;

    fn store() -> Connection {
        let conn = Connection::open_in_memory().unwrap();
        conn.execute_batch(EPOCH_SQL).unwrap();
        conn
    }

    fn id(n: u8) -> EpochId {
        EpochId::from_bytes([n; 16])
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let conn = store();
        let first = Epochs::begin_as(&conn, 0, id(1)).unwrap();
        assert_eq!(first.current(), id(1));
        assert_eq!(
            first.check(&id(1), 1_000_000),
            Ok(()),
            "the current epoch is open"
        );
        Epochs::begin_as(&conn, 10, id(2)).unwrap();
        // A run that wrote nothing.
        Epochs::begin_as(&conn, 10, id(3)).unwrap();
        let now = Epochs::begin_as(&conn, 25, id(4)).unwrap();
        for (n, position, expected) in [
            (1, 10, Ok(())),
            (
                1,
                11,
                Err(Diverged {
                    common_position: 10,
                }),
            ),
            (2, 10, Ok(())),
            (
                2,
                11,
                Err(Diverged {
                    common_position: 10,
                }),
            ),
            (3, 25, Ok(())),
            (
                3,
                26,
                Err(Diverged {
                    common_position: 25,
                }),
            ),
            (4, u64::MAX, Ok(())),
            (9, 0, Err(Diverged { common_position: 0 })),
        ] {
            assert_eq!(now.check(&id(n), position), expected, "{n} {position}");
        }
    }

    #[test]
    fn random_ids_differ_and_one_used_before_is_refused() {
        let conn = store();
        let first = Epochs::begin(&conn, 0, &SystemRandom).unwrap().current();
        let second = Epochs::begin(&conn, 0, &SystemRandom).unwrap().current();
        assert_ne!(first, second);
        assert!(matches!(
            Epochs::begin_as(&conn, 0, first),
            Err(StoreError::Internal(_))
        ));
        assert_eq!(
            Epochs::begin(&conn, 5, &SystemRandom)
                .unwrap()
                .check(&second, 5),
            Ok(())
        );
    }

    #[test]
    fn only_the_newest_are_kept() {
        let conn = store();
        Epochs::begin_as(&conn, 3, id(1)).unwrap();
        let jump = i64::from(EPOCHS_MAX);
        conn.execute(
            "insert into epoch values (?1, ?2, 5)",
            params![jump, [2_u8; 16]],
        )
        .unwrap();
        let epochs = Epochs::begin_as(&conn, 7, id(3)).unwrap();
        assert_eq!(
            epochs.check(&id(1), 0),
            Err(Diverged { common_position: 0 })
        );
        assert_eq!(epochs.check(&id(2), 7), Ok(()));
    }

    #[test]
    fn a_history_that_runs_backwards_is_corrupt() {
        let conn = store();
        Epochs::begin_as(&conn, 9, id(1)).unwrap();
        assert!(matches!(
            Epochs::begin_as(&conn, 3, id(2)),
            Err(StoreError::Corrupt(_))
        ));
        assert!(
            Epochs::begin_as(&conn, 9, id(2)).is_ok(),
            "what was refused left no row"
        );
    }

    #[test]
    fn ids_are_shown_in_hex_and_read_from_bytes() {
        assert_eq!(format!("{:?}", id(0x0a)), "0a".repeat(16));
        assert_eq!(EpochId::try_from([7_u8; 16].as_slice()).unwrap(), id(7));
        assert!(EpochId::try_from([7_u8; 15].as_slice()).is_err());
        assert_eq!(EpochId::from_bytes(*id(9).as_bytes()), id(9));
    }
}
