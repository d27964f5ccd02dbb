//! Reasons that need nothing but calls in an order, and those that a member's erasure and time bring.

use acquaint_proto::{
    connection::{
        internal::v1::WatchFactsRequest,
        v1::{GetMemberRequest, ListBlockedMembersRequest, PutMemberRequest},
    },
    invitation::v1 as invitation,
};
use acquaint_tests::{
    pair::{Pair, Setup},
    wait::eventually,
};
use invitation::{DeclineReason, SendInvitationRequest};
use service_kit::{auth::Role, time::Span};
use tonic::{Request, Status};

use super::streams::{
    connections_after, invitations_after, token_of_connections, token_of_invitations,
};
const NOBODYS: &str = "0198c0de-0000-7000-8000-000000000000";

/// Reasons that lie in the request.
pub(super) async fn requests() -> Vec<Status> {
    let pair = Pair::start().await;
    let mut refused = vec![
        pair.send("", "bob").await.unwrap_err(),
        pair.block("", "bob").await.unwrap_err(),
        pair.send("ann", "ann").await.unwrap_err(),
        pair.remove("ann", "ann").await.unwrap_err(),
        invitations_after(&pair, "x").await.unwrap_err(),
        connections_after(&pair, "x").await.unwrap_err(),
        pair.get("ann", NOBODYS).await.unwrap_err(),
    ];
    let request = |note: &str| SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: "bob".to_owned(),
        note: note.to_owned(),
        request_id: NOBODYS.to_owned(),
        ..Default::default()
    };
    pair.send_with(request("hello")).await.unwrap();
    refused.push(pair.send_with(request("good day")).await.unwrap_err());
    pair.stop().await;
    refused
}

/// Reasons that lie in who calls.
pub(super) async fn callers() -> Vec<Status> {
    let pair = Pair::with(Setup {
        credentials: true,
        ..Setup::default()
    })
    .await;
    let mut request = Request::new(ListBlockedMembersRequest::default());
    let token = format!("Bearer {}", pair.credentials.token(Role::Operator));
    let header = request.metadata_mut();
    header.insert("authorization", token.parse().unwrap());
    let refused = vec![
        pair.send("", "bob").await.unwrap_err(),
        pair.blocks
            .clone()
            .list_blocked_members(request)
            .await
            .unwrap_err(),
    ];
    pair.stop().await;
    refused
}

/// Reasons that lie in what was done before.
pub(super) async fn states() -> Vec<Status> {
    let pair = Pair::start().await;
    let mut refused = Vec::new();
    let id = pair.sent("ann", "bob").await;
    refused.push(pair.send("ann", "bob").await.unwrap_err());
    pair.accept("bob", &id).await.unwrap();
    refused.push(pair.send("ann", "bob").await.unwrap_err());
    refused.push(pair.withdraw("ann", &id).await.unwrap_err());
    refused.push(
        pair.decline("bob", &id, DeclineReason::Spam)
            .await
            .unwrap_err(),
    );
    let id = pair.sent("ann", "cat").await;
    pair.decline("cat", &id, DeclineReason::NotNow)
        .await
        .unwrap();
    refused.push(pair.accept("cat", &id).await.unwrap_err());
    refused.push(pair.send("ann", "cat").await.unwrap_err());
    pair.block("ann", "dan").await.unwrap();
    refused.push(pair.send("ann", "dan").await.unwrap_err());
    pair.stop().await;
    refused
}

async fn put(pair: &Pair, member: &str) -> Result<(), Status> {
    let request = PutMemberRequest {
        member_id: member.to_owned(),
        ..Default::default()
    };
    pair.members.clone().put_member(request).await.map(drop)
}

async fn get(pair: &Pair, member: &str) -> Result<(), Status> {
    let member_id = member.to_owned();
    let request = GetMemberRequest { member_id };
    pair.members.clone().get_member(request).await.map(drop)
}

/// What an erased member is told, and a token whose events are no longer kept.
pub(super) async fn members_and_time() -> Vec<Status> {
    let pair = Pair::start().await;
    eventually("the erasure is complete", || async {
        pair.erase("eve").await.then_some(())
    })
    .await;
    let mut refused = vec![
        pair.send("eve", "bob").await.unwrap_err(),
        pair.block("eve", "bob").await.unwrap_err(),
        pair.remove("eve", "bob").await.unwrap_err(),
        put(&pair, "eve").await.unwrap_err(),
        get(&pair, "bob").await.unwrap_err(),
    ];
    let invitations = token_of_invitations(&pair).await;
    let connections = token_of_connections(&pair).await;
    pair.connect("ann", "bob").await;
    pair.advance(Span::days(8));
    refused.push(
        eventually("the events of invitations are forgotten", || async {
            invitations_after(&pair, &invitations).await.err()
        })
        .await,
    );
    refused.push(
        eventually("the events of connections are forgotten", || async {
            connections_after(&pair, &connections).await.err()
        })
        .await,
    );
    let from_the_first = WatchFactsRequest { after: None };
    refused.push(
        pair.facts
            .clone()
            .watch_facts(from_the_first)
            .await
            .unwrap_err(),
    );
    pair.stop().await;
    refused
}
