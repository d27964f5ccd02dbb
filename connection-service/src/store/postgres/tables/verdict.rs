//! The table `verdict`.

use std::sync::LazyLock;

use service_kit::error::StoreError;
use service_kit::postgres::{
    Columns, Failure, Kind, Row, Stored, Table, TableShape, Value, int, small,
};
use service_kit::stored::position_number;
use service_kit::time::Time;
use uuid::Uuid;

use crate::domain::ensure::StoredVerdict;
use crate::store::codec;

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "verdict",
        key: &[("invitation_id", Kind::Uuid)],
        rest: &[
            ("number", Kind::Int),
            ("verdict", Kind::Small),
            ("connect_time", Kind::Big),
            ("position", Kind::Big),
            ("decide_time", Kind::Big),
        ],
        versioned: false,
    })
});

/// The columns of a verdict, in the order in which [`read`] reads them.
macro_rules! verdict_columns {
    () => {
        "invitation_id, number, verdict, connect_time, position, decide_time"
    };
}
pub(in crate::store::postgres) use verdict_columns;

/// A verdict, from a row with the columns that [`verdict_columns`] names.
pub(in crate::store::postgres) fn read(
    row: &Row,
) -> Result<(Uuid, Stored<StoredVerdict>), Failure> {
    let mut columns = Columns::new(row);
    let invitation = columns.uuid()?;
    let number = columns.count()?;
    let (code, connect_time) = (columns.small()?, columns.optional_time()?);
    let row = StoredVerdict {
        number,
        verdict: codec::verdict(code, connect_time)?,
        position: columns.position()?,
        decide_time: columns.time()?,
    };
    Ok((invitation, Stored { version: 0, row }))
}

/// A verdict's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values(
    invitation: Uuid,
    verdict: &StoredVerdict,
) -> Result<Vec<Value<'static>>, StoreError> {
    let (code, connect_time) = codec::verdict_code(verdict.verdict)?;
    Ok(vec![
        invitation.into(),
        int(verdict.number).into(),
        small(code).into(),
        connect_time.map(Time::millis).into(),
        position_number(verdict.position).into(),
        verdict.decide_time.millis().into(),
    ])
}
