//! Either service goes away in the middle of an acceptance; the acceptance completes by itself.

use acquaint_proto::invitation::v1::{InvitationBox, InvitationState};
use acquaint_tests::{look::Both, pair::Pair, refusal::reason, wait::eventually};
use service_kit::time::Span;

/// Accepts while connection-service is away: the invitee sees that, the inviter does not.
async fn accepted_while_away(pair: &mut Pair) -> String {
    let id = pair.sent("ann", "bob").await;
    pair.stop_connection_service().await;
    let accepted = pair.accept("bob", &id).await.unwrap();
    assert_eq!(accepted.connection, None);
    assert_eq!(
        accepted.invitation.unwrap().state(),
        InvitationState::Accepting
    );
    still_accepting(pair, &id).await;
    id
}

async fn still_accepting(pair: &Pair, id: &str) {
    for (member, list, state) in [
        ("ann", InvitationBox::Sent, InvitationState::Pending),
        ("bob", InvitationBox::Received, InvitationState::Accepting),
    ] {
        assert_eq!(pair.get(member, id).await.unwrap().state(), state);
        let listed = pair.list(member, list).await;
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].state(), state);
    }
    assert_eq!(pair.quota("ann").await.pending_sent, 1, "keeps its place");
}

async fn completes(pair: &Pair, id: &str) {
    eventually("the two are connected", || async {
        // The wait before the next attempt is on the clock too.
        pair.advance(Span::seconds(1));
        let both = Both::of(pair, "ann", "bob").await;
        (both.are_connected() && both.have_empty_lists()).then_some(())
    })
    .await;
    Both::at_rest(pair, "ann", "bob").await;
    for member in ["ann", "bob"] {
        let seen = pair.get(member, id).await.unwrap();
        assert_eq!(seen.state(), InvitationState::Accepted);
    }
    assert_eq!(reason(pair.withdraw("ann", id).await), "ALREADY_ACCEPTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_completes_by_itself_when_connection_service_comes_back() {
    let mut pair = Pair::start().await;
    let id = accepted_while_away(&mut pair).await;
    for refused in [
        reason(pair.withdraw("ann", &id).await),
        reason(
            pair.decline(
                "bob",
                &id,
                acquaint_proto::invitation::v1::DeclineReason::Spam,
            )
            .await,
        ),
    ] {
        assert_eq!(refused, "DEPENDENCY_UNAVAILABLE");
    }
    let again = pair.accept("bob", &id).await.unwrap();
    let state = again.invitation.unwrap().state();
    assert_eq!(state, InvitationState::Accepting);
    pair.start_connection_service().await;
    completes(&pair, &id).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_survives_a_restart_of_both_services() {
    let mut pair = Pair::start().await;
    let id = accepted_while_away(&mut pair).await;
    pair.stop_invitation_service().await;
    pair.start_invitation_service().await;
    still_accepting(&pair, &id).await;
    pair.start_connection_service().await;
    completes(&pair, &id).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_invitation_completes_by_itself_too() {
    let mut pair = Pair::start().await;
    let id = pair.sent("ann", "bob").await;
    pair.stop_connection_service().await;
    let crossed = pair.send("bob", "ann").await.unwrap();
    let outcome = crossed.outcome();
    assert_eq!(
        outcome,
        acquaint_proto::invitation::v1::SendOutcome::Accepting
    );
    still_accepting(&pair, &id).await;
    pair.start_connection_service().await;
    completes(&pair, &id).await;
    assert_eq!(pair.quota("bob").await.used, 0);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_before_the_connection_is_made_stands_against_it() {
    let mut pair = Pair::start().await;
    let id = pair.sent("ann", "bob").await;
    pair.stop_connection_service().await;
    pair.accept("bob", &id).await.unwrap();
    // Not even connection-service knows of it when the removal comes.
    pair.stop_invitation_service().await;
    pair.start_connection_service().await;
    pair.advance(Span::millis(1));
    pair.remove("ann", "bob").await.unwrap();
    pair.start_invitation_service().await;
    eventually("the invitation is gone", || async {
        pair.advance(Span::seconds(1));
        let both = Both::of(&pair, "ann", "bob").await;
        both.have_empty_lists().then_some(())
    })
    .await;
    let both = Both::at_rest(&pair, "ann", "bob").await;
    assert!(!both.are_connected(), "{both:#?}");
    pair.connect("ann", "bob").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_while_invitation_service_is_away_ends_what_is_pending_when_it_comes_back() {
    let mut pair = Pair::start().await;
    pair.sent("ann", "bob").await;
    pair.stop_invitation_service().await;
    pair.block("bob", "ann").await.unwrap();
    pair.start_invitation_service().await;
    eventually("nothing is pending", || async {
        let both = Both::of(&pair, "ann", "bob").await;
        both.have_empty_lists().then_some(())
    })
    .await;
    assert_eq!(
        reason(pair.send("ann", "bob").await),
        "RECIPIENT_UNAVAILABLE"
    );
    Both::at_rest(&pair, "ann", "bob").await;
    pair.stop().await;
}
