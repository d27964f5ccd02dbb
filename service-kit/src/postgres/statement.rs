//! A statement with the types of its parameters.
//!
//! Deliberately absent: texts put together from values, and whether the server keeps it (`client.rs`).

use std::borrow::Cow;

use futures::future::{BoxFuture, join_all};
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{Client, Failure};

/// A statement of a store.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The text, with `$1` and so on for its parameters.
    pub sql: Cow<'static, str>,
    /// The parameters' types, in order.
    pub types: Cow<'static, [Type]>,
}

impl Statement {
    /// Of a text that stands in the program.
    pub const fn new(sql: &'static str, types: &'static [Type]) -> Self {
        Self {
            sql: Cow::Borrowed(sql),
            types: Cow::Borrowed(types),
        }
    }

    /// Runs it with its parameters and returns its rows. Sent at the first poll, so that statements which are joined go out together, in
    /// their order.
    pub async fn query(
        &self,
        client: &Client,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        if parameters.len() != self.types.len() {
            return Err(Failure::internal(
                "a statement with other parameters than it has",
            ));
        }
        client.run(self, parameters).await
    }

    /// Has the server understand it, and compares the types of its parameters with those that it is sent with.
    pub async fn check(&self, client: &Client) -> Result<(), Failure> {
        let prepared = client.prepare_typed(&self.sql, &self.types).await?;
        if prepared.params() == &*self.types {
            Ok(())
        } else {
            Err(Failure::internal(
                "a statement has parameters without a type",
            ))
        }
    }
}

/// Runs statements that were sent together, in their order; the first error in that order, for what follows it in a transaction fails only
/// because it did.
pub async fn all<T>(statements: Vec<BoxFuture<'_, Result<T, Failure>>>) -> Result<Vec<T>, Failure> {
    join_all(statements).await.into_iter().collect()
}
