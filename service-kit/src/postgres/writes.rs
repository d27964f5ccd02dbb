//! Rows to write: one statement for each table, way of writing and lane, all sent together.
//!
//! Deliberately absent: what is written otherwise than by its key, and the row of the history's end.

use std::collections::BTreeMap;

use futures::future::BoxFuture;

use super::{Change, Client, Failure, Records, Table, Value};
use crate::error::StoreError;

/// How rows are written, in the order in which it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A row that is there.
    Delete,
    /// A row that is not there.
    Insert,
    /// A row that is there.
    Update,
    /// Insert, or update where it is there.
    Upsert,
}

/// Rows to write, by table, way and lane: the tables in the order of their names.
#[derive(Debug, Default)]
pub struct Writes<'a>(BTreeMap<(&'static str, Way, i32), (&'static Table, Records<'a>)>);

impl<'a> Writes<'a> {
    /// Adds a row: for [`Way::Delete`] its key, else its key and its other columns; and for [`Way::Delete`] and [`Way::Update`] the version
    /// expected, if the table has versions.
    pub fn add(&mut self, table: &'static Table, way: Way, lane: i32, values: Vec<Value<'a>>) {
        let slot = self.0.entry((table.name(), way, lane));
        let (_, records) = slot.or_insert_with(|| {
            let records = match way {
                Way::Delete => table.deleted(),
                Way::Insert | Way::Upsert => table.inserted(),
                Way::Update => table.updated(),
            };
            (table, records)
        });
        records.push(values);
    }

    /// Deletes, inserts or updates a row of a table with versions: `key` without the version, or all of its `values`.
    pub fn change<T>(
        &mut self,
        table: &'static Table,
        lane: i32,
        change: &Change<'a, T>,
        key: impl FnOnce() -> Vec<Value<'a>>,
        values: impl FnOnce(&'a T) -> Result<Vec<Value<'a>>, StoreError>,
    ) -> Result<(), StoreError> {
        match (change.was, change.is) {
            (None, None) => {}
            (None, Some(is)) => self.add(table, Way::Insert, lane, values(is)?),
            (Some(was), Some(is)) => {
                let mut values = values(is)?;
                values.push(was.version.into());
                self.add(table, Way::Update, lane, values);
            }
            (Some(was), None) => {
                let mut values = key();
                values.push(was.version.into());
                self.add(table, Way::Delete, lane, values);
            }
        }
        Ok(())
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the statements that write it, in order.
    pub fn send<'s>(
        self,
        client: &'s Client,
        statements: &mut Vec<BoxFuture<'s, Result<(), Failure>>>,
    ) where
        'a: 's,
    {
        for ((_, way, lane), (table, records)) in self.0 {
            statements.push(Box::pin(async move {
                match way {
                    Way::Delete => table.delete(client, lane, records).await,
                    Way::Insert => table.insert(client, lane, records).await,
                    Way::Update => table.update(client, lane, records).await,
                    Way::Upsert => table.upsert(client, lane, records).await,
                }
            }));
        }
    }
}
