//! Named moments at which a test may let the process die.
//!
//! Each marks a step between the first write and the last answer of something that must survive a crash. The feature
//! `crash-points`, which only the tests switch on, makes them count: `ACQUAINT_CRASH_AT=NAME` ends the process, without a word
//! to anybody, when it comes by there, and `NAME:3` the third time. Without the feature a point is nothing at all.
//!
//! Names begin with `start.` where only a start passes, with `stop.` where only an orderly end does; all others lie on the way of
//! calls and workers. Deliberately absent: crashing anywhere else, which a kill from outside does better.

/// The points of this crate, which every service passes that is built on it.
pub const POINTS: &[&str] = &[
    "start.migrating",
    "start.migrated",
    "start.epoch_written",
    "start.epoch_begun",
    "commit.begun",
    "commit.command_ran",
    "commit.ready",
    "commit.done",
    "commit.told",
    "commit.answering",
    "checkpoint.begun",
    "checkpoint.done",
    "watch.message",
    "stop.draining",
    "stop.drained",
    "stop.checkpoint",
    "stop.closed",
];

/// Where the process dies if it was told so in the environment.
#[cfg(not(feature = "crash-points"))]
#[inline(always)]
pub const fn point(_name: &'static str) {}

#[cfg(feature = "crash-points")]
pub use armed::point;

#[cfg(feature = "crash-points")]
mod armed {
    use std::process::abort;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Where to die, as [`super`] says.
    const CRASH_AT: &str = "ACQUAINT_CRASH_AT";

    struct Armed {
        name: String,
        /// How often it is still passed unharmed.
        spared: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    /// Where the process dies if it was told so in the environment.
    pub fn point(name: &'static str) {
        let armed = ARMED.get_or_init(|| {
            let text = std::env::var(CRASH_AT).ok()?;
            Some(parse(&text).unwrap_or_else(|| {
                eprintln!("{CRASH_AT} must be NAME or NAME:N, N from 1");
                abort()
            }))
        });
        let Some(armed) = armed.as_ref().filter(|armed| armed.name == name) else {
            return;
        };
        if armed.spared.fetch_sub(1, Ordering::Relaxed) == 0 {
            eprintln!("crash point {name}");
            abort();
        }
    }

    fn parse(text: &str) -> Option<Armed> {
        let (name, passing) = text.split_once(':').unwrap_or((text, "1"));
        let spared = passing.parse::<u64>().ok()?.checked_sub(1)?;
        Some(Armed {
            name: name.to_owned(),
            spared: AtomicU64::new(spared),
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_point_is_named_with_the_passing_that_counts() {
            let spared = |text| parse(text).map(|armed| armed.spared.into_inner());
            assert_eq!(spared("send.stored"), Some(0));
            assert_eq!(spared("send.stored:3"), Some(2));
            assert_eq!(parse("a:1").unwrap().name, "a");
            for wrong in ["a:", "a:0", "a:x", "a:-1"] {
                assert!(parse(wrong).is_none(), "{wrong}");
            }
        }
    }
}
