//! A stream of what there is, which comes to an end.
//!
//! Read page by page, the next only when the last was taken, within the bounds of all streams. Deliberately absent: what is exported.

use futures::future::BoxFuture;

use super::{Lane, Watch, WatchEnd, Watches, hand_over};

/// What a stream exports.
pub trait Export: Send + 'static {
    /// One message of it.
    type Message: Send + 'static;
    /// Why it ends early.
    type Failure: From<WatchEnd> + Send + 'static;

    /// The next messages, of which there may be none; `None` at the end.
    fn next(&mut self) -> BoxFuture<'_, Page<Self::Message, Self::Failure>>;
}

/// The next messages of an export; `None` at its end.
pub type Page<M, F> = Result<Option<Vec<M>>, F>;

impl Watches {
    /// Starts a stream of all that `export` has. Fails with [`WatchEnd::TooManyStreams`].
    pub fn export<E: Export>(
        &self,
        mut export: E,
    ) -> Result<Watch<E::Message, E::Failure>, WatchEnd> {
        let (lane, stream) = self.lane::<E::Message, E::Failure>()?;
        let (wait_max, shutdown) = (self.options.hand_over_max, self.shutdown.clone());
        tokio::spawn(async move {
            let Lane { messages, .. } = &lane;
            let all = async {
                while let Some(page) = export.next().await? {
                    for message in page {
                        hand_over::<_, E::Failure>(messages, message, wait_max).await?;
                    }
                }
                Ok::<(), E::Failure>(())
            };
            let failure = tokio::select! {
                () = shutdown.cancelled() => E::Failure::from(WatchEnd::ShuttingDown),
                () = messages.closed() => return,
                ended = all => match ended {
                    Ok(()) => return,
                    Err(failure) => failure,
                },
            };
            lane.fail(failure);
        });
        Ok(stream)
    }
}
