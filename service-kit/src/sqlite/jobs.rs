//! A bounded queue of jobs for several threads.
//!
//! Waking a thread costs more than a short read: whoever adds jobs says once, after several, that there are some, and one thread is
//! woken, which takes its share of them together and wakes the next one. Deliberately absent: an order among the threads.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// How many jobs a thread takes at once.
const SHARE_MAX: usize = 16;

/// A queue as its threads see it.
pub(super) struct Jobs<J> {
    state: Mutex<State<J>>,
    came: Condvar,
    max: usize,
}

struct State<J> {
    waiting: VecDeque<J>,
    /// How many threads do jobs of the queue.
    threads: usize,
    /// How many of them sleep.
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
    /// This thread's share of the jobs, waited for; `None` when the queue is closed and empty.
    pub(super) fn next(&self) -> Option<Vec<J>> {
        self.0.next()
    }
}

impl<J> Drop for Worker<J> {
    fn drop(&mut self) {
        self.0.state().threads -= 1;
        if thread::panicking() {
            self.0.close();
            self.0.state().waiting.clear();
        }
    }
}

impl<J> State<J> {
    fn wants_another(&self) -> bool {
        self.asleep > 0 && !self.waiting.is_empty()
    }
}

impl<J> Jobs<J> {
    /// An empty queue for at most `max` jobs.
    pub(super) fn new(max: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                threads: 0,
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
        self.state().threads += 1;
        Worker(self.clone())
    }

    /// Adds a job. No thread needs to see it before [`Self::wake`].
    pub(super) fn push(&self, job: J) -> Result<(), Refused> {
        let mut state = self.state();
        if state.closed {
            return Err(Refused::Closed);
        }
        if state.waiting.len() >= self.max {
            return Err(Refused::Full);
        }
        state.waiting.push_back(job);
        Ok(())
    }

    /// Sees to it that what was added is done; whether the queue is still open.
    pub(super) fn wake(&self) -> bool {
        let state = self.state();
        let (open, wake) = (!state.closed, state.wants_another());
        drop(state);
        if wake {
            self.came.notify_one();
        }
        open
    }

    fn next(&self) -> Option<Vec<J>> {
        let mut state = self.state();
        while state.waiting.is_empty() {
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
        let share = state.waiting.len().div_ceil(state.threads);
        let taken = state.waiting.drain(..share.min(SHARE_MAX)).collect();
        let wake = state.wants_another();
        drop(state);
        if wake {
            self.came.notify_one();
        }
        Some(taken)
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
                let taken = std::iter::from_fn(move || worker.next());
                thread::spawn(move || taken.flatten().collect::<Vec<u32>>())
            })
            .collect();
        for job in 0..10_000 {
            jobs.push(job).unwrap();
            if job % 7 == 0 {
                assert!(jobs.wake());
            }
        }
        jobs.close();
        assert!(!jobs.wake());
        let mut taken: Vec<_> = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect();
        taken.sort_unstable();
        assert!(taken.into_iter().eq(0..10_000));
    }

    #[test]
    fn one_waking_is_enough_for_all_that_came() {
        let (jobs, (done, told)) = (Jobs::new(usize::MAX), std::sync::mpsc::channel());
        for _ in 0..3 {
            let (worker, done) = (jobs.worker(), done.clone());
            thread::spawn(move || {
                while let Some(taken) = worker.next() {
                    for job in taken {
                        done.send(job).unwrap();
                    }
                }
            });
        }
        let mut came: Vec<u32> = Vec::new();
        for round in 0..1_000 {
            for job in 0..50 {
                jobs.push(round * 50 + job).unwrap();
            }
            jobs.wake();
            came.extend((0..50).map(|_| told.recv().unwrap()));
        }
        jobs.close();
        came.sort_unstable();
        assert!(came.into_iter().eq(0..50_000));
    }

    #[test]
    fn threads_share_what_waits() {
        let jobs = Jobs::new(usize::MAX);
        let workers = [jobs.worker(), jobs.worker()];
        for job in 0..100 {
            jobs.push(job).unwrap();
        }
        assert_eq!(workers[0].next().unwrap(), (0..16).collect::<Vec<_>>());
        for job in 16..95 {
            jobs.state().waiting.retain(|waiting| *waiting != job);
        }
        assert_eq!(workers[1].next().unwrap(), [95, 96, 97]);
        assert_eq!(workers[0].next().unwrap(), [98]);
        assert_eq!(workers[0].next().unwrap(), [99]);
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
