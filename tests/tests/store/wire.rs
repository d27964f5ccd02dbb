//! Two processes of invitation-service on one database, over the wire, beside one of connection-service on another.

use acquaint_proto::invitation::v1::{
    AcceptInvitationRequest, InvitationBox, SendInvitationRequest, SendOutcome,
    WatchInvitationsRequest, WatchInvitationsResponse, watch_invitations_request::Scope,
    watch_invitations_response::Content,
};
use acquaint_tests::{
    engines::{Engine, Place},
    pair::{Databases, Pair, Setup},
    refusal::reason,
    wait::eventually,
};
use tonic::Streaming;

/// The pair, and where its invitations and its connections are kept.
async fn on_postgres() -> (Pair, [Place; 2]) {
    let place = Engine::Postgres.place().await;
    let connections = Engine::Postgres.place_of_connections().await;
    let setup = Setup {
        system_clock: true,
        postgres: Some(Databases {
            invitations: place.database().url(),
            connections: connections.database().url(),
        }),
        ..Setup::default()
    };
    (Pair::with(setup).await, [place, connections])
}

/// The next message that tells something.
async fn next(events: &mut Streaming<WatchInvitationsResponse>) -> WatchInvitationsResponse {
    loop {
        let message = events.message().await.unwrap().unwrap();
        if !matches!(message.content, Some(Content::Heartbeat(_)) | None) {
            return message;
        }
    }
}

fn send(inviter: &str, invitee: &str) -> SendInvitationRequest {
    SendInvitationRequest {
        inviter_id: inviter.to_owned(),
        invitee_id: invitee.to_owned(),
        ..Default::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_sent_at_one_is_accepted_at_the_other() {
    let (pair, _place) = on_postgres().await;
    let replica = pair.another_invitation_service().await;
    let mut there = replica.invitations();
    let id = pair.sent("ann", "bob").await;
    let accept = AcceptInvitationRequest {
        invitation_id: id.clone(),
        member_id: "bob".to_owned(),
    };
    let accepted = there.accept_invitation(accept).await.unwrap().into_inner();
    assert_eq!(accepted.connection.unwrap().other_id, "ann");
    assert_eq!(pair.connected("ann").await, ["bob"]);
    assert_eq!(reason(pair.withdraw("ann", &id).await), "ALREADY_ACCEPTED");
    let again = there.send_invitation(send("bob", "ann")).await;
    assert_eq!(reason(again), "ALREADY_CONNECTED");
    replica.stop().await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_begun_at_one_goes_on_at_the_other() {
    let (pair, _place) = on_postgres().await;
    let replica = pair.another_invitation_service().await;
    let watch = |resume_token: String| WatchInvitationsRequest {
        scope: Some(Scope::MemberId("bob".to_owned())),
        resume_token,
    };
    let mut here = pair.invitations.clone();
    let watching = here.watch_invitations(watch(String::new()));
    let mut events = watching.await.unwrap().into_inner();
    let mut told = Vec::new();
    for inviter in ["ann", "cleo"] {
        pair.sent(inviter, "bob").await;
        told.push(next(&mut events).await);
    }
    drop(events);
    // Both what the first was told and what it was not is told by the other.
    let mut there = replica.invitations();
    let resumed = there.watch_invitations(watch(told[0].resume_token.clone()));
    let mut events = resumed.await.unwrap().into_inner();
    assert_eq!(next(&mut events).await, told[1]);
    pair.sent("dan", "bob").await;
    assert_ne!(next(&mut events).await, told[1]);
    replica.stop().await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_one_that_leads_ends_another_follows_connection_service() {
    let (mut pair, _place) = on_postgres().await;
    let replica = pair.another_invitation_service().await;
    let mut there = replica.invitations();
    // The first has led so far.
    pair.stop_invitation_service().await;
    let answer = there.send_invitation(send("ann", "bob")).await.unwrap();
    assert_eq!(answer.into_inner().outcome(), SendOutcome::Sent);
    pair.block("bob", "ann").await.unwrap();
    eventually("the block ends the invitation", || async {
        let again = there.clone().send_invitation(send("ann", "bob")).await;
        (reason(again) == "RECIPIENT_UNAVAILABLE").then_some(())
    })
    .await;
    pair.start_invitation_service().await;
    assert!(pair.list("ann", InvitationBox::Sent).await.is_empty());
    replica.stop().await;
    pair.stop().await;
}
