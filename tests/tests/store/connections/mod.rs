//! connection-service's store over every engine: every command, every read, restarts, and that everything agrees with the pairs.
//!
//! Deliberately absent: the rules' tables (beside the rules) and the wire.

mod cards;
pub(crate) mod copied;
mod dismissals;
mod erasing;
mod feed;
mod importing;
mod labelled;
mod labels;
mod lists;
mod network;
mod notes;
mod pairs;
mod random;
mod random_labels;
mod recount;
mod retention;
mod sequences;
mod states;
mod told;

use std::sync::Arc;

use acquaint_tests::{
    engines::{Engine, Place},
    rows::Look,
};
use connection_service::{
    domain::{
        ensure::{Acceptance, Verdict},
        import::{Outcome, Reason},
        policy::Policy,
        refusal::Refusal,
    },
    store::{Act, Acted, Ensured, Imported, Line, ListRequest, Store},
    worker,
};
use rusqlite::Connection;
use service_kit::{
    clock::{Clock as _, ManualClock},
    epoch::EpochId,
    id::{MemberId, PairKey},
    metrics::work::WorkMetrics,
    time::{Span, Time},
};
use uuid::Uuid;

use recount::{is_named, lines};

/// A store at a place of its own, with a clock that moves when told to.
struct Fixture {
    place: Place,
    clock: ManualClock,
    policy: Policy,
    store: Arc<dyn Store>,
    look: Look,
}

const START: Time = at(1_000_000);

impl Fixture {
    async fn on(engine: Engine) -> Self {
        Self::with(engine, Policy::default()).await
    }

    async fn with(engine: Engine, policy: Policy) -> Self {
        let place = engine.place_of_connections().await;
        let clock = ManualClock::new(START);
        let store = open(&place, policy, &clock).await;
        let look = place.look_at_connections().await;
        Self {
            place,
            clock,
            policy,
            store,
            look,
        }
    }

    /// Closes the store and opens it again, as a new process would.
    async fn restart(&mut self) {
        self.store.close().await;
        self.store = open(&self.place, self.policy, &self.clock).await;
    }

    fn tick(&self, millis: i64) {
        self.clock.advance(Span::millis(millis));
    }

    async fn ensure(
        &self,
        invitation: u128,
        number: u32,
        inviter: &str,
        acceptor: &str,
    ) -> Ensured {
        self.ensure_at(invitation, number, inviter, acceptor, self.clock.now())
            .await
    }

    async fn ensure_at(
        &self,
        invitation: u128,
        number: u32,
        inviter: &str,
        acceptor: &str,
        accept_time: Time,
    ) -> Ensured {
        let key = key(inviter, acceptor);
        let acceptance = Acceptance {
            invitation: Uuid::from_u128(invitation),
            number,
            accept_time,
            acceptor: key.side_of(&id(acceptor)).unwrap(),
        };
        self.store.ensure_connection(key, acceptance).await.unwrap()
    }

    /// Connects two members at the present moment.
    async fn connect(&self, a: &str, b: &str) -> u64 {
        let invitation = u128::from(self.head().await) << 64 | u128::from(b.len() as u64) | 7;
        let ensured = self.ensure(invitation, 1, a, b).await;
        assert!(
            matches!(ensured.verdict, Verdict::Created { .. }),
            "{ensured:?}"
        );
        ensured.position
    }

    /// Imports pairs as connected at the present moment; what became of each.
    async fn import(&self, pairs: &[(&str, &str)]) -> Vec<Outcome> {
        let connect_time = self.clock.now();
        let imported = pairs.iter().map(|(a, b)| Imported {
            key: key(a, b),
            connect_time,
        });
        self.store.import(imported.collect()).await.unwrap()
    }

    async fn remove(&self, member: &str, other: &str) -> Result<Acted, Refusal> {
        self.store
            .remove_connection(act(member, other), None)
            .await
            .unwrap()
    }

    async fn block(&self, member: &str, other: &str) -> Result<Acted, Refusal> {
        self.store.block_member(act(member, other)).await.unwrap()
    }

    async fn unblock(&self, member: &str, other: &str) -> Result<Acted, Refusal> {
        self.store.unblock_member(act(member, other)).await.unwrap()
    }

    async fn head(&self) -> u64 {
        self.store.feed_state().await.unwrap().head
    }

    async fn round(&self) {
        worker::round(&*self.store, &WorkMetrics::default())
            .await
            .unwrap();
    }

    /// The others in a member's list of connections, newest first.
    async fn connections(&self, member: &str) -> Vec<String> {
        let page = self
            .store
            .connections(id(member), ListRequest::newest(1_000))
            .await
            .unwrap();
        assert_eq!(page.total.number as usize, page.lines.len(), "{member}");
        page.lines
            .iter()
            .map(|line| line.other.to_string())
            .collect()
    }

    async fn blocks(&self, member: &str) -> Vec<String> {
        let page = self.store.blocks(id(member), None, 1_000).await;
        names(&page.unwrap().lines)
    }

    /// The history that the store writes.
    fn epoch(&self) -> EpochId {
        self.store.epoch()
    }

    /// Up to where whoever has reached a position of a history has the same as the store; `None` where all that was reached is the store's.
    fn parted(&self, epoch: &EpochId, position: u64) -> Option<u64> {
        let checked = self.store.check_epoch(epoch, position);
        checked.err().map(|diverged| diverged.common_position)
    }

    /// The rows as they are now.
    async fn rows(&self) -> Connection {
        self.look.rows().await
    }

    /// The tables that a text stands in, whole.
    async fn is_named(&self, text: &str) -> Vec<String> {
        is_named(&self.rows().await, text)
    }

    /// The number that a query comes to.
    async fn number(&self, sql: &str) -> i64 {
        let row = self.rows().await.query_row(sql, [], |row| row.get(0));
        row.unwrap()
    }

    /// Checks everything that follows from the pairs against the pairs.
    async fn check(&self) {
        recount::check(&self.rows().await);
    }
}

async fn open(place: &Place, policy: Policy, clock: &ManualClock) -> Arc<dyn Store> {
    place
        .open_connections(policy, Arc::new(clock.clone()))
        .await
}

fn id(text: &str) -> MemberId {
    MemberId::parse(text).unwrap()
}

fn key(a: &str, b: &str) -> PairKey {
    PairKey::new(&id(a), &id(b)).unwrap()
}

const fn at(millis: i64) -> Time {
    Time::from_millis(millis)
}

fn act(member: &str, other: &str) -> Act {
    Act::new(&id(member), &id(other)).unwrap()
}

fn names(lines: &[Line]) -> Vec<String> {
    lines.iter().map(|line| line.other.to_string()).collect()
}

fn pairs(a: &str, others: &[&str]) -> Vec<PairKey> {
    others.iter().map(|b| key(a, b)).collect()
}

fn ids(texts: &[&str]) -> Vec<MemberId> {
    texts.iter().map(|text| id(text)).collect()
}
