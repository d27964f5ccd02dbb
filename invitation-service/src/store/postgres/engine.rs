//! A [`Batch`] as the engine sees it: the end of the history, loading, writing.
//!
//! Deliberately absent: when it is done (service-kit's engine), and what the commands do.

use futures::future::BoxFuture;
use service_kit::{
    epoch::EpochId,
    postgres::{
        BatchRows, Client, Columns, Failure, HISTORY_SQL, HeadRow, Locking, Migration, Row,
        Statement, types::Type,
    },
    time::Time,
    trace::TraceContext,
};

use super::{
    batch::{Batch, Head},
    flush::flush,
    load::load,
    watch,
};
use crate::store::rows::FeedCursor;

/// The tables, step by step; each is applied once and never changed afterwards.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        name: "0001_history",
        sql: HISTORY_SQL,
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
                "select position, epoch, epoch_id, last_time, last_id, acts, feed_epoch, feed_position, leader,
                     (extract(epoch from clock_timestamp()) * 1000)::bigint
                 from head where lane = 0",
                $lock
            ),
            &[],
        )
    };
}
/// The end of the history, with the time that the server's clock shows.
static HEAD: Statement = head_sql!("");
static LOCK_HEAD: Statement = head_sql!(" for update");

/// Makes a process lead, unless another does still.
pub(super) const LEAD: Statement = Statement::new(
    "update head set leader = $1, leader_until = $3 where lane = 0 and (leader = $1 or leader_until <= $2) returning leader",
    &[Type::INT8, Type::INT8, Type::INT8],
);

/// Every statement of the engine.
pub(super) fn statements() -> Vec<Statement> {
    vec![HEAD.clone(), LOCK_HEAD.clone(), LEAD]
}

fn epoch(bytes: Option<&[u8]>) -> Result<Option<EpochId>, Failure> {
    let malformed = |_| Failure::corrupt("a malformed epoch");
    bytes.map(EpochId::try_from).transpose().map_err(malformed)
}

impl BatchRows for Batch {
    type Head = Head;

    fn head_statement(locking: Locking) -> Statement {
        match locking {
            Locking::Locked => LOCK_HEAD.clone(),
            Locking::Unlocked => HEAD.clone(),
        }
    }

    fn read_head(row: &Row) -> Result<(HeadRow, Head, Time), Failure> {
        let found = HeadRow::read(row, 0)?;
        let mut columns = Columns::new(row);
        columns.skip(3);
        let head = Head {
            position: found.position,
            last_time: columns.time()?,
            last_id: columns.uuid()?,
            acts: columns.position()?,
            cursor: FeedCursor {
                epoch: epoch(columns.get()?)?,
                position: columns.position()?,
            },
            leader: columns.get()?,
        };
        Ok((found, head, columns.time()?))
    }

    fn position(head: &Head) -> u64 {
        head.position
    }

    fn last_time(head: &Head) -> Time {
        head.last_time
    }

    fn concerned_statement() -> Statement {
        watch::CONCERNED
    }

    fn found(&mut self, head: Head) {
        self.found = head;
    }

    fn restart(&mut self, clock: Time) {
        self.now = clock.max(self.found.last_time);
        self.head = self.found;
        self.ids.resume_after(self.found.last_id);
        self.pairs.reset();
        self.members.reset();
        self.entries.reset();
        self.remembered.reset();
        self.cooldowns.reset();
        self.ranges.reset();
        self.newly_erased.clear();
        self.deleted_members.clear();
        self.acts.clear();
        self.appended.clear();
        self.blanked_invitations.clear();
        self.blanked.clear();
        self.standings.clear();
        self.looks = false;
        self.touched = false;
        self.command = 0;
        self.trace = None;
    }

    fn serve(&mut self, trace: Option<TraceContext>) {
        self.trace = trace;
        self.command += 1;
    }

    fn unload(&mut self) {
        self.pairs.unload();
        self.members.unload();
        self.erased.clear();
        self.entries.unload();
        self.remembered.unload();
        self.cooldowns.unload();
        // What they are asked by may depend on the time, which is another then.
        self.ranges.clear();
    }

    fn clear(&mut self) {
        self.pairs.clear();
        self.members.clear();
        self.erased.clear();
        self.entries.clear();
        self.remembered.clear();
        self.cooldowns.clear();
        self.ranges.clear();
    }

    fn looks(&self) -> bool {
        self.looks
    }

    fn wants(&self) -> bool {
        self.pairs.wanted().next().is_some()
            || self.members.wanted().next().is_some()
            || self.entries.wanted().next().is_some()
            || self.remembered.wanted().next().is_some()
            || self.cooldowns.wanted().next().is_some()
            || self.ranges.wanted().next().is_some()
    }

    async fn load(
        &mut self,
        client: &Client,
        lanes: u16,
        locking: Locking,
        begin: Option<&str>,
        head: Option<&Statement>,
    ) -> Result<Vec<Row>, Failure> {
        load(client, self, lanes, locking, begin, head).await
    }

    async fn flush(
        &mut self,
        client: &Client,
        lanes: u16,
        mark: BoxFuture<'_, Result<(), Failure>>,
    ) -> Result<bool, Failure> {
        flush(client, self, lanes, mark).await
    }

    fn written(&self) -> (u64, u64) {
        (self.found.position, self.head.position)
    }

    fn concerned(&self) -> impl Iterator<Item = &str> {
        let events = self.appended.iter().map(|appended| &appended.event);
        let sides = events.flat_map(|event| event.inviter.iter().chain(&event.invitee));
        sides.map(|side| side.member.as_str())
    }

    fn committed(&mut self) {
        for news in self.standings.drain(..) {
            self.standing_metrics.note(news);
        }
        self.found = self.head;
    }
}
