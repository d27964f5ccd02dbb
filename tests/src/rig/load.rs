//! Members who do everything there is to do, at the same time and to each other, and repeat what was not answered.
//!
//! Deliberately absent: what ought to come of it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use acquaint_proto::invitation::v1::DeclineReason;
use fastrand::Rng;
use futures::future::{join, join_all};
use service_kit::clock::{Clock as _, SystemClock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    ask::{Answer, ask, ask_batch, ask_import},
    journal::{Act, Between, Journal, Named, Outcome},
    process::Clients,
};

/// How many members meet.
const MEMBERS: usize = 20;
/// How many of them act at the same time.
const ACTING: u64 = 10;
/// How many members are there who are erased while the others go on.
pub const ERASED: usize = 3;
/// How many of the latest invitations are acted on.
const LATEST: usize = 40;
/// How long somebody thinks between two acts, at most.
const THINKING_MILLIS: u64 = 6;
/// How long a call may stay without an answer, restarts on a busy machine included.
const ANSWER_MAX: Duration = Duration::from_mins(1);
/// How long between two attempts.
const RETRY: Duration = Duration::from_millis(10);
/// How many rows an import has, at most.
const ROWS_MAX: usize = 4;
/// How long ago, at most, those were connected elsewhere who are imported.
const MADE_AGO_MAX_MILLIS: i64 = 2_000;
/// What stands in every note, and must stand nowhere but in the stores.
pub const CANARY: &str = "canary-in-the-note";

/// What all who act know.
pub struct Load {
    clients: Clients,
    journal: Arc<Journal>,
    sent: Mutex<Vec<Named>>,
    stop: CancellationToken,
}

/// The name of a member.
pub fn member(number: usize) -> String {
    format!("member-{number:02}")
}

/// The name of a member who is erased in the end.
pub fn erased(number: usize) -> String {
    format!("erased-{number}")
}

impl Load {
    /// Load that has not begun.
    pub fn new(clients: Clients, journal: Arc<Journal>) -> Arc<Self> {
        Arc::new(Self {
            clients,
            journal,
            sent: Mutex::new(Vec::new()),
            stop: CancellationToken::new(),
        })
    }

    /// Goes on until it is stopped, and then until every call is answered that is to be repeated until it is.
    pub async fn run(self: Arc<Self>, seed: u64) {
        let each = (0..ACTING).map(|number| {
            let load = self.clone();
            let rng = Rng::with_seed(seed.wrapping_mul(1_000).wrapping_add(number));
            tokio::spawn(async move { load.act_on(rng).await })
        });
        let each: Vec<_> = each.collect();
        let (erasing, wishing) = (self.erase(), self.wish(Rng::with_seed(seed)));
        join(erasing, wishing).await;
        for ended in join_all(each).await {
            ended.unwrap();
        }
    }

    /// Lets everybody come to an end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    async fn act_on(&self, mut rng: Rng) {
        while !self.stop.is_cancelled() {
            self.act(&mut rng).await;
            tokio::time::sleep(Duration::from_millis(rng.u64(0..=THINKING_MILLIS))).await;
        }
    }

    async fn act(&self, rng: &mut Rng) {
        let latest = self.latest(rng);
        let Some(latest) = latest.filter(|_| rng.u8(0..100) >= 32) else {
            return self.send(rng, None).await;
        };
        // As the invitee, and as the inviter.
        let received = latest.clone();
        let sent = Named {
            member: latest.other.clone(),
            other: latest.member.clone(),
            id: latest.id.clone(),
        };
        let mut between = if rng.bool() { &sent } else { &received }.between();
        if rng.u8(0..4) == 0 {
            between.other = member(rng.usize(0..MEMBERS));
        }
        match rng.u8(0..48) {
            0..6 => return self.note_something(rng, between).await,
            6..9 => return self.import(rng, between).await,
            9 => return self.call(rng, Act::Dismiss(between)).await,
            10 => {
                let put = Act::Put(anybody(rng), rng.i64(0..1_000_000));
                return self.call(rng, put).await;
            }
            _ => {}
        }
        match rng.u8(0..100) {
            0..12 => self.send(rng, Some(sent)).await,
            12..34 => self.call(rng, Act::Accept(received)).await,
            34..42 => {
                let mut other = rng.fork();
                let accept = self.call(rng, Act::Accept(received));
                join(accept, self.call(&mut other, Act::Withdraw(sent))).await;
            }
            42..50 => {
                let reason = [
                    DeclineReason::NotNow,
                    DeclineReason::DontKnow,
                    DeclineReason::Spam,
                ][rng.usize(0..3)];
                self.call(rng, Act::Decline(received.clone(), reason)).await;
                if rng.bool() {
                    self.call(rng, Act::Undo(received)).await;
                }
            }
            50..57 => self.call(rng, Act::Withdraw(sent)).await,
            57..67 => self.call(rng, Act::Remove(between)).await,
            67..77 => {
                self.call(rng, Act::Block(between.clone())).await;
                if rng.u8(0..4) > 0 {
                    self.call(rng, Act::Unblock(between)).await;
                }
            }
            77..82 => self.call(rng, Act::Unbar(received.between())).await,
            82..87 => {
                let until = Uuid::parse_str(&received.id).unwrap();
                // The first 48 bits of an id are the milliseconds at which it was sent.
                let until = i64::try_from(until.as_u128() >> 80).unwrap() + 1;
                self.call(rng, Act::Seen(received.member, until)).await;
            }
            _ => self.batch(rng, received).await,
        }
    }

    fn latest(&self, rng: &mut Rng) -> Option<Named> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let latest = &sent[sent.len().saturating_sub(LATEST)..];
        rng.choice(latest).cloned()
    }

    /// Sends to anybody, or to whom this invitation came from.
    async fn send(&self, rng: &mut Rng, crossing: Option<Named>) {
        let (inviter, invitee) = match crossing {
            Some(sent) => (sent.other, sent.member),
            None => (anybody(rng), anybody(rng)),
        };
        let act = Act::Send {
            inviter,
            invitee,
            request_id: Uuid::from_u128(rng.u128(..)).to_string(),
            note: format!("{CANARY} {}", rng.u32(..)),
        };
        self.call(rng, act).await;
    }

    /// Asks until there is an answer; now and then gives up before, unless a call must be answered.
    async fn call(&self, rng: &mut Rng, act: Act) {
        let call = self.journal.begin(act.clone());
        let answered = async {
            loop {
                match ask(&self.clients, &act).await {
                    Answer::Given(outcome) => return Some(outcome),
                    Answer::Forbidden(what) => {
                        self.journal.violation(format!("{act:?}: {what}"));
                        return None;
                    }
                    Answer::None if may_be_given_up(&act) && rng.u8(0..4) == 0 => {
                        return None;
                    }
                    Answer::None => {
                        self.journal.repeat(call);
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        };
        match tokio::time::timeout(ANSWER_MAX, answered).await {
            Ok(Some(outcome)) => self.note(call, &act, outcome),
            Ok(None) => {}
            Err(_) => self.journal.violation(format!("{act:?}: no answer")),
        }
    }

    fn note(&self, call: usize, act: &Act, outcome: Outcome) {
        if let (
            Act::Send {
                inviter, invitee, ..
            },
            Outcome::Sent(id),
        ) = (act, &outcome)
        {
            let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            sent.push(Named {
                member: invitee.clone(),
                other: inviter.clone(),
                id: id.clone(),
            });
        }
        self.journal.end(call, outcome);
    }

    /// Labels and a note for a connection, often of a kind that is counted, and seldom a change of the labels themselves.
    async fn note_something(&self, rng: &mut Rng, between: Between) {
        let number = rng.i64(0..12);
        let member = between.member.clone();
        self.call(rng, Act::Label(between, number)).await;
        match rng.u8(0..6) {
            0 => self.call(rng, Act::Relabel(member, number)).await,
            1 => self.call(rng, Act::Unlabel(member, number)).await,
            _ => {}
        }
    }

    /// Moves in these two and some more, all connected elsewhere at one moment. Repeated as it was until it is answered, or given up.
    async fn import(&self, rng: &mut Rng, first: Between) {
        let made = SystemClock.now().millis() - rng.i64(0..=MADE_AGO_MAX_MILLIS);
        let mut rows = vec![first];
        for _ in 0..rng.usize(0..ROWS_MAX) {
            rows.push(Between {
                member: anybody(rng),
                other: anybody(rng),
            });
        }
        rows.retain(|row| row.member != row.other);
        let acts: Vec<_> = rows.into_iter().map(|row| Act::Import(row, made)).collect();
        let calls: Vec<_> = acts
            .iter()
            .map(|act| self.journal.begin(act.clone()))
            .collect();
        let asked = Instant::now();
        loop {
            let answers = ask_import(&self.clients, &acts).await;
            let settled = !matches!(answers.first(), Some(Answer::None));
            for (call, answer) in calls.iter().zip(answers) {
                match answer {
                    Answer::Given(outcome) => self.journal.end(*call, outcome),
                    Answer::Forbidden(what) => self.journal.violation(format!("{acts:?}: {what}")),
                    Answer::None => self.journal.repeat(*call),
                }
            }
            if settled || rng.u8(0..4) == 0 {
                return;
            }
            if asked.elapsed() > ANSWER_MAX {
                return self.journal.violation(format!("{acts:?}: no answer"));
            }
            tokio::time::sleep(RETRY).await;
        }
    }

    /// The same to several invitations of one member. Never repeated: each item is a call that may stay open.
    async fn batch(&self, rng: &mut Rng, one: Named) {
        let as_inviter = rng.bool();
        let member = if as_inviter { &one.other } else { &one.member };
        let mut items = {
            let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
            let latest = sent[sent.len().saturating_sub(LATEST)..].iter();
            let own = latest.filter(|named| {
                *member
                    == if as_inviter {
                        &named.other
                    } else {
                        &named.member
                    }
                    .clone()
            });
            own.cloned().collect::<Vec<_>>()
        };
        items.truncate(5);
        let accepting = rng.bool();
        let acts: Vec<_> = items
            .into_iter()
            .map(|named| match (as_inviter, accepting) {
                (true, _) => Act::Withdraw(Named {
                    member: named.other,
                    other: named.member,
                    id: named.id,
                }),
                (false, true) => Act::Accept(named),
                (false, false) => Act::Decline(named, DeclineReason::NotNow),
            })
            .collect();
        if acts.is_empty() {
            return;
        }
        let calls: Vec<_> = acts
            .iter()
            .map(|act| self.journal.begin(act.clone()))
            .collect();
        for (call, answer) in calls.into_iter().zip(ask_batch(&self.clients, &acts).await) {
            match answer {
                Answer::Given(outcome) => self.journal.end(call, outcome),
                Answer::Forbidden(what) => self.journal.violation(format!("{acts:?}: {what}")),
                Answer::None => {}
            }
        }
    }

    /// One member changes what they wish, over and over, and nobody else does.
    async fn wish(&self, mut rng: Rng) {
        while !self.stop.is_cancelled() {
            let days = rng.i64(7..=180);
            self.call(&mut rng, Act::Wish(member(0), days)).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Some members are erased, one after the other.
    async fn erase(&self) {
        let mut rng = Rng::with_seed(0);
        for number in 0..ERASED {
            let wait = Duration::from_millis(200);
            let _ = tokio::time::timeout(wait, self.stop.cancelled()).await;
            self.call(&mut rng, Act::Erase(erased(number))).await;
        }
    }
}

/// What is known of the others only when they are answered: how much was charged, what is wished for, who is gone.
fn may_be_given_up(act: &Act) -> bool {
    !matches!(act, Act::Send { .. } | Act::Wish(..) | Act::Erase(_))
}

/// Somebody, who may be one of those who are erased.
fn anybody(rng: &mut Rng) -> String {
    let number = rng.usize(0..MEMBERS + ERASED);
    number
        .checked_sub(MEMBERS)
        .map_or_else(|| member(number), erased)
}

impl Named {
    fn between(&self) -> Between {
        Between {
            member: self.member.clone(),
            other: self.other.clone(),
        }
    }
}
