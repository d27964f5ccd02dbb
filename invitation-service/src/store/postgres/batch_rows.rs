//! A [`Batch`] as commands see it: rows to load and to put.
//!
//! What a command asks for brings with it what commands go on to ask for then: with a pair its two members and what they keep of the
//! invitation that is live or was accepted, with what one member keeps what the other does. Deliberately absent: loading and writing.

use service_kit::{
    error::StoreError,
    id::{MemberId, PairKey, Side},
    postgres::small,
    time::Time,
    trace::TraceContext,
};
use uuid::Uuid;

use super::batch::{Appended, Batch, Found, PairRow, Range, overtaken};
use crate::{
    domain::{
        act::Act,
        invitation::{Place, Role},
        member::{EventLink, Member},
        pair::Pair,
        view::Entry,
    },
    store::{
        codec,
        rows::{
            EventKind, FeedCursor, NewEvent, OldEntry, Remembered, Rows, StandingAct, UnseenRange,
        },
    },
};

fn wrong_range() -> StoreError {
    StoreError::internal("a range that holds something else")
}

impl Batch {
    /// The pairs of a range; none as long as it is not here.
    fn found_pairs(&mut self, range: &Range) -> Result<Vec<PairKey>, StoreError> {
        let keys = match self.range(range) {
            None => return Ok(Vec::new()),
            Some(Found::Pairs(keys)) => keys.clone(),
            Some(_) => return Err(wrong_range()),
        };
        self.announce(&mut keys.iter());
        Ok(keys)
    }

    /// Asks for a pair, its two members and what they keep of the invitation that is live or was accepted.
    fn ask_pair(&mut self, key: &PairKey) {
        self.pairs.ask(key);
        let row = self.pairs.get(key);
        let movable = row.into_iter().flat_map(|row| row.pair.movable());
        let ids: Vec<Uuid> = movable.map(|invitation| invitation.id).collect();
        for side in Side::BOTH {
            let member = key.member(side);
            self.members.ask(member);
            for id in &ids {
                self.entries.ask(&(member.clone(), *id));
            }
        }
    }

    fn appended_at(&mut self, position: u64) -> Option<&mut NewEvent> {
        let mut appended = self.appended.iter_mut();
        let found = appended.find(|appended| appended.position == position)?;
        Some(&mut found.event)
    }
}

impl Rows for Batch {
    fn now(&self) -> Time {
        self.now
    }

    fn trace(&self) -> Option<TraceContext> {
        self.trace
    }

    fn next_id(&mut self) -> Uuid {
        let id = self.ids.next(self.now);
        self.head.last_id = id;
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
        self.head.cursor
    }

    fn put_cursor(&mut self, cursor: FeedCursor) {
        self.head.cursor = cursor;
    }

    fn pair(&mut self, key: &PairKey) -> Result<Pair, StoreError> {
        self.ask_pair(key);
        let row = self.pairs.get(key);
        Ok(row.map_or_else(|| Pair::new(key.clone()), |row| row.pair.clone()))
    }

    fn announce(&mut self, keys: &mut dyn Iterator<Item = &PairKey>) {
        for key in keys {
            self.ask_pair(key);
        }
    }

    fn put_pair(&mut self, pair: Pair) {
        let cursor = self.head.cursor.position;
        let key = pair.key.clone();
        let row = (!pair.is_empty(cursor)).then(|| PairRow {
            due: pair.next_deadline(cursor, self.now),
            pair,
        });
        self.pairs.put(&key, row, self.command);
    }

    fn member(&mut self, id: &MemberId) -> Result<Member, StoreError> {
        if let Some(member) = self.members.get(id) {
            return Ok(member.clone());
        }
        // Only a member without a row can have been erased.
        let mut member = Member::new(id.clone());
        member.erased = self.newly_erased.contains(id) || self.erased.contains(id);
        Ok(member)
    }

    fn put_member(&mut self, member: Member) {
        let id = member.id.clone();
        self.members.put(&id, Some(member), self.command);
    }

    fn put_erased(&mut self, id: &MemberId) {
        self.newly_erased.push(id.clone());
    }

    fn append_act(&mut self, act: StandingAct) {
        self.head.acts += 1;
        self.acts.push((act, self.command));
    }

    fn act_of_request(
        &mut self,
        author: &str,
        request_id: &Uuid,
    ) -> Result<Option<(Option<MemberId>, Act)>, StoreError> {
        let same =
            |act: &StandingAct| act.author == author && act.request_id.as_ref() == Some(request_id);
        let command = self.command;
        if self.acts.iter().any(|(act, by)| *by < command && same(act)) {
            return Err(overtaken());
        }
        let range = Range::Act {
            author: author.to_owned(),
            request_id: *request_id,
        };
        match self.range(&range) {
            None => Ok(None),
            Some(Found::Act(act)) => Ok(act.clone()),
            Some(_) => Err(wrong_range()),
        }
    }

    fn delete_member(&mut self, id: &MemberId) {
        self.members.put(id, None, self.command);
        // What this batch has yet to write about the member would come after the deletion.
        self.remembered
            .unput(|(inviter, _)| inviter == id, self.command);
        self.deleted_members.push(id.clone());
    }

    fn entry(
        &mut self,
        member: &MemberId,
        invitation_id: &Uuid,
    ) -> Result<Option<Entry>, StoreError> {
        let key = (member.clone(), *invitation_id);
        let found = self.entries.get(&key).cloned();
        match &found {
            Some(entry) => self.entries.ask(&(entry.other.clone(), *invitation_id)),
            None => self.looks |= self.entries.is_wanted(&key),
        }
        Ok(found)
    }

    fn put_entry(&mut self, member: &MemberId, invitation_id: &Uuid, entry: Option<Entry>) {
        self.entries
            .put(&(member.clone(), *invitation_id), entry, self.command);
    }

    fn oldest_entries(
        &mut self,
        member: &MemberId,
        place: Place,
        sent_before: Time,
        limit: usize,
    ) -> Result<Vec<OldEntry>, StoreError> {
        if self
            .entries
            .was_put(|(whose, _)| whose == member, self.command)
        {
            return Err(overtaken());
        }
        let range = Range::Oldest {
            member: member.clone(),
            place: small(codec::place_number(place)),
            before: sent_before,
            limit,
        };
        match self.range(&range) {
            None => Ok(Vec::new()),
            Some(Found::Oldest(entries)) => Ok(entries.clone()),
            Some(_) => Err(wrong_range()),
        }
    }

    fn unseen_range(
        &mut self,
        member: &MemberId,
        after: &Uuid,
        before: Time,
    ) -> Result<UnseenRange, StoreError> {
        if self
            .entries
            .was_put(|(whose, _)| whose == member, self.command)
        {
            return Err(overtaken());
        }
        let range = Range::Unseen {
            member: member.clone(),
            after: *after,
            before,
        };
        match self.range(&range) {
            None => Ok(UnseenRange {
                latest: None,
                received: 0,
            }),
            Some(Found::Unseen(unseen)) => Ok(*unseen),
            Some(_) => Err(wrong_range()),
        }
    }

    fn some_pairs(&mut self, member: &MemberId, limit: usize) -> Result<Vec<PairKey>, StoreError> {
        if self
            .pairs
            .was_put(|key| key.side_of(member).is_some(), self.command)
        {
            return Err(overtaken());
        }
        self.found_pairs(&Range::PairsOf {
            member: member.clone(),
            limit,
        })
    }

    fn pairs_between(
        &mut self,
        after: Option<&PairKey>,
        until: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<PairKey>, StoreError> {
        let between = |key: &PairKey| {
            after.is_none_or(|after| key > after) && until.is_none_or(|until| key <= until)
        };
        if self.pairs.was_put(between, self.command) {
            return Err(overtaken());
        }
        self.found_pairs(&Range::PairsBetween {
            after: after.cloned(),
            until: until.cloned(),
            limit,
        })
    }

    fn remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
    ) -> Result<Option<Remembered>, StoreError> {
        let key = (inviter.clone(), *request_id);
        Ok(self.remembered.get(&key).cloned())
    }

    fn put_remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
        remembered: Option<Remembered>,
    ) {
        let key = (inviter.clone(), *request_id);
        self.remembered.put(&key, remembered, self.command);
    }

    fn withdraw_cooldown(&mut self, ordered_pair: &[u8; 16]) -> Result<Option<Time>, StoreError> {
        Ok(self.cooldowns.get(ordered_pair).copied())
    }

    fn put_withdraw_cooldown(&mut self, ordered_pair: &[u8; 16], until: Time) {
        self.cooldowns.put(ordered_pair, Some(until), self.command);
    }

    fn append_event(&mut self, event: NewEvent) -> u64 {
        self.head.position += 1;
        let position = self.head.position;
        self.appended.push(Appended { position, event });
        position
    }

    fn blank_invitation_events(&mut self, last_event: u64) -> Result<(), StoreError> {
        let mut position = last_event;
        while let Some(event) = self.appended_at(position) {
            event.kind = EventKind::Blank;
            position = event.previous_of_invitation;
        }
        if position != 0 {
            self.blanked_invitations.push(position);
        }
        Ok(())
    }

    fn blank_member_events(
        &mut self,
        from: Option<EventLink>,
        limit: usize,
    ) -> Result<Option<EventLink>, StoreError> {
        let (mut next, mut left) = (from, limit);
        while left > 0
            && let Some(link) = next
        {
            if let Some(event) = self.appended_at(link.position) {
                let side = match link.role {
                    Role::Inviter => event.inviter.as_mut(),
                    Role::Invitee => event.invitee.as_mut(),
                };
                next = side.and_then(|side| {
                    side.blank = true;
                    side.previous
                });
                left -= 1;
                continue;
            }
            // From here on back they are in the database.
            let range = Range::Chain {
                link: codec::link_number(Some(link)),
                limit: left,
            };
            let links = match self.range(&range) {
                None => return Ok(None),
                Some(Found::Chain(links)) => links.clone(),
                Some(_) => return Err(wrong_range()),
            };
            self.blanked.extend(links.iter().take(left));
            return Ok(links.get(left).copied());
        }
        Ok(next)
    }
}
