//! Random commands: everything agrees with the pairs at every moment, and a watch that is interrupted anywhere folds to the list.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt as _;
use proptest::prelude::*;
use service_kit::environment::Executor;
use service_kit::epoch::EpochId;
use service_kit::watch::WatchOptions;
use tokio_util::sync::CancellationToken;

use super::*;
use connection_service::domain::list_change::Place;
use connection_service::graph::{GraphOptions, Memory};
use connection_service::usecase::Context;
use connection_service::usecase::import_connections::ImportOptions;
use connection_service::usecase::watch_connections::{self, Content, Scope};

over_every_engine! {
    any_sequence_agrees_with_itself,
}

#[derive(Clone, Debug)]
enum Command {
    Ensure(usize, usize),
    /// Several pairs, some of them twice, at the present moment.
    Import(Vec<(usize, usize)>),
    Remove(usize, usize),
    Block(usize, usize),
    Unblock(usize, usize),
    Erase(usize),
    Tick,
    /// The watch of the first member reads and is cut after some changes.
    Watch(usize),
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn command() -> impl Strategy<Value = Command> {
    // Mostly of the first member, whose list is watched.
    let pair = || {
        let member = prop_oneof![3 => Just(0), 1 => 0..NAMES.len()];
        (member, 1..NAMES.len(), any::<bool>()).prop_map(|(a, distance, turned)| {
            let b = (a + distance) % NAMES.len();
            if turned { (b, a) } else { (a, b) }
        })
    };
    prop_oneof![
        8 => pair().prop_map(|(a, b)| Command::Ensure(a, b)),
        2 => prop::collection::vec(pair(), 0..6).prop_map(Command::Import),
        5 => pair().prop_map(|(a, b)| Command::Remove(a, b)),
        2 => pair().prop_map(|(a, b)| Command::Block(a, b)),
        2 => pair().prop_map(|(a, b)| Command::Unblock(a, b)),
        // The last alone, so that something stays.
        1 => Just(Command::Erase(NAMES.len() - 1)),
        6 => Just(Command::Tick),
        4 => (0_usize..3).prop_map(Command::Watch),
    ]
}

/// A consumer that keeps the list as it is told, and where it was.
struct Consumer {
    context: Context,
    list: BTreeMap<String, Time>,
    resume: Option<(EpochId, Place)>,
}

impl Consumer {
    fn new(f: &Fixture) -> Self {
        let watches = WatchOptions {
            // The end of what there is to show.
            heartbeat: Duration::from_millis(1),
            ..WatchOptions::default()
        };
        let incarnation = f.epoch();
        let memory = Memory::new(GraphOptions::default(), Executor::Inline);
        Self {
            context: Context::new(
                f.store.clone(),
                memory,
                f.policy,
                watches,
                ImportOptions::default(),
                Executor::Inline,
                CancellationToken::new(),
            ),
            list: BTreeMap::new(),
            resume: Some((incarnation, Place::at(0))),
        }
    }

    /// Takes up to `takes` changes of a watch that resumes where the last one broke off, or all there are.
    async fn watch(&mut self, takes: usize) {
        let scope = Scope::Member(id("a"));
        let watch = watch_connections::run(&self.context, scope, self.resume).await;
        let mut watch = watch.unwrap();
        assert_eq!(
            watch.next().await.unwrap().unwrap().content,
            Content::Heartbeat
        );
        for _ in 0..takes {
            let message = watch.next().await.unwrap().unwrap();
            self.resume = self
                .resume
                .map(|(incarnation, _)| (incarnation, message.place));
            let Content::Member(change) = message.content else {
                break;
            };
            let other = change.other.to_string();
            let before = match change.connected {
                Some(since) => self.list.insert(other, since),
                None => self.list.remove(&other),
            };
            assert_ne!(
                before, change.connected,
                "told of twice, or gone but never told of"
            );
        }
    }
}

async fn play(engine: Engine, commands: Vec<Command>) {
    let policy = Policy {
        job_chunk: 1,
        removal_marks_max: 2,
        connections_max: 4,
        ..Policy::default()
    };
    let f = Fixture::with(engine, policy).await;
    let mut consumer = Consumer::new(&f);
    for (n, command) in commands.into_iter().enumerate() {
        match command {
            Command::Ensure(a, b) => {
                // Two connections of a pair are told apart by their times. A removal stands against acceptances of its own
                // millisecond only as long as its mark is kept, and here there is room for two.
                f.tick(1);
                let _ = f.ensure(n as u128, 1, NAMES[a], NAMES[b]).await;
            }
            Command::Import(pairs) => {
                f.tick(1);
                let pairs: Vec<_> = pairs.iter().map(|(a, b)| (NAMES[*a], NAMES[*b])).collect();
                drop(f.import(&pairs).await);
            }
            Command::Remove(a, b) => drop(f.remove(NAMES[a], NAMES[b]).await),
            Command::Block(a, b) => drop(f.block(NAMES[a], NAMES[b]).await),
            Command::Unblock(a, b) => drop(f.unblock(NAMES[a], NAMES[b]).await),
            Command::Erase(a) => drop(f.store.erase_member(id(NAMES[a])).await.unwrap()),
            Command::Tick => {
                f.tick(1);
                f.round().await;
            }
            Command::Watch(takes) => consumer.watch(takes).await,
        }
        f.check().await;
    }
    f.round().await;
    consumer.watch(usize::MAX).await;
    let page = f.store.connections(id("a"), ListRequest::newest(100)).await;
    let lines = page.unwrap().lines;
    let list: BTreeMap<_, _> = lines
        .into_iter()
        .map(|line| (line.other.to_string(), line.connect_time))
        .collect();
    assert_eq!(consumer.list, list);
}

async fn any_sequence_agrees_with_itself(engine: Engine) {
    let sequence = prop::collection::vec(command(), 1..80);
    sequences::run(engine.of(128, 8), sequence, move |commands| {
        play(engine, commands)
    })
    .await;
}
