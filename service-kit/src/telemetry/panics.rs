//! What the log has of a panic: where it happened, and nothing of what was being worked on.
//!
//! Deliberately absent: what a panic was told. It may quote what was being worked on, a note for instance; the place says enough. Memory images
//! are forbidden elsewhere (see [`crate::core_dump`]).

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

/// Logs panics by their place from now on, with a backtrace where `RUST_BACKTRACE` asks for one.
pub(super) fn tell() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let place = place.unwrap_or_else(|| "an unknown place".to_owned());
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            tracing::error!(thread, place, %backtrace, "panicked");
        } else {
            tracing::error!(thread, place, "panicked");
        }
    }));
}
