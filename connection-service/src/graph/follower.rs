//! Builds the network in memory from the store and keeps it up to date by the feed.
//!
//! Pairs are listed page by page, each page at a later position of the feed than the one before; after each the feed is followed up to that
//! page's position, so that nothing is missed wherever a pair stands in the list. A fact says all that holds of its pair, so one that the
//! page had seen already changes nothing in the end. What cannot be followed (the feed has forgotten it, or it was about somebody erased and
//! has lost its content) means building anew, and so does a panic; each time after a longer pause, until an index has held.
//!
//! Deliberately absent: the questions. While this has nothing, the store answers them.

use std::sync::Arc;
use std::time::Duration;

use service_kit::epoch::EpochId;
use service_kit::error::StoreError;
use service_kit::id::PairKey;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::Full;
use super::figures::Cause;
use super::memory::{Memory, State};
use super::network::Network;
use crate::domain::fact::{Entry, Fact, Kept, PairFacts};
use crate::domain::network::Tie;
use crate::store::{FactsPage, Feed, Store};

/// How many pairs a page of the list looks at.
const PAGE_PAIRS: u32 = 1_000;
/// How many facts are read of the feed at once.
const FACTS_AT_ONCE: u32 = 200;
/// How many facts are taken in before others have their turn.
const FACTS_AT_A_TURN: usize = 32;
/// How many ties are taken from an erased member before others have their turn.
const TIES_AT_A_TURN: usize = 100;
/// How long a store that is too busy is left alone.
const RETRY_BUSY: Duration = Duration::from_millis(200);
/// How long a store that cannot be read is left alone.
const RETRY_AWAY: Duration = Duration::from_secs(1);
/// How often it is said how far the building has come.
const TOLD_EVERY: Duration = Duration::from_secs(5);
/// How long before an index is built anew for the first time; doubles with each that does not hold.
const PAUSE_FIRST: Duration = Duration::from_millis(100);
/// The longest pause, and how long an index must have held for the next pause to be the first again.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Why following ends.
#[derive(Debug)]
enum End {
    /// What came next cannot be known any more.
    Lost,
    /// The index would take more memory than it may.
    TooLarge,
    /// A panic, which the process's hook has logged.
    Panicked,
}

impl From<Full> for End {
    fn from(_: Full) -> Self {
        Self::TooLarge
    }
}

/// Keeps `memory` up to date until `stop` is cancelled.
pub async fn run(store: Arc<dyn Store>, memory: Memory, stop: &CancellationToken) {
    let follower = Follower { store, memory };
    // Cut between two pages or facts: what is in memory ends with the process.
    let _ = stop.run_until_cancelled(follower.run()).await;
}

#[derive(Clone)]
struct Follower {
    store: Arc<dyn Store>,
    memory: Memory,
}

/// How long to wait before an index is built anew.
struct Pauses {
    next: Duration,
}

impl Pauses {
    const fn new() -> Self {
        Self { next: PAUSE_FIRST }
    }

    /// The pause after an index, with its building, has held for so long.
    fn after(&mut self, held: Duration) -> Duration {
        if held >= PAUSE_MAX {
            self.next = PAUSE_FIRST;
        }
        let pause = self.next;
        self.next = (pause * 2).min(PAUSE_MAX);
        pause
    }
}

impl Follower {
    async fn run(&self) {
        if self.memory.options().memory_mebibytes_max == 0 {
            tracing::info!("there is no index of connections, as is configured: the store answers");
            self.memory.tell(State::GivenUp);
            return;
        }
        self.again_and_again(|| self.attempt()).await;
    }

    /// Builds and follows until there will be no index any more.
    async fn again_and_again<A>(&self, attempt: impl Fn() -> A)
    where
        A: Future<Output = End>,
    {
        let (mut pauses, mut cause) = (Pauses::new(), Cause::Start);
        loop {
            self.memory.count_build(cause);
            let begun = Instant::now();
            let end = attempt().await;
            self.memory.tell(State::Building);
            let taken = self.memory.write().take();
            // To free a large one takes a while.
            let _ = self.memory.run(move || drop(taken)).await;
            let pause = pauses.after(begun.elapsed());
            let pause_millis = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            cause = match end {
                End::Lost => {
                    tracing::warn!(
                        pause_millis,
                        "the index of connections is built anew: what came next in the feed is not kept any more"
                    );
                    Cause::Lost
                }
                End::Panicked => {
                    tracing::error!(
                        pause_millis,
                        "the index of connections is built anew: whatever kept it has panicked"
                    );
                    Cause::Panicked
                }
                End::TooLarge => {
                    tracing::warn!(
                        max_mebibytes = self.memory.options().memory_mebibytes_max,
                        "the index of connections is given up: it takes more memory than graph.memory_mebibytes_max; until the next start the store \
                         answers, slower and not at all where it would have to read too much"
                    );
                    self.memory.tell(State::GivenUp);
                    return;
                }
            };
            sleep(pause).await;
        }
    }

    /// One index, from its building to its end; on a task of its own, so that a panic is an end as any.
    async fn attempt(&self) -> End {
        let follower = self.clone();
        let task = tokio::spawn(async move { follower.build_and_follow().await });
        match AbortOnDropHandle::new(task).await {
            Ok(Err(end)) => end,
            Err(_) => End::Panicked,
        }
    }

    async fn build_and_follow(&self) -> Result<std::convert::Infallible, End> {
        let epoch = self.store.epoch();
        let (network, position) = self.build().await?;
        *self.memory.write() = Some(network);
        self.memory.tell(State::Following(position));
        self.follow(epoch, position).await
    }

    async fn build(&self) -> Result<(Network, u64), End> {
        let begun = Instant::now();
        let mut told = begun;
        let mut network = Network::new(self.memory.options().views_bytes_max());
        let (mut position, mut after, mut pairs) = (None, None, 0_u64);
        loop {
            let page = self.page(after.clone()).await;
            // What the first page says is how things were at its position; from there on the feed is followed.
            let mut followed = *position.get_or_insert(page.position);
            pairs += u64::try_from(page.facts.len()).unwrap_or_default();
            let facts = page.facts;
            let add = move || {
                let added = take_in(&mut network, &facts);
                (added, network)
            };
            let (added, built) = self.memory.run(add).await.ok_or(End::Panicked)?;
            added?;
            network = built;
            while followed < page.position {
                let (entries, through) = self.read_feed(followed).await?;
                for entry in &entries {
                    apply(&mut network, entry)?;
                }
                followed = through;
            }
            position = Some(followed);
            self.check_size(&network)?;
            if told.elapsed() >= TOLD_EVERY {
                told = Instant::now();
                tell_progress(&network, pairs, begun.elapsed());
            }
            after = page.next;
            if after.is_none() {
                let size = network.size();
                tracing::info!(
                    members = size.members,
                    directions = size.directions,
                    mebibytes = size.bytes >> 20,
                    millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "the index of connections is built"
                );
                return Ok((network, followed));
            }
        }
    }

    async fn page(&self, after: Option<PairKey>) -> FactsPage {
        until_answered(|| self.store.all_facts(after.clone(), PAGE_PAIRS)).await
    }

    async fn read_feed(&self, after: u64) -> Result<(Vec<Entry>, u64), End> {
        match until_answered(|| self.store.feed(after, FACTS_AT_ONCE)).await {
            Feed::Entries {
                entries, through, ..
            } => Ok((entries, through)),
            Feed::TooOld => Err(End::Lost),
        }
    }

    async fn follow(
        &self,
        epoch: EpochId,
        mut position: u64,
    ) -> Result<std::convert::Infallible, End> {
        let mut head = self.store.hub().head();
        loop {
            // A database may be put back to an earlier state while processes run on it.
            if self.store.check_epoch(&epoch, position).is_err() {
                return Err(End::Lost);
            }
            if *head.borrow_and_update() <= position {
                // A hub that is gone is one of a store that is closing: nothing comes any more.
                if head.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let (entries, through) = self.read_feed(position).await?;
            for turn in entries.chunks(FACTS_AT_A_TURN) {
                self.take_turn(turn).await?;
            }
            position = through;
            self.memory.tell(State::Following(position));
        }
    }

    /// Takes some facts in, then lets others have their turn.
    async fn take_turn(&self, entries: &[Entry]) -> Result<(), End> {
        for entry in entries {
            if let Kept::Fact(Fact::Erased(member)) = &entry.kept {
                let erase_some = || {
                    let mut network = self.memory.write();
                    network
                        .as_mut()
                        .is_some_and(|network| network.erase_some(member, TIES_AT_A_TURN))
                };
                while erase_some() {
                    tokio::task::yield_now().await;
                }
            } else if let Some(network) = self.memory.write().as_mut() {
                apply(network, entry)?;
            }
        }
        if let Some(network) = self.memory.read().as_ref() {
            self.check_size(network)?;
        }
        tokio::task::yield_now().await;
        Ok(())
    }

    fn check_size(&self, network: &Network) -> Result<(), End> {
        if network.size().bytes > self.memory.options().memory_bytes_max() {
            return Err(End::TooLarge);
        }
        Ok(())
    }
}

/// Asks a store until it answers: what is in memory stays right meanwhile, and whoever needs something newer asks the store.
async fn until_answered<T, A>(ask: impl Fn() -> A) -> T
where
    A: Future<Output = Result<T, StoreError>>,
{
    loop {
        match ask().await {
            Ok(answer) => return answer,
            Err(StoreError::Overloaded) => sleep(RETRY_BUSY).await,
            Err(error) => {
                tracing::warn!(
                    "the index of connections waits for the store, which cannot be read: {error}"
                );
                sleep(RETRY_AWAY).await;
            }
        }
    }
}

fn take_in(network: &mut Network, facts: &[(PairKey, PairFacts)]) -> Result<(), Full> {
    for (key, facts) in facts {
        network.set(key.low(), key.high(), Tie::of(facts))?;
    }
    Ok(())
}

/// Takes a fact in.
fn apply(network: &mut Network, entry: &Entry) -> Result<(), End> {
    match &entry.kept {
        Kept::Fact(Fact::Pair { key, after, .. }) => {
            network.set(key.low(), key.high(), Tie::of(after))?;
        }
        Kept::Fact(Fact::Erased(member)) => while network.erase_some(member, TIES_AT_A_TURN) {},
        // The erasure, which came before, has taken the tie already.
        Kept::Blank { severed: true } => {}
        Kept::Blank { severed: false } => return Err(End::Lost),
    }
    Ok(())
}

fn tell_progress(network: &Network, pairs: u64, elapsed: Duration) {
    let size = network.size();
    tracing::info!(
        pairs,
        members = size.members,
        mebibytes = size.bytes >> 20,
        seconds = elapsed.as_secs(),
        "the index of connections is being built; the store answers meanwhile"
    );
}

#[cfg(test)]
mod tests;
