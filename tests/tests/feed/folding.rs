//! Watchers that break off wherever it happens and resume where they were: folding what they are told gives the lists.

use std::{collections::BTreeSet, time::Duration};

use acquaint_proto::invitation::v1::{DeclineReason, InvitationBox, MarkInvitationsSeenRequest};
use acquaint_tests::{
    pair::{Pair, Setup},
    wait::PATIENCE,
    watcher::{ConnectionList, InvitationLists, Message, Scope, Watcher},
};
use service_kit::time::Span;

const MEMBERS: [&str; 5] = ["ann", "bob", "cyd", "dan", "eve"];
/// How many sequences of commands, each with a seed of its own; `ACQUAINT_FEED_SEEDS` says another number.
const SEEDS: u64 = 12;
/// How many commands a sequence has.
const COMMANDS: u32 = 70;

/// A small generator of numbers that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let bound = u64::try_from(all.len()).ok().filter(|len| *len > 0)?;
        all.get(usize::try_from(self.below(bound)).unwrap())
    }

    fn two(&mut self) -> (&'static str, &'static str) {
        loop {
            let two = (
                *self.one_of(&MEMBERS).unwrap(),
                *self.one_of(&MEMBERS).unwrap(),
            );
            if two.0 != two.1 {
                return two;
            }
        }
    }
}

/// A watcher of one member that breaks off and resumes, and what it has folded.
struct Restless<M, L> {
    member: &'static str,
    watcher: Option<Watcher<M>>,
    token: String,
    lists: L,
    fold: fn(&mut L, &M) -> Option<String>,
    /// What went though it was not there.
    unknown: BTreeSet<String>,
}

impl<M: Message, L> Restless<M, L> {
    async fn new(
        pair: &Pair,
        member: &'static str,
        lists: L,
        fold: fn(&mut L, &M) -> Option<String>,
    ) -> Self {
        let watcher = Watcher::now(pair, Scope::member(member)).await;
        Self {
            member,
            token: watcher.token.clone(),
            watcher: Some(watcher),
            lists,
            fold,
            unknown: BTreeSet::new(),
        }
    }

    /// Takes up to so many messages, then breaks off if it is to; resumes first if it had broken off.
    async fn go_on(&mut self, pair: &Pair, messages: u64, break_off: bool) {
        let mut watcher = self.watch(pair).await;
        for _ in 0..messages {
            let Some(message) = watcher.next_within(Duration::from_millis(2)).await else {
                break;
            };
            self.unknown.extend((self.fold)(&mut self.lists, &message));
        }
        self.token.clone_from(&watcher.token);
        self.watcher = (!break_off).then_some(watcher);
    }

    async fn watch(&mut self, pair: &Pair) -> Watcher<M> {
        match self.watcher.take() {
            Some(watcher) => watcher,
            None => Watcher::after(pair, Scope::member(self.member), &self.token)
                .await
                .unwrap(),
        }
    }

    /// Goes on until what was folded is what the service lists; a removal or a block may still be on its way there.
    async fn catch_up(&mut self, pair: &Pair, list: impl AsyncFn() -> L)
    where
        L: PartialEq + std::fmt::Debug,
    {
        let mut watcher = self.watch(pair).await;
        let caught_up = tokio::time::timeout(PATIENCE, async {
            while self.lists != list().await {
                if let Some(message) = watcher.next_within(Duration::from_millis(50)).await {
                    self.unknown.extend((self.fold)(&mut self.lists, &message));
                }
            }
        });
        if caught_up.await.is_err() {
            let listed = list().await;
            panic!("parted: {:#?} listed: {listed:#?}", self.lists);
        }
        self.token.clone_from(&watcher.token);
        self.watcher = Some(watcher);
    }
}

/// Something that a member does; the invitation whose decline was taken back, if that is what it was. Whether it is refused does not matter.
async fn command(pair: &Pair, dice: &mut Dice) -> Option<String> {
    let mut undone = None;
    let (one, other) = dice.two();
    let received = pair.list(one, InvitationBox::Received).await;
    let received = dice.one_of(&received).map(|it| it.invitation_id.clone());
    let sent = pair.list(one, InvitationBox::Sent).await;
    let sent = dice.one_of(&sent).map(|it| it.invitation_id.clone());
    match dice.below(20) {
        0..7 => drop(pair.send(one, other).await),
        7..10 => {
            if let Some(id) = received {
                drop(pair.accept(one, &id).await);
            }
        }
        10..13 => {
            if let Some(id) = received {
                let declined = pair.decline(one, &id, DeclineReason::NotNow).await;
                declined.unwrap();
                if dice.below(2) == 0 {
                    pair.undo(one, &id).await.unwrap();
                    undone = Some(id);
                }
            }
        }
        13..16 => {
            if let Some(id) = sent {
                drop(pair.withdraw(one, &id).await);
            }
        }
        16 => pair.remove(one, other).await.unwrap(),
        17 => {
            pair.block(one, other).await.unwrap();
            pair.unblock(one, other).await.unwrap();
        }
        18 => {
            let request = MarkInvitationsSeenRequest {
                member_id: one.to_owned(),
                seen_until: Some(prost_types::Timestamp {
                    seconds: 4_000_000_000,
                    nanos: 0,
                }),
            };
            let mut client = pair.invitations.clone();
            client.mark_invitations_seen(request).await.unwrap();
        }
        _ => {
            let minutes = i64::try_from(dice.below(600)).unwrap();
            pair.advance(Span::minutes(minutes));
        }
    }
    // So that a removal and an acceptance after it are not of the same moment.
    pair.advance(Span::millis(1));
    undone
}

async fn sequence(seed: u64) {
    let mut setup = Setup::default();
    setup.invitation_policy.decline_cooldown = Span::ZERO;
    setup.invitation_policy.weekly_cap = 1_000;
    setup.invitation_policy.standing.normal_weekly_cap = 1_000;
    setup.invitation_policy.pending_received_soft_max = 2;
    let pair = Pair::with(setup).await;
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut invitations = Vec::new();
    let mut connections = Vec::new();
    for member in MEMBERS {
        let lists = InvitationLists::default();
        invitations.push(Restless::new(&pair, member, lists, InvitationLists::fold).await);
        let list = ConnectionList::default();
        connections.push(Restless::new(&pair, member, list, ConnectionList::fold).await);
    }
    let mut undone = BTreeSet::new();
    for _ in 0..COMMANDS {
        undone.extend(command(&pair, &mut dice).await);
        // Now and then one of them looks; most are away for several commands.
        if dice.below(3) == 0 {
            let number = usize::try_from(dice.below(5)).unwrap();
            let (messages, break_off) = (dice.below(4), dice.below(4) != 0);
            invitations[number].go_on(&pair, messages, break_off).await;
            connections[number].go_on(&pair, messages, break_off).await;
        }
    }
    // What happens last is told last.
    for member in MEMBERS {
        pair.send("zed", member).await.unwrap();
    }
    for watcher in &mut invitations {
        let member = watcher.member;
        let listed = async || InvitationLists::of(&pair, member).await;
        watcher.catch_up(&pair, listed).await;
        // What came back may be told to go once more than it was told to come; anything else that nobody knew of stays silent.
        assert!(watcher.unknown.is_subset(&undone), "{:?}", watcher.unknown);
    }
    for watcher in &mut connections {
        let member = watcher.member;
        let listed = async || ConnectionList::of(&pair, member).await;
        watcher.catch_up(&pair, listed).await;
        assert_eq!(watcher.unknown, BTreeSet::new());
    }
    drop((invitations, connections));
    pair.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_watcher_folds_is_what_is_listed_wherever_it_breaks_off() {
    let seeds = std::env::var("ACQUAINT_FEED_SEEDS").ok();
    for seed in 1..=seeds.map_or(SEEDS, |seeds| seeds.parse().unwrap()) {
        println!("seed {seed}");
        sequence(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_that_breaks_off_after_every_message_folds_the_lists_too() {
    let pair = Pair::start().await;
    let mut invitations = Restless::new(
        &pair,
        "bob",
        InvitationLists::default(),
        InvitationLists::fold,
    )
    .await;
    let mut connections = Restless::new(
        &pair,
        "bob",
        ConnectionList::default(),
        ConnectionList::fold,
    )
    .await;
    for number in 0..10 {
        pair.sent(&format!("inviter-{number}"), "bob").await;
        pair.connect("bob", &format!("other-{number}")).await;
    }
    let listed = InvitationLists::of(&pair, "bob").await;
    while invitations.lists != listed {
        step(&mut invitations, &pair).await;
    }
    let listed = ConnectionList::of(&pair, "bob").await;
    while connections.lists != listed {
        step(&mut connections, &pair).await;
    }
    pair.stop().await;
}

/// One message, and no further.
async fn step<M: Message, L>(watcher: &mut Restless<M, L>, pair: &Pair) {
    let mut stream = watcher.watch(pair).await;
    let message = stream.next().await.unwrap();
    assert_eq!((watcher.fold)(&mut watcher.lists, &message), None);
    watcher.token = stream.token;
}
