//! A host of members' devices: each member makes one call after the other, asks again when there is no answer, and watches.
//!
//! What a member asks for is drawn as it goes. A member acts from one device only, so what the services answered it settles how the
//! member's own blocks, preferences and endings must stand. Deliberately absent: the wire (`caller.rs`) and the checks.

use std::{rc::Rc, sync::Arc, time::Duration};

use rand::{Rng as _, rngs::SmallRng, seq::IndexedRandom as _};
use tokio::time::sleep;

use super::{
    caller::Caller,
    history::{Call, History, LABELS, Op, Outcome},
    plan::{Clocks, Plan, random},
    watching,
};
use crate::pair::START;

/// How often a call is asked again that got no answer.
const REPEATS_MAX: usize = 3;

/// How often a member tries to look at the lists in the end.
const LOOKS_MAX: usize = 10;

/// The members of one host.
pub(crate) struct Device {
    plan: Arc<Plan>,
    name: &'static str,
    history: Rc<History>,
}

impl Device {
    /// The host of this name.
    pub(crate) fn new(plan: &Arc<Plan>, name: &'static str, history: Rc<History>) -> Self {
        for (_, device) in &plan.members {
            if *device == name {
                history.begin_member();
            }
        }
        Self {
            plan: plan.clone(),
            name,
            history,
        }
    }

    /// Until everything is at rest and all members have seen that what they watched is what is listed.
    pub(crate) async fn run(self) -> turmoil::Result {
        let caller = Caller::new();
        let mut tasks = tokio::task::JoinSet::new();
        for (n, (member, device)) in self.plan.members.iter().enumerate() {
            if *device != self.name {
                continue;
            }
            let purpose = 10 + 3 * u64::try_from(n)?;
            let rng = |which| random(self.plan.seed, purpose + which);
            let one = Member {
                name: member.clone(),
                others: self.others(member),
                plan: self.plan.clone(),
                rng: rng(0),
                caller: caller.clone(),
                history: self.history.clone(),
                seen: Vec::new(),
                declined: Vec::new(),
                sent: Vec::new(),
            };
            tasks.spawn_local(one.run());
            let watch = (caller.clone(), self.history.clone(), member.clone());
            tasks.spawn_local(watching::invitations(watch.clone(), rng(1)));
            tasks.spawn_local(watching::connections(watch, rng(2)));
        }
        while let Some(ended) = tasks.join_next().await {
            ended?;
        }
        Ok(())
    }

    fn others(&self, member: &str) -> Vec<String> {
        let all = self.plan.members.iter().map(|(name, _)| name.clone());
        all.filter(|name| name != member).collect()
    }
}

struct Member {
    name: String,
    others: Vec<String>,
    plan: Arc<Plan>,
    rng: SmallRng,
    caller: Caller,
    history: Rc<History>,
    /// Invitations that were seen in Received, and from whom.
    seen: Vec<(String, String)>,
    /// Invitations declined by this member.
    declined: Vec<String>,
    /// Requests to send that were answered, to be asked again.
    sent: Vec<(Op, Outcome)>,
}

impl Member {
    async fn run(mut self) {
        for _ in 0..self.plan.calls {
            self.pause(10..350).await;
            let op = self.draw().await;
            let outcome = self.call(&op).await;
            match (&op, &outcome) {
                (Op::Send { .. }, Outcome::Sent(_)) => {
                    self.sent.push((op.clone(), outcome.clone()));
                }
                (Op::Decline { id, .. }, Outcome::Done) => self.declined.push(id.clone()),
                _ => {}
            }
            if let (Op::Accept(id), Outcome::Accepted { connected: false }) = (&op, &outcome)
                && self.rng.random_bool(0.4)
            {
                self.think_better_of(id).await;
            }
            if self.rng.random_bool(0.15) {
                self.repeat_a_send().await;
            }
        }
        self.history.end_member();
        while !self.history.is_quiet() {
            sleep(Duration::from_millis(50)).await;
        }
        // What broke before may still have to be noticed.
        for _ in 0..LOOKS_MAX {
            if let Ok(lists) = self.caller.lists(&self.name).await {
                self.history.say(&format!("{} lists {lists:?}", self.name));
                self.history.record_lists(&self.name, lists);
                return;
            }
            self.pause(100..200).await;
        }
        let what = format!("{} cannot list when all is well", self.name);
        self.history.violation(what);
    }

    /// Removes the connection that an acceptance is still making.
    async fn think_better_of(&mut self, accepted: &str) {
        let Some((_, inviter)) = self.seen.iter().find(|(id, _)| id == accepted) else {
            return;
        };
        let op = Op::Remove(inviter.clone());
        self.call(&op).await;
    }

    async fn pause(&mut self, millis: std::ops::Range<u64>) {
        sleep(Duration::from_millis(self.rng.random_range(millis))).await;
    }

    fn other(&mut self) -> String {
        self.others.choose(&mut self.rng).unwrap().clone()
    }

    /// What to ask for next.
    async fn draw(&mut self) -> Op {
        let op = match self.rng.random_range(0..122) {
            0..32 => return self.send(),
            32..54 => self.received().await.map(Op::Accept),
            54..62 => {
                let report = self.rng.random_bool(0.3);
                let id = self.received().await;
                id.map(|id| Op::Decline { id, report })
            }
            62..65 => self.declined.choose(&mut self.rng).cloned().map(Op::Undo),
            65..71 => {
                let sent = self.caller.sent(&self.name).await.unwrap_or_default();
                sent.choose(&mut self.rng).cloned().map(Op::Withdraw)
            }
            71..79 => Some(Op::Remove(self.other())),
            79..85 => Some(Op::Block(self.other())),
            85..92 => Some(Op::Unblock(self.other())),
            92..96 => Some(Op::Close(self.rng.random_bool(0.4))),
            96..98 => Some(Op::Unbar(self.other())),
            98..100 => Some(Op::MarkSeen),
            _ => self.draw_noting().await,
        };
        op.unwrap_or_else(|| self.send())
    }

    /// An import, or what is noted about others.
    async fn draw_noting(&mut self) -> Option<Op> {
        Some(match self.rng.random_range(0..22) {
            0..8 => {
                let made = i64::try_from(self.history.now()).unwrap_or(i64::MAX);
                let ago = self.rng.random_range(0..1_000);
                Op::Import {
                    other: self.other(),
                    millis: START.millis() + made - ago,
                }
            }
            8..15 => {
                let connected = self.caller.connected(&self.name).await.unwrap_or_default();
                let other = connected.choose(&mut self.rng)?.other_id.clone();
                let number = self.rng.random_range(0..1 << LABELS);
                Op::Note { other, number }
            }
            15..17 => {
                let from = self.rng.random_range(0..LABELS);
                Op::Relabel(from, (from + 1) % LABELS)
            }
            17..19 => Op::Unlabel(self.rng.random_range(0..LABELS)),
            _ => Op::Dismiss(self.other()),
        })
    }

    fn send(&mut self) -> Op {
        let request = uuid::Uuid::from_u128(self.rng.random());
        let request = uuid::Builder::from_u128(request.as_u128())
            .with_version(uuid::Version::Random)
            .into_uuid();
        Op::Send {
            to: self.other(),
            request: request.to_string(),
        }
    }

    /// An invitation that the member has received, or had.
    async fn received(&mut self) -> Option<String> {
        if self.seen.is_empty() || self.rng.random_bool(0.8) {
            let listed = self.caller.received(&self.name).await.unwrap_or_default();
            for one in &listed {
                if !self.seen.contains(one) {
                    self.seen.push(one.clone());
                }
            }
            if let Some((id, _)) = listed.choose(&mut self.rng) {
                return Some(id.clone());
            }
        }
        let seen = self.seen.choose(&mut self.rng)?;
        Some(seen.0.clone())
    }

    /// Asks until there is an answer, but not for ever.
    async fn call(&mut self, op: &Op) -> Outcome {
        let began = self.history.now();
        let mut repeated = false;
        let mut outcome = Outcome::InDoubt;
        for attempt in 0..=REPEATS_MAX {
            let wait = *[150, 400, 1_000, 2_500].choose(&mut self.rng).unwrap();
            let wait = Duration::from_millis(wait);
            outcome = if self.rng.random_bool(0.1) {
                let twice = self.caller.twice(&self.name, op, wait, &self.history);
                let (outcome, either) = twice.await;
                repeated |= either;
                outcome
            } else {
                self.caller.call(&self.name, op, wait, &self.history).await
            };
            self.history
                .say(&format!("{} {op:?} #{attempt} -> {outcome:?}", self.name));
            if outcome != Outcome::InDoubt {
                break;
            }
            repeated = true;
            self.pause(20..400).await;
        }
        self.history.record(Call {
            member: self.name.clone(),
            op: op.clone(),
            began,
            ended: self.history.now(),
            repeated,
            outcome: outcome.clone(),
        });
        outcome
    }

    /// A request id that was answered is answered again in the same way.
    async fn repeat_a_send(&mut self) {
        let Some((op, before)) = self.sent.choose(&mut self.rng).cloned() else {
            return;
        };
        let began = self.history.now();
        let wait = Duration::from_secs(2);
        let again = self.caller.call(&self.name, &op, wait, &self.history).await;
        self.history
            .say(&format!("{} {op:?} again -> {again:?}", self.name));
        // Days later it may have been forgotten.
        if self.plan.clocks < Clocks::Days {
            self.history.record_repeat(&self.name, &before, &again);
            return;
        }
        self.history.record(Call {
            member: self.name.clone(),
            op,
            began,
            ended: self.history.now(),
            repeated: again == Outcome::InDoubt,
            outcome: again,
        });
    }
}
