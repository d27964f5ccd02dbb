//! Tables of a member's counters and of the figures of their limits.

use super::*;
use crate::domain::{
    fixture::{
        CONNECTED, DAY, ID, INVITEE, INVITER, START, TICK, at, id, invitation, member, policy,
    },
    invitation::{Happening, State},
};
use service_kit::time::Span;

/// Sent, received, unseen, filtered.
type Counters = [u32; 4];

fn counters(member: &Member) -> Counters {
    [
        member.sent_pending,
        member.received_pending,
        member.received_unseen,
        member.filtered_pending,
    ]
}

fn step(from: State, to: State, filtered: bool) -> Transition {
    let mut invitation = invitation(ID, INVITER);
    invitation.filtered = filtered;
    Transition {
        invitation,
        from,
        to,
        happening: Happening::Ended,
    }
}

#[test]
fn counters_follow_the_lists() {
    use Role::{Invitee, Inviter};
    use State::{Absent, Accepting, Declined, Gone, Pending, Withdrawn};
    // A step, for whom, whether the invitation is filtered; the counters afterwards, all of them 5 before.
    let check = |(from, to), role, filtered, expected: Counters| {
        let mut member = member(if role == Inviter { INVITER } else { INVITEE });
        [
            member.sent_pending,
            member.received_pending,
            member.received_unseen,
            member.filtered_pending,
        ] = [5; 4];
        member.count(&step(from, to, filtered), role);
        assert_eq!(
            counters(&member),
            expected,
            "{from:?} to {to:?} for {role:?}"
        );
    };
    check((Absent, Pending), Inviter, false, [6, 5, 5, 5]);
    check((Absent, Pending), Inviter, true, [6, 5, 5, 5]);
    check((Absent, Pending), Invitee, false, [5, 6, 6, 5]);
    check((Absent, Pending), Invitee, true, [5, 5, 5, 6]);
    check((Pending, Accepting), Inviter, false, [5, 5, 5, 5]);
    check((Pending, Accepting), Invitee, false, [5, 5, 5, 5]);
    check((Accepting, Pending), Inviter, false, [5, 5, 5, 5]);
    check((Accepting, Pending), Invitee, true, [5, 5, 5, 5]);
    for live in [Pending, Accepting] {
        for end in [CONNECTED, Gone, Declined, Withdrawn] {
            check((live, end), Inviter, false, [4, 5, 5, 5]);
            check((live, end), Invitee, false, [5, 4, 4, 5]);
            check((live, end), Invitee, true, [5, 5, 5, 4]);
        }
    }
    check((Declined, Pending), Inviter, false, [6, 5, 5, 5]);
    check((Declined, Pending), Invitee, false, [5, 6, 6, 5]);
    check((Declined, Pending), Invitee, true, [5, 5, 5, 6]);
    for ended in [CONNECTED, Declined, Withdrawn] {
        check((ended, Gone), Inviter, false, [5, 5, 5, 5]);
        check((ended, Gone), Invitee, false, [5, 5, 5, 5]);
    }
}

#[test]
fn seen_is_what_sorts_up_to_the_mark() {
    // The mark, and what an arrival and a departure of the first invitation do to the unseen.
    let check = |seen_until, has_seen: bool, arrived: u32, left: u32| {
        let mut member = member(INVITEE);
        member.received_pending = 5;
        member.received_unseen = 5;
        member.seen_until = seen_until;
        assert_eq!(member.has_seen(&ID), has_seen);
        member.count(&step(State::Absent, State::Pending, false), Role::Invitee);
        assert_eq!(member.received_unseen, arrived);
        member.count(&step(State::Pending, State::Gone, false), Role::Invitee);
        assert_eq!((member.received_pending, member.received_unseen), (5, left));
    };
    check(Uuid::nil(), false, 6, 5);
    check(ID, true, 5, 5);
    check(id(2), true, 5, 5);
}

#[test]
fn the_figures_tell_what_is_used_and_when_there_is_room() {
    // How long ago each was charged, the cap; used, remaining, and the next place.
    let check = |ages: &[Span], weekly_cap, expected: (u32, u32, Option<Time>)| {
        let mut member = member(INVITER);
        member.charges = RollingLog::new(ages.iter().map(|age| START.minus(*age)).collect());
        member.sent_pending = 2;
        let mut policy = policy();
        policy.weekly_cap = weekly_cap;
        let (used, remaining, next_place_time) = expected;
        let quota = Quota {
            weekly_cap,
            used,
            remaining,
            next_place_time,
            pending_sent: 2,
            pending_cap: 4,
        };
        assert_eq!(member.quota(&policy, START), quota, "{ages:?}");
    };
    let week = Span::days(7);
    let almost = Span::millis(week.as_millis() - 1);
    let in_six_days = at(Span::days(6)).ceil_to_second();
    check(&[], 3, (0, 3, None));
    check(&[DAY], 3, (1, 2, None));
    check(&[DAY; 3], 3, (3, 0, Some(in_six_days)));
    check(&[DAY; 4], 3, (4, 0, Some(in_six_days)));
    check(&[week, DAY, DAY], 3, (2, 1, None));
    check(
        &[almost, DAY, DAY],
        3,
        (3, 0, Some(at(TICK).ceil_to_second())),
    );
    check(&[DAY], 0, (1, 0, None));
    check(&[], 0, (0, 0, None));
}
