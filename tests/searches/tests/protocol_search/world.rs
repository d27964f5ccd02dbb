//! Two services, the messages between them, and what an onlooker remembers in order to judge.
//!
//! The services are the real pairs and members of both domains. What a crash loses is a message on its way, since both services are
//! durable by the transaction. Deliberately absent: how anything moves (`inviting.rs`, `connecting.rs`, `steps.rs`), and two clocks: both
//! services read the same, which ticks with each step.

use connection_service::domain::{
    ensure::{self, StoredVerdict},
    fact::PairFacts,
    member::Member as ConnectionMember,
    pair::Pair as ConnectionPair,
};
use invitation_service::domain::{
    member::Member,
    pair::{Connection, Facts, Pair},
};
use service_kit::{
    id::{MemberId, PairKey, Side, Sides, uuid_time},
    time::{Span, Time},
};
use uuid::Uuid;

use super::onlooker::Memory;

/// A promise to the members that was not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) &'static str);

/// Everything there is.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) now: Time,
    pub(crate) inviting: Inviting,
    pub(crate) connecting: Connecting,
    /// A send of each side that has asked connection-service and was not decided yet.
    pub(crate) asks: Sides<Option<Ask>>,
    /// Acceptances that connection-service may still be asked about, oldest first: as often as the worker likes while the verdict is
    /// awaited, and once more later, by a copy that was long on its way.
    pub(crate) requests: Vec<ensure::Acceptance>,
    /// Verdicts on their way back.
    pub(crate) answers: Vec<Answer>,
    pub(crate) memory: Memory,
}

/// invitation-service.
#[derive(Debug, Clone)]
pub(crate) struct Inviting {
    pub(crate) pair: Pair,
    pub(crate) members: Sides<Member>,
    /// How far the feed has been folded.
    pub(crate) cursor: u64,
}

/// connection-service.
#[derive(Debug, Clone)]
pub(crate) struct Connecting {
    pub(crate) pair: ConnectionPair,
    pub(crate) members: Sides<ConnectionMember>,
    pub(crate) erased: Sides<bool>,
    pub(crate) verdicts: Vec<(Uuid, StoredVerdict)>,
    /// Whose connections, with others, are full.
    pub(crate) full: Option<Side>,
    /// What held at the position of `Inviting::cursor` and at every one after it: all but the first are the events to be folded.
    pub(crate) truth: Vec<PairFacts>,
}

/// A live answer to a send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask {
    pub(crate) facts: PairFacts,
    pub(crate) position: u64,
}

/// A verdict on its way to invitation-service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) acceptance: ensure::Acceptance,
    pub(crate) verdict: ensure::Verdict,
    pub(crate) facts: PairFacts,
    pub(crate) position: u64,
}

impl World {
    /// Two members between whom nothing has been.
    pub(crate) fn new() -> Self {
        let member = |text| MemberId::parse(text).unwrap();
        let (low, high) = (member("Ann"), member("Bob"));
        let key = PairKey::new(&low, &high).unwrap();
        Self {
            now: Time::from_millis(1_000),
            inviting: Inviting {
                pair: Pair::new(key),
                members: Sides {
                    low: Member::new(low),
                    high: Member::new(high),
                },
                cursor: 0,
            },
            connecting: Connecting {
                pair: ConnectionPair::default(),
                members: Sides::default(),
                erased: Sides::default(),
                verdicts: Vec::new(),
                full: None,
                truth: vec![PairFacts::default()],
            },
            asks: Sides::default(),
            requests: Vec::new(),
            answers: Vec::new(),
            memory: Memory::default(),
        }
    }

    /// The clock ticks.
    pub(crate) fn tick(&mut self) {
        self.now = self.now.plus(Span::millis(1));
    }

    /// The last position of the feed.
    pub(crate) fn head(&self) -> u64 {
        self.inviting.cursor + self.connecting.truth.len() as u64 - 1
    }

    /// What held at a position that is not before the cursor.
    pub(crate) fn truth_at(&self, position: u64) -> &PairFacts {
        let offset = usize::try_from(position - self.inviting.cursor).unwrap();
        &self.connecting.truth[offset]
    }

    /// What holds.
    pub(crate) fn truth(&self) -> &PairFacts {
        self.connecting.truth.last().unwrap()
    }

    /// Up to which position invitation-service knows the facts.
    pub(crate) fn known_to(&self) -> u64 {
        self.inviting.pair.facts_known_to(self.inviting.cursor)
    }

    /// Whether invitation-service awaits the verdict on this acceptance.
    pub(crate) fn is_awaited(&self, acceptance: &ensure::Acceptance) -> bool {
        self.inviting.pair.live.as_ref().is_some_and(|live| {
            live.acceptance.is_some()
                && live.invitation.id == acceptance.invitation
                && live.invitation.acceptances == acceptance.number
        })
    }

    /// Whether invitation-service awaits any verdict.
    pub(crate) fn awaits_verdict(&self) -> bool {
        let live = self.inviting.pair.live.as_ref();
        live.is_some_and(|live| live.acceptance.is_some())
    }

    /// Forgets verdicts that answer nothing, or say nothing that another does not, and bring no news.
    pub(crate) fn drop_dead_answers(&mut self) {
        let cursor = self.inviting.cursor;
        let mut answers = std::mem::take(&mut self.answers);
        answers.retain(|answer| answer.position > cursor || self.is_awaited(&answer.acceptance));
        // Of two that say the same and are both past, one is enough.
        let says = |answer: &Answer| {
            (answer.position <= cursor).then_some((answer.acceptance, answer.verdict))
        };
        answers.dedup_by(|one, other| says(one).is_some() && says(one) == says(other));
        self.answers = answers;
    }

    /// Forgets what can make no difference any more, so that equal futures are equal states.
    pub(crate) fn forget(&mut self) {
        let pair = &mut self.inviting.pair;
        pair.withdrawn.clear();
        let live = pair.live.as_ref().map(|live| live.invitation.id);
        let declined = [&pair.declined.low, &pair.declined.high].map(|declined| {
            let declined = declined.as_ref()?;
            Some(declined.invitation.id)
        });
        let requests = &self.requests;
        let on_its_way = |id: &Uuid| requests.iter().any(|request| request.invitation == *id);
        let memory = &mut self.memory;
        memory.fates.retain(|(id, _)| on_its_way(id));
        if live.is_none() {
            memory.may_end = false;
            memory.heard_block = false;
        }
        let accepting = pair
            .live
            .as_ref()
            .is_some_and(|live| live.acceptance.is_some());
        if !accepting {
            memory.may_refuse = false;
        }
        self.connecting
            .verdicts
            .retain(|(id, _)| on_its_way(id) || live == Some(*id) || declined.contains(&Some(*id)));
        for member in [
            &mut self.inviting.members.low,
            &mut self.inviting.members.high,
        ] {
            if !member.charges.times().is_empty() {
                member.charges = invitation_service::domain::window::RollingLog::default();
            }
            if !member.probes.times().is_empty() {
                member.probes = invitation_service::domain::window::RollingLog::default();
            }
        }
    }
}

/// The facts of connection-service as invitation-service reads them from the wire.
pub(crate) fn read(facts: &PairFacts) -> Facts {
    Facts {
        connection: facts.connection.map(|connection| Connection {
            connect_time: connection.connect_time,
            invitation_id: connection.invitation,
        }),
        blocked_by: facts.blocked,
    }
}

/// When an invitation was sent: its id says so.
pub(crate) fn sent(invitation: &Uuid) -> Time {
    uuid_time(invitation).unwrap()
}

/// Whether either member was erased.
pub(crate) fn any_erased(facts: &PairFacts) -> bool {
    facts.erased.low || facts.erased.high
}

/// Whether either has blocked the other.
pub(crate) fn any_blocked(facts: &PairFacts) -> bool {
    facts.blocked.low || facts.blocked.high
}
