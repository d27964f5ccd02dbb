//! Malformed requests to the contract between the two services.

use acquaint_proto::connection::internal::v1::{
    AcknowledgeFactsRequest, BatchGetPairFactsRequest, EnsureConnectionRequest, FactPosition,
    ListFactsRequest, MemberPair, WatchFactsRequest,
};
use prost_types::Timestamp;

use super::table::Table;

pub(super) fn add(table: &mut Table) {
    acceptances(table);
    pairs(table);
    positions(table);
    table.page_sizes("ListFacts", |page_size| ListFactsRequest {
        page_size,
        page_token: String::new(),
    });
}

fn acceptances(table: &mut Table) {
    const METHOD: &str = "EnsureConnection";
    let valid = || EnsureConnectionRequest {
        invitation_id: "0198c0de-0000-7000-8000-000000000000".to_owned(),
        acceptance: 1,
        accept_time: Some(Timestamp {
            seconds: 1_767_225_600,
            nanos: 0,
        }),
        inviter_id: "ann".to_owned(),
        invitee_id: "zoe".to_owned(),
    };
    table.uuids(METHOD, "invitation_id", |invitation_id| {
        EnsureConnectionRequest {
            invitation_id,
            ..valid()
        }
    });
    table.ids(METHOD, "inviter_id", |inviter_id| EnsureConnectionRequest {
        inviter_id,
        ..valid()
    });
    table.ids(METHOD, "invitee_id", |invitee_id| EnsureConnectionRequest {
        invitee_id,
        ..valid()
    });
    table.times(METHOD, "accept_time", |accept_time| {
        EnsureConnectionRequest {
            accept_time,
            ..valid()
        }
    });
    let without_time = EnsureConnectionRequest {
        accept_time: None,
        ..valid()
    };
    table.fields(METHOD, &without_time, &["accept_time"]);
    let unnumbered = EnsureConnectionRequest {
        acceptance: 0,
        ..valid()
    };
    table.fields(METHOD, &unnumbered, &["acceptance"]);
    let oneself = EnsureConnectionRequest {
        invitee_id: "ann".to_owned(),
        ..valid()
    };
    table.fields(METHOD, &oneself, &["invitee_id"]);
    let all = [
        "invitation_id",
        "acceptance",
        "accept_time",
        "inviter_id",
        "invitee_id",
    ];
    table.fields(METHOD, &EnsureConnectionRequest::default(), &all);
}

fn pairs(table: &mut Table) {
    const METHOD: &str = "BatchGetPairFacts";
    let pair = |low: &str, high: &str| MemberPair {
        low_id: low.to_owned(),
        high_id: high.to_owned(),
    };
    let fourth = |bad: MemberPair| {
        let mut pairs = vec![pair("a", "b"); 5];
        pairs[3] = bad;
        BatchGetPairFactsRequest { pairs }
    };
    table.ids(METHOD, "pairs[3].low_id", |id| fourth(pair(&id, "b")));
    table.ids(METHOD, "pairs[3].high_id", |id| fourth(pair("a", &id)));
    table.fields(METHOD, &fourth(pair("b", "a")), &["pairs[3]"]);
    table.fields(METHOD, &fourth(pair("a", "a")), &["pairs[3]"]);
    let nobody = MemberPair::default();
    table.fields(
        METHOD,
        &fourth(nobody),
        &["pairs[3].low_id", "pairs[3].high_id"],
    );
    for count in [0, 501] {
        let pairs = vec![pair("a", "b"); count];
        table.fields(METHOD, &BatchGetPairFactsRequest { pairs }, &["pairs"]);
    }
    let pairs = vec![pair("b", "a"), pair("a", "b"), pair("?", "b")];
    let several = BatchGetPairFactsRequest { pairs };
    table.fields(METHOD, &several, &["pairs[0]", "pairs[2].low_id"]);
}

fn positions(table: &mut Table) {
    let at = |incarnation: Vec<u8>, position| {
        Some(FactPosition {
            incarnation,
            position,
        })
    };
    for bytes in [0, 1, 15, 17, 1_000] {
        let watch = WatchFactsRequest {
            after: at(vec![7; bytes], 0),
        };
        table.fields("WatchFacts", &watch, &["after.incarnation"]);
        let acknowledge = AcknowledgeFactsRequest {
            position: at(vec![7; bytes], 1),
        };
        table.fields("AcknowledgeFacts", &acknowledge, &["position.incarnation"]);
    }
    let nothing = AcknowledgeFactsRequest { position: None };
    table.fields("AcknowledgeFacts", &nothing, &["position.incarnation"]);
    let elsewhere = at(vec![7; 16], 1);
    table.other_history(
        "AcknowledgeFacts",
        &AcknowledgeFactsRequest {
            position: elsewhere.clone(),
        },
    );
    table.other_history("WatchFacts", &WatchFactsRequest { after: elsewhere });
}
