//! How values stand in columns, the same in every engine.
//!
//! Deliberately absent: SQL, and the types of an engine's columns. A value that makes no sense is a corrupt store, never a default.

use serde::{Deserialize, Serialize};
use service_kit::{
    error::StoreError,
    id::{Side, Sides},
    time::Time,
};

use crate::{
    domain::{
        invitation::{Effect, Happening, Place, Role, Shown},
        member::{EventLink, WhoCanInvite},
        pair::{Accepted, Bar, DeclineReason, Declined, Pair, Withdrawn},
        standing::Standing,
        window::RollingLog,
    },
    store::rows::{EventKind, RememberedOutcome},
};

pub(in crate::store) use service_kit::stored::{
    count, hash, member_id, position, position_number, uuid,
};

/// A closed list of values, each with its number in the store. The numbers never change.
macro_rules! numbered {
    ($encode:ident, $decode:ident, $type:ty, { $($value:pat => $number:literal = $build:expr),+ $(,)? }) => {
        pub(in crate::store) fn $encode(value: $type) -> i64 {
            match value { $($value => $number),+ }
        }
        pub(in crate::store) fn $decode(number: i64) -> Result<$type, StoreError> {
            match number {
                $($number => Ok($build),)+
                _ => Err(StoreError::corrupt(concat!("no such ", stringify!($type)))),
            }
        }
    };
}

/// The columns of what a request id was answered with: a number, and the times that this answer has.
pub(in crate::store) struct OutcomeColumns {
    pub(in crate::store) outcome: i64,
    pub(in crate::store) expire_time: Option<Time>,
    pub(in crate::store) connect_time: Option<Time>,
    pub(in crate::store) create_time: Option<Time>,
}

impl OutcomeColumns {
    pub(in crate::store) fn of(answered: &RememberedOutcome) -> Self {
        let (outcome, expire_time, connect_time, create_time) = match *answered {
            RememberedOutcome::Sent { expire_time } => (0, Some(expire_time), None, None),
            RememberedOutcome::Accepting => (1, None, None, None),
            RememberedOutcome::Connected {
                connect_time,
                create_time,
            } => (2, None, Some(connect_time), Some(create_time)),
            RememberedOutcome::Ended { create_time } => (3, None, None, Some(create_time)),
        };
        Self {
            outcome,
            expire_time,
            connect_time,
            create_time,
        }
    }

    pub(in crate::store) fn read(self) -> Result<RememberedOutcome, StoreError> {
        let missing = || StoreError::corrupt("a remembered answer lacks a time");
        Ok(match self.outcome {
            0 => RememberedOutcome::Sent {
                expire_time: self.expire_time.ok_or_else(missing)?,
            },
            1 => RememberedOutcome::Accepting,
            2 => RememberedOutcome::Connected {
                connect_time: self.connect_time.ok_or_else(missing)?,
                create_time: self.create_time.ok_or_else(missing)?,
            },
            3 => RememberedOutcome::Ended {
                create_time: self.create_time.ok_or_else(missing)?,
            },
            _ => return Err(StoreError::corrupt("no such outcome")),
        })
    }
}

numbered!(side_number, side, Side, { Side::Low => 0 = Side::Low, Side::High => 1 = Side::High });
numbered!(role_number, role, Role, { Role::Inviter => 0 = Role::Inviter, Role::Invitee => 1 = Role::Invitee });
numbered!(place_number, place, Place, {
    Place::Sent => 0 = Place::Sent,
    Place::Received => 1 = Place::Received,
    Place::Filtered => 2 = Place::Filtered,
    Place::Withdrawn => 3 = Place::Withdrawn,
    Place::Declined => 4 = Place::Declined,
    Place::Accepted => 5 = Place::Accepted,
});
numbered!(shown_number, shown, Shown, {
    Shown::Pending => 0 = Shown::Pending,
    Shown::Accepting => 1 = Shown::Accepting,
    Shown::Accepted => 2 = Shown::Accepted,
    Shown::Declined => 3 = Shown::Declined,
    Shown::Withdrawn => 4 = Shown::Withdrawn,
});
numbered!(who_can_invite_number, who_can_invite, WhoCanInvite, {
    WhoCanInvite::Everyone => 0 = WhoCanInvite::Everyone,
    WhoCanInvite::Nobody => 1 = WhoCanInvite::Nobody,
    WhoCanInvite::SecondDegree => 2 = WhoCanInvite::SecondDegree,
});
numbered!(reason_number, reason, DeclineReason, {
    DeclineReason::NotNow => 0 = DeclineReason::NotNow,
    DeclineReason::DontKnow => 1 = DeclineReason::DontKnow,
    DeclineReason::Spam => 2 = DeclineReason::Spam,
});
numbered!(effect_number, effect, Effect, {
    Effect::None => 0 = Effect::None,
    Effect::Appeared => 1 = Effect::Appeared,
    Effect::Changed => 2 = Effect::Changed,
    Effect::Gone => 3 = Effect::Gone,
});
numbered!(kind_number, kind, EventKind, {
    EventKind::Blank => 0 = EventKind::Blank,
    EventKind::Seen => 1 = EventKind::Seen,
    EventKind::Step(Happening::Sent) => 2 = EventKind::Step(Happening::Sent),
    EventKind::Step(Happening::Accepting) => 3 = EventKind::Step(Happening::Accepting),
    EventKind::Step(Happening::Returned) => 4 = EventKind::Step(Happening::Returned),
    EventKind::Step(Happening::Accepted) => 5 = EventKind::Step(Happening::Accepted),
    EventKind::Step(Happening::Declined) => 6 = EventKind::Step(Happening::Declined),
    EventKind::Step(Happening::DeclineUndone) => 7 = EventKind::Step(Happening::DeclineUndone),
    EventKind::Step(Happening::Withdrawn) => 8 = EventKind::Step(Happening::Withdrawn),
    EventKind::Step(Happening::Expired) => 9 = EventKind::Step(Happening::Expired),
    EventKind::Step(Happening::Ended) => 10 = EventKind::Step(Happening::Ended),
    EventKind::Step(Happening::Forgotten) => 11 = EventKind::Step(Happening::Forgotten),
});

/// A link in the list of a member's events: twice the position, plus one where the member is the invitee; 0 for none.
pub(in crate::store) fn link_number(link: Option<EventLink>) -> i64 {
    link.map_or(0, |link| {
        position_number(link.position)
            .saturating_mul(2)
            .saturating_add(role_number(link.role))
    })
}

pub(in crate::store) fn link(number: i64) -> Result<Option<EventLink>, StoreError> {
    if number == 0 {
        return Ok(None);
    }
    Ok(Some(EventLink {
        position: position(number / 2)?,
        role: role(number % 2)?,
    }))
}

/// A standing as the column holds it; `None` for a member who has never sent.
pub(in crate::store) fn standing_bytes(standing: &Standing) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = standing.to_bytes().map_err(StoreError::internal)?;
    Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
}

pub(in crate::store) fn log_bytes(log: &RollingLog) -> Vec<u8> {
    log.times()
        .iter()
        .flat_map(|time| time.millis().to_be_bytes())
        .collect()
}

pub(in crate::store) fn log(bytes: &[u8]) -> Result<RollingLog, StoreError> {
    let (times, rest) = bytes.as_chunks::<8>();
    if !rest.is_empty() {
        return Err(StoreError::corrupt("a log of times is cut off"));
    }
    let times = times
        .iter()
        .map(|time| Time::from_millis(i64::from_be_bytes(*time)));
    Ok(RollingLog::new(times.collect()))
}

/// What remains of a pair's ended invitations, and its bars. Its field names are the store's.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Remains {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    accepted: Option<Accepted>,
    #[serde(default, skip_serializing_if = "is_default")]
    declined: Sides<Option<Declined>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    withdrawn: Vec<Withdrawn>,
    #[serde(default, skip_serializing_if = "is_default")]
    bars: Sides<Option<Bar>>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// The remains of a pair as the column holds them; `None` when there are none.
pub(in crate::store) fn remains_text(pair: &Pair) -> Result<Option<String>, StoreError> {
    let remains = Remains {
        accepted: pair.accepted.clone(),
        declined: pair.declined.clone(),
        withdrawn: pair.withdrawn.clone(),
        bars: pair.bars,
    };
    if remains == Remains::default() {
        return Ok(None);
    }
    serde_json::to_string(&remains)
        .map(Some)
        .map_err(StoreError::internal)
}

/// Puts the remains from the column into a pair.
pub(in crate::store) fn read_remains(
    pair: &mut Pair,
    text: Option<&str>,
) -> Result<(), StoreError> {
    let Some(text) = text else { return Ok(()) };
    // The parser's words could carry parts of the row: they stay here.
    let remains: Remains = serde_json::from_str(text)
        .map_err(|_| StoreError::corrupt("a pair's remains are malformed"))?;
    pair.accepted = remains.accepted;
    pair.declined = remains.declined;
    pair.withdrawn = remains.withdrawn;
    pair.bars = remains.bars;
    Ok(())
}
