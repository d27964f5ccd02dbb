//! What is exported of a member: all that their own lists show, and nothing that others hold about them.

use acquaint_proto::{
    connection::v1 as connection,
    invitation::v1::{self as wire, DeclineReason, InvitationBox},
};
use acquaint_tests::{
    Connections,
    moving::import,
    pair::{Pair, Setup},
    refusal::reason,
    wait::eventually,
};
use connection_service::Policy;
use service_kit::{clock::Clock as _, time::Span, watch::WatchOptions};
use tonic::{Status, Streaming};
use wire::member_service_client::MemberServiceClient;

use connection::member_record::Record as ConnectionRecord;
use wire::member_record::Record as InvitationRecord;

async fn all<T>(stream: Result<tonic::Response<Streaming<T>>, Status>) -> Result<Vec<T>, Status> {
    let mut stream = stream?.into_inner();
    let mut messages = Vec::new();
    while let Some(message) = stream.message().await? {
        messages.push(message);
    }
    Ok(messages)
}

async fn of_connections(pair: &Pair, member: &str) -> Result<Vec<ConnectionRecord>, Status> {
    let request = connection::ExportMemberRequest {
        member_id: member.to_owned(),
    };
    let messages = all(pair.members.clone().export_member(request).await).await?;
    let records = messages.into_iter().flat_map(|message| message.records);
    Ok(records.map(|record| record.record.unwrap()).collect())
}

async fn of_invitations(pair: &Pair, member: &str) -> Result<Vec<InvitationRecord>, Status> {
    let address = format!("http://{}", pair.invitation_address());
    let channel = tonic::transport::Endpoint::from_shared(address).unwrap();
    let mut members = MemberServiceClient::new(channel.connect_lazy());
    let request = wire::ExportMemberRequest {
        member_id: member.to_owned(),
    };
    let messages = all(members.export_member(request).await).await?;
    let records = messages.into_iter().flat_map(|message| message.records);
    Ok(records.map(|record| record.record.unwrap()).collect())
}

async fn connections(
    pair: &Pair,
    member: &str,
    format: connection::ExportFormat,
) -> Result<Vec<connection::ExportConnectionsResponse>, Status> {
    let request = connection::ExportConnectionsRequest {
        member_id: member.to_owned(),
        format: format.into(),
    };
    all(pair.connections.clone().export_connections(request).await).await
}

async fn put_card(pair: &Pair, member: &str, first_name: &str) {
    let request = connection::PutMemberRequest {
        member_id: member.to_owned(),
        first_name: first_name.to_owned(),
        ..Default::default()
    };
    pair.members.clone().put_member(request).await.unwrap();
}

async fn dismiss(pair: &Pair, member: &str, other: &str) {
    let request = connection::DismissSuggestionRequest {
        member_id: member.to_owned(),
        other_id: other.to_owned(),
    };
    let mut client = pair.connections.clone();
    client.dismiss_suggestion(request).await.unwrap();
}

/// Ann with something of every kind, and others with something about her.
async fn with_everything() -> (Pair, Vec<String>) {
    let pair = Pair::start().await;
    pair.wait_for_feed().await;
    let sent = pair
        .send_with(wire::SendInvitationRequest {
            inviter_id: "ann".to_owned(),
            invitee_id: "bob".to_owned(),
            note: "from ann to bob".to_owned(),
            source: "search".to_owned(),
            ..Default::default()
        })
        .await
        .unwrap();
    let mut ids = vec![sent.invitation.unwrap().invitation_id];
    ids.push(pair.sent("cyd", "ann").await);
    let withdrawn = pair.sent("ann", "dan").await;
    pair.withdraw("ann", &withdrawn).await.unwrap();
    ids.push(withdrawn);
    let declined = pair.sent("eve", "ann").await;
    let spam = DeclineReason::Spam;
    pair.decline("ann", &declined, spam).await.unwrap();
    ids.push(declined);
    let accepted = pair.sent("fay", "ann").await;
    pair.accept("ann", &accepted).await.unwrap();
    ids.push(accepted);
    pair.block("ann", "gus").await.unwrap();
    put_card(&pair, "ann", "Ann").await;
    pair.note("ann", "fay", &["work"], Some("met in Oslo"))
        .await
        .unwrap();
    dismiss(&pair, "ann", "kim").await;
    // What others hold about her, and she must not learn.
    dismiss(&pair, "lea-who-dismisses", "ann").await;
    put_card(&pair, "fay", "Fay-who-is-somebody-else").await;
    pair.note("fay", "ann", &["hers"], Some("not Ann's to read"))
        .await
        .unwrap();
    pair.block("hal-who-blocks", "ann").await.unwrap();
    let refused = pair.sent("ann", "ida-who-declines").await;
    let unknown = DeclineReason::DontKnow;
    pair.decline("ida-who-declines", &refused, unknown)
        .await
        .unwrap();
    let accepted = pair.sent("ann", "joe-who-removes").await;
    pair.accept("joe-who-removes", &accepted).await.unwrap();
    pair.remove("joe-who-removes", "ann").await.unwrap();
    (pair, ids)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_exported_as_their_own_lists_show_them() {
    let (pair, ids) = with_everything().await;
    let records = of_connections(&pair, "ann").await.unwrap();
    let [
        ConnectionRecord::Card(card),
        ConnectionRecord::Label(label),
        ConnectionRecord::Connection(connected),
        ConnectionRecord::BlockedMember(blocked),
        ConnectionRecord::DismissedSuggestion(dismissed),
    ] = records.as_slice()
    else {
        panic!("{records:#?}");
    };
    assert_eq!(
        (connected.other_id.as_str(), blocked.other_id.as_str()),
        ("fay", "gus")
    );
    assert!(connected.connect_time.is_some() && blocked.block_time.is_some());
    assert_eq!(dismissed.other_id, "kim");
    assert_eq!(dismissed.dismiss_time, blocked.block_time, "at one moment");
    assert_eq!(
        (card.member_id.as_str(), card.first_name.as_str()),
        ("ann", "Ann")
    );
    assert_eq!((label.label.as_str(), label.connection_count), ("work", 1));
    assert_eq!(connected.labels, ["work"]);
    assert_eq!(connected.private_note, "met in Oslo");
    assert_eq!(connected.card, None, "a card is another member's");

    let records = of_invitations(&pair, "ann").await.unwrap();
    let Some((
        [
            InvitationRecord::Preferences(preferences),
            InvitationRecord::Quota(quota),
        ],
        rest,
    )) = records.split_first_chunk::<2>()
    else {
        panic!("{records:#?}");
    };
    assert_eq!(preferences.who_can_invite(), wire::WhoCanInvite::Everyone);
    assert_eq!(quota.quota, Some(pair.quota("ann").await));
    let Some((InvitationRecord::BarredInviter(barred), invitations)) = rest.split_last() else {
        panic!("{records:#?}");
    };
    assert_eq!(
        (barred.inviter_id.as_str(), barred.reason()),
        ("eve", DeclineReason::Spam)
    );
    let mut exported = Vec::new();
    for record in invitations {
        let InvitationRecord::Invitation(invitation) = record else {
            panic!("{record:?}");
        };
        let own = pair.get("ann", &invitation.invitation_id).await.unwrap();
        assert_eq!(*invitation, own);
        exported.push(invitation.invitation_id.clone());
    }
    assert_eq!(exported, ids, "oldest first");
    let listed = pair.list("ann", InvitationBox::Sent).await;
    assert_eq!(listed[0].note, "from ann to bob");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_others_hold_about_a_member_is_exported() {
    let (pair, _) = with_everything().await;
    let of_connections = of_connections(&pair, "ann").await.unwrap();
    let of_invitations = of_invitations(&pair, "ann").await.unwrap();
    let text = format!("{of_connections:?} {of_invitations:?}");
    assert!(text.contains("gus") && text.contains("eve"), "{text}");
    assert!(!text.contains("-who-"), "{text}");
    // Of those who hold it, it is theirs.
    let of = |records: Result<Vec<ConnectionRecord>, _>| format!("{:?}", records.unwrap());
    let hal = of(super::exports::of_connections(&pair, "hal-who-blocks").await);
    assert!(hal.contains("ann"), "{hal}");
    let lea = of(super::exports::of_connections(&pair, "lea-who-dismisses").await);
    assert!(lea.contains("ann"), "{lea}");
    let ida = super::exports::of_invitations(&pair, "ida-who-declines").await;
    let barred = |record: &InvitationRecord| matches!(record, InvitationRecord::BarredInviter(b) if b.inviter_id == "ann");
    assert!(ida.unwrap().iter().any(barred));
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_erased_cannot_be_exported_and_a_stranger_has_little() {
    let (pair, _) = with_everything().await;
    eventually("ann is erased", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    let messages = connection::ExportFormat::Messages;
    assert_eq!(
        reason(connections(&pair, "ann", messages).await),
        "MEMBER_NOT_FOUND"
    );
    assert_eq!(
        reason(of_connections(&pair, "ann").await),
        "MEMBER_NOT_FOUND"
    );
    assert_eq!(
        reason(of_invitations(&pair, "ann").await),
        "MEMBER_NOT_FOUND"
    );
    assert_eq!(of_connections(&pair, "stranger").await.unwrap(), []);
    let stranger = of_invitations(&pair, "stranger").await.unwrap();
    assert!(
        matches!(
            stranger.as_slice(),
            [InvitationRecord::Preferences(_), InvitationRecord::Quota(_)]
        ),
        "{stranger:?}"
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dismissals_are_exported_newest_first_over_as_many_messages_as_it_takes() {
    let pair = Pair::start().await;
    // Some at one moment, more than a message holds.
    let others: Vec<_> = (0..510).map(|nth| format!("other-{nth:03}")).collect();
    for other in &others {
        dismiss(&pair, "ann", other).await;
        if other.ends_with('7') {
            pair.advance(Span::millis(1));
        }
    }
    let records = of_connections(&pair, "ann").await.unwrap();
    let mut exported = Vec::new();
    for record in records {
        let ConnectionRecord::DismissedSuggestion(dismissed) = record else {
            panic!("{record:?}");
        };
        let time = dismissed.dismiss_time.unwrap();
        exported.push(((time.seconds, time.nanos), dismissed.other_id));
    }
    assert!(
        exported.is_sorted_by(|one, other| one > other),
        "newest first"
    );
    let mut exported: Vec<_> = exported.into_iter().map(|(_, other)| other).collect();
    exported.sort();
    assert_eq!(exported, others);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_exported_in_either_form_over_as_many_pages_as_it_takes() {
    let pair = Pair::start().await;
    let now = pair.clock.now();
    let rows: Vec<_> = (0..1_203)
        .map(|n| {
            (
                "ann".to_owned(),
                format!("m{n}"),
                now.minus(Span::seconds(n % 7)),
            )
        })
        .collect();
    import(&pair.connections, &rows).await.unwrap();
    let messages = connections(&pair, "ann", connection::ExportFormat::Unspecified).await;
    let messages = messages.unwrap();
    assert_eq!(messages.len(), 3);
    let lines: Vec<_> = messages.into_iter().flat_map(|m| m.connections).collect();
    assert_eq!(lines.len(), 1_203);
    let listed = pair.connected("ann").await;
    assert!(
        lines
            .iter()
            .zip(&listed)
            .all(|(line, other)| line.other_id == *other)
    );
    let csv = connections(&pair, "ann", connection::ExportFormat::Csv).await;
    let csv: Vec<u8> = csv.unwrap().into_iter().flat_map(|m| m.csv).collect();
    let csv = String::from_utf8(csv).unwrap();
    let expected = lines.iter().map(|line| {
        let time = line.connect_time.unwrap();
        format!("{},{time}\r\n", line.other_id)
    });
    let expected: String = expected.collect();
    assert_eq!(csv, format!("other_id,connect_time\r\n{expected}"));
    let none = connections(&pair, "nobody", connection::ExportFormat::Csv).await;
    let none: Vec<_> = none.unwrap().into_iter().map(|m| m.csv).collect();
    assert_eq!(none, [b"other_id,connect_time\r\n".to_vec()]);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_of_an_export_who_takes_nothing_is_cut_off() {
    let setup = Setup {
        watches: WatchOptions {
            hand_over_max: std::time::Duration::from_millis(100),
            waiting_messages_max: 1,
            ..WatchOptions::default()
        },
        connection_policy: Policy {
            connections_max: 100_000,
            ..Policy::default()
        },
        ..Setup::default()
    };
    let pair = Pair::with(setup).await;
    let long = "x".repeat(50);
    let rows: Vec<_> = (0..20_000)
        .map(|n| ("ann".to_owned(), format!("{long}{n}"), pair.clock.now()))
        .collect();
    import(&pair.connections, &rows).await.unwrap();
    let request = connection::ExportConnectionsRequest {
        member_id: "ann".to_owned(),
        format: 0,
    };
    // Little fits on the way.
    let address = format!("http://{}", pair.connection_address());
    let channel = tonic::transport::Endpoint::from_shared(address).unwrap();
    let channel = channel.initial_stream_window_size(1_024);
    let mut connections = Connections::new(channel.connect_lazy());
    let mut away = std::time::Duration::from_millis(200);
    // The longer it takes nothing, the surer it is cut, however slow the machine.
    let end = loop {
        let stream = connections.export_connections(request.clone()).await;
        let mut stream = stream.unwrap().into_inner();
        tokio::time::sleep(away).await;
        let end = loop {
            match stream.message().await {
                Ok(Some(_)) => {}
                Ok(None) => break None,
                Err(end) => break Some(end),
            }
        };
        if let Some(end) = end {
            break end;
        }
        away *= 2;
    };
    assert_eq!(reason(Err::<(), _>(end)), "CONSUMER_TOO_SLOW");
    pair.stop().await;
}
