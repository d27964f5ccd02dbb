//! Reading what is committed at one moment.
//!
//! What begins a snapshot, what is read in it and what ends it are sent without waiting for each other's answers, wherever a read does
//! not need one to go on: a short read costs both sides one exchange instead of three. Deliberately absent: what is read.

use std::fmt;
use std::sync::Arc;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use tokio::sync::Mutex;

use super::{BEGIN_READ, BatchRows, Client, Failure, Locking, ReadClient, Shared, member_lane};
use crate::id::MemberId;
use crate::time::Time;

/// What is committed at one moment. It [ends](Self::end) with what was read in it; dropped before that, its connection is closed.
pub struct ReadSnapshot<B: BatchRows> {
    connection: Arc<ReadClient>,
    state: Mutex<State<B::Head>>,
    /// Over how many lanes rows are spread.
    pub lanes: u16,
}

/// The moment of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Begun<H> {
    /// The store's time.
    pub now: Time,
    /// The end of the history.
    pub head: H,
}

enum State<H> {
    /// What begins it was sent.
    Beginning(BoxFuture<'static, Result<Begun<H>, Failure>>),
    /// The answer has come.
    Ended(Result<Begun<H>, Failure>),
}

impl<B: BatchRows> fmt::Debug for ReadSnapshot<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadSnapshot").finish_non_exhaustive()
    }
}

impl<B: BatchRows> ReadSnapshot<B> {
    /// Begins one on `connection`: what is asked there next is part of it.
    pub async fn begin(connection: ReadClient, shared: &Shared<B>) -> Self {
        let connection = Arc::new(connection);
        let mut beginning = begun(connection.clone(), shared.clone()).boxed();
        // Sends it; what follows goes out behind it.
        let state = match futures::poll!(&mut beginning) {
            std::task::Poll::Ready(ended) => State::Ended(ended),
            std::task::Poll::Pending => State::Beginning(beginning),
        };
        Self {
            connection,
            state: Mutex::new(state),
            lanes: shared.lanes,
        }
    }

    /// Its moment, once the server has told. [`Failure::WentBack`] when the history lies before what was known; another epoch has begun then.
    pub async fn begun(&self) -> Result<Begun<B::Head>, Failure> {
        let mut state = self.state.lock().await;
        let ended = match &mut *state {
            State::Ended(ended) => return ended.clone(),
            State::Beginning(beginning) => beginning.await,
        };
        *state = State::Ended(ended.clone());
        ended
    }

    /// The connection, within the snapshot.
    pub fn client(&self) -> Result<&Client, Failure> {
        self.connection.client()
    }

    /// A member's lane.
    pub fn lane(&self, member: &MemberId) -> i32 {
        member_lane(member, self.lanes)
    }

    /// Ends it with what was read. Where it never began that is why, whatever the reading failed with.
    pub async fn end<T>(self, read: Result<T, Failure>) -> Result<T, Failure> {
        self.begun().await?;
        let read = read?;
        // Nobody waits for the answer: nothing was written, and whoever has the connection next asks behind it.
        if let Some(ended) = self.client()?.commit().now_or_never() {
            ended?;
        }
        if let Some(connection) = Arc::into_inner(self.connection) {
            connection.give_back();
        }
        Ok(read)
    }
}

async fn begun<B: BatchRows>(
    connection: Arc<ReadClient>,
    shared: Shared<B>,
) -> Result<Begun<B::Head>, Failure> {
    let client = connection.client()?;
    let known = shared.history.known();
    let head = B::head_statement(Locking::Unlocked);
    let ((), rows) = futures::try_join!(client.begin(BEGIN_READ), head.query(client, &[]))?;
    match shared.saw(client, known, &rows).await {
        Ok((head, now)) => Ok(Begun { now, head }),
        Err(Failure::WentBack) => {
            client.rollback().await?;
            shared.begin_again(client).await?;
            Err(Failure::WentBack)
        }
        Err(error) => Err(error),
    }
}
