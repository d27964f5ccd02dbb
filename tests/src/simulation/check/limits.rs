//! Caps: never exceeded, and never claimed where there is room.
//!
//! Deliberately absent: limits that leave no trace at rest (probes).

use super::{
    super::history::{Op, Outcome},
    known::Known,
};

/// Caps that were exceeded, and refusals by caps that were not reached.
pub(crate) fn problems(known: &Known) -> Vec<String> {
    let policy = &known.plan.invitation_policy;
    let mut found = Vec::new();
    for (member, _) in &known.plan.members {
        let mut times: Vec<i64> = known
            .sent
            .iter()
            .filter(|sent| sent.inviter == *member)
            .map(|sent| sent.time)
            .collect();
        times.sort_unstable();
        let cap = usize::try_from(policy.weekly_cap).unwrap();
        // One more than the cap, and the last within a week of the first.
        let over = times
            .windows(cap + 1)
            .find(|window| window[cap] - window[0] < policy.weekly_window.as_millis());
        if let Some(over) = over {
            found.push(format!(
                "{member} was charged more than {cap} in a week: {over:?}"
            ));
        }
        let pending = known
            .lists
            .get(member)
            .map_or(0, |lists| lists.invitations[0].len());
        // A decline taken back may exceed the cap by its invitation.
        let undone = known
            .calls
            .iter()
            .any(|call| matches!(call.op, Op::Undo(_)));
        if !undone && pending > usize::try_from(policy.pending_sent_max).unwrap() {
            found.push(format!("{member} has {pending} pending"));
        }
        found.extend(refused_in_vain(known, member));
    }
    found
}

/// Whether a member was told to have reached a cap with fewer sends than that, even if all in doubt are counted.
fn refused_in_vain(known: &Known, member: &str) -> Vec<String> {
    let policy = &known.plan.invitation_policy;
    let own = || known.calls.iter().filter(|call| call.member == member);
    let mut found = Vec::new();
    for call in own() {
        let Outcome::Refused(reason) = &call.outcome else {
            continue;
        };
        let cap = match reason.as_str() {
            "WEEKLY_CAP_REACHED" => policy.weekly_cap,
            "PENDING_CAP_REACHED" => policy.pending_sent_max,
            _ => continue,
        };
        let earlier = own().filter(|other| {
            matches!(other.op, Op::Send { .. })
                && other.began < call.ended
                && (other.repeated || !matches!(other.outcome, Outcome::Refused(_)))
        });
        let possible = earlier.count();
        if possible < usize::try_from(cap).unwrap() {
            found.push(format!("{possible} sends at most, and yet: {call:?}"));
        }
    }
    found
}
