//! What was answered against what became of it.
//!
//! Deliberately absent: caps (`limits.rs`).

use super::{
    super::{
        history::{Call, Op, Outcome},
        plan::Clocks,
    },
    known::{Connected, Known, Sent, plain, possible},
};

/// Answers that what is stored gives the lie to.
pub(crate) fn problems(known: &Known) -> Vec<String> {
    let mut found = own_state(known);
    for call in &known.calls {
        found.extend(broken_promise(known, call).map(|what| format!("{what}: {call:?}")));
    }
    for sent in &known.sent {
        if is_untouched(known, sent) && !known.live.contains(&sent.id) {
            found.push(format!("lost, though nobody touched it: {sent:?}"));
        }
    }
    found.extend(unasked(known));
    found.extend(come_back(known));
    found
}

/// What a member alone sets is as it was last set.
fn own_state(known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    for (member, lists) in &known.lists {
        let closed = possible(&known.calls, false, |call| match call.op {
            Op::Close(closed) if call.member == *member => Some(closed),
            _ => None,
        });
        if !closed.contains(&lists.closed) {
            found.push(format!("{member}'s preference is {}", lists.closed));
        }
        for (other, _) in known
            .plan
            .members
            .iter()
            .filter(|(other, _)| other != member)
        {
            let blocked = possible(&known.calls, false, |call| match &call.op {
                Op::Block(to) if call.member == *member && to == other => Some(true),
                Op::Unblock(to) if call.member == *member && to == other => Some(false),
                _ => None,
            });
            if !blocked.contains(&lists.blocked.contains(other)) {
                found.push(format!("{member}'s block of {other} is not as it was set"));
            }
        }
        let [sent, received, filtered] = lists.invitations.each_ref().map(Vec::len);
        let counts = &lists.counts;
        let counted = [
            counts.sent_pending,
            counts.received_pending,
            counts.filtered_pending,
        ];
        if counted.map(usize::try_from) != [Ok(sent), Ok(received), Ok(filtered)] {
            found.push(format!("{member}'s counts and lists differ: {lists:?}"));
        }
        let connected = known.connected.keys();
        let connected = connected.filter(|(low, high)| low == member || high == member);
        if connected.count() != lists.connections.len() {
            found.push(format!(
                "{member}'s connections are not the stored ones: {lists:?}"
            ));
        }
    }
    found
}

/// What an answer has promised that is not so.
fn broken_promise(known: &Known, call: &Call) -> Option<&'static str> {
    match (&call.op, &call.outcome) {
        (Op::Accept(id), Outcome::Accepted { connected }) => {
            let verdict = known.verdicts.get(&plain(id));
            if verdict.is_none() {
                return Some("accepted, but never decided");
            }
            (*connected && !matches!(verdict, Some(1 | 2)))
                .then_some("connected, but not so decided")
        }
        (Op::Send { .. }, Outcome::Sent(answer)) if call.outcome.sent().is_none() => {
            let id = answer
                .invitation
                .as_ref()
                .map(|one| plain(&one.invitation_id));
            let decided = id.is_some_and(|id| known.verdicts.contains_key(&id));
            (!decided).then_some("crossed, but never decided")
        }
        (Op::Accept(id), Outcome::Refused(_)) => {
            let other = known.calls.iter().any(|other| {
                let crossing = matches!(&other.op, Op::Send { .. } if other.member == call.member)
                    && !matches!(other.outcome, Outcome::Refused(_));
                let again = other.op == call.op
                    && other.member == call.member
                    && (other.repeated || !matches!(other.outcome, Outcome::Refused(_)));
                crossing || again
            });
            let parted = known
                .calls
                .iter()
                .any(|other| matches!(other.op, Op::Remove(_) | Op::Block(_)));
            (!other && !parted && known.made_a_connection(id))
                .then_some("refused, but a connection was made of it")
        }
        (Op::Withdraw(id), Outcome::Done) => {
            let live = known.live.contains(&plain(id));
            (live || known.made_a_connection(id)).then_some("withdrawn, but not ended")
        }
        (Op::Decline { id, .. }, Outcome::Done) => {
            let undone = known
                .calls
                .iter()
                .any(|other| other.op == Op::Undo(id.clone()));
            let ended = !known.live.contains(&plain(id)) && !known.made_a_connection(id);
            (!undone && !ended).then_some("declined, but not ended")
        }
        _ => None,
    }
}

/// Whether nobody may have done anything that ends an invitation.
fn is_untouched(known: &Known, sent: &Sent) -> bool {
    !known.calls.iter().any(|call| match &call.op {
        Op::Accept(id) | Op::Withdraw(id) | Op::Decline { id, .. } => plain(id) == sent.id,
        Op::Send { to, .. } => call.member == sent.invitee && *to == sent.inviter,
        Op::Block(to) | Op::Remove(to) | Op::Import { other: to, .. } => {
            (call.member == sent.inviter && *to == sent.invitee)
                || (call.member == sent.invitee && *to == sent.inviter)
        }
        _ => false,
    })
}

/// Connections that nobody asked for.
fn unasked(known: &Known) -> Vec<String> {
    let in_doubt = known.calls.iter().any(|call| {
        matches!(call.op, Op::Send { .. }) && (call.repeated || call.outcome == Outcome::InDoubt)
    });
    if in_doubt {
        return Vec::new();
    }
    // A clock that goes on by more than a day in the midst of a crossing has its request id forgotten: then it is answered anew.
    let answered_anew = |id: &String, call: &Call, to: &String| {
        known.plan.clocks == Clocks::Days
            && known
                .sent
                .iter()
                .any(|sent| sent.id == *id && sent.invitee == call.member && sent.inviter == *to)
    };
    let asked = |id: &String| {
        known
            .calls
            .iter()
            .any(|call| match (&call.op, &call.outcome) {
                (Op::Accept(accepted), _) => plain(accepted) == *id,
                (Op::Send { to, .. }, Outcome::Sent(_)) => {
                    accepts(call, id) || answered_anew(id, call, to)
                }
                // A crossing may be refused at a limit first, and decided again.
                (Op::Send { to, .. }, Outcome::Refused(reason)) => {
                    reason.contains("CONNECTION_LIMIT") || answered_anew(id, call, to)
                }
                _ => false,
            })
    };
    let made = known.verdicts.iter().filter(|(_, verdict)| **verdict == 1);
    made.map(|(id, _)| id)
        .chain(known.connected.values().filter_map(invitation))
        .filter(|id| !asked(id))
        .map(|id| format!("connected, though nobody accepted it: {id}"))
        .collect()
}

/// The invitation that a connection comes from, if it does.
fn invitation(connected: &Connected) -> Option<&String> {
    match connected {
        Connected::By(id) => Some(id),
        Connected::Imported(_) => None,
    }
}

/// Whether a call was answered with the acceptance of an invitation: by name, or by a crossing.
fn accepts(call: &Call, id: &str) -> bool {
    match (&call.op, &call.outcome) {
        (Op::Accept(accepted), Outcome::Accepted { .. }) => plain(accepted) == id,
        (Op::Send { .. }, Outcome::Sent(answer)) if call.outcome.sent().is_none() => answer
            .invitation
            .as_ref()
            .is_some_and(|one| plain(&one.invitation_id) == id),
        _ => false,
    }
}

/// Connections that stand though one of the two removed them after the acceptance. Acceptance and removal are ordered by two clocks, so
/// only where these agree.
fn come_back(known: &Known) -> Vec<String> {
    if known.plan.clocks != Clocks::Steady {
        return Vec::new();
    }
    let mut found = Vec::new();
    for ((low, high), connected) in &known.connected {
        let Some(id) = invitation(connected) else {
            continue;
        };
        let mut acceptances = known.calls.iter().filter(|call| accepts(call, id));
        // The first made the connection, unless a limit refused it.
        let accepted = if known.accepted_again.contains(id) {
            acceptances.next_back()
        } else {
            acceptances.next()
        };
        let Some(accepted) = accepted else { continue };
        let removed = known.calls.iter().find(|call| match &call.op {
            Op::Remove(to) => {
                call.outcome == Outcome::Done
                    && call.began >= accepted.ended
                    && ((call.member == *low && to == high) || (call.member == *high && to == low))
            }
            _ => false,
        });
        if let Some(removed) = removed {
            found.push(format!(
                "connected by {accepted:?}, and still after {removed:?}"
            ));
        }
    }
    found
}
