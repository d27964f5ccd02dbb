//! The tables: how each kind of row stands in its columns, a file for each kind.
//!
//! Deliberately absent: what a transaction keeps in memory (`cache.rs`), and queries for lists (`reads.rs`).

pub(super) mod act;
pub(super) mod event;
pub(super) mod invitation;
pub(super) mod member;
pub(super) mod pair;
pub(super) mod request;

use std::sync::LazyLock;

use service_kit::postgres::{Kind, Statement, Table, TableShape};

/// Cool-downs after a withdrawal.
pub(super) static WITHDRAW_COOLDOWN: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "withdraw_cooldown",
        key: &[("ordered_pair", Kind::Bytes)],
        rest: &[("until", Kind::Big)],
        versioned: false,
    })
});

/// The tables that are written row by row.
pub(super) fn statements() -> Vec<Statement> {
    let tables: [&Table; 8] = [
        &act::TABLE,
        &event::TABLE,
        &invitation::TABLE,
        &member::TABLE,
        &pair::TABLE,
        &pair::BAR,
        &request::TABLE,
        &WITHDRAW_COOLDOWN,
    ];
    tables.into_iter().flat_map(Table::statements).collect()
}
