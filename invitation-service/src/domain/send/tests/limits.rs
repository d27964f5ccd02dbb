//! Tables of the limits of sending: where exactly they begin and end.

use super::*;

#[test]
fn the_weekly_cap_is_rolling_and_exact() {
    // How long before now each invitation was charged, the cap in force, and the answer.
    let check = |ages: &[Span], weekly_cap, expected: Came| {
        for side in Side::BOTH {
            let mut world = World::new(side, Before::Nothing);
            world.policy.weekly_cap = weekly_cap;
            world.inviter.charges =
                RollingLog::new(ages.iter().map(|age| START.minus(*age)).collect());
            assert_eq!(came(world.send()), expected, "{ages:?} under {weekly_cap}");
        }
    };
    let reached = |weekly_cap, used, next: Option<Time>| {
        Came::Refused(Refusal::WeeklyCapReached {
            weekly_cap,
            used,
            next_place_time: next,
        })
    };
    let week = Span::days(7);
    let (almost, more) = (
        Span::millis(week.as_millis() - 1),
        Span::millis(week.as_millis() + 1),
    );
    let hour = Span::hours(1);
    // START ends in 250 ms: a place that is free a millisecond later is told as the next whole second.
    let next_second = START.ceil_to_second();
    let in_a_week = |age: Span| Some(START.minus(age).plus(week).ceil_to_second());
    check(&[], 1, Came::Created);
    check(&[], 0, reached(0, 0, None));
    check(&[hour], 0, reached(0, 1, None));
    check(&[hour, hour], 3, Came::Created);
    check(&[hour, hour, hour], 3, reached(3, 3, in_a_week(hour)));
    check(
        &[almost, hour, Span::ZERO],
        3,
        reached(3, 3, Some(next_second)),
    );
    check(&[week, hour, Span::ZERO], 3, Came::Created);
    check(&[more, hour, Span::ZERO], 3, Came::Created);
    check(&[week, week, week], 1, Came::Created);
    check(
        &[almost, almost, almost],
        3,
        reached(3, 3, Some(next_second)),
    );
    // A cap that was lowered: as many must leave as are too many, and one more.
    check(
        &[almost, DAY, hour, Span::ZERO],
        3,
        reached(3, 4, in_a_week(DAY)),
    );
    check(
        &[almost, DAY, hour, Span::ZERO],
        1,
        reached(1, 4, in_a_week(Span::ZERO)),
    );
}

#[test]
fn a_send_at_the_time_of_the_next_place_succeeds() {
    for millis in [0, 1, 249, 250, 749, 750, 751, 999] {
        let mut world = World::new(Side::Low, Before::Nothing);
        world.inviter.charges = RollingLog::new(vec![
            START,
            at(Span::millis(millis)),
            at(Span::millis(millis)),
        ]);
        world.now = at(Span::seconds(1));
        let Err(Refusal::WeeklyCapReached {
            next_place_time, ..
        }) = world.send()
        else {
            panic!("the cap holds");
        };
        let next = next_place_time.unwrap();
        assert!(
            next.since(at(Span::days(7))) < Span::seconds(1),
            "not later than need be"
        );
        world.now = START.plus(Span::days(7)).minus(TICK);
        assert!(
            matches!(world.send(), Err(Refusal::WeeklyCapReached { .. })),
            "{millis}"
        );
        world.now = next;
        assert_eq!(came(world.send()), Came::Created, "{millis}");
    }
}

#[test]
fn masked_refusals_are_counted_for_a_day() {
    // How long before now masked refusals were met, whether the invitee can be invited, and the answer.
    let check = |ages: &[Span], open: bool, expected: Came, noted: usize| {
        let mut world = World::new(Side::High, Before::Nothing);
        world.inviter.probes = RollingLog::new(ages.iter().map(|age| START.minus(*age)).collect());
        if !open {
            world.invitee.preferences.who_can_invite = WhoCanInvite::Nobody;
        }
        assert_eq!(came(world.send()), expected, "{ages:?}");
        assert_eq!(
            world.inviter.probes.count(START, DAY),
            u32::try_from(noted).unwrap(),
            "{ages:?}"
        );
    };
    let masked = Came::Refused(Refusal::RecipientUnavailable);
    let limit = |retry_time| Came::Refused(Refusal::ProbeLimitReached { retry_time });
    let almost = Span::millis(DAY.as_millis() - 1);
    let hour = Span::hours(1);
    check(&[], true, Came::Created, 0);
    check(&[], false, masked.clone(), 1);
    check(&[hour], true, Came::Created, 1);
    check(&[hour], false, masked.clone(), 2);
    check(
        &[hour, hour],
        true,
        limit(at(Span::hours(23)).ceil_to_second()),
        2,
    );
    check(
        &[hour, hour],
        false,
        limit(at(Span::hours(23)).ceil_to_second()),
        2,
    );
    check(&[almost, hour], true, limit(START.ceil_to_second()), 2);
    check(&[DAY, hour], true, Came::Created, 1);
    check(&[DAY, hour], false, masked, 2);
}

#[test]
fn own_counters_border_on_their_limits() {
    let check = |arrange: fn(&mut World), expected: Came| {
        let mut world = World::new(Side::Low, Before::Nothing);
        arrange(&mut world);
        assert_eq!(came(world.send()), expected);
    };
    check(|w| w.inviter.sent_pending = 3, Came::Created);
    check(
        |w| w.inviter.sent_pending = 4,
        Came::Refused(Refusal::PendingCapReached { pending_cap: 4 }),
    );
    check(
        |w| w.inviter.sent_pending = 5,
        Came::Refused(Refusal::PendingCapReached { pending_cap: 4 }),
    );
    check(|w| w.inviter.connections = 2, Came::Created);
    check(
        |w| w.inviter.connections = 3,
        Came::Refused(Refusal::ConnectionLimitReached),
    );
    check(
        |w| w.inviter.connections = 4,
        Came::Refused(Refusal::ConnectionLimitReached),
    );
    // The invitee's limits are not the inviter's to know.
    check(|w| w.invitee.sent_pending = 4, Came::Created);
    check(|w| w.invitee.connections = 3, Came::Created);
    check(
        |w| w.invitee.charges = RollingLog::new(vec![START; 3]),
        Came::Created,
    );
    check(
        |w| w.invitee.probes = RollingLog::new(vec![START; 2]),
        Came::Created,
    );
    check(|w| w.withdraw_cooldown_until = Some(START), Came::Created);
    check(
        |w| w.withdraw_cooldown_until = Some(at(TICK)),
        Came::Refused(Refusal::ResendCooldown {
            retry_time: at(TICK),
        }),
    );
}
