//! The commands on one pair: load, decide, write, in one transaction.
//!
//! Deliberately absent: rules. Each command asks the function of its name in `domain`.

use service_kit::error::StoreError;
use service_kit::id::{MemberId, PairKey, Side, Sides};
use service_kit::time::{Span, Time};

use super::rows::Rows;
use super::transaction::Transaction;
use crate::domain::ensure::{Acceptance, Ruling, StoredVerdict, Verdict};
use crate::domain::fact::{PairEvent, PairFacts};
use crate::domain::member::{Member, Party};
use crate::domain::pair::Pair;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::{block, ensure, remove};

/// How often an acknowledgement is noted at most; so much longer a verdict may stay.
const ACKNOWLEDGEMENT_NOTE_EVERY: Span = Span::hours(1);

/// One member acting on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// The two.
    pub key: PairKey,
    /// Who acts.
    pub side: Side,
}

impl Act {
    /// `member` acting on `other`; `None` when they are one member.
    pub fn new(member: &MemberId, other: &MemberId) -> Option<Self> {
        let key = PairKey::new(member, other)?;
        let side = key.side_of(member)?;
        Some(Self { key, side })
    }

    /// Who acts.
    pub fn actor(&self) -> &MemberId {
        self.key.member(self.side)
    }
}

/// An act was done, or had nothing to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Since when the connection was that the act has ended, if it has ended one.
    pub ended: Option<Time>,
    /// The last fact that names the member who acted: what the other service should know before the act is answered.
    pub fact: u64,
}

/// What became of an acceptance, and what holds now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ensured {
    /// The verdict.
    pub verdict: Verdict,
    /// What holds between the two now.
    pub facts: PairFacts,
    /// The last position of the feed at that moment.
    pub position: u64,
}

pub(super) fn ensure_connection(
    rows: &mut dyn Rows,
    policy: &Policy,
    key: &PairKey,
    acceptance: &Acceptance,
) -> Result<Ensured, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let stored = tx.rows.verdict(&acceptance.invitation)?;
    let before = tx.rows.pair(key)?;
    let parties = tx.parties(key)?;
    let mut pair = before;
    let ruling = ensure::decide(
        stored.as_ref(),
        &mut pair,
        &parties,
        acceptance,
        policy,
        tx.now,
    );
    let erased = Sides {
        low: parties.low.is_erased(),
        high: parties.high.is_erased(),
    };
    let facts = PairFacts::of(&pair, erased);
    let verdict = match ruling {
        Ruling::Repeated(verdict) => {
            return Ok(Ensured {
                verdict,
                facts,
                position: tx.head.position,
            });
        }
        Ruling::New(verdict) => verdict,
    };
    write(
        &mut tx,
        key,
        &before,
        &pair,
        Some(PairEvent::Connected),
        &parties,
    )?;
    let position = tx.head.position;
    let stored = StoredVerdict {
        number: acceptance.number,
        verdict,
        position,
        decide_time: tx.now,
    };
    tx.rows.put_verdict(&acceptance.invitation, &stored)?;
    tx.finish()?;
    Ok(Ensured {
        verdict,
        facts,
        position,
    })
}

pub(super) fn remove_connection(
    rows: &mut dyn Rows,
    policy: &Policy,
    act: &Act,
    only: Option<Time>,
) -> Result<Result<Acted, Refusal>, StoreError> {
    run(rows, policy, act, |pair, parties, now| {
        remove::decide(pair, parties, act.side, only, now)
    })
}

pub(super) fn block_member(
    rows: &mut dyn Rows,
    policy: &Policy,
    act: &Act,
) -> Result<Result<Acted, Refusal>, StoreError> {
    run(rows, policy, act, |pair, parties, now| {
        block::block(pair, parties, act.side, policy, now)
    })
}

pub(super) fn unblock_member(
    rows: &mut dyn Rows,
    policy: &Policy,
    act: &Act,
) -> Result<Result<Acted, Refusal>, StoreError> {
    run(rows, policy, act, |pair, parties, now| {
        block::unblock(pair, parties, act.side, now)
    })
}

pub(super) fn acknowledge(
    rows: &mut dyn Rows,
    policy: &Policy,
    position: u64,
) -> Result<(), StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let position = position.min(tx.head.position);
    if position <= tx.head.acknowledged {
        return Ok(());
    }
    tx.head.acknowledged = position;
    let noted = tx.rows.last_acknowledgement()?;
    if noted.is_none_or(|noted| tx.now.since(noted) >= ACKNOWLEDGEMENT_NOTE_EVERY) {
        tx.rows.put_acknowledgement(tx.now, position)?;
        let until = tx.now.minus(policy.verdicts_kept);
        tx.rows.forget_acknowledgements(until)?;
    }
    tx.rows.tell_acknowledged(position);
    tx.finish()
}

type Decision = Result<Option<PairEvent>, Refusal>;

fn run(
    rows: &mut dyn Rows,
    policy: &Policy,
    act: &Act,
    decide: impl FnOnce(&mut Pair, &Sides<Party>, Time) -> Decision,
) -> Result<Result<Acted, Refusal>, StoreError> {
    let mut tx = Transaction::begin(rows, policy)?;
    let before = tx.rows.pair(&act.key)?;
    let parties = tx.parties(&act.key)?;
    let mut pair = before;
    let event = match decide(&mut pair, &parties, tx.now) {
        Ok(event) => event,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if pair == before {
        let fact = match parties.get(act.side) {
            Party::Present(member) => member.last_fact,
            Party::Erased => 0,
        };
        return Ok(Ok(Acted { ended: None, fact }));
    }
    let members = write(&mut tx, &act.key, &before, &pair, event, &parties)?;
    tx.finish()?;
    let fact = members.get(act.side).last_fact;
    let ended = before.connection.filter(|_| pair.connection.is_none());
    let ended = ended.map(|connection| connection.connect_time);
    Ok(Ok(Acted { ended, fact }))
}

/// Writes the decided pair with both of its members.
fn write(
    tx: &mut Transaction<'_>,
    key: &PairKey,
    before: &Pair,
    after: &Pair,
    event: Option<PairEvent>,
    parties: &Sides<Party>,
) -> Result<Sides<Member>, StoreError> {
    let (Party::Present(low), Party::Present(high)) = (parties.low, parties.high) else {
        if before == after {
            return Ok(Sides::default());
        }
        return Err(StoreError::internal(
            "a pair of an erased member was changed",
        ));
    };
    let mut members = Sides { low, high };
    let unchanged = members;
    tx.write(key, before, after, event, &mut members)?;
    for side in Side::BOTH {
        let member = members.get_mut(side);
        tx.bound_removal_marks(key.member(side), member)?;
        if *member != *unchanged.get(side) {
            tx.rows.put_member(key.member(side), member)?;
        }
    }
    Ok(members)
}
