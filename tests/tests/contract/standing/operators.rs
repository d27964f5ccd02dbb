//! What operators see and do of a member's standing, and the record of it.

use acquaint_proto::invitation::v1::{
    ClearFlagsRequest, DeclineReason, ImposeRestrictionRequest, LiftRestrictionRequest,
    ListStandingActionsRequest, RestrictionReason, SendInvitationRequest, SetMemberPlanRequest,
    SetWeeklyCapRequest, Standing, StandingAction, StandingFlag, standing_action::Act,
};
use acquaint_tests::{
    pair::{Pair, START, Setup},
    refusal::reason,
    wait::eventually,
};
use invitation_service::domain::standing::Mode;
use service_kit::{
    auth::Role,
    fields::timestamp,
    time::{Span, Time},
};
use tonic::Request;

use super::{declined, judging, known, lift, restrict, told, weekly_cap};

const REQUEST: &str = "0198c0de-0000-7000-8000-000000000000";

async fn set_cap(pair: &Pair, member: &str, cap: Option<i32>) {
    let request = SetWeeklyCapRequest {
        member_id: member.to_owned(),
        weekly_cap: cap,
        ..Default::default()
    };
    let mut operator = pair.operator().await;
    operator.set_weekly_cap(request).await.unwrap();
}

async fn clear(pair: &Pair, member: &str) {
    let request = ClearFlagsRequest {
        member_id: member.to_owned(),
        ..Default::default()
    };
    let mut operator = pair.operator().await;
    operator.clear_flags(request).await.unwrap();
}

/// The whole record about a member, or about everybody, read in pages.
async fn record(pair: &Pair, member: &str) -> Vec<StandingAction> {
    let mut operator = pair.operator().await;
    let (mut actions, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = ListStandingActionsRequest {
            member_id: member.to_owned(),
            page_size: 2,
            page_token,
        };
        let page = operator.list_standing_actions(request).await.unwrap();
        let page = page.into_inner();
        assert!(page.actions.len() <= 2);
        actions.extend(page.actions);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return actions;
        }
    }
}

fn acts(actions: &[StandingAction]) -> Vec<Act> {
    let acts = actions.iter().map(|action| action.act.clone());
    acts.map(Option::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cap_holds_in_place_of_plan_and_standing_until_it_is_taken_away() {
    let pair = judging(Mode::Enforce).await;
    set_cap(&pair, "ann", Some(1)).await;
    pair.sent("ann", "bob").await;
    // Twice, so that what is remembered of a full member has to be forgotten.
    for _ in 0..2 {
        assert_eq!(reason(pair.send("ann", "cat").await), "WEEKLY_CAP_REACHED");
    }
    set_cap(&pair, "ann", Some(500)).await;
    assert_eq!(weekly_cap(&told(&pair, "ann").await), 500);
    pair.sent("ann", "cat").await;
    set_cap(&pair, "ann", None).await;
    assert_eq!(weekly_cap(&told(&pair, "ann").await), 50);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_stands_over_everything_until_it_ends_or_is_lifted() {
    let pair = judging(Mode::Enforce).await;
    set_cap(&pair, "ann", Some(500)).await;
    let end = START.plus(Span::days(2));
    restrict(&pair, "ann", end).await;
    let shown = told(&pair, "ann").await;
    assert_eq!(
        (shown.standing(), weekly_cap(&shown)),
        (Standing::Restricted, 0)
    );
    let restriction = shown.restriction.unwrap();
    assert_eq!(restriction.reason(), RestrictionReason::Operator);
    assert_eq!(restriction.flag(), StandingFlag::Unspecified);
    assert_eq!(restriction.end_time, Some(timestamp(end)));
    for _ in 0..2 {
        assert_eq!(reason(pair.send("ann", "bob").await), "SENDER_RESTRICTED");
    }
    lift(&pair, "ann").await;
    pair.sent("ann", "bob").await;
    restrict(&pair, "ann", end).await;
    assert_eq!(reason(pair.send("ann", "cat").await), "SENDER_RESTRICTED");
    pair.advance(Span::days(2));
    pair.sent("ann", "cat").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strike_that_is_lifted_is_remembered() {
    let pair = judging(Mode::Enforce).await;
    declined(&pair, "ann", 0..20, DeclineReason::NotNow).await;
    lift(&pair, "ann").await;
    pair.sent("ann", "zoe").await;
    let lifted = known(&pair, "ann").await;
    assert_eq!(lifted.standing(), Standing::Limited);
    assert_eq!((lifted.strikes, lifted.restriction), (1, None));
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_that_are_cleared_are_down_while_their_sign_lasts() {
    let pair = judging(Mode::Enforce).await;
    for number in 0..30 {
        let request = SendInvitationRequest {
            inviter_id: "ann".to_owned(),
            invitee_id: format!("invitee-{number}"),
            note: "Hello".to_owned(),
            ..Default::default()
        };
        pair.send_with(request).await.unwrap();
    }
    let flags: Vec<_> = known(&pair, "ann").await.flags().collect();
    assert_eq!(flags, [StandingFlag::SameNote]);
    clear(&pair, "ann").await;
    assert!(known(&pair, "ann").await.flags.is_empty());
    assert!(told(&pair, "ann").await.flags.is_empty());
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_is_recorded_once_newest_first_with_time_and_author() {
    let pair = judging(Mode::Enforce).await;
    let end = START.plus(Span::days(2));
    for _ in 0..2 {
        set_cap(&pair, "ann", Some(1)).await;
    }
    pair.advance(Span::seconds(1));
    set_cap(&pair, "ann", None).await;
    restrict(&pair, "bob", end).await;
    restrict(&pair, "ann", end).await;
    lift(&pair, "ann").await;
    // There is nothing to lift or to clear any more: nothing is recorded.
    lift(&pair, "ann").await;
    clear(&pair, "ann").await;
    let of_ann = record(&pair, "ann").await;
    let expected = [
        Act::RestrictionLifted(true),
        Act::RestrictedUntil(timestamp(end)),
        Act::WeeklyCapRemoved(true),
        Act::WeeklyCap(1),
    ];
    assert_eq!(acts(&of_ann), expected);
    let times: Vec<Time> = [1, 1, 1, 0].map(|n| START.plus(Span::seconds(n))).into();
    for (action, time) in of_ann.iter().zip(times) {
        assert_eq!(action.author, "local");
        assert_eq!(action.member_id, "ann");
        assert_eq!(action.time, Some(timestamp(time)));
    }
    let all = record(&pair, "").await;
    assert_eq!(all.len(), 5);
    assert_eq!(all[2].member_id, "bob");

    eventually("ann is erased", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    assert_eq!(record(&pair, "ann").await, []);
    let all = record(&pair, "").await;
    let named: Vec<_> = all.iter().map(|action| action.member_id.as_str()).collect();
    assert_eq!(named, ["", "", "bob", "", ""], "the acts stay");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_done_once_however_late_it_is_repeated() {
    let pair = judging(Mode::Enforce).await;
    let mut operator = pair.operator().await;
    let lift_again = || LiftRestrictionRequest {
        member_id: "ann".to_owned(),
        request_id: REQUEST.to_owned(),
    };
    // It changes nothing, and is remembered all the same.
    operator.lift_restriction(lift_again()).await.unwrap();
    restrict(&pair, "ann", START.plus(Span::days(40))).await;
    pair.advance(Span::days(30));
    operator.lift_restriction(lift_again()).await.unwrap();
    assert_eq!(reason(pair.send("ann", "bob").await), "SENDER_RESTRICTED");
    assert_eq!(record(&pair, "ann").await.len(), 2);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_id_with_other_content_is_refused() {
    let pair = judging(Mode::Enforce).await;
    let mut operator = pair.operator().await;
    let cap = |member: &str, cap| SetWeeklyCapRequest {
        member_id: member.to_owned(),
        weekly_cap: Some(cap),
        request_id: REQUEST.to_owned(),
    };
    operator.set_weekly_cap(cap("ann", 7)).await.unwrap();
    for other in [cap("ann", 8), cap("bob", 7)] {
        let refused = operator.set_weekly_cap(other).await;
        assert_eq!(reason(refused), "REQUEST_ID_REUSED");
    }
    let other = ImposeRestrictionRequest {
        member_id: "ann".to_owned(),
        end_time: Some(timestamp(START.plus(Span::days(1)))),
        request_id: REQUEST.to_owned(),
    };
    assert_eq!(
        reason(operator.impose_restriction(other).await),
        "REQUEST_ID_REUSED"
    );
    operator.set_weekly_cap(cap("ann", 7)).await.unwrap();
    assert_eq!(acts(&record(&pair, "").await), [Act::WeeklyCap(7)]);
    eventually("ann is erased", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    let refused = operator.set_weekly_cap(cap("ann", 7)).await;
    assert_eq!(reason(refused), "MEMBER_NOT_FOUND");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_about_somebody_who_was_erased() {
    let pair = judging(Mode::Enforce).await;
    pair.sent("ann", "bob").await;
    eventually("ann is erased", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    let mut operator = pair.operator().await;
    let member_id = || "ann".to_owned();
    let cap = SetWeeklyCapRequest {
        member_id: member_id(),
        ..Default::default()
    };
    let plan = SetMemberPlanRequest {
        member_id: member_id(),
        plan: "basic".to_owned(),
        ..Default::default()
    };
    let restrict = ImposeRestrictionRequest {
        member_id: member_id(),
        end_time: Some(timestamp(START.plus(Span::days(1)))),
        ..Default::default()
    };
    let lift = LiftRestrictionRequest {
        member_id: member_id(),
        ..Default::default()
    };
    let clear = ClearFlagsRequest {
        member_id: member_id(),
        ..Default::default()
    };
    for reason in [
        reason(operator.set_weekly_cap(cap).await),
        reason(operator.set_member_plan(plan).await),
        reason(operator.impose_restriction(restrict).await),
        reason(operator.lift_restriction(lift).await),
        reason(operator.clear_flags(clear).await),
    ] {
        assert_eq!(reason, "MEMBER_NOT_FOUND");
    }
    assert_eq!(record(&pair, "").await, []);
    pair.stop().await;
}

/// A request that shows the operator's credential, whose name is that of the role.
fn as_operator<T>(pair: &Pair, request: T) -> Request<T> {
    let mut request = Request::new(request);
    let shown = format!("Bearer {}", pair.credentials.token(Role::Operator));
    let metadata = request.metadata_mut();
    metadata.insert("authorization", shown.parse().unwrap());
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn the_author_is_whoever_showed_the_credential() {
    let mut setup = Setup::judging(Mode::Enforce);
    setup.credentials = true;
    let pair = Pair::with(setup).await;
    let mut operator = pair.operator().await;
    let cap = SetWeeklyCapRequest {
        member_id: "ann".to_owned(),
        weekly_cap: Some(3),
        ..Default::default()
    };
    operator
        .set_weekly_cap(as_operator(&pair, cap))
        .await
        .unwrap();
    let all = as_operator(&pair, ListStandingActionsRequest::default());
    let page = operator.list_standing_actions(all).await.unwrap();
    let [action] = page.into_inner().actions.try_into().unwrap();
    assert_eq!(action.author, "operator");
    pair.stop().await;
}
