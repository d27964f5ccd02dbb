//! Runs one sequence on a system and on the model side by side, and says where the two part.

mod compare;

use std::collections::BTreeMap;

use invitation_service::{
    domain::{
        accept::Ruling,
        note::{Note, Source},
    },
    store::command::{
        AwaitedVerdict,
        answer::{Acceptance, Ending},
        facts::FeedFact,
        member::PreferenceChange,
        send::{Outcome, SendInvitation},
    },
};
use service_kit::{
    id::{MemberId, PairKey},
    time::{Span, Time},
};
use uuid::Uuid;

use super::{
    command::{By, Command, MEMBERS, Mark, Named, Who, Wish},
    connections::{Change, Connections},
    differences::ANSWER_COUNTS_OVERDUE_AS_PENDING,
    rules::{self, Answered, CameTo, Model, Sending},
    system::System,
};

/// Where system and model part.
pub(crate) type Parted = String;

/// A sending as it was drawn: from whom to whom, which note, which request id.
type Drawn = (Who, Who, u8, Option<u8>);

/// How often each command was answered with what.
pub(crate) type Tally = BTreeMap<String, u32>;

/// One sequence under way.
struct Run<'a, S> {
    system: &'a mut S,
    tally: &'a mut Tally,
    model: Model,
    connections: Connections,
    members: Vec<MemberId>,
    clock: Time,
    /// The changes of the feed that were not followed yet begin here.
    unfollowed: usize,
    sendings: Vec<Drawn>,
    /// Every acceptance that a verdict was ever asked for.
    acceptances: Vec<AwaitedVerdict>,
    /// Verdicts on their way.
    under_way: Vec<(PairKey, Ruling)>,
}

/// Runs the commands among members of these names, beginning at a time later than all the system has seen; the time at the end.
pub(crate) fn run(
    system: &mut impl System,
    tally: &mut Tally,
    members: &[MemberId],
    start: Time,
    commands: &[Command],
) -> Result<Time, Parted> {
    system.set_clock(start);
    let mut connections = Connections::new(members, system.followed());
    let first = connections.tick();
    system.fold(Vec::new(), first);
    let mut run = Run {
        model: Model::new(system.policy(), members, start, first),
        connections,
        members: members.to_vec(),
        clock: start,
        unfollowed: 0,
        sendings: Vec::new(),
        acceptances: Vec::new(),
        under_way: Vec::new(),
        system,
        tally,
    };
    for (number, command) in commands.iter().enumerate() {
        let step = run.step(command);
        step.map_err(|parted| format!("command {number}, {command:?}: {parted}"))?;
    }
    run.look()
        .map_err(|parted| format!("at the end: {parted}"))?;
    run.clean_up()
        .map_err(|parted| format!("after erasing everybody: {parted}"))?;
    Ok(run.model.now)
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, is: &T, expected: &T) -> Result<(), Parted> {
    if is == expected {
        return Ok(());
    }
    Err(format!("{what}\n      is: {is:?}\nexpected: {expected:?}"))
}

/// The name of a variant: what its debugging form begins with.
fn name(answer: &impl std::fmt::Debug) -> String {
    let form = format!("{answer:?}");
    let form = form
        .strip_prefix("Ok(")
        .or(form.strip_prefix("Err("))
        .unwrap_or(&form);
    let word: String = form.chars().take_while(char::is_ascii_alphabetic).collect();
    if word.is_empty() {
        "Done".to_owned()
    } else {
        word
    }
}

impl<S: System> Run<'_, S> {
    /// Compares a command's answer, and notes that it was given.
    fn same_answer<T: PartialEq + std::fmt::Debug>(
        &mut self,
        to: &str,
        is: &T,
        expected: &T,
    ) -> Result<(), Parted> {
        *self
            .tally
            .entry(format!("{to}: {}", name(expected)))
            .or_default() += 1;
        same("answer", is, expected)
    }

    /// One command: here those of members.
    fn step(&mut self, command: &Command) -> Result<(), Parted> {
        match *command {
            Command::Send {
                from,
                to,
                note,
                request,
                asked,
            } => {
                self.sendings.push((from, to, note, request));
                self.send("send", (from, to, note, request), asked)
            }
            Command::Again { ago } => {
                let sending = self.sendings.iter().rev().nth(usize::from(ago)).copied();
                sending.map_or(Ok(()), |sending| self.send("send again", sending, false))
            }
            Command::Accept(named) => self.accept(named),
            Command::Decline(named, reason) => {
                let (who, id) = self.named(named);
                let is = self.system.decline(&self.members[who], &id, reason);
                let expected = self.model.decline(who, &id, reason);
                self.same_ending("decline", is, &expected)
            }
            Command::Undo(named) => {
                let (who, id) = self.named(named);
                let is = self.system.undo_decline(&self.members[who], &id);
                let expected = self.model.undo_decline(who, &id);
                self.same_ending("undo", is, &expected)
            }
            Command::Withdraw(named) => {
                let (who, id) = self.named(named);
                let is = self.system.withdraw(&self.members[who], &id);
                let expected = self.model.withdraw(who, &id);
                self.same_ending("withdraw", is, &expected)
            }
            Command::MarkSeen { who, until } => {
                let until = match until {
                    Mark::Ago(millis) => self.model.now.minus(Span::millis(millis)),
                    Mark::Ahead(millis) => self.model.now.plus(Span::millis(millis)),
                };
                let is = self.system.mark_seen(&self.members[who], until);
                let expected = self.model.mark_seen(who, until);
                self.same_answer("mark seen", &is, &expected)
            }
            Command::Prefer {
                who,
                who_can_invite,
                auto_withdraw,
            } => {
                let change = PreferenceChange {
                    who_can_invite,
                    auto_withdraw_days: match auto_withdraw {
                        Wish::Unchanged => None,
                        Wish::Never => Some(None),
                        Wish::Days(days) => Some(Some(days)),
                    },
                };
                let is = self.system.update_preferences(&self.members[who], change);
                let expected = self.model.update_preferences(who, change);
                self.same_answer("prefer", &is, &expected)
            }
            Command::Unbar { who, inviter } => {
                let is = self
                    .system
                    .unbar(&self.members[who], &self.members[inviter]);
                let expected = self.model.unbar(who, inviter);
                self.same_answer("unbar", &is, &expected)
            }
            Command::Plan { who, plan } => {
                let is = self.system.set_plan(&self.members[who], plan);
                let expected = self.model.set_plan(who, plan);
                self.same_answer("plan", &is, &expected)
            }
            _ => self.pass(command),
        }
    }

    /// A command that no member gives.
    fn pass(&mut self, command: &Command) -> Result<(), Parted> {
        match *command {
            Command::Elsewhere { what, follow } => {
                self.connections.act(what, self.model.now);
                let all = self.connections.feed.len() - self.unfollowed;
                self.follow(if follow { all } else { 0 });
                Ok(())
            }
            Command::Ask {
                acceptance,
                full,
                arrives,
            } => {
                let Some(asked) = self.acceptances.iter().rev().nth(usize::from(acceptance)) else {
                    return Ok(());
                };
                let answer = self.connections.rule(asked, full, self.model.now);
                if arrives {
                    return self.arrive(&answer);
                }
                self.under_way.push(answer);
                Ok(())
            }
            Command::Arrive { answer, again } => {
                let number = usize::from(answer);
                if number >= self.under_way.len() {
                    return Ok(());
                }
                let answer = if again {
                    self.under_way[number].clone()
                } else {
                    self.under_way.remove(number)
                };
                self.arrive(&answer)
            }
            Command::Follow(changes) => {
                self.follow(usize::from(changes));
                Ok(())
            }
            Command::Wait(millis) => {
                self.set_clock(self.clock.plus(Span::millis(millis)));
                Ok(())
            }
            Command::WaitFor {
                border,
                just_before,
            } => {
                let borders = self.model.borders();
                if let Some(border) =
                    borders.get(usize::from(border).min(borders.len().saturating_sub(1)))
                {
                    let before = Span::millis(i64::from(just_before));
                    self.set_clock(border.minus(before));
                }
                Ok(())
            }
            Command::SetBack(millis) => {
                // Something is committed at the time so far, which is what holds it.
                let position = self.connections.tick();
                self.follow(self.connections.feed.len() - self.unfollowed);
                self.system.fold(Vec::new(), position);
                self.model.followed(position);
                self.set_clock(self.clock.minus(Span::millis(millis)));
                Ok(())
            }
            Command::Work => self.work(),
            Command::Look => self.look(),
            _ => Ok(()),
        }
    }

    fn set_clock(&mut self, at: Time) {
        self.clock = at;
        self.system.set_clock(at);
        self.model.clock(at);
    }

    /// Which invitation is meant, and who names it.
    fn named(&self, named: Named) -> (Who, Uuid) {
        let Some((id, from, to)) = self.model.named(usize::from(named.ago)) else {
            return (0, Uuid::nil());
        };
        let stranger = (0..MEMBERS).find(|who| *who != from && *who != to).unwrap();
        let who = match named.by {
            By::Inviter => from,
            By::Invitee => to,
            By::Stranger => stranger,
        };
        (who, id)
    }

    fn send(&mut self, command: &str, sending: Drawn, asked: bool) -> Result<(), Parted> {
        let (from, to, note, request) = sending;
        let texts = ["", "hello", "it's me"];
        let note = Note::parse(texts[usize::from(note)], 300).unwrap();
        let source = Source::parse("search", 32).unwrap();
        let request = request.map(|number| Uuid::from_u128(u128::from(number) + 1));
        let key = PairKey::new(&self.members[from], &self.members[to]);
        let told = key.filter(|_| asked).map(|key| self.connections.tell(&key));
        let is = self.system.send(SendInvitation {
            inviter: self.members[from].clone(),
            invitee: self.members[to].clone(),
            note: note.clone(),
            source: source.clone(),
            request_id: request,
            told: told.clone(),
        });
        let new_id = is
            .as_ref()
            .map_or_else(|_| Uuid::nil(), |answer| answer.view.id);
        let before = self.model.ids();
        let expected = self.model.send(&Sending {
            from,
            to,
            note,
            source,
            request,
            told,
            new_id,
        });
        let is = is.map(|mut answer| {
            if let Ok(expected) = &expected
                && ANSWER_COUNTS_OVERDUE_AS_PENDING
            {
                answer.quota.pending_sent = expected.quota.pending_sent;
            }
            answer
        });
        let is = is.map(|answer| Answered {
            view: self.blurred(answer.view),
            quota: answer.quota,
            outcome: match answer.outcome {
                Outcome::Sent => CameTo::Sent,
                Outcome::Accepting(awaited) => CameTo::Accepting(awaited),
                Outcome::Connected => CameTo::Connected,
                Outcome::Ended => CameTo::Ended,
            },
        });
        if let Ok(Answered {
            outcome: CameTo::Accepting(awaited),
            ..
        }) = &is
        {
            self.acceptances.push(awaited.clone());
        }
        let outcome = expected.as_ref().map(|answered| answered.outcome.clone());
        *self
            .tally
            .entry(format!("{command}: {}", name(&outcome)))
            .or_default() += 1;
        same("answer", &is, &expected)?;
        let added = self.model.ids().len() > before.len();
        let sorts_last = before.last().is_none_or(|last| *last < new_id);
        same(
            "whether a new id sorts after all before",
            &(sorts_last || !added),
            &true,
        )
    }

    fn accept(&mut self, named: Named) -> Result<(), Parted> {
        let (who, id) = self.named(named);
        let is = self.system.accept(&self.members[who], &id);
        let is = is.map(|acceptance| match acceptance {
            Acceptance::Awaited { view, awaited } => {
                self.acceptances.push(awaited.clone());
                rules::Accepting::Awaited(self.blurred(view), awaited)
            }
            Acceptance::Connected { view, connect_time } => {
                rules::Accepting::Connected(self.blurred(view), connect_time)
            }
        });
        let expected = self.model.accept(who, &id);
        self.same_answer("accept", &is, &expected)
    }

    fn same_ending<E: PartialEq + std::fmt::Debug>(
        &mut self,
        to: &str,
        is: Result<Ending, E>,
        expected: &Result<rules::Ending, E>,
    ) -> Result<(), Parted> {
        let is = is.map(|ending| match ending {
            Ending::Done(view) => rules::Ending::Done(self.blurred(view)),
            Ending::Awaits(awaited) => {
                self.acceptances.push(awaited.clone());
                rules::Ending::Awaits(awaited)
            }
        });
        self.same_answer(to, &is, expected)
    }

    fn arrive(&mut self, (key, ruling): &(PairKey, Ruling)) -> Result<(), Parted> {
        let is = self.system.rule(key, ruling);
        let expected = self.model.rule(key, ruling);
        self.same_answer(
            &format!("verdict {}", name(&ruling.verdict)),
            &is,
            &expected,
        )
    }

    /// Follows so many changes of the feed.
    fn follow(&mut self, changes: usize) {
        let until = (self.unfollowed + changes).min(self.connections.feed.len());
        let changes = self.connections.feed[self.unfollowed..until].to_vec();
        self.unfollowed = until;
        for (position, change) in changes {
            match change {
                Change::Facts(key, facts) => {
                    self.model.follow(position, &key, &facts);
                    self.system.fold(
                        vec![FeedFact {
                            position,
                            key,
                            facts,
                        }],
                        position,
                    );
                }
                Change::Erased(member) => {
                    self.system.erase(&member);
                    self.system.fold(Vec::new(), position);
                    self.model.erase(&member);
                    self.model.followed(position);
                }
            }
        }
    }

    fn work(&mut self) -> Result<(), Parted> {
        for member in self.system.due_members() {
            self.system.auto_withdraw(&member);
        }
        for key in self.system.due_pairs() {
            let taken_up = self.system.review(&key);
            self.acceptances.extend(taken_up);
        }
        self.model.work();
        same(
            "pairs that are due after the work",
            &self.system.due_pairs(),
            &Vec::new(),
        )?;
        same(
            "members who are due after the work",
            &self.system.due_members(),
            &Vec::new(),
        )
    }
}
