//! The table `erasure`.

use std::sync::LazyLock;

use service_kit::id::MemberId;
use service_kit::postgres::{Columns, Failure, Kind, Row, Stored, Table, TableShape, Value, small};
use service_kit::stored::position_number;

use crate::domain::erase::Erasure;
use crate::store::codec;

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "erasure",
        key: &[("member", Kind::Text)],
        rest: &[
            ("position", Kind::Big),
            ("last_fact", Kind::Big),
            ("stage", Kind::Small),
            ("next", Kind::Big),
        ],
        versioned: false,
    })
});

/// The columns of an erasure, in the order in which [`read`] reads them.
macro_rules! erasure_columns {
    () => {
        "member, position, last_fact, stage, next"
    };
}
pub(in crate::store::postgres) use erasure_columns;

/// An erasure, from a row with the columns that [`erasure_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<(MemberId, Stored<Erasure>), Failure> {
    let mut columns = Columns::new(row);
    let member = columns.member_id()?;
    let (position, last_fact) = (columns.position()?, columns.position()?);
    let (code, next) = (columns.small()?, columns.position()?);
    let row = Erasure {
        position,
        last_fact,
        stage: codec::stage(code, next)?,
    };
    Ok((member, Stored { version: 0, row }))
}

/// An erasure's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values<'a>(
    member: &'a MemberId,
    erasure: &Erasure,
) -> Vec<Value<'a>> {
    let (stage, next) = codec::stage_code(erasure.stage);
    vec![
        member.as_str().into(),
        position_number(erasure.position).into(),
        position_number(erasure.last_fact).into(),
        small(stage).into(),
        position_number(next).into(),
    ]
}
