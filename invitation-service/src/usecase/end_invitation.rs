//! `WithdrawInvitation`, `DeclineInvitation` and `UndoDecline`: what an acceptance under way has to settle first.

use service_kit::{crash, deadline::Deadline, id::MemberId};
use uuid::Uuid;

use super::{Context, Failure, finish_acceptance};
use crate::{
    domain::{pair::DeclineReason, view::View},
    store::command::answer::Ending,
};

/// What to do with an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Withdraw it.
    Withdraw,
    /// Decline it, or strengthen the reason.
    Decline(DeclineReason),
    /// Take a decline back.
    UndoDecline,
}

/// How often an acceptance under way is waited for.
const ROUNDS_MAX: usize = 3;

/// Ends an invitation, or takes a decline back. Where an acceptance is under way its verdict is awaited within the deadline; without one the
/// call fails with [`Failure::ConnectionsAway`], for only the verdict decides.
pub async fn run(
    context: &Context,
    member: MemberId,
    id: Uuid,
    end: End,
    deadline: Deadline,
) -> Result<View, Failure> {
    for _ in 0..ROUNDS_MAX {
        let member = member.clone();
        let decided = match end {
            End::Withdraw => context.store.withdraw(member, id).await,
            End::Decline(reason) => context.store.decline(member, id, reason).await,
            End::UndoDecline => context.store.undo_decline(member, id).await,
        };
        match decided?? {
            Ending::Done(view) => {
                crash::point(match end {
                    End::Withdraw => "withdraw.committed",
                    End::Decline(_) => "decline.committed",
                    End::UndoDecline => "undo.committed",
                });
                return Ok(view);
            }
            Ending::Awaits(awaited) => {
                crash::point("end.awaits");
                let ruled = finish_acceptance::run(context, &awaited, deadline).await?;
                ruled.ok_or(Failure::ConnectionsAway)?;
            }
        }
    }
    Err(Failure::ConnectionsAway)
}
