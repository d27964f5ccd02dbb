//! Up to where facts have been acknowledged, for those who wait for it.
//!
//! Deliberately absent: storing it; the row of the history's end does.

use tokio::sync::watch;

/// The highest acknowledged position that this process knows of. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged(watch::Sender<u64>);

impl Acknowledged {
    /// Of nothing.
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Notes a position, unless a higher one is known.
    pub(super) fn raise(&self, position: u64) {
        self.0.send_if_modified(|known| {
            let raises = position > *known;
            *known = position.max(*known);
            raises
        });
    }

    /// The position, to read or to wait for.
    pub(super) fn subscribe(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}
