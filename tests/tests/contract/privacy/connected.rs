//! What the other side can notice of the end of a connection, and of a list that is full.

use acquaint_proto::{
    connection::v1 as connection,
    invitation::v1::{self as wire, InvitationBox, SendInvitationRequest},
};
use acquaint_tests::{
    pair::{Pair, Setup},
    wait::eventually,
};
use connection::watch_connections_request::Scope;
use prost::Message as _;
use tonic::Streaming;

use super::{PATIENCE, erase};
use crate::wire::{Answer, Wire};

const HOW: [&str; 3] = ["remove", "block", "erase"];

async fn watch(pair: &Pair, member: &str) -> Streaming<connection::WatchConnectionsResponse> {
    let request = connection::WatchConnectionsRequest {
        scope: Some(Scope::MemberId(member.to_owned())),
        resume_token: String::new(),
    };
    let stream = pair.connections.clone().watch_connections(request).await;
    stream.unwrap().into_inner()
}

/// The next event, encoded.
async fn next(stream: &mut Streaming<connection::WatchConnectionsResponse>) -> Vec<u8> {
    use connection::watch_connections_response::Content;
    loop {
        let message = tokio::time::timeout(PATIENCE, stream.message()).await;
        match message.expect("an event").unwrap().unwrap().content {
            Some(Content::MemberEvent(event)) => return event.encode_to_vec(),
            Some(Content::Heartbeat(_)) => {}
            other => panic!("{other:?}"),
        }
    }
}

/// What ann sees of the other and of the invitation that connected them.
async fn look(wire: &Wire, ann: &str, other: &str, id: &str) -> Vec<Answer> {
    let (member_id, other_id) = (|| ann.to_owned(), || other.to_owned());
    let get = wire::GetInvitationRequest {
        invitation_id: id.to_owned(),
        member_id: member_id(),
    };
    let withdraw = wire::WithdrawInvitationRequest {
        invitation_id: id.to_owned(),
        member_id: member_id(),
    };
    let states = wire::BatchGetInvitationStatesRequest {
        member_id: member_id(),
        other_ids: vec![other_id()],
    };
    let quota = wire::GetInvitationQuotaRequest {
        member_id: member_id(),
    };
    let count = wire::CountInvitationsRequest {
        member_id: member_id(),
    };
    let relationship = connection::GetRelationshipRequest {
        member_id: member_id(),
        other_id: other_id(),
    };
    let list = connection::ListConnectionsRequest {
        member_id: member_id(),
        ..Default::default()
    };
    let remove = connection::RemoveConnectionRequest {
        member_id: member_id(),
        other_id: other_id(),
        connect_time: None,
    };
    let unblock = connection::UnblockMemberRequest {
        member_id: member_id(),
        other_id: other_id(),
    };
    let answers = vec![
        wire.call("GetInvitation", &get).await,
        wire.call("WithdrawInvitation", &withdraw).await,
        wire.call("BatchGetInvitationStates", &states).await,
        wire.call("GetInvitationQuota", &quota).await,
        wire.call("CountInvitations", &count).await,
        wire.call("GetRelationship", &relationship).await,
        wire.call("ListConnections", &list).await,
        wire.call("RemoveConnection", &remove).await,
        wire.call("UnblockMember", &unblock).await,
    ];
    let names = [(ann, "ann-x"), (other, "bob-x")];
    answers
        .iter()
        .map(|answer| answer.renamed(&names))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_a_block_and_an_erasure_of_a_connection_look_the_same_to_the_other() {
    let pair = Pair::start().await;
    let wire = Wire::to(&pair).await;
    let mut seen = Vec::new();
    for (number, how) in HOW.iter().enumerate() {
        let (ann, bob) = (format!("ann-{number}"), format!("bob-{number}"));
        let mut watch = watch(&pair, &ann).await;
        let id = pair.sent(&ann, &bob).await;
        pair.accept(&bob, &id).await.unwrap();
        let mut events = vec![next(&mut watch).await];
        match *how {
            "remove" => pair.remove(&bob, &ann).await.unwrap(),
            "block" => pair.block(&bob, &ann).await.unwrap(),
            _ => erase(&pair, &bob).await,
        }
        eventually("the accepted invitation is gone", || async {
            pair.get(&ann, &id).await.err()
        })
        .await;
        events.push(next(&mut watch).await);
        let names = [(ann.as_str(), "ann-x"), (bob.as_str(), "bob-x")];
        let events: Vec<_> = events
            .iter()
            .map(|event| crate::wire::rename(event, &names))
            .collect();
        seen.push((how, events, look(&wire, &ann, &bob, &id).await));
    }
    for (how, events, answers) in &seen {
        assert_eq!(seen[0].1, *events, "{how}");
        assert_eq!(seen[0].2, *answers, "{how}");
    }
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn that_an_invitation_was_filtered_is_not_told_to_the_inviter() {
    let mut setup = Setup::default();
    setup.invitation_policy.pending_received_soft_max = 1;
    let pair = Pair::with(setup).await;
    let wire = Wire::to(&pair).await;
    let mut seen = Vec::new();
    for inviter in ["ann-1", "ann-2"] {
        let mut watch = super::Watch::of(&pair, inviter).await;
        let request = SendInvitationRequest {
            inviter_id: inviter.to_owned(),
            invitee_id: "bob".to_owned(),
            note: "hello".to_owned(),
            ..Default::default()
        };
        let sent = wire.call("SendInvitation", &request).await;
        let message: wire::SendInvitationResponse = sent.message();
        let id = message.invitation.unwrap().invitation_id;
        let list = wire::ListInvitationsRequest {
            member_id: inviter.to_owned(),
            r#box: InvitationBox::Sent.into(),
            ..Default::default()
        };
        let get = wire::GetInvitationRequest {
            invitation_id: id.clone(),
            member_id: inviter.to_owned(),
        };
        let (event, token) = watch.next().await;
        let answers = [
            sent,
            wire.call("SendInvitation", &request).await,
            wire.call("ListInvitations", &list).await,
            wire.call("GetInvitation", &get).await,
        ];
        // A refusal names the invitation in its details, which are not renamed: its reason is what is compared.
        let [sent, again, list, get] = answers;
        let names = [
            (inviter, "ann-x"),
            (id.as_str(), "iiiiiiii-iiii-iiii-iiii-iiiiiiiiiiii"),
        ];
        let again = acquaint_tests::refusal::Refusal::of(&again.refusal().unwrap()).reason;
        let event = crate::wire::rename(&event.encode_to_vec(), &names);
        let answers = [sent, list, get].map(|answer| answer.renamed(&names));
        seen.push((answers, again, event, token));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(pair.list("bob", InvitationBox::Filtered).await.len(), 1);
    pair.stop().await;
}
