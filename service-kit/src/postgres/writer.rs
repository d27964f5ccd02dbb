//! The connection of a store's writer, on the writer's own thread.
//!
//! What is to be written is tried again as a whole where another transaction was in the way, and on a new connection where the old one was
//! gone before anything was begun. Deliberately absent: what is written, and finding out what became of a commit whose answer was lost:
//! the engine is asked to do its work once more, and looks first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

use super::{Client, Connector, Failure, PostgresOptions};
use crate::environment::Random;

/// How often work begins anew that other transactions are in the way of.
pub(super) const CONFLICTS_MAX: u32 = 10;
/// The longest of the first waits between two attempts; the next are twice as long each, up to the last.
const CONFLICT_WAITS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(200));
/// How often work begins anew whose connection was lost.
const CUT_OFF_MAX: u32 = 2;
/// How long an answer to a commit that was lost is looked for, and how long is waited between two looks. Longer than a server takes that
/// only starts anew, and shorter than callers wait: all that is written meanwhile stands behind that commit.
const DOUBT_MAX: Duration = Duration::from_secs(2);
const DOUBT_WAIT: Duration = Duration::from_millis(50);

/// Begins a snapshot that only reads.
pub const BEGIN_READ: &str = "begin isolation level repeatable read read only";

/// The writer's connection.
pub struct Writer {
    runtime: Runtime,
    connector: Connector,
    client: Option<Client>,
    random: Arc<dyn Random>,
    begin: String,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

impl Writer {
    /// A writer that is not connected yet. `random` spreads its waits. Fails when the system gives it no runtime.
    pub fn new(
        connector: Connector,
        options: &PostgresOptions,
        random: Arc<dyn Random>,
    ) -> io::Result<Self> {
        let statement = options.statement_timeout.as_millis();
        let lock = options.lock_timeout.as_millis();
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            connector,
            client: None,
            random,
            // For this transaction alone: the next on the same connection may be somebody else's. A process that hangs holds no rows for
            // longer than a statement may take.
            begin: format!(
                "begin isolation level read committed; set local statement_timeout = {statement}; set local lock_timeout = {lock}; \
                 set local idle_in_transaction_session_timeout = {statement}"
            ),
        })
    }

    /// What a transaction begins with: its isolation, and its limits of time.
    pub fn begin(&self) -> &str {
        &self.begin
    }

    /// Runs `work` to its end, as often as it takes and helps, beginning anew ten times for what others are in the way of. It is to roll back by
    /// failing; what is left open is rolled back here.
    ///
    /// `work` fails with [`Failure::Doubt`] when it does not know what became of its commit. It is then run again, on another connection,
    /// and must look first. Not to be called on a thread that drives another runtime.
    pub fn run<T>(
        &mut self,
        work: impl AsyncFnMut(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.run_up_to(CONFLICTS_MAX, work)
    }

    /// [`run`](Self::run), beginning anew only so often for what others are in the way of.
    pub fn run_up_to<T>(
        &mut self,
        conflicts_max: u32,
        mut work: impl AsyncFnMut(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Self {
            runtime,
            connector,
            client,
            random,
            ..
        } = self;
        runtime.block_on(async {
            let (mut conflicts, mut cut_off, mut doubt) = (0, 0, None);
            loop {
                let mut connected = false;
                let attempt = attempt(connector, client, &mut connected, &mut work).await;
                match attempt {
                    Ok(done) => return Ok(done),
                    Err(Failure::Conflict(why)) if conflicts < conflicts_max => {
                        tracing::debug!("a transaction begins anew: {why}");
                        conflicts += 1;
                        sleep(conflict_wait(conflicts, &**random)).await;
                    }
                    Err(Failure::Doubt(why)) => {
                        tracing::warn!("looking for what became of a commit: {why}");
                        doubt.get_or_insert_with(Instant::now);
                    }
                    // The server may have been replaced since the connection was used last, or just now.
                    Err(Failure::Away(_))
                        if connected && doubt.is_none() && cut_off < CUT_OFF_MAX =>
                    {
                        cut_off += 1;
                    }
                    Err(failure) => {
                        let looked_for = doubt.map(|since: Instant| since.elapsed());
                        let goes_on = looked_for.is_some_and(|time| time < DOUBT_MAX);
                        if !goes_on || !matches!(failure, Failure::Away(_) | Failure::Conflict(_)) {
                            return Err(failure);
                        }
                        sleep(DOUBT_WAIT).await;
                    }
                }
            }
        })
    }
}

/// One attempt, on the connection there is or a new one, which is kept unless it is of no more use.
async fn attempt<T>(
    connector: &Connector,
    kept: &mut Option<Client>,
    connected: &mut bool,
    work: &mut impl AsyncFnMut(&Client) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let client = match kept.take().filter(|client| !client.is_closed()) {
        Some(client) => client,
        None => connector.connect().await?.0,
    };
    *connected = true;
    let done = work(&client).await;
    let usable = match &done {
        Ok(_) => true,
        Err(Failure::Away(_) | Failure::Doubt(_)) => false,
        Err(_) => client.rollback().await.is_ok(),
    };
    *kept = usable.then_some(client);
    done
}

fn conflict_wait(conflicts: u32, random: &dyn Random) -> Duration {
    let (first, last) = CONFLICT_WAITS;
    let longest = first
        .saturating_mul(2_u32.saturating_pow(conflicts))
        .min(last);
    let mut byte = [u8::MAX];
    // Without randomness all wait equally long.
    let _ = random.fill(&mut byte);
    longest.mul_f64(f64::from(byte[0].max(1)) / 255.0)
}
