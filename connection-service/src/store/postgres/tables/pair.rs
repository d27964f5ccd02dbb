//! The table `pair`.

use std::sync::LazyLock;

use service_kit::id::{PairKey, Sides};
use service_kit::postgres::{Columns, Failure, Kind, Row, Stored, Table, TableShape, Value};
use service_kit::time::Time;

use crate::domain::pair::{Connection, Pair};

pub(in crate::store::postgres) static TABLE: LazyLock<Table> = LazyLock::new(|| {
    Table::new(TableShape {
        name: "pair",
        key: &[("low", Kind::Text), ("high", Kind::Text)],
        rest: &[
            ("connect_time", Kind::Big),
            ("invitation_id", Kind::Uuid),
            ("blocked_by_low_time", Kind::Big),
            ("blocked_by_high_time", Kind::Big),
            ("removed_by_low_time", Kind::Big),
            ("removed_by_high_time", Kind::Big),
        ],
        versioned: true,
    })
});

/// The columns of a pair, in the order in which [`read`] reads them.
macro_rules! pair_columns {
    () => {
        "t.low, t.high, t.version, t.connect_time, t.invitation_id, t.blocked_by_low_time, t.blocked_by_high_time,
             t.removed_by_low_time, t.removed_by_high_time"
    };
}
pub(in crate::store::postgres) use pair_columns;

/// A pair, from a row with the columns that [`pair_columns`] names.
pub(in crate::store::postgres) fn read(row: &Row) -> Result<(PairKey, Stored<Pair>), Failure> {
    let mut columns = Columns::new(row);
    let key = read_key(&mut columns)?;
    let version = columns.get()?;
    let (connect_time, invitation) = (columns.optional_time()?, columns.get()?);
    let row = Pair {
        connection: connect_time.map(|connect_time| Connection {
            connect_time,
            invitation,
        }),
        blocked: Sides {
            low: columns.optional_time()?,
            high: columns.optional_time()?,
        },
        removed: Sides {
            low: columns.optional_time()?,
            high: columns.optional_time()?,
        },
    };
    Ok((key, Stored { version, row }))
}

/// A pair's key, from its two members.
pub(in crate::store::postgres) fn read_key(columns: &mut Columns<'_>) -> Result<PairKey, Failure> {
    let (low, high) = (columns.member_id()?, columns.member_id()?);
    let key = PairKey::new(&low, &high).filter(|key| *key.low() == low);
    key.ok_or_else(|| Failure::corrupt("a pair is out of order"))
}

/// The key's values, in the order of the table's columns.
pub(in crate::store::postgres) fn key(key: &PairKey) -> Vec<Value<'_>> {
    vec![key.low().as_str().into(), key.high().as_str().into()]
}

/// A pair's values, in the order of the table's columns.
pub(in crate::store::postgres) fn values<'a>(of: &'a PairKey, pair: &Pair) -> Vec<Value<'a>> {
    let millis = |time: Option<Time>| Value::from(time.map(Time::millis));
    let connection = pair.connection;
    let mut values = key(of);
    values.extend([
        millis(connection.map(|connection| connection.connect_time)),
        connection
            .and_then(|connection| connection.invitation)
            .into(),
        millis(pair.blocked.low),
        millis(pair.blocked.high),
        millis(pair.removed.low),
        millis(pair.removed.high),
    ]);
    values
}
