//! A store in memory: the service's commands over rows in maps, one command a transaction.
//!
//! Deliberately absent: whatever an engine does to be fast or safe. What is read here is counted from the entries.

mod rows;

use invitation_service::{
    domain::{
        accept::{Ruled, Ruling},
        invitation::{Place, Role},
        member::{Member, Preferences, Quota},
        pair::{DeclineReason, Pair},
        policy::Policy,
        refusal::Refusal,
        standing::Counts as Outcomes,
        view::{Entry, View, view},
    },
    store::{
        Barred, Counts, Decided, ListOrder, ListQuery,
        command::{
            self, AwaitedVerdict,
            answer::{Acceptance, Ending},
            facts::FeedFact,
            member::PreferenceChange,
            send::{Answer, SendInvitation},
        },
        rows::{EventKind, FeedCursor, Rows as _},
    },
};
use service_kit::{
    id::{MemberId, PairKey, Side},
    time::Time,
};
use uuid::Uuid;

use self::rows::MapRows;
use super::system::{EPOCH, Shown, System, assigns, queries};

/// The store.
pub(crate) struct Memory {
    policy: Policy,
    rows: MapRows,
}

impl Memory {
    /// An empty one.
    pub(crate) fn new(policy: Policy) -> Self {
        Self {
            policy,
            rows: MapRows::new(),
        }
    }
}

impl Memory {
    fn get(&mut self, member: &MemberId, id: &Uuid) -> Option<View> {
        let entry = self.rows.entry(member, id).unwrap()?;
        let seen_until = self.rows.seen_until(member);
        entry
            .is_kept(&self.policy, self.rows.now)
            .then(|| view(member, &seen_until, *id, entry))
    }

    fn list(&self, query: &ListQuery) -> Vec<View> {
        let seen_until = self.rows.seen_until(&query.member);
        let in_it = |entry: &Entry| {
            let withdrawn = query.include_recently_withdrawn && entry.place == Place::Withdrawn;
            (entry.place == query.list || withdrawn) && entry.is_kept(&self.policy, self.rows.now)
        };
        let entries = self
            .rows
            .of(&query.member)
            .filter(|(_, entry)| in_it(entry));
        let mut views: Vec<_> = entries
            .map(|(id, entry)| view(&query.member, &seen_until, id, entry.clone()))
            .collect();
        if query.order == ListOrder::Newest {
            views.reverse();
        }
        views
    }

    fn counts(&self, member: &MemberId) -> Counts {
        let Some(row) = self.rows.members.get(member) else {
            return Counts::default();
        };
        let overdue = |place: Place, unseen: bool| {
            let over = |(id, entry): &(Uuid, &Entry)| {
                let counted = entry.place == place && (!unseen || *id > row.seen_until);
                counted && !entry.is_kept(&self.policy, self.rows.now)
            };
            u32::try_from(self.rows.of(member).filter(over).count()).unwrap()
        };
        Counts {
            received_pending: row.received_pending - overdue(Place::Received, false),
            received_unseen: row.received_unseen - overdue(Place::Received, true),
            filtered_pending: row.filtered_pending - overdue(Place::Filtered, false),
            sent_pending: row.sent_pending - overdue(Place::Sent, false),
        }
    }

    fn state(&self, member: &MemberId, other: &MemberId) -> Option<(Role, Uuid)> {
        let live = |(_, entry): &(Uuid, &Entry)| {
            entry.other == *other
                && entry.place.is_list()
                && entry.is_kept(&self.policy, self.rows.now)
        };
        let mut found = self.rows.of(member).filter(live);
        found.next().map(|(id, entry)| (entry.role, id))
    }

    fn quota(&mut self, member: &MemberId) -> Quota {
        let row = self.rows.member(member).unwrap();
        let mut quota = row.quota(&self.policy, self.rows.now);
        quota.pending_sent = self.counts(member).sent_pending;
        quota
    }

    fn became(&mut self, member: &MemberId) -> Outcomes {
        let row = self.rows.member(member).unwrap();
        let terms = row.terms(&self.policy);
        row.standing.known(self.rows.now, &terms).counts
    }

    fn bars(&self, member: &MemberId) -> Vec<Barred> {
        let mut barred = Vec::new();
        for (key, (pair, _)) in &self.rows.pairs {
            for side in Side::BOTH {
                let bar = pair
                    .bars
                    .get(side)
                    .filter(|_| key.member(side.other()) == member);
                barred.extend(bar.map(|bar| Barred {
                    inviter: key.member(side).clone(),
                    reason: bar.reason,
                    time: bar.time,
                }));
            }
        }
        barred.sort_by(|a, b| a.inviter.cmp(&b.inviter));
        barred
    }
}

fn done<T>(decided: Decided<T>) -> Result<T, Refusal> {
    decided.unwrap()
}

impl System for Memory {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn set_clock(&mut self, at: Time) {
        self.rows.now = self.rows.now.max(at);
    }

    fn followed(&mut self) -> u64 {
        self.rows.cursor.position
    }

    fn send(&mut self, command: SendInvitation) -> Result<Answer, Refusal> {
        done(command::send::send(&mut self.rows, &self.policy, &command))
    }

    fn accept(&mut self, member: &MemberId, id: &Uuid) -> Result<Acceptance, Refusal> {
        done(command::answer::accept(
            &mut self.rows,
            &self.policy,
            member,
            id,
        ))
    }

    fn decline(
        &mut self,
        member: &MemberId,
        id: &Uuid,
        reason: DeclineReason,
    ) -> Result<Ending, Refusal> {
        done(command::answer::decline(
            &mut self.rows,
            &self.policy,
            member,
            id,
            reason,
        ))
    }

    fn undo_decline(&mut self, member: &MemberId, id: &Uuid) -> Result<Ending, Refusal> {
        done(command::answer::undo_decline(
            &mut self.rows,
            &self.policy,
            member,
            id,
        ))
    }

    fn withdraw(&mut self, member: &MemberId, id: &Uuid) -> Result<Ending, Refusal> {
        done(command::withdraw::withdraw(
            &mut self.rows,
            &self.policy,
            member,
            id,
        ))
    }

    fn mark_seen(&mut self, member: &MemberId, until: Time) -> Result<(), Refusal> {
        done(command::member::mark_seen(&mut self.rows, member, until))
    }

    fn update_preferences(
        &mut self,
        member: &MemberId,
        change: PreferenceChange,
    ) -> Result<Preferences, Refusal> {
        done(command::member::update_preferences(
            &mut self.rows,
            member,
            change,
        ))
    }

    fn unbar(&mut self, member: &MemberId, inviter: &MemberId) -> Result<(), Refusal> {
        done(command::member::unbar(
            &mut self.rows,
            &self.policy,
            member,
            inviter,
        ))
    }

    fn set_plan(&mut self, member: &MemberId, plan: &str) -> Result<(), Refusal> {
        done(command::member::act(
            &mut self.rows,
            &self.policy,
            &assigns(member, plan),
        ))
    }

    fn rule(&mut self, key: &PairKey, ruling: &Ruling) -> Ruled {
        let ruled = command::facts::rule(&mut self.rows, &self.policy, key, EPOCH, ruling);
        ruled.unwrap().unwrap()
    }

    fn fold(&mut self, facts: Vec<FeedFact>, until: u64) {
        let until = FeedCursor {
            epoch: Some(EPOCH),
            position: until,
        };
        command::facts::fold(&mut self.rows, &self.policy, &facts, until).unwrap();
    }

    fn erase(&mut self, member: &MemberId) {
        while !command::erase::erase(&mut self.rows, &self.policy, member).unwrap() {}
    }

    fn review(&mut self, key: &PairKey) -> Option<AwaitedVerdict> {
        command::review::review(&mut self.rows, &self.policy, key).unwrap()
    }

    fn auto_withdraw(&mut self, member: &MemberId) {
        command::withdraw::auto_withdraw(&mut self.rows, &self.policy, member).unwrap();
    }

    fn due_pairs(&mut self) -> Vec<PairKey> {
        let now = self.rows.now;
        let due =
            |(_, (_, due)): &(&PairKey, &(Pair, Option<Time>))| due.is_some_and(|due| due <= now);
        self.rows
            .pairs
            .iter()
            .filter(due)
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn due_members(&mut self) -> Vec<MemberId> {
        let now = self.rows.now;
        let due = |member: &&Member| member.auto_withdraw_at.is_some_and(|at| at <= now);
        self.rows
            .members
            .values()
            .filter(due)
            .map(|member| member.id.clone())
            .collect()
    }

    fn shown(&mut self, member: &MemberId, others: &[MemberId], ids: &[Uuid]) -> Shown {
        Shown {
            lists: queries(member)
                .iter()
                .map(|query| self.list(query))
                .collect(),
            counts: self.counts(member),
            quota: self.quota(member),
            became: self.became(member),
            preferences: self.rows.member(member).unwrap().preferences,
            bars: self.bars(member),
            states: others
                .iter()
                .map(|other| self.state(member, other))
                .collect(),
            eligibility: done(command::eligibility::eligibility(
                &mut self.rows.copy(),
                &self.policy,
                member,
                others,
            )),
            invitations: ids.iter().map(|id| self.get(member, id)).collect(),
            watched: None,
        }
    }

    fn flaw(&mut self, erased: &[MemberId]) -> Option<String> {
        for (number, event) in self.rows.events.iter().enumerate() {
            for side in event.inviter.iter().chain(&event.invitee) {
                if erased.contains(&side.member) && !side.blank && event.kind != EventKind::Blank {
                    return Some(format!(
                        "event {} names {}, who was erased",
                        number + 1,
                        side.member
                    ));
                }
            }
        }
        // A pair that only says where it was read lasts until the feed has passed there.
        let something = |pair: &&Pair| !pair.is_empty(u64::MAX);
        let pairs = self.rows.pairs.values().map(|(pair, _)| pair);
        let pairs: Vec<_> = pairs.filter(something).collect();
        let kept = |member: &MemberId| {
            let entries = self.rows.entries.iter();
            let mut entries =
                entries.filter(|((owner, _), entry)| owner == member || entry.other == *member);
            let mut pairs = pairs
                .iter()
                .filter(|pair| pair.key.side_of(member).is_some());
            let entry = entries.next().map(|entry| format!("{entry:?}"));
            let pair = pairs.next().map(|pair| format!("{pair:?}"));
            let row = self.rows.members.get(member).map(|row| format!("{row:?}"));
            entry.or(pair).or(row)
        };
        let kept = erased.iter().find_map(kept)?;
        Some(format!("kept of somebody who was erased: {kept}"))
    }
}
