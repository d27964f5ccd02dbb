//! Refusals and failures as the wire knows them.
//!
//! Every outward error has a canonical code, exactly one `ErrorInfo` and the details that its code promises. Deliberately absent:
//! which refusals there are (each service's own), and any text of a driver: what a store says goes to the log only.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::Arc;
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
    /// Why, for the log alone.
    pub cause: Option<Box<str>>,
}

/// What the process itself sees of a [`Status`] beside what goes out: its source, which stays here.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Told {
    /// The reason of the `ErrorInfo`.
    pub reason: &'static str,
    /// Why, for the log.
    pub cause: Option<Box<str>>,
}

/// Without the cause: a [`Status`] shows its source, and is shown where the cause has no business.
impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Told({})", self.reason)
    }
}

impl Told {
    /// What was told with `status`; `None` for one that was not made from a [`Refused`] of this process.
    pub fn of(status: &Status) -> Option<&Self> {
        status.source()?.downcast_ref()
    }
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
            cause: None,
        }
    }

    /// Says why, for the log alone.
    #[must_use]
    pub fn with_cause(mut self, cause: &impl ToString) -> Self {
        self.cause = Some(cause.to_string().into());
        self
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
        let mut status = Self::with_error_details(refused.code, refused.message, details);
        status.set_source(Arc::new(Told {
            reason: refused.reason,
            cause: refused.cause,
        }));
        status
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
    refused_overloaded().into()
}

/// `UNAVAILABLE`, reason `DEPENDENCY_UNAVAILABLE`: something that this service needs is away; try again in a second.
pub fn dependency_unavailable() -> Status {
    refused_unavailable().into()
}

/// `INTERNAL`, reason `INTERNAL`: a mistake in the program. Says no more than that; the log says why.
pub fn internal() -> Status {
    refused_internal().into()
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

fn refused_overloaded() -> Refused {
    Refused::new(Code::Unavailable, "OVERLOADED", "too busy, try again")
        .with_retry_after(RETRY_SOON)
}

fn refused_unavailable() -> Refused {
    Refused::new(
        Code::Unavailable,
        "DEPENDENCY_UNAVAILABLE",
        "a dependency is away, try again",
    )
    .with_retry_after(RETRY_SOON)
}

fn refused_internal() -> Refused {
    Refused::new(Code::Internal, "INTERNAL", "internal error")
}

/// The outward status of what the store could not do, which says nothing of it; why is its cause, for the log.
pub fn store_error(error: &StoreError) -> Status {
    let refused = match error {
        StoreError::Overloaded => refused_overloaded(),
        StoreError::Unavailable(_) => refused_unavailable(),
        StoreError::Corrupt(_) | StoreError::Internal(_) => refused_internal(),
    };
    refused.with_cause(error).into()
}

/// The status of a stream that does not begin or go on.
pub fn watch_end(end: WatchEnd) -> Status {
    let refused = match end {
        WatchEnd::TooManyStreams => refused_overloaded(),
        WatchEnd::ShuttingDown => refused_unavailable(),
        WatchEnd::ConsumerTooSlow => {
            let text = "messages were not taken in time; resume after the last one received";
            Refused::new(Code::ResourceExhausted, "CONSUMER_TOO_SLOW", text)
        }
    };
    refused.with_cause(&end).into()
}

/// Logs why and gives the status back: of one item of many, or the end of a stream. The others are logged with their requests.
#[must_use]
pub fn logged(status: Status) -> Status {
    if let Some(Told {
        reason,
        cause: Some(cause),
    }) = Told::of(&status)
    {
        match status.code() {
            Code::Internal => tracing::error!(reason, "{cause}"),
            Code::Unavailable => tracing::warn!(reason, "{cause}"),
            _ => tracing::debug!(reason, "{cause}"),
        }
    }
    status
}

#[cfg(test)]
mod tests;
