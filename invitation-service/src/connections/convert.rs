//! The internal contract's messages to values. What makes no sense is no answer.

use acquaint_proto::connection::internal::v1 as wire;
use service_kit::{
    epoch::EpochId,
    id::{MemberId, PairKey, Side, Sides},
    time::Time,
};
use uuid::Uuid;

use crate::domain::{
    accept::{Ruling, Verdict},
    pair::{Connection, Facts},
};
use crate::store::{
    command::{AwaitedVerdict, send::Told},
    rows::FeedCursor,
};

/// A pair's facts, and whether each side was erased.
pub(super) struct Spoken {
    pub(super) key: PairKey,
    pub(super) facts: Facts,
    pub(super) erased: Sides<bool>,
}

pub(super) fn spoken(facts: &wire::PairFacts) -> Option<Spoken> {
    let pair = facts.pair.as_ref()?;
    let low = MemberId::parse(&pair.low_id).ok()?;
    let high = MemberId::parse(&pair.high_id).ok()?;
    let key = PairKey::new(&low, &high).filter(|key| *key.low() == low)?;
    let connection = match &facts.connection {
        None => None,
        Some(connection) => Some(Connection {
            connect_time: time(connection.connect_time.as_ref())?,
            invitation_id: match connection.invitation_id.as_str() {
                "" => None,
                id => Some(Uuid::try_parse(id).ok()?),
            },
        }),
    };
    Some(Spoken {
        key,
        facts: Facts {
            connection,
            blocked_by: Sides {
                low: facts.blocked_by_low,
                high: facts.blocked_by_high,
            },
        },
        erased: Sides {
            low: facts.low_erased,
            high: facts.high_erased,
        },
    })
}

pub(super) fn time(timestamp: Option<&prost_types::Timestamp>) -> Option<Time> {
    let timestamp = timestamp?;
    let millis = timestamp
        .seconds
        .checked_mul(1_000)?
        .checked_add(i64::from(timestamp.nanos / 1_000_000))?;
    Some(Time::from_millis(millis))
}

pub(super) fn position(position: Option<&wire::FactPosition>) -> Option<(EpochId, u64)> {
    let position = position?;
    let epoch = EpochId::try_from(position.incarnation.as_slice()).ok()?;
    Some((epoch, position.position))
}

pub(super) fn to_position(cursor: FeedCursor) -> Option<wire::FactPosition> {
    cursor.epoch.map(|epoch| wire::FactPosition {
        incarnation: epoch.as_bytes().to_vec(),
        position: cursor.position,
    })
}

pub(super) fn to_pair(key: &PairKey) -> wire::MemberPair {
    wire::MemberPair {
        low_id: key.low().to_string(),
        high_id: key.high().to_string(),
    }
}

/// `mutual` may be missing: an older connection-service does not say it.
pub(super) fn told(
    key: &PairKey,
    facts: &wire::PairFacts,
    mutual: Option<i32>,
    at: (EpochId, u64),
) -> Option<Told> {
    let spoken = spoken(facts).filter(|spoken| spoken.key == *key)?;
    Some(Told {
        epoch: at.0,
        position: at.1,
        facts: spoken.facts,
        erased: spoken.erased,
        have_mutual: mutual.and_then(have_mutual),
    })
}

fn have_mutual(mutual: i32) -> Option<bool> {
    match wire::MutualConnection::try_from(mutual) {
        Ok(wire::MutualConnection::Some) => Some(true),
        Ok(wire::MutualConnection::None) => Some(false),
        Ok(wire::MutualConnection::Unspecified) | Err(_) => None,
    }
}

pub(super) fn ruling(
    awaited: &AwaitedVerdict,
    answer: &wire::EnsureConnectionResponse,
) -> Option<(EpochId, Ruling)> {
    let spoken = spoken(answer.facts.as_ref()?)?;
    let (epoch, position) = position(answer.position.as_ref())?;
    let verdict = match answer.verdict() {
        wire::Verdict::Created => Verdict::Created,
        wire::Verdict::Already => Verdict::Already,
        wire::Verdict::Refused => Verdict::Refused {
            full: full_side(&spoken.key, &answer.full_member_id)?,
        },
        wire::Verdict::Removed | wire::Verdict::Blocked | wire::Verdict::Erased => {
            Verdict::Overtaken
        }
        // This acceptance is not the latest, so no verdict on it is awaited; or the other side is newer than this one.
        wire::Verdict::Superseded | wire::Verdict::Unspecified => return None,
    };
    Some((
        epoch,
        Ruling {
            invitation_id: awaited.invitation_id,
            acceptance: awaited.acceptance,
            verdict,
            facts: spoken.facts,
            position,
        },
    ))
}

fn full_side(key: &PairKey, full: &str) -> Option<Side> {
    Side::BOTH
        .into_iter()
        .find(|side| key.member(*side).as_str() == full)
}
