//! Imports, and what members note about others: what was answered against what is there.
//!
//! Deliberately absent: that counters equal a recount, which SQL says.

use std::collections::BTreeSet;

use super::{
    super::{
        history::{Call, Connection, LABELS, Op, Outcome, label, labels, note},
        plan::Clocks,
    },
    known::{Connected, Known, possible},
};
use crate::pair::START;

/// Answers that what is stored gives the lie to.
pub(crate) fn problems(known: &Known) -> Vec<String> {
    let mut found = lost_imports(known);
    found.extend(unasked(known));
    found.extend(come_back(known));
    for (member, lists) in &known.lists {
        for connection in &lists.connections {
            found.extend(noted_otherwise(known, member, connection));
        }
        for number in 0..LABELS {
            let text = label(number);
            let there = lists.labels.iter().any(|(label, _)| *label == text);
            if !label_may_be(known, member, number).contains(&there) {
                found.push(format!(
                    "{member}'s {text} is not as it was left: {lists:?}"
                ));
            }
        }
        for (other, _) in &known.plan.members {
            let dismissed = possible(&known.calls, false, |call| match &call.op {
                Op::Dismiss(to) if call.member == *member && to == other => Some(true),
                _ => None,
            });
            let pair = (member.clone(), other.clone());
            if !dismissed.contains(&known.dismissed.contains(&pair)) {
                found.push(format!(
                    "{member}'s dismissal of {other} is not as it was made"
                ));
            }
        }
    }
    found
}

fn may_have_happened(call: &Call) -> bool {
    call.repeated || !matches!(call.outcome, Outcome::Refused(_))
}

/// Whether a call may have ended a connection of these two, in either direction.
fn parts(call: &Call, one: &str, other: &str) -> bool {
    let (Op::Remove(to) | Op::Block(to)) = &call.op else {
        return false;
    };
    let between = (call.member == one && to == other) || (call.member == other && to == one);
    between && may_have_happened(call)
}

fn lost_imports(known: &Known) -> Vec<String> {
    let mut found = Vec::new();
    for call in &known.calls {
        let (Op::Import { other, .. }, Outcome::Done) = (&call.op, &call.outcome) else {
            continue;
        };
        let (low, high) = (
            call.member.clone().min(other.clone()),
            call.member.clone().max(other.clone()),
        );
        let parted = known.calls.iter().any(|parting| {
            let later = parting.ended >= call.began || parting.repeated;
            parts(parting, &call.member, other) && later
        });
        if !parted && !known.connected.contains_key(&(low, high)) {
            found.push(format!("imported, and nobody parted them: {call:?}"));
        }
    }
    found
}

/// Imported connections that no import speaks of.
fn unasked(known: &Known) -> Vec<String> {
    let imports = |low: &str, high: &str, made: i64| {
        known.calls.iter().any(|call| {
            let Op::Import { other, millis } = &call.op else {
                return false;
            };
            let between =
                (call.member == low && other == high) || (call.member == high && other == low);
            between && *millis == made && may_have_happened(call)
        })
    };
    let mut found = Vec::new();
    for ((low, high), connected) in &known.connected {
        if let Connected::Imported(made) = connected
            && !imports(low, high, *made)
        {
            found.push(format!(
                "{low} and {high} were imported by nobody, at {made}"
            ));
        }
    }
    found
}

/// Imported connections that stand though one of the two removed them since they were made. That is decided by the service's clock, so only
/// where it is that of the members.
fn come_back(known: &Known) -> Vec<String> {
    if known.plan.clocks != Clocks::Steady {
        return Vec::new();
    }
    let mut found = Vec::new();
    for ((low, high), connected) in &known.connected {
        let Connected::Imported(made) = connected else {
            continue;
        };
        let since = |call: &&Call| {
            let began = START.millis() + i64::try_from(call.began).unwrap_or(i64::MAX);
            call.outcome == Outcome::Done && began > *made && parts(call, low, high)
        };
        if let Some(parting) = known.calls.iter().find(since) {
            found.push(format!(
                "imported as of {made}, and there after {parting:?}"
            ));
        }
    }
    found
}

/// What stands beside a connection that its member has not noted so.
fn noted_otherwise(known: &Known, member: &str, connection: &Connection) -> Option<String> {
    let own = || known.calls.iter().filter(|call| call.member == member);
    let numbers = own().filter_map(|call| match &call.op {
        Op::Note { other, number } if *other == connection.other => Some((call, *number)),
        _ => None,
    });
    let (mut last, mut floating) = (None, BTreeSet::new());
    for (call, number) in numbers {
        if call.repeated {
            floating.insert(number);
        }
        if call.outcome == Outcome::Done {
            last = Some(number);
        }
    }
    let parted = known
        .calls
        .iter()
        .any(|call| parts(call, member, &connection.other));
    let nothing = connection.note.is_empty() && connection.labels.is_empty();
    if nothing && (last.is_none() || parted) {
        return None;
    }
    let possible: BTreeSet<u8> = floating.into_iter().chain(last).collect();
    // Renaming and deleting changes labels, and never the note.
    let relabelled = own().any(|call| matches!(call.op, Op::Relabel(..) | Op::Unlabel(_)));
    let stands = |number: &u8| {
        connection.note == note(*number) && (relabelled || connection.labels == labels(*number))
    };
    let noted = possible.iter().any(stands);
    (!noted).then(|| format!("{member} has not noted this: {connection:?}"))
}

/// Whether a label may be there in the end, or not be: it stays without connections, and only its member makes, renames and deletes it.
fn label_may_be(known: &Known, member: &str, number: u8) -> BTreeSet<bool> {
    possible(&known.calls, false, |call| match &call.op {
        _ if call.member != member => None,
        Op::Note { number: given, .. } => labels(*given).contains(&label(number)).then_some(true),
        Op::Relabel(_, to) if *to == number => Some(true),
        Op::Relabel(from, _) | Op::Unlabel(from) if *from == number => Some(false),
        _ => None,
    })
}
