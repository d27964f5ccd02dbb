//! The moments of this service at which tests let it die, beside those of service-kit ([`service_kit::crash`]).
//!
//! Deliberately absent: where they are. Each is passed in one place, which is found by its name.

/// Every point of this crate. `start.` and `stop.` as in service-kit; `restored.` where connection-service has been restored from a
/// backup.
pub const POINTS: &[&str] = &[
    "start.copied_page",
    "send.asked",
    "send.committed",
    "send.settled",
    "crossing.committed",
    "accept.committed",
    "verdict.asking",
    "verdict.received",
    "verdict.committed",
    "decline.committed",
    "undo.committed",
    "withdraw.committed",
    "end.awaits",
    "batch.item",
    "batch.done",
    "seen.committed",
    "preferences.committed",
    "unbar.committed",
    "fold.received",
    "fold.erased",
    "fold.committed",
    "fold.acknowledged",
    "worker.claimed",
    "restored.rewound",
];
