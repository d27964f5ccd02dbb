//! Reading what is committed at one moment.
//!
//! Deliberately absent: what is read.

use super::{BEGIN_READ, BatchRows, Client, Failure, Locking, ReadClient, Shared, member_lane};
use crate::id::MemberId;
use crate::time::Time;

/// What is committed at one moment. It [ends](Self::end) with what was read in it; dropped before that, its connection is closed.
pub struct ReadSnapshot<B: BatchRows> {
    connection: ReadClient,
    /// The store's time.
    pub now: Time,
    /// The end of the history.
    pub head: B::Head,
    /// Over how many lanes rows are spread.
    pub lanes: u16,
}

impl<B: BatchRows> ReadSnapshot<B> {
    /// Begins one on `connection`. [`Failure::WentBack`] when the history lies before what was known; another epoch has begun then.
    pub async fn begin(connection: ReadClient, shared: &Shared<B>) -> Result<Self, Failure> {
        let client = connection.client()?;
        let known = shared.history.known();
        let head = B::head_statement(Locking::Unlocked);
        let ((), rows) = futures::try_join!(client.begin(BEGIN_READ), head.query(client, &[]))?;
        let (head, now) = match shared.saw(client, known, &rows).await {
            Err(Failure::WentBack) => {
                client.rollback().await?;
                shared.begin_again(client).await?;
                connection.give_back();
                return Err(Failure::WentBack);
            }
            seen => seen?,
        };
        Ok(Self {
            connection,
            now,
            head,
            lanes: shared.lanes,
        })
    }

    /// The connection, within the snapshot.
    pub fn client(&self) -> Result<&Client, Failure> {
        self.connection.client()
    }

    /// A member's lane.
    pub fn lane(&self, member: &MemberId) -> i32 {
        member_lane(member, self.lanes)
    }

    /// Ends it with what was read.
    pub async fn end<T>(self, read: Result<T, Failure>) -> Result<T, Failure> {
        let read = read?;
        self.client()?.commit().await?;
        self.connection.give_back();
        Ok(read)
    }
}
