//! The table `member`.

use std::sync::LazyLock;

use service_kit::id::MemberId;
use service_kit::postgres::{Columns, Failure, Kind, Row, Stored, Table, TableShape, Value, int};
use service_kit::stored::position_number;

use crate::domain::member::Member;

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "member",
        key: &[("member", Kind::Text)],
        rest: &[
            ("connections", Kind::Int),
            ("blocks", Kind::Int),
            ("removal_marks", Kind::Int),
            ("last_fact", Kind::Big),
        ],
        versioned: true,
    })
});

/// The columns of a member, in the order in which [`read`] reads them.
macro_rules! member_columns {
    () => {
        "t.member, t.version, t.connections, t.blocks, t.removal_marks, t.last_fact"
    };
}
pub(in crate::store::postgres) use member_columns;

/// A member, from a row with the columns that [`member_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<(MemberId, Stored<Member>), Failure> {
    let mut columns = Columns::new(row);
    let id = columns.member_id()?;
    let version = columns.get()?;
    let row = Member {
        connections: columns.count()?,
        blocks: columns.count()?,
        removal_marks: columns.count()?,
        last_fact: columns.position()?,
    };
    Ok((id, Stored { version, row }))
}

/// A member's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values<'a>(id: &'a MemberId, member: &Member) -> Vec<Value<'a>> {
    vec![
        id.as_str().into(),
        int(member.connections).into(),
        int(member.blocks).into(),
        int(member.removal_marks).into(),
        position_number(member.last_fact).into(),
    ]
}
