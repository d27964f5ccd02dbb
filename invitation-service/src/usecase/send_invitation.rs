//! `SendInvitation`.
//!
//! At the same time a place is reserved with the limiter and connection-service is asked about the two; then the store decides. The
//! limiter never answers alone: its no is checked in a snapshot, and a confirmed one is remembered, so that hammering costs one snapshot.

use service_kit::{crash, deadline::Deadline, id::PairKey};
use uuid::Uuid;

use super::{Context, Failure, accept_invitation::limit_refusal, finish_acceptance};
use crate::{
    domain::{accept::Ruled, invitation::Shown, member::Quota, refusal::Refusal, view::View},
    limiter::{Place, RequestHash, Reservation},
    store::{
        Decided,
        command::send::{Answer, Outcome, SendInvitation},
    },
};

/// What a sending came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The new invitation, or the other's that was accepted, as the inviter is shown it.
    pub view: View,
    /// What happened.
    pub result: SentResult,
    /// What the inviter has used of their limits.
    pub quota: Quota,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentResult {
    /// A new invitation.
    Sent,
    /// The other's was accepted; the connection is being made.
    Accepting,
    /// The other's was accepted and the two are connected.
    Connected,
}

/// How often the state is looked at anew when a crossing meets another call.
const ROUNDS_MAX: usize = 3;

/// Sends an invitation. `unnamed`: stands for this call in the limiter when the caller gave no request id.
pub async fn run(
    context: &Context,
    mut command: SendInvitation,
    unnamed: u64,
    deadline: Deadline,
) -> Result<Sent, Failure> {
    for _ in 0..ROUNDS_MAX {
        let answer = decide(context, &mut command, unnamed).await??;
        let (view, quota) = (answer.view, answer.quota);
        let sent = |view, result| {
            Ok(Sent {
                view,
                result,
                quota,
            })
        };
        let awaited = match answer.outcome {
            Outcome::Sent => return sent(view, SentResult::Sent),
            Outcome::Connected => return sent(view, SentResult::Connected),
            // The answer of the first time, though things have moved on.
            Outcome::Ended => return sent(view, SentResult::Accepting),
            Outcome::Accepting(awaited) => awaited,
        };
        crash::point("crossing.committed");
        match finish_acceptance::run(context, &awaited, deadline).await? {
            None => return sent(view, SentResult::Accepting),
            Some(Ruled::Connected { .. }) => {
                let shown = context
                    .store
                    .get(command.inviter.clone(), awaited.invitation_id)
                    .await?;
                // Removed again since: it was connected all the same.
                let view = shown.unwrap_or(View {
                    shown: Shown::Accepted,
                    expire_time: None,
                    ..view
                });
                return sent(view, SentResult::Connected);
            }
            Some(Ruled::Returned { full }) => {
                return Err(limit_refusal(&awaited, full, &command.inviter).into());
            }
            // Something came in between: the store now says what the sending comes to.
            Some(Ruled::Gone | Ruled::NotAwaited) => {}
        }
    }
    Err(Failure::ConnectionsAway)
}

async fn decide(context: &Context, command: &mut SendInvitation, unnamed: u64) -> Decided<Answer> {
    let request = RequestHash(command.request_id.map_or(unnamed, fold));
    if is_known_full(context, command) {
        let decided = context.store.preview_send(command.clone()).await?;
        if decided.is_err() {
            return Ok(decided);
        }
    }
    let key = PairKey::new(&command.inviter, &command.invitee);
    let ask = async {
        match key {
            Some(key) => context.connections.ask(key).await,
            None => None,
        }
    };
    let now = context.clock.now();
    let (reservation, told) =
        tokio::join!(context.limiter.reserve(&command.inviter, request, now), ask);
    context.metrics.asked(told.is_some());
    context.metrics.reserved(reservation);
    command.told = told;
    let place = match reservation {
        Reservation::Taken(place) => Some(place),
        Reservation::Unknown | Reservation::Away => None,
        Reservation::Full => {
            let decided = context.store.preview_send(command.clone()).await?;
            if let Err(refusal) = &decided {
                remember_if_full(context, command, refusal);
                return Ok(decided);
            }
            // The limiter was wrong, or the rule is another's: the store decides.
            None
        }
    };
    crash::point("send.asked");
    let decided = context.store.send(command.clone()).await;
    crash::point("send.committed");
    if let Ok(Err(refusal)) = &decided {
        remember_if_full(context, command, refusal);
    }
    if reservation != Reservation::Away {
        settle(context, command, place, &decided).await;
    }
    crash::point("send.settled");
    decided
}

/// Tells the limiter what the store has decided: that the place was not used, or, where there was none, what the store knows.
async fn settle(
    context: &Context,
    command: &SendInvitation,
    place: Option<Place>,
    decided: &Decided<Answer>,
) {
    let member = &command.inviter;
    match (decided, place) {
        (Ok(Ok(answer)), Some(_)) if answer.is_charged() => {}
        (Ok(Ok(answer)), None) if !answer.charges.is_empty() => {
            let cap = answer.quota.weekly_cap;
            let now = context.clock.now();
            context
                .limiter
                .seed(member, &answer.charges, cap, now)
                .await;
        }
        (_, Some(place)) => context.limiter.release(member, place).await,
        (_, None) => {}
    }
}

fn is_known_full(context: &Context, command: &SendInvitation) -> bool {
    let free_at = context.without_place.get(&command.inviter);
    let full = free_at.is_some_and(|free_at| free_at > context.clock.now());
    if free_at.is_some() && !full {
        context.without_place.invalidate(&command.inviter);
    }
    full
}

fn remember_if_full(context: &Context, command: &SendInvitation, refusal: &Refusal) {
    let free_at = match refusal {
        Refusal::WeeklyCapReached {
            next_place_time, ..
        } => *next_place_time,
        Refusal::SenderRestricted { restricted_until } => Some(*restricted_until),
        _ => None,
    };
    if let Some(free_at) = free_at {
        let inviter = command.inviter.clone();
        context.without_place.insert(inviter, free_at);
    }
}

/// Eight of a request id's bytes that are random in every version.
fn fold(request_id: Uuid) -> u64 {
    let (high, low) = request_id.as_u64_pair();
    high ^ low
}
