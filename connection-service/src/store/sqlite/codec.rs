//! Between the columns of a row and the values of the domain.
//!
//! Deliberately absent: statements. A value that no command could have written is answered with [`StoreError::Corrupt`].

use rusqlite::Row;
use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::time::Time;
use uuid::Uuid;

use crate::domain::ensure::{Full, StoredVerdict, Verdict};
use crate::domain::erase::{Erasure, Stage};
use crate::domain::fact::{Entry, Fact, Kept, PairEvent, PairFacts};
use crate::domain::member::Member;
use crate::domain::pair::{Connection, Pair};

type Decoded<T> = Result<T, StoreError>;

/// The columns of `pair`, in the order [`pair`] reads them.
pub(super) const PAIR_COLUMNS: &str = "low, high, connect_time, invitation_id, \
     blocked_by_low_time, blocked_by_high_time, removed_by_low_time, removed_by_high_time";

/// The columns of `fact`, in the order [`entry`] reads them.
pub(super) const FACT_COLUMNS: &str = "position, time, kind, low, high, connection, connect_time, \
     invitation_id, blocked_by_low, blocked_by_high, blank";

const CONNECTED_AFTER: i64 = 1;
const CONNECTION_ENDED: i64 = 2;

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
    parse_id(row.get_ref(column)?.as_str().map_err(StoreError::corrupt)?)
}

fn optional_member_id(row: &Row<'_>, column: usize) -> Decoded<Option<MemberId>> {
    let text = row.get_ref(column)?.as_str_or_null();
    text.map_err(StoreError::corrupt)?.map(parse_id).transpose()
}

pub(super) fn parse_id(text: &str) -> Decoded<MemberId> {
    MemberId::parse(text).map_err(StoreError::corrupt)
}

fn optional_uuid(row: &Row<'_>, column: usize) -> Decoded<Option<Uuid>> {
    let bytes = row.get::<_, Option<[u8; 16]>>(column)?;
    Ok(bytes.map(Uuid::from_bytes))
}

pub(super) fn key(low: &MemberId, high: &MemberId) -> Decoded<PairKey> {
    let key = PairKey::new(low, high).filter(|key| key.low() == low);
    key.ok_or_else(|| StoreError::corrupt("a pair is out of order"))
}

pub(super) fn pair(row: &Row<'_>) -> Decoded<(PairKey, Pair)> {
    let key = key(&member_id(row, 0)?, &member_id(row, 1)?)?;
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

pub(super) fn verdict_code(verdict: Verdict) -> Decoded<(i64, Option<Time>)> {
    Ok(match verdict {
        Verdict::Created { connect_time } => (1, Some(connect_time)),
        Verdict::Already { connect_time } => (2, Some(connect_time)),
        Verdict::Refused(Full::Acceptor) => (3, None),
        Verdict::Refused(Full::Inviter) => (4, None),
        Verdict::Removed => (5, None),
        Verdict::Blocked => (6, None),
        Verdict::Erased => (7, None),
        Verdict::Superseded => {
            return Err(StoreError::internal("what was superseded is never stored"));
        }
    })
}

pub(super) fn verdict(row: &Row<'_>) -> Decoded<StoredVerdict> {
    let verdict = match (row.get(1)?, optional_time(row, 2)?) {
        (1_i64, Some(connect_time)) => Verdict::Created { connect_time },
        (2, Some(connect_time)) => Verdict::Already { connect_time },
        (3, None) => Verdict::Refused(Full::Acceptor),
        (4, None) => Verdict::Refused(Full::Inviter),
        (5, None) => Verdict::Removed,
        (6, None) => Verdict::Blocked,
        (7, None) => Verdict::Erased,
        _ => return Err(StoreError::corrupt("a verdict is unknown")),
    };
    Ok(StoredVerdict {
        number: count(row, 0)?,
        verdict,
        position: position(row, 3)?,
        decide_time: time(row, 4)?,
    })
}

pub(super) fn erasure(row: &Row<'_>) -> Decoded<Erasure> {
    let stage = match row.get(2)? {
        1_i64 => Stage::Severing,
        2 => Stage::AwaitingAcknowledgement,
        3 => Stage::Blanking {
            next: position(row, 3)?,
        },
        _ => return Err(StoreError::corrupt("a stage is unknown")),
    };
    Ok(Erasure {
        position: position(row, 0)?,
        last_fact: position(row, 1)?,
        stage,
    })
}

pub(super) fn stage_code(stage: Stage) -> Decoded<(i64, i64)> {
    Ok(match stage {
        Stage::Severing => (1, 0),
        Stage::AwaitingAcknowledgement => (2, 0),
        Stage::Blanking { next } => (3, to_i64(next)?),
    })
}

/// A fact as the columns that [`entry`] reads after position and time.
pub(super) struct FactRow<'a> {
    pub(super) kind: i64,
    pub(super) low: &'a str,
    pub(super) high: Option<&'a str>,
    pub(super) connection: i64,
    pub(super) connect_time: Option<i64>,
    pub(super) invitation: Option<[u8; 16]>,
    pub(super) blocked: Sides<bool>,
}

impl<'a> FactRow<'a> {
    pub(super) fn of(fact: &'a Fact) -> Self {
        let (key, event, after, ended) = match fact {
            Fact::Erased(member) => {
                return Self {
                    kind: 6,
                    low: member.as_str(),
                    high: None,
                    connection: 0,
                    connect_time: None,
                    invitation: None,
                    blocked: Sides::default(),
                };
            }
            Fact::Pair {
                key,
                event,
                after,
                ended,
            } => (key, event, after, ended),
        };
        let (state, connection) = match (after.connection, *ended) {
            (Some(connection), _) => (CONNECTED_AFTER, Some(connection)),
            (None, Some(connection)) => (CONNECTION_ENDED, Some(connection)),
            (None, None) => (0, None),
        };
        Self {
            kind: match event {
                PairEvent::Connected => 1,
                PairEvent::Removed => 2,
                PairEvent::Blocked => 3,
                PairEvent::Unblocked => 4,
                PairEvent::Severed => 5,
            },
            low: key.low().as_str(),
            high: Some(key.high().as_str()),
            connection: state,
            connect_time: connection.map(|connection| connection.connect_time.millis()),
            invitation: connection
                .and_then(|connection| connection.invitation)
                .map(Uuid::into_bytes),
            blocked: after.blocked,
        }
    }
}

pub(super) fn entry(row: &Row<'_>) -> Decoded<Entry> {
    let kind: i64 = row.get(2)?;
    let kept = if row.get(10)? {
        Kept::Blank { severed: kind == 5 }
    } else {
        Kept::Fact(fact(row, kind)?)
    };
    Ok(Entry {
        position: position(row, 0)?,
        time: time(row, 1)?,
        kept,
    })
}

fn fact(row: &Row<'_>, kind: i64) -> Decoded<Fact> {
    let event = match kind {
        1 => PairEvent::Connected,
        2 => PairEvent::Removed,
        3 => PairEvent::Blocked,
        4 => PairEvent::Unblocked,
        5 => PairEvent::Severed,
        6 => return Ok(Fact::Erased(member_id(row, 3)?)),
        _ => return Err(StoreError::corrupt("a kind of fact is unknown")),
    };
    let connection = connection(row, 6)?;
    let (connected, ended) = match row.get(5)? {
        0_i64 => (None, None),
        CONNECTED_AFTER => (connection, None),
        CONNECTION_ENDED => (None, connection),
        _ => return Err(StoreError::corrupt("a fact's connection is unknown")),
    };
    Ok(Fact::Pair {
        key: key(&member_id(row, 3)?, &member_id(row, 4)?)?,
        event,
        after: PairFacts {
            connection: connected,
            blocked: Sides {
                low: row.get(8)?,
                high: row.get(9)?,
            },
            erased: Sides::default(),
        },
        ended,
    })
}

/// What a fact did to a member's list of connections.
pub(super) enum Effect {
    /// Nothing.
    None,
    /// The other one stands in it since then.
    Listed(Time),
    /// The other one left it.
    Unlisted,
}

/// A fact as one of its members' chain meets it.
pub(super) struct Link {
    /// The fact before it that names the member; 0 for none.
    pub(super) previous: u64,
    /// What it did to the member's list.
    pub(super) effect: Effect,
    /// The other member; `None` when erased since.
    pub(super) other: Option<MemberId>,
}

/// The columns that [`link`] reads.
pub(super) const LINK_COLUMNS: &str =
    "low, high, connection, connect_time, previous_low, previous_high";

pub(super) fn link(row: &Row<'_>, member: &MemberId) -> Decoded<Link> {
    let (low, high) = (optional_member_id(row, 0)?, optional_member_id(row, 1)?);
    let (other, previous) = if low.as_ref() == Some(member) {
        (high, position(row, 4)?)
    } else if high.as_ref() == Some(member) {
        (low, position(row, 5)?)
    } else {
        return Err(StoreError::corrupt("a member's chain leads to a stranger"));
    };
    let effect = match (row.get(2)?, optional_time(row, 3)?) {
        (0_i64, _) => Effect::None,
        (CONNECTION_ENDED, _) => Effect::Unlisted,
        (CONNECTED_AFTER, Some(since)) => Effect::Listed(since),
        // A fact that lost its content names nobody, so the time matters no more.
        (CONNECTED_AFTER, None) if other.is_none() => Effect::Listed(Time::ZERO),
        _ => return Err(StoreError::corrupt("a fact's connection is unknown")),
    };
    Ok(Link {
        previous,
        effect,
        other,
    })
}
