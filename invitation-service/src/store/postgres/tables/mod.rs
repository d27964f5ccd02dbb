//! The tables: how each kind of row stands in its columns, a file for each kind.
//!
//! Deliberately absent: what a transaction keeps in memory (service-kit's cache), and queries for lists (`reads.rs`).

pub(super) mod act;
pub(super) mod event;
pub(super) mod invitation;
pub(super) mod member;
pub(super) mod pair;
pub(super) mod request;

use std::sync::LazyLock;

use service_kit::{
    error::StoreError,
    postgres::{Columns, Failure, Kind, Statement, Table, TableShape},
    trace::TraceContext,
};

use crate::domain::standing::Standing;

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

/// The trace of a request, or null.
fn optional_trace(columns: &mut Columns<'_>) -> Result<Option<TraceContext>, Failure> {
    let bytes: Option<&[u8]> = columns.get()?;
    let malformed = || StoreError::corrupt("a malformed trace");
    let trace = |bytes| TraceContext::from_bytes(bytes).ok_or_else(malformed);
    Ok(bytes.map(trace).transpose()?)
}

/// A standing; null for a member who has never sent.
fn standing(columns: &mut Columns<'_>) -> Result<Standing, Failure> {
    let bytes: Option<&[u8]> = columns.get()?;
    let standing = Standing::from_bytes(bytes.unwrap_or_default());
    Ok(standing.map_err(StoreError::corrupt)?)
}
