//! What watchers are told, resumed wherever they broke off; and what the two services tell each other after a restart or from a backup.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "feed/backup.rs"]
mod backup;
#[path = "feed/erased_late.rs"]
mod erased_late;
#[path = "feed/erasing.rs"]
mod erasing;
#[path = "feed/folding.rs"]
mod folding;
#[path = "feed/notify.rs"]
mod notify;
#[path = "feed/restarts.rs"]
mod restarts;
#[path = "feed/restoring.rs"]
mod restoring;
#[path = "feed/resuming.rs"]
mod resuming;
#[path = "feed/slow.rs"]
mod slow;
#[path = "feed/tokens.rs"]
mod tokens;
