//! Single sequences: those that once made service and rules part, and those that chance tells too seldom.

use invitation_service::domain::pair::DeclineReason;

use super::{
    START,
    command::{
        By,
        Command::{self, Accept, Again, Arrive, Ask, Decline, Elsewhere, Prefer, Send, Wait, Work},
        Deed, Full, Named, Wish,
    },
    memory::Memory,
    names, policies,
    run::{Tally, run},
};

const DAY: i64 = 24 * 3_600_000;

/// The latest invitation, named by its receiver.
const LATEST: Named = Named {
    ago: 0,
    by: By::Invitee,
};

fn check(commands: &[Command]) {
    for policy in policies() {
        let mut system = Memory::new(policy);
        let ran = run(&mut system, &mut Tally::new(), &names(0), START, commands);
        if let Err(parted) = ran {
            panic!("{parted}");
        }
    }
}

fn send(from: usize, to: usize, request: Option<u8>) -> Command {
    Send {
        from,
        to,
        note: 0,
        request,
        asked: false,
    }
}

fn send_asked(from: usize, to: usize) -> Command {
    Send {
        from,
        to,
        note: 0,
        request: None,
        asked: true,
    }
}

fn ask(full: Option<Full>, arrives: bool) -> Command {
    Ask {
        acceptance: 0,
        full,
        arrives,
    }
}

fn elsewhere(what: Deed) -> Command {
    Elsewhere { what, follow: true }
}

fn elsewhere_unheard(what: Deed) -> Command {
    Elsewhere {
        what,
        follow: false,
    }
}

#[test]
fn a_limits_refusal_arrives_after_the_two_were_connected_in_another_way() {
    check(&[
        send(0, 1, None),
        Accept(LATEST),
        ask(Some(Full::Invitee), false),
        elsewhere(Deed::Import(0, 1)),
        Arrive {
            answer: 0,
            again: false,
        },
    ]);
}

#[test]
fn a_crossings_verdict_arrives_when_its_request_id_stands_for_another_request() {
    check(&[
        send(1, 0, None),
        send(0, 1, Some(1)),
        Wait(DAY),
        send(0, 2, Some(1)),
        ask(None, true),
        Again { ago: 0 },
        send(0, 3, Some(1)),
    ]);
}

#[test]
fn a_crossing_is_repeated_after_the_other_has_blocked() {
    check(&[
        send(1, 0, None),
        send(0, 1, Some(1)),
        elsewhere(Deed::Block(1, 0)),
        ask(None, true),
        Again { ago: 0 },
        elsewhere(Deed::Unblock(1, 0)),
        send(1, 0, None),
        Again { ago: 1 },
    ]);
}

#[test]
fn somebody_is_erased_whose_crossing_is_under_way() {
    check(&[
        send(1, 0, None),
        send(0, 1, Some(1)),
        elsewhere(Deed::Erase(0)),
        Again { ago: 0 },
        ask(None, true),
        Again { ago: 0 },
    ]);
}

#[test]
fn a_verdict_arrives_for_an_acceptance_of_somebody_who_was_erased() {
    check(&[
        send(0, 2, None),
        Accept(LATEST),
        elsewhere(Deed::Erase(0)),
        elsewhere_unheard(Deed::Erase(1)),
        ask(None, true),
        elsewhere(Deed::Block(2, 3)),
        Work,
    ]);
}

#[test]
fn a_block_is_heard_of_only_after_it_was_lifted() {
    check(&[
        send(0, 1, None),
        elsewhere_unheard(Deed::BlockBriefly(0, 1)),
        send_asked(1, 0),
        Command::Follow(1),
        Command::Look,
        ask(Some(Full::Inviter), true),
        Command::Follow(1),
    ]);
}

#[test]
fn a_connection_ends_the_wait_after_a_decline() {
    check(&[
        send(0, 1, None),
        Decline(LATEST, DeclineReason::NotNow),
        send(0, 1, None),
        elsewhere(Deed::Import(0, 1)),
        elsewhere(Deed::Remove(0, 1)),
        send(0, 1, None),
    ]);
}

#[test]
fn a_decline_is_not_taken_back_over_a_connection_that_came_and_went() {
    check(&[
        send(0, 1, None),
        Decline(LATEST, DeclineReason::NotNow),
        elsewhere(Deed::Import(0, 1)),
        elsewhere(Deed::Remove(0, 1)),
        Command::Undo(LATEST),
    ]);
}

#[test]
fn what_is_not_old_enough_for_auto_withdrawal_is_withdrawn_later() {
    check(&[
        send(0, 1, None),
        Prefer {
            who: 0,
            who_can_invite: None,
            auto_withdraw: Wish::Days(7),
        },
        Work,
        Wait(7 * DAY - 1),
        Work,
        Command::Look,
        Wait(1),
        Work,
    ]);
}

#[test]
fn an_acceptance_under_way_does_not_put_off_the_withdrawal_of_others() {
    check(&[
        Prefer {
            who: 0,
            who_can_invite: None,
            auto_withdraw: Wish::Days(7),
        },
        send(0, 1, None),
        Wait(1),
        Accept(LATEST),
        send(0, 2, None),
        Wait(7 * DAY - 1),
        Work,
        Wait(1),
        Work,
    ]);
}
