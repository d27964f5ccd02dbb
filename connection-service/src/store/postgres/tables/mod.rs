//! The tables: how each kind of row stands in its columns.
//!
//! Deliberately absent: what a transaction keeps in memory (`batch.rs`), and queries for lists (`lists.rs`).

pub(super) mod card;
pub(super) mod erasure;
pub(super) mod fact;
pub(super) mod label;
pub(super) mod member;
pub(super) mod pair;
pub(super) mod verdict;

use std::sync::LazyLock;

use service_kit::id::MemberId;
use service_kit::postgres::{Column, Kind, Statement, Table, TableShape, Value};
use service_kit::time::Time;

use super::batch::LineKey;

/// A table whose rows are nothing but their key.
const fn keys_alone(name: &'static str, key: &'static [Column]) -> TableShape {
    TableShape {
        name,
        key,
        rest: &[],
        versioned: false,
    }
}

/// The lists of a member that follow from pairs, each in the order of its time.
macro_rules! list_table {
    ($table:ident, $name:literal, $time:literal) => {
        pub(super) static $table: LazyLock<Table> = LazyLock::new(|| {
            Table::new(keys_alone(
                $name,
                &[
                    ("member", Kind::Text),
                    ($time, Kind::Big),
                    ("other", Kind::Text),
                ],
            ))
        });
    };
}
list_table!(CONNECTION, "connection", "connect_time");
list_table!(BLOCK, "block", "block_time");
list_table!(REMOVAL_MARK, "removal_mark", "removed_time");

/// A line's values, in the order of its table's columns.
pub(super) fn line((member, time, other): &LineKey) -> Vec<Value<'_>> {
    vec![
        member.as_str().into(),
        time.millis().into(),
        other.as_str().into(),
    ]
}

/// Keyed hashes of erased ids.
pub(super) static ERASED: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "erased",
        key: &[("hash", Kind::Bytes)],
        rest: &[("position", Kind::Big)],
        versioned: false,
    })
});

/// Notes of what was acknowledged.
pub(super) static ACKNOWLEDGEMENT: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "acknowledgement",
        key: &[("time", Kind::Big)],
        rest: &[("position", Kind::Big)],
        versioned: false,
    })
});

/// Whom members do not want suggested.
pub(super) static DISMISSAL: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "dismissal",
        key: &[("member", Kind::Text), ("other", Kind::Text)],
        rest: &[("time", Kind::Big)],
        versioned: false,
    })
});

/// The key of a dismissal.
pub(super) fn dismissal_key<'a>(member: &'a MemberId, other: &'a MemberId) -> Vec<Value<'a>> {
    vec![member.as_str().into(), other.as_str().into()]
}

/// A dismissal's values, in the order of its table's columns.
pub(super) fn dismissal<'a>(
    member: &'a MemberId,
    other: &'a MemberId,
    time: Time,
) -> Vec<Value<'a>> {
    let mut values = dismissal_key(member, other);
    values.push(time.millis().into());
    values
}

/// The tables that are written row by row: all but the history's.
pub(super) fn all() -> [&'static Table; 17] {
    [
        &member::TABLE,
        &pair::TABLE,
        &CONNECTION,
        &BLOCK,
        &REMOVAL_MARK,
        &verdict::TABLE,
        &fact::TABLE,
        &ERASED,
        &erasure::TABLE,
        &ACKNOWLEDGEMENT,
        &card::TABLE,
        &label::NOTEBOOK,
        &label::LABEL,
        &label::ANNOTATION,
        &label::LABELLED,
        &label::DROPPED_LABEL,
        &DISMISSAL,
    ]
}

pub(super) fn statements() -> Vec<Statement> {
    all().into_iter().flat_map(Table::statements).collect()
}
