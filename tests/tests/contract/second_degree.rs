//! Members who wish to be invited only by those with whom they have a connection in common.
//!
//! Deliberately absent: that the refusal is the masked one, byte by byte (see `privacy`).

use acquaint_proto::invitation::v1::{
    CheckEligibilityRequest, GetInvitationPreferencesRequest, InvitationBox, WhoCanInvite,
};
use acquaint_tests::{pair::Pair, refusal::reason, wait::eventually};

use crate::privacy::prefer;

/// bob wishes it; ann and bob both know cat.
async fn known_through_cat() -> Pair {
    let pair = Pair::start().await;
    for other in ["ann", "bob"] {
        pair.connect("cat", other).await;
    }
    prefer(&pair, "bob", WhoCanInvite::SecondDegree)
        .await
        .unwrap();
    pair
}

#[tokio::test(flavor = "multi_thread")]
async fn only_those_with_a_connection_in_common_may_invite() {
    let pair = known_through_cat().await;
    assert_eq!(
        reason(pair.send("dan", "bob").await),
        "RECIPIENT_UNAVAILABLE"
    );
    pair.sent("ann", "bob").await;
    // Who has just been connected may at once.
    pair.connect("cat", "dan").await;
    pair.sent("dan", "bob").await;
    // And no longer who has just been removed.
    pair.connect("cat", "eve").await;
    pair.remove("eve", "cat").await.unwrap();
    assert_eq!(
        reason(pair.send("eve", "bob").await),
        "RECIPIENT_UNAVAILABLE"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_wish_is_kept_and_leaves_what_is_pending() {
    let mut pair = Pair::start().await;
    let id = pair.sent("dan", "bob").await;
    prefer(&pair, "bob", WhoCanInvite::SecondDegree)
        .await
        .unwrap();
    pair.stop_invitation_service().await;
    pair.start_invitation_service().await;
    let request = GetInvitationPreferencesRequest {
        member_id: "bob".to_owned(),
    };
    let answer = pair
        .invitations
        .clone()
        .get_invitation_preferences(request)
        .await;
    let kept = answer.unwrap().into_inner().preferences.unwrap();
    assert_eq!(kept.who_can_invite(), WhoCanInvite::SecondDegree);
    let waiting = pair.list("bob", InvitationBox::Received).await;
    assert_eq!(
        waiting
            .iter()
            .map(|one| &one.invitation_id)
            .collect::<Vec<_>>(),
        [&id]
    );
    pair.accept("bob", &id).await.unwrap();
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_known_opens_no_door() {
    let mut pair = known_through_cat().await;
    pair.stop_connection_service().await;
    assert_eq!(
        reason(pair.send("ann", "bob").await),
        "RECIPIENT_UNAVAILABLE"
    );
    // Whoever has no such wish is invited all the same.
    pair.sent("ann", "dan").await;
    pair.start_connection_service().await;
    eventually("ann may invite bob again", || async {
        pair.send("ann", "bob").await.ok()
    })
    .await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn eligibility_does_not_tell_of_it() {
    let pair = known_through_cat().await;
    let request = CheckEligibilityRequest {
        inviter_id: "dan".to_owned(),
        invitee_ids: vec!["bob".to_owned(), "nobody".to_owned()],
    };
    let answer = pair.invitations.clone().check_eligibility(request).await;
    let found = answer.unwrap().into_inner().eligibilities;
    assert!(
        found.iter().all(|one| one.eligible && one.reason == 0),
        "{found:?}"
    );
    pair.stop().await;
}
