//! Every refusal and failure as a status: one exhaustive match, the reasons as the contract names them.
//!
//! Deliberately absent: texts of the store; what it says goes to the log.

use acquaint_proto::error::v1 as error;
use service_kit::error::StoreError;
use service_kit::status::{self, Refused};
use tonic::{Code, Status};

use crate::domain::annotation::LabelLimit;
use crate::domain::refusal::Refusal;
use crate::usecase::Failure;

/// The status of a failure.
pub(super) fn of(failure: &Failure) -> Status {
    match failure {
        Failure::Refused(refusal) => refused(*refusal).into(),
        Failure::Store(error) => status::store_error(error),
        Failure::Watch(end) => status::watch_end(*end),
    }
}

/// The refusal of one item of a batch.
pub(super) fn of_item(failure: &Failure) -> error::Status {
    let refused = match failure {
        Failure::Refused(refusal) => refused(*refusal),
        Failure::Store(StoreError::Overloaded) => unlike(failure, "OVERLOADED", Code::Unavailable),
        Failure::Store(StoreError::Corrupt(_) | StoreError::Internal(_)) => {
            unlike(failure, "INTERNAL", Code::Internal)
        }
        Failure::Store(StoreError::Unavailable(_)) | Failure::Watch(_) => {
            unlike(failure, "DEPENDENCY_UNAVAILABLE", Code::Unavailable)
        }
    };
    let reason = error::ErrorReason::from_str_name(&format!("ERROR_REASON_{}", refused.reason));
    error::Status {
        code: refused.code.into(),
        reason: reason.unwrap_or_default().into(),
        message: refused.message,
        metadata: refused
            .metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    }
}

/// A failure that is no refusal; also for the log.
fn unlike(failure: &Failure, reason: &'static str, code: Code) -> Refused {
    Refused::new(code, reason, status::logged(of(failure)).message())
}

fn refused(refusal: Refusal) -> Refused {
    let (code, reason) = match refusal {
        Refusal::InvalidToken => (Code::InvalidArgument, "INVALID_TOKEN"),
        Refusal::MemberNotFound => (Code::NotFound, "MEMBER_NOT_FOUND"),
        Refusal::ConnectionNotFound => (Code::NotFound, "CONNECTION_NOT_FOUND"),
        Refusal::LabelNotFound => (Code::NotFound, "LABEL_NOT_FOUND"),
        Refusal::SelfReference => (Code::InvalidArgument, "SELF_REFERENCE"),
        Refusal::LabelExists => (Code::AlreadyExists, "LABEL_EXISTS"),
        Refusal::LabelLimitReached { .. } => (Code::ResourceExhausted, "LABEL_LIMIT_REACHED"),
        Refusal::BlockLimitReached { .. } => (Code::ResourceExhausted, "BLOCK_LIMIT_REACHED"),
        Refusal::TokenTooOld => (Code::OutOfRange, "TOKEN_TOO_OLD"),
        Refusal::OtherIncarnation { .. } => (Code::FailedPrecondition, "OTHER_INCARNATION"),
    };
    let refused = Refused::new(code, reason, refusal.to_string());
    match refusal {
        Refusal::BlockLimitReached { blocks_max } => {
            refused.with_quota("member", format!("at most {blocks_max} blocked members"))
        }
        Refusal::LabelLimitReached { of } => match of {
            LabelLimit::Connection { labels_max } => {
                refused.with_quota("connection", format!("at most {labels_max} labels"))
            }
            LabelLimit::Member { labels_max } => {
                refused.with_quota("member", format!("at most {labels_max} labels"))
            }
        },
        _ => refused,
    }
}

#[cfg(test)]
mod tests {
    use acquaint_proto::error::v1::ErrorReason;
    use service_kit::watch::WatchEnd;
    use tonic_types::StatusExt as _;

    use super::*;

    /// All of them, in the order of precedence.
    const ALL: [Refusal; 11] = [
        Refusal::InvalidToken,
        Refusal::MemberNotFound,
        Refusal::ConnectionNotFound,
        Refusal::LabelNotFound,
        Refusal::SelfReference,
        Refusal::LabelExists,
        Refusal::LabelLimitReached {
            of: LabelLimit::Connection { labels_max: 1 },
        },
        Refusal::LabelLimitReached {
            of: LabelLimit::Member { labels_max: 2 },
        },
        Refusal::BlockLimitReached { blocks_max: 3 },
        Refusal::TokenTooOld,
        Refusal::OtherIncarnation { common_position: 5 },
    ];

    #[test]
    fn reasons_are_the_contracts_and_in_its_order() {
        let contract = include_str!("../../../proto/acquaint/error/v1/error_reason.proto");
        let mut last = 0;
        for refusal in ALL {
            let refused = refused(refusal);
            let name = format!("ERROR_REASON_{}", refused.reason);
            let place = contract.find(&format!("  {name} = "));
            let place = place.expect("a reason of the contract");
            assert!(place >= last, "{name} is out of order");
            last = place;
            assert_eq!(refused.metadata, []);
            assert!(refused.violations.is_empty() && refused.retry_after.is_none());
            let quota = matches!(
                refusal,
                Refusal::BlockLimitReached { .. } | Refusal::LabelLimitReached { .. }
            );
            assert_eq!(refused.quota.is_some(), quota);
        }
        assert!(ALL.is_sorted(), "the enum is in the order of precedence");
    }

    #[test]
    fn failures_that_are_no_refusal_can_be_tried_again() {
        for end in [WatchEnd::TooManyStreams, WatchEnd::ShuttingDown] {
            assert_eq!(of(&Failure::Watch(end)).code(), Code::Unavailable);
        }
    }

    #[test]
    fn a_slow_consumer_is_told_so_after_all_refusals() {
        let status = of(&Failure::Watch(WatchEnd::ConsumerTooSlow));
        assert_eq!(status.code(), Code::ResourceExhausted);
        let info = status.get_details_error_info().unwrap();
        assert!(info.metadata.is_empty());
        let name = format!("ERROR_REASON_{}", info.reason);
        let reason = ErrorReason::from_str_name(&name).expect("a reason of the contract");
        assert!(reason > ErrorReason::OtherIncarnation);
    }
}
