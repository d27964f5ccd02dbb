//! Waking those who watch.
//!
//! A [`Hub`] tells a watcher only that there is something to read; what it is, is read from the store. So nothing can be lost
//! here, and a slow watcher costs nothing but its own delay. Deliberately absent: events, positions of watchers, any queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Wakes those who wait for one topic or for everything. Topics are strings (member ids). Clones are the same hub.
#[derive(Clone, Debug)]
pub struct Hub {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    head: watch::Sender<u64>,
    /// Only topics that someone waits for.
    topics: Mutex<HashMap<Arc<str>, watch::Sender<u64>>>,
}

impl Inner {
    fn topics(&self) -> MutexGuard<'_, HashMap<Arc<str>, watch::Sender<u64>>> {
        // Nothing that holds the lock can leave the map half changed.
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Hub {
    fn default() -> Self {
        Self::new()
    }
}

impl Hub {
    /// A hub that nobody waits at, with head 0.
    pub fn new() -> Self {
        let inner = Inner {
            head: watch::Sender::new(0),
            topics: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Says that the store has been written up to position `head`, and that `topics` have something new. Call it after the
    /// commit. Wakes all who wait for everything or for one of `topics`, also when `head` is as before; a lower head than
    /// before is ignored. Costs one map look-up for each topic, whether or not someone waits for it.
    pub fn publish<'a>(&self, head: u64, topics: impl IntoIterator<Item = &'a str>) {
        let raise = |seen: &mut u64| *seen = head.max(*seen);
        self.inner.head.send_modify(raise);
        let waited_for = self.inner.topics();
        for topic in topics {
            if let Some(sender) = waited_for.get(topic) {
                sender.send_modify(raise);
            }
        }
    }

    /// Says that the store has gone back to an earlier state, which ends at position `head`. Wakes all who look at the head or wait for
    /// everything; those who wait for a topic are woken by what is published next.
    pub fn rewind(&self, head: u64) {
        self.inner.head.send_modify(|seen| *seen = head);
    }

    /// The highest head published since the store last went back, to read or to wait for.
    pub fn head(&self) -> watch::Receiver<u64> {
        self.inner.head.subscribe()
    }

    /// Waits for everything, from now on.
    pub fn subscribe_all(&self) -> Subscription {
        Subscription {
            receiver: self.inner.head.subscribe(),
            topic: None,
            hub: self.inner.clone(),
        }
    }

    /// Waits for `topic`, from now on: subscribe first, then read the store, then wait.
    pub fn subscribe(&self, topic: &str) -> Subscription {
        let mut topics = self.inner.topics();
        let (topic, receiver) = if let Some((topic, sender)) = topics.get_key_value(topic) {
            (topic.clone(), sender.subscribe())
        } else {
            let topic: Arc<str> = topic.into();
            let (sender, receiver) = watch::channel(0);
            topics.insert(topic.clone(), sender);
            (topic, receiver)
        };
        Subscription {
            receiver,
            topic: Some(topic),
            hub: self.inner.clone(),
        }
    }
}

/// One who waits. Ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    receiver: watch::Receiver<u64>,
    topic: Option<Arc<str>>,
    /// Keeps the senders alive, and is where this one is taken off the list.
    hub: Arc<Inner>,
}

impl Subscription {
    /// Returns when something was published since the last call (since subscribing, for the first). What was published between
    /// two calls is never missed; several publications may be reported as one. Can be dropped and called again at any time.
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The sender lives as long as this subscription does, so this is never reached; if it were, nothing would come.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(topic) = &self.topic else { return };
        let mut topics = self.hub.topics();
        // Under the lock nobody can join meanwhile; this one's own receiver is still counted.
        if topics
            .get(topic)
            .is_some_and(|sender| sender.receiver_count() <= 1)
        {
            topics.remove(topic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt as _;

    fn woken(subscription: &mut Subscription) -> bool {
        subscription.changed().now_or_never().is_some()
    }

    #[test]
    fn a_store_that_goes_back_takes_the_head_with_it() {
        let hub = Hub::new();
        hub.publish(7, []);
        let mut everything = hub.subscribe_all();
        hub.rewind(3);
        assert_eq!(*hub.head().borrow(), 3);
        assert!(woken(&mut everything));
        hub.publish(4, []);
        assert_eq!(*hub.head().borrow(), 4);
    }

    #[test]
    fn wakes_the_topic_and_those_who_wait_for_everything() {
        let hub = Hub::new();
        let (mut a, mut b, mut all) = (hub.subscribe("a"), hub.subscribe("b"), hub.subscribe_all());
        assert!(!woken(&mut a) && !woken(&mut all));
        hub.publish(1, ["a", "nobody"]);
        assert!(woken(&mut a) && !woken(&mut b) && woken(&mut all));
        assert!(!woken(&mut a) && !woken(&mut all), "told once");
        hub.publish(2, []);
        assert!(!woken(&mut a) && woken(&mut all));
    }

    #[test]
    fn a_publication_between_two_calls_is_not_missed() {
        let hub = Hub::new();
        let mut a = hub.subscribe("a");
        hub.publish(1, ["a"]);
        hub.publish(2, ["a"]);
        assert!(woken(&mut a) && !woken(&mut a));
        // A wait given up half-way loses nothing.
        drop(a.changed());
        hub.publish(2, ["a"]);
        assert!(woken(&mut a), "also when the head did not move");
    }

    #[test]
    fn the_head_never_goes_back() {
        let hub = Hub::new();
        let head = hub.head();
        hub.publish(5, []);
        hub.clone().publish(3, []);
        assert_eq!(*head.borrow(), 5);
    }

    #[test]
    fn nothing_is_left_behind() {
        let hub = Hub::new();
        hub.publish(1, ["x"]);
        assert!(hub.inner.topics().is_empty());
        let (first, mut second) = (hub.subscribe("a"), hub.subscribe("a"));
        drop(first);
        hub.publish(2, ["a"]);
        assert!(woken(&mut second));
        drop(second);
        assert!(hub.inner.topics().is_empty());
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_waiting_task_is_woken_from_another_thread() {
        let hub = Hub::new();
        let mut a = hub.subscribe("a");
        let waiting = tokio::spawn(async move { a.changed().await });
        std::thread::spawn(move || hub.publish(1, ["a"]))
            .join()
            .unwrap();
        waiting.await.unwrap();
    }
}
