//! What the checks of the configuration take the parts of messages for: never less than the fullest takes, and not much more.

use acquaint_proto::{
    connection::{internal::v1 as internal, v1 as connection},
    error::v1 as error,
    invitation::v1 as invitation,
};
use connection_service::grpc::size as of_connection;
use invitation_service::{Policy, grpc::size as of_invitation};
use prost::Message;
use prost_types::Timestamp;

#[test]
fn the_services_agree_on_how_many_pairs_one_call_asks_about() {
    let taken = u64::try_from(connection_service::grpc::PAIRS_MAX).unwrap();
    assert_eq!(invitation_service::connections::PAIRS_OF_A_CALL, taken);
}

/// The longest member id.
fn member_id() -> String {
    "m".repeat(64)
}

fn uuid() -> String {
    uuid::Uuid::max().to_string()
}

/// As large as one of ours becomes: before 1970, where seconds are longest.
fn time() -> Timestamp {
    Timestamp {
        seconds: -1,
        nanos: 999_000_000,
    }
}

fn policies() -> [Policy; 3] {
    [(1, 1), (300, 32), (2_000, 256)].map(|(note_chars_max, source_chars_max)| Policy {
        note_chars_max,
        source_chars_max,
        ..Policy::default()
    })
}

fn fullest(policy: &Policy) -> invitation::Invitation {
    invitation::Invitation {
        invitation_id: uuid(),
        inviter_id: member_id(),
        invitee_id: member_id(),
        note: "\u{1f600}".repeat(policy.note_chars_max),
        state: invitation::InvitationState::Withdrawn.into(),
        source: "s".repeat(policy.source_chars_max),
        create_time: Some(time()),
        update_time: Some(time()),
        expire_time: Some(time()),
        seen: Some(true),
    }
}

/// How many bytes one more element adds to a message.
fn added<M: Message>(message: impl Fn(usize) -> M) -> usize {
    message(2).encoded_len() - message(1).encoded_len()
}

/// `bound` is kept by `bytes`, and not loosely.
fn bounds(what: &str, bound: usize, bytes: usize) {
    assert!(bytes <= bound, "{what}: {bytes} bytes, taken for {bound}");
    assert!(
        bound <= bytes + bytes / 8 + 24,
        "{what}: {bytes} bytes, taken for {bound}"
    );
}

fn cards(connection: &connection::Connection) {
    for (name_chars_max, headline_chars_max) in [(1, 1), (100, 220), (1_000, 2_000)] {
        let policy = connection_service::Policy {
            name_chars_max,
            headline_chars_max,
            ..connection_service::Policy::default()
        };
        let name = "\u{1f600}".repeat(name_chars_max);
        let card = connection::MemberCard {
            member_id: member_id(),
            first_name: name.clone(),
            last_name: name,
            headline: "\u{1f600}".repeat(headline_chars_max),
        };
        let put = added(|count| connection::BatchPutMembersRequest {
            members: vec![card.clone(); count],
        });
        bounds("a card", of_connection::card(&policy), put);
        let result = connection::PutMemberResult {
            member_id: member_id(),
            outcome: Some(connection::put_member_result::Outcome::Member(card.clone())),
        };
        let results = added(|count| connection::BatchPutMembersResponse {
            results: vec![result.clone(); count],
        });
        bounds("a stored card", of_connection::put_result(&policy), results);
        let shown = connection::Connection {
            card: Some(card),
            ..connection.clone()
        };
        let page = added(|count| connection::ListConnectionsResponse {
            connections: vec![shown.clone(); count],
            ..Default::default()
        });
        let bound = of_connection::ENTRY + of_connection::card(&policy);
        bounds("a connection with a card", bound, page);
    }
}

#[test]
fn of_invitation_service() {
    for policy in policies() {
        let page = added(|count| invitation::ListInvitationsResponse {
            invitations: vec![fullest(&policy); count],
            ..Default::default()
        });
        bounds("an invitation", of_invitation::invitation(&policy), page);
        // The least that may be configured has room for one of the longest.
        assert!(page + of_invitation::REST <= 16_384);
        for outcome in [
            invitation::invitation_result::Outcome::Invitation(fullest(&policy)),
            invitation::invitation_result::Outcome::Status(error::Status {
                code: 16,
                reason: 28,
                message: "m".repeat(500),
                metadata: [("k".repeat(40), "v".repeat(100)), ("l".repeat(40), uuid())].into(),
            }),
        ] {
            let result = invitation::InvitationResult {
                invitation_id: uuid(),
                outcome: Some(outcome),
            };
            let result = added(|count| invitation::BatchWithdrawInvitationsResponse {
                results: vec![result.clone(); count],
                ..Default::default()
            });
            assert!(result <= of_invitation::result(&policy), "{result}");
        }
    }
    let ids = added(|count| invitation::InvitationIds {
        invitation_ids: vec![uuid(); count],
    });
    bounds("an id", of_invitation::INVITATION_ID, ids);
    let others = added(|count| invitation::BatchGetInvitationStatesRequest {
        member_id: member_id(),
        other_ids: vec![member_id(); count],
    });
    bounds("a member", of_invitation::MEMBER_ID, others);
    let state = invitation::PairInvitation {
        other_id: member_id(),
        state: invitation::PairInvitationState::Received.into(),
        invitation_id: uuid(),
    };
    let states = added(|count| invitation::BatchGetInvitationStatesResponse {
        states: vec![state.clone(); count],
    });
    bounds("a state", of_invitation::STATE, states);
    let eligibility = invitation::Eligibility {
        invitee_id: member_id(),
        eligible: false,
        reason: error::ErrorReason::WeeklyCapReached.into(),
        retry_time: Some(time()),
    };
    let eligibilities = added(|count| invitation::CheckEligibilityResponse {
        eligibilities: vec![eligibility.clone(); count],
    });
    assert!(eligibilities <= of_invitation::STATE, "{eligibilities}");
}

fn pair() -> internal::MemberPair {
    internal::MemberPair {
        low_id: member_id(),
        high_id: member_id(),
    }
}

#[test]
fn of_connection_service() {
    let others = added(|count| connection::BatchGetRelationshipsRequest {
        member_id: member_id(),
        other_ids: vec![member_id(); count],
        ..Default::default()
    });
    bounds("a member", of_connection::MEMBER_ID, others);
    let relationship = connection::Relationship {
        other_id: member_id(),
        status: connection::RelationshipStatus::Connected.into(),
        connect_time: Some(time()),
        degree: connection::Degree::Further.into(),
        mutual_count: Some(i32::MAX),
    };
    let relationships = added(|count| connection::BatchGetRelationshipsResponse {
        relationships: vec![relationship.clone(); count],
    });
    bounds("a relationship", of_connection::ENTRY, relationships);
    let connection = connection::Connection {
        other_id: member_id(),
        connect_time: Some(time()),
        ..Default::default()
    };
    let connections = added(|count| connection::ListConnectionsResponse {
        connections: vec![connection.clone(); count],
        ..Default::default()
    });
    bounds("a connection", of_connection::ENTRY, connections);
    cards(&connection);
    for (label_chars_max, private_note_chars_max) in [(1, 0), (50, 2_000), (100, 10_000)] {
        let policy = connection_service::Policy {
            label_chars_max,
            private_note_chars_max,
            ..connection_service::Policy::default()
        };
        let label = "\u{1f600}".repeat(label_chars_max);
        let own = connection::Label {
            label: label.clone(),
            connection_count: i32::MAX,
        };
        let labels = added(|count| connection::ListLabelsResponse {
            labels: vec![own.clone(); count],
        });
        bounds("a label", of_connection::label(&policy), labels);
        let labels = vec![label; policy.connection_labels_max as usize];
        let noted = connection::Connection {
            labels,
            private_note: "\u{1f600}".repeat(private_note_chars_max),
            ..connection.clone()
        };
        let noted = noted.encoded_len() - connection.encoded_len();
        assert!(noted <= of_connection::noted(&policy), "{noted}");
    }
    let suggestion = connection::Suggestion {
        other_id: member_id(),
        mutual_count: i32::MAX,
        mutual_ids: vec![member_id(); connection_service::domain::network::SHOWN_MAX],
    };
    let suggestions = added(|count| connection::SuggestConnectionsResponse {
        suggestions: vec![suggestion.clone(); count],
        ..Default::default()
    });
    bounds("a suggestion", of_connection::SUGGESTION, suggestions);
    let mutual = added(|count| connection::ListMutualConnectionsResponse {
        member_ids: vec![member_id(); count],
        ..Default::default()
    });
    assert!(mutual <= of_connection::SUGGESTION, "{mutual}");
    let pairs = added(|count| internal::BatchGetPairFactsRequest {
        pairs: vec![pair(); count],
    });
    bounds("a pair", of_connection::PAIR, pairs);
    let facts = internal::PairFacts {
        pair: Some(pair()),
        connection: Some(internal::ConnectionFact {
            connect_time: Some(time()),
            invitation_id: uuid(),
        }),
        blocked_by_low: true,
        blocked_by_high: true,
        low_erased: true,
        high_erased: true,
    };
    let listed = added(|count| internal::ListFactsResponse {
        facts: vec![facts.clone(); count],
        ..Default::default()
    });
    assert!(listed <= of_connection::FACT, "{listed}");
    let fact = internal::Fact {
        position: u64::MAX,
        change: Some(internal::fact::Change::Pair(facts)),
    };
    let streamed = added(|count| internal::WatchFactsResponse {
        facts: vec![fact.clone(); count],
        ..Default::default()
    });
    bounds("a fact", of_connection::FACT, streamed);
}
