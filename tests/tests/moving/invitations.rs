//! What an import is for invitations: a live one ends without a trace, and nobody may send another.

use acquaint_proto::invitation::v1::{
    self as wire, InvitationBox, MemberInvitationEvent, member_invitation_event::Change,
};
use acquaint_tests::{
    look::Both,
    moving::import,
    pair::{Pair, Setup},
    refusal::reason,
    wait::eventually,
    watcher::{InvitationWatcher, Scope},
};
use invitation_service::domain::standing::Mode;
use service_kit::{
    clock::Clock as _,
    time::{Span, Time},
};

async fn connect(pair: &Pair, one: &str, other: &str) {
    let when: Time = pair.clock.now().minus(Span::days(100));
    let row = (one.to_owned(), other.to_owned(), when);
    let answer = import(&pair.connections, &[row]).await.unwrap();
    assert_eq!(answer.created_count, 1, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_invitation_of_the_two_vanishes_for_both_and_says_nothing_of_its_inviter() {
    let pair = Pair::with(Setup::judging(Mode::Enforce)).await;
    pair.wait_for_feed().await;
    let mut ann = InvitationWatcher::now(&pair, Scope::member("ann")).await;
    let id = pair.sent("ann", "bob").await;
    pair.sent("ann", "cyd").await;
    let quota = pair.quota("ann").await;
    assert_eq!((quota.used, quota.pending_sent), (2, 2));
    connect(&pair, "bob", "ann").await;
    eventually("the invitation is gone", || async {
        let gone = pair.list("bob", InvitationBox::Received).await.is_empty();
        gone.then_some(())
    })
    .await;
    let both = Both::of(&pair, "ann", "bob").await;
    assert!(
        both.one.is_connected() && both.other.is_connected(),
        "{both:#?}"
    );
    for member in ["ann", "bob"] {
        let found = pair.get(member, &id).await.map(drop);
        assert_eq!(reason(found), "INVITATION_NOT_FOUND");
        let found = pair.withdraw(member, &id).await.map(drop);
        assert_eq!(reason(found), "INVITATION_NOT_FOUND");
        let found = pair.accept(member, &id).await.map(drop);
        assert_eq!(reason(found), "INVITATION_NOT_FOUND");
    }
    // The charge stays, the place is free, and neither figure nor standing has an outcome.
    let quota = pair.quota("ann").await;
    assert_eq!((quota.used, quota.pending_sent), (2, 1));
    let request = wire::GetStandingRequest {
        member_id: "ann".to_owned(),
    };
    let standing = pair.operator().await.get_standing(request).await;
    let standing = standing.unwrap().into_inner().standing.unwrap();
    assert_eq!((standing.sent, standing.pending), (2, 1));
    assert_eq!((standing.outcomes, standing.withdrawn), (0, 0));
    // The watch of the inviter shows that it has left the list, and nothing else.
    let mut shown = Vec::new();
    while !matches!(shown.last(), Some(Change::Gone(_))) {
        let message = ann.next().await.unwrap();
        if let Some(wire::watch_invitations_response::Content::MemberEvent(
            MemberInvitationEvent {
                change: Some(change),
            },
        )) = message.content
        {
            shown.push(change);
        }
    }
    let gone = wire::member_invitation_event::Gone {
        invitation_id: id.clone(),
    };
    assert_eq!(shown.last(), Some(&Change::Gone(gone)));
    for (one, other) in [("ann", "bob"), ("bob", "ann")] {
        assert_eq!(reason(pair.send(one, other).await), "ALREADY_CONNECTED");
    }
    assert_eq!(pair.connected("ann").await, ["bob"]);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_to_be_notified_of_what_an_import_ends() {
    let pair = Pair::start().await;
    pair.wait_for_feed().await;
    let mut all = InvitationWatcher::now(&pair, Scope::AllMembers).await;
    let id = pair.sent("ann", "bob").await;
    connect(&pair, "ann", "bob").await;
    let ended = loop {
        let message = all.next().await.unwrap();
        if let Some(wire::watch_invitations_response::Content::Event(event)) = message.content
            && event.kind() == wire::InvitationEventKind::Ended
        {
            break event;
        }
    };
    assert_eq!(
        (ended.invitation_id, ended.notify),
        (id, Vec::<String>::new())
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_that_meets_an_import_has_its_connection() {
    let mut pair = Pair::start().await;
    pair.wait_for_feed().await;
    let id = pair.sent("ann", "bob").await;
    pair.stop_connection_service().await;
    // Stored, and not ruled on.
    let accepted = pair.accept("bob", &id).await.unwrap();
    assert_eq!(accepted.connection, None);
    pair.start_connection_service().await;
    // When the acceptance is offered again.
    pair.advance(Span::hours(1));
    let when = pair.clock.now().minus(Span::days(9));
    let row = ("ann".to_owned(), "bob".to_owned(), when);
    let answer = import(&pair.connections, &[row]).await.unwrap();
    assert_eq!(answer.created_count + answer.existing_count, 1);
    let invitation = eventually("it is accepted", || async {
        let found = pair.get("ann", &id).await.unwrap();
        (found.state() == wire::InvitationState::Accepted).then_some(found)
    })
    .await;
    assert_eq!(invitation.invitee_id, "bob");
    assert_eq!(pair.connected("ann").await, ["bob"]);
    pair.stop().await;
}
