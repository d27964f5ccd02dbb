//! The moments of this service at which tests let it die, beside those of service-kit ([`service_kit::crash`]).
//!
//! Deliberately absent: where they are. Each is passed in one place, which is found by its name.

/// Every point of this crate.
pub const POINTS: &[&str] = &[
    "ensure.committed",
    "remove.committed",
    "remove.acknowledged",
    "update.committed",
    "dismiss.committed",
    "put.committed",
    "import.committed",
    "label.renamed",
    "label.deleted",
    "dropped_labels.step",
    "block.committed",
    "block.acknowledged",
    "unblock.committed",
    "erase.committed",
    "erase.acknowledged",
    "erasure.step",
    "acknowledge.committed",
    "facts.read",
];
