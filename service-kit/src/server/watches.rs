//! The watches of each caller: so many and no more, so that one caller leaves room for others.
//!
//! Deliberately absent: how many there are in all ([`crate::watch`]), and how many a connection has ([`super::connections`]).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The watches of all callers. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Watches {
    max: usize,
    /// By the caller's name; whoever has none does not stand there.
    open: Arc<Mutex<HashMap<Arc<str>, usize>>>,
}

/// A watch that its caller has open; closed when dropped.
#[derive(Debug)]
pub(super) struct CallersWatch {
    caller: Arc<str>,
    watches: Watches,
}

impl Watches {
    /// None yet, and at most `max` for each caller.
    pub(super) fn new(max: usize) -> Self {
        Self {
            max,
            open: Arc::default(),
        }
    }

    /// Another watch of `caller`; `None` when they have as many as they may.
    pub(super) fn open(&self, caller: Arc<str>) -> Option<CallersWatch> {
        let mut open = self.lock();
        let count = open.get(&caller).copied().unwrap_or_default();
        if count >= self.max {
            return None;
        }
        open.insert(caller.clone(), count + 1);
        drop(open);
        let watches = self.clone();
        Some(CallersWatch { caller, watches })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, usize>> {
        // Nothing that holds the lock can leave the map half changed.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for CallersWatch {
    fn drop(&mut self) {
        let mut open = self.watches.lock();
        match open.get_mut(&self.caller) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.caller);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_so_many() {
        let watches = Watches::new(2);
        let open = |caller: &str| watches.open(caller.into());
        let two = [open("app").unwrap(), open("app").unwrap()];
        assert!(open("app").is_none());
        let other = open("peer").unwrap();
        drop(two);
        assert!(open("app").is_some());
        drop(other);
        assert!(watches.lock().is_empty());
        assert!(Watches::new(0).open("app".into()).is_none());
    }
}
