//! Fields of requests to values, with every violation noted, and values to fields of answers.
//!
//! A reader notes what is wrong and gives `None`; when all fields have been read, [`invalid`] answers for those that were.
//! Deliberately absent: what the values mean.

use acquaint_proto::connection::internal::v1 as internal;
use prost_types::Timestamp;
use service_kit::epoch::EpochId;
use service_kit::id::{MemberId, PairKey};
use service_kit::status::{self, FieldViolations};
use service_kit::time::Time;
use tonic::Status;
use uuid::Uuid;

use crate::domain::fact::PairFacts;

/// The first and the last second that a `google.protobuf.Timestamp` may show: the years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The page that is meant by 0 where members page.
pub(super) const PAGE_DEFAULT: u32 = 50;
/// The largest page.
pub(super) const PAGE_MAX: u32 = 1_000;

/// The status of a request with violations.
pub(super) fn invalid(fields: FieldViolations) -> Status {
    fields
        .check()
        .err()
        .map_or_else(status::internal, Into::into)
}

pub(super) fn member_id(fields: &mut FieldViolations, field: &str, text: &str) -> Option<MemberId> {
    MemberId::parse(text)
        .map_err(|rule| fields.push(field, rule.to_string()))
        .ok()
}

pub(super) fn member_ids(
    fields: &mut FieldViolations,
    field: &str,
    texts: &[String],
    max: usize,
) -> Option<Vec<MemberId>> {
    if !(1..=max).contains(&texts.len()) {
        fields.push(field, format!("must be 1 to {max}"));
        return None;
    }
    let each = texts.iter().enumerate();
    let read: Vec<_> = each
        .map(|(index, text)| member_id(fields, &format!("{field}[{index}]"), text))
        .collect();
    read.into_iter().collect()
}

pub(super) fn page_size(fields: &mut FieldViolations, size: i32, default: u32) -> Option<u32> {
    match u32::try_from(size) {
        Ok(0) => Some(default),
        Ok(size) => Some(size.min(PAGE_MAX)),
        Err(_) => {
            fields.push("page_size", "must not be negative");
            None
        }
    }
}

pub(super) fn uuid(fields: &mut FieldViolations, field: &str, text: &str) -> Option<Uuid> {
    let parsed = Uuid::try_parse(text);
    parsed
        .map_err(|_| fields.push(field, "must be a UUID"))
        .ok()
}

/// The time to the millisecond.
pub(super) fn time(
    fields: &mut FieldViolations,
    field: &str,
    timestamp: Option<Timestamp>,
) -> Option<Time> {
    let read = timestamp.and_then(|Timestamp { seconds, nanos }| {
        let valid = SECONDS.contains(&seconds) && (0..1_000_000_000).contains(&nanos);
        valid.then(|| Time::from_millis(seconds * 1_000 + i64::from(nanos / 1_000_000)))
    });
    if read.is_none() {
        fields.push(field, "must be a time");
    }
    read
}

pub(super) fn timestamp(time: Time) -> Timestamp {
    let millis = time.millis();
    Timestamp {
        seconds: millis.div_euclid(1_000),
        // Below 1,000, so it fits.
        nanos: i32::try_from(millis.rem_euclid(1_000)).unwrap_or(0) * 1_000_000,
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_there_and_back() {
        for millis in [0, 1, 999, 1_000, 1_732_000_000_123, -1, -1_000, -1_001] {
            let time_in = Time::from_millis(millis);
            let mut fields = FieldViolations::new();
            let back = time(&mut fields, "t", Some(timestamp(time_in)));
            assert_eq!(back, Some(time_in));
        }
    }

    #[test]
    fn what_is_no_time_is_noted() {
        let of = |seconds, nanos| Some(Timestamp { seconds, nanos });
        for odd in [
            None,
            of(0, -1),
            of(0, 1_000_000_000),
            of(i64::MAX, 0),
            of(-62_135_596_801, 0),
        ] {
            let mut fields = FieldViolations::new();
            assert_eq!(time(&mut fields, "t", odd), None, "{odd:?}");
            assert!(fields.check().is_err());
        }
    }

    #[test]
    fn pages_are_coerced_but_never_negative() {
        for (size, expected) in [
            (0, Some(50)),
            (1, Some(1)),
            (1_000, Some(1_000)),
            (1_001, Some(1_000)),
            (-1, None),
        ] {
            let mut fields = FieldViolations::new();
            assert_eq!(page_size(&mut fields, size, PAGE_DEFAULT), expected);
            assert_eq!(fields.check().is_err(), expected.is_none());
        }
    }
}
