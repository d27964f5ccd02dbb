//! What the members' devices did, and what they were answered: the lines of a run, and what is checked in the end.
//!
//! Deliberately absent: the checks.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use acquaint_proto::invitation::v1::{
    CountInvitationsResponse, SendInvitationResponse, SendOutcome,
};

/// How many labels a member gives.
pub(crate) const LABELS: u8 = 3;

/// What a member asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    /// An invitation; the request id is the device's, the same when asked again.
    Send {
        /// To whom.
        to: String,
        /// The request id.
        request: String,
    },
    /// Accepting an invitation.
    Accept(String),
    /// Declining one.
    Decline {
        /// Which.
        id: String,
        /// Whether as one from somebody the member does not know, which bars the inviter.
        report: bool,
    },
    /// Taking a decline back.
    Undo(String),
    /// Withdrawing an invitation.
    Withdraw(String),
    /// Ending a connection.
    Remove(String),
    /// Blocking.
    Block(String),
    /// Lifting a block.
    Unblock(String),
    /// Whether nobody may invite the member.
    Close(bool),
    /// Lifting a bar.
    Unbar(String),
    /// Marking all as seen.
    MarkSeen,
    /// Having the member connected with another since a time, in milliseconds of the services' clocks.
    Import {
        /// With whom.
        other: String,
        /// Since when.
        millis: i64,
    },
    /// Giving a connection labels and a note, all of which follow from a number.
    Note {
        /// With whom.
        other: String,
        /// The number.
        number: u8,
    },
    /// Giving a label another text; both by their numbers.
    Relabel(u8, u8),
    /// Deleting a label, by its number.
    Unlabel(u8),
    /// Not having somebody suggested.
    Dismiss(String),
}

/// The text of a label.
pub(crate) fn label(number: u8) -> String {
    format!("label-{number}")
}

/// The note that a number stands for.
pub(crate) fn note(number: u8) -> String {
    format!("note-{number}")
}

/// The labels that go with a note, in the order of their texts.
pub(crate) fn labels(number: u8) -> Vec<String> {
    let numbers = (0..LABELS).filter(|nth| number >> nth & 1 == 1);
    numbers.map(label).collect()
}

/// How a call came out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It was sent, or repeated.
    Sent(Box<SendInvitationResponse>),
    /// It was accepted; whether the two are connected already.
    Accepted {
        /// Whether the answer names the connection.
        connected: bool,
    },
    /// Done.
    Done,
    /// A rule said no: the reason.
    Refused(String),
    /// Nobody knows whether it was done.
    InDoubt,
}

impl Outcome {
    /// What was sent anew, if that is what it came to.
    pub(crate) fn sent(&self) -> Option<&SendInvitationResponse> {
        match self {
            Self::Sent(answer) if answer.outcome() == SendOutcome::Sent => Some(answer),
            _ => None,
        }
    }
}

/// A call with its repeats.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Who asked.
    pub(crate) member: String,
    /// For what.
    pub(crate) op: Op,
    /// When it was first asked, in simulated milliseconds.
    pub(crate) began: u64,
    /// When it was answered or given up.
    pub(crate) ended: u64,
    /// Whether an attempt before the last got no answer, so that the call may have taken effect before.
    pub(crate) repeated: bool,
    /// What came of it.
    pub(crate) outcome: Outcome,
}

/// A connection as a member lists it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Connection {
    /// With whom.
    pub(crate) other: String,
    /// The labels that the member has given it.
    pub(crate) labels: Vec<String>,
    /// What the member has noted.
    pub(crate) note: String,
}

/// What a member's lists hold in the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Lists {
    /// Sent, received and filtered: the invitations' ids.
    pub(crate) invitations: [Vec<String>; 3],
    /// How many the service says there are.
    pub(crate) counts: CountInvitationsResponse,
    /// Connected with whom.
    pub(crate) connections: Vec<Connection>,
    /// The labels, and how many connections have each.
    pub(crate) labels: Vec<(String, i32)>,
    /// Blocked.
    pub(crate) blocked: Vec<String>,
    /// Whether nobody may invite the member.
    pub(crate) closed: bool,
}

/// All that happened, in order.
#[derive(Default)]
pub(crate) struct History {
    now: Cell<u64>,
    quiet: Cell<bool>,
    working: Cell<usize>,
    calls: RefCell<Vec<Call>>,
    lists: RefCell<BTreeMap<String, Lists>>,
    masked: RefCell<Vec<Vec<u8>>>,
    violations: RefCell<Vec<String>>,
}

impl History {
    /// Simulated milliseconds since the beginning.
    pub(crate) fn now(&self) -> u64 {
        self.now.get()
    }

    /// The time goes on.
    pub(crate) fn set_now(&self, millis: u64) {
        self.now.set(millis);
    }

    /// A member begins to make calls.
    pub(crate) fn begin_member(&self) {
        self.working.set(self.working.get() + 1);
    }

    /// A member has made all calls.
    pub(crate) fn end_member(&self) {
        self.working.set(self.working.get() - 1);
    }

    /// What there is to wait for before everything can be at rest.
    pub(crate) fn busy(&self) -> Option<String> {
        let working = self.working.get();
        (working > 0).then(|| format!("{working} members still call"))
    }

    /// Whether everything has come to rest.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet.get()
    }

    /// Everything has come to rest.
    pub(crate) fn set_quiet(&self) {
        self.quiet.set(true);
    }

    /// A line of the run.
    pub(crate) fn say(&self, line: &str) {
        println!("{:>6} {line}", self.now());
    }

    /// Something is not as it must be.
    pub(crate) fn violation(&self, what: String) {
        self.say(&format!("VIOLATION {what}"));
        self.violations.borrow_mut().push(what);
    }

    /// A call came to its end.
    pub(crate) fn record(&self, call: Call) {
        self.calls.borrow_mut().push(call);
    }

    /// Two answers to one request must be the same.
    pub(crate) fn check_same_answer(
        &self,
        member: &str,
        one: &SendInvitationResponse,
        other: &SendInvitationResponse,
    ) {
        let told = |answer: &SendInvitationResponse| {
            let invitation = answer.invitation.clone().unwrap_or_default();
            (
                invitation.invitation_id,
                answer.outcome() == SendOutcome::Sent,
            )
        };
        if told(one) != told(other) {
            self.violation(format!(
                "{member} was answered {one:?} and, to the same request, {other:?}"
            ));
        }
    }

    /// A request that was answered was asked again, within the time that it is remembered.
    pub(crate) fn record_repeat(&self, member: &str, before: &Outcome, again: &Outcome) {
        match (before, again) {
            (Outcome::Sent(one), Outcome::Sent(other)) if before.sent().is_some() => {
                self.check_same_answer(member, one, other);
            }
            // Only of what was sent: a crossing may be answered before its verdict, and of several that meet in one acceptance the
            // first is remembered.
            (Outcome::Sent(one), Outcome::Refused(reason)) if before.sent().is_some() => {
                self.violation(format!(
                    "{member} was answered {one:?} and, to the same request, {reason}"
                ));
            }
            _ => {}
        }
    }

    /// A masked refusal, byte for byte.
    pub(crate) fn record_masked(&self, refusal: Vec<u8>) {
        let mut masked = self.masked.borrow_mut();
        if !masked.contains(&refusal) {
            masked.push(refusal);
        }
    }

    /// The different masked refusals.
    pub(crate) fn masked(&self) -> usize {
        self.masked.borrow().len()
    }

    /// What a member's lists hold in the end.
    pub(crate) fn record_lists(&self, member: &str, lists: Lists) {
        self.lists.borrow_mut().insert(member.to_owned(), lists);
    }

    /// The calls in the order of their ends.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.borrow().clone()
    }

    /// Each member's lists in the end.
    pub(crate) fn lists(&self) -> BTreeMap<String, Lists> {
        self.lists.borrow().clone()
    }

    /// What was not as it must be.
    pub(crate) fn violations(&self) -> Vec<String> {
        self.violations.borrow().clone()
    }
}
