//! `WatchConnections`: what happens to connections, of one member or of all.
//!
//! Blocks, erasures and removals look the same, and where no connection ended nothing is shown at all. A member's watch shows how
//! their list is, so that folding it gives the list; all members' watch shows each event. Deliberately absent: tokens; a watch
//! begins at a place.

use std::sync::Arc;

use futures::future::BoxFuture;
use service_kit::epoch::EpochId;
use service_kit::id::{MemberId, PairKey};
use service_kit::time::Time;
use service_kit::watch::{Reading, Source, Watch};

use super::{Context, Failure, position};
use crate::domain::fact::{Entry, Fact, Kept};
use crate::domain::list_change::{ListChange, Place, changes};
use crate::domain::refusal::Refusal;
use crate::store::{Feed, MemberFeed, Store};

/// Whose connections are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One member's, as that member sees them.
    Member(MemberId),
    /// Everybody's, for a service.
    AllMembers,
}

/// A message, with the place after it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Where to resume.
    pub place: Place,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nothing happened.
    Heartbeat,
    /// One member's list changed.
    Member(ListChange),
    /// A connection was made or ended, for services.
    Event(ConnectionEvent),
}

/// A connection was made or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionEvent {
    /// Whether it was made; else it ended.
    pub made: bool,
    /// When that was.
    pub event_time: Time,
    /// Between whom.
    pub key: PairKey,
    /// When the connection was made.
    pub connect_time: Time,
    /// Whether it was imported.
    pub imported: bool,
}

/// Starts a watch after `resume`, or now. Refuses with [`Refusal::OtherIncarnation`] and [`Refusal::TokenTooOld`].
pub async fn run(
    context: &Context,
    scope: Scope,
    resume: Option<(EpochId, Place)>,
) -> Result<Watch<Message, Failure>, Failure> {
    let hub = context.store.hub();
    // Before the store is looked at, so that nothing is missed in between.
    let subscription = match &scope {
        Scope::Member(member) => hub.subscribe(member.as_str()),
        Scope::AllMembers => hub.subscribe_all(),
    };
    let state = context.store.feed_state().await?;
    let place = match resume {
        None => Place::at(state.head),
        Some((incarnation, place)) => {
            position::check(&**context.store(), state, &incarnation, place.through)?;
            if place.from < state.pruned {
                return Err(Refusal::TokenTooOld.into());
            }
            place
        }
    };
    let store = Arc::clone(&context.store);
    match scope {
        Scope::Member(member) => {
            let source = MemberSource {
                store,
                member,
                place,
            };
            Ok(context.watches.start(source, subscription)?)
        }
        Scope::AllMembers => {
            let source = AllSource {
                store,
                place,
                limit: context.positions_at_once_max(),
            };
            Ok(context.watches.start(source, subscription)?)
        }
    }
}

struct MemberSource {
    store: Arc<dyn Store>,
    member: MemberId,
    place: Place,
}

impl Source for MemberSource {
    type Message = Message;
    type Failure = Failure;

    fn read(&mut self) -> BoxFuture<'_, Result<Reading<Message>, Failure>> {
        Box::pin(async {
            let feed = self
                .store
                .member_feed(self.member.clone(), self.place.from)
                .await?;
            let MemberFeed::Steps { mut steps, through } = feed else {
                return Err(Refusal::TokenTooOld.into());
            };
            // A stretch that was being shown when the watch broke off is shown to its end before the next one begins.
            let interrupted = self.place.is_within();
            let stretch = if interrupted {
                self.place
            } else {
                Place {
                    through,
                    ..self.place
                }
            };
            steps.retain(|step| step.position <= stretch.through);
            self.place = Place::at(stretch.through);
            let shown = stretch.unshown(changes(steps));
            let message = |(place, change)| Message {
                place,
                content: Content::Member(change),
            };
            Ok(Reading {
                messages: shown.into_iter().map(message).collect(),
                more: interrupted,
            })
        })
    }

    fn heartbeat(&self) -> Message {
        heartbeat(self.place)
    }
}

struct AllSource {
    store: Arc<dyn Store>,
    place: Place,
    limit: u32,
}

impl Source for AllSource {
    type Message = Message;
    type Failure = Failure;

    fn read(&mut self) -> BoxFuture<'_, Result<Reading<Message>, Failure>> {
        Box::pin(async {
            let feed = self.store.feed(self.place.shown, self.limit).await?;
            let Feed::Entries {
                entries,
                through,
                more,
            } = feed
            else {
                return Err(Refusal::TokenTooOld.into());
            };
            self.place = Place::at(through);
            Ok(Reading {
                messages: entries.into_iter().filter_map(event).collect(),
                more,
            })
        })
    }

    fn heartbeat(&self) -> Message {
        heartbeat(self.place)
    }
}

fn heartbeat(place: Place) -> Message {
    Message {
        place,
        content: Content::Heartbeat,
    }
}

/// What services are shown of an entry. An erased member's events keep their position and have lost their content.
fn event(entry: Entry) -> Option<Message> {
    let Kept::Fact(Fact::Pair {
        key,
        event: _,
        after,
        ended,
    }) = entry.kept
    else {
        return None;
    };
    let connection = after.connection.or(ended)?;
    Some(Message {
        place: Place::at(entry.position),
        content: Content::Event(ConnectionEvent {
            made: after.connection.is_some(),
            event_time: entry.time,
            key,
            connect_time: connection.connect_time,
            imported: connection.invitation.is_none(),
        }),
    })
}
