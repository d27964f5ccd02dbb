//! Answers from a store's threads to the tasks that wait for them, many in one hand-over.
//!
//! Waking a task from a foreign thread costs a system call, and a task that sleeps on another core costs the wake-up of that core. So
//! threads leave their answers with one task of the runtime: it is woken once for all that have come, and wakes the others from where
//! that costs nothing. Deliberately absent: a bound. There is at most one answer for each question, and questions are bounded.

use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Gives one or several answers.
pub(crate) type Answer = Box<dyn FnOnce() + Send>;

/// How many hand-overs are taken at once.
const TAKEN_MAX: usize = 256;

/// Where threads leave answers. Clones lead to the same task.
#[derive(Clone)]
pub(crate) struct Answers(Option<mpsc::UnboundedSender<Vec<Answer>>>);

impl Answers {
    /// Starts the task, which ends with the last clone. Outside of a runtime there is none, and answers are given where they are.
    pub(crate) fn start() -> Self {
        let Ok(runtime) = Handle::try_current() else {
            return Self(None);
        };
        let (answers, mut left) = mpsc::unbounded_channel::<Vec<Answer>>();
        runtime.spawn(async move {
            let mut taken = Vec::new();
            while left.recv_many(&mut taken, TAKEN_MAX).await > 0 {
                for answer in taken.drain(..).flatten() {
                    answer();
                }
            }
        });
        Self(Some(answers))
    }

    /// Gives `answers` soon, on the runtime; at once and here when the runtime has ended.
    pub(crate) fn leave(&self, answers: Vec<Answer>) {
        let here = match &self.0 {
            None => answers,
            Some(leave) => match leave.send(answers) {
                Ok(()) => return,
                Err(mpsc::error::SendError(answers)) => answers,
            },
        };
        for answer in here {
            answer();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn answers_come_in_their_order() {
        let (answers, (sender, mut told)) = (Answers::start(), mpsc::unbounded_channel());
        let leaving = thread::spawn(move || {
            for number in 0..1_000 {
                let sender = sender.clone();
                answers.leave(vec![Box::new(move || sender.send(number).unwrap())]);
            }
        });
        let mut numbers = Vec::new();
        while let Some(number) = told.recv().await {
            numbers.push(number);
        }
        leaving.join().unwrap();
        assert!(numbers.into_iter().eq(0..1_000));
    }

    #[test]
    fn without_a_runtime_answers_are_given_at_once() {
        let (sender, mut told) = oneshot::channel();
        Answers::start().leave(vec![Box::new(|| sender.send(7).unwrap())]);
        assert_eq!(told.try_recv(), Ok(7));
    }

    #[test]
    fn answers_outlive_the_runtime() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let answers = runtime.block_on(async { Answers::start() });
        drop(runtime);
        let (sender, mut told) = oneshot::channel();
        answers.leave(vec![Box::new(|| sender.send(7).unwrap())]);
        assert_eq!(told.try_recv(), Ok(7));
    }
}
