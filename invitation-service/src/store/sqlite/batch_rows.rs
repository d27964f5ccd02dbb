//! A [`Batch`] as commands see it: rows to load and to put.
//!
//! Deliberately absent: when anything is written (`batch.rs`).

use std::{borrow::Borrow, collections::btree_map::Entry as Slot};

use rusqlite::Connection;
use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey},
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use super::{
    batch::{Appended, Batch, Loaded, PairRow, erased_hash},
    events, reads, tables,
};
use crate::{
    domain::{
        act::Act,
        invitation::{Place, Role},
        member::{EventLink, Member},
        pair::Pair,
        view::Entry,
    },
    store::rows::{
        EventKind, FeedCursor, NewEvent, OldEntry, Remembered, Rows, StandingAct, UnseenRange,
    },
};

impl<C: Borrow<Connection>> Rows for Batch<C> {
    fn now(&self) -> Time {
        self.now
    }

    fn trace(&self) -> Option<TraceContext> {
        self.trace()
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

    fn append_act(&mut self, act: StandingAct) {
        self.acts.push(act);
    }

    fn act_of_request(
        &mut self,
        author: &str,
        request_id: &Uuid,
    ) -> Result<Option<(Option<MemberId>, Act)>, StoreError> {
        self.flush_for_query()?;
        tables::act_of_request(self.conn.borrow(), author, request_id)
    }

    fn delete_member(&mut self, id: &MemberId) {
        if let Some(slot) = self.members.get_mut(id) {
            slot.put(None);
        }
        // What this batch has yet to write about the member would come after the deletion.
        for ((inviter, _), slot) in &mut self.remembered {
            if inviter == id {
                slot.put(None);
            }
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
        if !self.writable {
            // What a preview comes to does not depend on events.
            return Ok(());
        }
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
