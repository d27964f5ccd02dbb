//! What every engine must do beside what the model says: batches, ranges, order, time.

use std::sync::Arc;

use acquaint_tests::engines::{Engine, Place};
use futures::future::join_all;
use invitation_service::{
    domain::{
        act::Act,
        invitation::{Happening, Place as List},
        pair::DeclineReason,
        refusal::Refusal,
    },
    store::{
        ListOrder, ListQuery, Selection, Store,
        rows::{EventKind, FeedCursor, StandingAct},
    },
};
use service_kit::{epoch::EpochId, time::Span};
use uuid::Uuid;

use crate::members::{START, clock, events, invitation, member, policy, send, sent, shared};

over_every_engine! {
    of_many_at_once_each_is_decided_after_the_others,
    crossing_invitations_meet_in_one_pair,
    what_goes_through_many_rows_sees_what_came_before_it_in_its_batch,
    an_operators_request_is_done_once_however_often_it_comes_at_a_time,
    an_erasure_leaves_nothing_although_others_go_on,
    a_page_goes_on_where_the_one_before_it_ended,
    time_never_goes_back_and_what_is_over_is_forgotten,
    a_store_that_is_opened_again_goes_on_where_it_was,
}

/// A store with a small cap, and where it is kept.
async fn on(engine: Engine) -> (Place, Arc<dyn Store>) {
    let place = engine.place().await;
    let store = place.open(policy(), shared(&clock())).await;
    (place, store)
}

fn list(member_id: &str, list: List) -> ListQuery {
    ListQuery {
        member: member(member_id),
        list,
        order: ListOrder::Newest,
        include_recently_withdrawn: false,
        sent_before: None,
        after: None,
        limit: 1_000,
    }
}

async fn of_many_at_once_each_is_decided_after_the_others(engine: Engine) {
    let (_place, store) = on(engine).await;
    // One inviter and many invitees: exactly the cap is sent, in batches that share the member's row.
    let names: Vec<String> = (0..100).map(|number| format!("b{number}")).collect();
    let sends = names.iter().map(|name| send(&*store, "ann", name));
    let outcomes = join_all(sends).await;
    let went = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(
        u32::try_from(went).unwrap(),
        policy().weekly_cap,
        "{engine:?}"
    );
    for outcome in outcomes {
        assert!(
            matches!(outcome, Ok(_) | Err(Refusal::WeeklyCapReached { .. })),
            "{engine:?}: {outcome:?}"
        );
    }
    let quota = store.quota(member("ann")).await.unwrap().quota;
    assert_eq!((quota.used, quota.remaining), (policy().weekly_cap, 0));
    assert_eq!(events(&*store).await.len(), went, "{engine:?}");
    store.close().await;
}

async fn crossing_invitations_meet_in_one_pair(engine: Engine) {
    let (_place, store) = on(engine).await;
    for round in 0..20 {
        let (ann, ben) = (format!("ann{round}"), format!("ben{round}"));
        let outcomes = futures::join!(send(&*store, &ann, &ben), send(&*store, &ben, &ann));
        let (Ok(first), Ok(second)) = outcomes else {
            panic!("{engine:?}: {outcomes:?}")
        };
        assert_eq!(first.view.id, second.view.id, "{engine:?}");
    }
    store.close().await;
}

async fn what_goes_through_many_rows_sees_what_came_before_it_in_its_batch(engine: Engine) {
    let (_place, store) = on(engine).await;
    for round in 0..10 {
        let ben = format!("ben{round}");
        let before = sent(&*store, &format!("before{round}"), &ben).await;
        let sends = (0..20).map(|number| sent_as(&store, format!("a{number}"), ben.clone()));
        let marks = (0..3).map(|_| store.mark_seen(member(&ben), START));
        let (sends, marks) = futures::join!(join_all(sends), join_all(marks));
        assert!(marks.iter().all(|mark| *mark == Ok(Ok(()))), "{engine:?}");
        let counts = store.counts(member(&ben)).await.unwrap();
        let (views, _) = store.list(list(&ben, List::Received)).await.unwrap();
        assert_eq!(
            (views.len(), counts.received_pending),
            (21, 21),
            "{engine:?}"
        );
        let unseen = views.iter().filter(|view| view.seen == Some(false)).count();
        assert_eq!(
            u32::try_from(unseen).unwrap(),
            counts.received_unseen,
            "{engine:?}"
        );
        assert!(
            views
                .iter()
                .any(|view| view.id == before && view.seen == Some(true))
        );
        let ids: Vec<Uuid> = views.iter().map(|view| view.id).collect();
        assert!(sends.iter().all(|id| ids.contains(id)), "{engine:?}");
    }
    store.close().await;
}

async fn sent_as(store: &Arc<dyn Store>, inviter: String, invitee: String) -> Uuid {
    sent(&**store, &inviter, &invitee).await
}

async fn an_operators_request_is_done_once_however_often_it_comes_at_a_time(engine: Engine) {
    let (_place, store) = on(engine).await;
    let act = |cap| StandingAct {
        author: "operator".to_owned(),
        request_id: Some(Uuid::from_u128(7)),
        member: member("ann"),
        act: Act::WeeklyCap(Some(cap)),
    };
    let done = join_all((0..10).map(|_| store.act(act(5)))).await;
    assert!(
        done.iter().all(|done| *done == Ok(Ok(()))),
        "{engine:?}: {done:?}"
    );
    assert_eq!(store.act(act(6)).await, Ok(Err(Refusal::RequestIdReused)));
    let (acts, more) = store.acts(Some(member("ann")), None, 10).await.unwrap();
    assert_eq!((acts.len(), more), (1, false), "{engine:?}");
    assert_eq!((acts[0].number, acts[0].time), (1, START), "{engine:?}");
    assert_eq!(store.acts(None, Some(1), 10).await, Ok((Vec::new(), false)));
    store.close().await;
}

async fn an_erasure_leaves_nothing_although_others_go_on(engine: Engine) {
    let (_place, store) = on(engine).await;
    let partners: Vec<String> = (0..30).map(|number| format!("p{number}")).collect();
    for partner in &partners[..15] {
        sent(&*store, "ann", partner).await;
    }
    let sends = partners[15..]
        .iter()
        .map(|partner| send(&*store, partner, "ann"));
    let erasing = async { while !store.erase(member("ann")).await.unwrap() {} };
    futures::join!(join_all(sends), erasing);
    while !store.erase(member("ann")).await.unwrap() {}
    assert_eq!(
        send(&*store, "ann", "p0").await.unwrap_err(),
        Refusal::MemberNotFound,
        "{engine:?}"
    );
    for partner in &partners {
        let counts = store.counts(member(partner)).await.unwrap();
        assert_eq!(
            counts,
            invitation_service::store::Counts::default(),
            "{engine:?}"
        );
    }
    let told = store.service_events(0, 1_000).await.unwrap().unwrap();
    let names = told
        .events
        .iter()
        .flat_map(|told| [&told.event.inviter, &told.event.invitee]);
    assert!(
        !names.flatten().any(|name| *name == member("ann")),
        "{engine:?}"
    );
    store.close().await;
}

async fn a_page_goes_on_where_the_one_before_it_ended(engine: Engine) {
    let (_place, store) = on(engine).await;
    let mut ids = Vec::new();
    for number in 0..7 {
        ids.push(sent(&*store, "ann", &format!("b{number}")).await);
    }
    assert!(ids.is_sorted(), "ids are in the order of sending");
    for order in [ListOrder::Oldest, ListOrder::Newest] {
        let mut query = ListQuery {
            order,
            limit: 3,
            ..list("ann", List::Sent)
        };
        let (mut found, mut more) = (Vec::new(), true);
        while more {
            let page = store.list(query.clone()).await.unwrap();
            found.extend(page.0.iter().map(|view| view.id));
            (query.after, more) = (found.last().copied(), page.1);
        }
        if order == ListOrder::Newest {
            found.reverse();
        }
        assert_eq!(found, ids, "{engine:?}");
    }
    let selected = store
        .select(Selection {
            member: member("ann"),
            list: List::Sent,
            sent_before: None,
            without_note: true,
            limit: 2,
            count_max: 5,
        })
        .await
        .unwrap();
    assert_eq!(
        (selected.invitation_ids, selected.matched),
        (ids[..2].to_vec(), 5)
    );
    store.close().await;
}

async fn time_never_goes_back_and_what_is_over_is_forgotten(engine: Engine) {
    let (place, clock) = (engine.place().await, clock());
    let store = place.open(policy(), shared(&clock)).await;
    let mut send = invitation("ann", "ben");
    send.request_id = Some(Uuid::from_u128(1));
    store.send(send.clone()).await.unwrap().unwrap();
    clock.set(START.minus(Span::hours(1)));
    let id = sent(&*store, "ann", "cleo").await;
    let view = store.get(member("ann"), id).await.unwrap().unwrap();
    assert_eq!(view.create_time, START, "{engine:?}");
    let repeated = store.send(send.clone()).await.unwrap().unwrap();
    assert!(repeated.charges.is_empty(), "{engine:?}: remembered");
    clock.set(START.plus(policy().events_kept).plus(policy().request_kept));
    assert_eq!(store.forget_old().await, Ok(false));
    let gone = store.service_events(0, 10).await.unwrap();
    assert_eq!(gone, None, "{engine:?}: the events were deleted");
    let at_the_end = store.service_events(2, 10).await.unwrap().unwrap();
    assert_eq!(
        (at_the_end.events, at_the_end.until),
        (Vec::new(), 2),
        "{engine:?}"
    );
    store.close().await;
}

async fn a_store_that_is_opened_again_goes_on_where_it_was(engine: Engine) {
    let (place, clock) = (engine.place().await, clock());
    let store = place.open(policy(), shared(&clock)).await;
    let id = sent(&*store, "ann", "ben").await;
    let followed = FeedCursor {
        epoch: Some(EpochId::from_bytes([7; 16])),
        position: 9,
    };
    store.fold(Vec::new(), followed).await.unwrap();
    let (epoch, secret) = (store.epoch(), *store.secret().as_bytes());
    store.close().await;
    let store = place.open(policy(), shared(&clock)).await;
    assert_eq!(store.secret().as_bytes(), &secret, "{engine:?}");
    assert_ne!(store.epoch(), epoch, "{engine:?}");
    assert_eq!(store.check_epoch(&epoch, 1), Ok(()), "{engine:?}");
    assert!(store.check_epoch(&epoch, 2).is_err(), "{engine:?}");
    assert_eq!(store.cursor().await, Ok(followed), "{engine:?}");
    let declined = store.decline(member("ben"), id, DeclineReason::Spam).await;
    assert!(declined.unwrap().is_ok(), "{engine:?}");
    let kinds: Vec<_> = events(&*store)
        .await
        .iter()
        .map(|event| event.kind)
        .collect();
    let steps = [Happening::Sent, Happening::Declined].map(EventKind::Step);
    assert_eq!(kinds, steps, "{engine:?}");
    let (barred, more) = store.bars(member("ben"), None, 10).await.unwrap();
    assert_eq!((barred.len(), more), (1, false), "{engine:?}");
    assert_eq!(store.probe().await, Ok(()), "{engine:?}");
    store.close().await;
    assert!(
        store.head().await.is_err() && store.probe().await.is_err(),
        "{engine:?}"
    );
}
