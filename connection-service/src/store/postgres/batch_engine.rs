//! A [`Batch`] as the engine sees it, and the row of the history's end.
//!
//! Deliberately absent: how rows are loaded (`load.rs`) and written (`flush.rs`).

use futures::future::BoxFuture;
use service_kit::postgres::types::Type;
use service_kit::postgres::{
    BatchRows, Client, Columns, Failure, HeadRow, Locking, Migration, Row, Statement,
};
use service_kit::time::Time;
use service_kit::trace::TraceContext;

use super::batch::{Batch, Head};
use super::{flush, load};
use crate::store::rows;

/// The tables, step by step; each is applied once and never changed afterwards.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_history",
        sql: service_kit::postgres::HISTORY_SQL,
        expands: false,
    },
    Migration {
        name: "0002_start",
        sql: include_str!("migrations/0002_start.sql"),
        expands: false,
    },
    Migration {
        name: "0003_copy",
        sql: service_kit::postgres::COPY_SQL,
        expands: true,
    },
];

macro_rules! head_sql {
    ($lock:literal) => {
        Statement::new(
            concat!(
                "select position, epoch, epoch_id, last_time, acknowledged, pruned, cards,
                     (extract(epoch from clock_timestamp()) * 1000)::bigint
                 from head where lane = 0",
                $lock
            ),
            &[],
        )
    };
}
const HEAD: Statement = head_sql!("");
const LOCK_HEAD: Statement = head_sql!(" for update");
const CONCERNED: Statement = Statement::new(
    "select position, low, high from fact where lane = 0 and position > $1 order by position limit $2",
    &[Type::INT8, Type::INT8],
);

/// Every statement about the history's end.
pub(super) fn statements() -> Vec<Statement> {
    vec![HEAD, LOCK_HEAD, CONCERNED]
}

impl BatchRows for Batch {
    type Head = Head;

    fn head_statement(locking: Locking) -> Statement {
        match locking {
            Locking::Locked => LOCK_HEAD,
            Locking::Unlocked => HEAD,
        }
    }

    fn read_head(row: &Row) -> Result<(HeadRow, Head, Time), Failure> {
        let found = HeadRow::read(row, 0)?;
        let mut columns = Columns::new(row);
        columns.skip(3);
        let seen = rows::Head {
            position: found.position,
            last_time: columns.time()?,
            acknowledged: columns.position()?,
            pruned: columns.position()?,
        };
        let head = Head {
            seen,
            cards: columns.position()?,
        };
        Ok((found, head, columns.time()?))
    }

    fn position(head: &Head) -> u64 {
        head.seen.position
    }

    fn last_time(head: &Head) -> Time {
        head.seen.last_time
    }

    fn concerned_statement() -> Statement {
        CONCERNED
    }

    fn found(&mut self, head: Head) {
        self.found = head;
    }

    fn restart(&mut self, clock: Time) {
        self.restart_at(clock);
    }

    fn serve(&mut self, _: Option<TraceContext>) {
        self.serve_next();
    }

    fn unload(&mut self) {
        self.unload_all();
    }

    fn clear(&mut self) {
        self.clear_all();
    }

    fn looks(&self) -> bool {
        self.looks
    }

    fn wants(&self) -> bool {
        self.wants_rows()
    }

    async fn load(
        &mut self,
        client: &Client,
        lanes: u16,
        locking: Locking,
        begin: Option<&str>,
        head: Option<&Statement>,
    ) -> Result<Vec<Row>, Failure> {
        load::load(client, self, lanes, locking, begin, head).await
    }

    async fn flush(
        &mut self,
        client: &Client,
        lanes: u16,
        mark: BoxFuture<'_, Result<(), Failure>>,
    ) -> Result<bool, Failure> {
        flush::flush(client, self, lanes, mark).await
    }

    fn written(&self) -> (u64, u64) {
        (self.found.seen.position, self.head.seen.position)
    }

    fn concerned(&self) -> impl Iterator<Item = &str> {
        self.named()
    }

    fn committed(&mut self) {
        if let Some(position) = self.told {
            self.acknowledged.raise(position);
        }
        self.found = self.head;
    }
}
