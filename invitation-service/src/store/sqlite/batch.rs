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
};
use uuid::Uuid;

use super::{codec, events, reads, tables};
use crate::{
    domain::{
        invitation::{Place, Role},
        member::{EventLink, Member},
        pair::Pair,
        view::Entry,
    },
    store::rows::{EventKind, FeedCursor, NewEvent, OldEntry, Remembered, Rows, UnseenRange},
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
struct Loaded<T> {
    was: Option<T>,
    is: Option<T>,
    changed: bool,
}

impl<T> Loaded<T> {
    fn unchanged(row: Option<T>) -> Self
    where
        T: Clone,
    {
        Self {
            was: row.clone(),
            is: row,
            changed: false,
        }
    }

    fn put(&mut self, row: Option<T>) {
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
struct PairRow {
    pair: Pair,
    due: Option<Time>,
}

/// An event as it is appended.
struct Appended {
    position: u64,
    event: NewEvent,
}

/// The rows of one transaction.
pub(super) struct Batch<C> {
    conn: C,
    secret: StoreSecret,
    ids: IdSource,
    now: Time,
    meta: Meta,
    meta_before: Meta,
    pairs: BTreeMap<PairKey, Loaded<PairRow>>,
    members: BTreeMap<MemberId, Loaded<Member>>,
    entries: BTreeMap<(MemberId, Uuid), Loaded<Entry>>,
    remembered: BTreeMap<(MemberId, Uuid), Loaded<Remembered>>,
    cooldowns: BTreeMap<[u8; 16], Loaded<Time>>,
    newly_erased: Vec<MemberId>,
    appended: Vec<Appended>,
    /// Whom the events concern that this transaction has appended.
    concerned: Vec<MemberId>,
    /// Whether there is a transaction to write in; else everything stays in memory.
    writable: bool,
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
            appended: Vec::new(),
            concerned: Vec::new(),
            writable,
        }
    }

    /// The connection.
    pub(super) fn conn(&self) -> &Connection {
        self.conn.borrow()
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

    /// Forgets what was loaded: the transaction is over.
    pub(super) fn clear(&mut self) {
        self.meta_before = self.meta;
        self.pairs.clear();
        self.members.clear();
        self.entries.clear();
        self.remembered.clear();
        self.cooldowns.clear();
        self.newly_erased.clear();
        self.appended.clear();
        self.concerned.clear();
    }

    /// Writes what was put since the last time.
    pub(super) fn flush(&mut self) -> Result<(), StoreError> {
        let conn = self.conn.borrow();
        let mut changed = self.meta.cursor != self.meta_before.cursor;
        for (key, row) in taken(&mut self.pairs, &mut changed) {
            flush_pair(conn, key, row)?;
        }
        for (id, row) in taken(&mut self.members, &mut changed) {
            let was_due = row.was.as_ref().and_then(|member| member.auto_withdraw_at);
            match &row.is {
                Some(member) => tables::save_member(conn, member, was_due)?,
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
    fn flush_for_query(&mut self) -> Result<(), StoreError> {
        if self.writable { self.flush() } else { Ok(()) }
    }

    fn pair_row(&mut self, key: &PairKey) -> Result<&mut Loaded<PairRow>, StoreError> {
        match self.pairs.entry(key.clone()) {
            Slot::Occupied(slot) => Ok(slot.into_mut()),
            Slot::Vacant(slot) => {
                let row = tables::load_pair(self.conn.borrow(), key)?
                    .map(|(pair, due)| PairRow { pair, due });
                Ok(slot.insert(Loaded::unchanged(row)))
            }
        }
    }

    fn entry_row(
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

fn flush_pair(conn: &Connection, key: &PairKey, row: Loaded<PairRow>) -> Result<(), StoreError> {
    let was_due = row.was.as_ref().and_then(|was| was.due);
    let nothing = Pair::new(key.clone());
    let before = row.was.as_ref().map_or(&nothing, |was| &was.pair);
    let after = row.is.as_ref().map_or(&nothing, |is| &is.pair);
    tables::save_bars(conn, before, after)?;
    match &row.is {
        Some(is) => tables::save_pair(conn, &is.pair, was_due, is.due),
        None if row.was.is_some() => tables::delete_pair(conn, key, was_due),
        None => Ok(()),
    }
}

/// The hash under which an erased id is remembered.
pub(super) fn erased_hash(secret: &StoreSecret, id: &MemberId) -> [u8; 16] {
    secret.keyed_hash("acquaint erased member", &[id.as_str().as_bytes()])
}

impl<C: Borrow<Connection>> Rows for Batch<C> {
    fn now(&self) -> Time {
        self.now
    }

    fn next_id(&mut self) -> Uuid {
        let id = self.ids.next(self.now);
        self.meta.last_id = id;
        id
    }

    fn jitter(&mut self) -> u32 {
        // The last bytes of an id are random; its place in the order does not matter here.
        let id = self.ids.next(self.now).as_u128();
        u32::try_from(id & u128::from(u32::MAX)).unwrap_or_default()
    }

    fn keyed_hash(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        self.secret.keyed_hash(purpose, parts)
    }

    fn cursor(&self) -> FeedCursor {
        self.meta.cursor
    }

    fn put_cursor(&mut self, cursor: FeedCursor) {
        self.meta.cursor = cursor;
    }

    fn pair(&mut self, key: &PairKey) -> Result<Pair, StoreError> {
        let row = self.pair_row(key)?;
        Ok(row
            .is
            .as_ref()
            .map_or_else(|| Pair::new(key.clone()), |row| row.pair.clone()))
    }

    fn put_pair(&mut self, pair: Pair) {
        let cursor = self.meta.cursor.position;
        let row = (!pair.is_empty(cursor)).then(|| PairRow {
            due: pair.next_deadline(cursor, self.now),
            pair: pair.clone(),
        });
        // Whoever puts a pair has loaded it.
        if let Some(slot) = self.pairs.get_mut(&pair.key) {
            slot.put(row);
        }
    }

    fn member(&mut self, id: &MemberId) -> Result<Member, StoreError> {
        let slot = match self.members.entry(id.clone()) {
            Slot::Occupied(slot) => slot.into_mut(),
            Slot::Vacant(slot) => {
                let row = tables::load_member(self.conn.borrow(), id)?;
                slot.insert(Loaded::unchanged(row))
            }
        };
        if let Some(member) = &slot.is {
            return Ok(member.clone());
        }
        // Only a member without a row can have been erased.
        let mut member = Member::new(id.clone());
        member.erased = self.newly_erased.contains(id)
            || tables::is_erased(self.conn.borrow(), &erased_hash(&self.secret, id))?;
        Ok(member)
    }

    fn put_member(&mut self, member: Member) {
        if let Some(slot) = self.members.get_mut(&member.id) {
            slot.put(Some(member));
        }
    }

    fn put_erased(&mut self, id: &MemberId) {
        self.newly_erased.push(id.clone());
    }

    fn delete_member(&mut self, id: &MemberId) {
        if let Some(slot) = self.members.get_mut(id) {
            slot.put(None);
        }
    }

    fn entry(
        &mut self,
        member: &MemberId,
        invitation_id: &Uuid,
    ) -> Result<Option<Entry>, StoreError> {
        Ok(self.entry_row(member, invitation_id)?.is.clone())
    }

    fn put_entry(&mut self, member: &MemberId, invitation_id: &Uuid, entry: Option<Entry>) {
        // Only a new invitation's entry is put without having been looked for: nothing was there.
        self.entries
            .entry((member.clone(), *invitation_id))
            .or_insert_with(|| Loaded::unchanged(None))
            .put(entry);
    }

    fn oldest_entries(
        &mut self,
        member: &MemberId,
        place: Place,
        sent_before: Time,
        limit: usize,
    ) -> Result<Vec<OldEntry>, StoreError> {
        self.flush_for_query()?;
        reads::oldest_entries(self.conn(), member, place, sent_before, limit)
    }

    fn unseen_range(
        &mut self,
        member: &MemberId,
        after: &Uuid,
        before: Time,
    ) -> Result<UnseenRange, StoreError> {
        self.flush_for_query()?;
        reads::unseen_range(self.conn(), member, after, before)
    }

    fn some_pairs(&mut self, member: &MemberId, limit: usize) -> Result<Vec<PairKey>, StoreError> {
        self.flush_for_query()?;
        reads::some_pairs(self.conn(), member, limit)
    }

    fn pairs_between(
        &mut self,
        after: Option<&PairKey>,
        until: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<PairKey>, StoreError> {
        self.flush_for_query()?;
        reads::pairs_between(self.conn(), after, until, limit)
    }

    fn remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
    ) -> Result<Option<Remembered>, StoreError> {
        match self.remembered.entry((inviter.clone(), *request_id)) {
            Slot::Occupied(slot) => Ok(slot.get().is.clone()),
            Slot::Vacant(slot) => {
                let row = tables::load_remembered(self.conn.borrow(), inviter, request_id)?;
                Ok(slot.insert(Loaded::unchanged(row)).is.clone())
            }
        }
    }

    fn put_remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
        remembered: Option<Remembered>,
    ) {
        if let Some(slot) = self.remembered.get_mut(&(inviter.clone(), *request_id)) {
            slot.put(remembered);
        }
    }

    fn withdraw_cooldown(&mut self, ordered_pair: &[u8; 16]) -> Result<Option<Time>, StoreError> {
        match self.cooldowns.entry(*ordered_pair) {
            Slot::Occupied(slot) => Ok(slot.get().is),
            Slot::Vacant(slot) => {
                let until = tables::load_cooldown(self.conn.borrow(), ordered_pair)?;
                Ok(slot.insert(Loaded::unchanged(until)).is)
            }
        }
    }

    fn put_withdraw_cooldown(&mut self, ordered_pair: &[u8; 16], until: Time) {
        self.cooldowns
            .entry(*ordered_pair)
            .or_insert_with(|| Loaded::unchanged(None))
            .put(Some(until));
    }

    fn append_event(&mut self, event: NewEvent) -> u64 {
        self.meta.head += 1;
        let position = self.meta.head;
        self.appended.push(Appended { position, event });
        position
    }

    fn blank_invitation_events(&mut self, last_event: u64) -> Result<(), StoreError> {
        let mut position = last_event;
        while position != 0 {
            if let Some(appended) = self
                .appended
                .iter_mut()
                .find(|appended| appended.position == position)
            {
                position = appended.event.previous_of_invitation;
                appended.event.kind = EventKind::Blank;
                continue;
            }
            position = events::blank_both(self.conn.borrow(), position)?;
        }
        Ok(())
    }

    fn blank_member_events(
        &mut self,
        from: Option<EventLink>,
        limit: usize,
    ) -> Result<Option<EventLink>, StoreError> {
        let mut next = from;
        for _ in 0..limit {
            let Some(link) = next else { break };
            let appended = self
                .appended
                .iter_mut()
                .find(|appended| appended.position == link.position);
            let Some(Appended { event, .. }) = appended else {
                next = events::blank_member(self.conn.borrow(), link)?;
                continue;
            };
            let side = match link.role {
                Role::Inviter => event.inviter.as_mut(),
                Role::Invitee => event.invitee.as_mut(),
            };
            next = side.and_then(|side| {
                side.blank = true;
                side.previous
            });
        }
        Ok(next)
    }
}
