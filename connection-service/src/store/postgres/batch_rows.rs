//! A [`Batch`] as commands see it: rows to load and to put.
//!
//! What a command asks for brings with it what commands go on to ask for then: with a pair its two members, with lines of a list the rows that
//! they lead to. Deliberately absent: labels and notes (`batch_labels.rs`), loading and writing.

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Side, Sides};
use service_kit::time::Time;
use uuid::Uuid;

use super::batch::{Batch, CardPut, CardRow, Found, LineKey, Range, overtaken, wrong_range};
use super::lines::{Line, Lines};
use super::tables::fact::Appended;
use crate::domain::card::Card;
use crate::domain::ensure::StoredVerdict;
use crate::domain::erase::Erasure;
use crate::domain::fact::Fact;
use crate::domain::member::Member;
use crate::domain::pair::Pair;
use crate::store::cards::{CardRows, PutCard};
use crate::store::dismissals::DismissalRows;
use crate::store::rows::{Head, Listing, Rows};

impl Batch {
    fn lines(&mut self, listing: Listing) -> &mut Lines<LineKey> {
        match listing {
            Listing::Connections => &mut self.connections,
            Listing::Blocks => &mut self.blocks,
            Listing::RemovalMarks => &mut self.removal_marks,
        }
    }

    /// Has the pairs loaded that lines lead to, and their members.
    fn ask_pairs<'k>(&mut self, lines: impl Iterator<Item = &'k LineKey>) {
        for (member, _, other) in lines {
            if let Some(key) = PairKey::new(member, other) {
                self.ask_pair(&key);
            }
        }
    }

    fn ask_pair(&mut self, key: &PairKey) {
        self.pairs.ask(key);
        for side in Side::BOTH {
            self.members.ask(key.member(side));
        }
    }

    fn appended_at(&mut self, position: u64) -> Option<&mut Appended> {
        let mut appended = self.appended.iter_mut();
        appended.find(|appended| appended.position == position)
    }
}

impl Rows for Batch {
    fn clock(&self) -> Time {
        self.now
    }

    fn head(&mut self) -> Result<Head, StoreError> {
        Ok(self.head.seen)
    }

    fn put_head(&mut self, head: &Head) -> Result<(), StoreError> {
        self.head.seen = *head;
        self.touched = true;
        Ok(())
    }

    fn pair(&mut self, key: &PairKey) -> Result<Pair, StoreError> {
        self.ask_pair(key);
        Ok(self.pairs.get(key).copied().unwrap_or_default())
    }

    fn put_pair(&mut self, key: &PairKey, pair: &Pair) -> Result<(), StoreError> {
        let row = (!pair.is_empty()).then_some(*pair);
        self.pairs.put(key, row, self.command);
        Ok(())
    }

    fn pairs_of(
        &mut self,
        member: &MemberId,
        limit: u32,
    ) -> Result<Vec<(PairKey, Pair)>, StoreError> {
        let of_member = |key: &PairKey| key.side_of(member).is_some();
        if self.pairs.was_put(of_member, self.command) {
            return Err(overtaken());
        }
        let range = Range::PairsOf {
            member: member.clone(),
            limit,
        };
        let keys = match self.range(&range) {
            None => return Ok(Vec::new()),
            Some(Found::Pairs(keys)) => keys.clone(),
            Some(_) => return Err(wrong_range()),
        };
        let mut pairs = Vec::with_capacity(keys.len());
        for key in keys {
            self.ask_pair(&key);
            // One that is not here yet, or no more, is passed over: there is nothing to say of it.
            if let Some(pair) = self.pairs.get(&key).copied() {
                pairs.push((key, pair));
            }
        }
        Ok(pairs)
    }

    fn member(&mut self, id: &MemberId) -> Result<Option<Member>, StoreError> {
        Ok(self.members.get(id).copied())
    }

    fn put_member(&mut self, id: &MemberId, member: &Member) -> Result<(), StoreError> {
        self.members.put(id, Some(*member), self.command);
        Ok(())
    }

    fn delete_member(&mut self, id: &MemberId) -> Result<(), StoreError> {
        self.members.put(id, None, self.command);
        Ok(())
    }

    fn list(
        &mut self,
        listing: Listing,
        member: &MemberId,
        time: Time,
        other: &MemberId,
    ) -> Result<(), StoreError> {
        let by = self.command;
        let key = (member.clone(), time, other.clone());
        self.lines(listing).add(key, by)
    }

    fn unlist(
        &mut self,
        listing: Listing,
        member: &MemberId,
        time: Time,
        other: &MemberId,
    ) -> Result<(), StoreError> {
        let by = self.command;
        let key = (member.clone(), time, other.clone());
        self.lines(listing).take_off(key, by)
    }

    fn oldest_removal_mark(&mut self, member: &MemberId) -> Result<Option<MemberId>, StoreError> {
        let own = |key: &LineKey| &key.0 == member;
        let changes = || self.removal_marks.changes().filter(|(key, _)| own(key));
        let gone = changes().filter(|(_, line)| *line == Line::TakenOff);
        // Doubled rather than counted up, so that many commands in a row need few looks.
        let limit = gone.count().saturating_add(1).next_power_of_two();
        let range = Range::OldestMarks {
            member: member.clone(),
            limit,
        };
        let marks = match self.range(&range) {
            None => return Ok(None),
            Some(Found::Marks(marks)) => marks.clone(),
            Some(_) => return Err(wrong_range()),
        };
        self.ask_pairs(marks.iter());
        let mut gone = Vec::new();
        let mut added = Vec::new();
        for (key, line) in self.removal_marks.changes().filter(|(key, _)| own(key)) {
            match line {
                Line::TakenOff => gone.push(key),
                Line::Added => added.push(key),
            }
        }
        let kept = marks.iter().filter(|mark| !gone.contains(mark));
        let oldest = kept
            .chain(added)
            .min_by_key(|(_, time, other)| (*time, other));
        Ok(oldest.map(|(_, _, other)| other.clone()))
    }

    fn removal_marks_until(
        &mut self,
        until: Time,
        limit: u32,
    ) -> Result<Vec<(MemberId, MemberId)>, StoreError> {
        if self.removal_marks.was_changed(|_| true, self.command) {
            return Err(overtaken());
        }
        let marks = match self.range(&Range::MarksUntil { until, limit }) {
            None => return Ok(Vec::new()),
            Some(Found::Marks(marks)) => marks.clone(),
            Some(_) => return Err(wrong_range()),
        };
        self.ask_pairs(marks.iter());
        let whom = marks.into_iter().map(|(member, _, other)| (member, other));
        Ok(whom.collect())
    }

    fn verdict(&mut self, invitation: &Uuid) -> Result<Option<StoredVerdict>, StoreError> {
        Ok(self.verdicts.get(invitation).copied())
    }

    fn put_verdict(
        &mut self,
        invitation: &Uuid,
        verdict: &StoredVerdict,
    ) -> Result<(), StoreError> {
        self.verdicts.put(invitation, Some(*verdict), self.command);
        Ok(())
    }

    fn delete_verdicts_until(
        &mut self,
        until: Time,
        position: u64,
        limit: u32,
    ) -> Result<u32, StoreError> {
        let oldest = match self.range(&Range::VerdictsUntil { until, limit }) {
            None => return Ok(0),
            Some(Found::Verdicts(oldest)) => oldest.clone(),
            Some(_) => return Err(wrong_range()),
        };
        // In the order of time positions only grow, so looking at the oldest is enough.
        let old = oldest.iter().take_while(|(_, given)| *given <= position);
        let old: Vec<Uuid> = old.map(|(invitation, _)| *invitation).collect();
        let put_again = |invitation: &Uuid| old.contains(invitation);
        if !self.deleted_verdicts.is_empty() || self.verdicts.was_put(put_again, self.command) {
            return Err(overtaken());
        }
        let deleted = u32::try_from(old.len()).map_err(StoreError::internal)?;
        self.deleted_verdicts = old;
        Ok(deleted)
    }

    fn append_fact(
        &mut self,
        position: u64,
        time: Time,
        fact: &Fact,
        previous: Sides<u64>,
    ) -> Result<(), StoreError> {
        self.appended
            .push(Appended::new(position, time, fact, previous));
        Ok(())
    }

    fn delete_facts_until(&mut self, until: Time, limit: u32) -> Result<Option<u64>, StoreError> {
        if self.deleted_facts.is_some() {
            return Err(overtaken());
        }
        let oldest = match self.range(&Range::OldestFacts { limit }) {
            None => return Ok(None),
            Some(Found::Facts(oldest)) => oldest,
            Some(_) => return Err(wrong_range()),
        };
        // In the order of positions times only grow, so the first one that is too young ends it.
        let old = oldest.iter().take_while(|(_, time)| *time <= until);
        let last = old.map(|(position, _)| *position).last();
        self.deleted_facts = last;
        Ok(last)
    }

    fn blank_fact(&mut self, position: u64, member: &MemberId) -> Result<Option<u64>, StoreError> {
        if let Some(appended) = self.appended_at(position) {
            return appended.blank(member).map(Some);
        }
        let previous = self.ranges.loaded().find_map(|(range, found)| match found {
            Found::Chain(chain) if range.is_chain_of(member) => chain.get(&position).copied(),
            _ => None,
        });
        let previous = if previous.is_some() {
            previous
        } else {
            let range = Range::Chain {
                member: member.clone(),
                from: position,
            };
            match self.range(&range) {
                None => None,
                Some(Found::Chain(chain)) => chain.get(&position).copied(),
                Some(_) => return Err(wrong_range()),
            }
        };
        if previous.is_some() {
            self.blanked.push((position, member.clone()));
        }
        Ok(previous)
    }

    fn is_erased(&mut self, id: &MemberId) -> Result<bool, StoreError> {
        // Looked up with the member's row.
        self.members.ask(id);
        let erased = self.newly_erased.contains_key(id) || self.erased.contains(id);
        if erased {
            self.erasures.ask(id);
        }
        Ok(erased)
    }

    fn put_erased(&mut self, id: &MemberId, position: u64) -> Result<(), StoreError> {
        self.newly_erased.insert(id.clone(), position);
        Ok(())
    }

    fn erasure(&mut self, id: &MemberId) -> Result<Option<Erasure>, StoreError> {
        // The row that guards it, as long as there is one.
        self.members.ask(id);
        Ok(self.erasures.get(id).copied())
    }

    fn put_erasure(&mut self, id: &MemberId, erasure: &Erasure) -> Result<(), StoreError> {
        self.erasures.put(id, Some(*erasure), self.command);
        Ok(())
    }

    fn delete_erasure(&mut self, id: &MemberId) -> Result<(), StoreError> {
        self.erasures.put(id, None, self.command);
        Ok(())
    }

    // Everything is kept back until the end of the transaction, and written in the order of keys.
    fn hold(&mut self) {}

    fn write_held(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn last_acknowledgement(&mut self) -> Result<Option<Time>, StoreError> {
        if let Some((time, _)) = self.acknowledgement {
            return Ok(Some(time));
        }
        match self.range(&Range::LastAcknowledgement) {
            None => Ok(None),
            Some(Found::Time(time)) => Ok(*time),
            Some(_) => Err(wrong_range()),
        }
    }

    fn put_acknowledgement(&mut self, time: Time, position: u64) -> Result<(), StoreError> {
        if self.acknowledgement.is_some() {
            return Err(overtaken());
        }
        self.acknowledgement = Some((time, position));
        Ok(())
    }

    fn acknowledged_by(&mut self, time: Time) -> Result<u64, StoreError> {
        if self.acknowledgement.is_some() || self.forgotten_acknowledgements.is_some() {
            return Err(overtaken());
        }
        match self.range(&Range::AcknowledgedBy { time }) {
            None => Ok(0),
            Some(Found::Position(position)) => Ok(*position),
            Some(_) => Err(wrong_range()),
        }
    }

    fn forget_acknowledgements(&mut self, time: Time) -> Result<(), StoreError> {
        self.forgotten_acknowledgements = Some(time);
        Ok(())
    }

    fn tell_acknowledged(&mut self, position: u64) {
        self.told = Some(position);
    }
}

impl Range {
    fn is_chain_of(&self, whose: &MemberId) -> bool {
        matches!(self, Self::Chain { member, .. } if member == whose)
    }
}

impl CardRows for Batch {
    fn card(&mut self, member: &MemberId) -> Result<Option<Card>, StoreError> {
        Ok(self.cards.get(member).map(|row| row.card.clone()))
    }

    fn put_card(&mut self, put: &PutCard) -> Result<(), StoreError> {
        self.head.cards += 1;
        let row = CardRow {
            card: put.card.clone(),
            put: Some(CardPut {
                keys: put.keys.clone(),
                change: self.head.cards,
            }),
        };
        self.cards.ask(&put.member);
        self.cards.put(&put.member, Some(row), self.command);
        Ok(())
    }

    fn delete_card(&mut self, member: &MemberId) -> Result<(), StoreError> {
        self.cards.ask(member);
        self.cards.put(member, None, self.command);
        Ok(())
    }
}

impl DismissalRows for Batch {
    fn dismiss(
        &mut self,
        member: &MemberId,
        other: &MemberId,
        time: Time,
    ) -> Result<bool, StoreError> {
        // An earlier command may have pushed out the very one that this one looks for.
        let bounded = self.bounded_dismissals.get(member);
        if bounded.is_some_and(|(_, by)| *by < self.command) {
            return Err(overtaken());
        }
        let key = (member.clone(), other.clone());
        if self.dismissals.get(&key).is_some() {
            return Ok(false);
        }
        self.dismissals.put(&key, Some(time), self.command);
        Ok(true)
    }

    fn bound_dismissals(
        &mut self,
        member: &MemberId,
        dismissals_max: u32,
    ) -> Result<(), StoreError> {
        self.bounded_dismissals
            .insert(member.clone(), (dismissals_max, self.command));
        Ok(())
    }

    fn delete_dismissals(&mut self, member: &MemberId, limit: u32) -> Result<u32, StoreError> {
        let around = |(by, of): &(MemberId, MemberId)| by == member || of == member;
        if self.dismissals.was_put(around, self.command)
            || self.deleted_dismissals.iter().any(around)
        {
            return Err(overtaken());
        }
        let range = Range::DismissalsAround {
            member: member.clone(),
            limit,
        };
        let found = match self.range(&range) {
            None => return Ok(0),
            Some(Found::Dismissals(found)) => found.clone(),
            Some(_) => return Err(wrong_range()),
        };
        let deleted = u32::try_from(found.len()).map_err(StoreError::internal)?;
        self.deleted_dismissals.extend(found);
        Ok(deleted)
    }
}
