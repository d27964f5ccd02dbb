//! PostgreSQL as service-kit uses it, on a server that the tests start: connections, migrations, the writer, the history.
//!
//! Deliberately absent: what a service keeps in it (`tests/tests/store/`).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

mod connecting;
mod history;
mod kept;
mod migrations;
mod writing;
