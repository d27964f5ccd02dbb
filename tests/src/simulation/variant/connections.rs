//! connection-service's store, with mistakes.
//!
//! Deliberately absent: everything that is as it should be, which the real store does.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use connection_service::{
    domain::{
        annotation::{Change, OwnLabel},
        card::Card,
        connection_list::Filter,
        ensure::Acceptance,
        import::Outcome,
        label::Label,
        network::{Between, MutualPage, Suggested, SuggestionPage},
        refusal::Refusal,
    },
    store::{
        Act, Acted, ConnectionLine, ConnectionPage, Due, Ensured, Erased, FactsPage, Feed,
        FeedState, Imported, Line, ListPage, ListRequest, MemberFeed, PutCard, Relationship,
        Selected, Store,
    },
};
use service_kit::{
    epoch::{Diverged, EpochId},
    error::StoreError,
    feed::Hub,
    id::{MemberId, PairKey},
    secret::StoreSecret,
    store_health::StoreHealth,
    time::Time,
};
use tokio::{sync::watch, time::sleep};
use uuid::Uuid;

use super::Variant;

/// By how much a commit comes after its answer.
const LATER: Duration = Duration::from_millis(150);
/// After every removal.
const FUTURE: Time = Time::from_millis(4_000_000_000_000);

/// The real store, with a mistake.
pub(crate) struct Bent {
    inner: Arc<dyn Store>,
    variant: Variant,
    asked: AtomicU32,
    /// The invitations of connections that a block has ended.
    ended: Mutex<BTreeMap<PairKey, Uuid>>,
}

impl Bent {
    /// Makes it.
    pub(crate) fn new(inner: Arc<dyn Store>, variant: Variant) -> Self {
        Self {
            inner,
            variant,
            asked: AtomicU32::new(0),
            ended: Mutex::default(),
        }
    }
}

#[async_trait]
impl Store for Bent {
    async fn ensure_connection(
        &self,
        key: PairKey,
        mut acceptance: Acceptance,
    ) -> Result<Ensured, StoreError> {
        if self.variant == Variant::DecidesAnew {
            acceptance.number = self.asked.fetch_add(1, Ordering::SeqCst) + 1_000;
            acceptance.accept_time = FUTURE;
        }
        self.inner.ensure_connection(key, acceptance).await
    }

    async fn import(&self, imported: Arc<[Imported]>) -> Result<Vec<Outcome>, StoreError> {
        if self.variant == Variant::ImportsLater {
            let (inner, rows) = (self.inner.clone(), imported.len());
            tokio::spawn(async move {
                sleep(LATER).await;
                inner.import(imported).await
            });
            return Ok(vec![Outcome::Created; rows]);
        }
        self.inner.import(imported).await
    }

    async fn remove_connection(
        &self,
        act: Act,
        only: Option<Time>,
    ) -> Result<Result<Acted, Refusal>, StoreError> {
        if self.variant == Variant::RemovalsForgotten {
            let facts = self.inner.pair_facts(vec![act.key.clone()]).await?;
            if facts
                .facts
                .iter()
                .all(|(_, facts)| facts.connection.is_none())
            {
                return Ok(Ok(Acted {
                    ended: None,
                    fact: 0,
                }));
            }
        }
        self.inner.remove_connection(act, only).await
    }

    async fn block_member(&self, act: Act) -> Result<Result<Acted, Refusal>, StoreError> {
        match self.variant {
            Variant::BlocksLater => {
                let inner = self.inner.clone();
                tokio::spawn(async move {
                    sleep(LATER).await;
                    inner.block_member(act).await
                });
                return Ok(Ok(Acted {
                    ended: None,
                    fact: 0,
                }));
            }
            Variant::UnblockRestores => {
                let facts = self.inner.pair_facts(vec![act.key.clone()]).await?;
                let connection = facts.facts.first().and_then(|(_, facts)| facts.connection);
                if let Some(connection) = connection {
                    let mut ended = self.ended.lock().unwrap();
                    ended.extend(connection.invitation.map(|id| (act.key.clone(), id)));
                }
            }
            _ => {}
        }
        self.inner.block_member(act).await
    }

    async fn unblock_member(&self, act: Act) -> Result<Result<Acted, Refusal>, StoreError> {
        let (key, acceptor) = (act.key.clone(), act.side);
        let done = self.inner.unblock_member(act).await?;
        let ended = self.ended.lock().unwrap().remove(&key);
        if let Some(invitation) = ended {
            let acceptance = Acceptance {
                invitation,
                number: 1_000,
                accept_time: FUTURE,
                acceptor,
            };
            self.inner.ensure_connection(key, acceptance).await?;
        }
        Ok(done)
    }

    async fn erase_member(&self, member: MemberId) -> Result<Erased, StoreError> {
        self.inner.erase_member(member).await
    }

    async fn put_cards(&self, cards: Vec<PutCard>) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        self.inner.put_cards(cards).await
    }

    async fn acknowledge(&self, position: u64) -> Result<(), StoreError> {
        self.inner.acknowledge(position).await
    }

    async fn due(&self) -> Result<Due, StoreError> {
        self.inner.due().await
    }

    async fn forget_removal_marks(&self) -> Result<bool, StoreError> {
        self.inner.forget_removal_marks().await
    }

    async fn forget_verdicts(&self) -> Result<bool, StoreError> {
        self.inner.forget_verdicts().await
    }

    async fn forget_facts(&self) -> Result<bool, StoreError> {
        self.inner.forget_facts().await
    }

    async fn advance_erasure(&self, member: MemberId) -> Result<bool, StoreError> {
        self.inner.advance_erasure(member).await
    }

    async fn is_erased(&self, member: MemberId) -> Result<bool, StoreError> {
        self.inner.is_erased(member).await
    }

    async fn card(&self, member: MemberId) -> Result<Option<Card>, StoreError> {
        self.inner.card(member).await
    }

    async fn relationships(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Relationship>, StoreError> {
        self.inner.relationships(member, others).await
    }

    async fn connections(
        &self,
        member: MemberId,
        request: ListRequest,
    ) -> Result<ConnectionPage, StoreError> {
        self.inner.connections(member, request).await
    }

    async fn blocks(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<ListPage, StoreError> {
        self.inner.blocks(member, after, limit).await
    }

    async fn pair_facts(&self, keys: Vec<PairKey>) -> Result<FactsPage, StoreError> {
        self.inner.pair_facts(keys).await
    }

    async fn all_facts(&self, after: Option<PairKey>, limit: u32) -> Result<FactsPage, StoreError> {
        self.inner.all_facts(after, limit).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        self.inner.head().await
    }

    async fn feed_state(&self) -> Result<FeedState, StoreError> {
        self.inner.feed_state().await
    }

    async fn feed(&self, after: u64, limit: u32) -> Result<Feed, StoreError> {
        let mut feed = self.inner.feed(after, limit).await?;
        if let (Variant::FeedSkips, Feed::Entries { entries, .. }) = (self.variant, &mut feed) {
            entries.retain(|entry| !entry.position.is_multiple_of(5));
        }
        Ok(feed)
    }

    async fn member_feed(&self, member: MemberId, after: u64) -> Result<MemberFeed, StoreError> {
        let mut feed = self.inner.member_feed(member, after).await?;
        if let (Variant::ConnectionsWithheld, MemberFeed::Steps { steps, .. }) =
            (self.variant, &mut feed)
        {
            steps.retain(|step| !step.position.is_multiple_of(3));
        }
        Ok(feed)
    }

    async fn unacknowledged_erasures(
        &self,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<(u64, MemberId)>, StoreError> {
        self.inner
            .unacknowledged_erasures(after, through, limit)
            .await
    }

    async fn update_connection(
        &self,
        act: Act,
        change: Change,
    ) -> Result<Result<ConnectionLine, Refusal>, StoreError> {
        self.inner.update_connection(act, change).await
    }

    async fn labels(&self, member: MemberId) -> Result<Vec<OwnLabel>, StoreError> {
        self.inner.labels(member).await
    }

    async fn rename_label(
        &self,
        member: MemberId,
        from: Label,
        to: Label,
    ) -> Result<Result<OwnLabel, Refusal>, StoreError> {
        self.inner.rename_label(member, from, to).await
    }

    async fn delete_label(
        &self,
        member: MemberId,
        label: Label,
    ) -> Result<Result<(), Refusal>, StoreError> {
        if self.variant == Variant::LabelsStay {
            return Ok(Ok(()));
        }
        self.inner.delete_label(member, label).await
    }

    async fn forget_dropped_labels(&self) -> Result<bool, StoreError> {
        self.inner.forget_dropped_labels().await
    }

    async fn select_connections(
        &self,
        member: MemberId,
        filter: Filter,
        limit: u32,
        count_max: u32,
    ) -> Result<Selected, StoreError> {
        self.inner
            .select_connections(member, filter, limit, count_max)
            .await
    }

    async fn dismiss_suggestion(&self, act: Act) -> Result<Result<(), Refusal>, StoreError> {
        if self.variant == Variant::DismissalsForgotten {
            return Ok(Ok(()));
        }
        self.inner.dismiss_suggestion(act).await
    }

    async fn dismissals(&self, member: MemberId) -> Result<Vec<MemberId>, StoreError> {
        self.inner.dismissals(member).await
    }

    async fn dismissed(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError> {
        self.inner.dismissed(member, after, limit).await
    }

    async fn between(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
        with_mutual_counts: bool,
        rows_max: u32,
    ) -> Result<Option<Vec<Between>>, StoreError> {
        self.inner
            .between(member, others, with_mutual_counts, rows_max)
            .await
    }

    async fn have_mutual(
        &self,
        keys: Vec<PairKey>,
        rows_max: u32,
    ) -> Result<Vec<Option<bool>>, StoreError> {
        self.inner.have_mutual(keys, rows_max).await
    }

    async fn mutual_connections(
        &self,
        key: PairKey,
        after: Option<MemberId>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<MutualPage>, StoreError> {
        self.inner
            .mutual_connections(key, after, limit, rows_max)
            .await
    }

    async fn suggestions(
        &self,
        member: MemberId,
        after: Option<Suggested>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<SuggestionPage>, StoreError> {
        self.inner.suggestions(member, after, limit, rows_max).await
    }

    fn epoch(&self) -> EpochId {
        self.inner.epoch()
    }

    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged> {
        self.inner.check_epoch(epoch, position)
    }

    fn hub(&self) -> &Hub {
        self.inner.hub()
    }

    fn acknowledged(&self) -> watch::Receiver<u64> {
        self.inner.acknowledged()
    }

    fn secret(&self) -> &StoreSecret {
        self.inner.secret()
    }

    fn health(&self) -> &StoreHealth {
        self.inner.health()
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.inner.probe().await
    }

    async fn closed(&self) {
        self.inner.closed().await;
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
