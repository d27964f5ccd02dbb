//! invitation-service's store over every engine, and what only several processes on one database can get wrong.
//!
//! What commands do is tested against a model (`tests/searches/tests/model.rs`), over the same engines. Deliberately absent: the wire.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod conformance;
mod disturbed;
mod members;
mod processes;
mod statements;
mod wire;
