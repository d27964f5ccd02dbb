//! With a block between them two are to each other what strangers are, in every answer about the network around them.

use acquaint_proto::connection::v1::{
    BatchGetRelationshipsRequest, GetRelationshipRequest, ListMutualConnectionsRequest,
    SuggestConnectionsRequest, SuggestConnectionsResponse,
};
use acquaint_tests::{pair::Pair, wait::eventually};

use super::erase;
use crate::wire::{Answer, Wire};

/// What a member is answered about another, and about everybody.
async fn asked(wire: &Wire, member: &str, other: &str) -> Vec<Answer> {
    let (member_id, other_id) = (|| member.to_owned(), || other.to_owned());
    let relationship = GetRelationshipRequest {
        member_id: member_id(),
        other_id: other_id(),
    };
    let counted = BatchGetRelationshipsRequest {
        member_id: member_id(),
        other_ids: vec![other_id(), "cat".to_owned()],
        with_mutual_counts: true,
    };
    let uncounted = BatchGetRelationshipsRequest {
        with_mutual_counts: false,
        ..counted.clone()
    };
    let mutual = ListMutualConnectionsRequest {
        member_id: member_id(),
        other_id: other_id(),
        ..Default::default()
    };
    let suggest = SuggestConnectionsRequest {
        member_id: member_id(),
        ..Default::default()
    };
    vec![
        wire.call("GetRelationship", &relationship).await,
        wire.call("BatchGetRelationships", &counted).await,
        wire.call("BatchGetRelationships", &uncounted).await,
        wire.call("ListMutualConnections", &mutual).await,
        wire.call("SuggestConnections", &suggest).await,
    ]
}

async fn suggested(wire: &Wire, member: &str) -> Vec<String> {
    let request = SuggestConnectionsRequest {
        member_id: member.to_owned(),
        ..Default::default()
    };
    let answer = wire.call("SuggestConnections", &request).await;
    let found: SuggestConnectionsResponse = answer.message();
    found
        .suggestions
        .into_iter()
        .map(|one| one.other_id)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_pair_cannot_be_told_from_strangers() {
    let pair = Pair::start().await;
    let wire = Wire::to(&pair).await;
    // ann knows cat and dan; so does bob, and nobody else who is asked about here.
    for other in ["cat", "dan"] {
        pair.connect("ann", other).await;
        pair.connect("bob", other).await;
    }
    eventually("bob is suggested to ann", || async {
        (suggested(&wire, "ann").await == ["bob"]).then_some(())
    })
    .await;
    // Whom nobody knows stands for bob.
    let strangers = asked(&wire, "ann", "nil").await;
    pair.block("bob", "ann").await.unwrap();
    let blocked = asked(&wire, "ann", "bob").await;
    // But for the suggestions, in which bob stood before.
    for (stranger, blocked) in strangers.iter().zip(&blocked).take(4) {
        assert_eq!(stranger.renamed(&[("nil", "bob")]), *blocked);
    }
    assert_eq!(suggested(&wire, "ann").await, Vec::<String>::new());
    // The one who blocks is told of it, and of nothing else.
    assert_eq!(suggested(&wire, "bob").await, Vec::<String>::new());
    let (seen, unseen) = (
        asked(&wire, "bob", "ann").await,
        asked(&wire, "bob", "nil").await,
    );
    assert_eq!(unseen[3].renamed(&[("nil", "ann")]), seen[3]);
    // Gone for another reason: the same bytes.
    erase(&pair, "bob").await;
    assert_eq!(asked(&wire, "ann", "bob").await, blocked);
    pair.stop().await;
}
