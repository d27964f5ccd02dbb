//! The database that is copied into: how far the copy has come, its rows, and its end.

use std::borrow::Cow;
use std::pin::pin;

use futures::TryStreamExt as _;
use futures::future::BoxFuture;
use tokio_postgres::types::{ToSql, Type};

use super::super::migrate::lock;
use super::super::transaction::transaction;
use super::super::{Client, Failure, Statement, Table, Way, Writes, all};
use super::digest::Digest;
use super::source::{CopiedRow, Identity};
use super::value::of_row;
use super::{CopyError, Origin, same};
use crate::stored::{position, position_number};

const ANY: Statement = Statement::new("select lane from unfinished_copy where lane = 0", &[]);
/// A copy that was killed may have sent a commit that the server is still at: with the row locked that is over.
const FOUND: Statement = Statement::new(
    "select source, lanes, table_name, copied from unfinished_copy where lane = 0 for update",
    &[],
);
const SECRET: Statement = Statement::new("select secret from head where lane = 0", &[]);
const BEGIN: Statement = Statement::new(
    "insert into unfinished_copy (lane, source, lanes, table_name, copied) values (0, $1, $2, $3, 0)",
    &[Type::BYTEA, Type::INT4, Type::TEXT],
);
/// Where it was is expected still, so that two copies are not in each other's way.
const STEP: Statement = Statement::new(
    "update unfinished_copy set table_name = $1, copied = $2 where lane = 0 and table_name = $3 and copied = $4 returning lane",
    &[Type::TEXT, Type::INT8, Type::TEXT, Type::INT8],
);
const END: Statement = Statement::new(
    "delete from unfinished_copy where lane = 0 and table_name = $1 and copied = $2 returning lane",
    &[Type::TEXT, Type::INT8],
);

pub(super) fn statements() -> Vec<Statement> {
    vec![ANY, FOUND, SECRET, BEGIN, STEP, END]
}

/// How far a copy has come.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    /// Over how many lanes it spreads rows.
    pub(super) lanes: u16,
    /// What is being copied.
    pub(super) table: String,
    /// How many rows of it are there.
    pub(super) copied: u64,
}

impl Progress {
    /// The same copy, come so far.
    pub(super) fn at(&self, table: &str, copied: u64) -> Self {
        Self {
            lanes: self.lanes,
            table: table.to_owned(),
            copied,
        }
    }
}

/// Whether the database has an unfinished copy. To be asked under the lock of the migrations, under which one begins.
pub(in crate::postgres) async fn is_unfinished(client: &Client) -> Result<bool, Failure> {
    Ok(!ANY.query(client, &[]).await?.is_empty())
}

/// Begins a copy into a database that is empty, or finds how far the one of this store has come.
pub(super) async fn begin(
    client: &Client,
    identity: &Identity,
    origins: &[Origin],
    lanes: u16,
) -> Result<Progress, CopyError> {
    transaction(client, async || {
        lock(client).await?;
        let found = FOUND.query(client, &[]).await?;
        if let Some(row) = found.first() {
            let source: &[u8] = row.try_get(0).map_err(Failure::from)?;
            if source != identity.name.as_slice() {
                return Err(CopyError::OtherSource);
            }
            let lanes: i32 = row.try_get(1).map_err(Failure::from)?;
            return Ok(Progress {
                lanes: u16::try_from(lanes).map_err(|_| Failure::corrupt("a number of lanes"))?,
                table: row.try_get(2).map_err(Failure::from)?,
                copied: position(row.try_get(3).map_err(Failure::from)?)?,
            });
        }
        refuse_full(client, identity, origins).await?;
        let first = origins.first().map_or("", |origin| origin.table.name());
        let name = identity.name.as_slice();
        BEGIN
            .query(client, &[&name, &i32::from(lanes), &first])
            .await?;
        Ok(Progress {
            lanes,
            table: first.to_owned(),
            copied: 0,
        })
    })
    .await
}

/// Fails where there is a store, or any row.
async fn refuse_full(
    client: &Client,
    identity: &Identity,
    origins: &[Origin],
) -> Result<(), CopyError> {
    let head = SECRET.query(client, &[]).await?;
    if let Some(row) = head.first() {
        let secret: &[u8] = row.try_get(0).map_err(Failure::from)?;
        if secret == identity.secret {
            return Err(CopyError::Finished);
        }
        return Err(CopyError::NotEmpty { table: "head" });
    }
    for origin in origins {
        let table = origin.table.name();
        let any = Statement {
            sql: Cow::Owned(format!("select lane from {table} limit 1")),
            types: Cow::Borrowed(&[]),
        };
        if !any.query(client, &[]).await?.is_empty() {
            return Err(CopyError::NotEmpty { table });
        }
    }
    Ok(())
}

/// Notes that the copy has come from `was` to `is`.
pub(super) async fn step(client: &Client, was: &Progress, is: &Progress) -> Result<(), Failure> {
    let (before, after) = (position_number(was.copied), position_number(is.copied));
    let parameters: [&(dyn ToSql + Sync); 4] = [&is.table, &after, &was.table, &before];
    one(STEP.query(client, &parameters).await?.len())
}

/// Another copy, or whoever made the database anew, has changed the row otherwise.
fn one(rows: usize) -> Result<(), Failure> {
    if rows == 1 {
        Ok(())
    } else {
        Err(Failure::overtaken("unfinished_copy"))
    }
}

/// Writes rows, and that the copy has come from `was` to `is`.
pub(super) async fn write(
    client: &Client,
    table: &'static Table,
    rows: Vec<CopiedRow>,
    was: &Progress,
    is: &Progress,
) -> Result<(), CopyError> {
    transaction(client, async || {
        let mut statements: Vec<BoxFuture<'_, Result<(), Failure>>> = Vec::new();
        inserts(table, rows).send(client, &mut statements);
        statements.push(Box::pin(step(client, was, is)));
        all(statements).await?;
        Ok(())
    })
    .await
}

fn inserts(table: &'static Table, rows: Vec<CopiedRow>) -> Writes<'static> {
    let mut writes = Writes::default();
    for CopiedRow { lane, values } in rows {
        writes.add(table, Way::Insert, lane, values);
    }
    writes
}

/// Has the server count what it plans by.
pub(super) async fn analyze(client: &Client, table: &Table) -> Result<(), Failure> {
    let sql = format!("analyze {}", table.name());
    Ok(client.batch_execute(&sql).await?)
}

/// What the database has of a table.
pub(super) async fn digest(client: &Client, table: &Table) -> Result<Digest, CopyError> {
    let names: Vec<_> = table.columns().map(|(name, _)| *name).collect();
    let sql = format!("select lane, {} from {}", names.join(", "), table.name());
    let nothing: [(&(dyn ToSql + Sync), Type); 0] = [];
    // Row by row: a table need not fit into memory.
    let rows = client.query_typed_raw(&sql, nothing).await;
    let mut rows = pin!(rows.map_err(Failure::from)?);
    let mut digest = Digest::default();
    while let Some(row) = rows.try_next().await.map_err(Failure::from)? {
        let lane = row.try_get(0).map_err(Failure::from)?;
        let values = table.columns().zip(1..);
        let values = values.map(|((_, kind), column)| of_row(*kind, &row, column));
        digest.add(lane, &values.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(digest)
}

/// Writes the end of the history, with which the database becomes a store, and ends the copy.
pub(super) async fn end(
    client: &Client,
    head: &'static Table,
    rows: Vec<CopiedRow>,
    progress: &Progress,
) -> Result<(), CopyError> {
    transaction(client, async || {
        let mut file = Digest::default();
        for row in &rows {
            file.add(row.lane, &row.values);
        }
        let mut statements: Vec<BoxFuture<'_, Result<(), Failure>>> = Vec::new();
        inserts(head, rows).send(client, &mut statements);
        all(statements).await?;
        same(head, file, digest(client, head).await?)?;
        let copied = position_number(progress.copied);
        one(END.query(client, &[&progress.table, &copied]).await?.len())?;
        Ok(())
    })
    .await
}
