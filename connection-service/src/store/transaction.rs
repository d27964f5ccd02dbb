//! One command inside the write transaction: what it loads, and how a decided pair is written so that everything agrees.
//!
//! The pair is the truth. Counters, lists and the fact follow from the pair before and after, and are written here and nowhere
//! else; what hangs on a connection is dropped here when it ends. Deliberately absent: the commands themselves (see `commands`, `erasure`, `retention`) and SQL.

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Side, Sides};
use service_kit::time::Time;

use super::labels;
use super::rows::{Head, Listing, Rows};
use crate::domain::fact::{Fact, PairEvent};
use crate::domain::member::{Member, Party, recount};
use crate::domain::pair::Pair;
use crate::domain::policy::Policy;

/// A command's view of the store.
pub(super) struct Transaction<'a> {
    pub(super) rows: &'a mut dyn Rows,
    pub(super) policy: &'a Policy,
    /// The store's time: never earlier than that of any commit before, even if the clock was set back.
    pub(super) now: Time,
    pub(super) head: Head,
}

impl<'a> Transaction<'a> {
    pub(super) fn begin(rows: &'a mut dyn Rows, policy: &'a Policy) -> Result<Self, StoreError> {
        let head = rows.head()?;
        let now = rows.clock().max(head.last_time);
        Ok(Self {
            rows,
            policy,
            now,
            head,
        })
    }

    /// Must be the last act of every command that changed something.
    pub(super) fn finish(mut self) -> Result<(), StoreError> {
        self.head.last_time = self.now;
        self.rows.put_head(&self.head)
    }

    /// The member as a decision meets them. The mark of an erasure is looked up only for those without a row, since an erased
    /// member has none.
    pub(super) fn party(&mut self, id: &MemberId) -> Result<Party, StoreError> {
        Ok(match self.rows.member(id)? {
            Some(member) => Party::Present(member),
            None if self.rows.is_erased(id)? => Party::Erased,
            None => Party::Present(Member::default()),
        })
    }

    /// Both members of a pair.
    pub(super) fn parties(&mut self, key: &PairKey) -> Result<Sides<Party>, StoreError> {
        Ok(Sides {
            low: self.party(key.low())?,
            high: self.party(key.high())?,
        })
    }

    /// Writes what was decided about a pair: the pair, its members' lists and counters, and the fact of `event`.
    pub(super) fn write(
        &mut self,
        key: &PairKey,
        before: &Pair,
        after: &Pair,
        event: Option<PairEvent>,
        members: &mut Sides<Member>,
    ) -> Result<(), StoreError> {
        if before == after {
            return Ok(());
        }
        self.rows.put_pair(key, after)?;
        self.write_lists(key, before, after)?;
        if let Some(ended) = before
            .connection
            .filter(|_| before.connection != after.connection)
        {
            labels::drop_annotations(self, key, ended.connect_time)?;
        }
        recount(before, after, members).map_err(StoreError::corrupt)?;
        if let Some(event) = event {
            let previous = Sides {
                low: members.low.last_fact,
                high: members.high.last_fact,
            };
            let position = self.append(&Fact::of_pair(key, event, before, after), previous)?;
            members.low.last_fact = position;
            members.high.last_fact = position;
        }
        Ok(())
    }

    /// Takes the next position for a fact.
    pub(super) fn append(&mut self, fact: &Fact, previous: Sides<u64>) -> Result<u64, StoreError> {
        let position = self.head.position.checked_add(1);
        let position = position.ok_or_else(|| StoreError::corrupt("the feed is at its end"))?;
        self.rows.append_fact(position, self.now, fact, previous)?;
        self.head.position = position;
        Ok(position)
    }

    /// Drops a member's oldest removal marks beyond the bound. `member` is theirs, to be written by the caller.
    pub(super) fn bound_removal_marks(
        &mut self,
        id: &MemberId,
        member: &mut Member,
    ) -> Result<(), StoreError> {
        let marks_max = self.policy.removal_marks_max;
        while member.removal_marks > marks_max {
            let oldest = self.rows.oldest_removal_mark(id)?;
            let oldest = oldest.ok_or_else(|| StoreError::corrupt("counted marks are missing"))?;
            self.drop_removal_mark(id, &oldest)?;
            member.removal_marks -= 1;
        }
        Ok(())
    }

    /// Takes back the mark that `id` has removed `other`, but for the counter.
    pub(super) fn drop_removal_mark(
        &mut self,
        id: &MemberId,
        other: &MemberId,
    ) -> Result<(), StoreError> {
        let key = PairKey::new(id, other);
        let key = key.ok_or_else(|| StoreError::corrupt("a member removed themselves"))?;
        let side = if key.low() == id {
            Side::Low
        } else {
            Side::High
        };
        let mut pair = self.rows.pair(&key)?;
        let removed = pair.removed.get_mut(side).take();
        let removed = removed.ok_or_else(|| StoreError::corrupt("a mark has no removal"))?;
        self.rows.put_pair(&key, &pair)?;
        self.rows.unlist(Listing::RemovalMarks, id, removed, other)
    }

    fn write_lists(
        &mut self,
        key: &PairKey,
        before: &Pair,
        after: &Pair,
    ) -> Result<(), StoreError> {
        for side in Side::BOTH {
            let (member, other) = (key.member(side), key.member(side.other()));
            for listing in Listing::ALL {
                let (was, is) = (listed(before, side, listing), listed(after, side, listing));
                if was == is {
                    continue;
                }
                if let Some(time) = was {
                    self.rows.unlist(listing, member, time, other)?;
                }
                if let Some(time) = is {
                    self.rows.list(listing, member, time, other)?;
                }
            }
        }
        Ok(())
    }
}

/// Since when the pair stands in a list of the member on `side`.
fn listed(pair: &Pair, side: Side, listing: Listing) -> Option<Time> {
    match listing {
        Listing::Connections => pair.connection.map(|connection| connection.connect_time),
        Listing::Blocks => *pair.blocked.get(side),
        Listing::RemovalMarks => *pair.removed.get(side),
    }
}
