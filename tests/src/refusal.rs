//! A refusal as a client reads it.

use std::collections::BTreeMap;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A refusal as a client reads it: everything it carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The canonical code.
    pub code: Code,
    /// The reason of its one `ErrorInfo`.
    pub reason: String,
    /// The metadata of its `ErrorInfo`.
    pub metadata: BTreeMap<String, String>,
    /// The fields of its `BadRequest`, if it has one.
    pub fields: Vec<String>,
    /// The delay of its `RetryInfo`, if it has one.
    pub retry_after: Option<std::time::Duration>,
    /// The subjects of its `QuotaFailure`, if it has one.
    pub quota: Vec<String>,
}

impl Refusal {
    /// Reads a status; fails when it does not carry exactly one `ErrorInfo` of the domain `acquaint`.
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details_vec();
        let infos: Vec<_> = details
            .iter()
            .filter_map(|detail| match detail {
                tonic_types::ErrorDetail::ErrorInfo(info) => Some(info.clone()),
                _ => None,
            })
            .collect();
        let [info] = infos.as_slice() else {
            panic!("not exactly one ErrorInfo: {status:?}");
        };
        assert_eq!(info.domain, "acquaint", "{status:?}");
        let details = status.get_error_details();
        Self {
            code: status.code(),
            reason: info.reason.clone(),
            metadata: info.metadata.clone().into_iter().collect(),
            fields: details
                .bad_request()
                .map(|bad| {
                    bad.field_violations
                        .iter()
                        .map(|violation| violation.field.clone())
                        .collect()
                })
                .unwrap_or_default(),
            retry_after: details.retry_info().and_then(|retry| retry.retry_delay),
            quota: details
                .quota_failure()
                .map(|quota| {
                    quota
                        .violations
                        .iter()
                        .map(|violation| violation.subject.clone())
                        .collect()
                })
                .unwrap_or_default(),
        }
    }
}

/// The reason of a refused call; fails when it was not refused.
pub fn reason<T: std::fmt::Debug>(answer: Result<T, Status>) -> String {
    Refusal::of(&answer.expect_err("a refusal")).reason
}
