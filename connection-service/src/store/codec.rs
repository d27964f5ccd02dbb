//! The numbers and texts by which values of the domain stand in columns, the same for every engine.
//!
//! Deliberately absent: rows and statements. A value that no command could have written is answered with [`StoreError::Corrupt`].

use std::collections::BTreeSet;

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::time::Time;
use uuid::Uuid;

use crate::domain::ensure::{Full, Verdict};
use crate::domain::erase::Stage;
use crate::domain::fact::{Fact, Kept, PairEvent, PairFacts};
use crate::domain::label::LabelId;
use crate::domain::pair::Connection;

type Decoded<T> = Result<T, StoreError>;

const CONNECTED_AFTER: i64 = 1;
const CONNECTION_ENDED: i64 = 2;
const SEVERED: i64 = 5;
const ERASED: i64 = 6;

/// An id that was stored.
pub(super) fn member_id(text: &str) -> Decoded<MemberId> {
    MemberId::parse(text).map_err(StoreError::corrupt)
}

/// The pair of a stored lower and higher member.
pub(super) fn key(low: &MemberId, high: &MemberId) -> Decoded<PairKey> {
    let key = PairKey::new(low, high).filter(|key| key.low() == low);
    key.ok_or_else(|| StoreError::corrupt("a pair is out of order"))
}

/// A verdict's number, and since when the two are connected by it.
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

/// The verdict of [`verdict_code`].
pub(super) fn verdict(code: i64, connect_time: Option<Time>) -> Decoded<Verdict> {
    Ok(match (code, connect_time) {
        (1, Some(connect_time)) => Verdict::Created { connect_time },
        (2, Some(connect_time)) => Verdict::Already { connect_time },
        (3, None) => Verdict::Refused(Full::Acceptor),
        (4, None) => Verdict::Refused(Full::Inviter),
        (5, None) => Verdict::Removed,
        (6, None) => Verdict::Blocked,
        (7, None) => Verdict::Erased,
        _ => return Err(StoreError::corrupt("a verdict is unknown")),
    })
}

/// A stage's number, and the next fact to blank.
pub(super) fn stage_code(stage: Stage) -> (i64, u64) {
    match stage {
        Stage::Severing => (1, 0),
        Stage::AwaitingAcknowledgement => (2, 0),
        Stage::Blanking { next } => (3, next),
    }
}

/// The stage of [`stage_code`].
pub(super) fn stage(code: i64, next: u64) -> Decoded<Stage> {
    Ok(match code {
        1 => Stage::Severing,
        2 => Stage::AwaitingAcknowledgement,
        3 => Stage::Blanking { next },
        _ => return Err(StoreError::corrupt("a stage is unknown")),
    })
}

/// The numbers of labels, each in four bytes, big-endian, in ascending order.
pub(super) fn label_numbers(labels: &BTreeSet<LabelId>) -> Vec<u8> {
    let numbers = labels.iter().map(|LabelId(number)| number.to_be_bytes());
    numbers.flatten().collect()
}

/// The labels of [`label_numbers`].
pub(super) fn label_ids(bytes: &[u8]) -> Decoded<BTreeSet<LabelId>> {
    let (numbers, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(StoreError::corrupt("the numbers of labels are cut"));
    }
    let numbers = numbers.iter().map(|number| u32::from_be_bytes(*number));
    Ok(numbers.map(LabelId).collect())
}

/// A fact as it stands in columns, but for where and when it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FactColumns {
    pub(super) kind: i64,
    /// The pair; of an erasure `low` alone. `None` where the name has been taken out.
    pub(super) named: Sides<Option<MemberId>>,
    pub(super) connection: i64,
    pub(super) connect_time: Option<Time>,
    pub(super) invitation: Option<Uuid>,
    pub(super) blocked: Sides<bool>,
    /// Whether it has lost its content.
    pub(super) blank: bool,
}

impl FactColumns {
    /// The columns of a fact.
    pub(super) fn of(fact: &Fact) -> Self {
        let (key, event, after, ended) = match fact {
            Fact::Erased(member) => {
                return Self {
                    kind: ERASED,
                    named: Sides {
                        low: Some(member.clone()),
                        high: None,
                    },
                    connection: 0,
                    connect_time: None,
                    invitation: None,
                    blocked: Sides::default(),
                    blank: false,
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
                PairEvent::Severed => SEVERED,
            },
            named: Sides {
                low: Some(key.low().clone()),
                high: Some(key.high().clone()),
            },
            connection: state,
            connect_time: connection.map(|connection| connection.connect_time),
            invitation: connection.and_then(|connection| connection.invitation),
            blocked: after.blocked,
            blank: false,
        }
    }

    /// What is kept of the fact.
    pub(super) fn kept(self) -> Decoded<Kept> {
        if self.blank {
            return Ok(Kept::Blank {
                severed: self.kind == SEVERED,
            });
        }
        self.fact().map(Kept::Fact)
    }

    fn fact(self) -> Decoded<Fact> {
        let nameless = || StoreError::corrupt("a fact has lost a name and kept its content");
        let Sides { low, high } = self.named;
        let low = low.ok_or_else(nameless)?;
        let event = match self.kind {
            1 => PairEvent::Connected,
            2 => PairEvent::Removed,
            3 => PairEvent::Blocked,
            4 => PairEvent::Unblocked,
            SEVERED => PairEvent::Severed,
            ERASED => return Ok(Fact::Erased(low)),
            _ => return Err(StoreError::corrupt("a kind of fact is unknown")),
        };
        let connection = self.connect_time.map(|connect_time| Connection {
            connect_time,
            invitation: self.invitation,
        });
        let (connected, ended) = match self.connection {
            0 => (None, None),
            CONNECTED_AFTER => (connection, None),
            CONNECTION_ENDED => (None, connection),
            _ => return Err(StoreError::corrupt("a fact's connection is unknown")),
        };
        Ok(Fact::Pair {
            key: key(&low, &high.ok_or_else(nameless)?)?,
            event,
            after: PairFacts {
                connection: connected,
                blocked: self.blocked,
                erased: Sides::default(),
            },
            ended,
        })
    }
}

/// What a fact did to a member's list of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

impl Link {
    /// How `member`'s chain meets a fact that names these, with what its columns say of the connection and the facts before it.
    pub(super) fn of(
        member: &MemberId,
        named: Sides<Option<MemberId>>,
        (connection, connect_time): (i64, Option<Time>),
        previous: Sides<u64>,
    ) -> Decoded<Self> {
        let (other, previous) = if named.low.as_ref() == Some(member) {
            (named.high, previous.low)
        } else if named.high.as_ref() == Some(member) {
            (named.low, previous.high)
        } else {
            return Err(StoreError::corrupt("a member's chain leads to a stranger"));
        };
        let effect = match (connection, connect_time) {
            (0, _) => Effect::None,
            (CONNECTION_ENDED, _) => Effect::Unlisted,
            (CONNECTED_AFTER, Some(since)) => Effect::Listed(since),
            // A fact that lost its content names nobody, so the time matters no more.
            (CONNECTED_AFTER, None) if other.is_none() => Effect::Listed(Time::ZERO),
            _ => return Err(StoreError::corrupt("a fact's connection is unknown")),
        };
        Ok(Self {
            previous,
            effect,
            other,
        })
    }
}
