//! Tables of accepting, and of the verdict on an acceptance.

use super::*;
use crate::domain::{
    fixture::{
        Before, CONNECTED, CURSOR, ID, INVITEE, INVITER, START, Step, at, blocked_by, connected_by,
        connected_elsewhere, id, pair, policy, state, steps, strangers,
    },
    pair::DeclineReason,
};
use service_kit::time::Span;

/// The time of a case.
const NOW: Time = at(Span::hours(1));

#[test]
fn an_acceptance_is_the_invitees_and_names_a_live_invitation() {
    #[derive(Debug, PartialEq, Eq)]
    enum Came {
        Started,
        InProgress,
        Done,
        Refused(Refusal),
    }
    use Came::{Done, InProgress, Refused, Started};
    let check = |before, side, named: &Uuid, expected: Came| {
        let mut pair = pair(before);
        let unchanged = pair.clone();
        let came = match accept(&mut pair, side, named, None, &policy(), NOW) {
            Ok(Accepting::Started(_)) => Started,
            Ok(Accepting::InProgress) => InProgress,
            Ok(Accepting::Done { connect_time }) => {
                assert_eq!(connect_time, START);
                Done
            }
            Err(refusal) => Refused(refusal),
        };
        assert_eq!(came, expected, "{before:?} by {side:?}");
        assert_eq!(pair != unchanged, came == Started, "{before:?} by {side:?}");
    };
    let not_found = || Refused(Refusal::InvitationNotFound);
    let not_now = Before::Declined(DeclineReason::NotNow);
    check(Before::Nothing, INVITEE, &ID, not_found());
    check(Before::Pending, INVITEE, &ID, Started);
    check(Before::Accepting, INVITEE, &ID, InProgress);
    check(Before::Accepted, INVITEE, &ID, Done);
    check(
        not_now,
        INVITEE,
        &ID,
        Refused(Refusal::InvitationNotPending),
    );
    check(Before::DeclinedForgotten, INVITEE, &ID, not_found());
    check(Before::Withdrawn, INVITEE, &ID, not_found());
    // Nobody accepts what they sent.
    check(Before::Pending, INVITER, &ID, not_found());
    check(Before::Accepting, INVITER, &ID, not_found());
    check(Before::Accepted, INVITER, &ID, not_found());
    check(not_now, INVITER, &ID, not_found());
    check(Before::Withdrawn, INVITER, &ID, not_found());
    // Nor one that is not there, whatever else is.
    check(Before::Pending, INVITEE, &id(2), not_found());
    check(Before::Accepting, INVITEE, &id(2), not_found());
    check(Before::Accepted, INVITEE, &id(2), not_found());
    check(not_now, INVITEE, &id(2), not_found());
}

#[test]
fn an_acceptance_is_stored_with_its_number_its_time_and_when_to_see_it_through() {
    let mut pair = pair(Before::Pending);
    let request_id = Some(id(7));
    let Ok(Accepting::Started(step)) = accept(&mut pair, INVITEE, &ID, request_id, &policy(), NOW)
    else {
        panic!("it can be accepted");
    };
    assert_eq!(
        (step.from, step.to, step.happening),
        (State::Pending, State::Accepting, Happening::Accepting)
    );
    let live = pair.live.unwrap();
    assert_eq!(live.invitation.acceptances, 1);
    let stored = Acceptance {
        time: NOW,
        attempts: 0,
        next_attempt: NOW.plus(policy().acceptance_first_retry),
        request_id,
        trace: None,
        overtaken: false,
    };
    assert_eq!(live.acceptance, Some(stored));
}

#[test]
fn an_acceptance_under_way_keeps_the_first_request_that_joined_it() {
    let check = |first: Option<Uuid>, second: Option<Uuid>, kept: Option<Uuid>| {
        let mut pair = pair(Before::Pending);
        for request_id in [first, second] {
            accept(&mut pair, INVITEE, &ID, request_id, &policy(), NOW).unwrap();
        }
        assert_eq!(pair.live.unwrap().acceptance.unwrap().request_id, kept);
    };
    check(None, None, None);
    check(None, Some(id(8)), Some(id(8)));
    check(Some(id(7)), None, Some(id(7)));
    check(Some(id(7)), Some(id(8)), Some(id(7)));
}

const CREATED: Verdict = Verdict::Created;
const ALREADY: Verdict = Verdict::Already;
const REFUSED: Verdict = Verdict::Refused { full: INVITEE };
const OVERTAKEN: Verdict = Verdict::Overtaken;

const GONE: Ruled = Ruled::Gone;
const RETURNED: Ruled = Ruled::Returned { full: INVITEE };
const JOINED: Ruled = Ruled::Connected {
    connect_time: START,
};

/// Steps that a ruling can come to.
const INTO_CONNECTION: Step = (ID, State::Accepting, CONNECTED, Happening::Accepted);
const BACK: Step = (ID, State::Accepting, State::Pending, Happening::Returned);
const INTO_NOTHING: Step = (ID, State::Accepting, State::Gone, Happening::Ended);

fn ruling(verdict: Verdict, facts: Facts, position: u64) -> Ruling {
    Ruling {
        invitation_id: ID,
        acceptance: 1,
        verdict,
        facts,
        position,
    }
}

#[test]
fn a_verdict_with_news_is_the_news() {
    // A verdict, what holds with it (read beyond what is known), and what it comes to.
    let check = |verdict, facts: Facts, expected: Ruled, step: Step| {
        let mut pair = pair(Before::Accepting);
        let ruling = ruling(verdict, facts, CURSOR + 1);
        let (ruled, transitions) = rule(&mut pair, &ruling, CURSOR, &policy(), NOW);
        assert_eq!(
            (ruled, steps(&transitions)),
            (expected, vec![step]),
            "{verdict:?} with {facts:?}"
        );
        assert_eq!(state(&pair), step.2, "{verdict:?} with {facts:?}");
        assert_eq!((&pair.facts, pair.facts_position), (&facts, CURSOR + 1));
    };
    check(CREATED, connected_by(ID), JOINED, INTO_CONNECTION);
    check(CREATED, strangers(), GONE, INTO_NOTHING);
    check(CREATED, blocked_by(INVITER), GONE, INTO_NOTHING);
    check(CREATED, blocked_by(INVITEE), GONE, INTO_NOTHING);
    check(ALREADY, connected_by(ID), JOINED, INTO_CONNECTION);
    check(ALREADY, connected_elsewhere(), JOINED, INTO_CONNECTION);
    check(ALREADY, connected_by(id(2)), JOINED, INTO_CONNECTION);
    check(ALREADY, strangers(), GONE, INTO_NOTHING);
    check(ALREADY, blocked_by(INVITER), GONE, INTO_NOTHING);
    check(REFUSED, strangers(), RETURNED, BACK);
    check(REFUSED, blocked_by(INVITEE), GONE, INTO_NOTHING);
    check(REFUSED, connected_by(ID), JOINED, INTO_CONNECTION);
    check(OVERTAKEN, strangers(), GONE, INTO_NOTHING);
    check(OVERTAKEN, blocked_by(INVITER), GONE, INTO_NOTHING);
    check(OVERTAKEN, blocked_by(INVITEE), GONE, INTO_NOTHING);
}

#[test]
fn a_verdict_with_old_facts_leaves_the_newer_ones() {
    // A verdict, what holds by the copy, which is newer, and what it comes to.
    let check = |verdict, known: Facts, expected: Ruled, step: Step| {
        for position in [CURSOR, CURSOR - 1, 0] {
            let mut pair = pair(Before::Accepting);
            pair.facts = known;
            let told = if known == strangers() {
                connected_by(ID)
            } else {
                strangers()
            };
            let ruling = ruling(verdict, told, position);
            let (ruled, transitions) = rule(&mut pair, &ruling, CURSOR, &policy(), NOW);
            assert_eq!(
                (ruled, steps(&transitions)),
                (expected.clone(), vec![step]),
                "{verdict:?} with {known:?}"
            );
            assert_eq!(state(&pair), step.2, "{verdict:?} with {known:?}");
            assert_eq!((&pair.facts, pair.facts_position), (&known, 0));
        }
    };
    // It was made, and removed again before the answer came.
    check(CREATED, strangers(), GONE, INTO_NOTHING);
    check(ALREADY, strangers(), GONE, INTO_NOTHING);
    check(ALREADY, connected_elsewhere(), JOINED, INTO_CONNECTION);
    check(REFUSED, strangers(), RETURNED, BACK);
    check(OVERTAKEN, strangers(), GONE, INTO_NOTHING);
    check(OVERTAKEN, connected_elsewhere(), GONE, INTO_NOTHING);
}

#[test]
fn an_invitation_never_stays_pending_beside_a_connection() {
    // A limit refused the acceptance; before the answer came the two were connected in another way.
    let check = |position| {
        let mut pair = pair(Before::Accepting);
        let told = connected_elsewhere();
        facts::learn(&mut pair, told, CURSOR + 5, CURSOR, &policy(), NOW);
        rule(
            &mut pair,
            &ruling(REFUSED, strangers(), position),
            CURSOR,
            &policy(),
            NOW,
        );
        assert_ne!(state(&pair), State::Pending, "read at {position}");
    };
    check(CURSOR);
    check(CURSOR + 1);
    check(CURSOR + 5);
    let mut pair = pair(Before::Accepting);
    rule(
        &mut pair,
        &ruling(REFUSED, connected_elsewhere(), CURSOR + 5),
        CURSOR,
        &policy(),
        NOW,
    );
    assert_ne!(
        state(&pair),
        State::Pending,
        "with the connection in the answer itself"
    );
}

#[test]
fn a_verdict_is_for_one_acceptance() {
    let check = |before, acceptances, ruled_on: (Uuid, u32), expected: Ruled| {
        for verdict in [CREATED, ALREADY, REFUSED, OVERTAKEN] {
            let mut pair = pair(before);
            if let Some(live) = &mut pair.live {
                live.invitation.acceptances = acceptances;
            }
            let unchanged = pair.clone();
            let ruling = Ruling {
                invitation_id: ruled_on.0,
                acceptance: ruled_on.1,
                ..ruling(verdict, strangers(), CURSOR)
            };
            let (ruled, transitions) = rule(&mut pair, &ruling, CURSOR, &policy(), NOW);
            assert_eq!(
                (ruled, transitions),
                (expected.clone(), vec![]),
                "{before:?} {verdict:?}"
            );
            assert_eq!(pair, unchanged, "{before:?} {verdict:?}");
        }
    };
    let not_now = Before::Declined(DeclineReason::NotNow);
    check(Before::Nothing, 0, (ID, 1), Ruled::NotAwaited);
    check(Before::Pending, 0, (ID, 1), Ruled::NotAwaited);
    check(not_now, 0, (ID, 1), Ruled::NotAwaited);
    check(Before::Withdrawn, 0, (ID, 1), Ruled::NotAwaited);
    check(Before::Accepting, 1, (id(2), 1), Ruled::NotAwaited);
    check(Before::Accepting, 1, (ID, 2), Ruled::NotAwaited);
    // A late repeat of the first attempt, while the second awaits its verdict or after it was given back.
    check(Before::Accepting, 2, (ID, 1), Ruled::NotAwaited);
    check(Before::Pending, 1, (ID, 1), Ruled::NotAwaited);
    // What is connected by it stays so, whatever a late repeat says.
    check(Before::Accepted, 1, (ID, 1), JOINED);
}

#[test]
fn a_limit_gives_back_what_was_accepted_for_the_next_attempt() {
    let mut pair = pair(Before::Pending);
    for acceptance in 1..=3 {
        let Ok(Accepting::Started(step)) = accept(&mut pair, INVITEE, &ID, None, &policy(), NOW)
        else {
            panic!("it can be accepted again");
        };
        assert_eq!(step.invitation.acceptances, acceptance);
        let ruling = Ruling {
            acceptance,
            ..ruling(REFUSED, strangers(), CURSOR)
        };
        let (ruled, transitions) = rule(&mut pair, &ruling, CURSOR, &policy(), NOW);
        assert_eq!((ruled, steps(&transitions)), (RETURNED, vec![BACK]));
    }
}

#[test]
fn a_connection_is_remembered_from_the_moment_it_is_known() {
    let mut pair = pair(Before::Accepting);
    let ruling = ruling(CREATED, connected_by(ID), CURSOR + 9);
    rule(&mut pair, &ruling, CURSOR, &policy(), NOW);
    let accepted = pair.accepted.unwrap();
    assert_eq!(accepted.connect_time, START);
    assert_eq!(accepted.kept_until, NOW.plus(Span::days(90)));
    assert_eq!(accepted.known_at, CURSOR + 9);
    assert_eq!(pair.live, None);
}

#[test]
fn facts_are_taken_with_a_verdict_that_nobody_awaits() {
    let mut pair = pair(Before::Pending);
    let ruling = ruling(OVERTAKEN, blocked_by(INVITEE), CURSOR + 1);
    let (ruled, transitions) = rule(&mut pair, &ruling, CURSOR, &policy(), NOW);
    assert_eq!(ruled, Ruled::NotAwaited);
    assert_eq!(
        steps(&transitions),
        [(ID, State::Pending, State::Gone, Happening::Ended)]
    );
}
