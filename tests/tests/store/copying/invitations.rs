//! What invitation-service answers from a store in a file, and from a copy of it on PostgreSQL.

use std::sync::Arc;

use acquaint_tests::engines::{Engine, Place};
use invitation_service::{
    domain::{
        accept::{Ruling, Verdict},
        act::Act,
        invitation::Place as List,
        member::WhoCanInvite,
        note::{Note, Source},
        pair::{Connection, DeclineReason, Facts},
        policy::Policy,
    },
    store::{
        ListOrder, ListQuery, Selection, Store,
        command::{facts::FeedFact, member::PreferenceChange, send::SendInvitation},
        feed::Reached,
        rows::{FeedCursor, StandingAct},
    },
};
use service_kit::{
    clock::ManualClock,
    epoch::EpochId,
    id::{MemberId, PairKey, Sides},
    time::Span,
    trace::{TraceContext, within},
};
use uuid::Uuid;

use super::{Answers, Service, assert_same, copy};
use crate::members::{START, clock, invitation, member, send, sent, shared};

const EPOCH: EpochId = EpochId::from_bytes([5; 16]);

/// `big` has so many connections that no one step erases them, and none of the others has any.
const MEMBERS: [&str; 11] = [
    "ann", "ben", "big", "cleo", "dora", "eve", "fay", "gone", "pat", "yan", "zoe",
];

/// Of two in Received the next is filtered.
pub(super) fn policy() -> Policy {
    Policy {
        pending_received_soft_max: 2,
        withdraw_cooldown: Span::days(21),
        ..Policy::default()
    }
}

/// A file with something of every kind in it.
pub(super) async fn filled() -> Place {
    fill(&clock()).await
}

async fn fill(clock: &ManualClock) -> Place {
    let place = Engine::Sqlite.place().await;
    let store = place.open(policy(), shared(clock)).await;
    let filling = Filling {
        clock: clock.clone(),
        store: &*store,
    };
    filling.follow(Vec::new(), 0).await;
    filling.pending().await;
    filling.accepted().await;
    filling.ended().await;
    filling.preferences_and_acts().await;
    filling.facts().await;
    // For a closed store there are no more positions.
    assert!(store.head().await.unwrap() > 20);
    store.close().await;
    place
}

struct Filling<'s> {
    clock: ManualClock,
    store: &'s dyn Store,
}

impl Filling<'_> {
    async fn follow(&self, facts: Vec<FeedFact>, position: u64) {
        let until = FeedCursor {
            epoch: Some(EPOCH),
            position,
        };
        self.store.fold(facts, until).await.unwrap();
    }

    async fn sent(&self, inviter: &str, invitee: &str) -> Uuid {
        self.clock.advance(Span::millis(7));
        sent(self.store, inviter, invitee).await
    }

    async fn accept(&self, invitee: &str, id: Uuid) {
        let accepted = self.store.accept(member(invitee), id).await;
        accepted.unwrap().unwrap();
    }

    async fn rule(&self, one: &str, other: &str, id: Uuid, verdict: Verdict, position: u64) {
        let connected = verdict == Verdict::Created;
        let facts = Facts {
            connection: connected.then_some(Connection {
                connect_time: START,
                invitation_id: Some(id),
            }),
            ..Facts::default()
        };
        let ruling = Ruling {
            invitation_id: id,
            acceptance: 1,
            verdict,
            facts,
            position,
        };
        let ruled = self.store.rule(key(one, other), EPOCH, ruling).await;
        ruled.unwrap().unwrap();
    }

    /// Invitations that are not answered, with notes, remembered answers, seen and filtered ones.
    async fn pending(&self) {
        self.store.send(noted()).await.unwrap().unwrap();
        for invitee in ["cleo", "dora"] {
            self.sent("fay", invitee).await;
        }
        for inviter in ["ann", "ben", "cleo", "dora"] {
            self.sent(inviter, "pat").await;
        }
        let seen = self
            .store
            .mark_seen(member("pat"), START.plus(Span::millis(40)));
        seen.await.unwrap().unwrap();
        // One more for the other side of each pair: places are by member.
        assert!(send(self.store, "pat", "zoe").await.is_ok());
    }

    /// Acceptances under way and ruled on, by answering and by crossing, with the traces of the calls.
    async fn accepted(&self) {
        let id = self.sent("ann", "cleo").await;
        let trace = TraceContext::new([3; 16], [4; 8], true).unwrap();
        within(trace, self.accept("cleo", id)).await;
        let id = self.sent("ben", "dora").await;
        self.accept("dora", id).await;
        self.rule("ben", "dora", id, Verdict::Created, 1).await;
        for (other, number, verdict) in [
            ("fay", 2, None),
            ("zoe", 3, Some(Verdict::Created)),
            ("yan", 4, Some(Verdict::Overtaken)),
        ] {
            let id = self.sent("eve", other).await;
            let crossing = SendInvitation {
                request_id: Some(Uuid::from_u128(number)),
                ..invitation(other, "eve")
            };
            self.store.send(crossing).await.unwrap().unwrap();
            if let Some(verdict) = verdict {
                self.rule("eve", other, id, verdict, 2).await;
            }
        }
    }

    /// Declined for each reason, declined and taken back, barred and no longer so, withdrawn.
    async fn ended(&self) {
        let declined = async |inviter: &str, invitee: &str, reason| {
            let id = self.sent(inviter, invitee).await;
            let declined = self.store.decline(member(invitee), id, reason).await;
            declined.unwrap().unwrap();
            id
        };
        declined("ann", "dora", DeclineReason::NotNow).await;
        declined("zoe", "ben", DeclineReason::DontKnow).await;
        declined("zoe", "cleo", DeclineReason::Spam).await;
        declined("zoe", "dora", DeclineReason::DontKnow).await;
        let unbarred = self.store.unbar(member("dora"), member("zoe")).await;
        unbarred.unwrap().unwrap();
        let id = declined("yan", "ann", DeclineReason::NotNow).await;
        let undone = self.store.undo_decline(member("ann"), id).await;
        undone.unwrap().unwrap();
        for (inviter, invitee) in [("ann", "zoe"), ("yan", "ben")] {
            let id = self.sent(inviter, invitee).await;
            let withdrawn = self.store.withdraw(member(inviter), id).await;
            withdrawn.unwrap().unwrap();
        }
    }

    async fn preferences_and_acts(&self) {
        for (name, who_can_invite, days) in [
            ("dora", Some(WhoCanInvite::Nobody), None),
            ("ann", None, Some(Some(30))),
        ] {
            let change = PreferenceChange {
                who_can_invite,
                auto_withdraw_days: days,
            };
            let updated = self.store.update_preferences(member(name), change).await;
            updated.unwrap().unwrap();
        }
        assert!(send(self.store, "yan", "dora").await.is_err(), "a probe");
        let until = START.plus(Span::days(9));
        let acts = [
            ("ann", None, Act::Plan("premium".to_owned())),
            ("ann", Some(1), Act::WeeklyCap(Some(7))),
            ("ben", None, Act::Restrict(until)),
            ("cleo", Some(2), Act::Restrict(until)),
            ("cleo", None, Act::LiftRestriction),
            ("zoe", Some(3), Act::ClearFlags),
            ("ben", Some(4), Act::WeeklyCap(None)),
            ("gone", Some(5), Act::Plan("premium".to_owned())),
        ];
        for (name, request, act) in acts {
            let act = StandingAct {
                author: "operator".to_owned(),
                request_id: request.map(Uuid::from_u128),
                member: member(name),
                act,
            };
            self.store.act(act).await.unwrap().unwrap();
        }
    }

    /// A connection, blocks, an erasure that is complete and one that is under way.
    async fn facts(&self) {
        self.sent("gone", "ann").await;
        self.sent("cleo", "gone").await;
        let fact = |number: u64, one: &str, other: &str, facts| FeedFact {
            position: number,
            key: key(one, other),
            facts,
        };
        let blocked = |low, high| Facts {
            blocked_by: Sides { low, high },
            ..Facts::default()
        };
        let connected = Facts {
            connection: Some(Connection {
                connect_time: START,
                invitation_id: None,
            }),
            ..Facts::default()
        };
        let mut facts = vec![
            fact(10, "ann", "ben", blocked(false, true)),
            fact(11, "dora", "eve", blocked(true, true)),
            fact(12, "cleo", "zoe", connected),
            fact(13, "ann", "cleo", blocked(true, false)),
        ];
        for number in 0..230 {
            facts.push(fact(20 + number, "big", &format!("of{number}"), connected));
        }
        self.follow(facts, 300).await;
        while !self.store.erase(member("gone")).await.unwrap() {}
        assert_eq!(self.store.erase(member("big")).await, Ok(false));
    }
}

fn key(one: &str, other: &str) -> PairKey {
    PairKey::new(&member(one), &member(other)).unwrap()
}

fn noted() -> SendInvitation {
    SendInvitation {
        note: Note::stored("Grüße, \u{6771}\u{4eac}\nAnn".to_owned()),
        source: Source::stored("search".to_owned()),
        request_id: Some(Uuid::from_u128(1)),
        ..invitation("ann", "ben")
    }
}

/// What is read of everything at one time.
async fn answers(store: &dyn Store) -> Vec<String> {
    let mut answers = Answers::default();
    for name in MEMBERS {
        of_member(store, &member(name), &mut answers).await;
    }
    answers.note("cursor", store.cursor().await);
    // Of two that are due since the same moment either comes first.
    let mut due_pairs = store.due_pairs(1_000).await.unwrap();
    due_pairs.sort();
    answers.note("due pairs", due_pairs);
    let mut due_members = store.due_members(1_000).await.unwrap();
    due_members.sort();
    answers.note("due members", due_members);
    answers.note("head", store.head().await);
    answers.note("events", store.service_events(0, 1_000).await);
    answers.note("assigned plans", store.assigned_plans().await);
    answers.note("acts", store.acts(None, None, 100).await);
    answers.note("later acts", store.acts(None, Some(4), 2).await);
    answers.0
}

async fn of_member(store: &dyn Store, id: &MemberId, answers: &mut Answers) {
    let others: Vec<_> = MEMBERS.iter().map(|name| member(name)).collect();
    let others: Vec<_> = others.into_iter().filter(|other| other != id).collect();
    let (kept, after) = store
        .kept_invitations(id.clone(), None, 1_000)
        .await
        .unwrap();
    for view in &kept {
        answers.note((id, view.id), store.get(id.clone(), view.id).await);
    }
    answers.note((id, "kept"), (kept, after));
    for list in [List::Sent, List::Received, List::Filtered] {
        for include_recently_withdrawn in [false, true] {
            let query = ListQuery {
                member: id.clone(),
                list,
                order: ListOrder::Newest,
                include_recently_withdrawn,
                sent_before: None,
                after: None,
                limit: 100,
            };
            answers.note((id, list), store.list(query).await);
        }
        let selection = Selection {
            member: id.clone(),
            list,
            sent_before: None,
            without_note: true,
            limit: 10,
            count_max: 100,
        };
        answers.note((id, "selected"), store.select(selection).await);
    }
    answers.note((id, "counts"), store.counts(id.clone()).await);
    answers.note(
        (id, "states"),
        store.states(id.clone(), others.clone()).await,
    );
    answers.note((id, "quota"), store.quota(id.clone()).await);
    answers.note((id, "standing"), store.standing(id.clone()).await);
    answers.note((id, "preferences"), store.preferences(id.clone()).await);
    answers.note((id, "bars"), store.bars(id.clone(), None, 100).await);
    answers.note((id, "acts"), store.acts(Some(id.clone()), None, 100).await);
    answers.note((id, "erased"), store.is_erased(id.clone()).await);
    answers.note(
        (id, "eligible"),
        store.eligibility(id.clone(), others.clone()).await,
    );
    answers.note(
        (id, "events"),
        store.member_events(id.clone(), Reached::at(0)).await,
    );
    for other in &others {
        let command = invitation(id.as_str(), other.as_str());
        let previewed = store.preview_send(command).await.unwrap();
        // The id is another each time.
        let previewed = previewed.map(|answer| (answer.quota, answer.charges, answer.view.shown));
        answers.note((id, other), previewed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_read_the_same_after_a_copy() {
    for engine in [Engine::Postgres, Engine::PostgresInLanes] {
        let clock = clock();
        let (from, to) = (fill(&clock).await, engine.place().await);
        let now = service_kit::clock::Clock::now(&clock);
        // Then what is due, over, forgotten or restricted differs.
        let times = [0, 1, 2, 10, 31, 200].map(|days| now.plus(Span::days(days)));
        let store = from.open(policy(), shared(&clock)).await;
        let mut before = Vec::new();
        for time in times {
            clock.set(time);
            before.push(answers(&*store).await);
        }
        let (epoch, secret) = (store.epoch(), *store.secret().as_bytes());
        let head = store.head().await.unwrap();
        store.close().await;
        clock.set(now);

        let same = copy(Service::Invitations, &from, &to).await;
        assert!(
            same.iter().all(|(_, rows)| *rows > 0),
            "a kind is missing: {same:?}"
        );
        let store = to.open(policy(), shared(&clock)).await;
        for (time, before) in times.iter().zip(before) {
            clock.set(*time);
            let after = answers(&*store).await;
            assert_same(&after, &before, (engine, time));
        }
        clock.set(now);
        assert_eq!(store.secret().as_bytes(), &secret);
        assert_ne!(
            store.epoch(),
            epoch,
            "a start on the database began its own"
        );
        assert_eq!(store.check_epoch(&epoch, head), Ok(()));
        assert!(store.check_epoch(&epoch, head + 1).is_err());
        goes_on(&store, head).await;
        store.close().await;
    }
}

/// What was begun in the file is ended in the database, and what was answered there is repeated.
async fn goes_on(store: &Arc<dyn Store>, head: u64) {
    let repeated = store.send(noted()).await.unwrap();
    assert!(repeated.is_err() || repeated.unwrap().charges.is_empty());
    while !store.erase(member("big")).await.unwrap() {}
    assert_eq!(store.is_erased(member("big")).await, Ok(true));
    let act = StandingAct {
        author: "operator".to_owned(),
        request_id: None,
        member: member("dora"),
        act: Act::WeeklyCap(Some(3)),
    };
    let (before, _) = store.acts(None, None, 1).await.unwrap();
    store.act(act).await.unwrap().unwrap();
    let (after, _) = store.acts(None, None, 1).await.unwrap();
    assert_eq!(after[0].number, before[0].number + 1);
    let waiting = store.kept_invitations(member("fay"), None, 100).await;
    let waiting = waiting.unwrap().0;
    let to_cleo = waiting.iter().find(|view| view.invitee == member("cleo"));
    let id = to_cleo.unwrap().id;
    let declined = store.decline(member("cleo"), id, DeclineReason::Spam).await;
    declined.unwrap().unwrap();
    assert!(sent(&**store, "cleo", "fay").await > id, "ids go on");
    assert!(store.head().await.unwrap() > head, "positions go on");
}
