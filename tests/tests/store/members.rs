//! What the tests of stores share: members, and what is asked of a store.

use std::sync::Arc;

use invitation_service::{
    domain::{
        note::{Note, Source},
        policy::Policy,
        refusal::Refusal,
        standing::StandingPolicy,
    },
    store::{
        Store,
        command::send::{Answer, SendInvitation},
        feed::{ServiceEvent, StoredEvent},
    },
};
use service_kit::{
    clock::{Clock, ManualClock},
    error::StoreError,
    id::MemberId,
    time::Time,
};
use uuid::Uuid;

/// When tests begin.
pub(crate) const START: Time = Time::from_millis(1_700_000_000_137);

pub(crate) fn member(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

/// A small cap, and nobody is judged.
pub(crate) fn policy() -> Policy {
    Policy {
        weekly_cap: 20,
        standing: StandingPolicy::off(),
        ..Policy::default()
    }
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::new(START)
}

pub(crate) fn shared(clock: &ManualClock) -> Arc<dyn Clock> {
    Arc::new(clock.clone())
}

/// An invitation without anything further.
pub(crate) fn invitation(inviter: &str, invitee: &str) -> SendInvitation {
    SendInvitation {
        inviter: member(inviter),
        invitee: member(invitee),
        note: Note::default(),
        source: Source::default(),
        request_id: None,
        told: None,
    }
}

/// What a sending came to, which the store did.
pub(crate) async fn send(
    store: &dyn Store,
    inviter: &str,
    invitee: &str,
) -> Result<Answer, Refusal> {
    store.send(invitation(inviter, invitee)).await.unwrap()
}

/// The id of an invitation that must be sent.
pub(crate) async fn sent(store: &dyn Store, inviter: &str, invitee: &str) -> Uuid {
    send(store, inviter, invitee).await.unwrap().view.id
}

/// Every event, and that their positions have no gaps.
pub(crate) async fn events(store: &dyn Store) -> Vec<StoredEvent> {
    let mut events: Vec<StoredEvent> = Vec::new();
    loop {
        let after = events.last().map_or(0, |event| event.position);
        let stretch = store.service_events(after, 100).await.unwrap().unwrap();
        if stretch.events.is_empty() {
            let head = store.head().await.unwrap();
            assert_eq!(after, head, "everything up to the end was told");
            return events;
        }
        for ServiceEvent { event, .. } in stretch.events {
            let expected = events.last().map_or(1, |last| last.position + 1);
            assert_eq!(event.position, expected, "positions have no gaps");
            events.push(event);
        }
    }
}

/// An outcome that did not come about for another process's sake.
pub(crate) fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}
