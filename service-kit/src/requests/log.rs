//! The one line that the log has of a request.
//!
//! Its level says whom it concerns. What a caller did or may not do is for whoever looks closely (debug), as is a success; a caller
//! who is not who they should be concerns whoever set the tokens up (info); what this pair could not do, its operator (warn); a mistake in
//! the program, its authors (error). Lines that are shown by default are bounded, for a peer can make them come; what was left out is counted.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;
use tracing::Level;

/// How many lines of each level above debug are written in a second.
const LINES_A_SECOND: u32 = 20;

/// What a line says. The trace's id is added to every line.
pub(super) struct Line<'a> {
    pub(super) method: &'static str,
    pub(super) code: &'static str,
    pub(super) reason: &'a str,
    pub(super) caller: Option<&'a str>,
    pub(super) took: Duration,
    pub(super) cause: Option<&'a str>,
}

/// The level of a request's line. Lower is worse.
pub(super) fn level(code: Code) -> Level {
    match code {
        Code::Internal | Code::Unknown | Code::DataLoss => Level::ERROR,
        Code::Unavailable | Code::DeadlineExceeded => Level::WARN,
        Code::Unauthenticated | Code::PermissionDenied => Level::INFO,
        _ => Level::DEBUG,
    }
}

#[derive(Debug, Default)]
pub(super) struct Throttles {
    info: Throttle,
    warn: Throttle,
    error: Throttle,
}

macro_rules! line {
    ($level:ident, $line:expr, $left_out:expr) => {{
        let Line { method, code, reason, caller, took, cause } = $line;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        tracing::$level!(
            target: "acquaint::request", method, code, reason, caller, micros, cause, left_out = $left_out, "request"
        )
    }};
}

impl Throttles {
    pub(super) fn log(&self, level: Level, line: &Line<'_>) {
        let none = None::<u64>;
        match level {
            Level::ERROR => self.error.pass(|left_out| line!(error, line, left_out)),
            Level::WARN => self.warn.pass(|left_out| line!(warn, line, left_out)),
            Level::INFO => self.info.pass(|left_out| line!(info, line, left_out)),
            _ => line!(debug, line, none),
        }
    }
}

/// Lets so many lines pass in a second.
#[derive(Debug, Default)]
struct Throttle(Mutex<Second>);

#[derive(Debug, Default)]
struct Second {
    begun: Option<Instant>,
    passed: u32,
    left_out: u64,
}

impl Throttle {
    /// Writes a line, which is told how many were left out before it, or leaves it out.
    fn pass(&self, write: impl FnOnce(Option<u64>)) {
        let left_out = {
            let mut second = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let over = |begun: Instant| begun.elapsed() >= Duration::from_secs(1);
            if second.begun.is_none_or(over) {
                second.begun = Some(Instant::now());
                second.passed = 0;
            }
            if second.passed == LINES_A_SECOND {
                second.left_out += 1;
                return;
            }
            second.passed += 1;
            std::mem::take(&mut second.left_out)
        };
        write((left_out > 0).then_some(left_out));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lines_are_bounded_and_what_was_left_out_is_told() {
        let throttle = Throttle::default();
        let burst = |n| {
            let mut written = Vec::new();
            for _ in 0..n {
                throttle.pass(|left_out| written.push(left_out));
            }
            written
        };
        assert_eq!(burst(100), [None; 20]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(burst(2), [Some(80), None]);
    }

    #[test]
    fn what_the_pair_could_not_do_is_shown_by_default() {
        for code in (0..=16).map(Code::from_i32) {
            let shown = level(code) <= Level::INFO;
            let callers = [
                Code::Ok,
                Code::Cancelled,
                Code::InvalidArgument,
                Code::NotFound,
                Code::AlreadyExists,
                Code::ResourceExhausted,
                Code::FailedPrecondition,
                Code::Aborted,
                Code::OutOfRange,
                Code::Unimplemented,
            ];
            assert_eq!(shown, !callers.contains(&code), "{code:?}");
        }
        assert_eq!(level(Code::Internal), Level::ERROR);
        assert_eq!(level(Code::Unavailable), Level::WARN);
    }
}
