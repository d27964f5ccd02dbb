//! [`PostgresStore`] as a [`Store`]: each command handed to the writer, each read done in a snapshot.

use async_trait::async_trait;
use service_kit::{
    epoch::{Diverged, EpochId},
    error::StoreError,
    feed::Subscription,
    id::{MemberId, PairKey},
    postgres::Client,
    secret::StoreSecret,
    store_health::StoreHealth,
    time::{Span, Time},
};
use uuid::Uuid;

use super::{PostgresStore, engine::LEAD, forget::forget_old, read};
use crate::{
    domain::{
        accept::{Ruled, Ruling},
        invitation::Role,
        member::Preferences,
        pair::DeclineReason,
        refusal::Refusal,
        standing::told::Known,
        view::View,
    },
    store::{
        Barred, Counts, Decided, ListQuery, OwnQuota, RecordedAct, Selected, Selection, Store,
        command::{
            self, AwaitedVerdict,
            answer::{Acceptance, Ending},
            facts::FeedFact,
            member::PreferenceChange,
            rebuild::FactsPage,
            send::{Answer, SendInvitation},
        },
        feed::{MemberEvent, Reached, ServiceEvent, Stretch},
        rows::{FeedCursor, StandingAct},
    },
};

#[async_trait]
impl Store for PostgresStore {
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
        let shared = self.core.shared();
        let forget = async |client: &Client| {
            let (_, now) = shared.look(client).await?;
            forget_old(client, &self.policy, now, shared.lanes).await
        };
        self.core.beside(forget).await
    }

    async fn fold(&self, facts: Vec<FeedFact>, until: FeedCursor) -> Result<(), StoreError> {
        self.fold_by_turns(facts, until).await
    }

    async fn erase(&self, member: MemberId) -> Result<bool, StoreError> {
        self.write_leading(move |batch, policy| command::erase::erase(batch, policy, &member))
            .await
    }

    async fn rewind_pairs(
        &self,
        after: Option<PairKey>,
        common_position: u64,
    ) -> Result<Option<PairKey>, StoreError> {
        self.write_leading(move |batch, policy| {
            command::rebuild::rewind_pairs(batch, policy, after.as_ref(), common_position)
        })
        .await
    }

    async fn merge_page(&self, page: FactsPage) -> Result<Option<PairKey>, StoreError> {
        self.write_leading(move |batch, policy| command::rebuild::merge_page(batch, policy, &page))
            .await
    }

    async fn cursor(&self) -> Result<FeedCursor, StoreError> {
        read!(self, |snapshot| snapshot
            .begun()
            .await
            .map(|begun| begun.head.cursor))
    }

    async fn due_pairs(&self, limit: usize) -> Result<Vec<PairKey>, StoreError> {
        read!(self, |snapshot| snapshot.due_pairs(limit).await)
    }

    async fn due_members(&self, limit: usize) -> Result<Vec<MemberId>, StoreError> {
        read!(self, |snapshot| snapshot.due_members(limit).await)
    }

    async fn get(&self, member: MemberId, invitation_id: Uuid) -> Result<Option<View>, StoreError> {
        read!(self, |snapshot| snapshot.get(&member, invitation_id).await)
    }

    async fn list(&self, query: ListQuery) -> Result<(Vec<View>, bool), StoreError> {
        read!(self, |snapshot| snapshot.list(&query).await)
    }

    async fn counts(&self, member: MemberId) -> Result<Counts, StoreError> {
        read!(self, |snapshot| snapshot.counts(&member).await)
    }

    async fn states(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Option<(Role, Uuid)>>, StoreError> {
        read!(self, |snapshot| snapshot.states(&member, &others).await)
    }

    async fn quota(&self, member: MemberId) -> Result<OwnQuota, StoreError> {
        read!(self, |snapshot| snapshot.quota(member.clone()).await)
    }

    async fn standing(&self, member: MemberId) -> Result<Known, StoreError> {
        read!(self, |snapshot| snapshot.standing(member.clone()).await)
    }

    async fn acts(
        &self,
        member: Option<MemberId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<RecordedAct>, bool), StoreError> {
        read!(self, |snapshot| {
            snapshot.acts(member.as_ref(), before, limit).await
        })
    }

    async fn assigned_plans(&self) -> Result<Vec<String>, StoreError> {
        read!(self, |snapshot| snapshot.assigned_plans().await)
    }

    async fn preferences(&self, member: MemberId) -> Result<Preferences, StoreError> {
        read!(self, |snapshot| {
            let row = snapshot.member(&member).await;
            row.map(|row| row.map_or_else(Preferences::default, |row| row.preferences))
        })
    }

    async fn bars(
        &self,
        member: MemberId,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<(Vec<Barred>, bool), StoreError> {
        read!(self, |snapshot| {
            snapshot.bars(&member, after.as_ref(), limit).await
        })
    }

    async fn is_erased(&self, member: MemberId) -> Result<bool, StoreError> {
        self.preview(|rows, _| Ok(rows.member(&member)?.erased))
            .await
    }

    async fn kept_invitations(
        &self,
        member: MemberId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<View>, Option<Uuid>), StoreError> {
        read!(self, |snapshot| snapshot
            .kept_invitations(&member, after, limit)
            .await)
    }

    async fn select(&self, selection: Selection) -> Result<Selected, StoreError> {
        read!(self, |snapshot| snapshot.select(&selection).await)
    }

    async fn head(&self) -> Result<u64, StoreError> {
        read!(self, |snapshot| snapshot
            .begun()
            .await
            .map(|begun| begun.head.position))
    }

    async fn service_events(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Option<Stretch<ServiceEvent>>, StoreError> {
        read!(self, |snapshot| snapshot.service_events(after, limit).await)
    }

    async fn member_events(
        &self,
        member: MemberId,
        reached: Reached,
    ) -> Result<Option<Stretch<MemberEvent>>, StoreError> {
        read!(self, |snapshot| {
            snapshot.member_events(&member, reached).await
        })
    }

    fn subscribe(&self, member: Option<&MemberId>) -> Subscription {
        match member {
            Some(member) => self.core.shared().hub.subscribe(member.as_str()),
            None => self.core.shared().hub.subscribe_all(),
        }
    }

    fn epoch(&self) -> EpochId {
        self.core.shared().history.current()
    }

    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged> {
        self.core.shared().history.check(epoch, position)
    }

    fn secret(&self) -> &StoreSecret {
        &self.core.shared().secret
    }

    fn health(&self) -> &StoreHealth {
        self.core.health()
    }

    async fn probe(&self) -> Result<(), StoreError> {
        self.write(|batch, _| {
            // A commit that changes nothing but the last time.
            batch.touch();
            Ok(())
        })
        .await?;
        self.head().await.map(|_| ())
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn lead(&self, span: Span) -> Result<bool, StoreError> {
        let shared = self.core.shared();
        let lead = async |client: &Client| {
            let (_, now) = shared.look(client).await?;
            let (own, until) = (shared.history.own(), now.plus(span).millis());
            let led = LEAD.query(client, &[&own, &now.millis(), &until]).await?;
            Ok(!led.is_empty())
        };
        self.core.beside(lead).await
    }

    async fn closed(&self) {
        self.core.closed().await;
    }

    async fn close(&self) {
        self.core.close().await;
    }
}
