//! What of an embedded store goes into a database, and under which names.
//!
//! A file keeps one thing more than a database: pairs by their higher member, for which a database has an index. Deliberately absent: the
//! copying (the kit's).

use std::sync::LazyLock;

use service_kit::postgres::{CopyPlan, Kind, Table, TableShape};

use super::{MIGRATIONS, tables};
use crate::store::sqlite;

/// The history's end.
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
            ("acknowledged", Kind::Big),
            ("pruned", Kind::Big),
            ("cards", Kind::Big),
        ],
        versioned: false,
    })
});
const HEAD_OF_FILE: &str = "(select m.secret, m.last_time, m.head as position, e.number as epoch, e.id as epoch_id, m.acknowledged, m.pruned,
         c.last as cards
     from meta m, card_change c, (select number, id from epoch order by number desc limit 1) e)";

/// What a copy of an embedded store consists of.
pub fn copy_plan() -> CopyPlan {
    CopyPlan {
        component: "connection-service copy",
        from: sqlite::MIGRATIONS,
        to: MIGRATIONS,
        tables: tables::all().to_vec(),
        head: &HEAD,
        head_from: HEAD_OF_FILE,
    }
}
