//! Reasons that end a stream, or do not let it begin.

use std::time::Duration;

use acquaint_proto::{
    connection::{internal::v1 as internal, v1 as connection},
    invitation::v1 as invitation,
};
use acquaint_tests::{
    Invitations,
    pair::{Pair, Setup},
    wait::eventually,
};
use connection::watch_connections_request::Scope as ConnectionScope;
use invitation::{SendInvitationRequest, watch_invitations_request::Scope as InvitationScope};
use tonic::{Status, Streaming, transport::Channel};

type InvitationStream = Streaming<invitation::WatchInvitationsResponse>;
type ConnectionStream = Streaming<connection::WatchConnectionsResponse>;

/// Watches everybody's invitations after a token.
pub(super) async fn invitations_after(
    pair: &Pair,
    resume_token: &str,
) -> Result<InvitationStream, Status> {
    watched(
        pair.invitations.clone(),
        InvitationScope::AllMembers(true),
        resume_token,
    )
    .await
}

async fn watched(
    mut client: Invitations,
    scope: InvitationScope,
    resume_token: &str,
) -> Result<InvitationStream, Status> {
    let request = invitation::WatchInvitationsRequest {
        scope: Some(scope),
        resume_token: resume_token.to_owned(),
    };
    let answer = client.watch_invitations(request).await?;
    Ok(answer.into_inner())
}

/// Watches everybody's connections after a token.
pub(super) async fn connections_after(
    pair: &Pair,
    resume_token: &str,
) -> Result<ConnectionStream, Status> {
    let request = connection::WatchConnectionsRequest {
        scope: Some(ConnectionScope::AllMembers(true)),
        resume_token: resume_token.to_owned(),
    };
    let answer = pair.connections.clone().watch_connections(request).await?;
    Ok(answer.into_inner())
}

/// A token of everybody's invitations, of now.
pub(super) async fn token_of_invitations(pair: &Pair) -> String {
    let mut stream = invitations_after(pair, "").await.unwrap();
    stream.message().await.unwrap().unwrap().resume_token
}

/// A token of everybody's connections, of now.
pub(super) async fn token_of_connections(pair: &Pair) -> String {
    let mut stream = connections_after(pair, "").await.unwrap();
    stream.message().await.unwrap().unwrap().resume_token
}

/// A stream too many, and a consumer that takes nothing.
pub(super) async fn of_invitations() -> Vec<Status> {
    let mut setup = Setup::default();
    setup.watches.open_max = 1;
    setup.watches.hand_over_max = Duration::from_millis(50);
    let pair = Pair::with(setup).await;
    let client = Channel::from_shared(format!("http://{}", pair.invitation_address())).unwrap();
    let client = client.initial_stream_window_size(1_024).connect_lazy();
    let bob = InvitationScope::MemberId("bob".to_owned());
    let mut unread = watched(Invitations::new(client), bob, "").await.unwrap();
    let mut refused = vec![invitations_after(&pair, "").await.unwrap_err()];
    // Far more than the window, the server's buffer and the places for waiting messages hold together.
    for inviter in 0..120 {
        let request = SendInvitationRequest {
            inviter_id: format!("inviter-{inviter}"),
            invitee_id: "bob".to_owned(),
            note: "\u{1f600}".repeat(300),
            ..Default::default()
        };
        pair.send_with(request).await.unwrap();
    }
    eventually("the unread stream has given its place free", || async {
        invitations_after(&pair, "").await.ok()
    })
    .await;
    let mut last = String::new();
    let end = loop {
        match unread.message().await {
            Ok(message) => last = message.expect("it does not end by itself").resume_token,
            Err(end) => break end,
        }
    };
    refused.push(end);
    let bob = InvitationScope::MemberId("bob".to_owned());
    let resumed = eventually("it goes on with the last token", || async {
        watched(pair.invitations.clone(), bob.clone(), &last)
            .await
            .ok()
    })
    .await;
    drop(resumed);
    pair.stop().await;
    refused
}

/// Tokens and positions of a history that a restored copy does not have.
pub(super) async fn of_other_histories() -> Vec<Status> {
    let mut pair = Pair::start().await;
    pair.stop_invitation_service().await;
    pair.stop_connection_service().await;
    let files = [pair.invitation_file(), pair.connection_file()];
    let backups = files.each_ref().map(|file| file.with_extension("backup"));
    for (file, backup) in files.iter().zip(&backups) {
        std::fs::copy(file, backup).unwrap();
    }
    pair.start_connection_service().await;
    pair.start_invitation_service().await;
    pair.wait_for_feed().await;
    pair.connect("ann", "bob").await;
    let invitations = token_of_invitations(&pair).await;
    let connections = token_of_connections(&pair).await;
    let facts = internal::ListFactsRequest::default();
    let facts = pair.facts.clone().list_facts(facts).await;
    let position = facts.unwrap().into_inner().position;
    pair.stop_invitation_service().await;
    pair.stop_connection_service().await;
    for (file, backup) in files.iter().zip(&backups) {
        for rest in ["db-wal", "db-shm"] {
            // A store that was closed well has neither.
            let _ = std::fs::remove_file(file.with_extension(rest));
        }
        std::fs::copy(backup, file).unwrap();
    }
    pair.start_connection_service().await;
    pair.start_invitation_service().await;
    let watch = internal::WatchFactsRequest {
        after: position.clone(),
    };
    let acknowledge = internal::AcknowledgeFactsRequest { position };
    let refused = vec![
        invitations_after(&pair, &invitations).await.unwrap_err(),
        connections_after(&pair, &connections).await.unwrap_err(),
        pair.facts.clone().watch_facts(watch).await.unwrap_err(),
        pair.facts
            .clone()
            .acknowledge_facts(acknowledge)
            .await
            .unwrap_err(),
    ];
    pair.stop().await;
    refused
}
