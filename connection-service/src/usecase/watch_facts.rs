//! `WatchFacts`: the feed as the other service stores it.
//!
//! An erasure that was not acknowledged is sent again at the start of each stream, whatever position that starts from: a copy that
//! was built anew from lists, where the erased no longer stand, must hear of it too. Until it has been sent, no message says that
//! everything up to a later position was; else the follower would acknowledge what it has never heard of. Deliberately absent: ends of
//! connections by an erasure, which the erasure itself stands for.

use std::sync::Arc;

use futures::future::BoxFuture;
use service_kit::crash;
use service_kit::epoch::EpochId;
use service_kit::id::{MemberId, PairKey};
use service_kit::watch::{Reading, Source, Watch};

use super::{Context, Failure, position};
use crate::domain::fact::{Entry, Fact, Kept, PairEvent, PairFacts};
use crate::domain::refusal::Refusal;
use crate::store::{Feed, Store};

/// Some facts, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The facts with their positions.
    pub facts: Vec<(u64, Change)>,
    /// Everything up to here has been sent.
    pub position: u64,
}

/// What a fact says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// All that holds of a pair from there on.
    Pair(PairKey, PairFacts),
    /// A member was erased.
    Erased(MemberId),
}

/// Starts a stream after a position, or from the first fact. Refuses with [`Refusal::OtherIncarnation`] and
/// [`Refusal::TokenTooOld`].
pub async fn run(
    context: &Context,
    after: Option<(EpochId, u64)>,
) -> Result<Watch<Message, Failure>, Failure> {
    // Before the store is looked at, so that nothing is missed in between.
    let subscription = context.store.hub().subscribe_all();
    let state = context.store.feed_state().await?;
    let position = match after {
        None => 0,
        Some((incarnation, reached)) => {
            position::check(&**context.store(), state, &incarnation, reached)?;
            reached
        }
    };
    if position < state.pruned {
        return Err(Refusal::TokenTooOld.into());
    }
    let source = FactSource {
        store: Arc::clone(&context.store),
        position,
        erasures_after: (state.acknowledged < position).then_some(state.acknowledged),
        limit: context.positions_at_once_max(),
    };
    Ok(context.watches.start(source, subscription)?)
}

struct FactSource {
    store: Arc<dyn Store>,
    position: u64,
    /// Unacknowledged erasures after this position and up to `position` may still have to be sent again; `None` when none has.
    erasures_after: Option<u64>,
    limit: u32,
}

impl Source for FactSource {
    type Message = Message;
    type Failure = Failure;

    fn read(&mut self) -> BoxFuture<'_, Result<Reading<Message>, Failure>> {
        Box::pin(async {
            if let Some(after) = self.erasures_after {
                return self.erasures(after).await;
            }
            let feed = self.store.feed(self.position, self.limit).await?;
            let Feed::Entries {
                entries,
                through,
                more,
            } = feed
            else {
                return Err(Refusal::TokenTooOld.into());
            };
            if !entries.is_empty() {
                crash::point("facts.read");
            }
            let mut facts = Vec::with_capacity(entries.len());
            for entry in entries {
                facts.extend(fact(entry)?);
            }
            let moved = through > self.position;
            self.position = through;
            let message = Message {
                facts,
                position: through,
            };
            Ok(Reading {
                // Also without facts: the follower acknowledges positions.
                messages: moved.then_some(message).into_iter().collect(),
                more,
            })
        })
    }

    fn heartbeat(&self) -> Message {
        Message {
            facts: Vec::new(),
            position: self.told(),
        }
    }
}

impl FactSource {
    /// Up to here everything has been sent, erasures included.
    fn told(&self) -> u64 {
        self.erasures_after.unwrap_or(self.position)
    }

    async fn erasures(&mut self, after: u64) -> Result<Reading<Message>, Failure> {
        let store = &self.store;
        let found = store
            .unacknowledged_erasures(after, self.position, self.limit)
            .await?;
        self.erasures_after = found.last().map(|(position, _)| *position);
        let facts = found.into_iter();
        let facts: Vec<_> = facts
            .map(|(position, member)| (position, Change::Erased(member)))
            .collect();
        let message = Message {
            facts,
            position: self.told(),
        };
        Ok(Reading {
            // Also the one that says that there are no more.
            messages: vec![message],
            more: true,
        })
    }
}

/// What the follower is told of an entry. One that has lost its content was acknowledged before it did; who asks for it all the same
/// must build their copy anew.
fn fact(entry: Entry) -> Result<Option<(u64, Change)>, Failure> {
    let change = match entry.kept {
        Kept::Fact(Fact::Pair {
            event: PairEvent::Severed,
            ..
        })
        | Kept::Blank { severed: true } => return Ok(None),
        Kept::Blank { severed: false } => return Err(Refusal::TokenTooOld.into()),
        Kept::Fact(Fact::Pair { key, after, .. }) => Change::Pair(key, after),
        Kept::Fact(Fact::Erased(member)) => Change::Erased(member),
    };
    Ok(Some((entry.position, change)))
}
