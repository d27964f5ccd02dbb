//! connection-service over a real socket: its contract as a client meets it, refusals with their reasons and details, streams,
//! restarts and restored backups.
//!
//! Deliberately absent: the rules' tables and the store's own tests (beside the code), and invitation-service.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail by panicking; that is what it is for"
)]

mod cards;
mod facts;
mod harness;
mod import;
mod lifecycle;
mod network;
mod oracle;
mod reading;
mod real;
mod refusals;
mod watches;
