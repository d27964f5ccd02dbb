//! A value of a column as each engine has it, and as it is compared.

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;
use uuid::Uuid;

use super::super::{Failure, Kind, Value};

/// What a file has is not what the column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Senseless;

/// What a file has, as a column of this kind holds it.
pub(super) fn of_file(kind: Kind, stored: ValueRef<'_>) -> Result<Value<'static>, Senseless> {
    let number = |stored: ValueRef<'_>| stored.as_i64().ok();
    let bytes = |stored: ValueRef<'_>| stored.as_blob().ok().map(<[u8]>::to_vec);
    Ok(match kind {
        Kind::Text => Value::Text(unless_null(stored, |stored| {
            Some(Cow::Owned(stored.as_str().ok()?.to_owned()))
        })?),
        Kind::Uuid => Value::Uuid(unless_null(stored, |stored| {
            Uuid::from_slice(stored.as_blob().ok()?).ok()
        })?),
        Kind::Bytes => Value::Bytes(unless_null(stored, |stored| bytes(stored).map(Cow::Owned))?),
        Kind::Bool => Value::Bool(unless_null(stored, |stored| match number(stored)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        })?),
        Kind::Small => Value::Small(unless_null(stored, |stored| {
            number(stored)?.try_into().ok()
        })?),
        Kind::Int => Value::Int(unless_null(stored, |stored| {
            number(stored)?.try_into().ok()
        })?),
        Kind::Big => Value::Big(unless_null(stored, number)?),
    })
}

/// Nothing for null; else what `read` makes of what there is.
fn unless_null<T>(
    stored: ValueRef<'_>,
    read: impl FnOnce(ValueRef<'_>) -> Option<T>,
) -> Result<Option<T>, Senseless> {
    match stored {
        ValueRef::Null => Ok(None),
        stored => read(stored).map(Some).ok_or(Senseless),
    }
}

/// What a column of this kind holds in a row.
pub(super) fn of_row(kind: Kind, row: &Row, column: usize) -> Result<Value<'_>, Failure> {
    fn get<'r, T: FromSql<'r>>(row: &'r Row, column: usize) -> Result<Option<T>, Failure> {
        Ok(row.try_get(column)?)
    }
    Ok(match kind {
        Kind::Text => Value::Text(get::<&str>(row, column)?.map(Cow::Borrowed)),
        Kind::Uuid => Value::Uuid(get(row, column)?),
        Kind::Bytes => Value::Bytes(get::<&[u8]>(row, column)?.map(Cow::Borrowed)),
        Kind::Bool => Value::Bool(get(row, column)?),
        Kind::Small => Value::Small(get(row, column)?),
        Kind::Int => Value::Int(get(row, column)?),
        Kind::Big => Value::Big(get(row, column)?),
    })
}

/// What leads a lane: the bytes of a text, an id or a hash; `None` for numbers, whose rows lie in one lane.
pub(super) fn lane_name<'v>(value: &'v Value<'_>) -> Option<&'v [u8]> {
    match value {
        Value::Text(text) => text.as_deref().map(str::as_bytes),
        Value::Uuid(id) => id.as_ref().map(|id| id.as_bytes().as_slice()),
        Value::Bytes(bytes) => bytes.as_deref(),
        Value::Bool(_) | Value::Small(_) | Value::Int(_) | Value::Big(_) => None,
    }
}

/// Whether there is a value, and its bytes after their number, so that different rows never make the same bytes.
pub(super) fn encode(value: &Value<'_>, hasher: &mut blake3::Hasher) {
    let mut add = |bytes: Option<&[u8]>| match bytes {
        None => {
            hasher.update(&[0]);
        }
        Some(bytes) => {
            hasher.update(&[1]);
            hasher.update(&(bytes.len() as u64).to_le_bytes());
            hasher.update(bytes);
        }
    };
    match value {
        Value::Text(text) => add(text.as_deref().map(str::as_bytes)),
        Value::Uuid(id) => add(id.as_ref().map(|id| id.as_bytes().as_slice())),
        Value::Bytes(bytes) => add(bytes.as_deref()),
        Value::Bool(truth) => add(truth
            .map(|truth| [u8::from(truth)])
            .as_ref()
            .map(<[u8; 1]>::as_slice)),
        Value::Small(number) => add(number
            .map(i16::to_le_bytes)
            .as_ref()
            .map(<[u8; 2]>::as_slice)),
        Value::Int(number) => add(number
            .map(i32::to_le_bytes)
            .as_ref()
            .map(<[u8; 4]>::as_slice)),
        Value::Big(number) => add(number
            .map(i64::to_le_bytes)
            .as_ref()
            .map(<[u8; 8]>::as_slice)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_what_its_column_holds_or_none_at_all() {
        let id = Uuid::from_u128(7);
        let taken: [(Kind, ValueRef<'_>, Value<'_>); 7] = [
            (Kind::Text, ValueRef::Text(b"ann"), "ann".into()),
            (Kind::Uuid, ValueRef::Blob(id.as_bytes()), id.into()),
            (Kind::Bytes, ValueRef::Blob(&[1, 2]), vec![1, 2].into()),
            (Kind::Bool, ValueRef::Integer(1), true.into()),
            (Kind::Small, ValueRef::Integer(-3), (-3_i16).into()),
            (Kind::Int, ValueRef::Integer(70_000), 70_000_i32.into()),
            (Kind::Big, ValueRef::Integer(i64::MAX), i64::MAX.into()),
        ];
        for (kind, stored, value) in taken {
            assert_eq!(of_file(kind, stored), Ok(value), "{kind:?}");
            assert!(of_file(kind, ValueRef::Null).is_ok(), "{kind:?}");
        }
        let refused = [
            (Kind::Text, ValueRef::Integer(1)),
            (Kind::Text, ValueRef::Text(&[0xff])),
            (Kind::Uuid, ValueRef::Blob(&[1; 15])),
            (Kind::Bytes, ValueRef::Text(b"ann")),
            (Kind::Bool, ValueRef::Integer(2)),
            (Kind::Small, ValueRef::Integer(40_000)),
            (Kind::Int, ValueRef::Integer(1 << 31)),
            (Kind::Big, ValueRef::Real(1.0)),
        ];
        for (kind, stored) in refused {
            assert_eq!(of_file(kind, stored), Err(Senseless), "{kind:?}");
        }
    }
}
