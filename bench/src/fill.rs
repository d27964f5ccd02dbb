//! Fills the stores of both services with a network, through their own commands and on a clock that passes over two months.
//!
//! So what lies in the files is what the services write, with what workers forget meanwhile forgotten. connection-service's verdicts and the
//! position in its feed are handed over as over the wire. Deliberately absent: the wire itself, and waiting for the disk.

use std::{collections::VecDeque, path::Path, sync::Arc};

use anyhow::{Context as _, anyhow, ensure};
use connection_service::{
    domain::card::Card,
    domain::ensure::{Acceptance as AskedAcceptance, Verdict as GivenVerdict},
    store::{PutCard, Store as _, sqlite::SqliteStore as ConnectionFile},
};
use futures::future::try_join_all;
use invitation_service::{
    domain::{
        accept::{Ruled, Ruling, Verdict},
        note::{Note, Source},
        pair::{Connection, DeclineReason, Facts},
    },
    store::{
        Store as _,
        command::{
            AwaitedVerdict,
            answer::Acceptance,
            send::{Outcome, SendInvitation},
        },
        rows::FeedCursor,
        sqlite::SqliteStore,
    },
};
use service_kit::{
    clock::ManualClock,
    environment::Environment,
    group_commit::GroupCommitOptions,
    id::{MemberId, PairKey},
    metrics::work::WorkMetrics,
    sqlite::{SqliteOptions, Synchronous},
    time::{Span, Time},
};
use uuid::Uuid;

use crate::network::{Fate, HUB, HUB_CONNECTIONS, Network, Planned, card, id, mix, note, spoke};

/// How long the filling has taken, on its own clock. Shorter than anything that is kept for months.
const FILLED_IN: Span = Span::days(60);
/// How many invitations are sent at one time of the clock, at most.
const SENT_AT_ONCE: u64 = 2_048;
/// Into how many such moments the filling is divided, at least.
const MOMENTS_MIN: u64 = 100;
/// How many moments later an invitation is answered, at most.
const ANSWERED_WITHIN: u64 = 20;
/// In how many moments the workers' rounds are done once.
const ROUND_EVERY: u64 = 16;
/// How many pairs a round looks at together.
const DUE_MAX: usize = 1_000;
/// All that is sent at once may share a commit.
const GROUPS: GroupCommitOptions = GroupCommitOptions {
    queue_commands_max: 8_192,
    batch_commands_max: 2_048,
};
/// How many cards are put, and how many of the hub's connections made, together.
const CARDS_AT_ONCE: usize = 1_000;
/// The page cache while filling, in MiB.
const CACHE_MEBIBYTES: u32 = 512;

/// invitation-service's file in a folder.
pub(crate) const INVITATIONS: &str = "invitations.db";
/// connection-service's file in a folder.
pub(crate) const CONNECTIONS: &str = "connections.db";

/// Both stores, open without their services.
pub(crate) struct Stores {
    clock: ManualClock,
    invitations: SqliteStore,
    connections: ConnectionFile,
}

/// An invitation to be answered.
struct Unanswered {
    planned: Planned,
    id: Uuid,
}

impl Stores {
    /// Opens both stores, or makes them, at a time, in files of a folder.
    pub(crate) fn open(folder: &Path, at: Time) -> anyhow::Result<Self> {
        let clock = ManualClock::new(at);
        let options = |name| {
            let mut options = SqliteOptions::new(folder.join(name));
            options.synchronous = Synchronous::Normal;
            options.cache_mebibytes = CACHE_MEBIBYTES;
            options
        };
        Ok(Self {
            invitations: SqliteStore::open(
                options(INVITATIONS),
                GROUPS,
                invitation_service::Policy::default(),
                Environment::system(Arc::new(clock.clone())),
            )?,
            connections: ConnectionFile::open(
                options(CONNECTIONS),
                GROUPS,
                connection_service::Policy::default(),
                Environment::system(Arc::new(clock.clone())),
            )?,
            clock,
        })
    }

    /// Closes both.
    pub(crate) async fn close(self) {
        self.invitations.close().await;
        self.connections.close().await;
    }

    /// Sends and answers everything, so that it is done at `until`. Tells how far it has come.
    pub(crate) async fn fill(
        &self,
        network: &Network,
        until: Time,
        tell: impl Fn(u64),
    ) -> anyhow::Result<()> {
        let at_once = SENT_AT_ONCE.min(network.sends() / MOMENTS_MIN);
        let moments = network.sends().div_ceil(at_once);
        let mut unanswered: VecDeque<Vec<Unanswered>> = VecDeque::new();
        self.put_cards(network).await?;
        self.connect_hub(until.minus(FILLED_IN)).await?;
        self.follow().await?;
        for moment in 0..moments {
            let left = i64::try_from(moments - moment)?;
            let span = Span::millis(FILLED_IN.as_millis() / i64::try_from(moments)? * left);
            self.clock.set(until.minus(span));
            let first = moment * at_once;
            let numbers = first..network.sends().min(first + at_once);
            for sent in self.send_all(network, numbers).await? {
                let later = usize::try_from(1 + mix(sent.id.as_u64_pair().1) % ANSWERED_WITHIN)?;
                unanswered.resize_with(unanswered.len().max(later + 1), Vec::new);
                if let Some(then) = unanswered.get_mut(later) {
                    then.push(sent);
                }
            }
            self.answer_all(unanswered.pop_front().unwrap_or_default())
                .await?;
            self.follow().await?;
            if moment % ROUND_EVERY == 0 {
                self.work().await?;
                tell(first);
            }
        }
        self.clock.set(until);
        self.work().await
    }

    /// Everybody has a card.
    async fn put_cards(&self, network: &Network) -> anyhow::Result<()> {
        let members = (0..network.members()).map(|number| (number, id(number)));
        let spokes = (0..HUB_CONNECTIONS).map(|number| (!number, spoke(number)));
        let mut cards = Vec::new();
        let all = members.chain(spokes);
        for (number, member) in all {
            let [first_name, last_name, headline] = card(number);
            let card = Card {
                first_name,
                last_name,
                headline,
            };
            let member = MemberId::parse(&member).map_err(|_| anyhow!("no member id"))?;
            cards.push(PutCard::new(member, card));
            if cards.len() >= CARDS_AT_ONCE {
                self.connections
                    .put_cards(std::mem::take(&mut cards))
                    .await?;
            }
        }
        self.connections.put_cards(cards).await?;
        Ok(())
    }

    /// One member has as many connections as are allowed.
    async fn connect_hub(&self, since: Time) -> anyhow::Result<()> {
        let hub = MemberId::parse(HUB).map_err(|_| anyhow!("no member id"))?;
        let spokes: Vec<_> = (0..HUB_CONNECTIONS).collect();
        for (moment, together) in (0..).zip(spokes.chunks(CARDS_AT_ONCE)) {
            self.clock.set(since.minus(Span::minutes(60 - moment)));
            try_join_all(together.iter().map(async |number| {
                let other =
                    MemberId::parse(&spoke(*number)).map_err(|_| anyhow!("no member id"))?;
                let key = PairKey::new(&hub, &other).context("one member")?;
                let asked = AskedAcceptance {
                    invitation: Uuid::from_u64_pair(mix(*number), *number),
                    number: 1,
                    accept_time: since,
                    acceptor: key.side_of(&other).context("a stranger")?,
                };
                let given = self.connections.ensure_connection(key, asked).await?;
                ensure!(
                    matches!(given.verdict, GivenVerdict::Created { .. }),
                    "not connected: {:?}",
                    given.verdict
                );
                anyhow::Ok(())
            }))
            .await?;
        }
        Ok(())
    }

    async fn send_all(
        &self,
        network: &Network,
        numbers: std::ops::Range<u64>,
    ) -> anyhow::Result<Vec<Unanswered>> {
        let note_chars_max = invitation_service::Policy::default().note_chars_max;
        try_join_all(numbers.map(async |number| {
            let planned = network.invitation(number);
            let command = SendInvitation {
                inviter: member(planned.inviter)?,
                invitee: member(planned.invitee)?,
                note: Note::parse(note(number), note_chars_max)
                    .map_err(|error| anyhow!("{error:?}"))?,
                source: Source::default(),
                request_id: None,
                told: None,
            };
            let answer = self.invitations.send(command).await?;
            let answer = answer.map_err(|refusal| anyhow!("{planned:?}: {refusal:?}"))?;
            ensure!(
                answer.outcome == Outcome::Sent,
                "{planned:?}: {:?}",
                answer.outcome
            );
            Ok(Unanswered {
                planned,
                id: answer.view.id,
            })
        }))
        .await
    }

    async fn answer_all(&self, unanswered: Vec<Unanswered>) -> anyhow::Result<()> {
        try_join_all(
            unanswered
                .into_iter()
                .map(async |Unanswered { planned, id }| {
                    let (inviter, invitee) = (member(planned.inviter)?, member(planned.invitee)?);
                    let done = match planned.fate {
                        Fate::Pending => Ok(()),
                        Fate::Accepted => return self.accept(invitee, id).await,
                        Fate::Declined => self
                            .invitations
                            .decline(invitee, id, DeclineReason::NotNow)
                            .await?
                            .map(drop),
                        Fate::Withdrawn => self.invitations.withdraw(inviter, id).await?.map(drop),
                    };
                    done.map_err(|refusal| anyhow!("{planned:?}: {refusal:?}"))
                }),
        )
        .await?;
        Ok(())
    }

    async fn accept(&self, invitee: MemberId, id: Uuid) -> anyhow::Result<()> {
        let accepted = self.invitations.accept(invitee, id).await?;
        let awaited = match accepted.map_err(|refusal| anyhow!("{refusal:?}"))? {
            Acceptance::Awaited { awaited, .. } => awaited,
            Acceptance::Connected { .. } => return Err(anyhow!("accepted twice")),
        };
        let (key, ruling) = self.verdict(&awaited).await?;
        let epoch = self.connections.epoch();
        let ruled = self.invitations.rule(key, epoch, ruling).await?;
        ensure!(
            matches!(ruled, Some(Ruled::Connected { .. })),
            "not connected: {ruled:?}"
        );
        Ok(())
    }

    async fn verdict(&self, awaited: &AwaitedVerdict) -> anyhow::Result<(PairKey, Ruling)> {
        let key = PairKey::new(&awaited.inviter, &awaited.invitee).context("one member")?;
        let asked = AskedAcceptance {
            invitation: awaited.invitation_id,
            number: awaited.acceptance,
            accept_time: awaited.accept_time,
            acceptor: key.side_of(&awaited.invitee).context("a stranger")?,
        };
        let given = self
            .connections
            .ensure_connection(key.clone(), asked)
            .await?;
        ensure!(
            matches!(given.verdict, GivenVerdict::Created { .. }),
            "not connected: {:?}",
            given.verdict
        );
        let connection = given.facts.connection.map(|connection| Connection {
            connect_time: connection.connect_time,
            invitation_id: connection.invitation,
        });
        let ruling = Ruling {
            invitation_id: awaited.invitation_id,
            acceptance: awaited.acceptance,
            verdict: Verdict::Created,
            facts: Facts {
                connection,
                blocked_by: given.facts.blocked,
            },
            position: given.position,
        };
        Ok((key, ruling))
    }

    /// Follows connection-service's feed up to its end: all that it says has been told with the verdicts.
    async fn follow(&self) -> anyhow::Result<()> {
        let position = self.connections.feed_state().await?.head;
        let cursor = FeedCursor {
            epoch: Some(self.connections.epoch()),
            position,
        };
        self.invitations.fold(Vec::new(), cursor).await?;
        Ok(self.connections.acknowledge(position).await?)
    }

    /// What the workers of both services do.
    async fn work(&self) -> anyhow::Result<()> {
        loop {
            let due = self.invitations.due_pairs(DUE_MAX).await?;
            if due.is_empty() {
                break;
            }
            let reviewed = due.into_iter().map(|key| self.invitations.review(key));
            let awaited = try_join_all(reviewed).await?;
            ensure!(awaited.iter().all(Option::is_none), "an acceptance is left");
        }
        while self.invitations.forget_old().await? {}
        connection_service::worker::round(&self.connections, &WorkMetrics::default()).await?;
        Ok(())
    }
}

fn member(number: u64) -> anyhow::Result<MemberId> {
    MemberId::parse(&id(number)).map_err(|_| anyhow!("{number} makes no member id"))
}
