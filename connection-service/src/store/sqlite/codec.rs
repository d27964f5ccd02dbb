//! Between the columns of a row of `SQLite` and the values of the domain.
//!
//! Deliberately absent: statements, and the numbers that stand for values (see [`crate::store::codec`]).

use rusqlite::Row;
use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::time::Time;
use uuid::Uuid;

use crate::domain::ensure::StoredVerdict;
use crate::domain::erase::Erasure;
use crate::domain::fact::Entry;
use crate::domain::member::Member;
use crate::domain::pair::{Connection, Pair};
use crate::store::codec::{self, FactColumns, Link};

type Decoded<T> = Result<T, StoreError>;

/// The columns of `pair`, in the order [`pair`] reads them.
pub(super) const PAIR_COLUMNS: &str = "low, high, connect_time, invitation_id, \
     blocked_by_low_time, blocked_by_high_time, removed_by_low_time, removed_by_high_time";

/// The columns of `fact`, in the order [`entry`] reads them.
pub(super) const FACT_COLUMNS: &str = "position, time, kind, low, high, connection, connect_time, \
     invitation_id, blocked_by_low, blocked_by_high, blank";

pub(super) fn to_i64(position: u64) -> Decoded<i64> {
    i64::try_from(position).map_err(|_| StoreError::internal("a position is out of range"))
}

pub(super) fn position(row: &Row<'_>, column: usize) -> Decoded<u64> {
    u64::try_from(row.get::<_, i64>(column)?)
        .map_err(|_| StoreError::corrupt("a position is negative"))
}

pub(super) fn count(row: &Row<'_>, column: usize) -> Decoded<u32> {
    u32::try_from(row.get::<_, i64>(column)?)
        .map_err(|_| StoreError::corrupt("a counter is out of range"))
}

pub(super) fn time(row: &Row<'_>, column: usize) -> Decoded<Time> {
    Ok(Time::from_millis(row.get(column)?))
}

pub(super) fn optional_time(row: &Row<'_>, column: usize) -> Decoded<Option<Time>> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Time::from_millis))
}

pub(super) fn member_id(row: &Row<'_>, column: usize) -> Decoded<MemberId> {
    codec::member_id(row.get_ref(column)?.as_str().map_err(StoreError::corrupt)?)
}

fn optional_member_id(row: &Row<'_>, column: usize) -> Decoded<Option<MemberId>> {
    let text = row.get_ref(column)?.as_str_or_null();
    text.map_err(StoreError::corrupt)?
        .map(codec::member_id)
        .transpose()
}

fn optional_uuid(row: &Row<'_>, column: usize) -> Decoded<Option<Uuid>> {
    let bytes = row.get::<_, Option<[u8; 16]>>(column)?;
    Ok(bytes.map(Uuid::from_bytes))
}

pub(super) fn pair(row: &Row<'_>) -> Decoded<(PairKey, Pair)> {
    let key = codec::key(&member_id(row, 0)?, &member_id(row, 1)?)?;
    Ok((key, pair_value(row, 2)?))
}

/// The columns of `pair` after its key, from column `first` on.
pub(super) fn pair_value(row: &Row<'_>, first: usize) -> Decoded<Pair> {
    Ok(Pair {
        connection: connection(row, first)?,
        blocked: Sides {
            low: optional_time(row, first + 2)?,
            high: optional_time(row, first + 3)?,
        },
        removed: Sides {
            low: optional_time(row, first + 4)?,
            high: optional_time(row, first + 5)?,
        },
    })
}

fn connection(row: &Row<'_>, first: usize) -> Decoded<Option<Connection>> {
    let Some(connect_time) = optional_time(row, first)? else {
        return Ok(None);
    };
    Ok(Some(Connection {
        connect_time,
        invitation: optional_uuid(row, first + 1)?,
    }))
}

pub(super) fn member(row: &Row<'_>) -> Decoded<Member> {
    Ok(Member {
        connections: count(row, 0)?,
        blocks: count(row, 1)?,
        removal_marks: count(row, 2)?,
        last_fact: position(row, 3)?,
    })
}

pub(super) fn verdict(row: &Row<'_>) -> Decoded<StoredVerdict> {
    Ok(StoredVerdict {
        number: count(row, 0)?,
        verdict: codec::verdict(row.get(1)?, optional_time(row, 2)?)?,
        position: position(row, 3)?,
        decide_time: time(row, 4)?,
    })
}

pub(super) fn erasure(row: &Row<'_>) -> Decoded<Erasure> {
    Ok(Erasure {
        position: position(row, 0)?,
        last_fact: position(row, 1)?,
        stage: codec::stage(row.get(2)?, position(row, 3)?)?,
    })
}

pub(super) fn entry(row: &Row<'_>) -> Decoded<Entry> {
    let columns = FactColumns {
        kind: row.get(2)?,
        named: Sides {
            low: optional_member_id(row, 3)?,
            high: optional_member_id(row, 4)?,
        },
        connection: row.get(5)?,
        connect_time: optional_time(row, 6)?,
        invitation: optional_uuid(row, 7)?,
        blocked: Sides {
            low: row.get(8)?,
            high: row.get(9)?,
        },
        blank: row.get(10)?,
    };
    Ok(Entry {
        position: position(row, 0)?,
        time: time(row, 1)?,
        kept: columns.kept()?,
    })
}

/// The columns that [`link`] reads.
pub(super) const LINK_COLUMNS: &str =
    "low, high, connection, connect_time, previous_low, previous_high";

pub(super) fn link(row: &Row<'_>, member: &MemberId) -> Decoded<Link> {
    let named = Sides {
        low: optional_member_id(row, 0)?,
        high: optional_member_id(row, 1)?,
    };
    let previous = Sides {
        low: position(row, 4)?,
        high: position(row, 5)?,
    };
    Link::of(
        member,
        named,
        (row.get(2)?, optional_time(row, 3)?),
        previous,
    )
}
