//! Building from a store that changes meanwhile, following it, giving up, and building anew.

use std::collections::BTreeSet;
use std::sync::Arc;

use service_kit::clock::ManualClock;
use service_kit::environment::{Environment, Executor};
use service_kit::group_commit::GroupCommitOptions;
use service_kit::id::{MemberId, PairKey};
use service_kit::metrics::work::WorkMetrics;
use service_kit::sqlite::{SqliteOptions, Synchronous};
use service_kit::time::{Span, Time};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::*;
use crate::domain::ensure::Acceptance;
use crate::domain::policy::Policy;
use crate::graph::GraphOptions;
use crate::store::Act;
use crate::store::sqlite::SqliteStore;
use crate::worker;

const OPTIONS: GraphOptions = GraphOptions {
    memory_mebibytes_max: 64,
    views_mebibytes_max: 1,
    wait: Duration::from_secs(10),
    searches_max: 2,
    store_rows_max: 0,
};

struct Fixture {
    _folder: TempDir,
    clock: ManualClock,
    store: Arc<SqliteStore>,
}

fn id(n: u32) -> MemberId {
    MemberId::parse(&format!("m{n}")).unwrap()
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new(Time::from_millis(1_000));
        let mut options = SqliteOptions::new(folder.path().join("connections.db"));
        options.synchronous = Synchronous::Normal;
        let policy = Policy {
            job_chunk: 1_000,
            ..Policy::default()
        };
        let environment = Environment::system(Arc::new(clock.clone()));
        let store = SqliteStore::open(options, GroupCommitOptions::default(), policy, environment);
        Self {
            _folder: folder,
            clock,
            store: Arc::new(store.unwrap()),
        }
    }

    async fn connect(&self, a: u32, b: u32) {
        let key = PairKey::new(&id(a), &id(b)).unwrap();
        let acceptance = Acceptance {
            invitation: Uuid::from_u64_pair(a.into(), b.into()),
            number: 1,
            accept_time: Time::from_millis(1_000),
            acceptor: key.side_of(&id(a)).unwrap(),
        };
        self.store.ensure_connection(key, acceptance).await.unwrap();
    }

    /// Connects many at a time, so that they share commits.
    async fn connect_all(&self, pairs: impl IntoIterator<Item = (u32, u32)>) {
        let pairs: Vec<_> = pairs.into_iter().collect();
        for together in pairs.chunks(500) {
            let all = together.iter().map(|(a, b)| self.connect(*a, *b));
            futures::future::join_all(all).await;
        }
    }

    async fn remove(&self, a: u32, b: u32) {
        let act = Act::new(&id(a), &id(b)).unwrap();
        self.store
            .remove_connection(act, None)
            .await
            .unwrap()
            .unwrap();
    }

    async fn block(&self, a: u32, b: u32) {
        let act = Act::new(&id(a), &id(b)).unwrap();
        self.store.block_member(act).await.unwrap().unwrap();
    }

    /// Erases, and blanks what names the member.
    async fn erase(&self, a: u32) {
        self.store.erase_member(id(a)).await.unwrap();
        let head = self.store.feed_state().await.unwrap().head;
        self.store.acknowledge(head).await.unwrap();
        for _ in 0..4 {
            worker::round(&*self.store, &WorkMetrics::default())
                .await
                .unwrap();
        }
        assert_eq!(
            self.store.erase_member(id(a)).await.unwrap(),
            crate::store::Erased::Complete
        );
    }

    fn follow(&self, options: GraphOptions) -> Followed {
        let memory = Memory::new(options, Executor::Threads);
        let stop = CancellationToken::new();
        let task = tokio::spawn({
            let (store, memory, stop) = (self.store.clone(), memory.clone(), stop.clone());
            async move { run(store, memory, &stop).await }
        });
        Followed {
            head: self.store.hub().head(),
            memory,
            stop,
            task,
        }
    }

    /// What the store says of everybody's ties.
    async fn ties(&self) -> BTreeSet<(String, String, Tie)> {
        let page = self.store.all_facts(None, 1_000_000).await.unwrap();
        let pairs = page.facts.iter();
        pairs
            .flat_map(|(key, facts)| {
                let (low, high) = (key.low().to_string(), key.high().to_string());
                let tie = Tie::of(facts);
                [(low.clone(), high.clone(), tie), (high, low, tie)]
            })
            .collect()
    }
}

struct Followed {
    head: tokio::sync::watch::Receiver<u64>,
    memory: Memory,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Followed {
    /// Every tie in memory, when it knows all that was committed.
    async fn ties(&self) -> BTreeSet<(String, String, Tie)> {
        let mut state = self.memory.state();
        let head = *self.head.borrow();
        let known = |state: &State| matches!(state, State::Following(at) if *at >= head);
        tokio::time::timeout(Duration::from_secs(20), state.wait_for(known))
            .await
            .unwrap()
            .unwrap();
        let network = self.memory.read();
        let index = network.as_ref().unwrap().index();
        let mut ties = BTreeSet::new();
        for number in (0..).take(index.numbers_end()) {
            let Some(one) = index.id(number) else {
                continue;
            };
            for (others, tie) in [
                (index.connections(number), Tie::Connected),
                (index.hidden(number), Tie::Hidden),
            ] {
                let named = others
                    .iter()
                    .map(|other| index.id(*other).unwrap().to_owned());
                ties.extend(named.map(|other| (one.to_owned(), other, tie)));
            }
        }
        ties
    }

    async fn state(&self, wanted: State) {
        let mut state = self.memory.state();
        let reached = state.wait_for(|state| *state == wanted);
        tokio::time::timeout(Duration::from_secs(20), reached)
            .await
            .unwrap()
            .unwrap();
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }
}

#[tokio::test]
async fn what_is_built_and_followed_is_what_the_store_has() {
    let f = Fixture::new();
    f.connect_all((0..60).flat_map(|a| (1..20).map(move |d| (a, a + d))))
        .await;
    f.block(0, 1).await;
    f.block(2, 70).await;
    let followed = f.follow(OPTIONS);
    assert_eq!(followed.ties().await, f.ties().await);
    f.remove(5, 6).await;
    f.block(6, 7).await;
    f.connect(500, 501).await;
    f.erase(10).await;
    assert_eq!(followed.ties().await, f.ties().await);
    assert!(followed.ties().await.iter().all(|(one, _, _)| one != "m10"));
    followed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_while_it_is_built_is_not_missed() {
    let f = Fixture::new();
    f.connect_all((0..400).flat_map(|a| (1..16).map(move |d| (a, a + d))))
        .await;
    let followed = f.follow(OPTIONS);
    // Wherever the listing is, something changes before and behind it.
    for round in 0..100 {
        let a = round * 4;
        f.remove(a, a + 1).await;
        f.connect(10_000 + a, 400 - a.min(400)).await;
        f.block(a + 2, a + 3).await;
        if round % 20 == 0 {
            f.erase(a + 15).await;
        }
    }
    assert_eq!(followed.ties().await, f.ties().await);
    followed.end().await;
}

#[tokio::test]
async fn an_index_that_would_take_too_much_is_given_up_and_stays_so() {
    let f = Fixture::new();
    f.connect_all((0..10).map(|a| (a, a + 1))).await;
    let small = GraphOptions {
        memory_mebibytes_max: 1,
        ..OPTIONS
    };
    let followed = f.follow(small);
    followed.ties().await;
    // A mebibyte is enough for some ten thousand members with one connection each.
    f.connect_all((0..12_000).map(|a| (a * 2 + 100, a * 2 + 101)))
        .await;
    followed.state(State::GivenUp).await;
    assert!(followed.memory.read().is_none(), "its memory is free again");
    followed.task.await.unwrap();
    // And at the start.
    let followed = f.follow(small);
    followed.state(State::GivenUp).await;
    let answer = followed.memory.ask(0, |_, _| Some(())).await;
    assert_eq!(answer, None);
    followed.task.await.unwrap();
}

#[tokio::test]
async fn without_memory_there_is_none_from_the_start() {
    let f = Fixture::new();
    let followed = f.follow(GraphOptions {
        memory_mebibytes_max: 0,
        ..OPTIONS
    });
    followed.state(State::GivenUp).await;
    followed.task.await.unwrap();
}

#[tokio::test]
async fn what_the_feed_has_lost_is_built_anew() {
    let f = Fixture::new();
    f.connect_all((0..50).map(|a| (a, a + 1))).await;
    let follower = Follower {
        store: f.store.clone(),
        memory: Memory::new(OPTIONS, Executor::Threads),
    };
    let epoch = f.store.epoch();
    let (network, position) = follower.build().await.unwrap();
    *follower.memory.write() = Some(network);
    // Erased and blanked before it was followed: who it was cannot be known any more.
    f.erase(7).await;
    assert!(matches!(
        follower.follow(epoch, position).await,
        Err(End::Lost)
    ));
    let (_, position) = follower.build().await.unwrap();
    f.connect(100, 101).await;
    f.clock.advance(Span::days(8));
    worker::round(&*f.store, &WorkMetrics::default())
        .await
        .unwrap();
    assert!(matches!(
        follower.follow(epoch, position).await,
        Err(End::Lost)
    ));
}

#[tokio::test]
async fn of_a_history_that_has_gone_the_index_is_built_anew() {
    let f = Fixture::new();
    f.connect(1, 2).await;
    let follower = Follower {
        store: f.store.clone(),
        memory: Memory::new(OPTIONS, Executor::Threads),
    };
    let (network, position) = follower.build().await.unwrap();
    *follower.memory.write() = Some(network);
    let gone = EpochId::from_bytes([7; 16]);
    assert!(matches!(
        follower.follow(gone, position).await,
        Err(End::Lost)
    ));
}

#[tokio::test(start_paused = true)]
async fn whoever_fails_again_and_again_is_given_longer_and_longer_pauses() {
    let f = Fixture::new();
    let follower = Follower {
        store: f.store.clone(),
        memory: Memory::new(OPTIONS, Executor::Inline),
    };
    // How long each attempt holds, and how it ends.
    let held = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 90, 0].map(Duration::from_secs);
    let attempts = std::cell::Cell::new(0);
    let (pauses, last) = (
        std::cell::RefCell::new(Vec::new()),
        std::cell::Cell::new(None),
    );
    let attempt = || async {
        let nth = attempts.replace(attempts.get() + 1);
        let since = last.get().map(|last: Instant| last.elapsed().as_millis());
        pauses.borrow_mut().extend(since);
        *follower.memory.write() = Some(Network::new(0));
        let Some(held) = held.get(nth) else {
            return End::TooLarge;
        };
        sleep(*held).await;
        last.set(Some(Instant::now()));
        if nth.is_multiple_of(2) {
            End::Panicked
        } else {
            End::Lost
        }
    };
    follower.again_and_again(attempt).await;
    let grown = [
        100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 60_000, 60_000,
    ];
    // One that has held for long begins anew.
    let expected: Vec<_> = grown.into_iter().chain([100, 200]).collect();
    assert_eq!(pauses.into_inner(), expected);
    assert_eq!(*follower.memory.state().borrow(), State::GivenUp);
    assert!(follower.memory.read().is_none(), "its memory is free again");
}

#[tokio::test]
async fn an_answer_waits_for_what_was_committed_before_it_but_not_for_ever() {
    let f = Fixture::new();
    let followed = f.follow(OPTIONS);
    followed.state(State::Following(0)).await;
    f.connect(1, 2).await;
    let head = *followed.head.borrow();
    let (one, other) = (id(1), id(2));
    let answer = followed.memory.ask(head, move |network, steps| {
        network.between(&one, std::slice::from_ref(&other), false, steps)
    });
    let found = answer.await.unwrap();
    assert_eq!(found[0].degree, crate::domain::network::Degree::First);
    followed.end().await;
    // Nobody follows any more.
    let impatient = Memory::new(
        GraphOptions {
            wait: Duration::from_millis(1),
            ..OPTIONS
        },
        Executor::Threads,
    );
    *impatient.write() = Some(Network::new(0));
    impatient.tell(State::Following(5));
    assert_eq!(impatient.ask(5, |_, _| Some(1)).await, Some(1));
    assert_eq!(impatient.ask(6, |_, _| Some(1)).await, None);
}
