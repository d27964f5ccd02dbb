//! Standing over a restart, another mode, and an older store.

use acquaint_proto::invitation::v1::{
    DeclineReason, ListStandingActionsRequest, SetMemberPlanRequest, Standing, standing_action::Act,
};
use acquaint_tests::pair::Pair;
use invitation_service::{domain::standing::Mode, store::sqlite::MIGRATIONS};
use rusqlite::Connection;
use service_kit::time::Span;

use super::{declined, judging, known, told, weekly_cap};

async fn restart_in(pair: &mut Pair, mode: Mode) {
    pair.change(|setup| setup.invitation_policy.standing.mode = mode);
    pair.stop_invitation_service().await;
    pair.start_invitation_service().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_changes_nothing_and_another_mode_holds_at_once() {
    let mut pair = judging(Mode::Enforce).await;
    declined(&pair, "ann", 0..20, DeclineReason::NotNow).await;
    let before = (told(&pair, "ann").await, known(&pair, "ann").await);
    restart_in(&mut pair, Mode::Enforce).await;
    assert_eq!(
        before,
        (told(&pair, "ann").await, known(&pair, "ann").await)
    );
    restart_in(&mut pair, Mode::Shadow).await;
    assert_eq!(weekly_cap(&told(&pair, "ann").await), 100);
    restart_in(&mut pair, Mode::Off).await;
    assert_eq!(told(&pair, "ann").await.standing(), Standing::Normal);
    // Nothing has happened since, so nothing of what was counted is wrong.
    restart_in(&mut pair, Mode::Enforce).await;
    assert_eq!(before.0, told(&pair, "ann").await);
    pair.stop().await;
}

/// Makes the store what the migrations before that of standing had made of it.
fn take_standing_out(pair: &Pair) {
    let (before, name) = (4, "0005_standing");
    assert_eq!(MIGRATIONS[before].0, name);
    let conn = Connection::open(pair.invitation_file()).unwrap();
    let plans = MIGRATIONS[2].1;
    conn.execute_batch(&format!(
        "begin;
         update of_member set c15 = null where kind = -1;
         create table kept as select number, time, author, member, plan from standing_act;
         drop table standing_act;
         {plans}
         insert into standing_act (number, time, author, member, plan) select * from kept;
         drop table kept;
         delete from schema_migration where name = '{name}';
         commit;"
    ))
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn in_an_older_store_everybody_begins_as_new_and_what_operators_did_is_kept() {
    let mut pair = judging(Mode::Off).await;
    for invitee in ["bob", "cat", "dan"] {
        pair.sent("ann", invitee).await;
    }
    let to_eve = pair.sent("ann", "eve").await;
    let plan = SetMemberPlanRequest {
        member_id: "ann".to_owned(),
        plan: "premium".to_owned(),
        ..Default::default()
    };
    pair.change(|setup| {
        let policy = &mut setup.invitation_policy;
        policy.plans.insert("premium".to_owned(), policy.basic());
    });
    restart_in(&mut pair, Mode::Off).await;
    let mut operator = pair.operator().await;
    operator.set_member_plan(plan).await.unwrap();
    pair.stop_invitation_service().await;
    take_standing_out(&pair);
    restart_in(&mut pair, Mode::Enforce).await;

    let begun = told(&pair, "ann").await;
    assert_eq!((begun.standing(), weekly_cap(&begun)), (Standing::New, 50));
    let quota = begun.quota.unwrap();
    assert_eq!((quota.used, quota.pending_sent), (4, 4));
    // What was sent before counts when it is answered, and not for its silence.
    pair.accept("eve", &to_eve).await.unwrap();
    pair.advance(Span::days(30));
    let known = known(&pair, "ann").await;
    assert_eq!((known.sent, known.accepted, known.expired), (0, 1, 0));

    let request = ListStandingActionsRequest::default();
    let mut operator = pair.operator().await;
    let page = operator.list_standing_actions(request).await.unwrap();
    let [action] = page.into_inner().actions.try_into().unwrap();
    assert_eq!(
        (action.member_id.as_str(), action.author.as_str()),
        ("ann", "local")
    );
    assert_eq!(action.act, Some(Act::Plan("premium".to_owned())));
    pair.stop().await;
}
