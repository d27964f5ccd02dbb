//! What a pair's tests ask of connection-service.

use acquaint_proto::connection::v1 as connection;
use tonic::Status;

use super::Pair;

impl Pair {
    /// The other members whom a member is connected with, newest first.
    pub async fn connected(&self, member: &str) -> Vec<String> {
        let request = connection::ListConnectionsRequest {
            member_id: member.to_owned(),
            page_size: 1_000,
            ..Default::default()
        };
        let answer = self
            .connections
            .clone()
            .list_connections(request)
            .await
            .unwrap();
        let connections = answer.into_inner().connections;
        connections
            .into_iter()
            .map(|connection| connection.other_id)
            .collect()
    }

    /// Ends a connection.
    pub async fn remove(&self, member: &str, other: &str) -> Result<(), Status> {
        let request = connection::RemoveConnectionRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
            connect_time: None,
        };
        self.connections
            .clone()
            .remove_connection(request)
            .await
            .map(|_| ())
    }

    /// Blocks a member.
    pub async fn block(&self, member: &str, other: &str) -> Result<(), Status> {
        let request = connection::BlockMemberRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
        };
        self.blocks.clone().block_member(request).await.map(|_| ())
    }

    /// Lifts a block.
    pub async fn unblock(&self, member: &str, other: &str) -> Result<(), Status> {
        let request = connection::UnblockMemberRequest {
            member_id: member.to_owned(),
            other_id: other.to_owned(),
        };
        self.blocks
            .clone()
            .unblock_member(request)
            .await
            .map(|_| ())
    }

    /// Erases a member; whether both services are done.
    pub async fn erase(&self, member: &str) -> bool {
        let request = connection::EraseMemberRequest {
            member_id: member.to_owned(),
        };
        self.members
            .clone()
            .erase_member(request)
            .await
            .unwrap()
            .into_inner()
            .complete
    }
}
