//! What can happen next: commands of members, of which there are only so many, and what becomes of messages.
//!
//! Deliberately absent: what each of them does (`inviting.rs`, `connecting.rs`).

use service_kit::id::{Side, uuid_floor};

use super::{
    rules::Rules,
    world::{Ask, Broken, World},
};

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A member sends: connection-service is asked about the two.
    Ask(Side),
    /// The live invitation is accepted by whom it was sent to.
    Accept,
    /// It is declined.
    Decline,
    /// The decline of this side's invitation is taken back.
    Undo(Side),
    /// The live invitation is withdrawn by who sent it.
    Withdraw,
    /// The live invitation's days are over.
    Lapse,
    /// This side removes the other.
    Remove(Side),
    /// This side blocks the other.
    Block(Side),
    /// This side lifts its block.
    Unblock(Side),
    /// The connections of this side fill up.
    Fill(Side),
    /// There is room again.
    MakeRoom,
    /// This side is erased.
    Erase(Side),
    /// This side's send is decided; `heard`: with the answer to its question.
    Send { side: Side, heard: bool },
    /// connection-service is asked for the verdict on an acceptance: at first, by a worker, or by a late copy of the question.
    Request(u8),
    /// A verdict arrives.
    Hear(u8),
    /// A verdict is lost.
    Lose(u8),
    /// The next event of the feed is folded.
    Fold,
    /// The sweeper expires what is overdue.
    Sweep,
}

/// How many verdicts are on their way at once.
const ANSWERS_MAX: usize = 2;

impl World {
    /// The commands that can change anything.
    pub(crate) fn commands(&self) -> Vec<Step> {
        let mut steps = Vec::with_capacity(16);
        let erased = |side| *self.connecting.erased.get(side);
        let nobody_erased = !erased(Side::Low) && !erased(Side::High);
        let pair = &self.inviting.pair;
        for side in Side::BOTH {
            if self.asks.get(side).is_none() && !erased(side) {
                steps.push(Step::Ask(side));
            }
            if pair.declined.get(side).is_some() {
                steps.push(Step::Undo(side));
            }
            if nobody_erased {
                steps.push(Step::Remove(side));
                steps.push(if self.connecting.pair.blocked.get(side).is_some() {
                    Step::Unblock(side)
                } else {
                    Step::Block(side)
                });
                steps.push(Step::Erase(side));
                if self.connecting.full.is_none() {
                    steps.push(Step::Fill(side));
                }
            }
        }
        if self.connecting.full.is_some() {
            steps.push(Step::MakeRoom);
        }
        if let Some(live) = &pair.live {
            steps.extend([Step::Accept, Step::Decline, Step::Withdraw]);
            if live.invitation.expire_time > self.now {
                steps.push(Step::Lapse);
            }
        }
        steps
    }

    /// What can become of messages.
    pub(crate) fn deliveries(&self) -> Vec<Step> {
        let mut steps = Vec::with_capacity(8);
        for side in Side::BOTH {
            if self.asks.get(side).is_some() {
                steps.extend([true, false].map(|heard| Step::Send { side, heard }));
            }
        }
        if self.answers.len() < ANSWERS_MAX {
            steps.extend(
                (0..self.requests.len())
                    .filter_map(|index| u8::try_from(index).ok().map(Step::Request)),
            );
        }
        for index in 0..self.answers.len() {
            let index = u8::try_from(index).unwrap();
            steps.extend([Step::Hear(index), Step::Lose(index)]);
        }
        if self.connecting.truth.len() > 1 {
            steps.push(Step::Fold);
        }
        if self.is_overdue() {
            steps.push(Step::Sweep);
        }
        steps
    }

    /// Whether the live invitation is pending past its time.
    pub(crate) fn is_overdue(&self) -> bool {
        let live = self.inviting.pair.live.as_ref();
        live.is_some_and(|live| {
            live.acceptance.is_none() && live.invitation.expire_time <= self.now
        })
    }

    /// Takes a step.
    pub(crate) fn take(&mut self, rules: &dyn Rules, step: Step) -> Result<(), Broken> {
        self.tick();
        match step {
            Step::Ask(side) => {
                *self.asks.get_mut(side) = Some(Ask {
                    facts: *self.truth(),
                    position: self.head(),
                });
            }
            Step::Accept => self.accept(rules)?,
            Step::Decline => self.decline(rules)?,
            Step::Undo(side) => self.undo(rules, side)?,
            Step::Withdraw => self.withdraw(rules)?,
            Step::Lapse => self.lapse(rules)?,
            Step::Remove(side) => self.remove(rules, side)?,
            Step::Block(side) => self.block(side)?,
            Step::Unblock(side) => self.unblock(rules, side)?,
            Step::Fill(side) => {
                self.connecting.full = Some(side);
                self.memory.may_refuse = self.awaits_verdict();
            }
            Step::MakeRoom => self.connecting.full = None,
            Step::Erase(side) => self.erase(side)?,
            Step::Send { side, heard } => {
                let ask = self.asks.get_mut(side).take().filter(|_| heard);
                let id = uuid_floor(self.now);
                self.send(rules, side, ask, id)?;
            }
            Step::Request(index) => {
                let index = usize::from(index);
                let acceptance = self.requests[index];
                if !self.is_awaited(&acceptance) {
                    // The late copy: there is no worker to ask again.
                    self.requests.remove(index);
                }
                let answer = self.answer(rules, &acceptance)?;
                if !self.answers.contains(&answer) {
                    self.answers.push(answer);
                }
            }
            Step::Hear(index) => {
                let answer = self.answers.remove(usize::from(index));
                self.hear(rules, &answer)?;
            }
            Step::Lose(index) => {
                self.answers.remove(usize::from(index));
            }
            Step::Fold => self.fold(rules)?,
            Step::Sweep => self.sweep(rules)?,
        }
        self.forget();
        Ok(())
    }
}
