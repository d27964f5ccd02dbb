//! `AcceptInvitation`.

use service_kit::{crash, deadline::Deadline, id::MemberId, time::Time};
use uuid::Uuid;

use super::{Context, Failure, finish_acceptance};
use crate::{
    domain::{accept::Ruled, refusal::Refusal, view::View},
    store::command::{AwaitedVerdict, answer::Acceptance},
};

/// What accepting came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// As the invitee is shown it.
    pub view: View,
    /// The moment the connection was made; `None` while it is being made.
    pub connect_time: Option<Time>,
}

/// How often the state is looked at anew when another call has come in between.
const ROUNDS_MAX: usize = 3;

/// Accepts an invitation and sees it through, if that can be done within the deadline.
pub async fn run(
    context: &Context,
    member: MemberId,
    id: Uuid,
    deadline: Deadline,
) -> Result<Accepted, Failure> {
    let mut last = None;
    for _ in 0..ROUNDS_MAX {
        let (view, awaited) = match context.store.accept(member.clone(), id).await?? {
            Acceptance::Connected { view, connect_time } => {
                return Ok(Accepted {
                    view,
                    connect_time: Some(connect_time),
                });
            }
            Acceptance::Awaited { view, awaited } => (view, awaited),
        };
        crash::point("accept.committed");
        match finish_acceptance::run(context, &awaited, deadline).await? {
            None => {
                return Ok(Accepted {
                    view,
                    connect_time: None,
                });
            }
            Some(Ruled::Returned { full }) => {
                return Err(limit_refusal(&awaited, full, &member).into());
            }
            Some(Ruled::Gone) => return Err(Refusal::InvitationNotFound.into()),
            // The store now says what came of it.
            Some(Ruled::Connected { .. } | Ruled::NotAwaited) => last = Some(view),
        }
    }
    // Others kept coming in between; the acceptance stands and is seen through by a worker.
    let view = last.ok_or(Refusal::InvitationNotFound)?;
    Ok(Accepted {
        view,
        connect_time: None,
    })
}

/// Whose connection limit stood against an acceptance, as the member who acts is told it.
pub(super) fn limit_refusal(
    awaited: &AwaitedVerdict,
    full: service_kit::id::Side,
    acting: &MemberId,
) -> Refusal {
    let key = service_kit::id::PairKey::new(&awaited.inviter, &awaited.invitee);
    let is_own = key.is_some_and(|key| key.member(full) == acting);
    if is_own {
        Refusal::ConnectionLimitReached
    } else {
        Refusal::InviterConnectionLimitReached
    }
}
