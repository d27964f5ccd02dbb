//! Whom services may tell of an event, as it is delivered; and what remains of events.

use acquaint_proto::invitation::v1::{
    DeclineReason, InvitationEvent, InvitationEventKind as Kind,
    watch_invitations_response::Content,
};
use acquaint_tests::{
    pair::{Pair, Setup},
    trace::rows_naming,
    wait::eventually,
    watcher::{InvitationWatcher, Scope},
};
use service_kit::time::Span;

async fn next(watcher: &mut InvitationWatcher) -> InvitationEvent {
    match watcher.next().await.unwrap().content {
        Some(Content::Event(event)) => event,
        other => panic!("not an event: {other:?}"),
    }
}

async fn check(watcher: &mut InvitationWatcher, kind: Kind, notify: &[&str]) -> InvitationEvent {
    let event = next(watcher).await;
    assert_eq!(event.kind(), kind, "{event:?}");
    assert_eq!(event.notify, notify, "{event:?}");
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn the_invitee_is_told_of_an_invitation_and_the_inviter_of_the_connection_and_nobody_else() {
    let pair = Pair::start().await;
    let mut watcher = InvitationWatcher::now(&pair, Scope::AllMembers).await;
    let id = pair.sent("ann", "bob").await;
    let event = check(&mut watcher, Kind::Sent, &["bob"]).await;
    assert_eq!(event.invitation_id, id);
    assert_eq!(
        (event.inviter_id, event.invitee_id),
        ("ann".to_owned(), "bob".to_owned())
    );
    pair.accept("bob", &id).await.unwrap();
    check(&mut watcher, Kind::Accepting, &[]).await;
    check(&mut watcher, Kind::Accepted, &["ann"]).await;
    let id = pair.sent("cyd", "bob").await;
    check(&mut watcher, Kind::Sent, &["bob"]).await;
    let declined = pair.decline("bob", &id, DeclineReason::NotNow).await;
    declined.unwrap();
    check(&mut watcher, Kind::Declined, &[]).await;
    pair.undo("bob", &id).await.unwrap();
    check(&mut watcher, Kind::DeclineUndone, &[]).await;
    pair.withdraw("cyd", &id).await.unwrap();
    check(&mut watcher, Kind::Withdrawn, &[]).await;
    pair.sent("dan", "bob").await;
    check(&mut watcher, Kind::Sent, &["bob"]).await;
    pair.block("bob", "dan").await.unwrap();
    check(&mut watcher, Kind::Ended, &[]).await;
    pair.sent("eve", "bob").await;
    check(&mut watcher, Kind::Sent, &["bob"]).await;
    pair.advance(Span::days(180));
    check(&mut watcher, Kind::Expired, &[]).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_late_of_what_is_no_longer_pending() {
    let pair = Pair::start().await;
    let token = InvitationWatcher::now(&pair, Scope::AllMembers).await.token;
    let withdrawn = pair.sent("ann", "bob").await;
    pair.withdraw("ann", &withdrawn).await.unwrap();
    let declined = pair.sent("cyd", "bob").await;
    let answer = pair.decline("bob", &declined, DeclineReason::NotNow).await;
    answer.unwrap();
    pair.connect("dan", "bob").await;
    pair.sent("eve", "bob").await;
    let mut watcher = InvitationWatcher::after(&pair, Scope::AllMembers, &token)
        .await
        .unwrap();
    for (kind, notify) in [
        (Kind::Sent, &[][..]),
        (Kind::Withdrawn, &[]),
        (Kind::Sent, &[]),
        (Kind::Declined, &[]),
        (Kind::Sent, &[]),
        (Kind::Accepting, &[]),
        (Kind::Accepted, &["dan"]),
        (Kind::Sent, &["bob"]),
    ] {
        check(&mut watcher, kind, notify).await;
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_an_acceptance_whose_connection_has_ended() {
    let pair = Pair::start().await;
    let token = InvitationWatcher::now(&pair, Scope::AllMembers).await.token;
    let id = pair.sent("ann", "bob").await;
    pair.accept("bob", &id).await.unwrap();
    pair.remove("bob", "ann").await.unwrap();
    eventually(
        "the accepted invitation goes with its connection",
        || async { pair.get("ann", &id).await.err() },
    )
    .await;
    let mut watcher = InvitationWatcher::after(&pair, Scope::AllMembers, &token)
        .await
        .unwrap();
    // What the ended connection's invitation has left behind names nobody to be told.
    pair.sent("cyd", "bob").await;
    loop {
        let event = next(&mut watcher).await;
        if event.inviter_id == "cyd" {
            break;
        }
        assert_eq!(event.notify, Vec::<String>::new(), "{event:?}");
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_a_filtered_or_an_expired_invitation() {
    let mut setup = Setup::default();
    setup.invitation_policy.pending_received_soft_max = 1;
    // Expiry has to be seen without the sweeper.
    setup.worker_poll = std::time::Duration::from_hours(1);
    let pair = Pair::with(setup).await;
    let token = InvitationWatcher::now(&pair, Scope::AllMembers).await.token;
    pair.sent("ann", "bob").await;
    pair.sent("cyd", "bob").await;
    let scope = Scope::AllMembers;
    let mut watcher = InvitationWatcher::after(&pair, scope.clone(), &token)
        .await
        .unwrap();
    check(&mut watcher, Kind::Sent, &["bob"]).await;
    check(&mut watcher, Kind::Sent, &[]).await;
    pair.advance(Span::days(180));
    let mut watcher = InvitationWatcher::after(&pair, scope, &token)
        .await
        .unwrap();
    check(&mut watcher, Kind::Sent, &[]).await;
    check(&mut watcher, Kind::Sent, &[]).await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_after_a_withdrawal_its_events_have_lost_their_content() {
    let pair = Pair::start().await;
    let token = InvitationWatcher::now(&pair, Scope::AllMembers).await.token;
    let (ann, bob) = ("ann.the.inviter", "bob.the.invitee");
    let id = pair.sent(ann, bob).await;
    pair.withdraw(ann, &id).await.unwrap();
    pair.advance(Span::hours(24));
    let file = pair.invitation_file();
    eventually("nothing names the two together", || async {
        rows_naming(&file, &[ann, bob]).is_empty().then_some(())
    })
    .await;
    pair.sent("cyd", bob).await;
    let mut watcher = InvitationWatcher::after(&pair, Scope::AllMembers, &token)
        .await
        .unwrap();
    let event = check(&mut watcher, Kind::Sent, &[bob]).await;
    assert_eq!(
        event.inviter_id, "cyd",
        "the next after those that are blank"
    );
    pair.stop().await;
}
