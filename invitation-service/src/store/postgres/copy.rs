//! What of an embedded store goes into a database, and under which names.
//!
//! A file keeps three things more than a database: pairs by their higher member, and what is due by its time; in a database indices do that.
//! Deliberately absent: the copying (service-kit's).

use std::sync::LazyLock;

use service_kit::postgres::{CopyPlan, Kind, Table, TableShape};

use super::{
    MIGRATIONS,
    tables::{WITHDRAW_COOLDOWN, act, event, invitation, member, pair, request},
};
use crate::store::sqlite;

/// Keyed hashes of erased ids.
static ERASED: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "erased",
        key: &[("member_hash", Kind::Bytes)],
        rest: &[],
        versioned: false,
    })
});

/// The history's end. Nobody leads yet.
static HEAD: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "head",
        key: &[],
        rest: &[
            ("secret", Kind::Bytes),
            ("lanes", Kind::Int),
            ("last_time", Kind::Big),
            ("position", Kind::Big),
            ("epoch", Kind::Big),
            ("epoch_id", Kind::Bytes),
            ("last_id", Kind::Uuid),
            ("acts", Kind::Big),
            ("feed_epoch", Kind::Bytes),
            ("feed_position", Kind::Big),
        ],
        versioned: false,
    })
});
/// Acts are never deleted, so the last one's number is the highest.
const HEAD_OF_FILE: &str = "(select m.secret, m.last_time, m.head as position, e.number as epoch, e.id as epoch_id, m.last_id,
         (select coalesce(max(number), 0) from standing_act) as acts, m.feed_epoch, m.feed_position
     from meta m, (select number, id from epoch order by number desc limit 1) e)";

/// What a copy of an embedded store consists of.
pub fn copy_plan() -> CopyPlan {
    let tables: [&'static Table; 9] = [
        &member::TABLE,
        &invitation::TABLE,
        &pair::TABLE,
        &pair::BAR,
        &request::TABLE,
        &WITHDRAW_COOLDOWN,
        &ERASED,
        &event::TABLE,
        &act::TABLE,
    ];
    CopyPlan {
        component: "invitation-service copy",
        from: sqlite::MIGRATIONS,
        to: MIGRATIONS,
        tables: tables.to_vec(),
        head: &HEAD,
        head_from: HEAD_OF_FILE,
    }
}
