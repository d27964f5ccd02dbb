//! What one side notes about a connection is not to be noticed by the other, byte by byte: in no list, no look-up, no event.

use acquaint_proto::connection::v1 as connection;
use acquaint_tests::pair::Pair;
use connection::watch_connections_request::Scope;

use crate::wire::{Answer, Wire};

/// The text of all that ann notes.
const SECRET: &str = "secret-of-ann";

/// What bob can ask about ann.
async fn look(wire: &Wire) -> Vec<Answer> {
    let bob = || "bob".to_owned();
    let list = connection::ListConnectionsRequest {
        member_id: bob(),
        ..Default::default()
    };
    let labelled = connection::ListConnectionsRequest {
        label: SECRET.to_owned(),
        ..list.clone()
    };
    let labels = connection::ListLabelsRequest { member_id: bob() };
    let relationship = connection::GetRelationshipRequest {
        member_id: bob(),
        other_id: "ann".to_owned(),
    };
    // Changes nothing of what there is of bob's own.
    let delete = connection::DeleteLabelRequest {
        member_id: bob(),
        label: SECRET.to_owned(),
    };
    vec![
        wire.call("ListConnections", &list).await,
        wire.call("ListConnections", &labelled).await,
        wire.call("ListLabels", &labels).await,
        wire.call("GetRelationship", &relationship).await,
        wire.call("DeleteLabel", &delete).await,
    ]
}

type Stream = tonic::Streaming<connection::WatchConnectionsResponse>;

/// A stream that has begun.
async fn watch(pair: &Pair, scope: Scope) -> Stream {
    let request = connection::WatchConnectionsRequest {
        scope: Some(scope),
        resume_token: String::new(),
    };
    let stream = pair.connections.clone().watch_connections(request).await;
    let mut stream = stream.unwrap().into_inner();
    stream.message().await.unwrap().expect("a heartbeat");
    stream
}

/// The next event, as text.
async fn next(stream: &mut Stream) -> String {
    use connection::watch_connections_response::Content;
    let event = async {
        loop {
            let content = stream.message().await.unwrap().unwrap().content;
            if !matches!(content, Some(Content::Heartbeat(_))) {
                return format!("{content:?}");
            }
        }
    };
    let event = tokio::time::timeout(super::PATIENCE, event).await;
    event.expect("an event")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ann_notes_is_nothing_to_bob() {
    let pair = Pair::start().await;
    let wire = Wire::to(&pair).await;
    let mut streams = Vec::new();
    for scope in [
        Scope::MemberId("ann".to_owned()),
        Scope::MemberId("bob".to_owned()),
        Scope::AllMembers(true),
    ] {
        streams.push(watch(&pair, scope).await);
    }
    pair.connect("ann", "bob").await;
    let mut events = Vec::new();
    for stream in &mut streams {
        events.push(next(stream).await);
    }
    let before = look(&wire).await;
    for note in [SECRET, "", SECRET] {
        let noted = pair
            .note("ann", "bob", &[SECRET], Some(note))
            .await
            .unwrap();
        assert_eq!((noted.labels.len(), noted.private_note.as_str()), (1, note));
        assert_eq!(look(&wire).await, before);
    }
    assert_eq!(pair.noted("ann", SECRET).await.len(), 1, "ann has it");
    assert_eq!(pair.labels("ann").await, [(SECRET.to_owned(), 1)]);
    pair.remove("bob", "ann").await.unwrap();
    assert_eq!(pair.noted("ann", SECRET).await, []);
    for stream in &mut streams {
        events.push(next(stream).await);
    }
    assert_eq!(events.len(), 6, "the connection and its end, for each");
    for event in events {
        assert!(!event.contains(SECRET), "{event}");
        assert!(!event.contains("labels: [\""), "{event}");
    }
    pair.stop().await;
}
