//! Following the feed: the loop that all streams share.
//!
//! A stream reads the store when it is woken, hands over what it has read, and shows a sign of life when nothing happens. It never
//! holds more than one reading and a few messages, and a consumer that does not take them in time is cut. Deliberately absent:
//! what is read and shown (see the sources in `watch_connections` and `watch_facts`).

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use service_kit::feed::Subscription;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

use super::Failure;
use crate::config::StreamOptions;
use crate::domain::refusal::Refusal;

/// A stream of messages; ends with the failure that ended it.
pub type Watch<M> = ReceiverStream<Result<M, Failure>>;

/// What was read at once.
pub(super) struct Reading<M> {
    pub(super) messages: Vec<M>,
    /// Whether there is more to read already.
    pub(super) more: bool,
}

/// What a stream shows.
#[async_trait]
pub(super) trait Source: Send + 'static {
    type Message: Send + 'static;

    /// Reads what came after the last reading.
    async fn read(&mut self) -> Result<Reading<Self::Message>, Failure>;

    /// A sign of life at the place that was reached.
    fn heartbeat(&self) -> Self::Message;
}

/// The bounds of all streams, and their end.
pub(super) struct Streams {
    pub(super) options: StreamOptions,
    /// A place for each stream that may be open.
    places: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl Streams {
    pub(super) fn new(options: StreamOptions, shutdown: CancellationToken) -> Self {
        let places = options.open_max.min(Semaphore::MAX_PERMITS);
        Self {
            options,
            places: Arc::new(Semaphore::new(places)),
            shutdown,
        }
    }

    /// Starts a stream of `source`, which must have been placed after `subscription` was taken out. The first message is a
    /// heartbeat. Fails with [`Failure::TooManyStreams`].
    pub(super) fn start<S: Source>(
        &self,
        source: S,
        subscription: Subscription,
    ) -> Result<Watch<S::Message>, Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| Failure::TooManyStreams)?;
        // One more than messages may wait: the last one is kept for the reason of the end.
        let waiting_max = self.options.waiting_messages_max.max(1);
        let (messages, stream) = mpsc::channel(waiting_max.saturating_add(1));
        let end = messages.clone().try_reserve_owned();
        let end = end.map_err(|_| Failure::TooManyStreams)?;
        let (options, shutdown) = (self.options, self.shutdown.clone());
        tokio::spawn(async move {
            let failure = tokio::select! {
                () = shutdown.cancelled() => Failure::ShuttingDown,
                () = messages.closed() => return,
                ended = follow(source, subscription, &messages, options) => match ended {
                    Err(failure) => failure,
                    Ok(never) => match never {},
                },
            };
            end.send(Err(failure));
            drop(place);
        });
        Ok(ReceiverStream::new(stream))
    }
}

/// Goes on until something fails.
async fn follow<S: Source>(
    mut source: S,
    mut subscription: Subscription,
    messages: &mpsc::Sender<Result<S::Message, Failure>>,
    options: StreamOptions,
) -> Result<Infallible, Failure> {
    let hand_over =
        async |message| match timeout(options.hand_over_max, messages.send(Ok(message))).await {
            // That the consumer has gone is noticed by whoever started this.
            Ok(_) => Ok(()),
            Err(_) => Err(Failure::from(Refusal::ConsumerTooSlow)),
        };
    hand_over(source.heartbeat()).await?;
    let mut silence = pin!(sleep(options.heartbeat));
    let mut silent = false;
    loop {
        let reading = source.read().await?;
        let nothing = reading.messages.is_empty();
        for message in reading.messages {
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
mod tests {
    use std::time::Duration;

    use futures::{FutureExt as _, StreamExt as _};
    use service_kit::feed::Hub;
    use tokio::time::advance;

    use super::*;

    /// Shows the numbers that were put in, and where it stands as a negative one.
    struct Numbers(mpsc::UnboundedReceiver<Vec<i32>>, i32);

    #[async_trait]
    impl Source for Numbers {
        type Message = i32;

        async fn read(&mut self) -> Result<Reading<i32>, Failure> {
            let messages = self.0.try_recv().unwrap_or_default();
            self.1 = messages.last().copied().unwrap_or(self.1);
            Ok(Reading {
                messages,
                more: false,
            })
        }

        fn heartbeat(&self) -> i32 {
            -self.1
        }
    }

    struct Fixture {
        hub: Hub,
        streams: Streams,
        shutdown: CancellationToken,
    }

    impl Fixture {
        fn new(open_max: usize) -> Self {
            let shutdown = CancellationToken::new();
            let options = StreamOptions {
                open_max,
                waiting_messages_max: 2,
                ..StreamOptions::default()
            };
            Self {
                hub: Hub::new(),
                streams: Streams::new(options, shutdown.clone()),
                shutdown,
            }
        }

        fn start(&self) -> (mpsc::UnboundedSender<Vec<i32>>, Result<Watch<i32>, Failure>) {
            let (put, numbers) = mpsc::unbounded_channel();
            let source = Numbers(numbers, 1);
            (put, self.streams.start(source, self.hub.subscribe_all()))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn begins_with_a_heartbeat_and_shows_what_it_is_woken_for() {
        let f = Fixture::new(1);
        let (put, stream) = f.start();
        let mut stream = stream.unwrap();
        assert_eq!(stream.next().await, Some(Ok(-1)));
        put.send(vec![5, 6]).unwrap();
        f.hub.publish(1, []);
        assert_eq!(stream.next().await, Some(Ok(5)));
        assert_eq!(stream.next().await, Some(Ok(6)));
        assert_eq!(stream.next().now_or_never(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_after_a_while_also_when_woken_for_nothing() {
        let f = Fixture::new(1);
        let (_put, stream) = f.start();
        let mut stream = stream.unwrap();
        stream.next().await.unwrap().unwrap();
        let begun = tokio::time::Instant::now();
        for _ in 0..3 {
            let woken_for_nothing = async {
                for second in 0..14 {
                    advance(Duration::from_secs(1)).await;
                    f.hub.publish(second, []);
                    tokio::task::yield_now().await;
                }
                std::future::pending::<()>().await;
            };
            tokio::select! {
                next = stream.next() => assert_eq!(next, Some(Ok(-1))),
                () = woken_for_nothing => {}
            }
        }
        assert_eq!(begun.elapsed().as_secs(), 45);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_consumer_is_cut_and_told_why() {
        let f = Fixture::new(1);
        let (put, stream) = f.start();
        let mut stream = stream.unwrap();
        put.send((10..20).collect()).unwrap();
        f.hub.publish(1, []);
        tokio::time::sleep(Duration::from_secs(11)).await;
        assert_eq!(stream.next().await, Some(Ok(-1)));
        assert_eq!(stream.next().await, Some(Ok(10)));
        let cut = Failure::Refused(Refusal::ConsumerTooSlow);
        assert_eq!(stream.next().await, Some(Err(cut)));
        assert_eq!(stream.next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn streams_are_bounded_and_end_with_the_service_or_the_consumer() {
        let f = Fixture::new(1);
        let (_put, first) = f.start();
        assert_eq!(f.start().1.err(), Some(Failure::TooManyStreams));
        drop(first);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let (_put, second) = f.start();
        let mut second = second.unwrap();
        second.next().await.unwrap().unwrap();
        f.shutdown.cancel();
        assert_eq!(second.next().await, Some(Err(Failure::ShuttingDown)));
        assert_eq!(second.next().await, None);
    }
}
