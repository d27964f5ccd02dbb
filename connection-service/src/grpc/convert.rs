//! Fields that only this contract has: requests' to values, with every violation noted, and values to those of answers.
//!
//! Deliberately absent: fields of every contract (see [`service_kit::fields`]), and what the values mean.

use acquaint_proto::connection::internal::v1 as internal;
use acquaint_proto::connection::v1::MemberCard;
use service_kit::epoch::EpochId;
use service_kit::fields::{member_id, timestamp};
use service_kit::id::{MemberId, PairKey};
use service_kit::status::FieldViolations;

use crate::domain::card::Card;
use crate::domain::fact::PairFacts;

pub(super) fn pair_key(
    fields: &mut FieldViolations,
    field: &str,
    pair: &internal::MemberPair,
) -> Option<PairKey> {
    let low = member_id(fields, &format!("{field}.low_id"), &pair.low_id);
    let high = member_id(fields, &format!("{field}.high_id"), &pair.high_id);
    let (low, high) = (low?, high?);
    let key = PairKey::new(&low, &high).filter(|key| *key.low() == low);
    if key.is_none() {
        fields.push(field, "low_id must sort before high_id");
    }
    key
}

pub(super) fn position(
    fields: &mut FieldViolations,
    field: &str,
    position: &internal::FactPosition,
) -> Option<(EpochId, u64)> {
    let incarnation = EpochId::try_from(position.incarnation.as_slice());
    incarnation
        .map_err(|_| fields.push(format!("{field}.incarnation"), "must be 16 bytes"))
        .ok()
        .map(|incarnation| (incarnation, position.position))
}

pub(super) fn to_position(incarnation: EpochId, position: u64) -> internal::FactPosition {
    internal::FactPosition {
        incarnation: incarnation.as_bytes().to_vec(),
        position,
    }
}

pub(super) fn to_facts(key: &PairKey, facts: &PairFacts) -> internal::PairFacts {
    let connection = facts.connection.map(|connection| internal::ConnectionFact {
        connect_time: Some(timestamp(connection.connect_time)),
        invitation_id: connection
            .invitation
            .map(|invitation| invitation.to_string())
            .unwrap_or_default(),
    });
    internal::PairFacts {
        pair: Some(internal::MemberPair {
            low_id: key.low().to_string(),
            high_id: key.high().to_string(),
        }),
        connection,
        blocked_by_low: facts.blocked.low,
        blocked_by_high: facts.blocked.high,
        low_erased: facts.erased.low,
        high_erased: facts.erased.high,
    }
}

pub(super) fn to_member_card(member: &MemberId, card: Card) -> MemberCard {
    MemberCard {
        member_id: member.to_string(),
        first_name: card.first_name,
        last_name: card.last_name,
        headline: card.headline,
    }
}

pub(super) fn to_mutual(have_mutual: Option<bool>) -> internal::MutualConnection {
    match have_mutual {
        None => internal::MutualConnection::Unspecified,
        Some(true) => internal::MutualConnection::Some,
        Some(false) => internal::MutualConnection::None,
    }
}
