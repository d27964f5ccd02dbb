//! What the pair shows of itself: figures, their page and dashboard, and traces. What it must not show stands with the contract
//! (`contract/privacy/canary.rs`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod dashboard;
mod figures;
mod traces;
