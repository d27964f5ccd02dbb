//! Races, over the wire: two calls that meet, from connections of their own, some hundred times each; and some of them once more at two
//! processes on one database.
//!
//! After each meeting both services are asked about the two members, and what they say must agree. `ACQUAINT_RACE_ROUNDS` says how often
//! each race is run instead of the usual number.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

#[path = "races/answers.rs"]
mod answers;
#[path = "races/away.rs"]
mod away;
#[path = "races/batches.rs"]
mod batches;
#[path = "races/labels.rs"]
mod labels;
#[path = "races/limits.rs"]
mod limits;
#[path = "races/repeats.rs"]
mod repeats;
#[path = "races/replicas.rs"]
mod replicas;
#[path = "races/rounds.rs"]
mod rounds;
#[path = "races/walls.rs"]
mod walls;
