//! Every refusal and failure as a status: one exhaustive match, the reasons as the contract names them.
//!
//! Deliberately absent: texts of the store or of members; what the store says goes to the log.

use acquaint_proto::error::v1 as error;
use service_kit::{
    clock::Clock,
    error::StoreError,
    fields::rfc3339,
    status::{self, Refused},
    time::Time,
};
use tonic::{Code, Status};

use crate::{domain::refusal::Refusal, usecase::Failure};

/// The status of a failure. `clock`: how long a retry has to wait is counted from now.
pub(super) fn of(failure: &Failure, clock: &dyn Clock) -> Status {
    match failure {
        Failure::Refused(refusal) => refused(refusal, clock.now()).into(),
        Failure::Store(error) => status::store_error(error),
        Failure::ConnectionsAway => status::dependency_unavailable(),
        Failure::Watch(end) => status::watch_end(*end),
        Failure::InvalidToken => {
            let text = "the token was not issued for this method, member and filter";
            Refused::new(Code::InvalidArgument, "INVALID_TOKEN", text).into()
        }
        Failure::TokenTooOld => {
            let text =
                "events after the token are no longer kept; list anew, then watch without a token";
            Refused::new(Code::OutOfRange, "TOKEN_TOO_OLD", text).into()
        }
        Failure::OtherIncarnation => {
            let text = "the token is of another history of the store; list anew, then watch without a token";
            Refused::new(Code::FailedPrecondition, "OTHER_INCARNATION", text).into()
        }
    }
}

/// The refusal of one item of a batch.
pub(super) fn of_item(failure: &Failure, clock: &dyn Clock) -> error::Status {
    let refused = if let Failure::Refused(refusal) = failure {
        refused(refusal, clock.now())
    } else {
        let (reason, code) = match failure {
            Failure::Store(StoreError::Overloaded) => ("OVERLOADED", Code::Unavailable),
            Failure::Store(StoreError::Corrupt(_) | StoreError::Internal(_)) => {
                ("INTERNAL", Code::Internal)
            }
            _ => ("DEPENDENCY_UNAVAILABLE", Code::Unavailable),
        };
        // Also for the log.
        Refused::new(code, reason, status::logged(of(failure, clock)).message())
    };
    error::Status {
        code: refused.code.into(),
        reason: named(refused.reason).into(),
        message: refused.message,
        metadata: refused
            .metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

/// A refusal's reason as a value of the contract, and when it no longer stands if time alone ends it.
pub(super) fn reason(refusal: &Refusal) -> (error::ErrorReason, Option<Time>) {
    let retry_time = match refusal {
        Refusal::ResendCooldown { retry_time } | Refusal::ProbeLimitReached { retry_time } => {
            Some(*retry_time)
        }
        Refusal::SenderRestricted { restricted_until } => Some(*restricted_until),
        Refusal::WeeklyCapReached {
            next_place_time, ..
        } => *next_place_time,
        _ => None,
    };
    (named(plain(refusal).reason), retry_time)
}

fn named(reason: &str) -> error::ErrorReason {
    error::ErrorReason::from_str_name(&format!("ERROR_REASON_{reason}")).unwrap_or_default()
}

/// A refusal with its details.
fn refused(refusal: &Refusal, now: Time) -> Refused {
    let refused = plain(refusal);
    let until = |time: &Time| time.since(now).to_std();
    match refusal {
        Refusal::InvitationPending { invitation_id } => {
            refused.with_metadata("invitation_id", invitation_id.to_string())
        }
        Refusal::ResendCooldown { retry_time } => refused
            .with_metadata("retry_time", rfc3339(*retry_time))
            .with_retry_after(until(retry_time)),
        Refusal::SenderRestricted { restricted_until } => refused
            .with_metadata("restricted_until", rfc3339(*restricted_until))
            .with_retry_after(until(restricted_until)),
        Refusal::WeeklyCapReached {
            weekly_cap,
            used,
            next_place_time,
        } => {
            let subject = format!("{weekly_cap} invitations in any seven days");
            let refused = refused
                .with_metadata("weekly_cap", weekly_cap.to_string())
                .with_metadata("used", used.to_string())
                .with_quota("weekly_cap", subject);
            match next_place_time {
                None => refused,
                Some(time) => refused
                    .with_metadata("next_place_time", rfc3339(*time))
                    .with_retry_after(until(time)),
            }
        }
        Refusal::PendingCapReached { pending_cap } => {
            let subject = format!("{pending_cap} unanswered invitations");
            refused.with_quota("pending_cap", subject)
        }
        Refusal::ProbeLimitReached { retry_time } => refused.with_retry_after(until(retry_time)),
        _ => refused,
    }
}

/// A refusal's code, reason and text.
fn plain(refusal: &Refusal) -> Refused {
    use Code::{AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, ResourceExhausted};
    let (code, reason, text) = match refusal {
        Refusal::RequestIdReused => (
            InvalidArgument,
            "REQUEST_ID_REUSED",
            "the request id was used with another invitee, note or source",
        ),
        Refusal::InvitationNotFound => (
            NotFound,
            "INVITATION_NOT_FOUND",
            "there is no such invitation for this member",
        ),
        Refusal::MemberNotFound => (NotFound, "MEMBER_NOT_FOUND", "this member was erased"),
        Refusal::SelfReference => (
            InvalidArgument,
            "SELF_REFERENCE",
            "both members are the same",
        ),
        Refusal::AlreadyConnected => (
            FailedPrecondition,
            "ALREADY_CONNECTED",
            "the two are connected already",
        ),
        Refusal::InvitationPending { .. } => (
            AlreadyExists,
            "INVITATION_PENDING",
            "an invitation to this member is unanswered",
        ),
        Refusal::AlreadyAccepted => (
            FailedPrecondition,
            "ALREADY_ACCEPTED",
            "the invitation was accepted; remove the connection instead",
        ),
        Refusal::InvitationNotPending => (
            FailedPrecondition,
            "INVITATION_NOT_PENDING",
            "this member has ended the invitation before",
        ),
        Refusal::MemberBlockedByYou => (
            FailedPrecondition,
            "MEMBER_BLOCKED_BY_YOU",
            "unblock this member first",
        ),
        Refusal::ResendCooldown { .. } => (
            FailedPrecondition,
            "RESEND_COOLDOWN",
            "an invitation to this member was withdrawn a short time ago",
        ),
        Refusal::SenderRestricted { .. } => (
            ResourceExhausted,
            "SENDER_RESTRICTED",
            "this member may not send invitations for a time",
        ),
        Refusal::WeeklyCapReached { .. } => (
            ResourceExhausted,
            "WEEKLY_CAP_REACHED",
            "no place is left under the weekly cap",
        ),
        Refusal::PendingCapReached { .. } => (
            ResourceExhausted,
            "PENDING_CAP_REACHED",
            "as many invitations are unanswered as are allowed",
        ),
        Refusal::ConnectionLimitReached => (
            FailedPrecondition,
            "CONNECTION_LIMIT_REACHED",
            "this member has as many connections as are allowed",
        ),
        Refusal::InviterConnectionLimitReached => (
            FailedPrecondition,
            "INVITER_CONNECTION_LIMIT_REACHED",
            "the inviter has as many connections as are allowed",
        ),
        Refusal::ProbeLimitReached { .. } => (
            ResourceExhausted,
            "PROBE_LIMIT_REACHED",
            "too many invitations to members who cannot be invited",
        ),
        Refusal::RecipientUnavailable => (
            FailedPrecondition,
            "RECIPIENT_UNAVAILABLE",
            "this member cannot be invited",
        ),
    };
    Refused::new(code, reason, text)
}
