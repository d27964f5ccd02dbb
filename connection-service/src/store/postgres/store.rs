//! [`PostgresStore`] as a [`Store`]: each command handed to the writer, each read done in a snapshot.

use std::sync::Arc;

use async_trait::async_trait;
use service_kit::epoch::{Diverged, EpochId};
use service_kit::error::StoreError;
use service_kit::feed::Hub;
use service_kit::id::{MemberId, PairKey};
use service_kit::secret::StoreSecret;
use service_kit::store_health::StoreHealth;
use service_kit::time::Time;
use tokio::sync::watch;

use super::{PostgresStore, read};
use crate::domain::annotation::{Change, OwnLabel};
use crate::domain::card::Card;
use crate::domain::connection_list::Filter;
use crate::domain::ensure::Acceptance;
use crate::domain::import::Outcome;
use crate::domain::label::Label;
use crate::domain::network::{Between, MutualPage, Suggested, SuggestionPage};
use crate::domain::refusal::Refusal;
use crate::store::{
    Act, Acted, ConnectionLine, ConnectionPage, Due, Ensured, Erased, FactsPage, Feed, FeedState,
    Imported, Line, ListPage, ListRequest, MemberFeed, PutCard, Relationship, Selected, Store,
    cards, commands, dismissals, erasure, import, labels, retention,
};

#[async_trait]
impl Store for PostgresStore {
    async fn ensure_connection(
        &self,
        key: PairKey,
        acceptance: Acceptance,
    ) -> Result<Ensured, StoreError> {
        self.command(move |rows, policy| {
            commands::ensure_connection(rows, policy, &key, &acceptance)
        })
        .await
    }

    async fn remove_connection(
        &self,
        act: Act,
        only: Option<Time>,
    ) -> Result<Result<Acted, Refusal>, StoreError> {
        self.command(move |rows, policy| commands::remove_connection(rows, policy, &act, only))
            .await
    }

    async fn block_member(&self, act: Act) -> Result<Result<Acted, Refusal>, StoreError> {
        self.command(move |rows, policy| commands::block_member(rows, policy, &act))
            .await
    }

    async fn unblock_member(&self, act: Act) -> Result<Result<Acted, Refusal>, StoreError> {
        self.command(move |rows, policy| commands::unblock_member(rows, policy, &act))
            .await
    }

    async fn erase_member(&self, member: MemberId) -> Result<Erased, StoreError> {
        self.command(move |rows, policy| erasure::begin(rows, policy, &member))
            .await
    }

    async fn put_cards(&self, put: Vec<PutCard>) -> Result<Vec<Result<(), Refusal>>, StoreError> {
        self.command(move |rows, policy| cards::put(rows, policy, &put))
            .await
    }

    async fn acknowledge(&self, position: u64) -> Result<(), StoreError> {
        self.command(move |rows, policy| commands::acknowledge(rows, policy, position))
            .await
    }

    async fn import(&self, imported: Arc<[Imported]>) -> Result<Vec<Outcome>, StoreError> {
        self.command(move |rows, policy| import::import(rows, policy, &imported))
            .await
    }

    async fn due(&self) -> Result<Due, StoreError> {
        read!(self, |snapshot| snapshot.due().await)
    }

    async fn forget_removal_marks(&self) -> Result<bool, StoreError> {
        self.command(move |rows, policy| retention::forget_removal_marks(rows, policy))
            .await
    }

    async fn forget_verdicts(&self) -> Result<bool, StoreError> {
        self.command(move |rows, policy| retention::forget_verdicts(rows, policy))
            .await
    }

    async fn forget_facts(&self) -> Result<bool, StoreError> {
        self.command(move |rows, policy| retention::forget_facts(rows, policy))
            .await
    }

    async fn advance_erasure(&self, member: MemberId) -> Result<bool, StoreError> {
        self.command(move |rows, policy| erasure::advance(rows, policy, &member))
            .await
    }

    async fn is_erased(&self, member: MemberId) -> Result<bool, StoreError> {
        read!(self, |snapshot| snapshot.is_erased(&member).await)
    }

    async fn card(&self, member: MemberId) -> Result<Option<Card>, StoreError> {
        read!(self, |snapshot| snapshot.card(&member).await)
    }

    async fn relationships(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Relationship>, StoreError> {
        read!(self, |snapshot| snapshot
            .relationships(&member, &others)
            .await)
    }

    async fn connections(
        &self,
        member: MemberId,
        request: ListRequest,
    ) -> Result<ConnectionPage, StoreError> {
        self.list_connections(&member, &request).await
    }

    async fn blocks(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<ListPage, StoreError> {
        read!(self, |snapshot| snapshot
            .blocks(&member, after.as_ref(), limit)
            .await)
    }

    async fn pair_facts(&self, keys: Vec<PairKey>) -> Result<FactsPage, StoreError> {
        read!(self, |snapshot| snapshot.pair_facts(&keys).await)
    }

    async fn all_facts(&self, after: Option<PairKey>, limit: u32) -> Result<FactsPage, StoreError> {
        read!(self, |snapshot| snapshot
            .all_facts(after.as_ref(), limit)
            .await)
    }

    async fn head(&self) -> Result<u64, StoreError> {
        let seen = self
            .core
            .beside(async |client| self.core.shared().look(client).await);
        let (head, _) = seen.await?;
        // What follows the feed here goes on at once, and not when others' commits are next looked for.
        self.core.shared().hub.publish(head.seen.position, []);
        Ok(head.seen.position)
    }

    async fn feed_state(&self) -> Result<FeedState, StoreError> {
        read!(self, |snapshot| snapshot.feed_state().await)
    }

    async fn feed(&self, after: u64, limit: u32) -> Result<Feed, StoreError> {
        read!(self, |snapshot| snapshot.feed(after, limit).await)
    }

    async fn member_feed(&self, member: MemberId, after: u64) -> Result<MemberFeed, StoreError> {
        read!(self, |snapshot| snapshot.member_feed(&member, after).await)
    }

    async fn unacknowledged_erasures(
        &self,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<(u64, MemberId)>, StoreError> {
        read!(self, |snapshot| snapshot
            .unacknowledged_erasures(after, through, limit)
            .await)
    }

    async fn update_connection(
        &self,
        act: Act,
        change: Change,
    ) -> Result<Result<ConnectionLine, Refusal>, StoreError> {
        self.command(move |rows, policy| labels::update_connection(rows, policy, &act, &change))
            .await
    }

    async fn labels(&self, member: MemberId) -> Result<Vec<OwnLabel>, StoreError> {
        read!(self, |snapshot| snapshot.labels(&member).await)
    }

    async fn rename_label(
        &self,
        member: MemberId,
        from: Label,
        to: Label,
    ) -> Result<Result<OwnLabel, Refusal>, StoreError> {
        self.command(move |rows, policy| labels::rename_label(rows, policy, &member, &from, &to))
            .await
    }

    async fn delete_label(
        &self,
        member: MemberId,
        label: Label,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.command(move |rows, policy| labels::delete_label(rows, policy, &member, &label))
            .await
    }

    async fn forget_dropped_labels(&self) -> Result<bool, StoreError> {
        self.command(move |rows, policy| labels::forget_dropped_labels(rows, policy))
            .await
    }

    async fn select_connections(
        &self,
        member: MemberId,
        filter: Filter,
        limit: u32,
        count_max: u32,
    ) -> Result<Selected, StoreError> {
        self.oldest_connections(&member, &filter, (limit, count_max))
            .await
    }

    async fn dismiss_suggestion(&self, act: Act) -> Result<Result<(), Refusal>, StoreError> {
        self.command(move |rows, policy| dismissals::dismiss(rows, policy, &act))
            .await
    }

    async fn dismissals(&self, member: MemberId) -> Result<Vec<MemberId>, StoreError> {
        read!(self, |snapshot| snapshot.dismissals(&member).await)
    }

    async fn dismissed(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError> {
        read!(self, |snapshot| snapshot
            .dismissed(&member, after.as_ref(), limit)
            .await)
    }

    async fn between(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
        with_mutual_counts: bool,
        rows_max: u32,
    ) -> Result<Option<Vec<Between>>, StoreError> {
        read!(self, |snapshot| snapshot
            .between(&member, &others, with_mutual_counts, rows_max)
            .await)
    }

    async fn have_mutual(
        &self,
        keys: Vec<PairKey>,
        rows_max: u32,
    ) -> Result<Vec<Option<bool>>, StoreError> {
        read!(self, |snapshot| snapshot.have_mutual(&keys, rows_max).await)
    }

    async fn mutual_connections(
        &self,
        key: PairKey,
        after: Option<MemberId>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<MutualPage>, StoreError> {
        read!(self, |snapshot| snapshot
            .mutual_connections(&key, after.as_ref(), limit, rows_max)
            .await)
    }

    async fn suggestions(
        &self,
        member: MemberId,
        after: Option<Suggested>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<SuggestionPage>, StoreError> {
        read!(self, |snapshot| snapshot
            .suggestions(&member, after.as_ref(), limit, rows_max)
            .await)
    }

    fn epoch(&self) -> EpochId {
        self.core.shared().history.current()
    }

    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged> {
        self.core.shared().history.check(epoch, position)
    }

    fn hub(&self) -> &Hub {
        &self.core.shared().hub
    }

    fn acknowledged(&self) -> watch::Receiver<u64> {
        self.acknowledged.subscribe()
    }

    fn secret(&self) -> &StoreSecret {
        &self.core.shared().secret
    }

    fn health(&self) -> &StoreHealth {
        self.core.health()
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.command(|rows, _| {
            let head = rows.head()?;
            rows.put_head(&head)
        })
        .await?;
        self.feed_state().await.map(drop)
    }

    async fn closed(&self) {
        self.core.closed().await;
    }

    async fn close(&self) {
        self.core.close().await;
    }
}
