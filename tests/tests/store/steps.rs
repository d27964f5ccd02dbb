//! Where an invitation can stand, and what each thing that either of the two can do comes to there, whichever of them sorts first.

use std::sync::Arc;

use acquaint_tests::engines::{Engine, Place};
use invitation_service::{
    domain::{
        accept::{Ruling, Verdict},
        invitation::Place as List,
        pair::{Connection, DeclineReason, Facts},
        refusal::Refusal,
        view::View,
    },
    store::{
        ListOrder, ListQuery, Store,
        command::{
            AwaitedVerdict,
            answer::{Acceptance, Ending},
            send::Outcome,
        },
        rows::FeedCursor,
    },
};
use service_kit::{
    clock::ManualClock,
    epoch::EpochId,
    id::{PairKey, Sides},
    time::Span,
};
use uuid::Uuid;

use crate::members::{START, clock, events, member, policy, send, sent, shared};

over_every_engine! {
    accepting {
        what_is_pending: (Stands::Pending, Came::Awaits),
        what_was_accepted: (Stands::Accepting, Came::Awaits),
        what_has_connected: (Stands::Connected, Came::Connected),
        what_was_declined: (Stands::Declined, Came::Refused("InvitationNotPending")),
        what_was_barred: (Stands::Barred, Came::Refused("InvitationNotPending")),
        what_was_withdrawn: (Stands::Withdrawn, Came::Refused("InvitationNotFound")),
    },
    declining {
        what_is_pending: (Stands::Pending, Came::Done),
        what_was_accepted: (Stands::Accepting, Came::Awaits),
        what_has_connected: (Stands::Connected, Came::Refused("AlreadyAccepted")),
        what_was_declined: (Stands::Declined, Came::Done),
        what_was_barred: (Stands::Barred, Came::Done),
        what_was_withdrawn: (Stands::Withdrawn, Came::Refused("InvitationNotFound")),
    },
    undoing {
        what_is_pending: (Stands::Pending, Came::Done),
        what_was_accepted: (Stands::Accepting, Came::Awaits),
        what_has_connected: (Stands::Connected, Came::Refused("AlreadyAccepted")),
        what_was_declined: (Stands::Declined, Came::Done),
        what_was_barred: (Stands::Barred, Came::Done),
        what_was_withdrawn: (Stands::Withdrawn, Came::Refused("InvitationNotFound")),
    },
    withdrawing {
        what_is_pending: (Stands::Pending, Came::Done),
        what_was_accepted: (Stands::Accepting, Came::Awaits),
        what_has_connected: (Stands::Connected, Came::Refused("AlreadyAccepted")),
        what_was_declined: (Stands::Declined, Came::Refused("InvitationNotFound")),
        what_was_barred: (Stands::Barred, Came::Refused("InvitationNotFound")),
        what_was_withdrawn: (Stands::Withdrawn, Came::Done),
    },
    inviting_again {
        while_it_is_pending: (Stands::Pending, Came::Refused("InvitationPending")),
        once_it_was_accepted: (Stands::Accepting, Came::Refused("InvitationPending")),
        once_connected: (Stands::Connected, Came::Refused("AlreadyConnected")),
        once_declined: (Stands::Declined, Came::Refused("RecipientUnavailable")),
        once_barred: (Stands::Barred, Came::Refused("RecipientUnavailable")),
        once_withdrawn: (Stands::Withdrawn, Came::Sent),
    },
    inviting_back {
        while_it_is_pending: (Stands::Pending, Came::Awaits),
        once_it_was_accepted: (Stands::Accepting, Came::Awaits),
        once_connected: (Stands::Connected, Came::Refused("AlreadyConnected")),
        once_declined: (Stands::Declined, Came::Sent),
        once_barred: (Stands::Barred, Came::Sent),
        once_withdrawn: (Stands::Withdrawn, Came::Sent),
    },
}

/// Where the invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stands {
    Pending,
    /// Accepted; the verdict is awaited.
    Accepting,
    Connected,
    Declined,
    /// Declined, and its inviter barred.
    Barred,
    Withdrawn,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    Accept,
    Decline,
    Undo,
    Withdraw,
    InviteAgain,
    InviteBack,
}

/// What that comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Done,
    /// An acceptance is under way.
    Awaits,
    Connected,
    /// Another invitation was sent.
    Sent,
    /// By this name.
    Refused(&'static str),
}

const EPOCH: EpochId = EpochId::from_bytes([5; 16]);

/// The inviter and the invitee.
const TWO: [(&str, &str); 2] = [("ann", "ben"), ("zoe", "ben")];

async fn accepting(engine: Engine, (stands, came): (Stands, Came)) {
    comes_to(engine, stands, Does::Accept, came).await;
}

async fn declining(engine: Engine, (stands, came): (Stands, Came)) {
    comes_to(engine, stands, Does::Decline, came).await;
}

async fn undoing(engine: Engine, (stands, came): (Stands, Came)) {
    comes_to(engine, stands, Does::Undo, came).await;
}

async fn withdrawing(engine: Engine, (stands, came): (Stands, Came)) {
    comes_to(engine, stands, Does::Withdraw, came).await;
}

async fn inviting_again(engine: Engine, (stands, came): (Stands, Came)) {
    comes_to(engine, stands, Does::InviteAgain, came).await;
}

async fn inviting_back(engine: Engine, (stands, came): (Stands, Came)) {
    comes_to(engine, stands, Does::InviteBack, came).await;
}

/// A store in which an invitation of each of the [`TWO`] stands there.
struct Laid {
    place: Place,
    clock: ManualClock,
    store: Arc<dyn Store>,
}

impl Laid {
    async fn open(engine: Engine) -> Self {
        let (place, clock) = (engine.place().await, clock());
        let store = place.open(policy(), shared(&clock)).await;
        let followed = FeedCursor {
            epoch: Some(EPOCH),
            position: 0,
        };
        store.fold(Vec::new(), followed).await.unwrap();
        Self {
            place,
            clock,
            store,
        }
    }

    /// Closes the store and opens it again, as a new process would.
    async fn restart(&mut self) {
        self.store.close().await;
        self.store = self.place.open(policy(), shared(&self.clock)).await;
    }

    /// The invitation, brought to where it stands.
    async fn lay(&self, stands: Stands, inviter: &str, invitee: &str) -> Uuid {
        let id = sent(&*self.store, inviter, invitee).await;
        self.clock.advance(Span::millis(5));
        let does = match stands {
            Stands::Pending => return id,
            Stands::Accepting | Stands::Connected => Does::Accept,
            Stands::Declined | Stands::Barred => Does::Decline,
            Stands::Withdrawn => Does::Withdraw,
        };
        if stands == Stands::Barred {
            let spam = self.store.decline(member(invitee), id, DeclineReason::Spam);
            spam.await.unwrap().unwrap();
            return id;
        }
        self.done(does, id, inviter, invitee).await;
        if stands == Stands::Connected {
            let facts = Facts {
                connection: Some(Connection {
                    connect_time: START,
                    invitation_id: Some(id),
                }),
                ..Facts::default()
            };
            let ruling = Ruling {
                invitation_id: id,
                acceptance: 1,
                verdict: Verdict::Created,
                facts,
                position: 1,
            };
            let key = PairKey::new(&member(inviter), &member(invitee)).unwrap();
            self.store.rule(key, EPOCH, ruling).await.unwrap().unwrap();
        }
        id
    }

    async fn done(&self, does: Does, id: Uuid, inviter: &str, invitee: &str) -> Came {
        let store = &self.store;
        match does {
            Does::Accept => match store.accept(member(invitee), id).await.unwrap() {
                Ok(Acceptance::Awaited { awaited, .. }) => awaits(&awaited, id, inviter, invitee),
                Ok(Acceptance::Connected { connect_time, .. }) => {
                    assert_eq!(connect_time, START);
                    Came::Connected
                }
                Err(refusal) => refused(&refusal),
            },
            Does::Decline => {
                let declined = store.decline(member(invitee), id, DeclineReason::NotNow);
                ended(declined.await.unwrap(), id, inviter, invitee)
            }
            Does::Undo => {
                let undone = store.undo_decline(member(invitee), id).await;
                ended(undone.unwrap(), id, inviter, invitee)
            }
            Does::Withdraw => {
                let withdrawn = store.withdraw(member(inviter), id).await;
                ended(withdrawn.unwrap(), id, inviter, invitee)
            }
            Does::InviteAgain => self.invited(inviter, invitee, id).await,
            Does::InviteBack => self.invited(invitee, inviter, id).await,
        }
    }

    /// What another invitation between the two comes to, of whom `inviter` sends it.
    async fn invited(&self, inviter: &str, invitee: &str, id: Uuid) -> Came {
        match send(&*self.store, inviter, invitee).await {
            Ok(answer) => match answer.outcome {
                Outcome::Sent => {
                    assert_ne!(answer.view.id, id);
                    Came::Sent
                }
                Outcome::Accepting(awaited) => awaits(&awaited, id, invitee, inviter),
                Outcome::Connected => Came::Connected,
                Outcome::Ended => panic!("no request was repeated"),
            },
            Err(refusal) => refused(&refusal),
        }
    }

    /// How many invitations a member's lists show, which are as many as are counted.
    async fn listed(&self, of: &str) -> (usize, usize) {
        let (sent, received) = (
            self.list(of, List::Sent).await,
            self.list(of, List::Received).await,
        );
        let listed = (sent.len(), received.len());
        let counts = self.store.counts(member(of)).await.unwrap();
        let counted = (counts.sent_pending, counts.received_pending);
        assert_eq!(counted.0 as usize, listed.0, "{of}");
        assert_eq!(counted.1 as usize, listed.1, "{of}");
        listed
    }

    async fn list(&self, of: &str, list: List) -> Vec<View> {
        let query = ListQuery {
            member: member(of),
            list,
            order: ListOrder::Newest,
            include_recently_withdrawn: false,
            sent_before: None,
            after: None,
            limit: 100,
        };
        self.store.list(query).await.unwrap().0
    }

    /// How many invitations of one inviter a member has in Received.
    async fn from(&self, of: &str, inviter: &str) -> usize {
        let received = self.list(of, List::Received).await;
        let from = received
            .iter()
            .filter(|view| view.inviter == member(inviter));
        from.count()
    }

    /// Whether the inviter, and whether the invitee, is shown the invitation when they ask for it.
    async fn shown(&self, inviter: &str, invitee: &str, id: Uuid) -> Sides<bool> {
        let of_inviter = self.store.get(member(inviter), id).await.unwrap();
        let of_invitee = self.store.get(member(invitee), id).await.unwrap();
        sides(of_inviter.is_some(), of_invitee.is_some())
    }
}

fn sides(low: bool, high: bool) -> Sides<bool> {
    Sides { low, high }
}

fn awaits(awaited: &AwaitedVerdict, id: Uuid, inviter: &str, invitee: &str) -> Came {
    assert_eq!((awaited.invitation_id, awaited.acceptance), (id, 1));
    assert_eq!(awaited.inviter, member(inviter));
    assert_eq!(awaited.invitee, member(invitee));
    Came::Awaits
}

fn ended(ended: Result<Ending, Refusal>, id: Uuid, inviter: &str, invitee: &str) -> Came {
    match ended {
        Ok(Ending::Done(view)) => {
            assert_eq!(view.id, id);
            Came::Done
        }
        Ok(Ending::Awaits(awaited)) => awaits(&awaited, id, inviter, invitee),
        Err(refusal) => refused(&refusal),
    }
}

/// Its name.
fn refused(refusal: &Refusal) -> Came {
    Came::Refused(match refusal {
        Refusal::InvitationNotFound => "InvitationNotFound",
        Refusal::InvitationNotPending => "InvitationNotPending",
        Refusal::AlreadyAccepted => "AlreadyAccepted",
        Refusal::AlreadyConnected => "AlreadyConnected",
        Refusal::InvitationPending { .. } => "InvitationPending",
        Refusal::RecipientUnavailable => "RecipientUnavailable",
        other => panic!("{other:?}"),
    })
}

/// Does it, and looks at what both are shown then, also by the next process.
async fn comes_to(engine: Engine, stands: Stands, does: Does, expected: Came) {
    let mut laid = Laid::open(engine).await;
    let mut ids = Vec::new();
    for (inviter, invitee) in TWO {
        let id = laid.lay(stands, inviter, invitee).await;
        let shown = laid.shown(inviter, invitee, id).await;
        let came = laid.done(does, id, inviter, invitee).await;
        assert_eq!(came, expected, "{inviter}");
        let shown = match (came, does) {
            (Came::Done, Does::Decline) => sides(false, true),
            (Came::Done, Does::Withdraw) => sides(true, false),
            (Came::Done, Does::Undo) => sides(true, true),
            _ => shown,
        };
        ids.push((id, shown));
    }
    for _ in 0..2 {
        for ((inviter, invitee), (id, shown)) in TWO.into_iter().zip(&ids) {
            assert_eq!(laid.shown(inviter, invitee, *id).await, *shown);
            // What each has of the other in Sent and in Received.
            let pending = [Stands::Pending, Stands::Accepting].contains(&stands);
            let live = match expected {
                Came::Done => does == Does::Undo,
                _ => pending,
            };
            let sent = expected == Came::Sent;
            let to_invitee = usize::from(live) + usize::from(sent && does == Does::InviteAgain);
            let to_inviter = usize::from(sent && does == Does::InviteBack);
            assert_eq!(laid.listed(inviter).await.0, to_invitee, "{inviter}");
            assert_eq!(laid.listed(inviter).await.1, to_inviter, "{inviter}");
            let of_invitee = laid.from(invitee, inviter).await;
            assert_eq!(of_invitee, to_invitee, "{inviter}");
        }
        events(&*laid.store).await;
        laid.restart().await;
    }
    laid.store.close().await;
}
