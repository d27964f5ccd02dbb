//! Fields of requests to values, with every violation noted, and values to fields of answers.
//!
//! A reader notes what is wrong and gives `None`; when all fields have been read, [`invalid`] answers for those that were.
//! Deliberately absent: what the values mean, and messages of any contract.

mod options;

use prost_types::Timestamp;
use tonic::Status;
use uuid::Uuid;

pub use options::{BatchOptions, Pages, RequestOptions};

use crate::id::MemberId;
use crate::status::{self, FieldViolations};
use crate::time::Time;

/// The first and the last second that a `google.protobuf.Timestamp` may show: the years 1 to 9999.
const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

/// The status of a request with violations: `INVALID_FIELD`.
pub fn invalid(fields: FieldViolations) -> Status {
    fields
        .check()
        .err()
        .map_or_else(status::internal, Into::into)
}

/// A member id.
pub fn member_id(fields: &mut FieldViolations, field: &str, text: &str) -> Option<MemberId> {
    MemberId::parse(text)
        .map_err(|rule| fields.push(field, rule.to_string()))
        .ok()
}

/// 1 to `max` member ids.
pub fn member_ids(
    fields: &mut FieldViolations,
    field: &str,
    texts: &[String],
    max: usize,
) -> Option<Vec<MemberId>> {
    list(fields, field, texts, max, |fields, field, text| {
        member_id(fields, field, text)
    })
}

/// 1 to `max` UUIDs.
pub fn uuids(
    fields: &mut FieldViolations,
    field: &str,
    texts: &[String],
    max: usize,
) -> Option<Vec<Uuid>> {
    list(fields, field, texts, max, |fields, field, text| {
        uuid(fields, field, text)
    })
}

/// 1 to `max` elements, each read by `read`, which is given the path of its field.
pub fn list<E, T>(
    fields: &mut FieldViolations,
    field: &str,
    elements: &[E],
    max: usize,
    read: impl Fn(&mut FieldViolations, &str, &E) -> Option<T>,
) -> Option<Vec<T>> {
    if !(1..=max).contains(&elements.len()) {
        fields.push(field, format!("must be 1 to {max}"));
        return None;
    }
    let each = elements.iter().enumerate();
    // All of them, so that every violation is noted.
    let read: Vec<_> = each
        .map(|(index, element)| read(fields, &format!("{field}[{index}]"), element))
        .collect();
    read.into_iter().collect()
}

/// The size of a page: 0 means the default of `pages`, more than their largest means that.
pub fn page_size(fields: &mut FieldViolations, size: i32, pages: Pages) -> Option<u32> {
    match u32::try_from(size) {
        Ok(0) => Some(pages.default),
        Ok(size) => Some(size.min(pages.max)),
        Err(_) => {
            fields.push("page_size", "must not be negative");
            None
        }
    }
}

/// A UUID, in any of its usual forms.
pub fn uuid(fields: &mut FieldViolations, field: &str, text: &str) -> Option<Uuid> {
    let parsed = Uuid::try_parse(text);
    parsed
        .map_err(|_| fields.push(field, "must be a UUID"))
        .ok()
}

/// A time that must be given, to the millisecond.
pub fn time(
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

/// A time that may be left out, to the millisecond.
#[allow(
    clippy::option_option,
    reason = "whether it could be read, and whether it was given"
)]
pub fn optional_time(
    fields: &mut FieldViolations,
    field: &str,
    timestamp: Option<Timestamp>,
) -> Option<Option<Time>> {
    match timestamp {
        None => Some(None),
        given => time(fields, field, given).map(Some),
    }
}

/// The time as the wire has it.
pub fn timestamp(time: Time) -> Timestamp {
    let millis = time.millis();
    Timestamp {
        seconds: millis.div_euclid(1_000),
        // Below 1,000, so it fits.
        nanos: i32::try_from(millis.rem_euclid(1_000)).unwrap_or(0) * 1_000_000,
    }
}

/// The time in RFC 3339, in UTC: with milliseconds only where there are any.
pub fn rfc3339(time: Time) -> String {
    timestamp(time).to_string()
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
    fn times_are_written_as_rfc_3339() {
        let check = |millis, text: &str| assert_eq!(rfc3339(Time::from_millis(millis)), text);
        check(0, "1970-01-01T00:00:00Z");
        check(1_732_000_000_000, "2024-11-19T07:06:40Z");
        check(1_732_000_000_120, "2024-11-19T07:06:40.120Z");
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
    fn a_time_may_be_left_out_but_not_be_wrong() {
        let check = |given, read, noted| {
            let mut fields = FieldViolations::new();
            assert_eq!(optional_time(&mut fields, "t", given), read);
            assert_eq!(fields.check().is_err(), noted);
        };
        let (seconds, nanos) = (1, 2_000_000);
        check(None, Some(None), false);
        let given = Timestamp { seconds, nanos };
        check(Some(given), Some(Some(Time::from_millis(1_002))), false);
        let nanos = -1;
        check(Some(Timestamp { seconds, nanos }), None, true);
    }

    #[test]
    fn every_element_of_a_list_is_read() {
        let mut fields = FieldViolations::new();
        let texts = ["a".to_owned(), String::new(), "b c".to_owned()];
        assert_eq!(member_ids(&mut fields, "ids", &texts, 3), None);
        let refused = fields.check().unwrap_err();
        let named: Vec<_> = refused
            .violations
            .iter()
            .map(|v| v.field.as_str())
            .collect();
        assert_eq!(named, ["ids[1]", "ids[2]"]);
        for bad in [&texts[..0], &texts[..]] {
            let mut fields = FieldViolations::new();
            assert_eq!(uuids(&mut fields, "ids", bad, 2), None);
            assert_eq!(fields.check().unwrap_err().violations.len(), 1);
        }
    }

    #[test]
    fn pages_are_coerced_but_never_negative() {
        let pages = Pages {
            default: 20,
            max: 300,
        };
        for (size, expected) in [
            (0, Some(20)),
            (1, Some(1)),
            (300, Some(300)),
            (301, Some(300)),
            (-1, None),
        ] {
            let mut fields = FieldViolations::new();
            assert_eq!(page_size(&mut fields, size, pages), expected);
            assert_eq!(fields.check().is_err(), expected.is_none());
        }
    }
}
