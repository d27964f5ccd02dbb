//! Refusals and failures as the wire knows them.
//!
//! Every outward error has a canonical code, exactly one `ErrorInfo` and the details that its code promises. Deliberately absent:
//! which refusals there are (each service's own), and any text of a driver: what a store says goes to the log only.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::error::StoreError;
use crate::watch::WatchEnd;

/// The domain of every `ErrorInfo`.
pub const ERROR_DOMAIN: &str = "acquaint";

/// How many field violations one answer lists at most: details travel in a header, and headers are bounded.
pub const FIELD_VIOLATIONS_MAX: usize = 20;

/// When to try again after [`overloaded`] and [`dependency_unavailable`].
const RETRY_SOON: Duration = Duration::from_secs(1);

/// A field that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// The path of the field in the request, such as `filter.states`.
    pub field: String,
    /// The rule, as a sentence without what was sent.
    pub description: String,
}

/// A quota that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaViolation {
    /// Whose quota it is.
    pub subject: String,
    /// Which quota it is, and how large.
    pub description: String,
}

/// A refusal as the wire knows it: canonical code, exactly one `ErrorInfo` (domain [`ERROR_DOMAIN`]), and details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The canonical code.
    pub code: Code,
    /// The reason of the `ErrorInfo`, `UPPER_SNAKE_CASE`.
    pub reason: &'static str,
    /// What a developer reads.
    pub message: String,
    /// The metadata of the `ErrorInfo`.
    pub metadata: Vec<(&'static str, String)>,
    /// The violations of a `BadRequest`, which is there only when there are any.
    pub violations: Vec<FieldViolation>,
    /// The delay of a `RetryInfo`; rounded up to the whole second on the wire.
    pub retry_after: Option<Duration>,
    /// The violation of a `QuotaFailure`.
    pub quota: Option<QuotaViolation>,
}

impl Refused {
    /// A refusal with nothing but its `ErrorInfo`.
    pub fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            metadata: Vec::new(),
            violations: Vec::new(),
            retry_after: None,
            quota: None,
        }
    }

    /// Adds an entry to the metadata of the `ErrorInfo`.
    #[must_use]
    pub fn with_metadata(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.metadata.push((key, value.into()));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn with_retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Says which quota is used up.
    #[must_use]
    pub fn with_quota(
        mut self,
        subject: impl Into<String>,
        description: impl Into<String>,
    ) -> Self {
        self.quota = Some(QuotaViolation {
            subject: subject.into(),
            description: description.into(),
        });
        self
    }
}

impl From<Refused> for Status {
    fn from(refused: Refused) -> Self {
        let mut details = ErrorDetails::new();
        let metadata: HashMap<String, String> = refused
            .metadata
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        details.set_error_info(refused.reason, ERROR_DOMAIN, metadata);
        for violation in refused.violations {
            details.add_bad_request_violation(violation.field, violation.description);
        }
        if let Some(delay) = refused.retry_after {
            details.set_retry_info(Some(whole_seconds(delay)));
        }
        if let Some(quota) = refused.quota {
            details.add_quota_failure_violation(quota.subject, quota.description);
        }
        Self::with_error_details(refused.code, refused.message, details)
    }
}

fn whole_seconds(delay: Duration) -> Duration {
    let part = u64::from(delay.subsec_nanos() > 0);
    Duration::from_secs(delay.as_secs().saturating_add(part))
}

/// Collects every violation of a request, so that all are answered at once.
#[derive(Clone, Debug, Default)]
pub struct FieldViolations(Vec<FieldViolation>);

impl FieldViolations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a violation: the path of the field, and the rule as a sentence without what was sent. Beyond
    /// [`FIELD_VIOLATIONS_MAX`] nothing is added.
    pub fn push(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.0.len() < FIELD_VIOLATIONS_MAX {
            self.0.push(FieldViolation {
                field: field.into(),
                description: description.into(),
            });
        }
    }

    /// `Ok` when there are none, else `INVALID_ARGUMENT` with reason `INVALID_FIELD` and all of them.
    pub fn check(self) -> Result<(), Refused> {
        if self.0.is_empty() {
            return Ok(());
        }
        let mut refused = Refused::new(
            Code::InvalidArgument,
            "INVALID_FIELD",
            "the request has invalid fields",
        );
        refused.violations = self.0;
        Err(refused)
    }
}

/// `UNAVAILABLE`, reason `OVERLOADED`: too much waits here; try again in a second.
pub fn overloaded() -> Status {
    Refused::new(Code::Unavailable, "OVERLOADED", "too busy, try again")
        .with_retry_after(RETRY_SOON)
        .into()
}

/// `UNAVAILABLE`, reason `DEPENDENCY_UNAVAILABLE`: something that this service needs is away; try again in a second.
pub fn dependency_unavailable() -> Status {
    Refused::new(
        Code::Unavailable,
        "DEPENDENCY_UNAVAILABLE",
        "a dependency is away, try again",
    )
    .with_retry_after(RETRY_SOON)
    .into()
}

/// `INTERNAL`, reason `INTERNAL`: a mistake in the program. Says no more than that; the log says why.
pub fn internal() -> Status {
    Refused::new(Code::Internal, "INTERNAL", "internal error").into()
}

/// `DEADLINE_EXCEEDED`, reason `DEADLINE_EXCEEDED`: the caller's time is up. What was asked may still happen.
pub fn deadline_exceeded() -> Status {
    Refused::new(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        "the deadline has passed",
    )
    .into()
}

/// Logs why the store failed and gives the outward status, which says nothing of it.
pub fn store_error(error: &StoreError) -> Status {
    match error {
        StoreError::Overloaded => {
            tracing::warn!("{error}");
            overloaded()
        }
        StoreError::Unavailable(_) => {
            tracing::error!("{error}");
            dependency_unavailable()
        }
        StoreError::Corrupt(_) | StoreError::Internal(_) => {
            tracing::error!("{error}");
            internal()
        }
    }
}

/// The status of a stream that does not begin or go on.
pub fn watch_end(end: WatchEnd) -> Status {
    match end {
        WatchEnd::TooManyStreams => {
            tracing::warn!("{end}");
            overloaded()
        }
        WatchEnd::ShuttingDown => dependency_unavailable(),
        WatchEnd::ConsumerTooSlow => {
            let text = "messages were not taken in time; resume after the last one received";
            Refused::new(Code::ResourceExhausted, "CONSUMER_TOO_SLOW", text).into()
        }
    }
}

#[cfg(test)]
mod tests;
