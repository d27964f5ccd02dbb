//! Tables of what a pair is kept for, and until when.

use super::*;
use crate::domain::fixture::{
    Before, CURSOR, ID, INVITEE, INVITER, START, at, blocked_by, connected_elsewhere, id,
    invitation, pair, pair_inviting, pending, policy,
};

#[test]
fn a_row_is_kept_for_as_long_as_anything_is_left_in_it() {
    let check = |name: &str, arrange: fn(&mut Pair), empty: bool| {
        let mut pair = pair(Before::Nothing);
        arrange(&mut pair);
        assert_eq!(pair.is_empty(CURSOR), empty, "{name}");
    };
    check("nothing", |_| {}, true);
    check("live", |p| p.live = pair(Before::Pending).live, false);
    check(
        "accepted",
        |p| p.accepted = pair(Before::Accepted).accepted,
        false,
    );
    check(
        "declined",
        |p| p.declined = pair(Before::DeclinedForgotten).declined,
        false,
    );
    check(
        "withdrawn",
        |p| p.withdrawn = pair(Before::Withdrawn).withdrawn,
        false,
    );
    check(
        "barred",
        |p| p.bars = pair(Before::Declined(DeclineReason::Spam)).bars,
        false,
    );
    check("connected", |p| p.facts = connected_elsewhere(), false);
    check("blocked", |p| p.facts = blocked_by(INVITEE), false);
    check(
        "read behind the feed",
        |p| p.facts_position = CURSOR - 1,
        true,
    );
    check(
        "read where the feed is",
        |p| p.facts_position = CURSOR,
        true,
    );
    check(
        "read ahead of the feed",
        |p| p.facts_position = CURSOR + 1,
        false,
    );
}

fn declined(inviter: Side) -> Sides<Option<Declined>> {
    pair_inviting(inviter, Before::Declined(DeclineReason::NotNow)).declined
}

#[test]
fn the_next_deadline_is_the_earliest() {
    let check = |name: &str, arrange: fn(&mut Pair), expected: Option<Time>| {
        let mut pair = pair(Before::Nothing);
        arrange(&mut pair);
        assert_eq!(pair.next_deadline(CURSOR, START), expected, "{name}");
    };
    check("nothing", |_| {}, None);
    check(
        "pending",
        |p| p.live = pair(Before::Pending).live,
        Some(at(Span::days(180))),
    );
    check(
        "accepting",
        |p| p.live = pair(Before::Accepting).live,
        Some(at(policy().acceptance_first_retry)),
    );
    check(
        "accepted",
        |p| p.accepted = pair(Before::Accepted).accepted,
        Some(at(Span::days(90))),
    );
    check(
        "withdrawn",
        |p| p.withdrawn = pair(Before::Withdrawn).withdrawn,
        Some(at(Span::hours(24))),
    );
    check(
        "declined",
        |p| p.declined = declined(INVITER),
        Some(at(Span::hours(24))),
    );
    check(
        "declined by the other",
        |p| p.declined = declined(INVITEE),
        Some(at(Span::hours(24))),
    );
    check(
        "forgotten by the invitee",
        |p| p.declined = pair(Before::DeclinedForgotten).declined,
        Some(at(Span::days(21))),
    );
    check(
        "barred",
        |p| p.bars = pair(Before::Declined(DeclineReason::Spam)).bars,
        None,
    );
    check("blocked", |p| p.facts = blocked_by(INVITER), None);
    check(
        "read ahead of the feed",
        |p| p.facts_position = CURSOR + 1,
        Some(at(Span::minutes(1))),
    );
    check(
        "pending, and declined before",
        |p| {
            p.declined = declined(INVITER);
            p.live = Some(pending(invitation(id(2), INVITEE)));
        },
        Some(at(Span::hours(24))),
    );
    check(
        "pending, read ahead of the feed",
        |p| {
            p.live = pair(Before::Pending).live;
            p.facts_position = CURSOR + 1;
        },
        Some(at(Span::days(180))),
    );
}

#[test]
fn an_invitation_is_found_wherever_it_stands() {
    let check = |before, found: bool| {
        let mut pair = pair(before);
        assert_eq!(pair.invitation_mut(&ID).is_some(), found, "{before:?}");
        assert!(pair.invitation_mut(&id(2)).is_none());
    };
    check(Before::Nothing, false);
    check(Before::Pending, true);
    check(Before::Accepting, true);
    check(Before::Accepted, true);
    check(Before::Declined(DeclineReason::NotNow), true);
    check(Before::DeclinedForgotten, true);
    check(Before::Withdrawn, true);
}

#[test]
fn facts_are_known_to_whichever_is_further() {
    let check = |position, cursor, expected| {
        let mut pair = pair(Before::Nothing);
        pair.facts_position = position;
        assert_eq!(pair.facts_known_to(cursor), expected);
    };
    check(0, 0, 0);
    check(0, 9, 9);
    check(9, 0, 9);
    check(7, 9, 9);
    check(9, 7, 9);
}

#[test]
fn reports_bar_and_a_plain_decline_does_not() {
    assert!(!DeclineReason::NotNow.bars());
    assert!(DeclineReason::DontKnow.bars());
    assert!(DeclineReason::Spam.bars());
    assert!(
        DeclineReason::NotNow < DeclineReason::DontKnow
            && DeclineReason::DontKnow < DeclineReason::Spam
    );
}
