//! Malformed requests for lists and streams of invitations.

use acquaint_proto::invitation::v1::{
    BatchGetInvitationStatesRequest, CheckEligibilityRequest, ExportMemberRequest, InvitationBox,
    ListBarredInvitersRequest, ListInvitationsRequest, WatchInvitationsRequest,
    watch_invitations_request::Scope,
};
use prost_types::Timestamp;

use super::table::Table;

pub(super) fn add(table: &mut Table) {
    states(table);
    eligibility(table);
    invitations(table);
    several_of_a_list(table);
    bars(table);
    watches(table);
    let export = "invitation.v1.MemberService/ExportMember";
    table.ids(export, "member_id", |member_id| ExportMemberRequest {
        member_id,
    });
}

/// `count` ids, with `bad` in the place `at`.
pub(super) fn ids(count: usize, at: usize, bad: &str) -> Vec<String> {
    let id = |place| {
        if place == at {
            bad.to_owned()
        } else {
            format!("member-{place}")
        }
    };
    (0..count).map(id).collect()
}

fn states(table: &mut Table) {
    const METHOD: &str = "BatchGetInvitationStates";
    let request = |member_id: &str, other_ids| BatchGetInvitationStatesRequest {
        member_id: member_id.to_owned(),
        other_ids,
    };
    table.ids(METHOD, "member_id", |id| request(&id, ids(1, 0, "bob")));
    table.ids(METHOD, "other_ids[3]", |id| request("ann", ids(5, 3, &id)));
    table.fields(
        METHOD,
        &request("ann", ids(500, 499, "")),
        &["other_ids[499]"],
    );
    for count in [0, 501, 5_000] {
        table.fields(
            METHOD,
            &request("ann", ids(count, 0, "bob")),
            &["other_ids"],
        );
    }
    let several = vec!["?".to_owned(), "bob".to_owned(), String::new()];
    table.fields(
        METHOD,
        &request("", several),
        &["member_id", "other_ids[0]", "other_ids[2]"],
    );
    table.fields(
        METHOD,
        &request("", Vec::new()),
        &["member_id", "other_ids"],
    );
    table.oneself(METHOD, &request("ann", ids(1, 0, "ann")));
    table.oneself(METHOD, &request("ann", ids(500, 499, "ann")));
}

fn eligibility(table: &mut Table) {
    const METHOD: &str = "CheckEligibility";
    let request = |inviter_id: &str, invitee_ids| CheckEligibilityRequest {
        inviter_id: inviter_id.to_owned(),
        invitee_ids,
    };
    table.ids(METHOD, "inviter_id", |id| request(&id, ids(1, 0, "bob")));
    table.ids(METHOD, "invitee_ids[3]", |id| {
        request("ann", ids(5, 3, &id))
    });
    for count in [0, 501, 5_000] {
        table.fields(
            METHOD,
            &request("ann", ids(count, 0, "bob")),
            &["invitee_ids"],
        );
    }
    table.fields(
        METHOD,
        &request("", Vec::new()),
        &["inviter_id", "invitee_ids"],
    );
}

fn list() -> ListInvitationsRequest {
    ListInvitationsRequest {
        member_id: "ann".to_owned(),
        r#box: InvitationBox::Sent.into(),
        ..Default::default()
    }
}

fn invitations(table: &mut Table) {
    const METHOD: &str = "ListInvitations";
    table.ids(METHOD, "member_id", |member_id| ListInvitationsRequest {
        member_id,
        ..list()
    });
    for r#box in [0, 4, -1, 99, i32::MIN] {
        table.fields(
            METHOD,
            &ListInvitationsRequest { r#box, ..list() },
            &["box"],
        );
    }
    for order in [3, -1, 99, i32::MAX] {
        table.fields(
            METHOD,
            &ListInvitationsRequest { order, ..list() },
            &["order"],
        );
    }
    for other in [InvitationBox::Received, InvitationBox::Filtered] {
        let withdrawn = ListInvitationsRequest {
            r#box: other.into(),
            include_recently_withdrawn: true,
            ..list()
        };
        table.fields(METHOD, &withdrawn, &["include_recently_withdrawn"]);
    }
    table.times(METHOD, "sent_before", |sent_before| {
        ListInvitationsRequest {
            sent_before,
            ..list()
        }
    });
    table.page_sizes(METHOD, |page_size| ListInvitationsRequest {
        page_size,
        ..list()
    });
}

fn several_of_a_list(table: &mut Table) {
    const METHOD: &str = "ListInvitations";
    let no_time = Some(Timestamp {
        seconds: 0,
        nanos: -1,
    });
    let nothing = ListInvitationsRequest::default();
    table.fields(METHOD, &nothing, &["member_id", "box"]);
    let all = ListInvitationsRequest {
        member_id: "?".to_owned(),
        r#box: 9,
        order: 9,
        include_recently_withdrawn: false,
        sent_before: no_time,
        page_size: -1,
        page_token: "what is not looked at any more".to_owned(),
    };
    let fields = ["member_id", "box", "order", "sent_before", "page_size"];
    table.fields(METHOD, &all, &fields);
    let withdrawn = ListInvitationsRequest {
        r#box: InvitationBox::Received.into(),
        include_recently_withdrawn: true,
        sent_before: no_time,
        page_size: -1,
        ..list()
    };
    let fields = ["include_recently_withdrawn", "sent_before", "page_size"];
    table.fields(METHOD, &withdrawn, &fields);
}

fn bars(table: &mut Table) {
    const METHOD: &str = "ListBarredInviters";
    let request = |member_id: &str, page_size| ListBarredInvitersRequest {
        member_id: member_id.to_owned(),
        page_size,
        page_token: String::new(),
    };
    table.ids(METHOD, "member_id", |id| request(&id, 0));
    table.page_sizes(METHOD, |size| request("ann", size));
    table.fields(METHOD, &request("?", -1), &["member_id", "page_size"]);
}

fn watches(table: &mut Table) {
    const METHOD: &str = "WatchInvitations";
    let request = |scope| WatchInvitationsRequest {
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
    let and_a_token = WatchInvitationsRequest {
        scope: None,
        resume_token: "x".to_owned(),
    };
    table.fields(METHOD, &and_a_token, &["scope"]);
}
