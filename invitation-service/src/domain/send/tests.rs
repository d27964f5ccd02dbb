//! Tables of sending. Every case is run in both directions: the lower member invites the higher, and the higher the lower.

use super::*;
use crate::domain::{
    fixture::{
        Before, CONNECTED, CURSOR, DAY, ID, START, TICK, at, blocked_by, connected_elsewhere, id,
        member, pair_inviting, policy, steps,
    },
    pair::{Bar, DeclineReason, Facts},
    window::RollingLog,
};
use service_kit::time::Span;

mod grounds;
mod limits;

use grounds::{Came, came, grounds};

/// The id of the invitation that a case sends.
const NEW: Uuid = id(9);

/// Everything a sending is decided on.
#[derive(Clone)]
struct World {
    side: Side,
    pair: Pair,
    inviter: Member,
    invitee: Member,
    withdraw_cooldown_until: Option<Time>,
    have_mutual: Option<bool>,
    policy: Policy,
    now: Time,
}

impl World {
    fn new(side: Side, before: Before) -> Self {
        Self {
            side,
            pair: pair_inviting(side, before),
            inviter: member(side),
            invitee: member(side.other()),
            withdraw_cooldown_until: None,
            have_mutual: None,
            policy: policy(),
            now: START,
        }
    }

    fn send(&mut self) -> Result<Sent, Refusal> {
        let sending = Sending {
            side: self.side,
            id: NEW,
            withdraw_cooldown_until: self.withdraw_cooldown_until,
            request_id: None,
            have_mutual: self.have_mutual,
            cursor: CURSOR,
            policy: &self.policy,
            now: self.now,
        };
        send(
            &mut self.pair,
            &mut self.inviter,
            &mut self.invitee,
            &sending,
        )
    }
}

#[test]
fn each_ground_alone_has_its_answer() {
    for side in Side::BOTH {
        for ground in grounds() {
            let mut world = World::new(side, Before::Nothing);
            (ground.arrange)(&mut world);
            assert_eq!(
                came(world.send()),
                (ground.answer)(),
                "{} ({side:?})",
                ground.name
            );
        }
        assert_eq!(
            came(World::new(side, Before::Nothing).send()),
            Came::Created
        );
    }
}

#[test]
fn of_two_grounds_the_earlier_is_answered() {
    for side in Side::BOTH {
        let grounds = grounds();
        for (first, earlier) in grounds.iter().enumerate() {
            for later in grounds.iter().skip(first + 1) {
                let mut world = World::new(side, Before::Nothing);
                (earlier.arrange)(&mut world);
                (later.arrange)(&mut world);
                let names = (earlier.name, later.name, side);
                assert_eq!(came(world.send()), (earlier.answer)(), "{names:?}");
            }
        }
    }
}

#[test]
fn a_refusal_changes_nothing_but_the_log_of_masked_ones() {
    for side in Side::BOTH {
        for ground in grounds() {
            let mut world = World::new(side, Before::Nothing);
            (ground.arrange)(&mut world);
            let mut expected = world.clone();
            let Err(refusal) = world.send() else { continue };
            if refusal == Refusal::RecipientUnavailable {
                expected.inviter.probes = RollingLog::new(vec![START]);
            }
            assert_eq!(world.pair, expected.pair, "{}", ground.name);
            assert_eq!(world.inviter, expected.inviter, "{}", ground.name);
            assert_eq!(world.invitee, expected.invitee, "{}", ground.name);
        }
    }
}

#[test]
fn a_block_learned_with_the_crossing_ends_what_it_would_have_accepted() {
    let check = |blocker_sends: bool, expected: Refusal| {
        for side in Side::BOTH {
            let mut world = World::new(side, Before::Nothing);
            world.pair = pair_inviting(side.other(), Before::Pending);
            let blocker = if blocker_sends { side } else { side.other() };
            let learned = crate::domain::facts::learn(
                &mut world.pair,
                blocked_by(blocker),
                CURSOR + 1,
                CURSOR,
                &world.policy,
                START,
            );
            assert_eq!(
                steps(&learned.transitions),
                [(ID, State::Pending, State::Gone, Happening::Ended)]
            );
            assert_eq!(
                came(world.send()),
                Came::Refused(expected.clone()),
                "{side:?}"
            );
        }
    };
    check(true, Refusal::MemberBlockedByYou);
    check(false, Refusal::RecipientUnavailable);
}

#[test]
fn the_inviter_waits_after_a_decline_and_the_decliner_does_not() {
    let cooldown = policy().decline_cooldown;
    // What was declined, who sends how long after, and the answer.
    let check = |before, decliner_sends: bool, after: Span, expected: Came| {
        for side in Side::BOTH {
            let inviter = if decliner_sends { side.other() } else { side };
            let mut world = World::new(side, Before::Nothing);
            world.pair = pair_inviting(inviter, before);
            world.now = at(after);
            assert_eq!(
                came(world.send()),
                expected,
                "{before:?}, {after:?} after ({side:?})"
            );
        }
    };
    let masked = Came::Refused(Refusal::RecipientUnavailable);
    let not_now = Before::Declined(DeclineReason::NotNow);
    let spam = Before::Declined(DeclineReason::Spam);
    check(not_now, false, Span::ZERO, masked.clone());
    check(not_now, false, DAY, masked.clone());
    check(Before::DeclinedForgotten, false, DAY, masked.clone());
    check(
        Before::DeclinedForgotten,
        false,
        Span::millis(cooldown.as_millis() - 1),
        masked.clone(),
    );
    check(Before::DeclinedForgotten, false, cooldown, Came::Created);
    check(not_now, true, Span::ZERO, Came::Created);
    check(Before::DeclinedForgotten, true, DAY, Came::Created);
    // A bar stands until it is lifted, however long; it does not stand against whoever set it.
    check(spam, false, cooldown, masked.clone());
    check(
        Before::Declined(DeclineReason::DontKnow),
        false,
        Span::days(10_000),
        masked,
    );
    check(spam, true, Span::ZERO, Came::Created);
}

#[test]
fn the_decliners_own_invitation_ends_the_wait_but_not_the_bar() {
    let check = |reason, expected: Came| {
        let decliner = Side::High;
        let mut world = World::new(decliner, Before::Nothing);
        world.pair = pair_inviting(decliner.other(), Before::Declined(reason));
        assert_eq!(came(world.send()), Came::Created);
        // Gone from between them, so that the other's next sending is no crossing.
        world.pair.live = None;
        std::mem::swap(&mut world.inviter, &mut world.invitee);
        world.side = decliner.other();
        assert_eq!(came(world.send()), expected, "{reason:?}");
    };
    check(DeclineReason::NotNow, Came::Created);
    check(
        DeclineReason::DontKnow,
        Came::Refused(Refusal::RecipientUnavailable),
    );
    check(
        DeclineReason::Spam,
        Came::Refused(Refusal::RecipientUnavailable),
    );
}

#[test]
fn a_new_invitation_overtakes_what_was_declined_on_either_side() {
    for declined_of in Side::BOTH {
        for side in Side::BOTH {
            let mut world = World::new(side, Before::Nothing);
            world.pair = pair_inviting(declined_of, Before::DeclinedForgotten);
            world.now = at(policy().decline_cooldown);
            assert_eq!(came(world.send()), Came::Created);
            assert!(
                world
                    .pair
                    .declined
                    .get(declined_of)
                    .as_ref()
                    .unwrap()
                    .overtaken
            );
        }
    }
}

#[test]
fn a_new_invitation_is_charged_and_carries_what_later_decisions_need() {
    // How many stand in the invitee's list, where the pair's facts were read, and: filtered, position decided at.
    let check = |received_pending, facts_position, filtered, decided_at| {
        for side in Side::BOTH {
            let mut world = World::new(side, Before::Nothing);
            world.invitee.received_pending = received_pending;
            world.pair.facts_position = facts_position;
            let Ok(Sent::Created(step)) = world.send() else {
                panic!("nothing stands in the way");
            };
            assert_eq!(
                (step.from, step.to, step.happening),
                (State::Absent, State::Pending, Happening::Sent)
            );
            let invitation = step.invitation;
            assert_eq!((invitation.id, invitation.inviter), (NEW, side));
            assert_eq!(
                (invitation.filtered, invitation.decided_at),
                (filtered, decided_at)
            );
            assert_eq!(
                (invitation.create_time, invitation.expire_time),
                (START, at(Span::days(180)))
            );
            assert_eq!(world.pair.live.unwrap().invitation, invitation);
            assert_eq!(world.inviter.charges.times(), [START]);
            assert_eq!(world.invitee.charges.times(), []);
        }
    };
    check(0, 0, false, CURSOR);
    check(1, 0, false, CURSOR);
    check(2, 0, true, CURSOR);
    check(3, 0, true, CURSOR);
    check(0, CURSOR - 1, false, CURSOR);
    check(0, CURSOR + 7, false, CURSOR + 7);
}

#[test]
fn who_wishes_a_connection_in_common_is_open_only_to_those_known_to_have_one() {
    let masked = || Came::Refused(Refusal::RecipientUnavailable);
    for (who_can_invite, have_mutual, expected) in [
        (WhoCanInvite::Everyone, None, Came::Created),
        (WhoCanInvite::Everyone, Some(false), Came::Created),
        (WhoCanInvite::SecondDegree, Some(true), Came::Created),
        (WhoCanInvite::SecondDegree, Some(false), masked()),
        (WhoCanInvite::SecondDegree, None, masked()),
        (WhoCanInvite::Nobody, Some(true), masked()),
    ] {
        for side in Side::BOTH {
            let mut world = World::new(side, Before::Nothing);
            world.invitee.preferences.who_can_invite = who_can_invite;
            world.have_mutual = have_mutual;
            let came = came(world.send());
            assert_eq!(
                came, expected,
                "{who_can_invite:?} {have_mutual:?} {side:?}"
            );
        }
    }
}

#[test]
fn a_crossing_is_the_acceptance_of_the_others_invitation() {
    let request = id(77);
    let check = |before, request_id, expected: &Accepting, acceptances, remembered| {
        for side in Side::BOTH {
            let mut pair = pair_inviting(side.other(), before);
            let (mut inviter, mut invitee) = (member(side), member(side.other()));
            let policy = policy();
            let sending = Sending {
                side,
                id: NEW,
                withdraw_cooldown_until: Some(at(DAY)),
                request_id,
                have_mutual: None,
                cursor: CURSOR,
                policy: &policy,
                now: at(DAY),
            };
            let sent = send(&mut pair, &mut inviter, &mut invitee, &sending).unwrap();
            match (&sent, expected) {
                (Sent::Crossed(Accepting::Started(step)), Accepting::Started(_)) => {
                    assert_eq!((step.from, step.to), (State::Pending, State::Accepting));
                }
                (Sent::Crossed(Accepting::InProgress), Accepting::InProgress) => {}
                _ => panic!("{sent:?} instead of {expected:?}"),
            }
            let live = pair.live.unwrap();
            assert_eq!(
                (live.invitation.id, live.invitation.acceptances),
                (ID, acceptances)
            );
            assert_eq!(live.acceptance.unwrap().request_id, remembered);
            assert_eq!(
                (inviter, invitee),
                (member(side), member(side.other())),
                "nothing is charged"
            );
        }
    };
    let started = Accepting::Started(Transition {
        invitation: crate::domain::fixture::invitation(ID, Side::Low),
        from: State::Pending,
        to: State::Accepting,
        happening: Happening::Accepting,
    });
    check(Before::Pending, None, &started, 1, None);
    check(Before::Pending, Some(request), &started, 1, Some(request));
    check(Before::Accepting, None, &Accepting::InProgress, 1, None);
    check(
        Before::Accepting,
        Some(request),
        &Accepting::InProgress,
        1,
        Some(request),
    );
}

#[test]
fn what_ended_does_not_stand_in_the_way() {
    let check = |before, expected: Came| {
        let mut world = World::new(Side::Low, before);
        assert_eq!(came(world.send()), expected, "{before:?}");
    };
    check(Before::Nothing, Came::Created);
    check(Before::Withdrawn, Came::Created);
    check(
        Before::Pending,
        Came::Refused(Refusal::InvitationPending { invitation_id: ID }),
    );
    check(
        Before::Accepting,
        Came::Refused(Refusal::InvitationPending { invitation_id: ID }),
    );
    check(Before::Accepted, Came::Refused(Refusal::AlreadyConnected));
    // The connection was removed meanwhile: either may invite again.
    let mut removed = World::new(Side::Low, Before::Accepted);
    let learned = crate::domain::facts::learn(
        &mut removed.pair,
        Facts::default(),
        CURSOR + 1,
        CURSOR,
        &removed.policy,
        START,
    );
    assert_eq!(
        steps(&learned.transitions),
        [(ID, CONNECTED, State::Gone, Happening::Forgotten)]
    );
    assert_eq!(came(removed.send()), Came::Created);
}
