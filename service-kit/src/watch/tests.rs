//! Tests of streams: their pace, their bounds and their end.

use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _};
use tokio::time::advance;

use super::*;
use crate::feed::Hub;

/// Shows the numbers that were put in, and where it stands as a negative one.
struct Numbers {
    put: mpsc::UnboundedReceiver<Vec<i32>>,
    at: i32,
    /// How many are read at once.
    at_once: usize,
    waiting: Vec<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failure {
    End(WatchEnd),
    /// What the number 13 does to the source.
    Unlucky,
}

impl From<WatchEnd> for Failure {
    fn from(end: WatchEnd) -> Self {
        Self::End(end)
    }
}

impl Source for Numbers {
    type Message = i32;
    type Failure = Failure;

    fn read(&mut self) -> BoxFuture<'_, Result<Reading<i32>, Failure>> {
        Box::pin(async {
            while let Ok(put) = self.put.try_recv() {
                self.waiting.extend(put);
            }
            let read = self.waiting.len().min(self.at_once);
            let messages: Vec<_> = self.waiting.drain(..read).collect();
            if messages.contains(&13) {
                return Err(Failure::Unlucky);
            }
            self.at = messages.last().copied().unwrap_or(self.at);
            let more = !self.waiting.is_empty();
            Ok(Reading { messages, more })
        })
    }

    fn heartbeat(&self) -> i32 {
        -self.at
    }
}

struct Fixture {
    hub: Hub,
    watches: Watches,
    shutdown: CancellationToken,
}

type Started = Result<Watch<i32, Failure>, WatchEnd>;

impl Fixture {
    fn new(open_max: usize) -> Self {
        Self::with(WatchOptions {
            open_max,
            waiting_messages_max: 2,
            ..WatchOptions::default()
        })
    }

    fn with(options: WatchOptions) -> Self {
        let shutdown = CancellationToken::new();
        Self {
            hub: Hub::new(),
            watches: Watches::new(options, shutdown.clone()),
            shutdown,
        }
    }

    fn start(&self) -> (mpsc::UnboundedSender<Vec<i32>>, Started) {
        let (sender, put) = mpsc::unbounded_channel();
        let source = Numbers {
            put,
            at: 1,
            at_once: 3,
            waiting: Vec::new(),
        };
        (sender, self.watches.start(source, self.hub.subscribe_all()))
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
async fn goes_on_reading_unwoken_while_there_is_more() {
    let f = Fixture::new(1);
    let (put, stream) = f.start();
    let mut stream = stream.unwrap();
    stream.next().await.unwrap().unwrap();
    put.send((20..30).collect()).unwrap();
    f.hub.publish(1, []);
    let begun = tokio::time::Instant::now();
    for expected in 20..30 {
        assert_eq!(stream.next().await, Some(Ok(expected)));
    }
    assert_eq!(begun.elapsed(), Duration::ZERO);
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
    put.send((20..30).collect()).unwrap();
    f.hub.publish(1, []);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(stream.next().await, Some(Ok(-1)));
    assert_eq!(stream.next().await, Some(Ok(20)));
    let cut = Failure::End(WatchEnd::ConsumerTooSlow);
    assert_eq!(stream.next().await, Some(Err(cut)));
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn ends_with_the_failure_of_its_source() {
    let f = Fixture::new(1);
    let (put, stream) = f.start();
    let mut stream = stream.unwrap();
    stream.next().await.unwrap().unwrap();
    put.send(vec![13]).unwrap();
    f.hub.publish(1, []);
    assert_eq!(stream.next().await, Some(Err(Failure::Unlucky)));
    assert_eq!(stream.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn streams_are_bounded_and_end_with_the_service_or_the_consumer() {
    let f = Fixture::new(1);
    let (_put, first) = f.start();
    assert_eq!(f.start().1.err(), Some(WatchEnd::TooManyStreams));
    drop(first);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (_put, second) = f.start();
    let mut second = second.unwrap();
    second.next().await.unwrap().unwrap();
    f.shutdown.cancel();
    let ended = Failure::End(WatchEnd::ShuttingDown);
    assert_eq!(second.next().await, Some(Err(ended)));
    assert_eq!(second.next().await, None);
}

#[tokio::test]
async fn bounds_may_be_as_wide_as_they_are_written() {
    let f = Fixture::with(WatchOptions {
        open_max: usize::MAX,
        waiting_messages_max: usize::MAX,
        ..WatchOptions::default()
    });
    let (_put, stream) = f.start();
    assert_eq!(stream.unwrap().next().await, Some(Ok(-1)));
}

/// Shows the pages of numbers that it has; the number 13 makes it fail.
struct Pages(std::collections::VecDeque<Vec<i32>>);

impl Export for Pages {
    type Message = i32;
    type Failure = Failure;

    fn next(&mut self) -> BoxFuture<'_, Page<i32, Failure>> {
        let page = self.0.pop_front();
        let unlucky = page.as_ref().is_some_and(|page| page.contains(&13));
        Box::pin(async move {
            if unlucky {
                Err(Failure::Unlucky)
            } else {
                Ok(page)
            }
        })
    }
}

fn pages<const N: usize>(pages: [Vec<i32>; N]) -> Pages {
    Pages(pages.into())
}

#[tokio::test(start_paused = true)]
async fn an_export_shows_every_page_and_ends() {
    let f = Fixture::new(1);
    let all = pages([vec![1, 2, 3], vec![], (4..13).collect()]);
    let mut stream = f.watches.export(all).unwrap();
    let busy = f.watches.export(pages([]));
    assert!(matches!(busy, Err(WatchEnd::TooManyStreams)));
    for expected in 1..13 {
        assert_eq!(stream.next().await, Some(Ok(expected)));
    }
    assert_eq!(stream.next().await, None);
    // Its place is free again.
    let mut none = f.watches.export(pages([])).unwrap();
    assert_eq!(none.next().await, None);
}

#[tokio::test(start_paused = true)]
async fn an_export_ends_with_what_it_fails_for() {
    let f = Fixture::new(1);
    let mut failing = f.watches.export(pages([vec![1], vec![13]])).unwrap();
    assert_eq!(failing.next().await, Some(Ok(1)));
    assert_eq!(failing.next().await, Some(Err(Failure::Unlucky)));
    assert_eq!(failing.next().await, None);
    tokio::task::yield_now().await;

    let many = || pages([(20..40).collect()]);
    let slow = f.watches.export(many()).unwrap();
    tokio::time::sleep(Duration::from_secs(11)).await;
    let too_slow = Err(Failure::End(WatchEnd::ConsumerTooSlow));
    assert_eq!(slow.collect::<Vec<_>>().await.pop(), Some(too_slow));
    tokio::task::yield_now().await;

    let mut cut = f.watches.export(many()).unwrap();
    assert_eq!(cut.next().await, Some(Ok(20)));
    f.shutdown.cancel();
    let shutting_down = Err(Failure::End(WatchEnd::ShuttingDown));
    assert_eq!(cut.collect::<Vec<_>>().await.pop(), Some(shutting_down));
}
