//! One transaction's rows: loaded as commands need them, kept in memory, written once before the commit.
//!
//! Hot members and pairs of a batch are loaded and written once, however many of its commands touch them. The same over a reader's
//! connection decides in a snapshot, where nothing is ever written. Deliberately absent: beginning and committing (`engine.rs`).

use std::{
    borrow::Borrow,
    collections::{BTreeMap, btree_map::Entry as Slot},
};

use rusqlite::{Connection, params};
use service_kit::{
    error::StoreError,
    id::{IdSource, MemberId, PairKey},
    secret::StoreSecret,
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use super::{codec, events, tables};
use crate::{
    domain::{
        member::Member,
        pair::Pair,
        standing::{News, Standing},
        view::Entry,
    },
    store::rows::{FeedCursor, NewEvent, Remembered, StandingAct},
};

/// What lasts from one transaction to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meta {
    pub(super) last_time: Time,
    pub(super) last_id: Uuid,
    pub(super) head: u64,
    pub(super) cursor: FeedCursor,
}

/// A row as it was loaded and as it is now.
pub(super) struct Loaded<T> {
    pub(super) was: Option<T>,
    pub(super) is: Option<T>,
    pub(super) changed: bool,
}

impl<T> Loaded<T> {
    pub(super) fn unchanged(row: Option<T>) -> Self
    where
        T: Clone,
    {
        Self {
            was: row.clone(),
            is: row,
            changed: false,
        }
    }

    pub(super) fn put(&mut self, row: Option<T>) {
        self.is = row;
        self.changed = true;
    }
}

/// The rows to write, each of which counts as written once the iterator has passed it.
fn taken<'a, K: Ord, T: Clone>(
    rows: &'a mut BTreeMap<K, Loaded<T>>,
    any: &'a mut bool,
) -> impl Iterator<Item = (&'a K, Loaded<T>)> {
    rows.iter_mut()
        .filter(|(_, row)| row.changed)
        .map(|(key, row)| {
            *any = true;
            let written = Loaded {
                was: std::mem::replace(&mut row.was, row.is.clone()),
                is: row.is.clone(),
                changed: true,
            };
            row.changed = false;
            (key, written)
        })
}

/// A pair's row with when it is due.
#[derive(Clone)]
pub(super) struct PairRow {
    pub(super) pair: Pair,
    pub(super) due: Option<Time>,
}

/// An event as it is appended.
pub(super) struct Appended {
    pub(super) position: u64,
    pub(super) event: NewEvent,
}

/// The rows of one transaction.
pub(super) struct Batch<C> {
    pub(super) conn: C,
    pub(super) secret: StoreSecret,
    pub(super) ids: IdSource,
    pub(super) now: Time,
    pub(super) meta: Meta,
    meta_before: Meta,
    pub(super) pairs: BTreeMap<PairKey, Loaded<PairRow>>,
    pub(super) members: BTreeMap<MemberId, Loaded<Member>>,
    pub(super) entries: BTreeMap<(MemberId, Uuid), Loaded<Entry>>,
    pub(super) remembered: BTreeMap<(MemberId, Uuid), Loaded<Remembered>>,
    pub(super) cooldowns: BTreeMap<[u8; 16], Loaded<Time>>,
    pub(super) newly_erased: Vec<MemberId>,
    pub(super) acts: Vec<StandingAct>,
    pub(super) appended: Vec<Appended>,
    /// Whom the events concern that this transaction has appended.
    concerned: Vec<MemberId>,
    /// How standings have changed.
    standings: Vec<News>,
    /// The trace of the request that the command under way serves.
    trace: Option<TraceContext>,
    /// Whether there is a transaction to write in; else everything stays in memory.
    pub(super) writable: bool,
}

impl<C: Borrow<Connection>> Batch<C> {
    /// A batch that has not begun.
    pub(super) fn new(
        conn: C,
        secret: StoreSecret,
        ids: IdSource,
        meta: Meta,
        writable: bool,
    ) -> Self {
        Self {
            conn,
            secret,
            ids,
            now: meta.last_time,
            meta,
            meta_before: meta,
            pairs: BTreeMap::new(),
            members: BTreeMap::new(),
            entries: BTreeMap::new(),
            remembered: BTreeMap::new(),
            cooldowns: BTreeMap::new(),
            newly_erased: Vec::new(),
            acts: Vec::new(),
            appended: Vec::new(),
            concerned: Vec::new(),
            standings: Vec::new(),
            trace: None,
            writable,
        }
    }

    /// The connection.
    pub(super) fn conn(&self) -> &Connection {
        self.conn.borrow()
    }

    /// Says which trace the next command belongs to.
    pub(super) fn serve(&mut self, trace: Option<TraceContext>) {
        self.trace = trace;
    }

    pub(super) fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    /// Begins: the store's time is the clock's, or the last committed if the clock was set back.
    pub(super) fn begin(&mut self, clock: Time) {
        self.now = clock.max(self.meta.last_time);
    }

    /// Forgets what was put: the transaction was rolled back.
    pub(super) fn roll_back(&mut self) {
        self.meta = self.meta_before;
        self.clear();
    }

    /// The position of the last event, and the members whom the transaction's events concern: after the commit, before [`Self::clear`].
    pub(super) fn news(&self) -> (u64, impl Iterator<Item = &str>) {
        (self.meta.head, self.concerned.iter().map(MemberId::as_str))
    }

    /// How members' standings have changed: after the commit, before [`Self::clear`].
    pub(super) fn changed_standings(&self) -> impl Iterator<Item = News> {
        self.standings.iter().copied()
    }

    /// Forgets what was loaded: the transaction is over.
    pub(super) fn clear(&mut self) {
        self.meta_before = self.meta;
        self.pairs.clear();
        self.members.clear();
        self.entries.clear();
        self.remembered.clear();
        self.cooldowns.clear();
        self.newly_erased.clear();
        self.acts.clear();
        self.appended.clear();
        self.concerned.clear();
        self.standings.clear();
    }

    /// Writes what was put since the last time.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let conn = self.conn.borrow();
        let mut changed = self.meta.cursor != self.meta_before.cursor;
        for (key, row) in taken(&mut self.pairs, &mut changed) {
            flush_pair(conn, key, &row)?;
        }
        // Before the members: whoever is erased in the same batch is found in them.
        for act in self.acts.drain(..) {
            changed = true;
            tables::append_act(conn, self.now, &act)?;
        }
        for (id, row) in taken(&mut self.members, &mut changed) {
            let was_due = row.was.as_ref().and_then(|member| member.auto_withdraw_at);
            match &row.is {
                Some(member) => {
                    tables::save_member(conn, member, was_due)?;
                    let nothing = Standing::default();
                    let was = row.was.as_ref().map_or(&nothing, |was| &was.standing);
                    self.standings.extend(member.standing.news(was));
                }
                None => tables::delete_member(conn, id, was_due)?,
            }
        }
        for ((member, id), row) in taken(&mut self.entries, &mut changed) {
            let was_at = row.was.as_ref().map(|entry| entry.place);
            tables::save_entry(conn, member, id, was_at, row.is.as_ref())?;
        }
        for ((inviter, id), row) in taken(&mut self.remembered, &mut changed) {
            tables::save_remembered(conn, inviter, id, row.is.as_ref())?;
        }
        for (ordered_pair, row) in taken(&mut self.cooldowns, &mut changed) {
            conn.prepare_cached(
                "insert or replace into withdraw_cooldown (ordered_pair, until) values (?1, ?2)",
            )?
            .execute(params![ordered_pair, row.is.map(Time::millis)])?;
        }
        for id in self.newly_erased.drain(..) {
            changed = true;
            conn.prepare_cached("insert or ignore into erased (member_hash) values (?1)")?
                .execute([erased_hash(&self.secret, &id)])?;
        }
        for Appended { position, event } in self.appended.drain(..) {
            changed = true;
            events::append(conn, position, self.now, &event)?;
            let sides = event.inviter.into_iter().chain(event.invitee);
            self.concerned.extend(sides.map(|side| side.member));
        }
        if !changed {
            return Ok(());
        }
        self.meta.last_time = self.now;
        conn.prepare_cached(
            "update meta set last_time = ?1, last_id = ?2, head = ?3, feed_epoch = ?4, feed_position = ?5 where id = 1",
        )?
        .execute(params![
            self.meta.last_time.millis(),
            self.meta.last_id.as_bytes(),
            codec::position_number(self.meta.head),
            self.meta.cursor.epoch.map(|epoch| *epoch.as_bytes()),
            codec::position_number(self.meta.cursor.position),
        ])?;
        Ok(())
    }

    /// Before a query that goes over many rows: lets it see what this transaction has put.
    pub(super) fn flush_for_query(&mut self) -> Result<(), StoreError> {
        if self.writable { self.flush() } else { Ok(()) }
    }

    pub(super) fn pair_row(&mut self, key: &PairKey) -> Result<&mut Loaded<PairRow>, StoreError> {
        match self.pairs.entry(key.clone()) {
            Slot::Occupied(slot) => Ok(slot.into_mut()),
            Slot::Vacant(slot) => {
                let row = tables::load_pair(self.conn.borrow(), key)?
                    .map(|(pair, due)| PairRow { pair, due });
                Ok(slot.insert(Loaded::unchanged(row)))
            }
        }
    }

    pub(super) fn entry_row(
        &mut self,
        member: &MemberId,
        id: &Uuid,
    ) -> Result<&mut Loaded<Entry>, StoreError> {
        match self.entries.entry((member.clone(), *id)) {
            Slot::Occupied(slot) => Ok(slot.into_mut()),
            Slot::Vacant(slot) => {
                let row = tables::load_entry(self.conn.borrow(), member, id)?;
                Ok(slot.insert(Loaded::unchanged(row)))
            }
        }
    }
}

fn flush_pair(conn: &Connection, key: &PairKey, row: &Loaded<PairRow>) -> Result<(), StoreError> {
    let was_due = row.was.as_ref().and_then(|was| was.due);
    let nothing = Pair::new(key.clone());
    let before = row.was.as_ref().map_or(&nothing, |was| &was.pair);
    let after = row.is.as_ref().map_or(&nothing, |is| &is.pair);
    tables::save_bars(conn, before, after)?;
    match &row.is {
        Some(is) => tables::save_pair(conn, &is.pair, row.was.is_none(), was_due, is.due),
        None if row.was.is_some() => tables::delete_pair(conn, key, was_due),
        None => Ok(()),
    }
}

/// The hash under which an erased id is remembered.
pub(super) fn erased_hash(secret: &StoreSecret, id: &MemberId) -> [u8; 16] {
    secret.keyed_hash("acquaint erased member", &[id.as_str().as_bytes()])
}
