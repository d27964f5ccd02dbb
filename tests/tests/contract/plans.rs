//! Plans over the wire: what they grant, who gave them, and what becomes of one that is no longer configured.

use acquaint_proto::invitation::v1::{
    GetInvitationQuotaRequest, GetInvitationQuotaResponse, SetMemberPlanRequest,
};
use acquaint_tests::{
    pair::{Pair, START, Setup},
    refusal::{Refusal, reason},
    wait::eventually,
};
use invitation_service::domain::plan::Limits;
use service_kit::time::Span;
use tonic::Status;

const PREMIUM: Limits = Limits {
    weekly_cap: 3,
    pending_sent_max: 5,
    pending_received_soft_max: 2,
};

/// A pair whose basic plan is one invitation, and which has a premium plan.
async fn with_premium() -> Pair {
    let mut setup = Setup::default();
    setup.invitation_policy.weekly_cap = 1;
    setup.invitation_policy.pending_received_soft_max = 1;
    setup
        .invitation_policy
        .plans
        .insert("premium".to_owned(), PREMIUM);
    Pair::with(setup).await
}

async fn set_plan(pair: &Pair, member: &str, plan: &str) -> Result<(), Status> {
    let request = SetMemberPlanRequest {
        member_id: member.to_owned(),
        plan: plan.to_owned(),
        ..Default::default()
    };
    let mut operator = pair.operator().await;
    operator.set_member_plan(request).await.map(|_| ())
}

async fn quota(pair: &Pair, member: &str) -> GetInvitationQuotaResponse {
    let member_id = member.to_owned();
    let request = GetInvitationQuotaRequest { member_id };
    let answer = pair.invitations.clone().get_invitation_quota(request).await;
    answer.unwrap().into_inner()
}

/// The plan in force with its weekly and pending caps, and how many places are left.
async fn in_force(pair: &Pair, member: &str) -> (String, i32, i32, i32) {
    let answer = quota(pair, member).await;
    let quota = answer.quota.unwrap();
    (
        answer.plan,
        quota.weekly_cap,
        quota.pending_cap,
        quota.remaining,
    )
}

/// What is recorded: milliseconds since the start, author, member, plan.
fn acts(pair: &Pair) -> Vec<(i64, String, Option<String>, String)> {
    let conn = rusqlite::Connection::open(pair.invitation_file()).unwrap();
    let mut acts = conn
        .prepare("select time, author, member, plan from standing_act order by number")
        .unwrap();
    let acts = acts.query_map([], |row| {
        let time: i64 = row.get(0)?;
        Ok((time - START.millis(), row.get(1)?, row.get(2)?, row.get(3)?))
    });
    acts.unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_holds_from_the_next_call_on_and_what_was_sent_counts_on() {
    let pair = with_premium().await;
    assert_eq!(
        in_force(&pair, "ann").await,
        ("basic".to_owned(), 1, 1_500, 1)
    );
    pair.sent("ann", "bob").await;
    // Twice, so that what is remembered of a full member has to be forgotten.
    for _ in 0..2 {
        assert_eq!(reason(pair.send("ann", "cat").await), "WEEKLY_CAP_REACHED");
    }
    set_plan(&pair, "ann", "premium").await.unwrap();
    assert_eq!(
        in_force(&pair, "ann").await,
        ("premium".to_owned(), 3, 5, 2)
    );
    pair.sent("ann", "cat").await;
    pair.sent("ann", "dan").await;
    let refused = Refusal::of(&pair.send("ann", "eve").await.unwrap_err());
    assert_eq!(refused.reason, "WEEKLY_CAP_REACHED");
    assert_eq!(refused.metadata["weekly_cap"], "3");
    set_plan(&pair, "ann", "basic").await.unwrap();
    assert_eq!(
        in_force(&pair, "ann").await,
        ("basic".to_owned(), 1, 1_500, 0)
    );
    let refused = Refusal::of(&pair.send("ann", "eve").await.unwrap_err());
    assert_eq!(refused.metadata["weekly_cap"], "1");
    assert_eq!(refused.metadata["used"], "3");
    // Nobody else is touched.
    assert_eq!(
        in_force(&pair, "bob").await,
        ("basic".to_owned(), 1, 1_500, 1)
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_when_invitations_to_its_members_are_filtered() {
    let pair = with_premium().await;
    set_plan(&pair, "zoe", "premium").await.unwrap();
    for inviter in ["ann", "bob", "cat"] {
        pair.sent(inviter, "zoe").await;
    }
    let counts = pair.counts("zoe").await;
    assert_eq!((counts.received_pending, counts.filtered_pending), (2, 1));
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_act_is_recorded_once_with_its_author_and_time() {
    let pair = with_premium().await;
    set_plan(&pair, "ann", "basic").await.unwrap();
    assert!(acts(&pair).is_empty(), "she has it already");
    set_plan(&pair, "ann", "premium").await.unwrap();
    pair.advance(Span::seconds(1));
    set_plan(&pair, "ann", "premium").await.unwrap();
    set_plan(&pair, "bob", "premium").await.unwrap();
    set_plan(&pair, "ann", "basic").await.unwrap();
    let act = |after, member: &str, plan: &str| {
        let member = Some(member.to_owned());
        (after, AUTHOR.to_owned(), member, plan.to_owned())
    };
    let mut recorded = vec![
        act(0, "ann", "premium"),
        act(1_000, "bob", "premium"),
        act(1_000, "ann", "basic"),
    ];
    assert_eq!(acts(&pair), recorded);
    eventually("bob is erased", || async {
        pair.erase("bob").await.then_some(())
    })
    .await;
    recorded[1].2 = None;
    assert_eq!(acts(&pair), recorded, "the act stays without the name");
    assert_eq!(
        reason(set_plan(&pair, "bob", "premium").await),
        "MEMBER_NOT_FOUND"
    );
    assert_eq!(acts(&pair), recorded);
    pair.stop().await;
}

/// Who does it where nobody shows credentials.
const AUTHOR: &str = "local";

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_plan_is_refused_with_the_names_of_those_that_are_known() {
    let pair = with_premium().await;
    let refused = set_plan(&pair, "ann", "gold").await.unwrap_err();
    assert_eq!(Refusal::of(&refused).fields, ["plan"]);
    let told = format!("{:?}", tonic_types::StatusExt::get_error_details(&refused));
    assert!(told.contains("must be one of: basic, premium"), "{told}");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_is_no_longer_configured_grants_what_basic_does_until_it_is_back() {
    let mut pair = with_premium().await;
    set_plan(&pair, "ann", "premium").await.unwrap();
    for (configured, expected) in [
        (false, ("basic".to_owned(), 1, 1_500, 1)),
        (true, ("premium".to_owned(), 3, 5, 3)),
    ] {
        pair.change(|setup| {
            setup.invitation_policy.plans.clear();
            if configured {
                let plans = &mut setup.invitation_policy.plans;
                plans.insert("premium".to_owned(), PREMIUM);
            }
        });
        pair.stop_invitation_service().await;
        pair.start_invitation_service().await;
        assert_eq!(in_force(&pair, "ann").await, expected);
    }
    pair.sent("ann", "bob").await;
    pair.stop().await;
}
