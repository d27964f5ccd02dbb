//! What every store on PostgreSQL shares: reaching the server, telling its errors apart, statements, migrations, a writer's connection,
//! readers, the history that several processes write together, copying an embedded store; and the engine that runs synchronous commands over rows that are elsewhere,
//! for any service that says how its rows are loaded and written ([`BatchRows`]). A store is made of all of them ([`StoreCore`]).
//!
//! Nothing that matters is kept in a connection: limits of time are set for one transaction, and statements that the server keeps are found to
//! be ours before they are run. So a proxy that gives each transaction another connection changes nothing, and neither does a server that was
//! replaced by its standby. Only plain SQL is used, without advisory locks, notifications, triggers, functions or sequences of the store's own.
//! Deliberately absent: tables of a service, and the queue of its writer (see [`crate::group_commit`]).

mod attempt;
mod batch_engine;
mod batch_rows;
mod cache;
mod client;
mod columns;
mod connect;
mod copy;
mod core;
mod failure;
mod hear;
mod history;
mod hosts;
mod lane;
mod migrate;
mod open;
mod options;
mod readers;
mod records;
mod shared;
mod snapshot;
mod statement;
mod store_clock;
mod table;
mod transaction;
mod url;
mod writer;
mod writes;

pub use self::core::StoreCore;
pub use batch_engine::BatchEngine;
pub use batch_rows::{BatchRows, Locking};
pub use cache::{Cache, Change, Stored};
pub use client::Client;
pub use columns::{Columns, int, limit_number, small};
pub use connect::{Connector, SetupError};
pub use copy::{COPY_SQL, CopyError, CopyPlan, Step, StoreCopy};
pub use failure::Failure;
pub use history::{HISTORY_SQL, HeadRow, History, Opened, Seen};
pub use lane::{ByLane, LANES_MAX, lane_numbers, lane_of, member_lane};
pub use migrate::{MigrateError, Migration, check_migrations, migrate};
pub use open::{OpenError, StoreSetup};
pub use options::PostgresOptions;
pub use readers::{Client as ReadClient, PostgresReaders};
pub use records::{Column, Kind, Records, Value};
pub use shared::{Notice, Shared};
pub use snapshot::{Begun, ReadSnapshot};
pub use statement::{Statement, all};
pub use store_clock::{StoreClock, TimeSource};
pub use table::{Table, TableShape};
pub use tokio_postgres::{Row, types};
pub use url::{POSTGRES_URL, PostgresUrl};
pub use writer::{BEGIN_READ, Writer};
pub use writes::{Way, Writes};
