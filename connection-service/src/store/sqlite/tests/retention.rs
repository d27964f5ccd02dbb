//! What is kept how long.

use super::feed::steps;
use super::*;
use crate::store::{Due, Feed};

#[tokio::test]
async fn facts_are_kept_seven_days() {
    let policy = Policy {
        job_chunk: 2,
        ..Policy::default()
    };
    let mut f = Fixture::with(policy);
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
    f.check();
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
    assert_eq!(is_named(&f.file(), "b"), [""; 0]);
    f.clock.advance(Span::days(7));
    f.restart().await;
    f.round().await;
    let state = f.store.feed_state().await.unwrap();
    assert_eq!(state.head, state.pruned);
    f.check();
    assert_eq!(f.connect("a", "x").await, state.head + 1, "positions go on");
    f.check();
}

#[tokio::test]
async fn removal_marks_are_kept_a_day_and_bounded() {
    let policy = Policy {
        removal_marks_max: 3,
        job_chunk: 2,
        ..Policy::default()
    };
    let f = Fixture::with(policy);
    for other in ["b", "c", "d", "e"] {
        f.remove("a", other).await.unwrap();
        f.tick(1);
    }
    f.check();
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
    f.check();
    assert_eq!(
        f.ensure_at(3, 1, "d", "a", START).await.verdict,
        Verdict::Removed
    );
    assert_eq!(f.store.due().await.unwrap(), Due::default());
    f.clock.advance(Span::hours(24));
    f.round().await;
    f.check();
    let marks: i64 = f
        .file()
        .query_row("select count(*) from removal_mark", [], |row| row.get(0))
        .unwrap();
    assert_eq!(marks, 0);
    assert_eq!(f.store.due().await.unwrap(), Due::default());
}

#[tokio::test]
async fn verdicts_are_kept_thirty_days_after_their_facts_were_acknowledged() {
    let policy = Policy {
        job_chunk: 2,
        ..Policy::default()
    };
    let f = Fixture::with(policy);
    for n in 0..3 {
        f.ensure(n, 1, "a", &format!("b{n}")).await;
    }
    let verdicts = || -> i64 {
        f.file()
            .query_row("select count(*) from verdict", [], |row| row.get(0))
            .unwrap()
    };
    f.clock.advance(Span::days(40));
    f.round().await;
    assert_eq!(verdicts(), 3, "not acknowledged");
    f.store.acknowledge(2).await.unwrap();
    f.clock.advance(Span::days(30).minus_one());
    f.round().await;
    assert_eq!(verdicts(), 3, "not long enough ago");
    f.tick(1);
    f.round().await;
    assert_eq!(verdicts(), 1, "the last one's facts were not");
    f.store.acknowledge(3).await.unwrap();
    f.clock.advance(Span::days(30));
    f.round().await;
    assert_eq!(verdicts(), 0);
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
