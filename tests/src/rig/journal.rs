//! What was asked of the pair, and what was answered: the promises that a crash must not break.
//!
//! Moments are numbers that only grow, so that of two calls it can be said that one had ended before the other began. Deliberately
//! absent: what follows from a promise (`check.rs`).

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use acquaint_proto::invitation::v1 as invitation;

/// What a member asks for. Members and invitations by their ids.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// To send an invitation.
    Send {
        /// Who invites.
        inviter: String,
        /// Who is invited.
        invitee: String,
        /// Makes it safe to repeat; each has one of its own.
        request_id: String,
        /// The note.
        note: String,
    },
    /// To accept.
    Accept(Named),
    /// To decline.
    Decline(Named, invitation::DeclineReason),
    /// To take a decline back.
    Undo(Named),
    /// To withdraw.
    Withdraw(Named),
    /// To lift the bar against an inviter.
    Unbar(Between),
    /// To mark as seen what was received up to a time, in milliseconds.
    Seen(String, i64),
    /// To have invitations withdrawn after so many days.
    Wish(String, i64),
    /// To end a connection.
    Remove(Between),
    /// To block.
    Block(Between),
    /// To unblock.
    Unblock(Between),
    /// To give a connection labels and a note, all of which follow from a number.
    Label(Between, i64),
    /// To give the label of a number the text of the next.
    Relabel(String, i64),
    /// To delete the label of a number.
    Unlabel(String, i64),
    /// Not to have the other suggested.
    Dismiss(Between),
    /// To have the two connected who were connected elsewhere at a time, in milliseconds.
    Import(Between, i64),
    /// To have a card put of a member, whose headline is a number.
    Put(String, i64),
    /// To be erased.
    Erase(String),
}

/// A member's invitation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Who acts.
    pub member: String,
    /// The other of the two.
    pub other: String,
    /// The invitation.
    pub id: String,
}

/// A member acting on another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Between {
    /// Who acts.
    pub member: String,
    /// On whom.
    pub other: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// No answer: it may have happened.
    Open,
    /// It did not happen, for this reason.
    Refused(String),
    /// It happened.
    Done,
    /// It happened: this new invitation was sent.
    Sent(String),
    /// It happened: this invitation was accepted. Whether the connection was made is also known.
    Accepted {
        /// Which.
        id: String,
        /// Whether the two were said to be connected.
        connected: bool,
    },
}

/// A call, with however many attempts.
#[derive(Debug, Clone)]
pub struct Call {
    /// What was asked.
    pub act: Act,
    /// Before this moment it had not been asked.
    pub begun: u64,
    /// After this moment nothing of it happens any more; `None` when that is not known.
    pub ended: Option<u64>,
    /// An attempt was not answered and another was made. So a call that was refused may have happened before.
    pub repeated: bool,
    /// What came of it.
    pub outcome: Outcome,
}

/// All calls.
#[derive(Debug, Default)]
pub struct Journal {
    moment: AtomicU64,
    calls: Mutex<Vec<Call>>,
    violations: Mutex<Vec<String>>,
}

impl Journal {
    /// Notes that a call begins; its number.
    pub fn begin(&self, act: Act) -> usize {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(Call {
            act,
            begun: self.tick(),
            ended: None,
            repeated: false,
            outcome: Outcome::Open,
        });
        calls.len() - 1
    }

    /// Notes that an attempt was not answered and another is made.
    pub fn repeat(&self, call: usize) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls[call].repeated = true;
    }

    /// Notes what came of it.
    pub fn end(&self, call: usize, outcome: Outcome) {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let call = &mut calls[call];
        // An attempt that nobody has answered may still be under way in a process that has not died.
        call.ended = (outcome != Outcome::Open).then(|| self.tick());
        call.outcome = outcome;
    }

    fn tick(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::SeqCst)
    }

    /// Notes an answer that must never be given.
    pub fn violation(&self, what: String) {
        let mut violations = self
            .violations
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        violations.push(what);
    }

    /// The answers that must never be given.
    pub fn violations(&self) -> Vec<String> {
        let violations = self.violations.lock();
        violations.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How many calls there were so far.
    pub fn len(&self) -> usize {
        let calls = self.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether there was none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        let calls = self.calls.lock();
        calls.unwrap_or_else(PoisonError::into_inner).clone()
    }
}
