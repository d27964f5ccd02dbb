//! How long a caller waits, and how long what it called may go on.
//!
//! The time arrives in the `grpc-timeout` header, bounds the work done here, and what is left of it goes along on calls made
//! from here. Deliberately absent: streams that stay open (a watch has no deadline of its own).

use std::future::Future;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use crate::status::deadline_exceeded;

/// The longest time that is granted, whatever a caller asks for.
pub const DEADLINE_MAX: Duration = Duration::from_mins(1);

/// How long a call may take whose caller sets no deadline.
pub const DEADLINE_DEFAULT: Duration = Duration::from_secs(5);

const HEADER: &str = "grpc-timeout";

/// When the caller's time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that `metadata` asks for, counted from now; `default` when it asks for none or cannot be understood. At
    /// most [`DEADLINE_MAX`] from now.
    pub fn of(metadata: &MetadataMap, default: Duration) -> Self {
        Self::of_headers(metadata.as_ref(), default)
    }

    /// The same, of `headers`.
    pub fn of_headers(headers: &HeaderMap, default: Duration) -> Self {
        let asked = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .and_then(parse);
        Self::after(asked.unwrap_or(default))
    }

    /// The deadline `wait` from now, at most [`DEADLINE_MAX`].
    pub fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait.min(DEADLINE_MAX))
    }

    /// The earlier of this deadline and `wait` from now.
    #[must_use]
    pub fn at_most(self, wait: Duration) -> Self {
        Self(self.0.min(Self::after(wait).0))
    }

    /// What is left; zero when the time is up.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Waits for `work` until the time is up, then drops it and fails with `DEADLINE_EXCEEDED`. Work that is done at once
    /// succeeds even then.
    pub async fn run<T>(self, work: impl Future<Output = Result<T, Status>>) -> Result<T, Status> {
        tokio::time::timeout_at(self.0, work)
            .await
            .unwrap_or_else(|_| Err(deadline_exceeded()))
    }

    /// Gives what is left to `request`, a call made on the caller's behalf. Replaces what it had.
    pub fn apply<T>(&self, request: &mut Request<T>) {
        request.set_timeout(self.remaining());
    }
}

/// Answers `request` by `work` within the caller's deadline ([`DEADLINE_DEFAULT`] for one who sets none), which `work` may hand on.
/// The time runs from when [`crate::server`] saw the call; where it did not, from now.
pub async fn within<Q, A, W>(
    request: Request<Q>,
    work: impl FnOnce(Q, Deadline) -> W,
) -> Result<Response<A>, Status>
where
    W: Future<Output = Result<A, Status>>,
{
    let begun: Option<Deadline> = request.extensions().get().copied();
    if let Some(deadline) = begun {
        // Whoever saw it bounds the whole call.
        return work(request.into_inner(), deadline)
            .await
            .map(Response::new);
    }
    let deadline = Deadline::of(request.metadata(), DEADLINE_DEFAULT);
    let work = work(request.into_inner(), deadline);
    deadline.run(work).await.map(Response::new)
}

/// At most 8 digits and a unit, as gRPC has it.
fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let n: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(n * 3_600)),
        "M" => Some(Duration::from_secs(n * 60)),
        "S" => Some(Duration::from_secs(n)),
        "m" => Some(Duration::from_millis(n)),
        "u" => Some(Duration::from_micros(n)),
        "n" => Some(Duration::from_nanos(n)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFAULT: Duration = Duration::from_secs(5);

    fn asked(text: &str) -> Duration {
        let mut metadata = MetadataMap::new();
        metadata.insert(HEADER, text.parse().unwrap());
        Deadline::of(&metadata, DEFAULT).remaining()
    }

    #[tokio::test(start_paused = true)]
    async fn understands_what_a_caller_asks_for() {
        for (text, millis) in [
            ("1S", 1_000),
            ("250m", 250),
            ("1M", 60_000),
            ("3000u", 3),
            ("2000000n", 2),
            ("0S", 0),
        ] {
            assert_eq!(asked(text), Duration::from_millis(millis), "{text}");
        }
        for odd in [
            "",
            "S",
            "1",
            "1s",
            "-1S",
            "+1S",
            " 1S",
            "1.5S",
            "123456789n",
            "1SS",
        ] {
            assert_eq!(asked(odd), DEFAULT, "{odd}");
        }
        for long in ["2M", "99999999H", "61S"] {
            assert_eq!(asked(long), DEADLINE_MAX, "{long}");
        }
        assert_eq!(
            Deadline::of(&MetadataMap::new(), DEFAULT).remaining(),
            DEFAULT
        );
        assert_eq!(
            Deadline::of(&MetadataMap::new(), Duration::MAX).remaining(),
            DEADLINE_MAX
        );
    }

    #[tokio::test(start_paused = true)]
    async fn cuts_work_when_the_time_is_up() {
        let deadline = Deadline::after(Duration::from_millis(100));
        assert_eq!(deadline.run(async { Ok(1) }).await.unwrap(), 1);
        let failed = deadline
            .run(async { Err::<(), _>(Status::not_found("")) })
            .await;
        assert_eq!(failed.unwrap_err().code(), tonic::Code::NotFound);
        let late = deadline.run(std::future::pending::<Result<(), _>>()).await;
        assert_eq!(late.unwrap_err().code(), tonic::Code::DeadlineExceeded);
        assert_eq!(deadline.remaining(), Duration::ZERO);
        assert_eq!(deadline.run(async { Ok(1) }).await.unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_within_what_the_caller_grants() {
        let mut request = Request::new(2);
        request.set_timeout(Duration::from_secs(1));
        let answer = within(request, async |n, deadline| {
            assert_eq!(deadline.remaining(), Duration::from_secs(1));
            Ok(n + 1)
        });
        assert_eq!(answer.await.unwrap().into_inner(), 3);
        let begun = Instant::now();
        let late = within(Request::new(()), |(), _| {
            std::future::pending::<Result<(), _>>()
        });
        let late = late.await.unwrap_err();
        assert_eq!(late.code(), tonic::Code::DeadlineExceeded);
        assert_eq!(begun.elapsed(), DEADLINE_DEFAULT);
    }

    #[tokio::test(start_paused = true)]
    async fn hands_on_what_is_left() {
        let deadline = Deadline::after(Duration::from_secs(2));
        tokio::time::advance(Duration::from_millis(500)).await;
        let mut request = tonic::Request::new(());
        deadline.apply(&mut request);
        assert_eq!(Deadline::of(request.metadata(), DEFAULT), deadline);
        assert_eq!(
            deadline.at_most(Duration::from_secs(1)).remaining(),
            Duration::from_secs(1)
        );
        assert_eq!(deadline.at_most(Duration::from_secs(9)), deadline);
    }
}
