//! A store as a system under test, over any engine: one store for many sequences, each among members of its own.

use std::{collections::BTreeMap, sync::Arc};

use acquaint_tests::engines::{Engine, Place};
use futures::future::try_join_all;
use invitation_service::{
    domain::{
        accept::{Ruled, Ruling},
        member::Preferences,
        pair::DeclineReason,
        policy::Policy,
        refusal::Refusal,
        view::View,
    },
    store::{
        Store,
        command::{
            AwaitedVerdict,
            answer::{Acceptance, Ending},
            facts::FeedFact,
            member::PreferenceChange,
            send::{Answer, SendInvitation},
        },
        feed::{MemberChange, MemberEvent, Reached, Stretch},
        rows::FeedCursor,
    },
};
use service_kit::{
    clock::ManualClock,
    id::{MemberId, PairKey},
    time::Time,
};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::system::{EPOCH, Shown, System, assigns, queries};

/// An open store.
pub(crate) struct Stored {
    policy: Policy,
    clock: ManualClock,
    runtime: Runtime,
    store: Arc<dyn Store>,
    watches: BTreeMap<MemberId, Watch>,
    _place: Place,
}

impl Stored {
    /// A new one, in memory where the system has files in memory.
    pub(crate) fn new(engine: Engine, policy: Policy) -> Self {
        let clock = ManualClock::new(Time::ZERO);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (place, store) = runtime.block_on(async {
            let place = engine.place().await;
            let store = place.open(policy.clone(), Arc::new(clock.clone())).await;
            (place, store)
        });
        Self {
            policy,
            clock,
            runtime,
            store,
            watches: BTreeMap::new(),
            _place: place,
        }
    }

    /// Finishes and releases the store.
    pub(crate) fn close(self) {
        self.runtime.block_on(self.store.close());
    }
}

/// Somebody who follows a member's events from the first on.
#[derive(Default)]
struct Watch {
    until: u64,
    lists: BTreeMap<Uuid, View>,
}

impl Watch {
    fn take(&mut self, stretch: Stretch<MemberEvent>) {
        for event in stretch.events {
            assert!(event.reached.shown > self.until, "nothing is told twice");
            match event.change {
                MemberChange::Listed(view) => {
                    self.lists.insert(view.id, view);
                }
                MemberChange::Gone(id) => {
                    self.lists.remove(&id);
                }
                MemberChange::Seen(mark) => {
                    let received = self.lists.range_mut(..=mark).map(|(_, view)| view);
                    for view in received.filter(|view| view.seen.is_some()) {
                        view.seen = Some(true);
                    }
                }
            }
        }
        self.until = stretch.until;
    }
}

/// How many due ones are asked for: more than there ever are.
const MANY: usize = 1_000;

impl System for Stored {
    fn policy(&self) -> &Policy {
        &self.policy
    }

    fn set_clock(&mut self, at: Time) {
        self.clock.set(at);
    }

    fn followed(&mut self) -> u64 {
        self.runtime.block_on(self.store.cursor()).unwrap().position
    }

    fn send(&mut self, command: SendInvitation) -> Result<Answer, Refusal> {
        self.runtime.block_on(self.store.send(command)).unwrap()
    }

    fn accept(&mut self, member: &MemberId, id: &Uuid) -> Result<Acceptance, Refusal> {
        self.runtime
            .block_on(self.store.accept(member.clone(), *id))
            .unwrap()
    }

    fn decline(
        &mut self,
        member: &MemberId,
        id: &Uuid,
        reason: DeclineReason,
    ) -> Result<Ending, Refusal> {
        self.runtime
            .block_on(self.store.decline(member.clone(), *id, reason))
            .unwrap()
    }

    fn undo_decline(&mut self, member: &MemberId, id: &Uuid) -> Result<Ending, Refusal> {
        self.runtime
            .block_on(self.store.undo_decline(member.clone(), *id))
            .unwrap()
    }

    fn withdraw(&mut self, member: &MemberId, id: &Uuid) -> Result<Ending, Refusal> {
        self.runtime
            .block_on(self.store.withdraw(member.clone(), *id))
            .unwrap()
    }

    fn mark_seen(&mut self, member: &MemberId, until: Time) -> Result<(), Refusal> {
        self.runtime
            .block_on(self.store.mark_seen(member.clone(), until))
            .unwrap()
    }

    fn update_preferences(
        &mut self,
        member: &MemberId,
        change: PreferenceChange,
    ) -> Result<Preferences, Refusal> {
        self.runtime
            .block_on(self.store.update_preferences(member.clone(), change))
            .unwrap()
    }

    fn unbar(&mut self, member: &MemberId, inviter: &MemberId) -> Result<(), Refusal> {
        self.runtime
            .block_on(self.store.unbar(member.clone(), inviter.clone()))
            .unwrap()
    }

    fn set_plan(&mut self, member: &MemberId, plan: &str) -> Result<(), Refusal> {
        let set = self.store.act(assigns(member, plan));
        self.runtime.block_on(set).unwrap()
    }

    fn rule(&mut self, key: &PairKey, ruling: &Ruling) -> Ruled {
        let ruled = self.store.rule(key.clone(), EPOCH, ruling.clone());
        self.runtime.block_on(ruled).unwrap().unwrap()
    }

    fn fold(&mut self, facts: Vec<FeedFact>, until: u64) {
        let until = FeedCursor {
            epoch: Some(EPOCH),
            position: until,
        };
        self.runtime
            .block_on(self.store.fold(facts, until))
            .unwrap();
    }

    fn erase(&mut self, member: &MemberId) {
        while !self
            .runtime
            .block_on(self.store.erase(member.clone()))
            .unwrap()
        {}
    }

    fn review(&mut self, key: &PairKey) -> Option<AwaitedVerdict> {
        self.runtime
            .block_on(self.store.review(key.clone()))
            .unwrap()
    }

    fn auto_withdraw(&mut self, member: &MemberId) {
        self.runtime
            .block_on(self.store.auto_withdraw(member.clone()))
            .unwrap();
    }

    fn due_pairs(&mut self) -> Vec<PairKey> {
        self.runtime.block_on(self.store.due_pairs(MANY)).unwrap()
    }

    fn due_members(&mut self) -> Vec<MemberId> {
        self.runtime.block_on(self.store.due_members(MANY)).unwrap()
    }

    fn shown(&mut self, member: &MemberId, others: &[MemberId], ids: &[Uuid]) -> Shown {
        let store = &self.store;
        let watch = self.watches.entry(member.clone()).or_default();
        // All at once: what takes time is waiting for the readers' threads.
        let reads = async {
            futures::try_join!(
                try_join_all(queries(member).map(|query| store.list(query))),
                store.counts(member.clone()),
                store.quota(member.clone()),
                store.standing(member.clone()),
                store.preferences(member.clone()),
                store.bars(member.clone(), None, MANY),
                store.states(member.clone(), others.to_vec()),
                store.eligibility(member.clone(), others.to_vec()),
                try_join_all(ids.iter().map(|id| store.get(member.clone(), *id))),
                store.member_events(member.clone(), Reached::at(watch.until)),
            )
        };
        let (
            lists,
            counts,
            own,
            standing,
            preferences,
            (bars, more_bars),
            states,
            eligibility,
            invitations,
            events,
        ) = self.runtime.block_on(reads).unwrap();
        let more = more_bars || lists.iter().any(|(_, more)| *more);
        assert!(!more, "a page holds all");
        watch.take(events.unwrap());
        Shown {
            lists: lists.into_iter().map(|(views, _)| views).collect(),
            counts,
            quota: own.quota,
            became: standing.counts,
            preferences,
            bars,
            states,
            eligibility,
            invitations,
            watched: Some(watch.lists.values().cloned().collect()),
        }
    }

    fn flaw(&mut self, _erased: &[MemberId]) -> Option<String> {
        None
    }
}
