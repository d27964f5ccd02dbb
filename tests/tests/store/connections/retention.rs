//! What is kept how long.

use super::feed::steps;
use super::*;
use connection_service::store::{Due, Feed};

over_every_engine! {
    facts_are_kept_seven_days,
    removal_marks_are_kept_a_day_and_bounded,
    verdicts_are_kept_thirty_days_after_their_facts_were_acknowledged,
}

async fn facts_are_kept_seven_days(engine: Engine) {
    let policy = Policy {
        job_chunk: 2,
        ..Policy::default()
    };
    let mut f = Fixture::with(engine, policy).await;
    for other in ["b", "c", "d"] {
        f.connect("a", other).await;
    }
    f.clock.advance(Span::days(1));
    f.connect("a", "e").await;
    f.clock.advance(Span::days(6).minus_one());
    f.round().await;
    assert!(matches!(
        f.store.feed(0, 9).await.unwrap(),
        Feed::Entries { .. }
    ));
    f.tick(1);
    f.round().await;
    f.check().await;
    assert_eq!(f.store.feed_state().await.unwrap().pruned, 3);
    assert_eq!(f.store.feed(2, 9).await.unwrap(), Feed::TooOld);
    assert!(matches!(
        f.store.feed(3, 9).await.unwrap(),
        Feed::Entries { .. }
    ));
    assert_eq!(steps(&f, "a", 2).await, None);
    assert_eq!(steps(&f, "a", 3).await.unwrap(), ["+e"]);
    assert_eq!(f.connections("a").await.len(), 4, "connections stay");
    // An erasure finds only what is left of its chain.
    f.store.erase_member(id("b")).await.unwrap();
    f.store.acknowledge(5).await.unwrap();
    f.round().await;
    f.round().await;
    assert_eq!(f.is_named("b").await, [""; 0]);
    f.clock.advance(Span::days(7));
    f.restart().await;
    f.round().await;
    let state = f.store.feed_state().await.unwrap();
    assert_eq!(state.head, state.pruned);
    f.check().await;
    assert_eq!(f.connect("a", "x").await, state.head + 1, "positions go on");
    f.check().await;
}

async fn removal_marks_are_kept_a_day_and_bounded(engine: Engine) {
    let policy = Policy {
        removal_marks_max: 3,
        job_chunk: 2,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    for other in ["b", "c", "d", "e"] {
        f.remove("a", other).await.unwrap();
        f.tick(1);
    }
    f.check().await;
    // The oldest went; the others still stand.
    assert!(matches!(
        f.ensure_at(1, 1, "b", "a", START).await.verdict,
        Verdict::Created { .. }
    ));
    assert_eq!(
        f.ensure_at(2, 1, "c", "a", START).await.verdict,
        Verdict::Removed
    );
    // Renewing one's own mark takes no further place.
    f.remove("a", "c").await.unwrap();
    f.check().await;
    assert_eq!(
        f.ensure_at(3, 1, "d", "a", START).await.verdict,
        Verdict::Removed
    );
    assert_eq!(f.store.due().await.unwrap(), Due::default());
    f.clock.advance(Span::hours(24));
    f.round().await;
    f.check().await;
    assert_eq!(f.number("select count(*) from removal_mark").await, 0);
    assert_eq!(f.store.due().await.unwrap(), Due::default());
}

async fn verdicts_are_kept_thirty_days_after_their_facts_were_acknowledged(engine: Engine) {
    let policy = Policy {
        job_chunk: 2,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    for n in 0..3 {
        f.ensure(n, 1, "a", &format!("b{n}")).await;
    }
    let verdicts = async || f.number("select count(*) from verdict").await;
    f.clock.advance(Span::days(40));
    f.round().await;
    assert_eq!(verdicts().await, 3, "not acknowledged");
    f.store.acknowledge(2).await.unwrap();
    f.clock.advance(Span::days(30).minus_one());
    f.round().await;
    assert_eq!(verdicts().await, 3, "not long enough ago");
    f.tick(1);
    f.round().await;
    assert_eq!(verdicts().await, 1, "the last one's facts were not");
    f.store.acknowledge(3).await.unwrap();
    f.clock.advance(Span::days(30));
    f.round().await;
    assert_eq!(verdicts().await, 0);
    assert_eq!(f.store.due().await.unwrap(), Due::default());
}

trait MinusOne {
    fn minus_one(self) -> Self;
}

impl MinusOne for Span {
    fn minus_one(self) -> Self {
        Self::millis(self.as_millis() - 1)
    }
}
