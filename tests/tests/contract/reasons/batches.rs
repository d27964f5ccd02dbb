//! The refusal of one item of a batch says what the method for one would have said.

use acquaint_proto::{
    error::v1::{self as error, ErrorReason},
    invitation::v1::{
        BatchAcceptInvitationsRequest, BatchDeclineInvitationsRequest,
        BatchWithdrawInvitationsRequest, DeclineReason, InvitationIds, InvitationResult,
        batch_accept_invitations_request::Selection as Accepted,
        batch_decline_invitations_request::Selection as Declined,
        batch_withdraw_invitations_request::Selection as Withdrawn, invitation_result::Outcome,
    },
};
use acquaint_tests::{
    pair::{Pair, Setup},
    refusal::Refusal,
};
use tonic::Status;

const NOBODYS: &str = "0198c0de-0000-7000-8000-000000000000";

fn named(id: &str) -> InvitationIds {
    InvitationIds {
        invitation_ids: vec![id.to_owned()],
    }
}

fn refused(mut results: Vec<InvitationResult>) -> error::Status {
    let result = results.pop().unwrap();
    assert!(results.is_empty());
    match result.outcome {
        Some(Outcome::Status(status)) => status,
        other => panic!("{other:?}"),
    }
}

async fn withdrawn(pair: &Pair, member: &str, id: &str) -> error::Status {
    let request = BatchWithdrawInvitationsRequest {
        member_id: member.to_owned(),
        selection: Some(Withdrawn::InvitationIds(named(id))),
        dry_run: false,
    };
    let answer = pair
        .invitations
        .clone()
        .batch_withdraw_invitations(request)
        .await;
    refused(answer.unwrap().into_inner().results)
}

async fn accepted(pair: &Pair, member: &str, id: &str) -> error::Status {
    let request = BatchAcceptInvitationsRequest {
        member_id: member.to_owned(),
        selection: Some(Accepted::InvitationIds(named(id))),
        dry_run: false,
    };
    let answer = pair
        .invitations
        .clone()
        .batch_accept_invitations(request)
        .await;
    refused(answer.unwrap().into_inner().results)
}

async fn declined(pair: &Pair, member: &str, id: &str) -> error::Status {
    let request = BatchDeclineInvitationsRequest {
        member_id: member.to_owned(),
        selection: Some(Declined::InvitationIds(named(id))),
        dry_run: false,
        reason: DeclineReason::Spam.into(),
    };
    let answer = pair
        .invitations
        .clone()
        .batch_decline_invitations(request)
        .await;
    refused(answer.unwrap().into_inner().results)
}

#[track_caller]
pub(super) fn alike(item: &error::Status, alone: &Status, reason: ErrorReason) {
    let refusal = Refusal::of(alone);
    let name = reason.as_str_name().strip_prefix("ERROR_REASON_").unwrap();
    assert_eq!((item.reason(), refusal.reason.as_str()), (reason, name));
    assert_eq!(item.code, i32::from(alone.code()));
    assert_eq!(item.message, alone.message());
    let metadata: std::collections::BTreeMap<_, _> = item.metadata.clone().into_iter().collect();
    assert_eq!(metadata, refusal.metadata);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_item_of_a_batch_is_refused_as_it_would_be_alone() {
    let mut setup = Setup::default();
    setup.connection_policy.connections_max = 1;
    let mut pair = Pair::with(setup).await;
    let spam = DeclineReason::Spam;

    let alone = pair.withdraw("ann", NOBODYS).await.unwrap_err();
    let item = withdrawn(&pair, "ann", NOBODYS).await;
    alike(&item, &alone, ErrorReason::InvitationNotFound);

    let to_bob = pair.sent("ann", "bob").await;
    let to_cat = pair.sent("ann", "cat").await;
    pair.accept("bob", &to_bob).await.unwrap();
    let alone = pair.withdraw("ann", &to_bob).await.unwrap_err();
    let item = withdrawn(&pair, "ann", &to_bob).await;
    alike(&item, &alone, ErrorReason::AlreadyAccepted);
    let alone = pair.decline("bob", &to_bob, spam).await.unwrap_err();
    let item = declined(&pair, "bob", &to_bob).await;
    alike(&item, &alone, ErrorReason::AlreadyAccepted);

    let alone = pair.accept("cat", &to_cat).await.unwrap_err();
    let item = accepted(&pair, "cat", &to_cat).await;
    alike(&item, &alone, ErrorReason::InviterConnectionLimitReached);
    pair.decline("cat", &to_cat, spam).await.unwrap();
    let alone = pair.accept("cat", &to_cat).await.unwrap_err();
    let item = accepted(&pair, "cat", &to_cat).await;
    alike(&item, &alone, ErrorReason::InvitationNotPending);

    let to_bob = pair.sent("dan", "bob").await;
    let alone = pair.accept("bob", &to_bob).await.unwrap_err();
    let item = accepted(&pair, "bob", &to_bob).await;
    alike(&item, &alone, ErrorReason::ConnectionLimitReached);

    let to_fay = pair.sent("eve", "fay").await;
    pair.stop_connection_service().await;
    pair.accept("fay", &to_fay).await.unwrap();
    let alone = pair.withdraw("eve", &to_fay).await.unwrap_err();
    let item = withdrawn(&pair, "eve", &to_fay).await;
    alike(&item, &alone, ErrorReason::DependencyUnavailable);
    pair.stop().await;
}
