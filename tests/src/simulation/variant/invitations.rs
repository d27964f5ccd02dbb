//! invitation-service's store, with mistakes.
//!
//! Deliberately absent: everything that is as it should be, which the real store does.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use invitation_service::{
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
            AwaitedVerdict,
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
use service_kit::{
    epoch::{Diverged, EpochId},
    error::StoreError,
    feed::Subscription,
    id::{MemberId, PairKey},
    secret::StoreSecret,
    store_health::StoreHealth,
    time::{Span, Time},
};
use tokio::time::sleep;
use uuid::Uuid;

use super::Variant;

/// By how much a commit comes after its answer.
const LATER: Duration = Duration::from_millis(300);

/// The real store, with a mistake.
pub(crate) struct Bent {
    inner: Arc<dyn Store>,
    variant: Variant,
}

impl Bent {
    /// Makes it.
    pub(crate) fn new(inner: Arc<dyn Store>, variant: Variant) -> Self {
        Self { inner, variant }
    }
}

#[async_trait]
impl Store for Bent {
    async fn send(&self, mut command: SendInvitation) -> Decided<Answer> {
        if self.variant == Variant::ForgetsRequests {
            command.request_id = None;
        }
        self.inner.send(command).await
    }

    async fn preview_send(&self, command: SendInvitation) -> Decided<Answer> {
        if self.variant == Variant::LimiterRefuses {
            return Ok(Err(Refusal::WeeklyCapReached {
                weekly_cap: 0,
                used: 0,
                next_place_time: None,
            }));
        }
        self.inner.preview_send(command).await
    }

    async fn eligibility(
        &self,
        inviter: MemberId,
        invitees: Vec<MemberId>,
    ) -> Decided<Vec<Option<Refusal>>> {
        self.inner.eligibility(inviter, invitees).await
    }

    async fn accept(&self, member: MemberId, invitation_id: Uuid) -> Decided<Acceptance> {
        self.inner.accept(member, invitation_id).await
    }

    async fn decline(
        &self,
        member: MemberId,
        invitation_id: Uuid,
        reason: DeclineReason,
    ) -> Decided<Ending> {
        self.inner.decline(member, invitation_id, reason).await
    }

    async fn undo_decline(&self, member: MemberId, invitation_id: Uuid) -> Decided<Ending> {
        self.inner.undo_decline(member, invitation_id).await
    }

    async fn withdraw(&self, member: MemberId, invitation_id: Uuid) -> Decided<Ending> {
        if self.variant == Variant::AnswersBeforeCommit
            && let Some(view) = self.inner.get(member.clone(), invitation_id).await?
        {
            let inner = self.inner.clone();
            tokio::spawn(async move {
                sleep(LATER).await;
                inner.withdraw(member, invitation_id).await
            });
            return Ok(Ok(Ending::Done(view)));
        }
        let ending = self.inner.withdraw(member.clone(), invitation_id).await?;
        if self.variant == Variant::WithdrawsAnyway
            && matches!(ending, Ok(Ending::Awaits(_)))
            && let Some(view) = self.inner.get(member, invitation_id).await?
        {
            return Ok(Ok(Ending::Done(view)));
        }
        Ok(ending)
    }

    async fn mark_seen(&self, member: MemberId, until: Time) -> Decided<()> {
        self.inner.mark_seen(member, until).await
    }

    async fn update_preferences(
        &self,
        member: MemberId,
        change: PreferenceChange,
    ) -> Decided<Preferences> {
        if self.variant != Variant::AnswersBeforeCommit {
            return self.inner.update_preferences(member, change).await;
        }
        let mut preferences = self.inner.preferences(member.clone()).await?;
        preferences.who_can_invite = change.who_can_invite.unwrap_or(preferences.who_can_invite);
        let inner = self.inner.clone();
        tokio::spawn(async move {
            sleep(LATER).await;
            inner.update_preferences(member, change).await
        });
        Ok(Ok(preferences))
    }

    async fn act(&self, act: StandingAct) -> Decided<()> {
        self.inner.act(act).await
    }

    async fn assigned_plans(&self) -> Result<Vec<String>, StoreError> {
        self.inner.assigned_plans().await
    }

    async fn unbar(&self, member: MemberId, inviter: MemberId) -> Decided<()> {
        self.inner.unbar(member, inviter).await
    }

    async fn rule(
        &self,
        key: PairKey,
        epoch: EpochId,
        ruling: Ruling,
    ) -> Result<Option<Ruled>, StoreError> {
        self.inner.rule(key, epoch, ruling).await
    }

    async fn review(&self, key: PairKey) -> Result<Option<AwaitedVerdict>, StoreError> {
        self.inner.review(key).await
    }

    async fn auto_withdraw(&self, member: MemberId) -> Result<(), StoreError> {
        self.inner.auto_withdraw(member).await
    }

    async fn forget_old(&self) -> Result<bool, StoreError> {
        self.inner.forget_old().await
    }

    async fn fold(&self, mut facts: Vec<FeedFact>, until: FeedCursor) -> Result<(), StoreError> {
        if self.variant == Variant::SkipsFacts {
            facts.retain(|fact| !fact.position.is_multiple_of(5));
        }
        self.inner.fold(facts, until).await
    }

    async fn is_erased(&self, member: MemberId) -> Result<bool, StoreError> {
        self.inner.is_erased(member).await
    }

    async fn kept_invitations(
        &self,
        member: MemberId,
        after: Option<Uuid>,
        limit: usize,
    ) -> Result<(Vec<View>, Option<Uuid>), StoreError> {
        self.inner.kept_invitations(member, after, limit).await
    }

    async fn erase(&self, member: MemberId) -> Result<bool, StoreError> {
        self.inner.erase(member).await
    }

    async fn rewind_pairs(
        &self,
        after: Option<PairKey>,
        common_position: u64,
    ) -> Result<Option<PairKey>, StoreError> {
        self.inner.rewind_pairs(after, common_position).await
    }

    async fn merge_page(&self, page: FactsPage) -> Result<Option<PairKey>, StoreError> {
        self.inner.merge_page(page).await
    }

    async fn cursor(&self) -> Result<FeedCursor, StoreError> {
        self.inner.cursor().await
    }

    async fn due_pairs(&self, limit: usize) -> Result<Vec<PairKey>, StoreError> {
        if self.variant == Variant::LosesAcceptances {
            return Ok(Vec::new());
        }
        self.inner.due_pairs(limit).await
    }

    async fn due_members(&self, limit: usize) -> Result<Vec<MemberId>, StoreError> {
        self.inner.due_members(limit).await
    }

    async fn get(&self, member: MemberId, invitation_id: Uuid) -> Result<Option<View>, StoreError> {
        self.inner.get(member, invitation_id).await
    }

    async fn list(&self, query: ListQuery) -> Result<(Vec<View>, bool), StoreError> {
        self.inner.list(query).await
    }

    async fn counts(&self, member: MemberId) -> Result<Counts, StoreError> {
        self.inner.counts(member).await
    }

    async fn states(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Option<(Role, Uuid)>>, StoreError> {
        self.inner.states(member, others).await
    }

    async fn quota(&self, member: MemberId) -> Result<OwnQuota, StoreError> {
        self.inner.quota(member).await
    }

    async fn standing(&self, member: MemberId) -> Result<Known, StoreError> {
        self.inner.standing(member).await
    }

    async fn acts(
        &self,
        member: Option<MemberId>,
        before: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<RecordedAct>, bool), StoreError> {
        self.inner.acts(member, before, limit).await
    }

    async fn preferences(&self, member: MemberId) -> Result<Preferences, StoreError> {
        self.inner.preferences(member).await
    }

    async fn bars(
        &self,
        member: MemberId,
        after: Option<MemberId>,
        limit: usize,
    ) -> Result<(Vec<Barred>, bool), StoreError> {
        self.inner.bars(member, after, limit).await
    }

    async fn select(&self, selection: Selection) -> Result<Selected, StoreError> {
        self.inner.select(selection).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        self.inner.head().await
    }

    async fn service_events(
        &self,
        after: u64,
        limit: usize,
    ) -> Result<Option<Stretch<ServiceEvent>>, StoreError> {
        self.inner.service_events(after, limit).await
    }

    async fn member_events(
        &self,
        member: MemberId,
        reached: Reached,
    ) -> Result<Option<Stretch<MemberEvent>>, StoreError> {
        let mut stretch = self.inner.member_events(member, reached).await?;
        if let (Variant::WithholdsEvents, Some(stretch)) = (self.variant, &mut stretch) {
            stretch
                .events
                .retain(|event| !event.reached.shown.is_multiple_of(7));
        }
        Ok(stretch)
    }

    fn subscribe(&self, member: Option<&MemberId>) -> Subscription {
        self.inner.subscribe(member)
    }

    fn epoch(&self) -> EpochId {
        self.inner.epoch()
    }

    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged> {
        self.inner.check_epoch(epoch, position)
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

    fn is_shared(&self) -> bool {
        self.inner.is_shared()
    }

    async fn lead(&self, span: Span) -> Result<bool, StoreError> {
        self.inner.lead(span).await
    }

    async fn closed(&self) {
        self.inner.closed().await;
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}
