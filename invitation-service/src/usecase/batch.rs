//! The three batch methods: named or selected invitations, a result for each.
//!
//! Each item is a command of its own; those of one batch share the store's commits. Deliberately absent: all-or-nothing.

use futures::future::join_all;
use service_kit::{crash, deadline::Deadline, id::MemberId, time::Time};
use uuid::Uuid;

use super::{
    Context, Failure, accept_invitation,
    end_invitation::{self, End},
};
use crate::{
    domain::{
        invitation::{Place, Role, Shown},
        pair::DeclineReason,
        refusal::Refusal,
        view::View,
    },
    store::Selection,
};

/// Which invitations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// These.
    Named(Vec<Uuid>),
    /// The oldest of a list that match.
    Selected {
        /// Which list.
        list: Place,
        /// Only those sent before this time.
        sent_before: Option<Time>,
        /// Only those without a note.
        without_note: bool,
    },
}

/// What to do with each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Accept it.
    Accept,
    /// Decline it, or strengthen the reason.
    Decline(DeclineReason),
    /// Withdraw it.
    Withdraw,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Done {
    /// In the order named; or the oldest first.
    pub results: Vec<(Uuid, Result<View, Failure>)>,
    /// How many were named, or matched before the call, as far as they are counted.
    pub matched: u32,
    /// How many matched beyond those that this call has taken.
    pub remaining: u32,
}

/// Does the same to many invitations of a member, or says what would be done.
pub async fn run(
    context: &Context,
    member: &MemberId,
    which: Which,
    act: Act,
    dry_run: bool,
    deadline: Deadline,
) -> Result<Done, Failure> {
    let (ids, matched) = match which {
        Which::Named(ids) => {
            let matched = u32::try_from(ids.len()).unwrap_or(u32::MAX);
            (ids, matched)
        }
        Which::Selected {
            list,
            sent_before,
            without_note,
        } => {
            let selection = Selection {
                member: member.clone(),
                list,
                sent_before,
                without_note,
                limit: context.batches.items_max,
                count_max: context.batches.matched_max,
            };
            let selected = context.store.select(selection).await?;
            (selected.invitation_ids, selected.matched)
        }
    };
    let remaining = matched.saturating_sub(u32::try_from(ids.len()).unwrap_or(u32::MAX));
    let each = ids.into_iter().map(async |id| {
        let result = if dry_run {
            foresee(context, member, id, act).await
        } else {
            let result = perform(context, member, id, act, deadline).await;
            crash::point("batch.item");
            result
        };
        (id, result)
    });
    let results = join_all(each).await;
    crash::point("batch.done");
    Ok(Done {
        results,
        matched,
        remaining,
    })
}

async fn perform(
    context: &Context,
    member: &MemberId,
    id: Uuid,
    act: Act,
    deadline: Deadline,
) -> Result<View, Failure> {
    let end = match act {
        Act::Accept => {
            let accepted = accept_invitation::run(context, member.clone(), id, deadline).await?;
            return Ok(accepted.view);
        }
        Act::Decline(reason) => End::Decline(reason),
        Act::Withdraw => End::Withdraw,
    };
    end_invitation::run(context, member.clone(), id, end, deadline).await
}

/// What would become of an invitation, from what the member is shown of it.
async fn foresee(
    context: &Context,
    member: &MemberId,
    id: Uuid,
    act: Act,
) -> Result<View, Failure> {
    let shown = context.store.get(member.clone(), id).await?;
    let view = shown.ok_or(Refusal::InvitationNotFound)?;
    let role = if view.inviter == *member {
        Role::Inviter
    } else {
        Role::Invitee
    };
    let refusal = match (act, role, view.shown) {
        (Act::Withdraw, Role::Inviter, Shown::Pending | Shown::Withdrawn)
        | (Act::Accept, Role::Invitee, Shown::Pending | Shown::Accepting | Shown::Accepted)
        | (Act::Decline(_), Role::Invitee, Shown::Pending | Shown::Declined) => return Ok(view),
        (Act::Withdraw, Role::Inviter, Shown::Accepted)
        | (Act::Decline(_), Role::Invitee, Shown::Accepted) => Refusal::AlreadyAccepted,
        (Act::Accept, Role::Invitee, Shown::Declined) => Refusal::InvitationNotPending,
        // What awaits its verdict cannot be foreseen.
        (Act::Decline(_), Role::Invitee, Shown::Accepting) => return Err(Failure::ConnectionsAway),
        _ => Refusal::InvitationNotFound,
    };
    Err(refusal.into())
}
