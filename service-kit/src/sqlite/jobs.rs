//! A bounded queue of jobs for several threads.
//!
//! A job wakes one thread, and only when one sleeps: waking costs more than a short read. Deliberately absent: an order among the threads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// A queue as its threads see it.
pub(super) struct Jobs<J> {
    state: Mutex<State<J>>,
    came: Condvar,
    max: usize,
}

struct State<J> {
    waiting: VecDeque<J>,
    /// How many threads sleep.
    asleep: usize,
    closed: bool,
}

/// Why a job is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// As many wait as may.
    Full,
    /// A thread has died.
    Closed,
}

/// A thread of the queue. If it panics, no job is taken any more and those that wait are dropped, so that nobody waits for what
/// nobody does.
pub(super) struct Worker<J>(Arc<Jobs<J>>);

impl<J> Worker<J> {
    /// The next job, waited for; `None` when the queue is closed and empty.
    pub(super) fn next(&self) -> Option<J> {
        self.0.next()
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.close();
            self.0.state().waiting.clear();
        }
    }
}

impl<J> Jobs<J> {
    /// An empty queue for at most `max` jobs.
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                asleep: 0,
                closed: false,
            }),
            came: Condvar::new(),
            max,
        })
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A thread that does jobs of this queue.
    pub(super) fn worker(self: &Arc<Self>) -> Worker<J> {
        Worker(self.clone())
    }

    /// Adds a job.
    pub(super) fn push(&self, job: J) -> Result<(), Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.max {
            return Err(Refused::Full);
        }
        state.waiting.push_back(job);
        let wake = state.asleep > 0;
        drop(state);
        if wake {
            self.came.notify_one();
        }
        Ok(())
    }

    fn next(&self) -> Option<J> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.waiting.pop_front() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state.asleep += 1;
            state = self
                .came
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.asleep -= 1;
        }
    }

    /// How many jobs wait.
    pub(super) fn len(&self) -> usize {
        self.state().waiting.len()
    }

    /// No job comes any more; threads end when the last has been taken.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.came.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_is_taken_once_by_any_thread() {
        let jobs = Jobs::new(usize::MAX);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let worker = jobs.worker();
                thread::spawn(move || std::iter::from_fn(|| worker.next()).collect::<Vec<u32>>())
            })
            .collect();
        for job in 0..10_000 {
            jobs.push(job).unwrap();
        }
        jobs.close();
        let mut taken: Vec<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..10_000));
    }

    #[test]
    fn a_full_queue_takes_no_more() {
        let jobs = Jobs::new(2);
        assert_eq!(
            [(); 3].map(|()| jobs.push(())),
            [Ok(()), Ok(()), Err(Refused::Full)]
        );
        assert_eq!(jobs.len(), 2);
        jobs.worker().next().unwrap();
        assert_eq!(jobs.push(()), Ok(()));
    }

    #[test]
    fn nobody_waits_for_a_thread_that_has_died() {
        let jobs = Jobs::new(2);
        let waiting = Arc::new(());
        for _ in 0..2 {
            jobs.push(waiting.clone()).unwrap();
        }
        let worker = jobs.worker();
        let dying = thread::spawn(move || {
            drop(worker.next());
            panic!("a reader dies");
        });
        assert!(dying.join().is_err());
        assert_eq!(Arc::strong_count(&waiting), 1, "what waited was dropped");
        assert_eq!(jobs.push(waiting), Err(Refused::Closed));
    }
}
