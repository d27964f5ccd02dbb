//! Malformed requests of operators.

use acquaint_proto::invitation::v1::{
    ClearFlagsRequest, GetStandingRequest, ImposeRestrictionRequest, LiftRestrictionRequest,
    ListStandingActionsRequest, SetMemberPlanRequest, SetWeeklyCapRequest,
};
use acquaint_tests::pair::START;
use service_kit::{fields::timestamp, time::Span};

use super::table::{NO_MEMBER_IDS, Table};

pub(super) fn add(table: &mut Table) {
    table.ids("GetStanding", "member_id", |member_id| GetStandingRequest {
        member_id,
    });
    plans(table);
    caps(table);
    restrictions(table);
    lifted_and_cleared(table);
    records(table);
}

fn plans(table: &mut Table) {
    const METHOD: &str = "SetMemberPlan";
    let plan = |member_id: &str, plan: &str, request_id: &str| SetMemberPlanRequest {
        member_id: member_id.to_owned(),
        plan: plan.to_owned(),
        request_id: request_id.to_owned(),
    };
    table.ids(METHOD, "member_id", |id| plan(&id, "basic", ""));
    for unknown in ["", "premium", "Basic", "basic ", "ä"] {
        table.fields(METHOD, &plan("ann", unknown, ""), &["plan"]);
    }
    let fields = ["member_id", "plan", "request_id"];
    table.fields(METHOD, &plan("", "", "?"), &fields);
}

fn caps(table: &mut Table) {
    const METHOD: &str = "SetWeeklyCap";
    let cap = |member_id: &str, weekly_cap, request_id: &str| SetWeeklyCapRequest {
        member_id: member_id.to_owned(),
        weekly_cap,
        request_id: request_id.to_owned(),
    };
    table.ids(METHOD, "member_id", |id| cap(&id, Some(1), ""));
    for wrong in [-1, 10_001, i32::MIN, i32::MAX] {
        table.fields(METHOD, &cap("ann", Some(wrong), ""), &["weekly_cap"]);
    }
    table.fields(METHOD, &cap("ann", None, "1"), &["request_id"]);
    let fields = ["member_id", "weekly_cap", "request_id"];
    table.fields(METHOD, &cap("", Some(-1), "?"), &fields);
}

fn restrictions(table: &mut Table) {
    const METHOD: &str = "ImposeRestriction";
    let restrict = |member_id: &str, end_time, request_id: &str| ImposeRestrictionRequest {
        member_id: member_id.to_owned(),
        end_time,
        request_id: request_id.to_owned(),
    };
    let later = Some(timestamp(START.plus(Span::days(9_999))));
    table.ids(METHOD, "member_id", |id| restrict(&id, later, ""));
    table.times(METHOD, "end_time", |time| restrict("ann", time, ""));
    for over in [None, Some(timestamp(START.minus(Span::millis(1))))] {
        table.fields(METHOD, &restrict("ann", over, ""), &["end_time"]);
    }
    let fields = ["member_id", "end_time", "request_id"];
    table.fields(METHOD, &restrict("", None, "?"), &fields);
}

fn lifted_and_cleared(table: &mut Table) {
    let lift = |member_id: &str, request_id: &str| LiftRestrictionRequest {
        member_id: member_id.to_owned(),
        request_id: request_id.to_owned(),
    };
    table.ids("LiftRestriction", "member_id", |id| lift(&id, ""));
    let both = ["member_id", "request_id"];
    table.fields("LiftRestriction", &lift("?", "?"), &both);
    let clear = |member_id: &str, request_id: &str| ClearFlagsRequest {
        member_id: member_id.to_owned(),
        request_id: request_id.to_owned(),
    };
    table.ids("ClearFlags", "member_id", |id| clear(&id, ""));
    table.fields("ClearFlags", &clear("?", "?"), &both);
}

fn records(table: &mut Table) {
    const METHOD: &str = "ListStandingActions";
    let request = |member_id: &str, page_size| ListStandingActionsRequest {
        member_id: member_id.to_owned(),
        page_size,
        page_token: String::new(),
    };
    // Without an id it asks for everybody's.
    for id in NO_MEMBER_IDS.into_iter().filter(|id| !id.is_empty()) {
        table.fields(METHOD, &request(id, 0), &["member_id"]);
    }
    table.page_sizes(METHOD, |size| request("", size));
    table.fields(METHOD, &request("?", -1), &["member_id", "page_size"]);
}
