//! Reasons that are nobody's fault but the system's.

use acquaint_proto::{
    connection::v1::{BlockMemberRequest, ListConnectionsRequest},
    invitation::v1::{GetInvitationQuotaRequest, InvitationState, SendInvitationRequest},
};
use acquaint_tests::pair::Pair;
use prost::Message as _;
use tonic::Status;

use crate::wire::Wire;

/// What needs connection-service's verdict while it is away.
pub(super) async fn of_dependencies() -> Vec<Status> {
    let mut pair = Pair::start().await;
    let id = pair.sent("ann", "bob").await;
    pair.stop_connection_service().await;
    let accepting = pair.accept("bob", &id).await.unwrap().invitation.unwrap();
    assert_eq!(accepting.state(), InvitationState::Accepting);
    let refused = vec![pair.withdraw("ann", &id).await.unwrap_err()];
    pair.stop().await;
    refused
}

/// What takes longer than its caller has: both stores are held by somebody else meanwhile.
pub(super) async fn of_deadlines() -> Vec<Status> {
    let pair = Pair::start().await;
    let wire = Wire::to(&pair).await;
    let send = SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: "bob".to_owned(),
        ..Default::default()
    };
    let block = BlockMemberRequest {
        member_id: "cat".to_owned(),
        other_id: "dan".to_owned(),
    };
    let mut refused = Vec::new();
    for (file, method, message) in [
        (
            pair.invitation_file(),
            "SendInvitation",
            send.encode_to_vec(),
        ),
        (pair.connection_file(), "BlockMember", block.encode_to_vec()),
    ] {
        let holder = rusqlite::Connection::open(file).unwrap();
        holder.execute_batch("begin immediate").unwrap();
        let late = wire
            .call_with(method, &message, &[("grpc-timeout", "20m")])
            .await;
        refused.push(late.refusal().expect("too late"));
        holder.execute_batch("rollback").unwrap();
    }
    pair.stop().await;
    refused
}

/// What reads a row that nobody could have written.
pub(super) async fn of_stores() -> Vec<Status> {
    let mut pair = Pair::start().await;
    pair.connect("ann", "bob").await;
    pair.stop_invitation_service().await;
    pair.stop_connection_service().await;
    for (file, damage) in [
        (
            pair.invitation_file(),
            "update of_member set c7 = x'01' where kind = -1 and member = 'ann'",
        ),
        (
            pair.connection_file(),
            "update of_member set other = '?' where kind = 3 and member = 'ann'",
        ),
    ] {
        let conn = rusqlite::Connection::open(file).unwrap();
        assert_eq!(conn.execute(damage, []).unwrap(), 1);
    }
    pair.start_connection_service().await;
    pair.start_invitation_service().await;
    let member_id = || "ann".to_owned();
    let quota = GetInvitationQuotaRequest {
        member_id: member_id(),
    };
    let connections = ListConnectionsRequest {
        member_id: member_id(),
        ..Default::default()
    };
    let refused = vec![
        pair.invitations
            .clone()
            .get_invitation_quota(quota)
            .await
            .unwrap_err(),
        pair.connections
            .clone()
            .list_connections(connections)
            .await
            .unwrap_err(),
    ];
    pair.stop().await;
    refused
}
