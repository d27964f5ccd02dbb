//! The whole life of an invitation, between real sockets.

use acquaint_proto::invitation::v1::{InvitationBox, InvitationState, SendOutcome};
use acquaint_tests::{pair::Pair, refusal::reason};

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_becomes_a_connection() {
    let pair = Pair::start().await;
    let id = pair.sent("ann", "bob").await;
    assert_eq!(pair.list("bob", InvitationBox::Received).await.len(), 1);
    let accepted = pair.accept("bob", &id).await.unwrap();
    assert_eq!(
        accepted.invitation.unwrap().state(),
        InvitationState::Accepted
    );
    assert_eq!(accepted.connection.unwrap().other_id, "ann");
    assert_eq!(pair.connected("ann").await, ["bob"]);
    assert_eq!(pair.connected("bob").await, ["ann"]);
    assert_eq!(reason(pair.withdraw("ann", &id).await), "ALREADY_ACCEPTED");
    assert_eq!(reason(pair.send("ann", "bob").await), "ALREADY_CONNECTED");
    assert!(pair.list("ann", InvitationBox::Sent).await.is_empty());
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn inviting_an_inviter_connects_the_two() {
    let pair = Pair::start().await;
    pair.sent("ann", "bob").await;
    let answer = pair.send("bob", "ann").await.unwrap();
    assert_eq!(answer.outcome(), SendOutcome::Connected);
    assert_eq!(pair.connected("ann").await, ["bob"]);
    assert_eq!(pair.quota("bob").await.used, 0);
    pair.stop().await;
}
