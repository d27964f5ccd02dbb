//! How long a caller waits, and how long what it called may go on.
//!
//! The time arrives in the `grpc-timeout` header, bounds the work done here, and what is left of it goes along on calls made
//! from here. Deliberately absent: streams that stay open (a watch has no deadline of its own).

use std::future::Future;
use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use crate::status::{deadline_exceeded, internal};

/// The longest time that can be granted at all. Bounds what may be configured.
pub const LONGEST: Duration = Duration::from_hours(1);

/// How long calls may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeadlineOptions {
    /// The time of a call whose caller sets no deadline. At most `max`. Default 5 s.
    pub default: Duration,
    /// The longest time that is granted, whatever a caller asks for. At most [`LONGEST`]. Default 60 s.
    pub max: Duration,
}

impl Default for DeadlineOptions {
    fn default() -> Self {
        Self {
            default: Duration::from_secs(5),
            max: Duration::from_mins(1),
        }
    }
}

const HEADER: &str = "grpc-timeout";

/// When the caller's time is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that `headers` ask for, counted from now, within `options`: the default when they ask for none or cannot be
    /// understood, and never more than the longest.
    pub fn of(headers: &HeaderMap, options: DeadlineOptions) -> Self {
        let asked = headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok())
            .and_then(parse);
        Self::after(asked.unwrap_or(options.default).min(options.max))
    }

    /// The deadline `wait` from now, at most [`LONGEST`].
    pub fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait.min(LONGEST))
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

/// Answers `request` by `work` within the caller's deadline, which [`crate::server`] has noted with the request when it saw the call, and
/// which `work` may hand on. A request that did not come that way is answered `INTERNAL`.
pub async fn within<Q, A, W>(
    request: Request<Q>,
    work: impl FnOnce(Q, Deadline) -> W,
) -> Result<Response<A>, Status>
where
    W: Future<Output = Result<A, Status>>,
{
    let Some(deadline) = request.extensions().get::<Deadline>().copied() else {
        tracing::error!("a request without a deadline: it did not come through the server");
        return Err(internal());
    };
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

    const OPTIONS: DeadlineOptions = DeadlineOptions {
        default: Duration::from_secs(7),
        max: Duration::from_mins(1),
    };

    fn asked(text: &str) -> Duration {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, text.parse().unwrap());
        Deadline::of(&headers, OPTIONS).remaining()
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
            assert_eq!(asked(odd), OPTIONS.default, "{odd}");
        }
        for long in ["2M", "99999999H", "61S"] {
            assert_eq!(asked(long), OPTIONS.max, "{long}");
        }
        let none = HeaderMap::new();
        assert_eq!(Deadline::of(&none, OPTIONS).remaining(), OPTIONS.default);
        let other = DeadlineOptions {
            default: Duration::MAX,
            ..OPTIONS
        };
        assert_eq!(Deadline::of(&none, other).remaining(), OPTIONS.max);
        assert_eq!(Deadline::after(Duration::MAX).remaining(), LONGEST);
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
        let second = Duration::from_secs(1);
        let mut request = Request::new(2);
        request.extensions_mut().insert(Deadline::after(second));
        let answer = within(request, async |n, deadline| {
            assert_eq!(deadline.remaining(), second);
            Ok(n + 1)
        });
        assert_eq!(answer.await.unwrap().into_inner(), 3);
        let begun = Instant::now();
        let mut request = Request::new(());
        request.extensions_mut().insert(Deadline::after(second));
        let late = within(request, |(), _| std::future::pending::<Result<(), _>>());
        let late = late.await.unwrap_err();
        assert_eq!(late.code(), tonic::Code::DeadlineExceeded);
        assert_eq!(begun.elapsed(), second);
        let beside = within(Request::new(()), async |(), _| Ok(())).await;
        assert_eq!(beside.unwrap_err().code(), tonic::Code::Internal);
    }

    #[tokio::test(start_paused = true)]
    async fn hands_on_what_is_left() {
        let deadline = Deadline::after(Duration::from_secs(2));
        tokio::time::advance(Duration::from_millis(500)).await;
        let mut request = tonic::Request::new(());
        deadline.apply(&mut request);
        assert_eq!(Deadline::of(request.metadata().as_ref(), OPTIONS), deadline);
        assert_eq!(
            deadline.at_most(Duration::from_secs(1)).remaining(),
            Duration::from_secs(1)
        );
        assert_eq!(deadline.at_most(Duration::from_secs(9)), deadline);
    }
}
