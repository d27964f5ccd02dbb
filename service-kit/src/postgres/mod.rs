//! What every store on PostgreSQL shares: reaching the server, telling its errors apart, statements, migrations, a writer's connection,
//! readers, and the history that several processes write together.
//!
//! Nothing here is kept in a connection: statements are sent with their types and never prepared by name, limits of time are set for one
//! transaction. So a proxy that gives each transaction another connection changes nothing, and neither does a server that was replaced by
//! its standby. Only plain SQL is used, without advisory locks, notifications, triggers, functions or sequences of the store's own.
//! Deliberately absent: tables of a service, and the queue of its writer (see [`crate::group_commit`]).

mod connect;
mod failure;
mod history;
mod lane;
mod migrate;
mod options;
mod readers;
mod records;
mod statement;
mod table;
mod url;
mod writer;

pub use connect::{Connector, SetupError};
pub use failure::Failure;
pub use history::{HISTORY_SQL, HeadRow, History, Opened, Seen, store_time};
pub use lane::{LANES_MAX, lane_of};
pub use migrate::{MigrateError, Migration, check_migrations, migrate};
pub use options::PostgresOptions;
pub use readers::{Client as ReadClient, PostgresReaders};
pub use records::{Column, Kind, Records, Value};
pub use statement::{Statement, all};
pub use table::{Table, TableShape};
pub use tokio_postgres::{Client, Row, types};
pub use url::{POSTGRES_URL, PostgresUrl};
pub use writer::{BEGIN_READ, Writer};
