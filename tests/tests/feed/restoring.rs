//! One of the two services is restored from a backup: watchers are told, and the other service brings back what it can.

use acquaint_proto::invitation::v1::InvitationState;
use acquaint_tests::{
    look::Both,
    pair::{Pair, Setup},
    refusal::{Refusal, reason},
    wait::eventually,
    watcher::{ConnectionWatcher, InvitationWatcher, Scope, Watcher},
};
use service_kit::time::Span;
use tonic::Code;

use crate::backup::Backup;

async fn back_up_invitations(pair: &mut Pair) -> Backup {
    pair.stop_invitation_service().await;
    let backup = Backup::of(&pair.invitation_file()).await;
    pair.start_invitation_service().await;
    backup
}

async fn restore_invitations(pair: &mut Pair, backup: &Backup) {
    pair.stop_invitation_service().await;
    backup.restore(&pair.invitation_file()).await;
    pair.start_invitation_service().await;
}

async fn back_up_connections(pair: &mut Pair) -> Backup {
    pair.stop_connection_service().await;
    let backup = Backup::of(&pair.connection_file()).await;
    pair.start_connection_service().await;
    backup
}

async fn restore_connections(pair: &mut Pair, backup: &Backup) {
    pair.stop_connection_service().await;
    backup.restore(&pair.connection_file()).await;
    pair.start_connection_service().await;
}

/// Connects two members though a service may just have come back.
async fn connect(pair: &Pair, inviter: &str, invitee: &str) {
    let id = pair.sent(inviter, invitee).await;
    eventually("the two are connected", || async {
        pair.advance(Span::seconds(1));
        let accepted = pair.accept(invitee, &id).await.unwrap();
        accepted.connection
    })
    .await;
}

/// Waits until both services say that two members are connected.
async fn connected(pair: &Pair, one: &str, other: &str) -> Both {
    eventually("connected in both services", || async {
        pair.advance(Span::seconds(1));
        let both = Both::of(pair, one, other).await;
        if !both.are_connected() || both.contradiction().is_some() {
            return None;
        }
        for (inviter, invitee) in [(one, other), (other, one)] {
            let refused = pair.send(inviter, invitee).await.err()?;
            if Refusal::of(&refused).reason != "ALREADY_CONNECTED" {
                return None;
            }
        }
        Some(())
    })
    .await;
    Both::at_rest(pair, one, other).await
}

fn is_of_another_history<M>(watch: Result<Watcher<M>, tonic::Status>) {
    let refused = watch.map(drop).expect_err("a refusal");
    let refusal = Refusal::of(&refused);
    assert_eq!(refusal.code, Code::FailedPrecondition);
    assert_eq!(refusal.reason, "OTHER_INCARNATION");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_newer_than_the_backup_of_invitations_is_of_another_history() {
    let mut pair = Pair::start().await;
    pair.sent("ann", "bob").await;
    let scopes = [Scope::member("bob"), Scope::AllMembers];
    let older = tokens_of_invitations(&pair, &scopes).await;
    let backup = back_up_invitations(&mut pair).await;
    pair.sent("cyd", "bob").await;
    let newer = tokens_of_invitations(&pair, &scopes).await;
    restore_invitations(&mut pair, &backup).await;
    // As many events as were lost, and others: a position alone would not tell.
    let written_anew = pair.sent("dan", "bob").await;
    pair.sent("eve", "bob").await;
    for (scope, newer) in scopes.iter().zip(&newer) {
        let watch = InvitationWatcher::after(&pair, scope.clone(), newer).await;
        is_of_another_history(watch);
    }
    for (scope, older) in scopes.iter().zip(&older) {
        let mut watcher = InvitationWatcher::after(&pair, scope.clone(), older)
            .await
            .unwrap();
        let told = format!("{:?}", watcher.next().await.unwrap());
        assert!(told.contains(&written_anew), "{told}");
    }
    pair.stop().await;
}

async fn tokens_of_invitations(pair: &Pair, scopes: &[Scope]) -> Vec<String> {
    let mut tokens = Vec::new();
    for scope in scopes {
        let watcher = InvitationWatcher::now(pair, scope.clone()).await;
        tokens.push(watcher.token);
    }
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_newer_than_the_backup_of_connections_is_of_another_history() {
    let mut pair = Pair::start().await;
    pair.connect("ann", "bob").await;
    let scopes = [Scope::member("bob"), Scope::AllMembers];
    let older = tokens_of_connections(&pair, &scopes).await;
    let backup = back_up_connections(&mut pair).await;
    pair.block("bob", "ann").await.unwrap();
    pair.block("bob", "cyd").await.unwrap();
    let newer = tokens_of_connections(&pair, &scopes).await;
    restore_connections(&mut pair, &backup).await;
    connect(&pair, "dan", "bob").await;
    connect(&pair, "eve", "bob").await;
    for (scope, newer) in scopes.iter().zip(&newer) {
        let watch = ConnectionWatcher::after(&pair, scope.clone(), newer).await;
        is_of_another_history(watch);
    }
    for (scope, older) in scopes.iter().zip(&older) {
        let mut watcher = ConnectionWatcher::after(&pair, scope.clone(), older)
            .await
            .unwrap();
        let told = format!("{:?}", watcher.next().await.unwrap());
        assert!(told.contains("dan"), "{told}");
    }
    pair.stop().await;
}

async fn tokens_of_connections(pair: &Pair, scopes: &[Scope]) -> Vec<String> {
    let mut tokens = Vec::new();
    for scope in scopes {
        let watcher = ConnectionWatcher::now(pair, scope.clone()).await;
        tokens.push(watcher.token);
    }
    tokens
}

#[tokio::test(flavor = "multi_thread")]
async fn acceptances_that_connection_service_has_lost_are_offered_again() {
    let mut pair = Pair::start().await;
    pair.connect("ann", "bob").await;
    let pending = pair.sent("gus", "hal").await;
    let backup = back_up_connections(&mut pair).await;
    connect(&pair, "cyd", "dan").await;
    connect(&pair, "eve", "bob").await;
    restore_connections(&mut pair, &backup).await;
    for (one, other) in [("ann", "bob"), ("cyd", "dan"), ("eve", "bob")] {
        connected(&pair, one, other).await;
    }
    assert_eq!(pair.connected("bob").await.len(), 2);
    // What was pending is as it was, and goes on.
    let seen = pair.get("hal", &pending).await.unwrap();
    assert_eq!(seen.state(), InvitationState::Pending);
    pair.accept("hal", &pending).await.unwrap();
    connected(&pair, "gus", "hal").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_connection_service_has_lost_in_another_way_is_lost_for_both() {
    let mut pair = Pair::start().await;
    pair.connect("ann", "bob").await;
    pair.connect("cyd", "dan").await;
    let backup = back_up_connections(&mut pair).await;
    // A removal, a block and an unblocking: nobody has a copy from which they could be brought back.
    pair.remove("ann", "bob").await.unwrap();
    pair.block("cyd", "dan").await.unwrap();
    pair.block("eve", "bob").await.unwrap();
    pair.advance(Span::seconds(1));
    restore_connections(&mut pair, &backup).await;
    connected(&pair, "ann", "bob").await;
    connected(&pair, "cyd", "dan").await;
    eventually("the lost block is forgotten", || async {
        pair.send("eve", "bob").await.ok()
    })
    .await;
    Both::at_rest(&pair, "eve", "bob").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_removed_before_the_backup_is_not_offered_again() {
    let mut pair = Pair::start().await;
    pair.connect("ann", "bob").await;
    pair.remove("bob", "ann").await.unwrap();
    let backup = back_up_connections(&mut pair).await;
    pair.advance(Span::seconds(1));
    connect(&pair, "cyd", "dan").await;
    restore_connections(&mut pair, &backup).await;
    connected(&pair, "cyd", "dan").await;
    let both = Both::at_rest(&pair, "ann", "bob").await;
    assert!(
        !both.are_connected() && both.have_empty_lists(),
        "{both:#?}"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_service_from_a_backup_catches_up_from_the_feed() {
    let mut pair = Pair::start().await;
    let accepted = pair.sent("ann", "bob").await;
    let blocked = pair.sent("cyd", "bob").await;
    let untouched = pair.sent("dan", "bob").await;
    pair.connect("eve", "bob").await;
    let backup = back_up_invitations(&mut pair).await;
    eventually("the acceptance is seen through", || async {
        pair.advance(Span::seconds(1));
        let answer = pair.accept("bob", &accepted).await.unwrap();
        answer.connection
    })
    .await;
    pair.block("bob", "cyd").await.unwrap();
    pair.remove("bob", "eve").await.unwrap();
    pair.advance(Span::seconds(1));
    connect(&pair, "gus", "hal").await;
    restore_invitations(&mut pair, &backup).await;
    connected(&pair, "ann", "bob").await;
    connected(&pair, "gus", "hal").await;
    for member in ["ann", "bob"] {
        let seen = pair.get(member, &accepted).await.unwrap();
        assert_eq!(seen.state(), InvitationState::Accepted);
    }
    for member in ["cyd", "bob"] {
        eventually("the block has ended the invitation", || async {
            let refused = pair.get(member, &blocked).await.err()?;
            assert_eq!(Refusal::of(&refused).reason, "INVITATION_NOT_FOUND");
            Some(())
        })
        .await;
    }
    assert_eq!(
        reason(pair.send("cyd", "bob").await),
        "RECIPIENT_UNAVAILABLE"
    );
    let removed = Both::at_rest(&pair, "eve", "bob").await;
    assert!(!removed.are_connected(), "{removed:#?}");
    connect(&pair, "eve", "bob").await;
    let seen = pair.get("bob", &untouched).await.unwrap();
    assert_eq!(seen.state(), InvitationState::Pending);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_under_way_completes_though_connection_service_comes_back_from_a_backup() {
    let mut pair = Pair::with(Setup::default()).await;
    pair.connect("ann", "bob").await;
    let backup = back_up_connections(&mut pair).await;
    connect(&pair, "cyd", "dan").await;
    let id = pair.sent("eve", "bob").await;
    pair.stop_connection_service().await;
    let accepted = pair.accept("bob", &id).await.unwrap();
    let state = accepted.invitation.unwrap().state();
    assert_eq!(state, InvitationState::Accepting);
    backup.restore(&pair.connection_file()).await;
    pair.start_connection_service().await;
    for (one, other) in [("ann", "bob"), ("cyd", "dan"), ("eve", "bob")] {
        connected(&pair, one, other).await;
    }
    pair.stop().await;
}
