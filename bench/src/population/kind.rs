//! The kinds of members, and what is assumed of each: how much they send, to whom, and how that is taken.
//!
//! No network's figures are in here: they are guesses, chosen on the unkind side for ordinary members and on the clever side for spammers.

/// Whether a kind is meant to be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meant {
    /// They should be left alone.
    Well,
    /// They should be stopped.
    Ill,
}

/// What a kind of member does. Where two numbers are given each member has a number of their own between them, any with the same chance.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) meant: Meant,
    /// How many invitations a member wishes to send in a week, at moments that do not depend on each other.
    pub(crate) a_week: (f64, f64),
    /// How many in each of the first so many weeks, if that is another number.
    pub(crate) at_first: Option<(f64, u16)>,
    /// Of 100 invitees so many accept,
    pub(crate) accept: (f64, f64),
    /// so many decline,
    pub(crate) decline: f64,
    /// and so many report; the others never answer.
    pub(crate) report: f64,
    /// What they write.
    pub(crate) notes: Notes,
    /// What is done about silence.
    pub(crate) silence: Silence,
}

/// What a kind of member writes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Notes {
    /// Nothing.
    None,
    /// To so many of 100 something of its own.
    Own(f64),
    /// To everybody the same.
    Same,
    /// Of so many of 100 members the same to everybody; the others something of its own to everybody.
    SameOf(f64),
}

/// What a kind of member does when nobody answers.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Silence {
    /// Nothing.
    Wait,
    /// After so many days each such invitation is withdrawn.
    Withdraw(i64),
    /// After so many days each such invitation is withdrawn, and the same member is invited again next.
    WithdrawAndResend(i64),
}

pub(crate) const KINDS: [Kind; 9] = [
    Kind {
        name: "occasional",
        meant: Meant::Well,
        a_week: (0.1, 2.0),
        at_first: None,
        accept: (40.0, 90.0),
        decline: 5.0,
        report: 0.3,
        notes: Notes::Own(30.0),
        silence: Silence::Wait,
    },
    Kind {
        name: "regular",
        meant: Meant::Well,
        a_week: (2.0, 15.0),
        at_first: None,
        accept: (35.0, 80.0),
        decline: 8.0,
        report: 0.5,
        notes: Notes::Own(30.0),
        silence: Silence::Withdraw(60),
    },
    Kind {
        name: "newcomer",
        meant: Meant::Well,
        a_week: (0.1, 3.0),
        at_first: Some((60.0, 2)),
        accept: (30.0, 80.0),
        decline: 8.0,
        report: 0.7,
        notes: Notes::None,
        silence: Silence::Wait,
    },
    Kind {
        name: "eager",
        meant: Meant::Well,
        a_week: (20.0, 80.0),
        at_first: None,
        accept: (25.0, 60.0),
        decline: 12.0,
        report: 1.0,
        notes: Notes::SameOf(50.0),
        silence: Silence::Withdraw(30),
    },
    Kind {
        name: "blasting",
        meant: Meant::Ill,
        a_week: (120.0, 240.0),
        at_first: None,
        accept: (2.0, 12.0),
        decline: 12.0,
        report: 8.0,
        notes: Notes::None,
        silence: Silence::Wait,
    },
    Kind {
        name: "copy-pasting",
        meant: Meant::Ill,
        a_week: (70.0, 200.0),
        at_first: None,
        accept: (5.0, 15.0),
        decline: 12.0,
        report: 8.0,
        notes: Notes::Same,
        silence: Silence::Wait,
    },
    Kind {
        name: "withdrawing and resending",
        meant: Meant::Ill,
        a_week: (70.0, 200.0),
        at_first: None,
        accept: (3.0, 10.0),
        decline: 6.0,
        report: 4.0,
        notes: Notes::None,
        silence: Silence::WithdrawAndResend(3),
    },
    Kind {
        name: "slow",
        meant: Meant::Ill,
        a_week: (6.0, 20.0),
        at_first: None,
        accept: (3.0, 12.0),
        decline: 10.0,
        report: 6.0,
        notes: Notes::Own(100.0),
        silence: Silence::Wait,
    },
    Kind {
        name: "slow and tidy",
        meant: Meant::Ill,
        a_week: (6.0, 20.0),
        at_first: None,
        accept: (3.0, 12.0),
        decline: 10.0,
        report: 6.0,
        notes: Notes::Own(100.0),
        silence: Silence::Withdraw(20),
    },
];
