//! Tests of the writer over a store in memory. Where commands must wait together, the first of them holds the writer until told.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc as std_mpsc;

use futures::future::{FutureExt as _, join_all};

use super::*;
use crate::metrics::store::StoreMetrics;

fn metrics() -> WriterMetrics {
    StoreMetrics::default().writer
}

/// What the engine has done, seen from outside.
#[derive(Default, Debug, Clone, PartialEq)]
struct Log {
    stored: Vec<u32>,
    /// How many values each commit added.
    commits: Vec<usize>,
    rollbacks: u32,
    committed_calls: u32,
    dropped: bool,
}

type Shared = Arc<Mutex<Log>>;

#[derive(Default)]
struct Memory {
    log: Shared,
    work: Vec<u32>,
    fail_commit: bool,
    /// Values with which nothing is stored.
    stubborn: Vec<u32>,
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.log.lock().unwrap().dropped = true;
    }
}

impl Engine for Memory {
    type Work = Vec<u32>;

    fn transaction(
        &mut self,
        _: usize,
        body: &mut dyn FnMut(&mut Vec<u32>) -> Result<(), StoreError>,
    ) -> Result<(), Undone> {
        let mut work = self.work.clone();
        let outcome = body(&mut work).map_err(Undone::Body);
        let mut log = self.log.lock().unwrap();
        if self.stubborn.iter().any(|value| work.contains(value)) {
            log.rollbacks += 1;
            return Err(Undone::Rows(StoreError::unavailable("in the way")));
        }
        if outcome.is_ok() && !self.fail_commit {
            log.commits.push(work.len() - self.work.len());
            log.stored.clone_from(&work);
            self.work = work;
            return Ok(());
        }
        log.rollbacks += 1;
        outcome.and(Err(Undone::Engine(StoreError::unavailable("disk full"))))
    }

    fn committed(&mut self) {
        self.log.lock().unwrap().committed_calls += 1;
    }
}

fn add(n: u32) -> impl FnMut(&mut Vec<u32>) -> Result<usize, StoreError> + Send {
    move |work| {
        work.push(n);
        Ok(work.len())
    }
}

fn refuse(work: &mut Vec<u32>) -> Result<usize, StoreError> {
    work.push(999);
    Err(StoreError::internal("cannot be applied"))
}

fn burst(work: &mut Vec<u32>) -> Result<usize, StoreError> {
    work.push(999);
    panic!("a mistake in a command");
}

struct Fixture {
    store: GroupCommit<Memory>,
    log: Shared,
}

impl Fixture {
    fn new(queue: usize, batch: usize) -> Self {
        Self::over(Memory::default(), queue, batch)
    }

    fn over(engine: Memory, queue: usize, batch: usize) -> Self {
        let log = engine.log.clone();
        let options = GroupCommitOptions {
            queue_commands_max: queue,
            batch_commands_max: batch,
        };
        Self {
            store: GroupCommit::spawn(engine, "test-writer", options, metrics()).unwrap(),
            log,
        }
    }

    /// Holds the writer inside a command until the returned sender is used or dropped.
    async fn hold(&self) -> std_mpsc::Sender<()> {
        let (release, held) = std_mpsc::channel::<()>();
        let (begun, running) = oneshot::channel();
        let mut begun = Some(begun);
        let command = self.store.submit(move |_| {
            if let Some(begun) = begun.take() {
                begun.send(()).unwrap();
            }
            let _ = held.recv();
            Ok(())
        });
        // Its answer is of no interest; to be queued it must be polled once.
        assert!(command.now_or_never().is_none());
        running.await.unwrap();
        release
    }

    fn log(&self) -> Log {
        self.log.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn those_who_wait_share_one_commit_and_see_each_other() {
    let fixture = Fixture::new(64, 8);
    let release = fixture.hold().await;
    let mut waiting = join_all((1..=10).map(|n| fixture.store.submit(add(n))));
    assert!((&mut waiting).now_or_never().is_none());
    assert!(fixture.log().stored.is_empty());
    drop(release);
    let lengths: Vec<_> = waiting.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(lengths, (1..=10).collect::<Vec<_>>());
    let log = fixture.log();
    assert_eq!(log.stored, (1..=10).collect::<Vec<_>>());
    assert_eq!(log.commits, [0, 8, 2], "not more than a batch at a time");
    assert_eq!((log.committed_calls, log.rollbacks), (3, 0));
}

#[tokio::test]
async fn long_work_has_its_turn_after_all_others_and_is_told_how_many_they_are() {
    let fixture = Fixture::new(64, 8);
    let release = fixture.hold().await;
    let long = |n| {
        fixture
            .store
            .submit_last(move |work: &mut Vec<u32>, others| {
                work.push(n);
                Ok(others)
            })
    };
    let mut waiting = join_all([
        long(100).boxed(),
        fixture.store.submit(add(1)).boxed(),
        fixture.store.submit(add(2)).boxed(),
        long(101).boxed(),
        fixture.store.submit(add(3)).boxed(),
    ]);
    assert!((&mut waiting).now_or_never().is_none());
    drop(release);
    let answers: Vec<_> = waiting.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(answers, [3, 1, 2, 3, 3]);
    let log = fixture.log();
    assert_eq!(log.stored, [1, 2, 3, 100, 101]);
    assert_eq!(log.commits, [0, 5], "in the same commit");
    assert_eq!(long(102).await, Ok(0), "alone");
}

#[tokio::test]
async fn what_cannot_be_applied_fails_alone() {
    let fixture = Fixture::new(64, 64);
    let release = fixture.hold().await;
    let mut waiting = join_all([
        fixture.store.submit(add(1)).boxed(),
        fixture.store.submit(refuse).boxed(),
        fixture.store.submit(add(2)).boxed(),
        fixture.store.submit(burst).boxed(),
        fixture.store.submit(add(3)).boxed(),
    ]);
    assert!((&mut waiting).now_or_never().is_none());
    drop(release);
    let answers = waiting.await;
    assert_eq!(answers[1], Err(StoreError::internal("cannot be applied")));
    assert_eq!(answers[3], Err(StoreError::internal("a command panicked")));
    assert_eq!(
        [&answers[0], &answers[2], &answers[4]],
        [&Ok(1), &Ok(2), &Ok(3)]
    );
    let log = fixture.log();
    assert_eq!(log.stored, [1, 2, 3]);
    assert_eq!((log.commits, log.rollbacks), (vec![0, 1, 1, 1], 4));
    assert_eq!(
        fixture.store.submit(add(4)).await,
        Ok(4),
        "the writer goes on"
    );
}

#[tokio::test]
async fn those_before_and_after_one_that_fails_share_their_commits() {
    let fixture = Fixture::new(64, 64);
    let release = fixture.hold().await;
    let mut waiting = join_all([
        fixture.store.submit(add(1)).boxed(),
        fixture.store.submit(add(2)).boxed(),
        fixture.store.submit(refuse).boxed(),
        fixture.store.submit(add(3)).boxed(),
        fixture.store.submit(add(4)).boxed(),
    ]);
    assert!((&mut waiting).now_or_never().is_none());
    drop(release);
    let answers = waiting.await;
    assert!(answers[2].is_err());
    let log = fixture.log();
    assert_eq!(log.stored, [1, 2, 3, 4]);
    assert_eq!((log.commits, log.rollbacks), (vec![0, 2, 2], 2));
}

#[tokio::test]
async fn a_failing_commit_is_everyones_and_is_not_repeated() {
    let mut engine = Memory::default();
    engine.fail_commit = true;
    let fixture = Fixture::over(engine, 64, 64);
    let release = fixture.hold().await;
    let runs = Arc::new(AtomicU32::new(0));
    let mut waiting = join_all((0..3).map(|_| {
        let runs = runs.clone();
        fixture
            .store
            .submit(move |_| Ok(runs.fetch_add(1, Ordering::SeqCst)))
    }));
    assert!((&mut waiting).now_or_never().is_none());
    drop(release);
    for answer in waiting.await {
        assert_eq!(answer, Err(StoreError::unavailable("disk full")));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    assert_eq!(
        (fixture.log().rollbacks, fixture.log().committed_calls),
        (2, 0)
    );
}

#[tokio::test]
async fn what_is_in_the_way_of_one_is_in_nobody_elses() {
    let mut engine = Memory::default();
    engine.stubborn = vec![3, 11];
    let fixture = Fixture::over(engine, 64, 64);
    let release = fixture.hold().await;
    let mut waiting = join_all((1..=16).map(|n| fixture.store.submit(add(n))));
    assert!((&mut waiting).now_or_never().is_none());
    drop(release);
    for (n, answer) in (1..).zip(waiting.await) {
        if [3, 11].contains(&n) {
            assert_eq!(answer, Err(StoreError::unavailable("in the way")), "{n}");
        } else {
            assert!(answer.is_ok(), "{n}: {answer:?}");
        }
    }
    let log = fixture.log();
    let others: Vec<_> = (1..=16).filter(|n| ![3, 11].contains(n)).collect();
    assert_eq!(log.stored, others, "in their order");
    assert_eq!(log.commits, [0, 2, 1, 4, 2, 1, 4]);
    // Of 16, 8, 4, 2 and 1, each on the way to either.
    assert_eq!(log.rollbacks, 9);
}

#[test]
fn halving_has_an_end() {
    for (halved_max, stored) in [
        (Duration::from_hours(1), vec![2, 3, 4]),
        (Duration::ZERO, vec![]),
    ] {
        let mut engine = Memory::default();
        engine.stubborn = vec![1];
        let log = engine.log.clone();
        let batch = (1..=4).map(|n| {
            let mut body = add(n);
            let pending = Pending {
                body: move |work: &mut Vec<u32>, _| body(work),
                turn: Turn::Usual,
                value: None,
                answer: oneshot::channel().0,
                submitted: Instant::now(),
            };
            Box::new(pending) as Box<dyn Command<Vec<u32>>>
        });
        let answered = run_batch(&mut engine, batch.collect(), halved_max, &metrics());
        assert_eq!(answered.len(), 4);
        assert_eq!(log.lock().unwrap().stored, stored);
    }
}

#[tokio::test]
async fn a_full_queue_is_said_at_once_and_a_caller_that_leaves_changes_nothing() {
    let fixture = Fixture::new(2, 64);
    let release = fixture.hold().await;
    // Queued, and its caller gone.
    assert!(fixture.store.submit(add(1)).now_or_never().is_none());
    let mut second = Box::pin(fixture.store.submit(add(2)));
    assert!((&mut second).now_or_never().is_none());
    let third = fixture.store.submit(add(3)).now_or_never();
    assert_eq!(third, Some(Err(StoreError::Overloaded)));
    drop(release);
    assert_eq!(second.await, Ok(2));
    assert_eq!(fixture.log().stored, [1, 2]);
}

#[tokio::test]
async fn closing_finishes_what_waits_and_refuses_what_comes() {
    let fixture = Fixture::new(64, 2);
    let other = fixture.store.clone();
    let release = fixture.hold().await;
    let mut waiting = join_all((1..=5).map(|n| other.submit(add(n))));
    assert!((&mut waiting).now_or_never().is_none());
    let mut closing = Box::pin(fixture.store.clone().close());
    assert!((&mut closing).now_or_never().is_none());
    drop(release);
    closing.await;
    let log = fixture.log();
    assert!(log.dropped, "the engine is gone");
    assert_eq!(log.stored, [1, 2, 3, 4, 5]);
    assert!(waiting.await.iter().all(Result::is_ok));
    assert!(matches!(
        other.submit(add(6)).await,
        Err(StoreError::Unavailable(_))
    ));
    other.closed().await;
    other.close().await;
}

#[tokio::test]
async fn dropping_the_last_handle_ends_the_writer_after_the_queue() {
    let Fixture { store, log } = Fixture::new(64, 64);
    let Writer::Thread { ended, .. } = &store.writer else {
        unreachable!()
    };
    let mut ended = ended.clone();
    assert!(store.submit(add(1)).now_or_never().is_none() || log.lock().unwrap().stored == [1]);
    drop(store);
    assert!(ended.changed().await.is_err());
    let log = log.lock().unwrap();
    assert_eq!((log.stored.as_slice(), log.dropped), ([1].as_slice(), true));
}

#[tokio::test]
async fn an_engine_that_dies_is_noticed() {
    struct Dying;
    impl Engine for Dying {
        type Work = ();
        fn transaction(
            &mut self,
            _: usize,
            _: &mut dyn FnMut(&mut ()) -> Result<(), StoreError>,
        ) -> Result<(), Undone> {
            panic!("a mistake in an engine");
        }
    }
    let store = GroupCommit::spawn(
        Dying,
        "test-dying",
        GroupCommitOptions::default(),
        metrics(),
    )
    .unwrap();
    assert!(matches!(
        store.submit(|()| Ok(())).await,
        Err(StoreError::Internal(_))
    ));
    store.closed().await;
    assert!(matches!(
        store.submit(|()| Ok(())).await,
        Err(StoreError::Unavailable(_))
    ));
    store.close().await;
}

#[test]
fn inline_commits_at_once_on_the_callers_task() {
    let engine = Memory::default();
    let log = engine.log.clone();
    let store = GroupCommit::inline(engine, metrics());
    let other = store.clone();
    assert_eq!(store.submit(add(7)).now_or_never(), Some(Ok(1)));
    assert_eq!(
        other.submit(burst).now_or_never(),
        Some(Err(StoreError::internal("a command panicked")))
    );
    assert!(matches!(
        other.submit(refuse).now_or_never(),
        Some(Err(StoreError::Internal(_)))
    ));
    assert_eq!(log.lock().unwrap().stored, [7]);
    assert_eq!(log.lock().unwrap().committed_calls, 1);
    store.close().now_or_never().unwrap();
    assert!(log.lock().unwrap().dropped);
    assert!(matches!(
        other.submit(add(8)).now_or_never(),
        Some(Err(StoreError::Unavailable(_)))
    ));
}
