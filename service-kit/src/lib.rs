//! What every service of this kind needs and what none of them should write twice.
//!
//! From the inside out: pure values ([`time`], [`id`], [`text`]), what is asked for instead of taken from the air ([`clock`], [`environment`], [`secret`]),
//! what stores share ([`error`], [`group_commit`], [`sqlite`], [`postgres`], [`stored`], [`store_health`], [`epoch`], [`feed`], [`page_token`]) and what the wire and the
//! process need ([`fields`], [`status`], [`auth`], [`deadline`], [`watch`], [`server`], [`balance`], [`mod@config`], [`cli`], [`shutdown`]), and what shows it to those who run
//! it ([`telemetry`], [`trace`], [`metrics`], [`requests`], together [`observability`]).
//! Through all of them lie the moments at which tests let a process die ([`crash`]); it leaves nothing of its memory behind ([`core_dump`]).
//!
//! Deliberately absent: any word of what the services are about. This crate knows members only as names.

mod answers;
pub mod auth;
pub mod balance;
pub mod cli;
pub mod clock;
pub mod config;
pub mod core_dump;
pub mod crash;
pub mod deadline;
pub mod environment;
pub mod epoch;
pub mod error;
pub mod feed;
pub mod fields;
pub mod group_commit;
pub mod id;
pub mod metrics;
pub mod observability;
pub mod page_token;
pub mod postgres;
pub mod requests;
pub mod runtime;
pub mod secret;
pub mod server;
pub mod shutdown;
pub mod sqlite;
pub mod status;
pub mod store_health;
pub mod stored;
pub mod telemetry;
pub mod text;
pub mod time;
pub mod trace;
pub mod watch;
