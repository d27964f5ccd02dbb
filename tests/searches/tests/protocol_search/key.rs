//! When two worlds are the same: nothing that can still happen tells them apart.
//!
//! Ids are replaced by the order in which they are met, positions by their distance to the cursor, times by what they are compared with;
//! the two members may change places. [`Detail::Merged`] also leaves out what the rules say makes no difference (news that is old);
//! [`Detail::Exact`] does not trust them in that.

use connection_service::domain::{
    ensure::{Full, Verdict},
    fact::PairFacts,
    pair::Connection,
};
use service_kit::{id::Sides, time::Time};
use std::hash::{DefaultHasher, Hasher};
use uuid::Uuid;

use super::{
    onlooker::Fate,
    world::World,
    writer::{NONE, Writer},
};

/// How much of old news is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// All of it.
    Exact,
    /// None: the rules skip it, as shallower exact searches show.
    Merged,
}

/// Writes worlds down; its memory is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    bytes: [Vec<u8>; 2],
    ids: Vec<Uuid>,
    times: Vec<Time>,
}

impl Keys {
    /// The same for two worlds that are the same; different for different ones but for a negligible chance.
    pub(crate) fn key(&mut self, world: &World, detail: Detail) -> u64 {
        for swapped in [false, true] {
            self.ids.clear();
            self.times.clear();
            let mut bytes = std::mem::take(&mut self.bytes[usize::from(swapped)]);
            bytes.clear();
            let mut writer = Writer {
                bytes: &mut bytes,
                ids: &mut self.ids,
                times: &mut self.times,
                cursor: world.inviting.cursor,
                swapped,
                detail,
            };
            writer.world(world);
            self.bytes[usize::from(swapped)] = bytes;
        }
        let mut hasher = DefaultHasher::new();
        let [straight, swapped] = &self.bytes;
        hasher.write(straight.min(swapped));
        hasher.finish()
    }
}

impl Writer<'_> {
    fn world(&mut self, world: &World) {
        self.inviting(world);
        self.connecting(world);
        let past = world.inviting.cursor;
        for side in self.sides() {
            match world.asks.get(side) {
                None => self.bytes.push(NONE),
                Some(ask) if self.detail == Detail::Merged && ask.position <= past => {
                    self.bytes.push(NONE - 1);
                    self.flags(ask.facts.erased);
                }
                Some(ask) => {
                    self.position(ask.position);
                    self.facts(&ask.facts);
                }
            }
        }
        self.bytes.push(NONE);
        for request in &world.requests {
            self.hopeful(request.invitation, &world.memory);
            self.number(request.number);
            self.side(request.acceptor);
            let marks = &world.connecting.pair.removed;
            let stands = |mark: Option<Time>| mark.is_some_and(|mark| mark >= request.accept_time);
            self.bytes.push(u8::from(stands(marks.low.max(marks.high))));
            self.bytes.push(u8::from(stands(world.memory.parted)));
            let fate = world
                .memory
                .fates
                .iter()
                .find(|(id, _)| *id == request.invitation);
            self.bytes.push(match fate.map(|(_, fate)| fate) {
                None => NONE,
                Some(Fate::Accepted) => 0,
                Some(Fate::Declined) => 1,
                Some(Fate::Withdrawn) => 2,
                Some(Fate::Expired) => 3,
                Some(Fate::Ended) => 4,
            });
        }
        self.bytes.push(NONE);
        for answer in &world.answers {
            self.id(answer.acceptance.invitation);
            self.number(answer.acceptance.number);
            self.verdict(&answer.verdict);
            if self.detail == Detail::Merged && answer.position <= past {
                self.bytes.push(NONE);
            } else {
                self.position(answer.position);
                self.facts(&answer.facts);
            }
        }
        let memory = &world.memory;
        self.bytes.push(
            u8::from(memory.may_end)
                | u8::from(memory.heard_block) << 1
                | u8::from(memory.may_refuse) << 2,
        );
    }

    fn inviting(&mut self, world: &World) {
        let pair = &world.inviting.pair;
        match &pair.live {
            None => self.bytes.push(NONE),
            Some(live) => {
                let invitation = &live.invitation;
                self.hopeful(invitation.id, &world.memory);
                self.side(invitation.inviter);
                self.number(invitation.acceptances);
                self.position(invitation.decided_at);
                let accepting = u8::from(live.acceptance.is_some());
                let overdue = u8::from(invitation.expire_time <= world.now);
                self.bytes.push(accepting | overdue << 1);
            }
        }
        match &pair.accepted {
            None => self.bytes.push(NONE),
            Some(accepted) => {
                self.id(accepted.invitation.id);
                self.side(accepted.invitation.inviter);
                self.time(accepted.connect_time);
            }
        }
        for side in self.sides() {
            match pair.declined.get(side) {
                None => self.bytes.push(NONE),
                Some(declined) => {
                    let cooling = declined.cooldown_until > world.now;
                    let overdue = declined.invitation.expire_time <= world.now;
                    let undoable = !declined.overtaken && !overdue;
                    self.bytes.push(u8::from(cooling) | u8::from(undoable) << 1);
                    if undoable {
                        self.hopeful(declined.invitation.id, &world.memory);
                        self.number(declined.invitation.acceptances);
                        self.position(declined.invitation.decided_at);
                    }
                }
            }
        }
        self.position(world.known_to());
        let facts = &pair.facts;
        self.flags(facts.blocked_by);
        match facts.connection {
            None => self.bytes.push(NONE),
            Some(connection) => {
                self.optional_id(connection.invitation_id);
                self.time(connection.connect_time);
            }
        }
        for side in self.sides() {
            self.bytes
                .push(u8::from(world.inviting.members.get(side).erased));
        }
    }

    fn connecting(&mut self, world: &World) {
        let connecting = &world.connecting;
        self.connection(connecting.pair.connection);
        self.flags(Sides {
            low: connecting.pair.blocked.low.is_some(),
            high: connecting.pair.blocked.high.is_some(),
        });
        self.flags(connecting.erased);
        match connecting.full {
            None => self.bytes.push(NONE),
            Some(side) => self.side(side),
        }
        for facts in &connecting.truth[1..] {
            self.facts(facts);
        }
        self.bytes.push(NONE);
        for (id, stored) in &connecting.verdicts {
            self.id(*id);
            self.number(stored.number);
            self.verdict(&stored.verdict);
        }
        self.bytes.push(NONE);
    }

    fn facts(&mut self, facts: &PairFacts) {
        self.connection(facts.connection);
        self.flags(facts.blocked);
        self.flags(facts.erased);
    }

    fn connection(&mut self, connection: Option<Connection>) {
        match connection {
            None => self.bytes.push(NONE),
            Some(connection) => {
                self.optional_id(connection.invitation);
                self.time(connection.connect_time);
            }
        }
    }

    fn verdict(&mut self, verdict: &Verdict) {
        let (kind, time) = match verdict {
            Verdict::Created { connect_time } => (0, Some(*connect_time)),
            Verdict::Already { connect_time } => (1, Some(*connect_time)),
            Verdict::Refused(Full::Acceptor) => (2, None),
            Verdict::Refused(Full::Inviter) => (3, None),
            Verdict::Removed => (4, None),
            Verdict::Blocked => (5, None),
            Verdict::Erased => (6, None),
            Verdict::Superseded => (7, None),
        };
        self.bytes.push(kind);
        if let Some(time) = time {
            self.time(time);
        }
    }
}
