//! What reads come to once the rows are there: the same over every engine.
//!
//! Deliberately absent: reading the rows.

use service_kit::{
    id::{MemberId, Side},
    time::Time,
};
use uuid::Uuid;

use super::{ListOrder, OwnQuota};
use crate::domain::{
    invitation::{Role, Shown, shown},
    member::Member,
    pair::Live,
    policy::Policy,
    view::{Entry, View, view},
};

/// Whose invitation is live between two members, as the lists of the one on this side show it.
pub(in crate::store) fn state_of(live: &Live, side: Side, now: Time) -> Option<(Role, Uuid)> {
    let role = live.invitation.role(side);
    // The inviter sees a pending invitation until the connection is made, and so also its expiry.
    let shown = shown(live.state(), role);
    let over = shown == Some(Shown::Pending) && live.invitation.expire_time <= now;
    (!over).then_some((role, live.invitation.id))
}

/// Puts views of several places into the order of one list.
pub(in crate::store) fn in_order(views: &mut [View], order: ListOrder) {
    match order {
        ListOrder::Newest => views.sort_unstable_by_key(|view| std::cmp::Reverse(view.id)),
        ListOrder::Oldest => views.sort_unstable_by_key(|view| view.id),
    }
}

/// Of what was read of each place of a member, the first `limit` in the order of ids, as the member is shown them; and after which to go on where
/// more may follow. As many were read of each place as of all: so an invitation that moves from one to another is met once.
pub(in crate::store) fn kept_views(
    member: &MemberId,
    seen_until: &Uuid,
    mut kept: Vec<(Uuid, Entry)>,
    limit: usize,
    policy: &Policy,
    now: Time,
) -> (Vec<View>, Option<Uuid>) {
    kept.sort_unstable_by_key(|(id, _)| *id);
    kept.truncate(limit);
    let next = kept.last().filter(|_| kept.len() == limit);
    let next = next.map(|(id, _)| *id);
    let still = kept
        .into_iter()
        .filter(|(_, entry)| entry.is_kept(policy, now));
    let views = still.map(|(id, entry)| view(member, seen_until, id, entry));
    (views.collect(), next)
}

/// What a member may know of what they may send; without a row they are new. `sent_pending`: how many stand in their list Sent.
pub(in crate::store) fn own_quota(
    row: Option<Member>,
    id: MemberId,
    sent_pending: u32,
    policy: &Policy,
    now: Time,
) -> OwnQuota {
    let row = row.unwrap_or_else(|| Member::new(id));
    let mut quota = row.quota(policy, now);
    quota.pending_sent = sent_pending;
    let (plan, _) = row.plan_in_force(policy);
    OwnQuota {
        quota,
        plan: plan.to_owned(),
        told: row.standing.told(now, &row.terms(policy)),
    }
}
