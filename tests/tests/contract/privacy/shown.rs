//! What each side is shown of an invitation, and what of it is the other's alone.

use acquaint_proto::invitation::v1::{
    self as wire, InvitationBox, InvitationState, SendInvitationRequest,
    member_invitation_event::Change,
};
use acquaint_tests::{pair::Pair, wait::eventually};
use prost_types::{
    FieldDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use service_kit::{
    clock::Clock as _,
    time::{Span, Time},
};

use super::Watch;
use crate::{
    contract,
    wire::{Answer, Wire},
};

async fn sent_with_everything(pair: &Pair) -> String {
    let request = SendInvitationRequest {
        inviter_id: "ann".to_owned(),
        invitee_id: "bob".to_owned(),
        note: "hello".to_owned(),
        source: "search".to_owned(),
        ..Default::default()
    };
    let sent = pair.send_with(request).await.unwrap().invitation.unwrap();
    assert_eq!((sent.seen, sent.source.as_str()), (None, "search"));
    sent.invitation_id
}

/// All that ann can look at.
async fn what_ann_sees(wire: &Wire, id: &str) -> Vec<Answer> {
    let member_id = || "ann".to_owned();
    let get = wire::GetInvitationRequest {
        invitation_id: id.to_owned(),
        member_id: member_id(),
    };
    let list = wire::ListInvitationsRequest {
        member_id: member_id(),
        r#box: InvitationBox::Sent.into(),
        include_recently_withdrawn: true,
        ..Default::default()
    };
    let foresee = wire::BatchWithdrawInvitationsRequest {
        member_id: member_id(),
        selection: Some(wire::batch_withdraw_invitations_request::Selection::Filter(
            wire::SentFilter::default(),
        )),
        dry_run: true,
    };
    let states = wire::BatchGetInvitationStatesRequest {
        member_id: member_id(),
        other_ids: vec!["bob".to_owned()],
    };
    let again = SendInvitationRequest {
        inviter_id: member_id(),
        invitee_id: "bob".to_owned(),
        ..Default::default()
    };
    let count = wire::CountInvitationsRequest {
        member_id: member_id(),
    };
    let quota = wire::GetInvitationQuotaRequest {
        member_id: member_id(),
    };
    vec![
        wire.call("GetInvitation", &get).await,
        wire.call("ListInvitations", &list).await,
        wire.call("BatchWithdrawInvitations", &foresee).await,
        wire.call("BatchGetInvitationStates", &states).await,
        wire.call("SendInvitation", &again).await,
        wire.call("CountInvitations", &count).await,
        wire.call("GetInvitationQuota", &quota).await,
    ]
}

/// The next event of ann's is of an invitation that she sends now: nothing came before it.
async fn nothing_was_told(pair: &Pair, watch: &mut Watch, invitee: &str) {
    let id = pair.sent("ann", invitee).await;
    let (event, _) = watch.next().await;
    let Some(Change::Listed(listed)) = event.change else {
        panic!("something was told: {event:?}");
    };
    let listed = listed.invitation.unwrap();
    assert_eq!((listed.invitation_id, listed.seen), (id, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn that_it_was_seen_is_the_invitees_alone() {
    let pair = Pair::start().await;
    let id = sent_with_everything(&pair).await;
    let wire = Wire::to(&pair).await;
    let mut watch = Watch::of(&pair, "ann").await;
    let before = what_ann_sees(&wire, &id).await;
    assert_eq!(pair.get("bob", &id).await.unwrap().seen, Some(false));
    pair.advance(Span::hours(1));
    let mark = wire::MarkInvitationsSeenRequest {
        member_id: "bob".to_owned(),
        seen_until: Some(timestamp(pair.clock.now())),
    };
    pair.invitations
        .clone()
        .mark_invitations_seen(mark)
        .await
        .unwrap();
    assert_eq!(pair.get("bob", &id).await.unwrap().seen, Some(true));
    assert_eq!(before, what_ann_sees(&wire, &id).await);
    nothing_was_told(&pair, &mut watch, "cat").await;
    for sent in pair.list("ann", InvitationBox::Sent).await {
        assert_eq!(sent.seen, None);
    }
    assert_eq!(pair.withdraw("ann", &id).await.unwrap().seen, None);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_came_from_is_the_inviters_alone() {
    let pair = Pair::start().await;
    let mut watch = Watch::of(&pair, "bob").await;
    let id = sent_with_everything(&pair).await;
    let (event, _) = watch.next().await;
    let Some(Change::Listed(listed)) = event.change else {
        panic!("{event:?}");
    };
    let mut shown = vec![
        listed.invitation.unwrap(),
        pair.get("bob", &id).await.unwrap(),
    ];
    shown.extend(pair.list("bob", InvitationBox::Received).await);
    shown.push(
        pair.decline("bob", &id, wire::DeclineReason::NotNow)
            .await
            .unwrap(),
    );
    shown.push(pair.get("bob", &id).await.unwrap());
    shown.push(pair.undo("bob", &id).await.unwrap());
    shown.push(pair.accept("bob", &id).await.unwrap().invitation.unwrap());
    for shown in shown {
        assert_eq!(shown.source, "", "{shown:?}");
        assert!(shown.seen.is_some(), "{shown:?}");
    }
    assert_eq!(pair.get("ann", &id).await.unwrap().source, "search");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crossing_does_not_show_the_others_source() {
    let pair = Pair::start().await;
    sent_with_everything(&pair).await;
    let crossed = pair.send("bob", "ann").await.unwrap().invitation.unwrap();
    assert_eq!(
        (crossed.inviter_id.as_str(), crossed.source.as_str()),
        ("ann", "")
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inviter_sees_pending_in_the_same_bytes_until_the_connection_is_made() {
    let mut pair = Pair::start().await;
    let id = sent_with_everything(&pair).await;
    let mut watch = Watch::of(&pair, "ann").await;
    let wire = Wire::to(&pair).await;
    let before = what_ann_sees(&wire, &id).await;
    pair.stop_connection_service().await;
    pair.advance(Span::minutes(1));
    let accepting = pair.accept("bob", &id).await.unwrap();
    assert_eq!(accepting.connection, None);
    assert_eq!(
        accepting.invitation.unwrap().state(),
        InvitationState::Accepting
    );
    let own = pair.get("bob", &id).await.unwrap();
    assert_eq!(own.state(), InvitationState::Accepting);
    assert_eq!(before, what_ann_sees(&wire, &id).await);
    nothing_was_told(&pair, &mut watch, "cat").await;
    pair.start_connection_service().await;
    let accepted = eventually("the acceptance is seen through", || async {
        pair.advance(Span::seconds(30));
        let shown = pair.get("ann", &id).await.unwrap();
        (shown.state() == InvitationState::Accepted).then_some(shown)
    })
    .await;
    assert_eq!((accepted.seen, accepted.source.as_str()), (None, "search"));
    pair.stop().await;
}

/// Every field below a message, with the path to it.
fn fields(name: &str, path: &str, found: &mut Vec<(String, FieldDescriptorProto)>) {
    for field in contract::message(name).field {
        let path = format!("{path}.{}", field.name());
        if field.r#type() == Type::Message && field.type_name().starts_with(".acquaint.") {
            fields(field.type_name(), &path, found);
        } else {
            found.push((path, field));
        }
    }
}

#[test]
fn events_of_members_carry_nothing_that_counts() {
    let mut found = Vec::new();
    for message in [
        "invitation.v1.MemberInvitationEvent",
        "connection.v1.MemberConnectionEvent",
    ] {
        fields(&format!(".acquaint.{message}"), message, &mut found);
    }
    assert!(found.len() > 10, "{found:?}");
    for (path, field) in found {
        let known = match field.r#type() {
            Type::String | Type::Enum | Type::Bool => true,
            Type::Message => field.type_name() == ".google.protobuf.Timestamp",
            _ => false,
        };
        // What the member has noted, which they know and no event has: see `noted`.
        let own = path == "connection.v1.MemberConnectionEvent.connected.labels";
        assert!(
            known && (own || field.label() != Label::Repeated),
            "{path} could count something"
        );
        for word in [
            "version", "revision", "etag", "position", "sequence", "count", "number",
        ] {
            assert!(!field.name().contains(word), "{path}");
        }
    }
}

fn timestamp(time: Time) -> prost_types::Timestamp {
    prost_types::Timestamp {
        seconds: time.millis() / 1_000,
        nanos: 0,
    }
}
