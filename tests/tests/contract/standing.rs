//! Standing over the wire: what follows from what becomes of a member's invitations, and what the member is told of it.
//!
//! Deliberately absent: the rules' borders, which tables of the domain have.

mod operators;
mod restart;

use acquaint_proto::invitation::v1::{
    DeclineReason, GetInvitationQuotaRequest, GetInvitationQuotaResponse, GetStandingRequest,
    ImposeRestrictionRequest, LiftRestrictionRequest, MemberStanding, RestrictionReason, Standing,
    StandingFlag,
};
use acquaint_tests::{
    pair::{Pair, START, Setup},
    refusal::Refusal,
    wait::eventually,
};
use invitation_service::domain::standing::Mode;
use service_kit::{
    fields::timestamp,
    time::{Span, Time},
};

async fn judging(mode: Mode) -> Pair {
    Pair::with(Setup::judging(mode)).await
}

/// What a member is told.
async fn told(pair: &Pair, member: &str) -> GetInvitationQuotaResponse {
    let member_id = member.to_owned();
    let request = GetInvitationQuotaRequest { member_id };
    let answer = pair.invitations.clone().get_invitation_quota(request).await;
    answer.unwrap().into_inner()
}

/// What operators see.
async fn known(pair: &Pair, member: &str) -> MemberStanding {
    let member_id = member.to_owned();
    let request = GetStandingRequest { member_id };
    let answer = pair.operator().await.get_standing(request).await;
    answer.unwrap().into_inner().standing.unwrap()
}

/// An operator restricts a member.
pub(crate) async fn restrict(pair: &Pair, member: &str, until: Time) {
    let request = ImposeRestrictionRequest {
        member_id: member.to_owned(),
        end_time: Some(timestamp(until)),
        ..Default::default()
    };
    let mut operator = pair.operator().await;
    operator.impose_restriction(request).await.unwrap();
}

/// An operator lifts a member's restriction.
pub(crate) async fn lift(pair: &Pair, member: &str) {
    let request = LiftRestrictionRequest {
        member_id: member.to_owned(),
        ..Default::default()
    };
    let mut operator = pair.operator().await;
    operator.lift_restriction(request).await.unwrap();
}

/// Sends these, which are all declined so.
async fn declined(pair: &Pair, inviter: &str, numbers: std::ops::Range<u32>, why: DeclineReason) {
    for number in numbers {
        let invitee = format!("{inviter}-{number}");
        let id = pair.sent(inviter, &invitee).await;
        pair.decline(&invitee, &id, why).await.unwrap();
    }
}

fn weekly_cap(told: &GetInvitationQuotaResponse) -> i32 {
    told.quota.unwrap().weekly_cap
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_nobody_accepts_is_restricted_and_then_limited() {
    let pair = judging(Mode::Enforce).await;
    let new = told(&pair, "ann").await;
    assert_eq!((new.standing(), weekly_cap(&new)), (Standing::New, 50));
    declined(&pair, "ann", 0..20, DeclineReason::NotNow).await;

    let end = START.plus(Span::hours(3));
    // Twice, for a refusal may be remembered.
    for _ in 0..2 {
        let refused = Refusal::of(&pair.send("ann", "zoe").await.unwrap_err());
        assert_eq!(refused.reason, "SENDER_RESTRICTED");
        let until = &refused.metadata["restricted_until"];
        assert_eq!(*until, service_kit::fields::rfc3339(end));
        assert_eq!(refused.retry_after, Some(Span::hours(3).to_std()));
    }
    let restricted = told(&pair, "ann").await;
    let flags: Vec<_> = restricted.flags().collect();
    assert_eq!(restricted.standing(), Standing::Restricted);
    assert_eq!(flags, [StandingFlag::LowAcceptance]);
    assert_eq!(weekly_cap(&restricted), 0);
    let restriction = restricted.restriction.unwrap();
    assert_eq!(restriction.end_time, Some(timestamp(end)));
    assert_eq!(restriction.reason(), RestrictionReason::Strike);
    assert_eq!(restriction.flag(), StandingFlag::LowAcceptance);

    pair.advance(Span::hours(3));
    let limited = told(&pair, "ann").await;
    assert_eq!(limited.standing(), Standing::Limited);
    assert_eq!(limited.restriction, None);
    let quota = limited.quota.unwrap();
    assert_eq!((quota.weekly_cap, quota.used), (25, 20));
    pair.sent("ann", "zoe").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_but_sending_works_while_restricted() {
    let pair = judging(Mode::Enforce).await;
    let waiting = pair.sent("ann", "bob").await;
    let received = [
        pair.sent("cat", "ann").await,
        pair.sent("dan", "ann").await,
        pair.sent("eve", "ann").await,
    ];
    restrict(&pair, "ann", START.plus(Span::days(1))).await;
    let refused = pair.send("ann", "zoe").await.unwrap_err();
    assert_eq!(Refusal::of(&refused).reason, "SENDER_RESTRICTED");
    let [from_cat, from_dan, _] = received;
    pair.accept("ann", &from_cat).await.unwrap();
    pair.decline("ann", &from_dan, DeclineReason::NotNow)
        .await
        .unwrap();
    // Sending to whose invitation is live is an acceptance.
    pair.send("ann", "eve").await.unwrap();
    pair.withdraw("ann", &waiting).await.unwrap();
    pair.block("ann", "dan").await.unwrap();
    pair.remove("ann", "cat").await.unwrap();
    assert_eq!(pair.counts("ann").await.received_pending, 0);
    pair.sent("fay", "ann").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_told_figures_of_the_last_day_and_operators_all() {
    let pair = judging(Mode::Enforce).await;
    for number in 0..12 {
        let invitee = format!("friend-{number}");
        let id = pair.sent("ann", &invitee).await;
        pair.accept(&invitee, &id).await.unwrap();
    }
    declined(&pair, "ann", 0..6, DeclineReason::NotNow).await;
    declined(&pair, "ann", 6..8, DeclineReason::Spam).await;
    let figures = |of: &GetInvitationQuotaResponse| {
        let figures = of.figures.unwrap();
        (figures.sent, figures.accepted, figures.not_accepted)
    };
    let today = told(&pair, "ann").await;
    assert_eq!((figures(&today), today.acceptance_rate), ((0, 0, 0), None));
    let standing = known(&pair, "ann").await;
    assert_eq!((standing.sent, standing.accepted), (20, 12));
    assert_eq!((standing.declined, standing.reported), (6, 2));
    assert_eq!((standing.outcomes, standing.pending), (20, 0));
    assert_eq!(standing.acceptance_rate, Some(50));
    pair.advance(Span::days(1));
    let tomorrow = told(&pair, "ann").await;
    assert_eq!(figures(&tomorrow), (20, 12, 0));
    assert_eq!(tomorrow.acceptance_rate, Some(50));
    let time = tomorrow.figures.unwrap().figures_time;
    assert_eq!(time, Some(timestamp(START.plus(Span::days(1)))));
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_answers_counts_after_three_weeks_and_until_it_is_answered() {
    let pair = judging(Mode::Enforce).await;
    let id = pair.sent("ann", "bob").await;
    pair.advance(Span::millis(Span::days(21).as_millis() - 1));
    let waiting = known(&pair, "ann").await;
    assert_eq!(
        (waiting.expired, waiting.overdue, waiting.pending),
        (0, 0, 1)
    );
    pair.advance(Span::millis(1));
    let overdue = known(&pair, "ann").await;
    assert_eq!(
        (overdue.expired, overdue.overdue, overdue.pending),
        (1, 1, 1)
    );
    pair.accept("bob", &id).await.unwrap();
    let accepted = known(&pair, "ann").await;
    assert_eq!(
        (accepted.expired, accepted.accepted, accepted.pending),
        (0, 1, 0)
    );
    assert_eq!(accepted.outcomes, 1);
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_note_to_thirty_members_raises_a_flag_that_says_nothing_of_it() {
    let pair = judging(Mode::Enforce).await;
    for number in 0..30 {
        let flags = told(&pair, "ann").await.flags;
        assert!(flags.is_empty(), "{number}");
        let note = if number % 2 == 0 {
            "Hello there"
        } else {
            "hello  THERE!"
        };
        let invitee = format!("invitee-{number}");
        pair.send_with(acquaint_proto::invitation::v1::SendInvitationRequest {
            inviter_id: "ann".to_owned(),
            invitee_id: invitee,
            note: note.to_owned(),
            ..Default::default()
        })
        .await
        .unwrap();
    }
    let flagged = told(&pair, "ann").await;
    let flags: Vec<_> = flagged.flags().collect();
    assert_eq!(flags, [StandingFlag::SameNote]);
    // A flag alone limits nobody.
    assert_eq!(
        (flagged.standing(), weekly_cap(&flagged)),
        (Standing::New, 50)
    );
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_shadow_everything_is_shown_and_nothing_refused() {
    let pair = judging(Mode::Shadow).await;
    assert_eq!(told(&pair, "ann").await.standing(), Standing::New);
    declined(&pair, "ann", 0..20, DeclineReason::Spam).await;
    let shown = told(&pair, "ann").await;
    assert_eq!(shown.standing(), Standing::Restricted);
    assert!(shown.restriction.is_some());
    assert_eq!(weekly_cap(&shown), 100);
    pair.sent("ann", "zoe").await;
    // What an operator does holds.
    restrict(&pair, "ann", START.plus(Span::days(1))).await;
    let refused = pair.send("ann", "yan").await.unwrap_err();
    assert_eq!(Refusal::of(&refused).reason, "SENDER_RESTRICTED");
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn off_counts_nothing_and_operators_acts_hold() {
    let pair = judging(Mode::Off).await;
    declined(&pair, "ann", 0..25, DeclineReason::Spam).await;
    let shown = told(&pair, "ann").await;
    assert_eq!(
        (shown.standing(), weekly_cap(&shown)),
        (Standing::Normal, 100)
    );
    assert_eq!((shown.flags, shown.restriction), (Vec::new(), None));
    assert_eq!(known(&pair, "ann").await.reported, 0);
    restrict(&pair, "ann", START.plus(Span::days(1))).await;
    assert_eq!(told(&pair, "ann").await.standing(), Standing::Restricted);
    let refused = pair.send("ann", "zoe").await.unwrap_err();
    assert_eq!(Refusal::of(&refused).reason, "SENDER_RESTRICTED");
    pair.advance(Span::days(1));
    pair.sent("ann", "zoe").await;
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_takes_the_standing_away() {
    let pair = judging(Mode::Enforce).await;
    declined(&pair, "ann", 0..20, DeclineReason::NotNow).await;
    assert_eq!(known(&pair, "ann").await.declined, 20);
    eventually("ann is erased", || async {
        pair.erase("ann").await.then_some(())
    })
    .await;
    let erased = known(&pair, "ann").await;
    let nobody = known(&pair, "nobody").await;
    assert_eq!(erased, nobody);
    assert_eq!(told(&pair, "ann").await, told(&pair, "nobody").await);
    pair.stop().await;
}
