//! Every refusal and failure as a status: one exhaustive match, the reasons as the contract names them.
//!
//! Deliberately absent: texts of the store; what it says goes to the log.

use service_kit::status::{self, Refused};
use tonic::{Code, Status};

use crate::domain::refusal::Refusal;
use crate::usecase::Failure;

/// The status of a failure.
pub(super) fn of(failure: &Failure) -> Status {
    match failure {
        Failure::Refused(refusal) => refused(*refusal).into(),
        Failure::Store(error) => status::store_error(error),
        Failure::TooManyStreams => {
            tracing::warn!("{failure}");
            status::overloaded()
        }
        Failure::ShuttingDown => status::dependency_unavailable(),
    }
}

fn refused(refusal: Refusal) -> Refused {
    let (code, reason) = match refusal {
        Refusal::InvalidToken => (Code::InvalidArgument, "INVALID_TOKEN"),
        Refusal::MemberNotFound => (Code::NotFound, "MEMBER_NOT_FOUND"),
        Refusal::SelfReference => (Code::InvalidArgument, "SELF_REFERENCE"),
        Refusal::BlockLimitReached { .. } => (Code::ResourceExhausted, "BLOCK_LIMIT_REACHED"),
        Refusal::TokenTooOld => (Code::OutOfRange, "TOKEN_TOO_OLD"),
        Refusal::OtherIncarnation { .. } => (Code::FailedPrecondition, "OTHER_INCARNATION"),
        Refusal::ConsumerTooSlow => (Code::ResourceExhausted, "CONSUMER_TOO_SLOW"),
    };
    let refused = Refused::new(code, reason, refusal.to_string());
    match refusal {
        Refusal::BlockLimitReached { blocks_max } => {
            refused.with_quota("member", format!("at most {blocks_max} blocked members"))
        }
        _ => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use acquaint_proto::error::v1::ErrorReason;

    /// All of them, in the order of precedence.
    const ALL: [Refusal; 7] = [
        Refusal::InvalidToken,
        Refusal::MemberNotFound,
        Refusal::SelfReference,
        Refusal::BlockLimitReached { blocks_max: 3 },
        Refusal::TokenTooOld,
        Refusal::OtherIncarnation { common_position: 5 },
        Refusal::ConsumerTooSlow,
    ];

    #[test]
    fn reasons_are_the_contracts_and_in_its_order() {
        let mut last = 0;
        for refusal in ALL {
            let refused = refused(refusal);
            let name = format!("ERROR_REASON_{}", refused.reason);
            let reason = ErrorReason::from_str_name(&name).expect("a reason of the contract");
            assert!(reason as i32 > last, "{name} is out of order");
            last = reason as i32;
            assert_eq!(refused.metadata, []);
            assert!(refused.violations.is_empty() && refused.retry_after.is_none());
            let quota = matches!(refusal, Refusal::BlockLimitReached { .. });
            assert_eq!(refused.quota.is_some(), quota);
        }
        assert!(ALL.is_sorted(), "the enum is in the order of precedence");
    }

    #[test]
    fn failures_that_are_no_refusal_can_be_tried_again() {
        for failure in [Failure::TooManyStreams, Failure::ShuttingDown] {
            assert_eq!(of(&failure).code(), Code::Unavailable);
        }
    }
}
