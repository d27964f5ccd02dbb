//! The store's duties, each handed to the writer or a reader.
//!
//! Deliberately absent: anything but handing over.

use std::sync::Arc;

use async_trait::async_trait;
use rusqlite::Connection;
use service_kit::epoch::{Diverged, EpochId};
use service_kit::error::StoreError;
use service_kit::feed::Hub;
use service_kit::id::{MemberId, PairKey};
use service_kit::secret::StoreSecret;
use service_kit::store_health::StoreHealth;
use service_kit::time::Time;
use tokio::sync::watch;

use super::lists::{Lists, Step};
use super::network::{self, SqliteTies};
use super::reads::Shown;
use super::{SqliteStore, cards as card_rows, erased_hash, feed, reads};
use crate::domain::annotation::{Change, OwnLabel};
use crate::domain::card::Card;
use crate::domain::connection_list::Filter;
use crate::domain::ensure::Acceptance;
use crate::domain::import::Outcome;
use crate::domain::label::Label;
use crate::domain::network::{Between, MutualPage, Suggested, SuggestionPage};
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::store::lists::Part;
use crate::store::roster::Build;
use crate::store::rows::Rows;
use crate::store::{
    Act, Acted, ConnectionLine, ConnectionPage, Due, Ensured, Erased, FactsPage, Feed, FeedState,
    Imported, Line, ListPage, ListRequest, MemberFeed, PutCard, Relationship, Selected, Store,
    cards, commands, dismissals, erasure, import, labels, network as search, retention,
};

impl SqliteStore {
    async fn command<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut dyn Rows, &Policy) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let policy = self.shared.policy;
        let command = move |rows: &mut (dyn Rows + 'static)| command(rows, &policy);
        self.shared
            .health
            .note(self.shared.writer.submit(command).await)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.shared
            .health
            .note(self.shared.readers.read(query).await)
    }

    /// Reads as often as it takes to build a roster, a chunk at a time, where the answer needs one.
    async fn read_lists<T: Send + 'static>(
        &self,
        query: impl Fn(&Lists<'_>, Option<Build>) -> Result<Step<T>, StoreError> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let query = Arc::new(query);
        let (mut build, mut turn) = (None, None);
        loop {
            let (shared, query) = (Arc::clone(&self.shared), Arc::clone(&query));
            let read = move |conn: &_| {
                let lists = Lists {
                    conn,
                    rosters: &shared.rosters,
                    policy: &shared.policy,
                    secret: &shared.secret,
                };
                query(&lists, build)
            };
            match self.read(read).await? {
                Step::Done(done) => return Ok(done),
                // Somebody else may be building the same one: looked at again when it is this caller's turn.
                Step::Building(_) if turn.is_none() => {
                    build = None;
                    turn = Some(self.shared.building.lock().await);
                }
                Step::Building(begun) => build = Some(begun),
            }
        }
    }
}

#[async_trait]
impl Store for SqliteStore {
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
        let (now, policy) = (self.shared.clock.now(), self.shared.policy);
        let read = move |conn: &_| reads::due(conn, now, &policy);
        self.read(read).await
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
        let secret = self.shared.secret.clone();
        let read = move |conn: &_| reads::is_erased(conn, &secret, &member);
        self.read(read).await
    }

    async fn card(&self, member: MemberId) -> Result<Option<Card>, StoreError> {
        let read = move |conn: &_| card_rows::read(conn, &member);
        self.read(read).await
    }

    async fn relationships(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Relationship>, StoreError> {
        let read = move |conn: &_| {
            let each = others.iter();
            each.map(|other| reads::relationship(conn, &member, other))
                .collect()
        };
        self.read(read).await
    }

    async fn connections(
        &self,
        member: MemberId,
        request: ListRequest,
    ) -> Result<ConnectionPage, StoreError> {
        self.read_lists(move |lists, build| lists.page(&member, &request, build))
            .await
    }

    async fn blocks(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<ListPage, StoreError> {
        let read = move |conn: &_| {
            let line = |other, time| Line { other, time };
            let part = Part::page(after.as_ref(), limit);
            reads::list(conn, Shown::Blocks, &member, part, line)
        };
        self.read(read).await
    }

    async fn pair_facts(&self, keys: Vec<PairKey>) -> Result<FactsPage, StoreError> {
        let secret = self.shared.secret.clone();
        let read = move |conn: &_| reads::pair_facts(conn, &secret, keys);
        self.read(read).await
    }

    async fn all_facts(&self, after: Option<PairKey>, limit: u32) -> Result<FactsPage, StoreError> {
        let read = move |conn: &_| reads::all_facts(conn, after.as_ref(), limit);
        self.read(read).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        // Nobody else writes.
        Ok(*self.shared.hub.head().borrow())
    }

    async fn feed_state(&self) -> Result<FeedState, StoreError> {
        self.read(feed::state).await
    }

    async fn feed(&self, after: u64, limit: u32) -> Result<Feed, StoreError> {
        let read = move |conn: &_| feed::entries(conn, after, limit);
        self.read(read).await
    }

    async fn member_feed(&self, member: MemberId, after: u64) -> Result<MemberFeed, StoreError> {
        let hash = erased_hash(&self.shared.secret, &member);
        let backlog_max = self.shared.policy.member_backlog_max;
        let read = move |conn: &_| feed::member_steps(conn, &member, &hash, after, backlog_max);
        self.read(read).await
    }

    async fn unacknowledged_erasures(
        &self,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<(u64, MemberId)>, StoreError> {
        let read = move |conn: &_| feed::unacknowledged_erasures(conn, after, through, limit);
        self.read(read).await
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
        self.read(move |conn| super::labels::labels(conn, &member))
            .await
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
        let bounds = (limit, count_max);
        self.read_lists(move |lists, build| lists.oldest(&member, &filter, bounds, build))
            .await
    }

    async fn dismiss_suggestion(&self, act: Act) -> Result<Result<(), Refusal>, StoreError> {
        self.command(move |rows, policy| dismissals::dismiss(rows, policy, &act))
            .await
    }

    async fn dismissals(&self, member: MemberId) -> Result<Vec<MemberId>, StoreError> {
        self.read(move |conn| network::dismissals(conn, &member))
            .await
    }

    async fn dismissed(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError> {
        self.read(move |conn| network::dismissed(conn, &member, after.as_ref(), limit))
            .await
    }

    async fn between(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
        with_mutual_counts: bool,
        rows_max: u32,
    ) -> Result<Option<Vec<Between>>, StoreError> {
        self.read(move |conn| {
            let ties = SqliteTies(conn);
            search::between(&ties, &member, &others, with_mutual_counts, rows_max)
        })
        .await
    }

    async fn have_mutual(
        &self,
        keys: Vec<PairKey>,
        rows_max: u32,
    ) -> Result<Vec<Option<bool>>, StoreError> {
        self.read(move |conn| search::have_mutual(&SqliteTies(conn), &keys, rows_max))
            .await
    }

    async fn mutual_connections(
        &self,
        key: PairKey,
        after: Option<MemberId>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<MutualPage>, StoreError> {
        self.read(move |conn| {
            search::mutual_page(&SqliteTies(conn), &key, after.as_ref(), limit, rows_max)
        })
        .await
    }

    async fn suggestions(
        &self,
        member: MemberId,
        after: Option<Suggested>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<SuggestionPage>, StoreError> {
        self.read(move |conn| {
            let but_for = network::dismissals(conn, &member)?;
            let (ties, after) = (SqliteTies(conn), after.as_ref());
            search::suggestions(&ties, &member, but_for, after, limit, rows_max)
        })
        .await
    }

    fn epoch(&self) -> EpochId {
        self.shared.epochs.current()
    }

    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged> {
        self.shared.epochs.check(epoch, position)
    }

    fn hub(&self) -> &Hub {
        &self.shared.hub
    }

    fn acknowledged(&self) -> watch::Receiver<u64> {
        self.shared.acknowledged.clone()
    }

    fn secret(&self) -> &StoreSecret {
        &self.shared.secret
    }

    fn health(&self) -> &StoreHealth {
        &self.shared.health
    }

    async fn probe(&self) -> Result<(), StoreError> {
        // A head that was put is written, also when it is what it was.
        self.command(|rows, _| {
            let head = rows.head()?;
            rows.put_head(&head)
        })
        .await?;
        self.read(|conn| super::read_head(conn).map(drop)).await
    }

    async fn closed(&self) {
        self.shared.writer.closed().await;
    }

    async fn close(&self) {
        // Last the writer: whoever has the store alone carries the log over into the file, and takes it away.
        self.shared.readers.close().await;
        self.shared.writer.clone().close().await;
    }
}
