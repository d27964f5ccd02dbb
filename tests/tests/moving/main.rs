//! Networks moved in and members moved out: imports beside everything else that members do, and exports.
//!
//! Deliberately absent: what becomes of single rows (with connection-service's own tests).

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod exports;
mod invitations;
mod network;
mod races;
mod tool;
