//! What a crash leaves behind: where it happened, and nothing of what the process held.
//!
//! Deliberately absent: what a panic was told. It may quote what was being worked on, a note for instance; the place says enough.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Logs panics by their place from now on, with a backtrace where `RUST_BACKTRACE` asks for one.
pub(super) fn tell_of_panics() {
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

/// Forbids memory images (core files): they would hold notes and secrets.
pub(super) fn leave_no_image() {
    let none = Rlimit {
        current: Some(0),
        maximum: getrlimit(Resource::Core).maximum,
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!("a crash may leave a memory image behind: {error}");
    }
}
