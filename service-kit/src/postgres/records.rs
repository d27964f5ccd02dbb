//! Rows to write, as one array of values for each column.
//!
//! Deliberately absent: the statements that write them (`table.rs`).

use std::borrow::Cow;

use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::Failure;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `text`
    Text,
    /// `uuid`
    Uuid,
    /// `bytea`
    Bytes,
    /// `boolean`
    Bool,
    /// `smallint`
    Small,
    /// `integer`
    Int,
    /// `bigint`
    Big,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Uuid => "uuid",
            Self::Bytes => "bytea",
            Self::Bool => "boolean",
            Self::Small => "smallint",
            Self::Int => "integer",
            Self::Big => "bigint",
        }
    }

    pub(super) const fn array(self) -> Type {
        match self {
            Self::Text => Type::TEXT_ARRAY,
            Self::Uuid => Type::UUID_ARRAY,
            Self::Bytes => Type::BYTEA_ARRAY,
            Self::Bool => Type::BOOL_ARRAY,
            Self::Small => Type::INT2_ARRAY,
            Self::Int => Type::INT4_ARRAY,
            Self::Big => Type::INT8_ARRAY,
        }
    }
}

/// A column, by its name.
pub type Column = (&'static str, Kind);

/// A value of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// Of [`Kind::Text`].
    Text(Option<Cow<'a, str>>),
    /// Of [`Kind::Uuid`].
    Uuid(Option<Uuid>),
    /// Of [`Kind::Bytes`].
    Bytes(Option<Cow<'a, [u8]>>),
    /// Of [`Kind::Bool`].
    Bool(Option<bool>),
    /// Of [`Kind::Small`].
    Small(Option<i16>),
    /// Of [`Kind::Int`].
    Int(Option<i32>),
    /// Of [`Kind::Big`].
    Big(Option<i64>),
}

macro_rules! value_from {
    ($($from:ty => $kind:ident($value:ident) $build:expr;)+) => {
        $(
            impl<'a> From<$from> for Value<'a> {
                fn from($value: $from) -> Self {
                    Self::$kind(Some($build))
                }
            }

            impl<'a> From<Option<$from>> for Value<'a> {
                fn from(value: Option<$from>) -> Self {
                    Self::$kind(value.map(|$value| $build))
                }
            }
        )+
    };
}

value_from! {
    &'a str => Text(value) value.into();
    String => Text(value) value.into();
    Uuid => Uuid(value) value;
    &'a [u8] => Bytes(value) value.into();
    Vec<u8> => Bytes(value) value.into();
    bool => Bool(value) value;
    i16 => Small(value) value;
    i32 => Int(value) value;
    i64 => Big(value) value;
}

/// Rows to write, column by column.
#[derive(Debug)]
pub struct Records<'a> {
    columns: Vec<(Column, Vec<Value<'a>>)>,
    /// Whether a row had more values than there are columns.
    too_many: bool,
}

impl<'a> Records<'a> {
    pub(super) fn of(columns: Vec<Column>) -> Self {
        let columns = columns
            .into_iter()
            .map(|column| (column, Vec::new()))
            .collect();
        Self {
            columns,
            too_many: false,
        }
    }

    /// With one column more.
    pub(super) fn and(mut self, column: Column) -> Self {
        self.columns.push((column, Vec::new()));
        self
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |(_, values)| values.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds one: a value for each column, in order. Where there are more or fewer, writing fails.
    pub fn push(&mut self, values: impl IntoIterator<Item = Value<'a>>) {
        let mut values = values.into_iter();
        for ((_, column), value) in self.columns.iter_mut().zip(&mut values) {
            column.push(value);
        }
        self.too_many |= values.next().is_some();
    }

    pub(super) fn into_arrays(self) -> Result<Vec<Array<'a>>, Failure> {
        let rows = self.len();
        let arrays = self.columns.into_iter().map(|((name, kind), values)| {
            let wrong = || Failure::internal(format!("values that do not fit column {name}"));
            if values.len() != rows || self.too_many {
                return Err(wrong());
            }
            Array::of(kind, values).ok_or_else(wrong)
        });
        arrays.collect()
    }
}

/// The values of one column as they are sent.
pub(super) enum Array<'a> {
    Text(Vec<Option<Cow<'a, str>>>),
    Uuid(Vec<Option<Uuid>>),
    Bytes(Vec<Option<Cow<'a, [u8]>>>),
    Bool(Vec<Option<bool>>),
    Small(Vec<Option<i16>>),
    Int(Vec<Option<i32>>),
    Big(Vec<Option<i64>>),
}

impl<'a> Array<'a> {
    fn of(kind: Kind, values: Vec<Value<'a>>) -> Option<Self> {
        macro_rules! array {
            ($kind:ident) => {
                values
                    .into_iter()
                    .map(|value| match value {
                        Value::$kind(value) => Some(value),
                        _ => None,
                    })
                    .collect::<Option<_>>()
                    .map(Self::$kind)
            };
        }
        match kind {
            Kind::Text => array!(Text),
            Kind::Uuid => array!(Uuid),
            Kind::Bytes => array!(Bytes),
            Kind::Bool => array!(Bool),
            Kind::Small => array!(Small),
            Kind::Int => array!(Int),
            Kind::Big => array!(Big),
        }
    }

    pub(super) fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(values) => values,
            Self::Uuid(values) => values,
            Self::Bytes(values) => values,
            Self::Bool(values) => values,
            Self::Small(values) => values,
            Self::Int(values) => values,
            Self::Big(values) => values,
        }
    }
}
