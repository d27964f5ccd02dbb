//! A connection, on which the server keeps the statements of transactions.
//!
//! A kept statement is neither parsed nor planned again, which is up to half of what a short one costs the server. But its name lives in one connection of the
//! server, and a proxy may hand those out transaction by transaction: there the name would be unknown, or, worse, another process's statement.
//! So every transaction begins by asking for a mark that was left when the connection was made, and fails where it is not there. Then the
//! process keeps nothing from then on, and sends statements whole, as it does outside of transactions anyway.
//!
//! Plans of kept statements must not rest on how large a table was when they were made. All of a store's look for keys, so scanning whole
//! tables is what the planner is told to do last; and what is found by keys is found alike for all of them, so a statement is planned once,
//! not for each of its parameters. Deliberately absent: making connections, and what statements say.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::{join, join_all};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement as Kept};
use uuid::Uuid;

use super::{Failure, Statement};
use crate::environment::{Random as _, SystemRandom};

/// A statement is kept when it has been run so often in transactions.
const RUN_BEFORE_KEPT: u32 = 2;
/// What of the server's ways of finding rows is left for when there is no other; compiling, which it does for whatever it takes for long
/// work, as it does a last resort; and that statements are planned once. Left to itself it plans those with lists of keys each time, which
/// costs more than running them.
const PLANNING: [(&str, &str); 5] = [
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("jit", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// Whether statements can be kept at all: not where a proxy hands out connections by transaction. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Keeping(Arc<AtomicBool>);

impl Keeping {
    fn is_possible(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    fn give_up(&self) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::info!(
                "connections to PostgreSQL are handed out by transaction; statements are sent whole from now on"
            );
        }
    }
}

/// A connection.
pub struct Client {
    connection: tokio_postgres::Client,
    keeping: Keeping,
    /// What was left on the connection when it was made.
    mark: Uuid,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether a transaction is open that has found the mark, or is about to look for it.
    marked: bool,
    kept: HashMap<Cow<'static, str>, Kept>,
    /// Those that are not kept yet, and how often each was run.
    run: HashMap<Cow<'static, str>, (u32, Statement)>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// For what is done outside of transactions, and what is no statement of a store.
impl Deref for Client {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &tokio_postgres::Client {
        &self.connection
    }
}

impl Client {
    /// A connection that was just made. Leaves the mark on it.
    pub(super) async fn new(
        connection: tokio_postgres::Client,
        keeping: Keeping,
    ) -> Result<Self, Failure> {
        let mut mark = [0; 16];
        SystemRandom.fill(&mut mark)?;
        let mark = Uuid::from_bytes(mark);
        if keeping.is_possible() {
            let planning =
                PLANNING.map(|(name, is)| format!(", set_config('{name}', '{is}', false)"));
            let left = format!(
                "select set_config('acquaint.mark', '{mark}', false){}",
                planning.concat()
            );
            connection.batch_execute(&left).await?;
        }
        Ok(Self {
            connection,
            keeping,
            mark,
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds it can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a transaction with `begin`, one or several statements. Sent at the first poll, so that what is joined with it and comes after it
    /// is part of the transaction. [`Failure::Away`] on a connection that a proxy has handed to somebody else meanwhile.
    pub async fn begin(&self, begin: &str) -> Result<(), Failure> {
        if !self.keeping.is_possible() {
            return Ok(self.connection.batch_execute(begin).await?);
        }
        let to_keep = {
            let mut state = self.state();
            state.marked = true;
            let often = state
                .run
                .extract_if(|_, (times, _)| *times >= RUN_BEFORE_KEPT);
            often
                .map(|(_, (_, statement))| statement)
                .collect::<Vec<_>>()
        };
        let guarded = format!(
            "{begin}; select 1 / (coalesce(current_setting('acquaint.mark', true), '') = '{}')::integer",
            self.mark
        );
        let begun = self.connection.batch_execute(&guarded);
        let kept = join_all(to_keep.into_iter().map(async |statement| {
            let kept = self.prepare_typed(&statement.sql, &statement.types).await?;
            self.state().kept.insert(statement.sql, kept);
            Ok::<_, Failure>(())
        }));
        let (begun, kept) = join(begun, kept).await;
        if let Err(error) = begun {
            if error.code() == Some(&SqlState::DIVISION_BY_ZERO) {
                self.keeping.give_up();
                return Err(Failure::Away("the connection has another's mark".into()));
            }
            return Err(error.into());
        }
        kept.into_iter().collect()
    }

    /// Commits the transaction.
    pub async fn commit(&self) -> Result<(), Failure> {
        self.end("commit").await
    }

    /// Undoes the transaction, if there is one.
    pub async fn rollback(&self) -> Result<(), Failure> {
        self.end("rollback").await
    }

    async fn end(&self, how: &str) -> Result<(), Failure> {
        self.state().marked = false;
        Ok(self.connection.batch_execute(how).await?)
    }

    /// Runs a statement with its parameters, whose number and types are right; its rows. Sent at the first poll.
    pub(super) async fn run(
        &self,
        statement: &Statement,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Failure> {
        if let Some(kept) = self.kept(statement) {
            return Ok(self.connection.query(&kept, parameters).await?);
        }
        let types = statement.types.iter().cloned();
        let typed: Vec<_> = parameters.iter().copied().zip(types).collect();
        Ok(self.connection.query_typed(&statement.sql, &typed).await?)
    }

    /// The statement, where it is kept and may be used; counts it otherwise.
    fn kept(&self, statement: &Statement) -> Option<Kept> {
        let mut state = self.state();
        if !state.marked {
            return None;
        }
        if let Some(kept) = state.kept.get(&statement.sql) {
            return Some(kept.clone());
        }
        let run = state.run.entry(statement.sql.clone());
        run.or_insert_with(|| (0, statement.clone())).0 += 1;
        None
    }
}
