//! The rules with one of them taken out, each of which the search must miss.

use connection_service::domain::{
    ensure, member::Party, pair::Pair as ConnectionPair, policy::Policy as ConnectionPolicy,
};
use invitation_service::domain::{
    accept::{self, Accepting, Ruled, Ruling, Verdict},
    decline::{self, Declining},
    facts::{self, Learned},
    invitation::Transition,
    pair::{Facts, Pair},
    policy::Policy,
    refusal::Refusal,
    review,
    withdraw::Withdrawing,
};
use service_kit::{
    id::{Side, Sides},
    time::Time,
};
use uuid::Uuid;

use super::{
    rules::{Decision, Real, Rules},
    without::Without,
    wrong::{accepted, adopted, ended, forget_acceptance, only_copied},
};

impl Rules for Without {
    fn listen(
        &self,
        pair: &mut Pair,
        facts: Facts,
        position: u64,
        cursor: u64,
        policy: &Policy,
        now: Time,
    ) -> Learned {
        match self {
            Self::AnswerMustBeNewer => adopted(pair, facts, position, policy, now),
            Self::AnswersAreHeard => Learned::default(),
            Self::FactsHaveConsequences if position > pair.facts_known_to(cursor) => {
                only_copied(pair, facts, position)
            }
            _ => Real.listen(pair, facts, position, cursor, policy, now),
        }
    }

    fn fold(
        &self,
        pair: &mut Pair,
        facts: Facts,
        position: u64,
        policy: &Policy,
        now: Time,
    ) -> Learned {
        let older = position <= pair.facts_position;
        match self {
            Self::EventsAreFolded => Learned::default(),
            Self::FactsHaveConsequences if !older => only_copied(pair, facts, position),
            Self::OlderEventsAreSkipped => adopted(pair, facts, position, policy, now),
            Self::OlderEventsEndOlderInvitations if older => Learned::default(),
            Self::OlderEventsSpareNewerInvitations if older && facts.blocked() => Learned {
                newer: false,
                transitions: ended(pair).into_iter().collect(),
            },
            Self::OnlyTheVerdictEndsAnAcceptance => {
                let blocked = facts.blocked();
                let mut learned = Real.fold(pair, facts, position, policy, now);
                if blocked
                    && pair
                        .live
                        .as_ref()
                        .is_some_and(|live| position > live.invitation.decided_at)
                {
                    learned.transitions.extend(ended(pair));
                }
                learned
            }
            _ => Real.fold(pair, facts, position, policy, now),
        }
    }

    fn rule(
        &self,
        pair: &mut Pair,
        ruling: &Ruling,
        cursor: u64,
        policy: &Policy,
        now: Time,
    ) -> (Ruled, Vec<Transition>) {
        let mut ruling = ruling.clone();
        let mut before = Vec::new();
        match self {
            Self::VerdictsFactsMustBeNewer => {
                before = facts::adopt(pair, ruling.facts, ruling.position, policy, now);
            }
            Self::VerdictsFactsAreTaken => ruling.position = 0,
            Self::VerdictsAreForTheirAcceptance => {
                if let Some(live) = &pair.live {
                    ruling.invitation_id = live.invitation.id;
                    ruling.acceptance = live.invitation.acceptances;
                }
            }
            Self::CreatedMustStillHold if ruling.verdict == Verdict::Created => {
                before.extend(accepted(pair, &ruling, now));
            }
            Self::RefusalsGiveBack if matches!(ruling.verdict, Verdict::Refused { .. }) => {
                return (Ruled::NotAwaited, before);
            }
            _ => {}
        }
        let (ruled, steps) = accept::rule(pair, &ruling, cursor, policy, now);
        before.extend(steps);
        (ruled, before)
    }

    fn accept(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        policy: &Policy,
        now: Time,
    ) -> Result<Accepting, Refusal> {
        let mut accepting = Real.accept(pair, side, id, policy, now);
        if *self == Self::AcceptancesAreNumbered
            && let (Ok(Accepting::Started(step)), Some(live)) = (&mut accepting, &mut pair.live)
        {
            live.invitation.acceptances = 1;
            step.invitation.acceptances = 1;
        }
        accepting
    }

    fn decline(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        policy: &Policy,
        now: Time,
    ) -> Result<Declining, Refusal> {
        if *self == Self::AcceptingIsNotDeclined {
            forget_acceptance(pair);
        }
        Real.decline(pair, side, id, policy, now)
    }

    fn undo(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        cursor: u64,
        now: Time,
    ) -> Result<Declining, Refusal> {
        let undone = decline::undo_decline(pair, side, id, now);
        let known = pair.facts_known_to(cursor);
        if *self == Self::UndoKeepsWhatWasDecidedAt
            && let (Ok(Declining::Done(_)), Some(live)) = (&undone, &mut pair.live)
        {
            live.invitation.decided_at = known;
        }
        undone
    }

    fn withdraw(
        &self,
        pair: &mut Pair,
        side: Side,
        id: &Uuid,
        policy: &Policy,
        now: Time,
    ) -> Result<Withdrawing, Refusal> {
        if *self == Self::AcceptingIsNotWithdrawn {
            forget_acceptance(pair);
        }
        Real.withdraw(pair, side, id, policy, now)
    }

    fn review(&self, pair: &mut Pair, now: Time) -> Vec<Transition> {
        let overdue = pair
            .live
            .as_ref()
            .is_some_and(|live| live.invitation.expire_time <= now);
        if *self == Self::AcceptingDoesNotExpire && overdue {
            forget_acceptance(pair);
        }
        review::review(pair, now)
    }

    fn ensure(
        &self,
        stored: Option<&ensure::StoredVerdict>,
        pair: &mut ConnectionPair,
        parties: &Sides<Party>,
        acceptance: &ensure::Acceptance,
        policy: &ConnectionPolicy,
        now: Time,
    ) -> ensure::Ruling {
        let mut acceptance = *acceptance;
        let blocked = pair.blocked;
        let mut stored = stored;
        match self {
            Self::LowerNumbersAreSuperseded => {
                stored = stored.filter(|stored| stored.number == acceptance.number);
            }
            Self::VerdictsAreRepeated => {
                stored = stored.filter(|stored| stored.number != acceptance.number);
            }
            Self::MarksStandAgainstEarlierAcceptances => acceptance.accept_time = Time::ZERO,
            Self::VerdictsAskAboutBlocks => pair.blocked = Sides::default(),
            _ => {}
        }
        let ruling = ensure::decide(stored, pair, parties, &acceptance, policy, now);
        pair.blocked = blocked;
        ruling
    }

    fn remove(
        &self,
        pair: &mut ConnectionPair,
        parties: &Sides<Party>,
        side: Side,
        now: Time,
    ) -> Decision {
        let before = *pair;
        let decision = Real.remove(pair, parties, side, now);
        match self {
            Self::RemovalsLeaveAMark => pair.removed = before.removed,
            Self::RemovalsOfNothingLeaveAMark if before.connection.is_none() => *pair = before,
            _ => {}
        }
        decision
    }

    fn unblock(
        &self,
        pair: &mut ConnectionPair,
        parties: &Sides<Party>,
        side: Side,
        now: Time,
    ) -> Decision {
        let before = *pair;
        let decision = Real.unblock(pair, parties, side, now);
        if *self == Self::UnblocksLeaveAMark {
            pair.removed = before.removed;
        }
        decision
    }
}
