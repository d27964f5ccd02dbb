//! What a sequence is made of, and how it is drawn: members meet often, borders are met exactly.

use proptest::prelude::*;

use invitation_service::domain::{member::WhoCanInvite, pair::DeclineReason, plan::BASIC};

/// How many members a sequence has.
pub(crate) const MEMBERS: usize = 4;

/// A plan with limits of its own.
pub(crate) const PREMIUM: &str = "premium";

/// One of the members.
pub(crate) type Who = usize;

/// One command of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Send {
        from: Who,
        to: Who,
        /// Which of a few notes.
        note: u8,
        /// Which of a few request ids, if any.
        request: Option<u8>,
        /// Whether connection-service was asked first and has answered.
        asked: bool,
    },
    /// A sending is repeated word by word, the latest being 0.
    Again {
        ago: u8,
    },
    Accept(Named),
    Decline(Named, DeclineReason),
    Undo(Named),
    Withdraw(Named),
    MarkSeen {
        who: Who,
        until: Mark,
    },
    Prefer {
        who: Who,
        who_can_invite: Option<WhoCanInvite>,
        auto_withdraw: Wish,
    },
    Unbar {
        who: Who,
        inviter: Who,
    },
    /// An operator gives a member a plan.
    Plan {
        who: Who,
        plan: &'static str,
    },
    /// The clock goes on by so many milliseconds.
    Wait(i64),
    /// The clock goes on to one of the next moments at which something changes, or to a millisecond before it.
    WaitFor {
        border: u8,
        just_before: bool,
    },
    /// The clock goes back by so many milliseconds.
    SetBack(i64),
    /// connection-service does something of its own.
    Elsewhere {
        what: Deed,
        follow: bool,
    },
    /// connection-service is asked for the verdict on an acceptance, the newest being 0; its answer arrives at once or stays on its way.
    Ask {
        acceptance: u8,
        full: Option<Full>,
        arrives: bool,
    },
    /// An answer on its way arrives, and perhaps arrives again later.
    Arrive {
        answer: u8,
        again: bool,
    },
    /// So many changes of connection-service's feed are followed.
    Follow(u8),
    /// The workers do what is due.
    Work,
    /// Everything that members are shown is compared.
    Look,
}

/// An invitation, by how many were sent after it, and by whom it is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) ago: u8,
    pub(crate) by: By,
}

/// Who names an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Inviter,
    Invitee,
    Stranger,
}

/// After how many days a member wishes their own invitations withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wish {
    Unchanged,
    Never,
    Days(u16),
}

/// Up to when a member has looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// So many milliseconds ago.
    Ago(i64),
    /// So many milliseconds from now.
    Ahead(i64),
}

/// What connection-service does of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deed {
    Block(Who, Who),
    Unblock(Who, Who),
    /// A block that is lifted again at once.
    BlockBriefly(Who, Who),
    Remove(Who, Who),
    /// A connection comes about in another way.
    Import(Who, Who),
    Erase(Who),
}

/// Whose connections are full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    Inviter,
    Invitee,
}

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// Some of the members act more often than others.
fn who() -> impl Strategy<Value = Who> {
    prop_oneof![5 => Just(0), 5 => Just(1), 2 => Just(2), 1 => Just(3)]
}

/// Two members: mostly the same two, so that much comes together between them; now and then a member and themselves.
fn two() -> impl Strategy<Value = (Who, Who)> {
    prop_oneof![
        40 => Just((0, 1)),
        40 => Just((1, 0)),
        8 => Just((0, 2)),
        8 => Just((2, 0)),
        8 => Just((1, 2)),
        8 => Just((2, 1)),
        6 => Just((0, 3)),
        3 => Just((3, 0)),
        2 => Just((2, 3)),
        1 => Just((0, 0)),
    ]
}

fn named(usual: By) -> impl Strategy<Value = Named> {
    let by = prop_oneof![
        12 => Just(usual),
        1 => Just(By::Inviter),
        1 => Just(By::Invitee),
        1 => Just(By::Stranger),
    ];
    let ago = prop_oneof![6 => Just(0), 3 => Just(1), 2 => Just(2), 1 => 3..6_u8];
    (ago, by).prop_map(|(ago, by)| Named { ago, by })
}

fn reason() -> impl Strategy<Value = DeclineReason> {
    prop_oneof![
        3 => Just(DeclineReason::NotNow),
        1 => Just(DeclineReason::DontKnow),
        1 => Just(DeclineReason::Spam),
    ]
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        5 => two().prop_map(|(a, b)| Deed::Block(a, b)),
        5 => two().prop_map(|(a, b)| Deed::Unblock(a, b)),
        2 => two().prop_map(|(a, b)| Deed::BlockBriefly(a, b)),
        5 => two().prop_map(|(a, b)| Deed::Remove(a, b)),
        5 => two().prop_map(|(a, b)| Deed::Import(a, b)),
        1 => who().prop_map(Deed::Erase),
    ]
}

fn wait() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => prop_oneof![Just(1), Just(250), Just(999), Just(SECOND), 1..=60 * SECOND].prop_map(Command::Wait),
        2 => prop_oneof![Just(HOUR), Just(DAY - 1), Just(DAY)].prop_map(Command::Wait),
        1 => prop_oneof![
            Just(7 * DAY - 1),
            Just(7 * DAY),
            Just(21 * DAY - 1),
            Just(21 * DAY),
            Just(90 * DAY),
            Just(180 * DAY - 1),
            Just(180 * DAY),
        ]
        .prop_map(Command::Wait),
        6 => (prop_oneof![4 => Just(0_u8), 1 => 1..8_u8], any::<bool>())
            .prop_map(|(border, just_before)| Command::WaitFor { border, just_before }),
        1 => prop_oneof![Just(1), Just(SECOND), Just(HOUR), Just(30 * DAY)].prop_map(Command::SetBack),
    ]
}

fn send() -> impl Strategy<Value = Command> {
    let request = prop_oneof![1 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    (
        two(),
        prop_oneof![3 => Just(0_u8), 1 => 1..3_u8],
        request,
        any::<bool>(),
    )
        .prop_map(|((from, to), note, request, asked)| Command::Send {
            from,
            to,
            note,
            request,
            asked,
        })
}

fn plan() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(PREMIUM), 2 => Just(BASIC), 1 => Just("no longer configured")]
}

fn own() -> impl Strategy<Value = Command> {
    let until = prop_oneof![
        3 => Just(Mark::Ago(0)),
        1 => prop_oneof![Just(1), Just(SECOND), Just(DAY)].prop_map(Mark::Ago),
        1 => Just(Mark::Ahead(DAY)),
    ];
    let days = prop_oneof![
        1 => Just(Wish::Unchanged),
        1 => Just(Wish::Never),
        3 => Just(Wish::Days(7)),
        1 => Just(Wish::Days(30)),
    ];
    prop_oneof![
        3 => (who(), until).prop_map(|(who, until)| Command::MarkSeen { who, until }),
        2 => (who(), proptest::option::of(who_can_invite()), days).prop_map(|(who, who_can_invite, auto_withdraw)| Command::Prefer {
            who,
            who_can_invite,
            auto_withdraw,
        }),
        1 => two().prop_map(|(who, inviter)| Command::Unbar { who, inviter }),
        1 => (who(), plan()).prop_map(|(who, plan)| Command::Plan { who, plan }),
    ]
}

fn who_can_invite() -> impl Strategy<Value = WhoCanInvite> {
    proptest::sample::select(vec![
        WhoCanInvite::Everyone,
        WhoCanInvite::SecondDegree,
        WhoCanInvite::Nobody,
    ])
}

fn elsewhere() -> impl Strategy<Value = Command> {
    let full = prop_oneof![3 => Just(None), 1 => Just(Some(Full::Inviter)), 1 => Just(Some(Full::Invitee))];
    let acceptance = prop_oneof![4 => Just(0_u8), 1 => 1..5_u8];
    prop_oneof![
        8 => (acceptance, full, proptest::bool::weighted(0.7)).prop_map(|(acceptance, full, arrives)| Command::Ask {
            acceptance,
            full,
            arrives,
        }),
        4 => (0..3_u8, any::<bool>()).prop_map(|(answer, again)| Command::Arrive { answer, again }),
        6 => (deed(), proptest::bool::weighted(0.5)).prop_map(|(what, follow)| Command::Elsewhere { what, follow }),
        4 => (1..4_u8).prop_map(Command::Follow),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        16 => send(),
        4 => prop_oneof![5 => Just(0), 1 => 1..4_u8].prop_map(|ago| Command::Again { ago }),
        7 => named(By::Invitee).prop_map(Command::Accept),
        6 => (named(By::Invitee), reason()).prop_map(|(named, reason)| Command::Decline(named, reason)),
        5 => named(By::Invitee).prop_map(Command::Undo),
        6 => named(By::Inviter).prop_map(Command::Withdraw),
        5 => own(),
        12 => wait(),
        14 => elsewhere(),
        4 => Just(Command::Work),
        3 => Just(Command::Look),
    ]
}

/// A sequence of commands.
pub(crate) fn sequence() -> impl Strategy<Value = Vec<Command>> {
    proptest::collection::vec(command(), 1..56)
}

/// Answers that a run of the usual length comes to, each many times: a search that misses one has lost its way.
pub(crate) const ANSWERS: [&str; 55] = [
    "accept: Awaited",
    "accept: Connected",
    "accept: InvitationNotFound",
    "accept: InvitationNotPending",
    "accept: MemberNotFound",
    "decline: AlreadyAccepted",
    "decline: Awaits",
    "decline: Done",
    "decline: InvitationNotFound",
    "decline: MemberNotFound",
    "mark seen: Done",
    "mark seen: MemberNotFound",
    "plan: Done",
    "plan: MemberNotFound",
    "prefer: MemberNotFound",
    "prefer: Preferences",
    "send again: Accepting",
    "send again: Connected",
    "send again: Ended",
    "send again: RequestIdReused",
    "send again: Sent",
    "send: Accepting",
    "send: AlreadyConnected",
    "send: ConnectionLimitReached",
    "send: InvitationPending",
    "send: MemberBlockedByYou",
    "send: MemberNotFound",
    "send: PendingCapReached",
    "send: ProbeLimitReached",
    "send: RecipientUnavailable",
    "send: RequestIdReused",
    "send: ResendCooldown",
    "send: SelfReference",
    "send: Sent",
    "send: WeeklyCapReached",
    "unbar: Done",
    "unbar: MemberNotFound",
    "undo: AlreadyAccepted",
    "undo: Awaits",
    "undo: Done",
    "undo: InvitationNotFound",
    "undo: InvitationNotPending",
    "undo: MemberNotFound",
    "verdict Already: Connected",
    "verdict Created: Connected",
    "verdict Created: NotAwaited",
    "verdict Overtaken: Gone",
    "verdict Overtaken: NotAwaited",
    "verdict Refused: NotAwaited",
    "verdict Refused: Returned",
    "withdraw: AlreadyAccepted",
    "withdraw: Awaits",
    "withdraw: Done",
    "withdraw: InvitationNotFound",
    "withdraw: MemberNotFound",
];
