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
    place: Arc<Place<B>>,
    state: Mutex<State<B::Head>>,
}

/// Where a snapshot is read.
struct Place<B: BatchRows> {
    connection: ReadClient,
    shared: Shared<B>,
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
        let shared = shared.clone();
        let place = Arc::new(Place { connection, shared });
        let mut beginning = begun(place.clone()).boxed();
        // Sends it; what follows goes out behind it.
        let state = match futures::poll!(&mut beginning) {
            std::task::Poll::Ready(ended) => State::Ended(ended),
            std::task::Poll::Pending => State::Beginning(beginning),
        };
        Self {
            place,
            state: Mutex::new(state),
        }
    }

    /// Its moment, once the server has told. [`Failure::WentBack`] when the history lies before what was known; its [end](Self::end) is to be told.
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
        self.place.connection.client()
    }

    /// Over how many lanes rows are spread.
    pub fn lanes(&self) -> u16 {
        self.place.shared.lanes
    }

    /// A member's lane.
    pub fn lane(&self, member: &MemberId) -> i32 {
        member_lane(member, self.lanes())
    }

    /// Ends it with what was read. Where it never began that is why, whatever the reading failed with; after [`Failure::WentBack`] another
    /// epoch has begun.
    pub async fn end<T>(self, read: Result<T, Failure>) -> Result<T, Failure> {
        let begun = self.begun().await.map(drop);
        if begun == Err(Failure::WentBack) {
            // Only here, where nothing more is asked on the connection.
            let client = self.client()?;
            client.rollback().await?;
            self.place.shared.begin_again(client).await?;
            self.give_back();
            return Err(Failure::WentBack);
        }
        begun?;
        let read = read?;
        // Nobody waits for the answer: nothing was written, and whoever has the connection next asks behind it.
        if let Some(ended) = self.client()?.commit().now_or_never() {
            ended?;
        }
        self.give_back();
        Ok(read)
    }

    /// Leaves the connection to the next. What began the snapshot has ended, and with it the other hold of the connection.
    fn give_back(self) {
        if let Some(place) = Arc::into_inner(self.place) {
            place.connection.give_back();
        }
    }
}

async fn begun<B: BatchRows>(place: Arc<Place<B>>) -> Result<Begun<B::Head>, Failure> {
    let (client, shared) = (place.connection.client()?, &place.shared);
    let known = shared.history.known();
    let head = B::head_statement(Locking::Unlocked);
    let ((), rows) = futures::try_join!(client.begin(BEGIN_READ), head.query(client, &[]))?;
    let (head, now) = shared.saw(client, known, &rows).await?;
    Ok(Begun { now, head })
}
