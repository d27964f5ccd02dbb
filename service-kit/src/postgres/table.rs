//! Writing many rows of a table in one statement, and finding out that all of them were written.
//!
//! Values travel as one array for each column. Every statement names the lane, and counts the rows that it returns: where there are fewer
//! than were sent, another transaction has changed one meanwhile, or it is not there. Deliberately absent: reading, which wants other
//! columns each time, and mapping values of a service to columns.

use std::borrow::Cow;

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::{Failure, Statement};

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
    const fn word(self) -> &'static str {
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

    const fn array(self) -> Type {
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

/// A table: what leads its key is `lane`, which is not among the columns here.
#[derive(Clone, Copy, Debug)]
pub struct TableShape {
    /// Its name.
    pub name: &'static str,
    /// The columns of its key after `lane`.
    pub key: &'static [Column],
    /// The others.
    pub rest: &'static [Column],
    /// Whether it has a column `version`, which is 1 at first and one more after each change, and is what a change rests on.
    pub versioned: bool,
}

/// A table with its statements.
#[derive(Debug)]
pub struct Table {
    shape: TableShape,
    insert: Statement,
    upsert: Statement,
    update: Statement,
    delete: Statement,
}

const VERSION: Column = ("version", Kind::Big);

impl Table {
    /// The statements of a table.
    pub fn new(shape: TableShape) -> Self {
        let TableShape {
            name,
            key,
            rest,
            versioned,
        } = shape;
        let version: &[Column] = if versioned { &[VERSION] } else { &[] };
        let all = [key, rest].concat();
        let (first, versions) = if versioned {
            (", 1", ", version")
        } else {
            ("", "")
        };
        let values = names(&all, "");
        let insert = format!(
            "insert into {name} (lane, {values}{versions}) select $1, u.*{first} from {} as u ({values})",
            unnest(&all)
        );
        let excluded = set(rest, "excluded", versioned.then_some("excluded.version"));
        let same = key
            .iter()
            .map(|(column, _)| format!(" and t.{column} = u.{column}"))
            .chain(versioned.then(|| " and t.version = u.version".to_owned()))
            .collect::<String>();
        let changed = [key, rest, version].concat();
        let update = format!(
            "update {name} t set {} from {} as u ({}) where t.lane = $1{same}",
            set(rest, "u", versioned.then_some("t.version + 1")),
            unnest(&changed),
            names(&changed, "")
        );
        let found = [key, version].concat();
        let delete = format!(
            "delete from {name} t using {} as u ({}) where t.lane = $1{same}",
            unnest(&found),
            names(&found, "")
        );
        let upsert = format!(
            "{insert} on conflict (lane, {}) do update set {excluded}",
            names(key, "")
        );
        Self {
            shape,
            insert: counted(insert, &all),
            upsert: counted(upsert, &all),
            update: counted(update, &changed),
            delete: counted(delete, &found),
        }
    }

    /// The table's name.
    pub fn name(&self) -> &'static str {
        self.shape.name
    }

    /// Every statement of the table.
    pub fn statements(&self) -> Vec<Statement> {
        let Self {
            insert,
            upsert,
            update,
            delete,
            shape,
        } = self;
        let mut all = vec![insert.clone(), delete.clone()];
        // Where all columns are the key there is nothing to change.
        if !shape.rest.is_empty() {
            all.extend([upsert.clone(), update.clone()]);
        }
        all
    }

    /// Records to insert: the columns of the key, then the others.
    pub fn inserted<'a>(&self) -> Records<'a> {
        Records::of([self.shape.key, self.shape.rest].concat())
    }

    /// Records to update: the columns of the key, the others, and the version expected, if the table has versions.
    pub fn updated<'a>(&self) -> Records<'a> {
        let mut records = self.inserted();
        if self.shape.versioned {
            records.columns.push((VERSION, Vec::new()));
        }
        records
    }

    /// Records to delete: the columns of the key, and the version expected, if the table has versions.
    pub fn deleted<'a>(&self) -> Records<'a> {
        let mut records = Records::of(self.shape.key.to_vec());
        if self.shape.versioned {
            records.columns.push((VERSION, Vec::new()));
        }
        records
    }

    /// Inserts rows. [`Failure::Conflict`] where one is there already.
    pub async fn insert(
        &self,
        client: &Client,
        lane: i32,
        rows: Records<'_>,
    ) -> Result<(), Failure> {
        self.write(&self.insert, client, lane, rows).await
    }

    /// Inserts rows, or changes those that are there, whatever their version.
    pub async fn upsert(
        &self,
        client: &Client,
        lane: i32,
        rows: Records<'_>,
    ) -> Result<(), Failure> {
        self.write(&self.upsert, client, lane, rows).await
    }

    /// Changes rows. [`Failure::Conflict`] where one is not there, or has another version.
    pub async fn update(
        &self,
        client: &Client,
        lane: i32,
        rows: Records<'_>,
    ) -> Result<(), Failure> {
        self.write(&self.update, client, lane, rows).await
    }

    /// Deletes rows. [`Failure::Conflict`] where one is not there, or has another version.
    pub async fn delete(
        &self,
        client: &Client,
        lane: i32,
        rows: Records<'_>,
    ) -> Result<(), Failure> {
        self.write(&self.delete, client, lane, rows).await
    }

    async fn write(
        &self,
        statement: &Statement,
        client: &Client,
        lane: i32,
        rows: Records<'_>,
    ) -> Result<(), Failure> {
        let sent = rows.len();
        if sent == 0 {
            return Ok(());
        }
        let arrays = rows.into_arrays()?;
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&lane];
        parameters.extend(arrays.iter().map(Array::as_sql));
        let rows = statement.query(client, &parameters).await?;
        let written: i64 = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        if usize::try_from(written) == Ok(sent) {
            Ok(())
        } else {
            Err(Failure::overtaken(self.shape.name))
        }
    }
}

fn names(columns: &[Column], prefix: &str) -> String {
    let names: Vec<_> = columns
        .iter()
        .map(|(name, _)| format!("{prefix}{name}"))
        .collect();
    names.join(", ")
}

fn unnest(columns: &[Column]) -> String {
    let arrays: Vec<_> = columns
        .iter()
        .zip(2..)
        .map(|((_, kind), number)| format!("${number}::{}[]", kind.word()))
        .collect();
    format!("unnest({})", arrays.join(", "))
}

fn set(columns: &[Column], from: &str, version: Option<&str>) -> String {
    let set = columns
        .iter()
        .map(|(name, _)| format!("{name} = {from}.{name}"));
    let version = version.map(|version| format!("version = {version}"));
    set.chain(version).collect::<Vec<_>>().join(", ")
}

fn counted(sql: String, columns: &[Column]) -> Statement {
    let types = std::iter::once(Type::INT4).chain(columns.iter().map(|(_, kind)| kind.array()));
    Statement {
        sql: Cow::Owned(format!(
            "with written as ({sql} returning 1) select count(*) from written"
        )),
        types: Cow::Owned(types.collect()),
    }
}

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
    fn of(columns: Vec<Column>) -> Self {
        let columns = columns
            .into_iter()
            .map(|column| (column, Vec::new()))
            .collect();
        Self {
            columns,
            too_many: false,
        }
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

    fn into_arrays(self) -> Result<Vec<Array<'a>>, Failure> {
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
enum Array<'a> {
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

    fn as_sql(&self) -> &(dyn ToSql + Sync) {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        Table::new(TableShape {
            name: "pair",
            key: &[("low", Kind::Text), ("high", Kind::Text)],
            rest: &[("due", Kind::Big)],
            versioned: true,
        })
    }

    #[test]
    fn statements_name_the_lane_the_key_and_the_version() {
        let table = table();
        assert_eq!(
            table.insert.sql,
            "with written as (insert into pair (lane, low, high, due, version) select $1, u.*, 1 \
             from unnest($2::text[], $3::text[], $4::bigint[]) as u (low, high, due) returning 1) select count(*) from written"
        );
        assert_eq!(
            table.update.sql,
            "with written as (update pair t set due = u.due, version = t.version + 1 \
             from unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[]) as u (low, high, due, version) \
             where t.lane = $1 and t.low = u.low and t.high = u.high and t.version = u.version returning 1) select count(*) from written"
        );
        assert_eq!(
            table.delete.sql,
            "with written as (delete from pair t using unnest($2::text[], $3::text[], $4::bigint[]) as u (low, high, version) \
             where t.lane = $1 and t.low = u.low and t.high = u.high and t.version = u.version returning 1) select count(*) from written"
        );
        assert_eq!(table.update.types.len(), 5);
    }

    #[test]
    fn values_that_do_not_fit_are_not_sent() {
        let mut fitting = table().inserted();
        fitting.push(["a".into(), "b".into(), 1_i64.into()]);
        assert_eq!(fitting.len(), 1);
        assert!(fitting.into_arrays().is_ok());
        for wrong in [
            vec!["a".into(), "b".into(), true.into()],
            vec!["a".into(), "b".into()],
            vec!["a".into(), "b".into(), 1_i64.into(), 1_i64.into()],
        ] {
            let mut records = table().inserted();
            records.push(["a".into(), "b".into(), 1_i64.into()]);
            records.push(wrong);
            assert!(records.into_arrays().is_err());
        }
    }
}
