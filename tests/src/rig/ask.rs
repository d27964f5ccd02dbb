//! One attempt at a call, and what its answer means.
//!
//! Deliberately absent: repeating.

mod import;

use std::time::Duration;

use acquaint_proto::{
    connection::v1 as connection,
    error::v1::ErrorReason,
    invitation::v1::{self as invitation, invitation_result},
};
use prost_types::{FieldMask, Timestamp};
use tonic::{Code, Response, Status};
use tonic_types::StatusExt as _;

use super::{
    journal::{Act, Between, Named, Outcome},
    process::Clients,
};

/// How long an attempt waits. Longer than a service takes that is there.
const ATTEMPT_MAX: Duration = Duration::from_secs(4);
/// How many labels members give.
const LABELS: i64 = 6;
const SECONDS_PER_DAY: i64 = 24 * 60 * 60;

/// What nobody who asks properly is told.
const NEVER: [&str; 3] = ["INVALID_FIELD", "INVALID_TOKEN", "REQUEST_ID_REUSED"];

/// What an attempt came to.
#[derive(Debug)]
pub enum Answer {
    /// An answer that settles it.
    Given(Outcome),
    /// None: the service has gone away, or says that it cannot tell.
    None,
    /// One that must never be given.
    Forbidden(String),
}

pub use import::ask_import;

/// Asks once.
pub async fn ask(clients: &Clients, act: &Act) -> Answer {
    match tokio::time::timeout(ATTEMPT_MAX, attempt(clients.clone(), act)).await {
        Err(_) => Answer::None,
        Ok(Ok(outcome)) => Answer::Given(outcome),
        Ok(Err(status)) => refused(&status),
    }
}

fn refused(status: &Status) -> Answer {
    // What a broken connection comes to has no reason.
    let Some(info) = status.get_details_error_info() else {
        return Answer::None;
    };
    match status.code() {
        Code::Unavailable | Code::DeadlineExceeded => Answer::None,
        Code::Internal => Answer::Forbidden(format!("{status:?}")),
        _ if NEVER.contains(&info.reason.as_str()) => Answer::Forbidden(info.reason),
        _ => Answer::Given(Outcome::Refused(info.reason)),
    }
}

async fn attempt(mut clients: Clients, act: &Act) -> Result<Outcome, Status> {
    match act {
        Act::Send {
            inviter,
            invitee,
            request_id,
            note,
        } => {
            let request = invitation::SendInvitationRequest {
                inviter_id: inviter.clone(),
                invitee_id: invitee.clone(),
                note: note.clone(),
                request_id: request_id.clone(),
                ..Default::default()
            };
            let sent = clients.invitations.send_invitation(request).await;
            return sent.map(|sent| outcome_of_sending(sent.get_ref()));
        }
        Act::Accept(Named { member, id, .. }) => {
            let request = invitation::AcceptInvitationRequest {
                invitation_id: id.clone(),
                member_id: member.clone(),
            };
            let accepted = clients.invitations.accept_invitation(request).await?;
            let connected = accepted.get_ref().connection.is_some();
            return Ok(Outcome::Accepted {
                id: id.clone(),
                connected,
            });
        }
        Act::Decline(Named { member, id, .. }, reason) => {
            let request = invitation::DeclineInvitationRequest {
                invitation_id: id.clone(),
                member_id: member.clone(),
                reason: (*reason).into(),
            };
            clients
                .invitations
                .decline_invitation(request)
                .await
                .map(drop)
        }
        Act::Undo(Named { member, id, .. }) => {
            let request = invitation::UndoDeclineRequest {
                invitation_id: id.clone(),
                member_id: member.clone(),
            };
            clients.invitations.undo_decline(request).await.map(drop)
        }
        Act::Withdraw(Named { member, id, .. }) => {
            let request = invitation::WithdrawInvitationRequest {
                invitation_id: id.clone(),
                member_id: member.clone(),
            };
            clients
                .invitations
                .withdraw_invitation(request)
                .await
                .map(drop)
        }
        Act::Erase(member) => return erase(clients, member).await,
        Act::Unbar(_) | Act::Seen(..) | Act::Wish(..) => attempt_own(clients, act).await,
        Act::Put(member, number) => put(clients, member, *number).await,
        Act::Remove(_) | Act::Block(_) | Act::Unblock(_) | Act::Dismiss(_) => {
            attempt_between(clients, act).await
        }
        Act::Label(..) | Act::Relabel(..) | Act::Unlabel(..) => attempt_noting(clients, act).await,
        Act::Import(..) => unreachable!("imported with others"),
    }?;
    Ok(Outcome::Done)
}

async fn attempt_own(mut clients: Clients, act: &Act) -> Result<(), Status> {
    let client = &mut clients.invitations;
    match act {
        Act::Unbar(Between { member, other }) => {
            let request = invitation::UnbarInviterRequest {
                member_id: member.clone(),
                inviter_id: other.clone(),
            };
            client.unbar_inviter(request).await.map(drop)
        }
        Act::Seen(member, until) => {
            let request = invitation::MarkInvitationsSeenRequest {
                member_id: member.clone(),
                seen_until: Some(Timestamp {
                    seconds: until.div_euclid(1_000),
                    nanos: i32::try_from(until.rem_euclid(1_000)).unwrap() * 1_000_000,
                }),
            };
            client.mark_invitations_seen(request).await.map(drop)
        }
        Act::Wish(member, days) => {
            let preferences = invitation::InvitationPreferences {
                auto_withdraw_after: Some(prost_types::Duration {
                    seconds: days * SECONDS_PER_DAY,
                    nanos: 0,
                }),
                ..Default::default()
            };
            let request = invitation::UpdateInvitationPreferencesRequest {
                member_id: member.clone(),
                preferences: Some(preferences),
                update_mask: Some(FieldMask {
                    paths: vec!["auto_withdraw_after".to_owned()],
                }),
            };
            client
                .update_invitation_preferences(request)
                .await
                .map(drop)
        }
        _ => unreachable!("not of a member's own"),
    }
}

async fn attempt_between(mut clients: Clients, act: &Act) -> Result<(), Status> {
    match act.clone() {
        Act::Remove(Between { member, other }) => {
            let request = connection::RemoveConnectionRequest {
                member_id: member,
                other_id: other,
                connect_time: None,
            };
            clients
                .connections
                .remove_connection(request)
                .await
                .map(drop)
        }
        Act::Block(Between { member, other }) => {
            let request = connection::BlockMemberRequest {
                member_id: member,
                other_id: other,
            };
            clients.blocks.block_member(request).await.map(drop)
        }
        Act::Unblock(Between { member, other }) => {
            let request = connection::UnblockMemberRequest {
                member_id: member,
                other_id: other,
            };
            clients.blocks.unblock_member(request).await.map(drop)
        }
        Act::Dismiss(Between { member, other }) => {
            let request = connection::DismissSuggestionRequest {
                member_id: member,
                other_id: other,
            };
            let client = &mut clients.connections;
            client.dismiss_suggestion(request).await.map(drop)
        }
        _ => unreachable!("not between two members"),
    }
}

async fn attempt_noting(mut clients: Clients, act: &Act) -> Result<(), Status> {
    let label = |number: i64| format!("label-{}", number.rem_euclid(LABELS));
    let client = &mut clients.connections;
    match act.clone() {
        Act::Label(Between { member, other }, number) => {
            let request = connection::UpdateConnectionRequest {
                member_id: member,
                other_id: other,
                labels: (number..number + number % 3).map(label).collect(),
                private_note: "n".repeat(usize::try_from(number % 2).unwrap()),
                update_mask: Some(FieldMask {
                    paths: vec!["*".to_owned()],
                }),
            };
            client.update_connection(request).await.map(drop)
        }
        Act::Relabel(member_id, number) => {
            let request = connection::RenameLabelRequest {
                member_id,
                label: label(number),
                new_label: label(number + 1),
            };
            client.rename_label(request).await.map(drop)
        }
        Act::Unlabel(member_id, number) => {
            let request = connection::DeleteLabelRequest {
                member_id,
                label: label(number),
            };
            client.delete_label(request).await.map(drop)
        }
        _ => unreachable!("nothing is noted"),
    }
}

async fn put(mut clients: Clients, member: &str, number: i64) -> Result<(), Status> {
    let request = connection::PutMemberRequest {
        member_id: member.to_owned(),
        first_name: format!("First {member}"),
        last_name: "Last".to_owned(),
        headline: number.to_string(),
    };
    clients.members.put_member(request).await.map(drop)
}

/// Done only when it is complete: until then there is no answer that settles it.
async fn erase(mut clients: Clients, member: &str) -> Result<Outcome, Status> {
    let request = connection::EraseMemberRequest {
        member_id: member.to_owned(),
    };
    let erased = clients.members.erase_member(request).await?;
    if erased.get_ref().complete {
        Ok(Outcome::Done)
    } else {
        Err(Status::unavailable("not complete"))
    }
}

fn outcome_of_sending(sent: &invitation::SendInvitationResponse) -> Outcome {
    let id = sent.invitation.as_ref().unwrap().invitation_id.clone();
    match sent.outcome() {
        invitation::SendOutcome::Sent => Outcome::Sent(id),
        invitation::SendOutcome::Accepting => Outcome::Accepted {
            id,
            connected: false,
        },
        invitation::SendOutcome::Connected => Outcome::Accepted {
            id,
            connected: true,
        },
        invitation::SendOutcome::Unspecified => panic!("no outcome: {sent:?}"),
    }
}

/// Asks once for several acts of one kind and member.
pub async fn ask_batch(clients: &Clients, acts: &[Act]) -> Vec<Answer> {
    let results = match tokio::time::timeout(ATTEMPT_MAX, batch(clients.clone(), acts)).await {
        Ok(Ok(results)) => results,
        Ok(Err(status)) => return acts.iter().map(|_| refused(&status)).collect(),
        Err(_) => return acts.iter().map(|_| Answer::None).collect(),
    };
    assert_eq!(results.len(), acts.len(), "a result for each item");
    let answers = acts.iter().zip(results);
    answers.map(|(act, result)| of_item(act, result)).collect()
}

fn of_item(act: &Act, result: invitation::InvitationResult) -> Answer {
    let id = result.invitation_id;
    match result.outcome.unwrap() {
        invitation_result::Outcome::Status(status) => match Code::from_i32(status.code) {
            Code::Unavailable | Code::DeadlineExceeded => Answer::None,
            Code::Internal => Answer::Forbidden(format!("{status:?}")),
            _ => {
                let reason = ErrorReason::try_from(status.reason).unwrap();
                let name = reason.as_str_name().trim_start_matches("ERROR_REASON_");
                Answer::Given(Outcome::Refused(name.to_owned()))
            }
        },
        invitation_result::Outcome::Invitation(found) => Answer::Given(match act {
            Act::Accept(_) => Outcome::Accepted {
                id,
                connected: found.state() == invitation::InvitationState::Accepted,
            },
            _ => Outcome::Done,
        }),
    }
}

async fn batch(
    mut clients: Clients,
    acts: &[Act],
) -> Result<Vec<invitation::InvitationResult>, Status> {
    use invitation::{
        batch_accept_invitations_request::Selection as Accept,
        batch_decline_invitations_request::Selection as Decline,
        batch_withdraw_invitations_request::Selection as Withdraw,
    };
    let named = |act: &Act| match act {
        Act::Accept(named) | Act::Decline(named, _) | Act::Withdraw(named) => named.clone(),
        _ => unreachable!("no batch of these"),
    };
    let ids = invitation::InvitationIds {
        invitation_ids: acts.iter().map(|act| named(act).id).collect(),
    };
    let first = &acts[0];
    let member_id = named(first).member;
    let client = &mut clients.invitations;
    Ok(match first {
        Act::Accept(_) => {
            let request = invitation::BatchAcceptInvitationsRequest {
                member_id,
                selection: Some(Accept::InvitationIds(ids)),
                dry_run: false,
            };
            let answer = client.batch_accept_invitations(request).await;
            answer.map(Response::into_inner)?.results
        }
        Act::Decline(_, reason) => {
            let request = invitation::BatchDeclineInvitationsRequest {
                member_id,
                selection: Some(Decline::InvitationIds(ids)),
                dry_run: false,
                reason: (*reason).into(),
            };
            let answer = client.batch_decline_invitations(request).await;
            answer.map(Response::into_inner)?.results
        }
        _ => {
            let request = invitation::BatchWithdrawInvitationsRequest {
                member_id,
                selection: Some(Withdraw::InvitationIds(ids)),
                dry_run: false,
            };
            let answer = client.batch_withdraw_invitations(request).await;
            answer.map(Response::into_inner)?.results
        }
    })
}
