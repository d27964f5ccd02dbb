//! A copy of a store that is being written is whole; a store that was restored from one is noticed, and what can be had again is.
//!
//! Deliberately absent: every way in which two histories can part (`feed/restoring.rs`); here it is the programs' own subcommands, under load.

use std::{path::Path, time::Duration};

use acquaint_proto::{
    connection::v1::{
        EraseMemberRequest, GetRelationshipRequest, RelationshipStatus, WatchConnectionsResponse,
    },
    invitation::v1::{AcceptInvitationRequest, SendInvitationRequest, WatchInvitationsResponse},
};
use acquaint_tests::{
    refusal::Refusal,
    rig::{
        Rig,
        check::STORED,
        load::{ERASED, erased},
        process::{Clients, Service, Which, was_crash},
    },
    wait::eventually,
    watcher::{Message, Scope, Watcher},
};
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::PROGRAMS;

/// What holds of any two stores at rest, wherever their histories come from.
const AT_REST: [&str; 11] = [
    "an acceptance still awaits its verdict",
    "an erasure is not complete",
    "the feed has not been followed to its end",
    "work is overdue",
    "a member's invitations are not as many as counted",
    "a member's connections are not as many as invitation-service counts",
    "a member's connections, blocks or marks are not as many as counted",
    "an invitation is live beside a connection or a block",
    "what invitation-service knows of a pair is not what connection-service says",
    "the positions of a feed have a gap",
    "a file is damaged",
];

/// How long the two may take to agree again.
const AGREE_MAX: Duration = Duration::from_secs(10);

/// Has the program do something beside serving; what it said.
async fn told(service: &Service, arguments: [&str; 3]) -> Result<String, String> {
    let output = service.command().args(arguments).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        Ok(said)
    } else {
        Err(said)
    }
}

/// Connects two members.
async fn connect(clients: &Clients, one: &str, other: &str) {
    let mut invitations = clients.invitations.clone();
    let request = SendInvitationRequest {
        inviter_id: one.to_owned(),
        invitee_id: other.to_owned(),
        ..Default::default()
    };
    let sent = invitations.send_invitation(request).await.unwrap();
    let request = AcceptInvitationRequest {
        invitation_id: sent.into_inner().invitation.unwrap().invitation_id,
        member_id: other.to_owned(),
    };
    invitations.accept_invitation(request).await.unwrap();
    eventually("the two are connected", || {
        are_connected(clients, one, other)
    })
    .await;
}

async fn are_connected(clients: &Clients, one: &str, other: &str) -> Option<()> {
    let request = GetRelationshipRequest {
        member_id: one.to_owned(),
        other_id: other.to_owned(),
    };
    let found = clients.connections.clone().get_relationship(request).await;
    let found = found.ok()?.into_inner().relationship?;
    (found.status() == RelationshipStatus::Connected).then_some(())
}

async fn erase(clients: &Clients, number: usize) -> Option<()> {
    let member_id = erased(number);
    let request = EraseMemberRequest { member_id };
    let done = clients.members.clone().erase_member(request).await;
    done.ok()?.into_inner().complete.then_some(())
}

async fn newest_token<M: Message>(client: M::Client) -> String {
    let watch = Watcher::<M>::with(client, Scope::AllMembers, "").await;
    watch.unwrap().token
}

async fn resume<M: Message>(client: M::Client, token: &str) -> Result<(), Status> {
    Watcher::<M>::with(client, Scope::AllMembers, token)
        .await
        .map(drop)
}

async fn token_of(clients: &Clients, which: Which) -> String {
    match which {
        Which::Invitation => {
            newest_token::<WatchInvitationsResponse>(clients.invitations.clone()).await
        }
        Which::Connection => {
            newest_token::<WatchConnectionsResponse>(clients.connections.clone()).await
        }
    }
}

async fn resume_at(clients: &Clients, which: Which, token: &str) -> Result<(), Status> {
    match which {
        Which::Invitation => {
            resume::<WatchInvitationsResponse>(clients.invitations.clone(), token).await
        }
        Which::Connection => {
            resume::<WatchConnectionsResponse>(clients.connections.clone(), token).await
        }
    }
}

/// A pair that was under load when the copy was made, and went on; restored from it. The two of `lost` were connected after the copy.
async fn restored(which: Which) -> (Rig, String) {
    let mut rig = Rig::new(PROGRAMS, 3);
    rig.processes.start().await;
    rig.begin().await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    let copy = rig
        .processes
        .folder()
        .join("connections-and-invitations.copy");
    let copy = copy.to_str().unwrap().to_owned();
    let service = rig.processes.service(which);
    told(service, ["backup", "--to", &copy]).await.unwrap();
    let again = told(service, ["backup", "--to", &copy]).await.unwrap_err();
    assert!(again.contains("exists already"), "{again}");
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(
        rig.settle().await,
        Vec::<String>::new(),
        "nobody was disturbed"
    );

    connect(rig.clients(), "lost-1", "lost-2").await;
    let token = token_of(rig.clients(), which).await;
    let service = rig.processes.service(which);
    let open = told(service, ["restore", "--from", &copy])
        .await
        .unwrap_err();
    assert!(open.contains("in use by another process"), "{open}");
    service.stop().await;
    told(service, ["restore", "--from", &copy]).await.unwrap();
    assert!(Path::new(&format!("{}.replaced", service.store().display())).exists());
    (rig, token)
}

async fn agrees_again(rig: &mut Rig, which: Which, token: &str) {
    rig.processes.start().await;
    let refused = resume_at(rig.clients(), which, token).await.unwrap_err();
    let refusal = Refusal::of(&refused);
    assert_eq!(refusal.code, Code::FailedPrecondition);
    assert_eq!(refusal.reason, "OTHER_INCARNATION");
    resume_at(rig.clients(), which, "").await.unwrap();

    let clients = rig.clients().clone();
    eventually("the lost are connected again", || {
        are_connected(&clients, "lost-1", "lost-2")
    })
    .await;
    // Erasures of the meantime are lost with the rest: they are asked for again.
    for number in 0..ERASED {
        eventually("the erasure is complete", || erase(&clients, number)).await;
    }
    let stores = rig.stores().await;
    let at_rest = STORED.iter();
    let at_rest = at_rest.filter(|(sentence, _)| AT_REST.contains(sentence));
    let at_rest: Vec<_> = at_rest.collect();
    let asked = Instant::now();
    let mut wrong = stores.violations_of(at_rest.iter().copied());
    while !wrong.is_empty() && asked.elapsed() < AGREE_MAX {
        tokio::time::sleep(Duration::from_millis(20)).await;
        wrong = stores.violations_of(at_rest.iter().copied());
    }
    assert_eq!(wrong, Vec::<String>::new());
    connect(&clients, "new-1", "new-2").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invitation_service_comes_back_from_a_copy() {
    let (mut rig, token) = restored(Which::Invitation).await;
    agrees_again(&mut rig, Which::Invitation, &token).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_service_comes_back_from_a_copy_and_is_offered_what_was_lost() {
    let (mut rig, token) = restored(Which::Connection).await;
    // Also when invitation-service dies while it forgets what it knew of the history that has gone.
    let point = "restored.rewound";
    rig.processes.invitation.kill().await;
    rig.processes.invitation.start(Some(point));
    rig.processes.connection.start(None);
    let limit = Duration::from_secs(20);
    let ended = rig.processes.invitation.ends_within(limit).await;
    assert!(ended.is_some_and(was_crash), "{ended:?}");
    agrees_again(&mut rig, Which::Connection, &token).await;
}
