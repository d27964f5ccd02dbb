//! Malformed requests to connection-service by members and trusted services.

use acquaint_proto::connection::v1::{
    BatchGetRelationshipsRequest, BlockMemberRequest, DismissSuggestionRequest, EraseMemberRequest,
    ExportConnectionsRequest, ExportMemberRequest, GetRelationshipRequest,
    ListBlockedMembersRequest, ListConnectionsRequest, ListMutualConnectionsRequest,
    RemoveConnectionRequest, SuggestConnectionsRequest, UnblockMemberRequest,
    WatchConnectionsRequest, watch_connections_request::Scope,
};
use prost_types::Timestamp;

use super::{lists::ids, table::Table};

pub(super) fn add(table: &mut Table) {
    relationships(table);
    network(table);
    connections(table);
    removals(table);
    blocks(table);
    watches(table);
    table.ids("EraseMember", "member_id", |member_id| EraseMemberRequest {
        member_id,
    });
    exports(table);
}

fn exports(table: &mut Table) {
    const ONE: &str = "ExportConnections";
    const ALL: &str = "connection.v1.MemberService/ExportMember";
    let one = |member_id: &str, format| ExportConnectionsRequest {
        member_id: member_id.to_owned(),
        format,
    };
    table.ids(ONE, "member_id", |id| one(&id, 0));
    for format in [-1, 3, i32::MAX] {
        table.fields(ONE, &one("ann", format), &["format"]);
    }
    table.fields(ONE, &one("", 3), &["member_id", "format"]);
    table.ids(ALL, "member_id", |member_id| ExportMemberRequest {
        member_id,
    });
}

fn relationships(table: &mut Table) {
    const ONE: &str = "GetRelationship";
    const MANY: &str = "BatchGetRelationships";
    let one = |member_id: &str, other_id: &str| GetRelationshipRequest {
        member_id: member_id.to_owned(),
        other_id: other_id.to_owned(),
    };
    table.ids(ONE, "member_id", |id| one(&id, "hal"));
    table.ids(ONE, "other_id", |id| one("ann", &id));
    table.fields(ONE, &one("", "?"), &["member_id", "other_id"]);
    table.oneself(ONE, &one("ann", "ann"));
    let many = |member_id: &str, other_ids| BatchGetRelationshipsRequest {
        member_id: member_id.to_owned(),
        other_ids,
        with_mutual_counts: false,
    };
    table.ids(MANY, "member_id", |id| many(&id, ids(1, 0, "hal")));
    table.ids(MANY, "other_ids[3]", |id| many("ann", ids(5, 3, &id)));
    table.fields(MANY, &many("ann", ids(500, 499, "")), &["other_ids[499]"]);
    for count in [0, 501, 5_000] {
        table.fields(MANY, &many("ann", ids(count, 0, "hal")), &["other_ids"]);
    }
    let several = vec!["?".to_owned(), "hal".to_owned(), String::new()];
    table.fields(
        MANY,
        &many("", several),
        &["member_id", "other_ids[0]", "other_ids[2]"],
    );
    table.fields(MANY, &many("", Vec::new()), &["member_id", "other_ids"]);
    table.oneself(MANY, &many("ann", ids(500, 499, "ann")));
    let counted = BatchGetRelationshipsRequest {
        with_mutual_counts: true,
        ..many("ann", ids(51, 0, "hal"))
    };
    table.fields(MANY, &counted, &["other_ids"]);
}

fn network(table: &mut Table) {
    const MUTUAL: &str = "ListMutualConnections";
    const SUGGEST: &str = "SuggestConnections";
    const DISMISS: &str = "DismissSuggestion";
    let mutual = |member_id: &str, other_id: &str, page_size| ListMutualConnectionsRequest {
        member_id: member_id.to_owned(),
        other_id: other_id.to_owned(),
        page_size,
        page_token: String::new(),
    };
    table.ids(MUTUAL, "member_id", |id| mutual(&id, "hal", 0));
    table.ids(MUTUAL, "other_id", |id| mutual("ann", &id, 0));
    table.page_sizes(MUTUAL, |size| mutual("ann", "hal", size));
    let fields = ["member_id", "other_id", "page_size"];
    table.fields(MUTUAL, &mutual("?", "", -1), &fields);
    table.oneself(MUTUAL, &mutual("ann", "ann", 0));
    let suggest = |member_id: &str, page_size| SuggestConnectionsRequest {
        member_id: member_id.to_owned(),
        page_size,
        page_token: String::new(),
    };
    table.ids(SUGGEST, "member_id", |id| suggest(&id, 0));
    table.page_sizes(SUGGEST, |size| suggest("ann", size));
    table.fields(SUGGEST, &suggest("?", -1), &["member_id", "page_size"]);
    let dismiss = |member_id: &str, other_id: &str| DismissSuggestionRequest {
        member_id: member_id.to_owned(),
        other_id: other_id.to_owned(),
    };
    table.ids(DISMISS, "member_id", |id| dismiss(&id, "hal"));
    table.ids(DISMISS, "other_id", |id| dismiss("ann", &id));
    table.fields(DISMISS, &dismiss("", "?"), &["member_id", "other_id"]);
    table.oneself(DISMISS, &dismiss("ann", "ann"));
}

fn connections(table: &mut Table) {
    const METHOD: &str = "ListConnections";
    let request = |member_id: &str, page_size| ListConnectionsRequest {
        member_id: member_id.to_owned(),
        page_size,
        ..Default::default()
    };
    table.ids(METHOD, "member_id", |id| request(&id, 0));
    table.page_sizes(METHOD, |size| request("ann", size));
    table.fields(METHOD, &request("?", -1), &["member_id", "page_size"]);
}

fn removals(table: &mut Table) {
    const METHOD: &str = "RemoveConnection";
    let request = |member_id: &str, other_id: &str, connect_time| RemoveConnectionRequest {
        member_id: member_id.to_owned(),
        other_id: other_id.to_owned(),
        connect_time,
    };
    table.ids(METHOD, "member_id", |id| request(&id, "hal", None));
    table.ids(METHOD, "other_id", |id| request("ann", &id, None));
    table.times(METHOD, "connect_time", |time| request("ann", "hal", time));
    let no_time = Some(Timestamp {
        seconds: 0,
        nanos: -1,
    });
    let fields = ["member_id", "other_id", "connect_time"];
    table.fields(METHOD, &request("", "", no_time), &fields);
    table.fields(METHOD, &request("ann", "ann", no_time), &["connect_time"]);
    table.oneself(METHOD, &request("ann", "ann", None));
}

fn blocks(table: &mut Table) {
    let block = |member_id: &str, other_id: &str| BlockMemberRequest {
        member_id: member_id.to_owned(),
        other_id: other_id.to_owned(),
    };
    table.ids("BlockMember", "member_id", |id| block(&id, "zoe"));
    table.ids("BlockMember", "other_id", |id| block("ann", &id));
    table.fields("BlockMember", &block("", ""), &["member_id", "other_id"]);
    table.oneself("BlockMember", &block("ann", "ann"));
    let unblock = |member_id: &str, other_id: &str| UnblockMemberRequest {
        member_id: member_id.to_owned(),
        other_id: other_id.to_owned(),
    };
    table.ids("UnblockMember", "member_id", |id| unblock(&id, "jon"));
    table.ids("UnblockMember", "other_id", |id| unblock("ann", &id));
    table.fields(
        "UnblockMember",
        &unblock("", ""),
        &["member_id", "other_id"],
    );
    table.oneself("UnblockMember", &unblock("ann", "ann"));
    let list = |member_id: &str, page_size| ListBlockedMembersRequest {
        member_id: member_id.to_owned(),
        page_size,
        page_token: String::new(),
    };
    table.ids("ListBlockedMembers", "member_id", |id| list(&id, 0));
    table.page_sizes("ListBlockedMembers", |size| list("ann", size));
    table.fields(
        "ListBlockedMembers",
        &list("?", -1),
        &["member_id", "page_size"],
    );
}

fn watches(table: &mut Table) {
    const METHOD: &str = "WatchConnections";
    let request = |scope| WatchConnectionsRequest {
        scope,
        resume_token: String::new(),
    };
    table.ids(METHOD, "member_id", |id| request(Some(Scope::MemberId(id))));
    table.fields(METHOD, &request(None), &["scope"]);
    table.fields(
        METHOD,
        &request(Some(Scope::AllMembers(false))),
        &["all_members"],
    );
    let and_a_token = WatchConnectionsRequest {
        scope: None,
        resume_token: "x".to_owned(),
    };
    table.fields(METHOD, &and_a_token, &["scope"]);
}
