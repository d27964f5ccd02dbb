//! A stream that shows what a source has to show, for as long as its consumer takes it.
//!
//! The source is asked only when its last messages were taken, so nothing piles up for a slow consumer; one that takes nothing at
//! all is cut off. A stream that comes to an end is an [`export`](Export). Deliberately absent: what is shown, and tokens.

mod export;

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use prometheus_client::registry::Registry;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

pub use export::{Export, Page};

use crate::config::{Key, Unit};
use crate::crash;
use crate::feed::Subscription;
use crate::metrics::register_read;

/// The bounds of streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchOptions {
    /// How many streams may be open at a time. Each takes some 54 KiB. Default 2,000.
    pub open_max: usize,
    /// After how long without a message a stream shows a sign of life. Default 15 s.
    pub heartbeat: Duration,
    /// How long a message may wait for its consumer. Default 10 s.
    pub hand_over_max: Duration,
    /// How many messages may wait for their consumer. Default 16.
    pub waiting_messages_max: usize,
    /// How many positions of the feed are read at once. Default 500.
    pub positions_at_once_max: usize,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            open_max: 2_000,
            heartbeat: Duration::from_secs(15),
            hand_over_max: Duration::from_secs(10),
            waiting_messages_max: 16,
            positions_at_once_max: 500,
        }
    }
}

impl WatchOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "watch.open_max",
                "streams",
                0..=1_000_000,
                |o: &mut Self| &mut o.open_max,
                "streams that may be open at a time; each takes some 54 KiB",
            ),
            Key::span(
                "watch.heartbeat_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.heartbeat,
                "time without a message after which a stream shows a sign of life",
            ),
            Key::span(
                "watch.hand_over_max_seconds",
                Unit::Seconds,
                1..=3_600,
                |o: &mut Self| &mut o.hand_over_max,
                "time that a message may wait for its consumer before the stream is ended",
            ),
            Key::count(
                "watch.waiting_messages_max",
                "messages",
                1..=10_000,
                |o: &mut Self| &mut o.waiting_messages_max,
                "messages of a stream that may wait for their consumer",
            ),
            Key::count(
                "watch.positions_at_once_max",
                "positions",
                1..=10_000,
                |o: &mut Self| &mut o.positions_at_once_max,
                "positions of the feed that are read at once",
            ),
        ]
    }
}

/// Why a stream does not begin, or ends, that could have gone on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WatchEnd {
    /// As many are open as may be.
    #[error("too many streams are open")]
    TooManyStreams,
    /// The consumer did not take a message in time.
    #[error("the consumer is too slow")]
    ConsumerTooSlow,
    /// The process is about to end.
    #[error("the service is shutting down")]
    ShuttingDown,
}

/// What was read at once.
#[derive(Debug)]
pub struct Reading<M> {
    /// What to show, in order.
    pub messages: Vec<M>,
    /// Whether there is more to read already.
    pub more: bool,
}

/// What a stream shows.
pub trait Source: Send + 'static {
    /// One message of it.
    type Message: Send + 'static;
    /// Why it ends.
    type Failure: From<WatchEnd> + Send + 'static;

    /// Reads what came after the last reading.
    fn read(&mut self) -> BoxFuture<'_, Result<Reading<Self::Message>, Self::Failure>>;

    /// A sign of life at the place that was reached.
    fn heartbeat(&self) -> Self::Message;
}

/// A stream of messages; ends with the failure that ended it.
pub type Watch<M, F> = ReceiverStream<Result<M, F>>;

/// Where streams are started.
#[derive(Debug)]
pub struct Watches {
    options: WatchOptions,
    /// A place for each stream that may be open.
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl Watches {
    /// Streams within these bounds, which end when `shutdown` is cancelled.
    pub fn new(options: WatchOptions, shutdown: CancellationToken) -> Self {
        let places = options.open_max.min(Semaphore::MAX_PERMITS);
        Self {
            options,
            places: Arc::new(Semaphore::new(places)),
            shutdown,
        }
    }

    /// Adds how many streams are open to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        let (places, all) = (Arc::downgrade(&self.places), self.options.open_max);
        let help = "Streams that are open";
        register_read(registry, "watches_open", help, move || {
            let free = places.upgrade()?.available_permits();
            u32::try_from(all.saturating_sub(free)).ok().map(f64::from)
        });
    }

    /// The bounds.
    pub fn options(&self) -> &WatchOptions {
        &self.options
    }

    /// Starts a stream of `source`, which must have been placed after `subscription` was taken out. The first message is a
    /// heartbeat. Fails with [`WatchEnd::TooManyStreams`].
    pub fn start<S: Source>(
        &self,
        source: S,
        subscription: Subscription,
    ) -> Result<Watch<S::Message, S::Failure>, WatchEnd> {
        let (lane, stream) = self.lane::<S::Message, S::Failure>()?;
        let (options, shutdown) = (self.options, self.shutdown.clone());
        tokio::spawn(async move {
            let failure = tokio::select! {
                () = shutdown.cancelled() => WatchEnd::ShuttingDown.into(),
                () = lane.messages.closed() => return,
                ended = follow(source, subscription, &lane.messages, options) => match ended {
                    Err(failure) => failure,
                    Ok(never) => match never {},
                },
            };
            lane.fail(failure);
        });
        Ok(stream)
    }

    /// A place for another stream.
    fn lane<M: Send + 'static, F: Send + 'static>(&self) -> Result<Laid<M, F>, WatchEnd> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| WatchEnd::TooManyStreams)?;
        // One more than messages may wait: the last place is kept for the reason of the end.
        let waiting_max = self.options.waiting_messages_max;
        let waiting_max = waiting_max.clamp(1, Semaphore::MAX_PERMITS - 1);
        let (messages, stream) = mpsc::channel(waiting_max + 1);
        let end = messages.clone().try_reserve_owned();
        let end = end.map_err(|_| WatchEnd::TooManyStreams)?;
        let lane = Lane {
            messages,
            end,
            _place: place,
        };
        Ok((lane, ReceiverStream::new(stream)))
    }
}

/// A lane with the stream at its other end.
type Laid<M, F> = (Lane<M, F>, Watch<M, F>);

/// Where a stream's messages go.
struct Lane<M, F> {
    messages: mpsc::Sender<Result<M, F>>,
    end: mpsc::OwnedPermit<Result<M, F>>,
    _place: OwnedSemaphorePermit,
}

impl<M, F> Lane<M, F> {
    /// Ends the stream with a failure, for which there is always room.
    fn fail(self, failure: F) {
        self.end.send(Err(failure));
    }
}

/// Hands a message over to a consumer who takes it in time. That one has gone is noticed by whoever hands over.
async fn hand_over<M, F: From<WatchEnd>>(
    messages: &mpsc::Sender<Result<M, F>>,
    message: M,
    wait_max: Duration,
) -> Result<(), F> {
    match timeout(wait_max, messages.send(Ok(message))).await {
        Ok(_) => Ok(()),
        Err(_) => Err(F::from(WatchEnd::ConsumerTooSlow)),
    }
}

/// Goes on until something fails.
async fn follow<S: Source>(
    mut source: S,
    mut subscription: Subscription,
    messages: &mpsc::Sender<Result<S::Message, S::Failure>>,
    options: WatchOptions,
) -> Result<Infallible, S::Failure> {
    let hand_over = async |message| hand_over(messages, message, options.hand_over_max).await;
    hand_over(source.heartbeat()).await?;
    let mut silence = pin!(sleep(options.heartbeat));
    let mut silent = false;
    loop {
        let reading = source.read().await?;
        let nothing = reading.messages.is_empty();
        for message in reading.messages {
            crash::point("watch.message");
            hand_over(message).await?;
        }
        if silent && nothing {
            // Only now, after reading: it stands for the newest place.
            hand_over(source.heartbeat()).await?;
        }
        if silent || !nothing {
            silence.set(sleep(options.heartbeat));
            silent = false;
        }
        if !reading.more {
            tokio::select! {
                () = subscription.changed() => {}
                () = &mut silence => silent = true,
            }
        }
    }
}

#[cfg(test)]
mod tests;
