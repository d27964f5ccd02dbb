//! Tests of what the wire is told.

use super::*;

#[test]
fn a_refusal_carries_exactly_what_it_was_given() {
    let plain: Status = Refused::new(Code::NotFound, "NO_SUCH_THING", "no such thing").into();
    assert_eq!(
        (plain.code(), plain.message()),
        (Code::NotFound, "no such thing")
    );
    assert_eq!(
        plain.get_error_details_vec().len(),
        1,
        "one ErrorInfo and nothing else"
    );
    let info = plain.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        ("NO_SUCH_THING", "acquaint")
    );
    assert!(info.metadata.is_empty());

    let full: Status = Refused::new(Code::ResourceExhausted, "QUOTA", "used up")
        .with_metadata("limit", "100")
        .with_retry_after(Duration::from_millis(1_001))
        .with_quota("member:a", "100 a week")
        .into();
    assert_eq!(full.get_error_details_vec().len(), 3);
    assert_eq!(
        full.get_details_error_info().unwrap().metadata["limit"],
        "100"
    );
    let delay = full.get_details_retry_info().unwrap().retry_delay;
    assert_eq!(delay, Some(Duration::from_secs(2)), "rounded up");
    assert_eq!(
        full.get_details_quota_failure().unwrap().violations[0].subject,
        "member:a"
    );
}

#[test]
fn all_violations_are_answered_at_once_but_not_without_bound() {
    assert!(FieldViolations::new().check().is_ok());
    let mut violations = FieldViolations::new();
    violations.push("a", "must be there");
    violations.push("b.c", "must be short");
    let status: Status = violations.clone().check().unwrap_err().into();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(
        status.get_details_error_info().unwrap().reason,
        "INVALID_FIELD"
    );
    let fields = status.get_details_bad_request().unwrap().field_violations;
    assert_eq!(
        fields.iter().map(|v| v.field.as_str()).collect::<Vec<_>>(),
        ["a", "b.c"]
    );
    for n in 0..1_000 {
        violations.push(format!("d[{n}]"), "must be there");
    }
    assert_eq!(
        violations.check().unwrap_err().violations.len(),
        FIELD_VIOLATIONS_MAX
    );
}

#[test]
fn what_a_store_says_stays_inside() {
    let cases = [
        (
            StoreError::Overloaded,
            Code::Unavailable,
            "OVERLOADED",
            true,
        ),
        (
            StoreError::unavailable("secret"),
            Code::Unavailable,
            "DEPENDENCY_UNAVAILABLE",
            true,
        ),
        (
            StoreError::corrupt("secret"),
            Code::Internal,
            "INTERNAL",
            false,
        ),
        (
            StoreError::internal("secret"),
            Code::Internal,
            "INTERNAL",
            false,
        ),
    ];
    for (error, code, reason, retry) in cases {
        let status = store_error(&error);
        assert_eq!(status.code(), code);
        assert_eq!(status.get_details_error_info().unwrap().reason, reason);
        let delay = status
            .get_details_retry_info()
            .and_then(|info| info.retry_delay);
        assert_eq!(delay, retry.then_some(Duration::from_secs(1)));
        assert!(!format!("{status:?}").contains("secret"));
    }
    assert_eq!(deadline_exceeded().code(), Code::DeadlineExceeded);
}

#[test]
fn the_end_of_a_stream_says_whether_to_try_again_or_to_be_quicker() {
    use Code::{ResourceExhausted, Unavailable};
    let cases = [
        (WatchEnd::TooManyStreams, Unavailable, "OVERLOADED"),
        (
            WatchEnd::ShuttingDown,
            Unavailable,
            "DEPENDENCY_UNAVAILABLE",
        ),
        (
            WatchEnd::ConsumerTooSlow,
            ResourceExhausted,
            "CONSUMER_TOO_SLOW",
        ),
    ];
    for (end, code, reason) in cases {
        let status = watch_end(end);
        assert_eq!(status.code(), code);
        assert_eq!(status.get_details_error_info().unwrap().reason, reason);
        let again = status.get_details_retry_info().is_some();
        assert_eq!(again, code == Unavailable, "{end}");
    }
}

#[test]
fn whole_seconds_are_kept() {
    for (from, to) in [(0, 0), (1, 1), (1_000, 1), (1_500, 2)] {
        assert_eq!(
            whole_seconds(Duration::from_millis(from)),
            Duration::from_secs(to)
        );
    }
    assert_eq!(whole_seconds(Duration::MAX).as_secs(), u64::MAX);
}
