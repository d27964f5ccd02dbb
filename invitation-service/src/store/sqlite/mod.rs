//! The embedded store: one file, one writer that commits in groups, readers that never wait for it.
//!
//! Deliberately absent: SQL (`tables.rs`, `reads.rs`, `events.rs`, `watch.rs`) and decisions.

mod batch;
mod batch_rows;
mod codec;
mod engine;
mod events;
mod export;
mod folding;
mod metrics;
mod reads;
mod tables;
mod watch;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use rusqlite::Connection;
use service_kit::{
    clock::Clock,
    environment::Environment,
    epoch::{Diverged, EpochId, Epochs},
    error::StoreError,
    feed::{Hub, Subscription},
    group_commit::{GroupCommit, GroupCommitOptions},
    id::{IdSource, MemberId, PairKey},
    metrics::store::StoreMetrics,
    secret::StoreSecret,
    sqlite::{OpenError, Readers, SqliteFile, SqliteOptions},
    store_health::StoreHealth,
    time::{Span, Time},
    trace,
};
use uuid::Uuid;

use self::{
    batch::Batch,
    engine::{Opened, SqliteEngine},
};
use super::{
    Barred, Counts, Decided, ListQuery, OwnQuota, RecordedAct, Selected, Selection, Store, command,
    command::{
        AwaitedVerdict,
        answer::{Acceptance, Ending},
        facts::{FeedFact, Pace},
        member::PreferenceChange,
        rebuild::FactsPage,
        send::{Answer, SendInvitation},
    },
    feed::{MemberEvent, Reached, ServiceEvent, Stretch},
    reading::own_quota,
    rows::{FeedCursor, Rows, StandingAct},
    standing_metrics::StandingMetrics,
};
use crate::domain::{
    accept::{Ruled, Ruling},
    invitation::Role,
    member::{Member, Preferences},
    pair::DeclineReason,
    policy::Policy,
    refusal::Refusal,
    standing::told::Known,
    view::View,
};

pub use engine::MIGRATIONS;

/// The embedded store.
pub struct SqliteStore {
    writer: GroupCommit<SqliteEngine>,
    readers: Readers,
    policy: Arc<Policy>,
    clock: Arc<dyn Clock>,
    hub: Hub,
    epochs: Epochs,
    secret: StoreSecret,
    metrics: StoreMetrics,
    standings: StandingMetrics,
    file: PathBuf,
    health: StoreHealth,
    pace: Arc<Pace>,
}

impl SqliteStore {
    /// Opens the store, makes it if it is absent, and begins a new epoch.
    ///
    /// Fails when another process has it, when it was written by a newer program, or when it cannot be read or written.
    pub fn open(
        options: SqliteOptions,
        group_commit: GroupCommitOptions,
        policy: Policy,
        environment: Environment,
    ) -> Result<Self, OpenError> {
        let (clock, executor) = (environment.clock.clone(), environment.executor);
        let file = SqliteFile::open(options)?;
        let readers = file.readers(executor)?;
        let (metrics, path) = (file.metrics().clone(), file.path().to_owned());
        let hub = Hub::new();
        let Opened {
            engine,
            standings,
            epochs,
            secret,
        } = SqliteEngine::open(file, environment, hub.clone())?;
        let writer = GroupCommit::start(
            engine,
            "invitation-writer",
            group_commit,
            executor,
            metrics.writer.clone(),
        )
        .map_err(OpenError::Thread)?;
        Ok(Self {
            writer,
            readers,
            policy: Arc::new(policy),
            clock,
            hub,
            epochs,
            secret,
            metrics,
            standings,
            file: path,
            health: StoreHealth::new(),
            pace: Arc::default(),
        })
    }

    async fn write<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut Batch<Connection>, &Policy) -> Result<T, StoreError>
        + Send
        + 'static,
    ) -> Result<T, StoreError> {
        let (policy, trace) = (self.policy.clone(), trace::current());
        let done = self.writer.submit(move |batch| {
            batch.serve(trace);
            command(batch, &policy)
        });
        self.health.note(done.await)
    }

    async fn read<T: Send + 'static>(
        &self,
        query: impl FnOnce(&Connection, &Policy, Time) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let policy = self.policy.clone();
        let clock = self.clock.now();
        let read = self.readers.read(move |conn| {
            let now = clock.max(engine::last_time(conn)?);
            query(conn, &policy, now)
        });
        self.health.note(read.await)
    }

    /// What a command would come to, from one committed state; nothing of it is written.
    async fn preview<T: Send + 'static>(
        &self,
        command: impl FnOnce(&mut dyn Rows, &Policy) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let secret = self.secret.clone();
        self.read(move |conn, policy, now| {
            let meta = engine::load_meta(conn)?;
            // An id made here names nothing.
            let ids = IdSource::new(|bytes| bytes.fill(0));
            let mut batch = Batch::new(conn, secret, ids, meta, false);
            batch.begin(now);
            command(&mut batch, policy)
        })
        .await
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn send(&self, send: SendInvitation) -> Decided<Answer> {
        self.write(move |batch, policy| command::send::send(batch, policy, &send))
            .await
    }

    async fn preview_send(&self, send: SendInvitation) -> Decided<Answer> {
        self.preview(move |rows, policy| command::send::send(rows, policy, &send))
            .await
    }

    async fn eligibility(
        &self,
        inviter: MemberId,
        invitees: Vec<MemberId>,
    ) -> Decided<Vec<Option<Refusal>>> {
        self.preview(move |rows, policy| {
            command::eligibility::eligibility(rows, policy, &inviter, &invitees)
        })
        .await
    }

    async fn accept(&self, member: MemberId, invitation_id: Uuid) -> Decided<Acceptance> {
        self.write(move |batch, policy| {
            command::answer::accept(batch, policy, &member, &invitation_id)
        })
        .await
    }

    async fn decline(
        &self,
        member: MemberId,
        invitation_id: Uuid,
        reason: DeclineReason,
    ) -> Decided<Ending> {
        self.write(move |batch, policy| {
            command::answer::decline(batch, policy, &member, &invitation_id, reason)
        })
        .await
    }

    async fn undo_decline(&self, member: MemberId, invitation_id: Uuid) -> Decided<Ending> {
        self.write(move |batch, policy| {
            command::answer::undo_decline(batch, policy, &member, &invitation_id)
        })
        .await
    }

    async fn withdraw(&self, member: MemberId, invitation_id: Uuid) -> Decided<Ending> {
        self.write(move |batch, policy| {
            command::withdraw::withdraw(batch, policy, &member, &invitation_id)
        })
        .await
    }

    async fn mark_seen(&self, member: MemberId, until: Time) -> Decided<()> {
        self.write(move |batch, _| command::member::mark_seen(batch, &member, until))
            .await
    }

    async fn update_preferences(
        &self,
        member: MemberId,
        change: PreferenceChange,
    ) -> Decided<Preferences> {
        self.write(move |batch, _| command::member::update_preferences(batch, &member, change))
            .await
    }

    async fn act(&self, act: StandingAct) -> Decided<()> {
        self.write(move |batch, policy| command::member::act(batch, policy, &act))
            .await
    }

    async fn unbar(&self, member: MemberId, inviter: MemberId) -> Decided<()> {
        self.write(move |batch, policy| command::member::unbar(batch, policy, &member, &inviter))
            .await
    }

    async fn rule(
        &self,
        key: PairKey,
        epoch: EpochId,
        ruling: Ruling,
    ) -> Result<Option<Ruled>, StoreError> {
        self.write(move |batch, policy| command::facts::rule(batch, policy, &key, epoch, &ruling))
            .await
    }

    async fn review(&self, key: PairKey) -> Result<Option<AwaitedVerdict>, StoreError> {
        self.write(move |batch, policy| command::review::review(batch, policy, &key))
            .await
    }

    async fn auto_withdraw(&self, member: MemberId) -> Result<(), StoreError> {
        self.write(move |batch, policy| command::withdraw::auto_withdraw(batch, policy, &member))
            .await
    }

    async fn forget_old(&self) -> Result<bool, StoreError> {
        self.write(engine::forget_old).await
    }

    async fn fold(&self, facts: Vec<FeedFact>, until: FeedCursor) -> Result<(), StoreError> {
        self.fold_by_turns(facts, until).await
    }

    async fn erase(&self, member: MemberId) -> Result<bool, StoreError> {
        self.write(move |batch, policy| command::erase::erase(batch, policy, &member))
            .await
    }

    async fn rewind_pairs(
        &self,
        after: Option<PairKey>,
        common_position: u64,
    ) -> Result<Option<PairKey>, StoreError> {
        self.write(move |batch, policy| {
            command::rebuild::rewind_pairs(batch, policy, after.as_ref(), common_position)
        })
        .await
    }

    async fn merge_page(&self, page: FactsPage) -> Result<Option<PairKey>, StoreError> {
        self.write(move |batch, policy| command::rebuild::merge_page(batch, policy, &page))
            .await
    }

    async fn cursor(&self) -> Result<FeedCursor, StoreError> {
        self.read(|conn, _, _| Ok(engine::load_meta(conn)?.cursor))
            .await
    }

    async fn due_pairs(&self, limit: usize) -> Result<Vec<PairKey>, StoreError> {
        self.read(move |conn, _, now| reads::due_pairs(conn, now, limit))
            .await
    }

    async fn due_members(&self, limit: usize) -> Result<Vec<MemberId>, StoreError> {
        self.read(move |conn, _, now| reads::due_members(conn, now, limit))
            .await
    }

    async fn get(&self, member: MemberId, invitation_id: Uuid) -> Result<Option<View>, StoreError> {
        self.read(move |conn, policy, now| reads::get(conn, policy, now, &member, &invitation_id))
            .await
    }

    async fn list(&self, query: ListQuery) -> Result<(Vec<View>, bool), StoreError> {
        self.read(move |conn, policy, now| reads::list(conn, policy, now, &query))
            .await
    }

    async fn counts(&self, member: MemberId) -> Result<Counts, StoreError> {
        self.read(move |conn, policy, now| reads::counts(conn, policy, now, &member))
            .await
    }

    async fn states(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Option<(Role, Uuid)>>, StoreError> {
        self.read(move |conn, _, now| reads::states(conn, now, &member, &others))
            .await
    }

    async fn quota(&self, member: MemberId) -> Result<OwnQuota, StoreError> {
        self.read(move |conn, policy, now| {
            let row = tables::load_member(conn, &member)?;
            let sent_pending = reads::counts(conn, policy, now, &member)?.sent_pending;
            Ok(own_quota(row, member, sent_pending, policy, now))
        })
        .await
    }

    async fn standing(&self, member: MemberId) -> Result<Known, StoreError> {
        self.read(move |conn, policy, now| {
            let row = tables::load_member(conn, &member)?;
            let row = row.unwrap_or_else(|| Member::new(member));
            Ok(row.standing.known(now, &row.terms(policy)))
        })
        .await
    }

    async fn acts(
        &self,
        member: Option<MemberId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<RecordedAct>, bool), StoreError> {
        self.read(move |conn, _, _| {
            let mut acts = tables::acts(conn, member.as_ref(), before, limit.saturating_add(1))?;
            let more = acts.len() > limit;
            acts.truncate(limit);
            Ok((acts, more))
        })
        .await
    }

    async fn assigned_plans(&self) -> Result<Vec<String>, StoreError> {
        self.read(|conn, _, _| tables::assigned_plans(conn)).await
    }

    async fn preferences(&self, member: MemberId) -> Result<Preferences, StoreError> {
        self.read(move |conn, _, _| {
            let row = tables::load_member(conn, &member)?;
            Ok(row.map_or_else(Preferences::default, |member| member.preferences))
        })
        .await
    }

    async fn bars(
        &self,
        member: MemberId,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<(Vec<Barred>, bool), StoreError> {
        self.read(move |conn, _, _| reads::bars(conn, &member, after.as_ref(), limit))
            .await
    }

    async fn is_erased(&self, member: MemberId) -> Result<bool, StoreError> {
        let secret = self.secret.clone();
        self.read(move |conn, _, _| export::is_erased(conn, &secret, &member))
            .await
    }

    async fn kept_invitations(
        &self,
        member: MemberId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<View>, Option<Uuid>), StoreError> {
        self.read(move |conn, policy, now| {
            export::invitations(conn, policy, now, &member, after, limit)
        })
        .await
    }

    async fn select(&self, selection: Selection) -> Result<Selected, StoreError> {
        self.read(move |conn, _, now| reads::select(conn, now, &selection))
            .await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        self.read(|conn, _, _| watch::head(conn)).await
    }

    async fn service_events(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Option<Stretch<ServiceEvent>>, StoreError> {
        self.read(move |conn, _, now| watch::service_events(conn, now, after, limit))
            .await
    }

    async fn member_events(
        &self,
        member: MemberId,
        reached: Reached,
    ) -> Result<Option<Stretch<MemberEvent>>, StoreError> {
        self.read(move |conn, policy, now| {
            watch::member_events(conn, policy, now, &member, reached)
        })
        .await
    }

    fn subscribe(&self, member: Option<&MemberId>) -> Subscription {
        match member {
            Some(member) => self.hub.subscribe(member.as_str()),
            None => self.hub.subscribe_all(),
        }
    }

    fn epoch(&self) -> EpochId {
        self.epochs.current()
    }

    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged> {
        self.epochs.check(epoch, position)
    }

    fn secret(&self) -> &StoreSecret {
        &self.secret
    }

    fn health(&self) -> &StoreHealth {
        &self.health
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.write(|batch, _| engine::rewrite_time(batch.conn()))
            .await?;
        self.read(|_, _, _| Ok(())).await
    }

    fn is_shared(&self) -> bool {
        // The file's lock sees to it.
        false
    }

    async fn lead(&self, _span: Span) -> Result<bool, StoreError> {
        Ok(true)
    }

    async fn closed(&self) {
        self.writer.closed().await;
    }

    async fn close(&self) {
        // Last the writer: whoever has the store alone carries the log over into the file, and takes it away.
        self.readers.close().await;
        self.writer.clone().close().await;
    }
}
