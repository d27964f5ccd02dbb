//! Writing many rows of a table in one statement, and finding out that all of them were written.
//!
//! Values travel as one array for each column. Every statement names the lane, and counts the rows that it returns: where there are fewer
//! than were sent, another transaction has changed one meanwhile, or it is not there. Deliberately absent: reading, which wants other
//! columns each time, and mapping values of a service to columns.

use std::borrow::Cow;

use tokio_postgres::types::{ToSql, Type};

use super::records::{Array, Column, Kind, Records};
use super::{Client, Failure, Statement};

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
            .collect::<Vec<_>>()
            .concat();
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
            insert: counted(&insert, &all),
            upsert: counted(&upsert, &all),
            update: counted(&update, &changed),
            delete: counted(&delete, &found),
        }
    }

    /// The table's name.
    pub fn name(&self) -> &'static str {
        self.shape.name
    }

    /// The columns of its key after `lane`.
    pub(super) fn key(&self) -> &'static [Column] {
        self.shape.key
    }

    /// The columns of its key, then the others.
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static Column> {
        self.shape.key.iter().chain(self.shape.rest)
    }

    /// The statement that inserts rows.
    pub(super) fn insert_statement(&self) -> Statement {
        self.insert.clone()
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
        let records = self.inserted();
        if self.shape.versioned {
            records.and(VERSION)
        } else {
            records
        }
    }

    /// Records to delete: the columns of the key, and the version expected, if the table has versions.
    pub fn deleted<'a>(&self) -> Records<'a> {
        let records = Records::of(self.shape.key.to_vec());
        if self.shape.versioned {
            records.and(VERSION)
        } else {
            records
        }
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

fn counted(sql: &str, columns: &[Column]) -> Statement {
    let types = std::iter::once(Type::INT4).chain(columns.iter().map(|(_, kind)| kind.array()));
    Statement {
        sql: Cow::Owned(format!(
            "with written as ({sql} returning 1) select count(*) from written"
        )),
        types: Cow::Owned(types.collect()),
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
