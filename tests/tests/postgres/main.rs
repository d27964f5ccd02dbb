//! PostgreSQL as service-kit uses it, on a server that the tests start: connections, migrations, the writer, the history.
//!
//! Deliberately absent: what a service keeps in it (`tests/tests/store/`).

mod connecting;
mod history;
mod migrations;
mod writing;
