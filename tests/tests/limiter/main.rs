//! The weekly cap in front of the store: both engines by one suite and one model, and Redis in every way that it can be away.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod attempts;
mod away;
mod cost;
mod disturbed;
mod engine;
mod model;
mod oracle;
mod places;
mod replicas;
mod rules;
mod service;
