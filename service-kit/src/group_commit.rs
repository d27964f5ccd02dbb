//! One writer, many commands, one commit for all that wait.
//!
//! A store's cost lies in its commits, so the writer takes all commands that wait, runs them one after the other in one
//! transaction, commits once and only then answers each. Later commands of a batch see what earlier ones did. A command that
//! cannot be applied fails alone: the batch is rolled back, those before it run again together, it runs again in a transaction of
//! its own, and those after it go on together. Where a batch cannot be stored for what is in some of its rows, it is halved until that
//! concerns few.
//!
//! Deliberately absent: what a transaction is (see [`Engine`]), reading (readers have snapshots of their own) and deadlines: a
//! caller that stops waiting does not cancel its command, which may be committed already.

mod options;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::registry::Registry;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

use crate::answers::Answers;
use crate::crash;
use crate::environment::Executor;
use crate::error::StoreError;
use crate::metrics::store::{self, WriterMetrics};

/// Why nothing of a transaction was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// What it was to do failed.
    Body(StoreError),
    /// Some of its rows could not be read or written, again and again: fewer commands at a time may get through.
    Rows(StoreError),
    /// The engine cannot do anything now.
    Engine(StoreError),
}

impl From<StoreError> for Undone {
    fn from(error: StoreError) -> Self {
        Self::Engine(error)
    }
}

impl From<Undone> for StoreError {
    fn from(undone: Undone) -> Self {
        match undone {
            Undone::Body(error) | Undone::Rows(error) | Undone::Engine(error) => error,
        }
    }
}

pub use options::GroupCommitOptions;

/// The write side of an engine: one transaction at a time.
pub trait Engine: Send + 'static {
    /// What a command works on, inside a transaction.
    type Work: ?Sized;

    /// Runs `body`, which is so many `commands`, in one transaction: commits when it returns `Ok`, else rolls back and returns its error. May
    /// run `body` more than once, each time on a state in which it has not run before; what the last run comes to counts. An error of
    /// beginning or committing is returned too, and then nothing has been stored, unless it says otherwise.
    fn transaction(
        &mut self,
        commands: usize,
        body: &mut dyn FnMut(&mut Self::Work) -> Result<(), StoreError>,
    ) -> Result<(), Undone>;

    /// Called after each successful commit, before anyone is answered: the place to wake watchers.
    fn committed(&mut self) {}
}

/// How long a batch that cannot be stored is halved for. What still cannot be stored then fails together.
const HALVED_MAX: Duration = Duration::from_secs(10);

/// A handle to the writer of an engine. Clones share the writer; it ends, after the queue is drained, when the last is dropped
/// or one is [closed](GroupCommit::close).
pub struct GroupCommit<E: Engine> {
    writer: Writer<E>,
    metrics: WriterMetrics,
}

enum Writer<E: Engine> {
    Thread {
        queue: mpsc::Sender<Message<E::Work>>,
        ended: watch::Receiver<()>,
    },
    Inline(Arc<Mutex<Option<E>>>),
}

enum Message<W: ?Sized> {
    Command(Box<dyn Command<W>>),
    Close,
}

impl<E: Engine> Clone for GroupCommit<E> {
    fn clone(&self) -> Self {
        let writer = match &self.writer {
            Writer::Thread { queue, ended } => Writer::Thread {
                queue: queue.clone(),
                ended: ended.clone(),
            },
            Writer::Inline(engine) => Writer::Inline(engine.clone()),
        };
        Self {
            writer,
            metrics: self.metrics.clone(),
        }
    }
}

impl<E: Engine> std::fmt::Debug for GroupCommit<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GroupCommit").finish_non_exhaustive()
    }
}

impl<E: Engine> GroupCommit<E> {
    /// A writer where `executor` says: [`spawn`](Self::spawn) or [`inline`](Self::inline).
    pub fn start(
        engine: E,
        name: &str,
        options: GroupCommitOptions,
        executor: Executor,
        metrics: WriterMetrics,
    ) -> io::Result<Self> {
        match executor {
            Executor::Threads => Self::spawn(engine, name, options, metrics),
            Executor::Inline => Ok(Self::inline(engine, metrics)),
        }
    }

    /// Starts a writer on a thread of its own, called `name`. Fails when the system gives no thread.
    pub fn spawn(
        engine: E,
        name: &str,
        options: GroupCommitOptions,
        metrics: WriterMetrics,
    ) -> io::Result<Self> {
        let (queue, commands) = mpsc::channel(options.queue_commands_max.max(1));
        let (end, ended) = watch::channel(());
        let batch_max = options.batch_commands_max.max(1);
        let answers = Answers::start();
        std::thread::Builder::new().name(name.to_owned()).spawn({
            let metrics = metrics.clone();
            move || {
                // Dropped last, also when the engine panics: whoever waits for it knows that the engine is gone.
                let _end = end;
                write_all(engine, commands, batch_max, &answers, &metrics);
            }
        })?;
        Ok(Self {
            writer: Writer::Thread { queue, ended },
            metrics,
        })
    }

    /// A writer without a thread: commits each command at once on the caller's task. For simulation, where the order of all that
    /// happens must follow from the seed alone.
    pub fn inline(engine: E, metrics: WriterMetrics) -> Self {
        Self {
            writer: Writer::Inline(Arc::new(Mutex::new(Some(engine)))),
            metrics,
        }
    }

    /// Adds how many commands wait to what is scraped.
    pub fn register_queue(&self, registry: &mut Registry) {
        if let Writer::Thread { queue, .. } = &self.writer {
            let help = "Commands that wait for the writer";
            store::register_queue(registry, "store_write_queue", help, queue);
        }
    }

    /// Runs `command` in a transaction and resolves with its value only after the commit.
    ///
    /// `command` may run several times, each time on a state in which it has not run before, so it must not give away what it
    /// captures. If it panics, it fails with [`StoreError::Internal`] like a command that returned that.
    ///
    /// [`StoreError::Overloaded`] at once when the queue is full, [`StoreError::Unavailable`] when the writer was closed, the
    /// command's own error when it fails, and the engine's when the transaction does. After any error nothing of it is stored,
    /// except after [`StoreError::Internal`] from a writer that died in the act.
    pub async fn submit<T: Send + 'static>(
        &self,
        mut command: impl FnMut(&mut E::Work) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let body = move |work: &mut E::Work, _| command(work);
        let result = self.run(body, Turn::Usual).await;
        self.metrics.ended(&result);
        result
    }

    /// As [`submit`](Self::submit), for long work that is done in parts and that nobody waits for: `command` runs after all others of its
    /// batch and is told how many they are, so that it can do no more than they did.
    pub async fn submit_last<T: Send + 'static>(
        &self,
        command: impl FnMut(&mut E::Work, usize) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let result = self.run(command, Turn::Last).await;
        self.metrics.ended(&result);
        result
    }

    async fn run<T: Send + 'static>(
        &self,
        command: impl FnMut(&mut E::Work, usize) -> Result<T, StoreError> + Send + 'static,
        turn: Turn,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let command = Box::new(Pending {
            body: command,
            turn,
            value: None,
            answer,
            submitted: Instant::now(),
        });
        match &self.writer {
            Writer::Thread { queue, .. } => {
                queue
                    .try_send(Message::Command(command))
                    .map_err(|error| match error {
                        mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
                        mpsc::error::TrySendError::Closed(_) => closed(),
                    })?;
            }
            Writer::Inline(engine) => {
                let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
                let engine = engine.as_mut().ok_or_else(closed)?;
                for answered in run_batch(engine, vec![command], HALVED_MAX, &self.metrics) {
                    answered.give();
                }
            }
        }
        answered
            .await
            .unwrap_or_else(|_| Err(StoreError::internal("the writer died in the act")))
    }

    /// Lets the writer finish what waits, then end; resolves when the engine has been dropped (its files closed, its locks
    /// released). Commands that come later, through any handle, are answered [`StoreError::Unavailable`].
    pub async fn close(self) {
        match self.writer {
            Writer::Thread { queue, mut ended } => {
                // An error means that it is closed already; what remains is to wait for the end.
                let _ = queue.send(Message::Close).await;
                drop(queue);
                while ended.changed().await.is_ok() {}
            }
            Writer::Inline(engine) => {
                drop(engine.lock().unwrap_or_else(PoisonError::into_inner).take());
            }
        }
    }

    /// Resolves when the writer takes no more commands: it was closed, or it died. A process should not outlive the latter.
    /// Never resolves for an inline writer.
    pub async fn closed(&self) {
        match &self.writer {
            Writer::Thread { queue, .. } => queue.closed().await,
            Writer::Inline(_) => std::future::pending().await,
        }
    }
}

fn closed() -> StoreError {
    StoreError::unavailable("the store is closed")
}

/// When a command of a batch has its turn.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// In the order in which they came.
    Usual,
    /// After all of these.
    Last,
}

/// A command with the place to answer it, its type of value hidden.
trait Command<W: ?Sized>: Send {
    /// When it began to wait.
    fn submitted(&self) -> Instant;
    /// When it has its turn.
    fn turn(&self) -> Turn;
    /// Does the work, beside so many others with a usual turn, and keeps the value until the commit.
    fn run(&mut self, work: &mut W, others: usize) -> Result<(), StoreError>;
    /// Hands out the kept value, or the error.
    fn answer(self: Box<Self>, outcome: Result<(), StoreError>);
}

struct Pending<F, T> {
    body: F,
    turn: Turn,
    value: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
    submitted: Instant,
}

impl<W: ?Sized, T: Send, F: FnMut(&mut W, usize) -> Result<T, StoreError> + Send> Command<W>
    for Pending<F, T>
{
    fn submitted(&self) -> Instant {
        self.submitted
    }

    fn turn(&self) -> Turn {
        self.turn
    }

    fn run(&mut self, work: &mut W, others: usize) -> Result<(), StoreError> {
        // What a panicking command leaves behind is rolled back, and its own captures are its own affair.
        let value = catch_unwind(AssertUnwindSafe(|| (self.body)(work, others)));
        self.value =
            Some(value.unwrap_or_else(|_| Err(StoreError::internal("a command panicked")))?);
        crash::point("commit.command_ran");
        Ok(())
    }

    fn answer(self: Box<Self>, outcome: Result<(), StoreError>) {
        let Self { value, answer, .. } = *self;
        let none = || StoreError::internal("the engine ran no command");
        // The caller may have stopped waiting.
        let _ = answer.send(outcome.and_then(|()| value.ok_or_else(none)));
    }
}

fn write_all<E: Engine>(
    mut engine: E,
    mut queue: mpsc::Receiver<Message<E::Work>>,
    batch_max: usize,
    answers: &Answers,
    metrics: &WriterMetrics,
) {
    let mut messages = Vec::with_capacity(batch_max);
    // Zero only when the queue is empty and closed.
    while queue.blocking_recv_many(&mut messages, batch_max) > 0 {
        let mut batch = Vec::with_capacity(messages.len());
        for message in messages.drain(..) {
            match message {
                Message::Command(command) => batch.push(command),
                Message::Close => queue.close(),
            }
        }
        let answered = run_batch(&mut engine, batch, HALVED_MAX, metrics);
        if !answered.is_empty() {
            let give = move || answered.into_iter().for_each(Answered::give);
            answers.leave(vec![Box::new(give)]);
        }
    }
}

/// A command with what it came to.
struct Answered<W: ?Sized> {
    command: Box<dyn Command<W>>,
    outcome: Result<(), StoreError>,
}

impl<W: ?Sized> Answered<W> {
    fn give(self) {
        self.command.answer(self.outcome);
        crash::point("commit.answering");
    }
}

/// Runs the commands in one transaction; if one of them fails, those before it, it alone, and those after it; if some of their rows are in the
/// way, either half, for as long as `halved_max`.
fn run_batch<E: Engine>(
    engine: &mut E,
    mut batch: Vec<Box<dyn Command<E::Work>>>,
    halved_max: Duration,
    metrics: &WriterMetrics,
) -> Vec<Answered<E::Work>> {
    batch.sort_by_key(|command| command.turn());
    let others = batch.partition_point(|command| command.turn() == Turn::Usual);
    let begun = Instant::now();
    for command in &batch {
        metrics.waited(begun - command.submitted());
    }
    let mut answered = Vec::with_capacity(batch.len());
    // The last is the next to run; each is in the order in which its commands came.
    let mut parts = vec![batch];
    while let Some(mut part) = parts.pop() {
        if part.is_empty() {
            continue;
        }
        match run_together(engine, &mut part, others, metrics) {
            Ran::All(outcome) => {
                answered.extend(part.into_iter().map(|command| Answered {
                    command,
                    outcome: outcome.clone(),
                }));
            }
            Ran::UpTo(failed) => {
                let after = part.split_off(failed + 1);
                let alone = part.split_off(failed);
                parts.extend([after, alone, part]);
            }
            Ran::NotTogether(error) if begun.elapsed() < halved_max => {
                tracing::debug!("{} commands are halved: {error}", part.len());
                let later = part.split_off(part.len() / 2);
                parts.extend([later, part]);
            }
            Ran::NotTogether(error) => {
                answered.extend(part.into_iter().map(|command| Answered {
                    command,
                    outcome: Err(error.clone()),
                }));
            }
        }
    }
    answered
}

/// How far the commands of a transaction have come.
enum Ran {
    /// All have come to the same end. An error that no command caused (no disk, no lock) would only meet each of them again.
    All(Result<(), StoreError>),
    /// This one of several fails.
    UpTo(usize),
    /// Something about some of several.
    NotTogether(StoreError),
}

/// `others`: how many commands of the batch take the usual turn.
fn run_together<E: Engine>(
    engine: &mut E,
    commands: &mut [Box<dyn Command<E::Work>>],
    others: usize,
    metrics: &WriterMetrics,
) -> Ran {
    let begun = Instant::now();
    let (mut failed, mut ran) = (None, begun);
    let outcome = engine.transaction(commands.len(), &mut |work| {
        failed = None;
        let outcome = commands
            .iter_mut()
            .enumerate()
            .try_for_each(|(index, command)| {
                let outcome = command.run(work, others);
                outcome.inspect_err(|_| failed = Some(index))
            });
        ran = Instant::now();
        outcome
    });
    metrics.batch(commands.len(), ran - begun, ran.elapsed());
    if outcome.is_ok() {
        engine.committed();
        crash::point("commit.told");
    }
    match (outcome, failed) {
        (Err(Undone::Body(_)), Some(failed)) if commands.len() > 1 => Ran::UpTo(failed),
        (Err(Undone::Rows(error)), _) if commands.len() > 1 => Ran::NotTogether(error),
        (outcome, _) => Ran::All(outcome.map_err(StoreError::from)),
    }
}

#[cfg(test)]
mod tests;
