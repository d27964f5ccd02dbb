//! One row at a time: the statements that load and save each kind of row, a file for each kind.
//!
//! Deliberately absent: what a transaction keeps in memory (`batch.rs`), and queries for lists (`reads.rs`).

mod act;
mod invitation;
mod member;
mod pair;
mod request;

pub(super) use act::{act_of_request, acts, append_act, assigned_plans};
pub(super) use invitation::{entry_columns, load_entry, read_entry, save_entry};
pub(super) use member::{delete_member, is_erased, load_member, save_member};
pub(super) use pair::{LivePairs, delete_pair, load_pair, save_bars, save_pair};
pub(super) use request::{load_cooldown, load_remembered, save_remembered};
