//! Tokens that do not fit: of another member, another scope or another service, and those that are too old.

use acquaint_tests::{
    pair::Pair,
    refusal::{Refusal, reason},
    wait::eventually,
    watcher::{ConnectionWatcher, InvitationWatcher, Scope, Watcher},
};
use service_kit::time::Span;
use tonic::Code;

use crate::resuming::some_events;

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_member_or_scope_is_refused() {
    let pair = Pair::start().await;
    some_events(&pair).await;
    let scopes = [
        Scope::member("ann"),
        Scope::member("bob"),
        Scope::AllMembers,
    ];
    let mut invitations = Vec::new();
    let mut connections = Vec::new();
    for scope in &scopes {
        let watcher = InvitationWatcher::now(&pair, scope.clone()).await;
        invitations.push((scope.clone(), watcher.token));
        let watcher = ConnectionWatcher::now(&pair, scope.clone()).await;
        connections.push((scope.clone(), watcher.token));
    }
    for (scope, token) in &invitations {
        for watched in &scopes {
            let watch = InvitationWatcher::after(&pair, watched.clone(), token).await;
            check(watch, watched == scope);
            let watch = ConnectionWatcher::after(&pair, watched.clone(), token).await;
            check(watch, false);
        }
    }
    for (scope, token) in &connections {
        for watched in &scopes {
            let watch = ConnectionWatcher::after(&pair, watched.clone(), token).await;
            check(watch, watched == scope);
            let watch = InvitationWatcher::after(&pair, watched.clone(), token).await;
            check(watch, false);
        }
    }
    let (scope, token) = invitations.swap_remove(0);
    for wrong in [
        "x",
        &token[1..],
        &token[..token.len() - 2],
        &"A".repeat(4_000),
    ] {
        let watch = InvitationWatcher::after(&pair, scope.clone(), wrong).await;
        check(watch, false);
        let watch = ConnectionWatcher::after(&pair, scope.clone(), wrong).await;
        check(watch, false);
    }
    pair.stop().await;
}

fn check<M>(watch: Result<Watcher<M>, tonic::Status>, fits: bool) {
    match watch {
        Ok(_) => assert!(fits, "a token of another query was taken"),
        Err(refused) => {
            let refusal = Refusal::of(&refused);
            assert_eq!(refusal.code, Code::InvalidArgument);
            assert_eq!(refusal.reason, "INVALID_TOKEN");
            assert!(!fits);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_older_than_the_events_that_are_kept_is_too_old() {
    let pair = Pair::start().await;
    let scopes = [Scope::member("bob"), Scope::AllMembers];
    let mut old = Vec::new();
    for scope in &scopes {
        let invitations = InvitationWatcher::now(&pair, scope.clone()).await.token;
        let connections = ConnectionWatcher::now(&pair, scope.clone()).await.token;
        old.push((scope.clone(), invitations, connections));
    }
    some_events(&pair).await;
    let mut newest = Vec::new();
    for scope in &scopes {
        let invitations = InvitationWatcher::now(&pair, scope.clone()).await.token;
        let connections = ConnectionWatcher::now(&pair, scope.clone()).await.token;
        newest.push((scope.clone(), invitations, connections));
    }
    pair.advance(Span::millis(Span::days(7).as_millis() - 1));
    for (scope, invitations, connections) in &old {
        assert!(
            InvitationWatcher::after(&pair, scope.clone(), invitations)
                .await
                .is_ok()
        );
        assert!(
            ConnectionWatcher::after(&pair, scope.clone(), connections)
                .await
                .is_ok()
        );
    }
    pair.advance(Span::millis(2));
    for (scope, invitations, connections) in &old {
        eventually("the token is too old", || async {
            let watch = InvitationWatcher::after(&pair, scope.clone(), invitations).await;
            is_too_old(watch).then_some(())
        })
        .await;
        eventually("the token is too old", || async {
            let watch = ConnectionWatcher::after(&pair, scope.clone(), connections).await;
            is_too_old(watch).then_some(())
        })
        .await;
    }
    // Whoever has missed nothing goes on.
    for (scope, invitations, connections) in &newest {
        assert!(
            InvitationWatcher::after(&pair, scope.clone(), invitations)
                .await
                .is_ok()
        );
        assert!(
            ConnectionWatcher::after(&pair, scope.clone(), connections)
                .await
                .is_ok()
        );
    }
    pair.stop().await;
}

fn is_too_old<M>(watch: Result<Watcher<M>, tonic::Status>) -> bool {
    let Err(refused) = watch.map(drop) else {
        return false;
    };
    assert_eq!(refused.code(), Code::OutOfRange);
    assert_eq!(reason::<()>(Err(refused)), "TOKEN_TOO_OLD");
    true
}
