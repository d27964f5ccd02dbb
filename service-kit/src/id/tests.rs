//! Tests of the names. In a file of their own to keep the module short.

use super::*;
use crate::time::Span;

fn member(text: &str) -> MemberId {
    MemberId::parse(text).unwrap()
}

fn source() -> IdSource {
    let mut seed = 0_u8;
    IdSource::new(move |bytes| {
        seed = seed.wrapping_add(101);
        bytes.fill(seed);
    })
}

#[test]
fn member_ids_follow_their_rule() {
    let longest = "x".repeat(64);
    for good in ["a", "A-Z.a_z:0@9", "-", longest.as_str()] {
        assert_eq!(member(good).as_str(), good);
    }
    let too_long = "x".repeat(65);
    for bad in ["", " a", "a b", "é", "a\n", "a/b", "a\0", too_long.as_str()] {
        assert_eq!(MemberId::parse(bad), Err(MalformedMemberId), "{bad:?}");
    }
    assert_ne!(member("a"), member("A"));
    assert_eq!(format!("{0} {0:?}", member("a:1")), "a:1 a:1");
}

#[test]
fn a_pair_is_the_same_in_either_order() {
    let (a, b) = (member("B"), member("a"));
    let pair = PairKey::new(&a, &b).unwrap();
    assert_eq!(Some(&pair), PairKey::new(&b, &a).as_ref());
    assert_eq!(PairKey::new(&a, &a), None);
    assert_eq!(
        (pair.low(), pair.high()),
        (&a, &b),
        "upper case is lower, byte for byte"
    );
    assert_eq!(pair.side_of(&b), Some(Side::High));
    assert_eq!(pair.other(&b), Some(&a));
    assert_eq!(pair.other(&member("c")), None);
    for side in Side::BOTH {
        assert_eq!(pair.side_of(pair.member(side)), Some(side));
        assert_eq!(
            pair.other(pair.member(side)),
            Some(pair.member(side.other()))
        );
    }
}

#[test]
fn sides_hold_one_value_each() {
    let mut sides = Sides { low: 1, high: 2 };
    *sides.get_mut(Side::High) += 10;
    assert_eq!((*sides.get(Side::Low), *sides.get(Side::High)), (1, 12));
}

#[test]
fn ids_ascend_within_a_millisecond_past_the_counter_and_when_the_clock_goes_back() {
    let mut ids = source();
    let start = Time::from_millis(1_700_000_000_000);
    let mut last = ids.next(start);
    for n in 0..10_000_i64 {
        let id = ids.next(start.minus(Span::millis(n % 3)));
        assert!(id > last, "{n}");
        last = id;
    }
    assert_eq!(
        uuid_time(&last),
        Some(start.plus(Span::millis(2))),
        "4,096 ids fit in a millisecond"
    );
    let later = ids.next(start.plus(Span::seconds(1)));
    assert!(later > last);
    assert_eq!(uuid_time(&later), Some(start.plus(Span::seconds(1))));
}

#[test]
fn ids_are_well_formed() {
    let mut ids = IdSource::new(|bytes| bytes.fill(0xff));
    let at = Time::from_millis(1_700_000_000_123);
    let id = ids.next(at);
    assert_eq!(id.get_version_num(), 7);
    assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
    assert_eq!(uuid_time(&id), Some(at));
    assert!(id >= uuid_floor(at) && id < uuid_floor(at.plus(Span::millis(1))));
    assert_eq!(uuid_time(&Uuid::nil()), None);
    assert_eq!(
        uuid_time(&uuid_floor(Time::from_millis(-5))),
        Some(Time::ZERO)
    );
    let source = || IdSource::from_random(Arc::new(crate::environment::SystemRandom));
    assert_ne!(source().next(at), source().next(at));
}

#[test]
fn a_new_source_goes_on_after_the_last_id() {
    let mut first = source();
    let at = Time::from_millis(1_000_000);
    let last = (0..5).map(|_| first.next(at)).last().unwrap();
    let mut second = source();
    second.resume_after(last);
    second.resume_after(Uuid::nil());
    second.resume_after(uuid_floor(Time::ZERO));
    assert!(second.next(at.minus(Span::hours(1))) > last);
}
