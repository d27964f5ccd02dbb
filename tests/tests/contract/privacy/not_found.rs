//! An invitation that a member may not know of is none: never there, somebody else's, ended by the other side, expired.

use acquaint_proto::invitation::v1::{
    self as wire, BatchAcceptInvitationsRequest, BatchDeclineInvitationsRequest,
    BatchWithdrawInvitationsRequest, DeclineReason, InvitationIds,
};
use acquaint_tests::{pair::Pair, refusal::Refusal};
use service_kit::time::Span;
use wire::{
    batch_accept_invitations_request::Selection as Accepted,
    batch_decline_invitations_request::Selection as Declined,
    batch_withdraw_invitations_request::Selection as Withdrawn,
};

use crate::wire::{Answer, Wire};

const NOBODYS: &str = "0198c0de-0000-7000-8000-000000000000";

/// What ann may not know of, and why.
async fn hidden(pair: &Pair) -> Vec<(&'static str, String)> {
    let expired = [
        (
            "one she received that expired",
            pair.sent("dan", "ann").await,
        ),
        ("one she sent that expired", pair.sent("ann", "eve").await),
    ];
    pair.advance(Span::days(181));
    let declined = pair.sent("ann", "bob").await;
    pair.decline("bob", &declined, DeclineReason::NotNow)
        .await
        .unwrap();
    let reported = pair.sent("ann", "fay").await;
    pair.decline("fay", &reported, DeclineReason::Spam)
        .await
        .unwrap();
    let withdrawn = pair.sent("cat", "ann").await;
    pair.withdraw("cat", &withdrawn).await.unwrap();
    let blocked = pair.sent("ann", "gus").await;
    pair.block("gus", "ann").await.unwrap();
    let blocking = pair.sent("hal", "ann").await;
    pair.block("hal", "ann").await.unwrap();
    let own_block = pair.sent("ida", "ann").await;
    pair.block("ann", "ida").await.unwrap();
    for (member, id) in [("gus", &blocked), ("ann", &blocking), ("ann", &own_block)] {
        acquaint_tests::wait::eventually("the block is known", || async {
            pair.get(member, id).await.err()
        })
        .await;
    }
    let pending = pair.sent("bob", "cat").await;
    let accepted = pair.sent("dan", "eve").await;
    pair.accept("eve", &accepted).await.unwrap();
    let mut hidden = vec![
        ("one that never was", NOBODYS.to_owned()),
        ("one she sent that was declined", declined),
        ("one she sent that was reported", reported),
        ("one she received that was withdrawn", withdrawn),
        ("one she sent to somebody who blocked her", blocked),
        ("one she received from somebody who blocked her", blocking),
        ("one she received from somebody whom she blocked", own_block),
        ("somebody else's that is pending", pending),
        ("somebody else's that was accepted", accepted),
    ];
    hidden.extend(expired);
    hidden
}

/// Every method that names an invitation, called by ann.
async fn everything(wire: &Wire, id: &str) -> Vec<Answer> {
    let (member_id, invitation_id) = (|| "ann".to_owned(), || id.to_owned());
    let get = wire::GetInvitationRequest {
        invitation_id: invitation_id(),
        member_id: member_id(),
    };
    let accept = wire::AcceptInvitationRequest {
        invitation_id: invitation_id(),
        member_id: member_id(),
    };
    let decline = |reason| wire::DeclineInvitationRequest {
        invitation_id: invitation_id(),
        member_id: member_id(),
        reason,
    };
    let undo = wire::UndoDeclineRequest {
        invitation_id: invitation_id(),
        member_id: member_id(),
    };
    let withdraw = wire::WithdrawInvitationRequest {
        invitation_id: invitation_id(),
        member_id: member_id(),
    };
    let mut answers = vec![
        wire.call("GetInvitation", &get).await,
        wire.call("AcceptInvitation", &accept).await,
        wire.call("DeclineInvitation", &decline(1)).await,
        wire.call("DeclineInvitation", &decline(3)).await,
        wire.call("UndoDecline", &undo).await,
        wire.call("WithdrawInvitation", &withdraw).await,
    ];
    for answer in &answers {
        let refusal = Refusal::of(&answer.refusal().expect("there is none"));
        assert_eq!(refusal.reason, "INVITATION_NOT_FOUND");
        assert_eq!(*answer, answers[0], "the same in every method");
    }
    for dry_run in [true, false] {
        let ids = InvitationIds {
            invitation_ids: vec![invitation_id()],
        };
        let withdraw = BatchWithdrawInvitationsRequest {
            member_id: member_id(),
            selection: Some(Withdrawn::InvitationIds(ids.clone())),
            dry_run,
        };
        let accept = BatchAcceptInvitationsRequest {
            member_id: member_id(),
            selection: Some(Accepted::InvitationIds(ids.clone())),
            dry_run,
        };
        let decline = BatchDeclineInvitationsRequest {
            member_id: member_id(),
            selection: Some(Declined::InvitationIds(ids)),
            dry_run,
            reason: 3,
        };
        for answer in [
            wire.call("BatchWithdrawInvitations", &withdraw).await,
            wire.call("BatchAcceptInvitations", &accept).await,
            wire.call("BatchDeclineInvitations", &decline).await,
        ] {
            answers.push(answer.renamed(&[(id, NOBODYS)]));
        }
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_a_member_may_not_know_of_looks_as_if_it_had_never_been() {
    let pair = Pair::start().await;
    let hidden = hidden(&pair).await;
    let wire = Wire::to(&pair).await;
    let expected = everything(&wire, NOBODYS).await;
    for (what, id) in hidden {
        assert_eq!(expected, everything(&wire, &id).await, "{what}");
    }
    pair.stop().await;
}
