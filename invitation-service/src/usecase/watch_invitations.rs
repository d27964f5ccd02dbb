//! `WatchInvitations`: what happens to one member's lists, or to all invitations for a service.
//!
//! Deliberately absent: what a member is told (`store/feed.rs` says how lists stand), and tokens; a watch begins where one
//! before has come to.

use std::sync::Arc;

use futures::future::BoxFuture;
use service_kit::{
    epoch::EpochId,
    id::MemberId,
    watch::{Reading, Source, Watch},
};

use super::{Context, Failure};
use crate::store::{
    Store,
    feed::{MemberChange, Reached, ServiceEvent},
};

/// Whose invitations are watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One member's, as that member's lists show them.
    Member(MemberId),
    /// Everybody's, for a service.
    AllMembers,
}

/// A message, with how far the watch has come with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where to resume.
    pub reached: Reached,
    /// What it says.
    pub content: Content,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Nothing happened.
    Heartbeat,
    /// One of the member's lists changed.
    Member(MemberChange),
    /// An invitation changed, for services.
    Event(ServiceEvent),
}

/// Starts a watch after `resume`, or now.
pub async fn run(
    context: &Context,
    scope: Scope,
    resume: Option<(EpochId, Reached)>,
) -> Result<Watch<Message, Failure>, Failure> {
    // Before the store is looked at, so that nothing is missed in between.
    let subscription = context.store.subscribe(match &scope {
        Scope::Member(member) => Some(member),
        Scope::AllMembers => None,
    });
    let head = context.store.head().await?;
    let reached = match resume {
        None => Reached::at(head),
        Some((epoch, reached)) => {
            let read = reached.through;
            let diverged = context.store.check_epoch(&epoch, read).is_err();
            if diverged || read > head {
                return Err(Failure::OtherIncarnation);
            }
            reached
        }
    };
    let mut source = Events {
        store: context.store.clone(),
        scope,
        reached,
        limit: context.watches.options().positions_at_once_max,
        ahead: None,
    };
    // A token too old is refused at once, not by a stream that breaks off.
    source.ahead = Some(source.read_on().await?);
    Ok(context.watches.start(source, subscription)?)
}

struct Events {
    store: Arc<dyn Store>,
    scope: Scope,
    reached: Reached,
    limit: usize,
    /// What was read before the stream began.
    ahead: Option<(Reading<Message>, u64)>,
}

impl Events {
    /// What came after what was reached, and the position up to which that is everything.
    async fn read_on(&self) -> Result<(Reading<Message>, u64), Failure> {
        match &self.scope {
            Scope::Member(member) => {
                let stretch = self
                    .store
                    .member_events(member.clone(), self.reached)
                    .await?;
                let stretch = stretch.ok_or(Failure::TokenTooOld)?;
                let messages: Vec<_> = stretch
                    .events
                    .into_iter()
                    .map(|event| Message {
                        reached: event.reached,
                        content: Content::Member(event.change),
                    })
                    .collect();
                Ok((
                    Reading {
                        messages,
                        more: false,
                    },
                    stretch.until,
                ))
            }
            Scope::AllMembers => {
                let position = self.reached.through;
                let stretch = self.store.service_events(position, self.limit).await?;
                let stretch = stretch.ok_or(Failure::TokenTooOld)?;
                let more = stretch.until != position;
                let messages = stretch.events.into_iter().map(|event| Message {
                    reached: Reached::at(event.event.position),
                    content: Content::Event(event),
                });
                let messages = messages.collect();
                Ok((Reading { messages, more }, stretch.until))
            }
        }
    }
}

impl Source for Events {
    type Message = Message;
    type Failure = Failure;

    fn read(&mut self) -> BoxFuture<'_, Result<Reading<Message>, Failure>> {
        Box::pin(async {
            let (reading, until) = match self.ahead.take() {
                Some(ahead) => ahead,
                None => self.read_on().await?,
            };
            self.reached = Reached::at(until);
            Ok(reading)
        })
    }

    fn heartbeat(&self) -> Message {
        Message {
            reached: self.reached,
            content: Content::Heartbeat,
        }
    }
}
