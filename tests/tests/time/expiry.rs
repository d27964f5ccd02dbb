//! The end of an unanswered invitation after 180 days, or earlier at its inviter's wish.

use acquaint_proto::invitation::v1::{
    BatchWithdrawInvitationsRequest, DeclineReason, InvitationBox, InvitationPreferences,
    InvitationState, ListInvitationsRequest, SendOutcome, SentFilter,
    UpdateInvitationPreferencesRequest, batch_withdraw_invitations_request::Selection,
};
use acquaint_tests::{
    look::Both,
    pair::{Pair, START, Setup},
    refusal::reason,
    wait::eventually,
};
use prost_types::FieldMask;
use service_kit::time::Span;

use crate::clock::{TICK, now, time, without_sweeper};

const LIFETIME: Span = Span::days(180);

#[tokio::test(flavor = "multi_thread")]
async fn everything_says_at_once_that_an_invitation_has_expired() {
    let mut setup = without_sweeper();
    setup.invitation_policy.pending_sent_max = 1;
    let pair = Pair::with(setup).await;
    // One invitation for each way to notice, so that none is noticed by way of another.
    let mut ids = Vec::new();
    for number in 0..8 {
        let (ann, bob) = (format!("ann-{number}"), format!("bob-{number}"));
        let id = pair.sent(&ann, &bob).await;
        ids.push((ann, bob, id));
    }
    pair.clock.set(START.plus(LIFETIME).minus(TICK));
    for (ann, bob, id) in &ids {
        let both = Both::at_rest(&pair, ann, bob).await;
        assert_eq!((both.one.sent.len(), both.other.received.len()), (1, 1));
        for member in [ann, bob] {
            let seen = pair.get(member, id).await.unwrap();
            assert_eq!(seen.state(), InvitationState::Pending);
            assert_eq!(time(seen.expire_time), START.plus(LIFETIME));
        }
        assert_eq!(reason(pair.send(ann, bob).await), "INVITATION_PENDING");
        assert_eq!(reason(pair.send(ann, "cyd").await), "PENDING_CAP_REACHED");
    }
    pair.clock.set(START.plus(LIFETIME));
    for (ann, bob, id) in &ids {
        let both = Both::at_rest(&pair, ann, bob).await;
        assert!(both.have_empty_lists(), "{both:#?}");
        assert_eq!(both.one.quota.pending_sent, 0);
        for member in [ann, bob] {
            let gone = reason(pair.get(member, id).await);
            assert_eq!(gone, "INVITATION_NOT_FOUND");
        }
    }
    let mut ids = ids.into_iter();
    let mut next = || ids.next().unwrap();
    let (_, bob, id) = next();
    let answer = reason(pair.accept(&bob, &id).await);
    assert_eq!(answer, "INVITATION_NOT_FOUND");
    let (_, bob, id) = next();
    let answer = reason(pair.decline(&bob, &id, DeclineReason::Spam).await);
    assert_eq!(answer, "INVITATION_NOT_FOUND");
    let (ann, _, id) = next();
    let answer = reason(pair.withdraw(&ann, &id).await);
    assert_eq!(answer, "INVITATION_NOT_FOUND");
    let (_, bob, id) = next();
    let answer = reason(pair.undo(&bob, &id).await);
    assert_eq!(answer, "INVITATION_NOT_FOUND");
    let (ann, bob, id) = next();
    assert_ne!(pair.sent(&ann, &bob).await, id, "a new one");
    let (ann, _, _) = next();
    pair.sent(&ann, "cyd").await;
    let (ann, bob, _) = next();
    let answer = pair.send(&bob, &ann).await.unwrap();
    assert_eq!(answer.outcome(), SendOutcome::Sent, "it crosses nothing");
    let (ann, _, _) = next();
    let request = BatchWithdrawInvitationsRequest {
        member_id: ann,
        selection: Some(Selection::Filter(SentFilter::default())),
        dry_run: false,
    };
    let mut client = pair.invitations.clone();
    let answer = client.batch_withdraw_invitations(request).await.unwrap();
    assert_eq!(answer.into_inner().matched_count, 0);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acceptance_before_the_expiry_stands_however_late_the_connection_is_made() {
    let mut pair = Pair::start().await;
    let id = pair.sent("ann", "bob").await;
    pair.stop_connection_service().await;
    pair.clock.set(START.plus(LIFETIME).minus(TICK));
    let accepted = pair.accept("bob", &id).await.unwrap();
    let state = accepted.invitation.unwrap().state();
    assert_eq!(state, InvitationState::Accepting);
    pair.clock.set(START.plus(LIFETIME).plus(Span::days(1)));
    let seen = pair.get("bob", &id).await.unwrap();
    assert_eq!(seen.state(), InvitationState::Accepting);
    pair.start_connection_service().await;
    eventually("the two are connected", || async {
        // The wait before the next attempt is on the clock too.
        pair.advance(Span::seconds(1));
        let both = Both::of(&pair, "ann", "bob").await;
        (both.are_connected() && both.have_empty_lists()).then_some(())
    })
    .await;
    for member in ["ann", "bob"] {
        let seen = pair.get(member, &id).await.unwrap();
        assert_eq!(seen.state(), InvitationState::Accepted);
    }
    pair.stop().await;
}

async fn withdraw_after(pair: &Pair, member: &str, days: i64) {
    let request = UpdateInvitationPreferencesRequest {
        member_id: member.to_owned(),
        preferences: Some(InvitationPreferences {
            auto_withdraw_after: Some(prost_types::Duration {
                seconds: days * 24 * 60 * 60,
                nanos: 0,
            }),
            ..Default::default()
        }),
        update_mask: Some(FieldMask {
            paths: vec!["auto_withdraw_after".to_owned()],
        }),
    };
    let mut client = pair.invitations.clone();
    client.update_invitation_preferences(request).await.unwrap();
}

/// Waits until a member's list Sent is empty.
async fn swept(pair: &Pair, member: &str) {
    eventually("what was sent is withdrawn", || async {
        let sent = pair.list(member, InvitationBox::Sent).await;
        sent.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_longer_than_its_inviter_wishes_is_withdrawn_in_silence() {
    let mut setup = Setup::default();
    setup.invitation_policy.withdraw_cooldown = Span::days(21);
    let pair = Pair::with(setup).await;
    withdraw_after(&pair, "ann", 7).await;
    withdraw_after(&pair, "eve", 7).await;
    // A little earlier than ann's: when it goes, the worker has looked, and has left ann's alone.
    pair.sent("eve", "bob").await;
    pair.advance(Span::seconds(1));
    let sent = now(&pair);
    let id = pair.sent("ann", "bob").await;
    pair.advance(Span::seconds(1));
    let later = pair.sent("ann", "cyd").await;
    let due = sent.plus(Span::days(7));
    pair.clock.set(due.minus(TICK));
    swept(&pair, "eve").await;
    assert_eq!(pair.list("ann", InvitationBox::Sent).await.len(), 2);
    pair.clock.set(due);
    eventually("the older one is withdrawn", || async {
        let sent = pair.list("ann", InvitationBox::Sent).await;
        (sent.len() == 1).then_some(())
    })
    .await;
    assert_eq!(
        pair.list("ann", InvitationBox::Sent).await[0].invitation_id,
        later
    );
    let both = Both::at_rest(&pair, "ann", "bob").await;
    assert!(both.other.has_empty_lists(), "{both:#?}");
    for member in ["ann", "bob"] {
        let gone = reason(pair.get(member, &id).await);
        assert_eq!(gone, "INVITATION_NOT_FOUND", "it counts as expired");
    }
    let request = ListInvitationsRequest {
        member_id: "ann".to_owned(),
        r#box: InvitationBox::Sent.into(),
        include_recently_withdrawn: true,
        ..Default::default()
    };
    let mut client = pair.invitations.clone();
    let listed = client.list_invitations(request).await.unwrap();
    assert_eq!(listed.into_inner().invitations.len(), 1);
    // It was no withdrawal of ann's own, so there is no cool-down; and it gave back no place.
    assert_eq!(pair.quota("ann").await.used, 1, "a week has passed");
    pair.sent("ann", "bob").await;
    pair.clock.set(due.plus(Span::seconds(1)));
    eventually("the later one is withdrawn", || async {
        let sent = pair.list("ann", InvitationBox::Sent).await;
        let gone = sent.iter().all(|one| one.invitation_id != later);
        gone.then_some(())
    })
    .await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_for_withdrawal_also_concerns_what_waits_already_and_can_be_taken_back() {
    let pair = Pair::start().await;
    pair.sent("ann", "bob").await;
    pair.sent("eve", "bob").await;
    pair.advance(Span::days(8));
    withdraw_after(&pair, "ann", 9).await;
    withdraw_after(&pair, "ann", 0).await;
    withdraw_after(&pair, "eve", 8).await;
    swept(&pair, "eve").await;
    withdraw_after(&pair, "eve", 30).await;
    pair.advance(Span::days(8));
    // Another's, due now: when it goes the worker has looked.
    pair.sent("dan", "bob").await;
    pair.advance(Span::days(7));
    withdraw_after(&pair, "dan", 7).await;
    swept(&pair, "dan").await;
    assert_eq!(pair.list("ann", InvitationBox::Sent).await.len(), 1);
    pair.stop().await;
}
