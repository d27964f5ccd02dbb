//! The server as those meet it who do not mean well, and those who run it: attacks at the level of frames, health, and an end in time.
//!
//! Deliberately absent: what this costs others, which `make attack` measures; and who may call what (`contract/`).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail by panicking; that is what it is for"
)]

#[path = "server/attack.rs"]
mod attack;
#[path = "server/child.rs"]
mod child;
#[path = "server/ends.rs"]
mod ends;
#[path = "server/health.rs"]
mod health;
