//! Tables of learning what connection-service says: news or not, and what news does to an invitation.

use super::*;
use crate::domain::{
    accept::{Ruled, Ruling, Verdict, rule},
    fixture::{
        Before, CONNECTED, CURSOR, DAY, ID, INVITEE, INVITER, START, Step, accepting, at,
        blocked_by, connected_by, connected_elsewhere, id, invitation, pair, policy, state, steps,
        strangers,
    },
    pair::{Connection, DeclineReason},
};

/// The time of a case.
const NOW: Time = at(DAY);

#[test]
fn the_newer_of_two_readings_holds() {
    // How far the feed was followed, where the pair's facts were read, where the new ones were; whether they are news.
    let check = |cursor, known_at, position, newer| {
        let mut pair = pair(Before::Nothing);
        pair.facts_position = known_at;
        let learned = learn(
            &mut pair,
            blocked_by(INVITER),
            position,
            cursor,
            &policy(),
            NOW,
        );
        assert_eq!(
            learned.newer, newer,
            "{position} after {cursor} and {known_at}"
        );
        let expected = if newer {
            blocked_by(INVITER)
        } else {
            strangers()
        };
        assert_eq!(pair.facts, expected);
        assert_eq!(pair.facts_position, if newer { position } else { known_at });
    };
    check(0, 0, 0, false);
    check(0, 0, 1, true);
    check(10, 0, 9, false);
    check(10, 0, 10, false);
    check(10, 0, 11, true);
    check(10, 15, 11, false);
    check(10, 15, 15, false);
    check(10, 15, 16, true);
    check(20, 15, 16, false);
    check(20, 15, 21, true);
}

const ENDED: Step = (ID, State::Pending, State::Gone, Happening::Ended);
const JOINED: Step = (ID, State::Pending, CONNECTED, Happening::Accepted);
const JOINED_ACCEPTING: Step = (ID, State::Accepting, CONNECTED, Happening::Accepted);
const FORGOTTEN: Step = (ID, CONNECTED, State::Gone, Happening::Forgotten);

#[test]
fn news_does_to_an_invitation_what_it_says() {
    let check = |before, facts: Facts, expected: &[Step]| {
        let mut pair = pair(before);
        let learned = learn(&mut pair, facts, CURSOR + 1, CURSOR, &policy(), NOW);
        assert!(learned.newer);
        assert_eq!(
            steps(&learned.transitions),
            expected,
            "{before:?} with {facts:?}"
        );
        if let Some((_, _, to, _)) = expected.last() {
            assert_eq!(state(&pair), *to, "{before:?} with {facts:?}");
        }
    };
    let connected_anew = || Facts {
        connection: Some(Connection {
            connect_time: NOW,
            invitation_id: None,
        }),
        ..Facts::default()
    };
    for block in [blocked_by(INVITER), blocked_by(INVITEE)] {
        check(Before::Nothing, block, &[]);
        check(Before::Pending, block, &[ENDED]);
        // Only its verdict decides.
        check(Before::Accepting, block, &[]);
        check(Before::Accepted, block, &[FORGOTTEN]);
        check(Before::Declined(DeclineReason::NotNow), block, &[]);
        check(Before::Withdrawn, block, &[]);
    }
    check(Before::Nothing, strangers(), &[]);
    check(Before::Pending, strangers(), &[]);
    check(Before::Accepting, strangers(), &[]);
    check(Before::Accepted, strangers(), &[FORGOTTEN]);
    check(Before::Pending, connected_by(ID), &[JOINED]);
    check(Before::Accepting, connected_by(ID), &[JOINED_ACCEPTING]);
    check(Before::Accepted, connected_by(ID), &[]);
    check(Before::Accepted, connected_anew(), &[FORGOTTEN]);
    check(Before::Pending, connected_elsewhere(), &[ENDED]);
    check(Before::Pending, connected_by(id(2)), &[ENDED]);
    // The verdict on it is on the way.
    check(Before::Accepting, connected_elsewhere(), &[]);
    check(Before::Accepting, connected_by(id(2)), &[]);
}

#[test]
fn only_what_is_later_than_the_invitation_ends_it() {
    // Where the invitation was decided, where the news was read, and the steps.
    let check = |before, decided_at, position, expected: &[Step]| {
        for facts in [blocked_by(INVITER), blocked_by(INVITEE)] {
            let mut pair = pair(before);
            pair.live.as_mut().unwrap().invitation.decided_at = decided_at;
            let learned = learn(&mut pair, facts, position, 0, &policy(), NOW);
            assert_eq!(
                steps(&learned.transitions),
                expected,
                "decided at {decided_at}, read at {position}"
            );
        }
    };
    check(Before::Pending, 10, 11, &[ENDED]);
    check(Before::Pending, 10, 10, &[]);
    check(Before::Pending, 10, 9, &[]);
}

#[test]
fn a_block_leaves_an_acceptance_to_its_verdict_but_a_refusal_does_not_give_it_back() {
    let check = |decided_at, position, overtaken| {
        let mut pair = pair(Before::Accepting);
        pair.live.as_mut().unwrap().invitation.decided_at = decided_at;
        learn(&mut pair, blocked_by(INVITEE), position, 0, &policy(), NOW);
        let acceptance = pair.live.as_ref().unwrap().acceptance.as_ref().unwrap();
        assert_eq!(acceptance.overtaken, overtaken);
        let ruling = Ruling {
            invitation_id: ID,
            acceptance: pair.live.as_ref().unwrap().invitation.acceptances,
            verdict: Verdict::Refused { full: INVITER },
            facts: strangers(),
            position: position + 1,
        };
        let (ruled, _) = rule(&mut pair, &ruling, 0, &policy(), NOW);
        let expected = if overtaken {
            Ruled::Gone
        } else {
            Ruled::Returned { full: INVITER }
        };
        assert_eq!(
            ruled, expected,
            "decided at {decided_at}, blocked at {position}"
        );
    };
    check(10, 11, true);
    check(10, 10, false);
}

#[test]
fn a_block_older_than_the_copy_still_ends_what_was_decided_before_it() {
    // Blocked (11) and unblocked (12); the copy heard of 12 with a verdict before the feed brought 11.
    let check = |decided_at, expected: &[Step]| {
        let mut pair = pair(Before::Pending);
        pair.live.as_mut().unwrap().invitation.decided_at = decided_at;
        pair.facts_position = 12;
        let learned = learn(&mut pair, blocked_by(INVITEE), 11, 10, &policy(), NOW);
        assert!(!learned.newer);
        assert_eq!(
            steps(&learned.transitions),
            expected,
            "decided at {decided_at}"
        );
        assert_eq!((pair.facts, pair.facts_position), (strangers(), 12));
    };
    check(10, &[ENDED]);
    check(11, &[]);
    check(12, &[]);
}

#[test]
fn an_old_block_does_not_end_an_invitation_sent_after_the_unblocking() {
    let mut pair = pair(Before::Nothing);
    // A live answer, read after block (11) and unblocking (12), allowed the invitation; then the feed brings both.
    learn(&mut pair, strangers(), 12, 10, &policy(), START);
    let mut new = invitation(ID, INVITER);
    new.decided_at = pair.facts_known_to(10);
    pair.live = Some(Live {
        invitation: new,
        acceptance: None,
    });
    for (position, facts) in [(11, blocked_by(INVITEE)), (12, strangers())] {
        let learned = learn(&mut pair, facts, position, position - 1, &policy(), NOW);
        assert_eq!(learned, Learned::default(), "{position}");
    }
    assert_eq!(state(&pair), State::Pending);
    let learned = learn(&mut pair, blocked_by(INVITEE), 13, 12, &policy(), NOW);
    assert_eq!(steps(&learned.transitions), [ENDED]);
}

#[test]
fn no_wait_after_a_decline_outlives_a_connection_and_no_undoing_a_block() {
    let check = |facts: Facts, waits: bool, undoable: bool| {
        for inviter in Side::BOTH {
            let before = Before::Declined(DeclineReason::NotNow);
            let mut pair = crate::domain::fixture::pair_inviting(inviter, before);
            learn(&mut pair, facts, CURSOR + 1, CURSOR, &policy(), NOW);
            let declined = pair.declined.get(inviter).as_ref().unwrap();
            assert_eq!(declined.cooldown_until > NOW, waits, "{facts:?}");
            assert_eq!(declined.overtaken, !undoable, "{facts:?}");
            assert!(declined.is_kept());
        }
    };
    check(strangers(), true, true);
    check(blocked_by(INVITER), true, false);
    check(blocked_by(INVITEE), true, false);
    check(connected_elsewhere(), false, false);
    check(connected_by(id(2)), false, false);
}

#[test]
fn a_bar_outlives_block_and_connection() {
    for facts in [strangers(), blocked_by(INVITER), connected_elsewhere()] {
        let mut pair = pair(Before::Declined(DeclineReason::Spam));
        let bars = pair.bars;
        learn(&mut pair, facts, CURSOR + 1, CURSOR, &policy(), NOW);
        assert_eq!(pair.bars, bars);
    }
}

#[test]
fn positions_beyond_the_common_history_are_forgotten() {
    // Where the facts were read, where the invitation was decided, the last common position; and both afterwards.
    let check = |read, decided, common, expected: (u64, u64)| {
        let mut pair = pair(Before::Pending);
        pair.facts_position = read;
        pair.live.as_mut().unwrap().invitation.decided_at = decided;
        rewind(&mut pair, common);
        let decided_at = pair.live.unwrap().invitation.decided_at;
        assert_eq!((pair.facts_position, decided_at), expected);
    };
    check(10, 12, 20, (10, 12));
    check(10, 12, 11, (10, 11));
    check(10, 12, 10, (10, 10));
    check(10, 12, 3, (3, 3));
    check(10, 12, 0, (0, 0));
}

#[test]
fn what_the_other_side_has_lost_is_offered_again() {
    let check = |before, common, expected: &[Step]| {
        let mut pair = pair(before);
        let step = offer_again(&mut pair, common, NOW);
        assert_eq!(
            steps(step.as_slice()),
            expected,
            "{before:?}, common up to {common}"
        );
        if !expected.is_empty() {
            let mut offered = invitation(ID, INVITER);
            offered.acceptances = 1;
            let mut live = accepting(offered);
            live.acceptance.as_mut().unwrap().next_attempt = NOW;
            assert_eq!(pair.live, Some(live));
            assert_eq!((pair.accepted, pair.facts), (None, strangers()));
        }
    };
    let again = (ID, CONNECTED, State::Accepting, Happening::Accepting);
    check(Before::Accepted, CURSOR, &[]);
    check(Before::Accepted, CURSOR - 1, &[again]);
    check(Before::Accepted, 0, &[again]);
    check(Before::Pending, 0, &[]);
    check(Before::Accepting, 0, &[]);
    check(Before::Withdrawn, 0, &[]);
}
