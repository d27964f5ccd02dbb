//! What the engine needs of a service's rows: how they are loaded, put and written is the service's own affair.
//!
//! Deliberately absent: when it is done (`batch_engine.rs`), and what any store has in common of it (`cache.rs`, `lane.rs`, `writes.rs`).

use futures::future::BoxFuture;
use tokio_postgres::Row;

use super::{Client, Failure, HeadRow, Statement};
use crate::time::Time;
use crate::trace::TraceContext;

/// Whether rows are locked as they are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locking {
    /// For the rest of the transaction.
    Locked,
    /// Not at all.
    Unlocked,
}

/// The rows of one transaction, as commands ask for them and put them.
///
/// Commands are synchronous, and know nothing of loading: a row that is not here yet reads as if there were none, and is noted. When all
/// commands of a batch have run, what was noted is loaded, and they run again from the start, until nothing is missing; only then what they
/// came to counts.
pub trait BatchRows: Send + 'static {
    /// What the row `head` holds: what lasts from one transaction to the next.
    type Head: Copy + Send + Sync + 'static;

    /// Reads the row `head`, with the time that the server's clock shows. Has no parameters.
    fn head_statement(locking: Locking) -> Statement;
    /// The row of that statement: the end of the history, all that the row holds, the server's time.
    fn read_head(row: &Row) -> Result<(HeadRow, Self::Head, Time), Failure>;
    /// The position of the last event.
    fn position(head: &Self::Head) -> u64;
    /// The last committed time.
    fn last_time(head: &Self::Head) -> Time;
    /// Reads whom events concern, in the order of their positions: those after `$1` (`bigint`), at most `$2` (`bigint`) of them. The first
    /// column is the position; each of the others names a member, or is null.
    fn concerned_statement() -> Statement;

    /// Takes note of the row `head` as the transaction found it.
    fn found(&mut self, head: Self::Head);
    /// Undoes what commands have put, so that they can run again from the start: at `clock`, or at the last committed time if that is later.
    fn restart(&mut self, clock: Time);
    /// Says that the next command begins, and which trace it belongs to.
    fn serve(&mut self, trace: Option<TraceContext>);
    /// Has all that was asked for loaded anew.
    fn unload(&mut self);
    /// Forgets all that was asked for: the transaction is over.
    fn clear(&mut self);

    /// Whether a row was asked for that is not here, and whose absence may have ended a command early: what it would go on to ask for is not
    /// known yet.
    fn looks(&self) -> bool;
    /// Whether something was asked for that is not here.
    fn wants(&self) -> bool;

    /// Loads what was asked for and is not here. Sends, all together and in this order: `begin` (if given; statements that return nothing),
    /// `head` (if given), whose rows are returned, the rows that guard others, which `locking` concerns, each kind in the order of lanes and
    /// keys, and then everything else. So with locks everything is read after every commit before this one.
    fn load(
        &mut self,
        client: &Client,
        lanes: u16,
        locking: Locking,
        begin: Option<&str>,
        head: Option<&Statement>,
    ) -> impl Future<Output = Result<Vec<Row>, Failure>> + Send;
    /// Writes what was put and the row `head`, and `mark`s the transaction; whether there was anything. [`Failure::Conflict`] where a row is
    /// not as it was loaded.
    fn flush(
        &mut self,
        client: &Client,
        lanes: u16,
        mark: BoxFuture<'_, Result<(), Failure>>,
    ) -> impl Future<Output = Result<bool, Failure>> + Send;

    /// The position of the last event as the transaction found it, and as it has left it.
    fn written(&self) -> (u64, u64);
    /// Whom the events concern that were appended.
    fn concerned(&self) -> impl Iterator<Item = &str>;
    /// After the commit, and after watchers were told; [`clear`](Self::clear) follows. Whoever else is to be told is told here.
    fn committed(&mut self);
}
