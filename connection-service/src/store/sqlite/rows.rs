//! The rows of a write transaction as statements on the writer's connection.
//!
//! Deliberately absent: begin and commit (see the engine in this folder's `mod`), and reads outside a transaction (see `reads`).

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use service_kit::clock::Clock;
use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Sides};
use service_kit::secret::StoreSecret;
use service_kit::time::Time;
use uuid::Uuid;

use super::codec::{self, PAIR_COLUMNS, to_i64};
use super::held::{self, HeldRow, PAIR, PAIR_OF_HIGH};
use super::{erased_hash, read_head};
use crate::domain::ensure::StoredVerdict;
use crate::domain::erase::Erasure;
use crate::domain::fact::Fact;
use crate::domain::member::Member;
use crate::domain::pair::Pair;
use crate::store::codec::{FactColumns, stage_code, verdict_code};
use crate::store::rows::{Head, Listing, Rows};

/// The kind of a list's lines in the table `of_member`, as the migration has it.
pub(super) fn kind_of(listing: Listing) -> i64 {
    match listing {
        Listing::Connections => 3,
        Listing::Blocks => 4,
        Listing::RemovalMarks => 5,
    }
}

/// The oldest verdicts. In the order of time positions only grow, so looking at these is enough.
pub(super) const OLDEST_VERDICTS: &str = "select invitation_id, position from verdict where decide_time <= ?1 order by decide_time, position limit ?2";

/// The rows of one transaction, and what must be told when it has been committed.
pub(super) struct SqliteRows {
    pub(super) conn: Connection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) secret: Arc<StoreSecret>,
    /// The head as this transaction sees it; written once, before the commit.
    head: Option<Head>,
    head_changed: bool,
    /// What is kept back, while it is.
    held: Option<Vec<HeldRow>>,
    /// Whom the facts of this transaction name.
    pub(super) named: Vec<MemberId>,
    /// The acknowledged position, if it has moved.
    pub(super) acknowledged: Option<u64>,
}

impl SqliteRows {
    pub(super) fn new(conn: Connection, clock: Arc<dyn Clock>, secret: Arc<StoreSecret>) -> Self {
        Self {
            conn,
            clock,
            secret,
            head: None,
            head_changed: false,
            held: None,
            named: Vec::new(),
            acknowledged: None,
        }
    }

    /// Forgets what a transaction before this one knew.
    pub(super) fn reset(&mut self) {
        self.head = None;
        self.head_changed = false;
        self.held = None;
        self.named.clear();
        self.acknowledged = None;
    }

    /// Writes what was put off to the end of the transaction.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let Some(head) = self.head.filter(|_| self.head_changed) else {
            return Ok(());
        };
        self.change_one(
            "update meta set head = ?1, last_time = ?2, acknowledged = ?3, pruned = ?4",
            params![
                to_i64(head.position)?,
                head.last_time.millis(),
                to_i64(head.acknowledged)?,
                to_i64(head.pruned)?
            ],
        )
    }

    /// Writes a row, or keeps it back.
    fn put(&mut self, row: HeldRow) -> Result<(), StoreError> {
        if let Some(held) = &mut self.held {
            held.push(row);
            return Ok(());
        }
        held::write(&self.conn, &row)
    }

    /// Writes what is kept back, and goes on keeping back.
    fn write_out(&mut self) -> Result<(), StoreError> {
        match &mut self.held {
            Some(held) => held::write_all(&self.conn, &std::mem::take(held)),
            None => Ok(()),
        }
    }

    /// Runs a statement that must change exactly one row.
    pub(super) fn change_one(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<(), StoreError> {
        match self.conn.prepare_cached(sql)?.execute(params)? {
            1 => Ok(()),
            n => Err(StoreError::corrupt(format!("{n} rows changed by: {sql}"))),
        }
    }

    pub(super) fn change(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
    ) -> Result<usize, StoreError> {
        Ok(self.conn.prepare_cached(sql)?.execute(params)?)
    }

    pub(super) fn one<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        decode: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        rows.next()?.map(decode).transpose()
    }

    pub(super) fn all<T>(
        &self,
        sql: &str,
        params: impl rusqlite::Params,
        decode: impl Fn(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut rows = statement.query(params)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(decode(row)?);
        }
        Ok(found)
    }
}

impl Rows for SqliteRows {
    fn clock(&self) -> Time {
        self.clock.now()
    }

    fn head(&mut self) -> Result<Head, StoreError> {
        if let Some(head) = self.head {
            return Ok(head);
        }
        let head = read_head(&self.conn)?;
        self.head = Some(head);
        Ok(head)
    }

    fn put_head(&mut self, head: &Head) -> Result<(), StoreError> {
        self.head = Some(*head);
        self.head_changed = true;
        Ok(())
    }

    fn pair(&mut self, key: &PairKey) -> Result<Pair, StoreError> {
        super::read_pair(&self.conn, key)
    }

    fn put_pair(&mut self, key: &PairKey, pair: &Pair) -> Result<(), StoreError> {
        if !pair.is_empty() {
            let [low, high] = HeldRow::pair(key, pair);
            self.put(low)?;
            return self.put(high);
        }
        self.write_out()?;
        let (low, high) = (key.low().as_str(), key.high().as_str());
        for (member, kind, other) in [(low, PAIR, high), (high, PAIR_OF_HIGH, low)] {
            self.change_one(
                "delete from of_member where member = ?1 and kind = ?2 and time = 0 and other = ?3",
                params![member, kind, other],
            )?;
        }
        Ok(())
    }

    fn pairs_of(
        &mut self,
        member: &MemberId,
        limit: u32,
    ) -> Result<Vec<(PairKey, Pair)>, StoreError> {
        let sql = format!(
            "select {PAIR_COLUMNS} from pair where low = ?1
             union all select {PAIR_COLUMNS} from pair_of_high join pair using (low, high) where high = ?1 limit ?2"
        );
        self.all(&sql, params![member.as_str(), limit], codec::pair)
    }

    fn member(&mut self, id: &MemberId) -> Result<Option<Member>, StoreError> {
        super::read_member(&self.conn, id)
    }

    fn put_member(&mut self, id: &MemberId, member: &Member) -> Result<(), StoreError> {
        self.put(HeldRow::member(id, member))
    }

    fn delete_member(&mut self, id: &MemberId) -> Result<(), StoreError> {
        self.write_out()?;
        self.change(
            "delete from of_member where member = ?1 and kind = 0 and time = 0 and other = ''",
            [id.as_str()],
        )?;
        Ok(())
    }

    fn list(
        &mut self,
        listing: Listing,
        member: &MemberId,
        time: Time,
        other: &MemberId,
    ) -> Result<(), StoreError> {
        self.put(HeldRow::line(listing, member, time, other))
    }

    fn unlist(
        &mut self,
        listing: Listing,
        member: &MemberId,
        time: Time,
        other: &MemberId,
    ) -> Result<(), StoreError> {
        self.write_out()?;
        self.change_one(
            "delete from of_member where member = ?1 and kind = ?2 and time = ?3 and other = ?4",
            params![
                member.as_str(),
                kind_of(listing),
                time.millis(),
                other.as_str()
            ],
        )
    }

    fn oldest_removal_mark(&mut self, member: &MemberId) -> Result<Option<MemberId>, StoreError> {
        self.one(
            "select other from removal_mark where member = ?1 order by removed_time, other limit 1",
            [member.as_str()],
            |row| codec::member_id(row, 0),
        )
    }

    fn removal_marks_until(
        &mut self,
        until: Time,
        limit: u32,
    ) -> Result<Vec<(MemberId, MemberId)>, StoreError> {
        self.all(
            "select member, other from removal_mark where removed_time <= ?1
             order by removed_time limit ?2",
            params![until.millis(), limit],
            |row| Ok((codec::member_id(row, 0)?, codec::member_id(row, 1)?)),
        )
    }

    fn verdict(&mut self, invitation: &Uuid) -> Result<Option<StoredVerdict>, StoreError> {
        self.one(
            "select number, verdict, connect_time, position, decide_time
             from verdict where invitation_id = ?1",
            [invitation.as_bytes()],
            codec::verdict,
        )
    }

    fn put_verdict(
        &mut self,
        invitation: &Uuid,
        verdict: &StoredVerdict,
    ) -> Result<(), StoreError> {
        let (code, connect_time) = verdict_code(verdict.verdict)?;
        self.change_one(
            "insert or replace into verdict
                 (invitation_id, number, verdict, connect_time, position, decide_time)
             values (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                invitation.as_bytes(),
                verdict.number,
                code,
                connect_time.map(Time::millis),
                to_i64(verdict.position)?,
                verdict.decide_time.millis()
            ],
        )
    }

    fn delete_verdicts_until(
        &mut self,
        until: Time,
        position: u64,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let oldest = self.all(OLDEST_VERDICTS, params![until.millis(), limit], |row| {
            Ok((row.get::<_, [u8; 16]>(0)?, codec::position(row, 1)?))
        })?;
        let mut deleted = 0;
        for (invitation, _) in oldest.iter().take_while(|(_, given)| *given <= position) {
            self.change_one("delete from verdict where invitation_id = ?1", [invitation])?;
            deleted += 1;
        }
        Ok(deleted)
    }

    fn append_fact(
        &mut self,
        position: u64,
        time: Time,
        fact: &Fact,
        previous: Sides<u64>,
    ) -> Result<(), StoreError> {
        let row = FactColumns::of(fact);
        self.change_one(
            "insert into fact (position, time, kind, low, high, connection, connect_time,
                 invitation_id, blocked_by_low, blocked_by_high, blank, previous_low, previous_high)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 0, ?11, ?12)",
            params![
                to_i64(position)?,
                time.millis(),
                row.kind,
                row.named.low.as_ref().map(MemberId::as_str),
                row.named.high.as_ref().map(MemberId::as_str),
                row.connection,
                row.connect_time.map(Time::millis),
                row.invitation.map(Uuid::into_bytes),
                row.blocked.low,
                row.blocked.high,
                to_i64(previous.low)?,
                to_i64(previous.high)?,
            ],
        )?;
        self.named
            .extend(row.named.low.into_iter().chain(row.named.high));
        Ok(())
    }

    fn delete_facts_until(&mut self, until: Time, limit: u32) -> Result<Option<u64>, StoreError> {
        // In the order of positions times only grow, so the first one that is too young ends it.
        let oldest = self.all(
            "select position, time from fact order by position limit ?1",
            [limit],
            |row| Ok((codec::position(row, 0)?, codec::time(row, 1)?)),
        )?;
        let old = oldest.iter().take_while(|(_, time)| *time <= until);
        let Some(last) = old.map(|(position, _)| *position).last() else {
            return Ok(None);
        };
        self.change("delete from fact where position <= ?1", [to_i64(last)?])?;
        Ok(Some(last))
    }

    fn blank_fact(&mut self, position: u64, member: &MemberId) -> Result<Option<u64>, StoreError> {
        let at = to_i64(position)?;
        let previous = self.one(
            "select case when low = ?2 then previous_low else previous_high end
             from fact where position = ?1",
            params![at, member.as_str()],
            |row| codec::position(row, 0),
        )?;
        if previous.is_some() {
            // Who the other one is stays, for their own chain.
            self.change_one(
                "update fact set blank = 1, low = nullif(low, ?2), high = nullif(high, ?2),
                     connect_time = null, invitation_id = null, blocked_by_low = 0, blocked_by_high = 0
                 where position = ?1 and (low = ?2 or high = ?2)",
                params![at, member.as_str()],
            )?;
        }
        Ok(previous)
    }

    fn is_erased(&mut self, id: &MemberId) -> Result<bool, StoreError> {
        Ok(super::read_erased(&self.conn, &erased_hash(&self.secret, id))?.is_some())
    }

    fn put_erased(&mut self, id: &MemberId, position: u64) -> Result<(), StoreError> {
        self.change_one(
            "insert into erased (hash, position) values (?1, ?2)",
            params![erased_hash(&self.secret, id), to_i64(position)?],
        )
    }

    fn erasure(&mut self, id: &MemberId) -> Result<Option<Erasure>, StoreError> {
        self.one(
            "select position, last_fact, stage, next from erasure where member = ?1",
            [id.as_str()],
            codec::erasure,
        )
    }

    fn put_erasure(&mut self, id: &MemberId, erasure: &Erasure) -> Result<(), StoreError> {
        let (stage, next) = stage_code(erasure.stage);
        self.change_one(
            "insert or replace into erasure (member, position, last_fact, stage, next)
             values (?1, ?2, ?3, ?4, ?5)",
            params![
                id.as_str(),
                to_i64(erasure.position)?,
                to_i64(erasure.last_fact)?,
                stage,
                to_i64(next)?
            ],
        )
    }

    fn delete_erasure(&mut self, id: &MemberId) -> Result<(), StoreError> {
        self.change_one("delete from erasure where member = ?1", [id.as_str()])
    }

    fn hold(&mut self) {
        self.held.get_or_insert_default();
    }

    fn write_held(&mut self) -> Result<(), StoreError> {
        self.write_out()?;
        self.held = None;
        Ok(())
    }

    fn last_acknowledgement(&mut self) -> Result<Option<Time>, StoreError> {
        let time = self.one("select max(time) from acknowledgement", [], |row| {
            codec::optional_time(row, 0)
        })?;
        Ok(time.flatten())
    }

    fn put_acknowledgement(&mut self, time: Time, position: u64) -> Result<(), StoreError> {
        self.change_one(
            "insert into acknowledgement (time, position) values (?1, ?2)",
            params![time.millis(), to_i64(position)?],
        )
    }

    fn acknowledged_by(&mut self, time: Time) -> Result<u64, StoreError> {
        super::read_acknowledged_by(&self.conn, time)
    }

    fn forget_acknowledgements(&mut self, time: Time) -> Result<(), StoreError> {
        self.change(
            "delete from acknowledgement where time <
                 (select max(time) from acknowledgement where time <= ?1)",
            [time.millis()],
        )?;
        Ok(())
    }

    fn tell_acknowledged(&mut self, position: u64) {
        self.acknowledged = Some(position);
    }
}

/// A row, if there is one.
pub(super) fn optional<T>(found: rusqlite::Result<T>) -> Result<Option<T>, StoreError> {
    Ok(found.optional()?)
}
