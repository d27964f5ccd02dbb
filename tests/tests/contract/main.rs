//! The contracts of both services as any client meets them: bytes over HTTP/2, compared with what the contract says.
//!
//! Deliberately absent: races, time and crashes, which have programs of their own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may fail by panicking; that is what it is for"
)]

mod bad_input;
mod callers;
mod configuration;
mod configured;
mod contract;
mod eligibility;
mod plans;
mod privacy;
mod reasons;
mod reflection;
mod second_degree;
mod shape;
mod standing;
mod wire;
