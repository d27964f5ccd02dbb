//! The rows of a transaction, in maps.

use std::collections::{BTreeMap, BTreeSet};

use invitation_service::{
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
use service_kit::{
    error::StoreError,
    id::{IdSource, MemberId, PairKey},
    secret::StoreSecret,
    time::Time,
};
use uuid::Uuid;

/// Rows in maps.
pub(super) struct MapRows {
    pub(super) now: Time,
    pub(super) ids: IdSource,
    pub(super) secret: StoreSecret,
    pub(super) cursor: FeedCursor,
    pub(super) pairs: BTreeMap<PairKey, (Pair, Option<Time>)>,
    pub(super) members: BTreeMap<MemberId, Member>,
    pub(super) erased: BTreeSet<MemberId>,
    pub(super) entries: BTreeMap<(MemberId, Uuid), Entry>,
    pub(super) remembered: BTreeMap<(MemberId, Uuid), Remembered>,
    pub(super) cooldowns: BTreeMap<[u8; 16], Time>,
    /// The event at position `n` is number `n - 1`.
    pub(super) events: Vec<NewEvent>,
    acts: Vec<StandingAct>,
}

impl MapRows {
    pub(super) fn new() -> Self {
        Self {
            now: Time::ZERO,
            ids: IdSource::new(|bytes| bytes.fill(0)),
            secret: StoreSecret::from_bytes(&[9; 32]).unwrap(),
            cursor: FeedCursor {
                epoch: None,
                position: 0,
            },
            pairs: BTreeMap::new(),
            members: BTreeMap::new(),
            erased: BTreeSet::new(),
            entries: BTreeMap::new(),
            remembered: BTreeMap::new(),
            cooldowns: BTreeMap::new(),
            events: Vec::new(),
            acts: Vec::new(),
        }
    }

    /// The same rows once more, for what is not to be kept.
    pub(super) fn copy(&self) -> Self {
        Self {
            now: self.now,
            ids: IdSource::new(|bytes| bytes.fill(0)),
            secret: self.secret.clone(),
            cursor: self.cursor,
            pairs: self.pairs.clone(),
            members: self.members.clone(),
            erased: self.erased.clone(),
            entries: self.entries.clone(),
            remembered: self.remembered.clone(),
            cooldowns: self.cooldowns.clone(),
            events: self.events.clone(),
            acts: self.acts.clone(),
        }
    }

    fn event(&mut self, position: u64) -> &mut NewEvent {
        let number = usize::try_from(position).unwrap() - 1;
        &mut self.events[number]
    }

    pub(super) fn of(&self, member: &MemberId) -> impl Iterator<Item = (Uuid, &Entry)> {
        let entries = self
            .entries
            .iter()
            .filter(move |((owner, _), _)| owner == member);
        entries.map(|((_, id), entry)| (*id, entry))
    }

    pub(super) fn seen_until(&self, member: &MemberId) -> Uuid {
        self.members
            .get(member)
            .map_or_else(Uuid::nil, |member| member.seen_until)
    }
}

impl Rows for MapRows {
    fn now(&self) -> Time {
        self.now
    }

    fn next_id(&mut self) -> Uuid {
        self.ids.next(self.now)
    }

    fn jitter(&mut self) -> u32 {
        12_345
    }

    fn keyed_hash(&self, purpose: &'static str, parts: &[&[u8]]) -> [u8; 16] {
        self.secret.keyed_hash(purpose, parts)
    }

    fn cursor(&self) -> FeedCursor {
        self.cursor
    }

    fn put_cursor(&mut self, cursor: FeedCursor) {
        self.cursor = cursor;
    }

    fn pair(&mut self, key: &PairKey) -> Result<Pair, StoreError> {
        let kept = self.pairs.get(key).map(|(pair, _)| pair.clone());
        Ok(kept.unwrap_or_else(|| Pair::new(key.clone())))
    }

    fn put_pair(&mut self, pair: Pair) {
        let cursor = self.cursor.position;
        if pair.is_empty(cursor) {
            self.pairs.remove(&pair.key);
        } else {
            let due = pair.next_deadline(cursor, self.now);
            self.pairs.insert(pair.key.clone(), (pair, due));
        }
    }

    fn member(&mut self, id: &MemberId) -> Result<Member, StoreError> {
        let mut member = self
            .members
            .get(id)
            .cloned()
            .unwrap_or_else(|| Member::new(id.clone()));
        member.erased |= self.erased.contains(id);
        Ok(member)
    }

    fn put_member(&mut self, member: Member) {
        self.members.insert(member.id.clone(), member);
    }

    fn put_erased(&mut self, id: &MemberId) {
        self.erased.insert(id.clone());
    }

    fn append_act(&mut self, act: StandingAct) {
        self.acts.push(act);
    }

    fn act_of_request(
        &mut self,
        author: &str,
        request_id: &Uuid,
    ) -> Result<Option<(Option<MemberId>, Act)>, StoreError> {
        let mut acts = self.acts.iter();
        let found = acts.find(|act| act.author == author && act.request_id == Some(*request_id));
        Ok(found.map(|act| (Some(act.member.clone()), act.act.clone())))
    }

    fn delete_member(&mut self, id: &MemberId) {
        self.members.remove(id);
        self.remembered.retain(|(inviter, _), _| inviter != id);
    }

    fn entry(
        &mut self,
        member: &MemberId,
        invitation_id: &Uuid,
    ) -> Result<Option<Entry>, StoreError> {
        Ok(self.entries.get(&(member.clone(), *invitation_id)).cloned())
    }

    fn put_entry(&mut self, member: &MemberId, invitation_id: &Uuid, entry: Option<Entry>) {
        let key = (member.clone(), *invitation_id);
        match entry {
            Some(entry) => self.entries.insert(key, entry),
            None => self.entries.remove(&key),
        };
    }

    fn oldest_entries(
        &mut self,
        member: &MemberId,
        place: Place,
        sent_before: Time,
        limit: usize,
    ) -> Result<Vec<OldEntry>, StoreError> {
        let old = |(invitation_id, entry): (Uuid, &Entry)| OldEntry {
            invitation_id,
            other: entry.other.clone(),
            create_time: entry.create_time,
            expire_time: entry.expire_time,
        };
        let in_it =
            |(_, entry): &(Uuid, &Entry)| entry.place == place && entry.create_time < sent_before;
        Ok(self.of(member).filter(in_it).take(limit).map(old).collect())
    }

    fn unseen_range(
        &mut self,
        member: &MemberId,
        after: &Uuid,
        before: Time,
    ) -> Result<UnseenRange, StoreError> {
        let waiting = [Place::Received, Place::Filtered];
        let in_it = |(id, entry): &(Uuid, &Entry)| {
            waiting.contains(&entry.place) && id > after && entry.create_time < before
        };
        let found: Vec<_> = self.of(member).filter(in_it).collect();
        let received = found
            .iter()
            .filter(|(_, entry)| entry.place == Place::Received)
            .count();
        Ok(UnseenRange {
            latest: found.last().map(|(id, _)| *id),
            received: u32::try_from(received).unwrap(),
        })
    }

    fn some_pairs(&mut self, member: &MemberId, limit: usize) -> Result<Vec<PairKey>, StoreError> {
        let own = self
            .pairs
            .keys()
            .filter(|key| key.side_of(member).is_some());
        Ok(own.take(limit).cloned().collect())
    }

    fn pairs_between(
        &mut self,
        after: Option<&PairKey>,
        until: Option<&PairKey>,
        limit: usize,
    ) -> Result<Vec<PairKey>, StoreError> {
        let within = |key: &&PairKey| {
            after.is_none_or(|after| *key > after) && until.is_none_or(|until| *key <= until)
        };
        Ok(self
            .pairs
            .keys()
            .filter(within)
            .take(limit)
            .cloned()
            .collect())
    }

    fn remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
    ) -> Result<Option<Remembered>, StoreError> {
        Ok(self
            .remembered
            .get(&(inviter.clone(), *request_id))
            .cloned())
    }

    fn put_remembered(
        &mut self,
        inviter: &MemberId,
        request_id: &Uuid,
        remembered: Option<Remembered>,
    ) {
        let key = (inviter.clone(), *request_id);
        match remembered {
            Some(remembered) => self.remembered.insert(key, remembered),
            None => self.remembered.remove(&key),
        };
    }

    fn withdraw_cooldown(&mut self, ordered_pair: &[u8; 16]) -> Result<Option<Time>, StoreError> {
        Ok(self.cooldowns.get(ordered_pair).copied())
    }

    fn put_withdraw_cooldown(&mut self, ordered_pair: &[u8; 16], until: Time) {
        self.cooldowns.insert(*ordered_pair, until);
    }

    fn append_event(&mut self, event: NewEvent) -> u64 {
        self.events.push(event);
        u64::try_from(self.events.len()).unwrap()
    }

    fn blank_invitation_events(&mut self, last_event: u64) -> Result<(), StoreError> {
        let mut position = last_event;
        while position != 0 {
            let event = self.event(position);
            event.kind = EventKind::Blank;
            position = event.previous_of_invitation;
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
            let event = self.event(link.position);
            let side = match link.role {
                Role::Inviter => event.inviter.as_mut().unwrap(),
                Role::Invitee => event.invitee.as_mut().unwrap(),
            };
            side.blank = true;
            next = side.previous;
        }
        Ok(next)
    }
}
