//! The network in memory as the service has it: being built, up to a position of the feed, or given up.
//!
//! Whoever asks names the position that the answer must not be older than, and so sees what they have been answered. A short answer is given
//! at once; a long one, and the working out of a second degree, on a thread beside the runtime, few at a time. No answer means: ask the store.
//!
//! Deliberately absent: what is followed (see `follower`), and the store.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use service_kit::environment::Executor;
use service_kit::id::MemberId;
use tokio::sync::{Semaphore, watch};

use super::figures::{Builds, Cause};
use super::network::Network;
use super::options::GraphOptions;

/// How long an answer may take on the runtime, in steps of a nanosecond or two.
const STEPS_AT_ONCE: usize = 200_000;
/// How long the network is locked at a time while a second degree is worked out, in the same steps.
const STEPS_LOCKED: usize = 100_000;

/// How far the network in memory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is being built, or waits to be.
    Building,
    /// It knows everything up to this position of the feed.
    Following(u64),
    /// It took more memory than it may, or is not wanted. Stays so until the process ends.
    GivenUp,
}

/// The network in memory. Clones are the same.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    network: RwLock<Option<Network>>,
    state: watch::Sender<State>,
    searches: Semaphore,
    options: GraphOptions,
    executor: Executor,
    builds: Builds,
}

impl Memory {
    /// One that is not built yet; long work is done by `executor`.
    pub fn new(options: GraphOptions, executor: Executor) -> Self {
        Self(Arc::new(Inner {
            network: RwLock::new(None),
            state: watch::Sender::new(State::Building),
            searches: Semaphore::new(options.searches_max),
            options,
            executor,
            builds: Builds::new(),
        }))
    }

    /// Its bounds.
    pub fn options(&self) -> &GraphOptions {
        &self.0.options
    }

    /// How far it is, to read or to wait for.
    pub fn state(&self) -> watch::Receiver<State> {
        self.0.state.subscribe()
    }

    /// Says how far it is.
    pub(super) fn tell(&self, state: State) {
        self.0.state.send_replace(state);
    }

    /// Notes that an index begins to be built.
    pub(super) fn count_build(&self, cause: Cause) {
        self.0.builds.count(cause);
    }

    /// How often an index was built.
    pub(super) fn builds(&self) -> &Builds {
        &self.0.builds
    }

    /// The network, for a moment.
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Option<Network>> {
        // Only a bug panics under the lock; what is then in memory is as likely right as before, and the store stays the truth.
        self.0
            .network
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The network, to change it, for a moment.
    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Option<Network>> {
        self.0
            .network
            .write()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether everything up to `position` is known, which is waited for a moment.
    async fn reaches(&self, position: u64) -> bool {
        let known = |state: &State| !matches!(state, State::Following(at) if *at < position);
        let mut state = self.state();
        if !known(&state.borrow()) {
            let wait = tokio::time::timeout(self.0.options.wait, state.wait_for(known));
            if !matches!(wait.await, Ok(Ok(_))) {
                return false;
            }
        }
        matches!(*state.borrow(), State::Following(_))
    }

    /// What comes of a question in few steps, not older than `position`; `None` when nothing of it can be had from memory.
    async fn at_once<T>(
        &self,
        position: u64,
        question: &impl Fn(&Network, usize) -> Option<T>,
    ) -> Option<Option<T>> {
        if !self.reaches(position).await {
            return None;
        }
        let network = self.read();
        Some(question(network.as_ref()?, STEPS_AT_ONCE))
    }

    /// The answer to a question that takes as many steps as it is given, at most; `None` when it cannot be had from memory. Not older than
    /// `position`.
    pub async fn ask<T: Send + 'static>(
        &self,
        position: u64,
        question: impl Fn(&Network, usize) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        if let Some(answer) = self.at_once(position, &question).await? {
            return Some(answer);
        }
        let memory = self.clone();
        self.aside(move || question(memory.read().as_ref()?, usize::MAX))
            .await
    }

    /// [`Self::ask`], working out `member`'s second degree where the answer is not a short one.
    pub async fn ask_around<T: Send + 'static>(
        &self,
        position: u64,
        member: MemberId,
        question: impl Fn(&Network, usize) -> Option<T> + Send + 'static,
    ) -> Option<T> {
        if let Some(answer) = self.at_once(position, &question).await? {
            return Some(answer);
        }
        let memory = self.clone();
        self.aside(move || memory.search(&member, question)).await
    }

    /// Answers when the member's second degree has been worked out. Several at once on the same member share the work.
    fn search<T>(
        &self,
        member: &MemberId,
        question: impl Fn(&Network, usize) -> Option<T>,
    ) -> Option<T> {
        loop {
            {
                let network = self.read();
                let network = network.as_ref()?;
                match network.advance(member, STEPS_LOCKED) {
                    Some(true) => return question(network, usize::MAX),
                    // The lock is given away: changes go first.
                    Some(false) => continue,
                    None => {}
                }
            }
            self.write().as_mut()?.begin(member);
        }
    }

    /// Does work that may take long where nobody waits for the thread.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Option<T> {
        let _place = self.0.searches.acquire().await.ok()?;
        self.run(work).await?
    }

    /// Does work beside the runtime; `None` when it panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        self.0.executor.run(work).await
    }
}
