//! What the service keeps, and the duties of whoever keeps it.
//!
//! A command is one transaction: `commands`, `erasure` and `retention` load, ask `domain`, and write over `rows`, the same for
//! every engine. Reads never wait for the writer. Deliberately absent: the wire, and any rule.

mod cards;
mod codec;
mod commands;
mod dismissals;
mod erasure;
mod import;
mod label_rows;
mod labels;
mod lists;
mod network;
pub mod postgres;
mod retention;
mod roster;
mod rows;
pub mod sqlite;
mod transaction;

use std::sync::Arc;

use async_trait::async_trait;
use service_kit::epoch::{Diverged, EpochId};
use service_kit::error::StoreError;
use service_kit::feed::Hub;
use service_kit::id::{MemberId, PairKey, Side};
use service_kit::secret::StoreSecret;
use service_kit::store_health::StoreHealth;
use service_kit::time::Time;
use tokio::sync::watch;

pub use cards::PutCard;
pub use commands::{Act, Acted, Ensured};
pub use erasure::Erased;
pub use import::Imported;
pub use lists::{ConnectionLine, ConnectionPage, ListRequest, Noted};

use crate::domain::annotation::{Change, OwnLabel};
use crate::domain::card::Card;
use crate::domain::connection_list::Filter;
use crate::domain::ensure::Acceptance;
use crate::domain::fact::{Entry, PairFacts};
use crate::domain::import::Outcome;
use crate::domain::label::Label;
use crate::domain::list_change::Step;
use crate::domain::network::{Between, MutualPage, Suggested, SuggestionPage};
use crate::domain::pair::Pair;
use crate::domain::refusal::Refusal;

/// What a pair is to one of its members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relationship {
    /// Nothing, or a block by the other, or the other was erased.
    None,
    /// Connected since then.
    Connected(Time),
    /// This member has blocked the other.
    Blocked,
}

impl Relationship {
    /// What a pair is to the member of a side, if neither is being erased.
    fn of(pair: &Pair, side: Side) -> Self {
        match pair.connection {
            Some(connection) => Self::Connected(connection.connect_time),
            None if pair.blocked.get(side).is_some() => Self::Blocked,
            None => Self::None,
        }
    }
}

/// A line of one of a member's lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The other member.
    pub other: MemberId,
    /// Since when.
    pub time: Time,
}

/// A page of one of a member's lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListPage<L = Line> {
    /// Newest first.
    pub lines: Vec<L>,
    /// Whether more follow.
    pub more: bool,
    /// How many lines the list has in all.
    pub total: u32,
}

/// Connections that a batch takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selected {
    /// Oldest first.
    pub lines: Vec<Line>,
    /// How many match in all, as far as they are counted.
    pub matched: u32,
}

/// The facts of pairs, all of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactsPage {
    /// The pairs, in the order asked or of their keys.
    pub facts: Vec<(PairKey, PairFacts)>,
    /// The last pair looked at, when more follow.
    pub next: Option<PairKey>,
    /// The last position of the feed at that moment.
    pub position: u64,
}

/// A stretch of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feed {
    /// What comes after the position asked about.
    Entries {
        /// In order.
        entries: Vec<Entry>,
        /// Everything up to here was looked at.
        through: u64,
        /// Whether more follows.
        more: bool,
    },
    /// What comes after the position asked about is no longer kept.
    TooOld,
}

/// What a stretch of the feed says about one member's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MemberFeed {
    /// The steps after the position asked about.
    Steps {
        /// In order.
        steps: Vec<Step>,
        /// Everything up to here was looked at.
        through: u64,
    },
    /// What comes after the position asked about is no longer kept.
    TooOld,
}

/// Where the feed stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedState {
    /// The last position.
    pub head: u64,
    /// Up to here facts have been forgotten.
    pub pruned: u64,
    /// Up to here the other service has stored them.
    pub acknowledged: u64,
}

/// Which jobs have something to do.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a job of its own, which may be due beside any other"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Due {
    /// Removal marks that have served their time.
    pub removal_marks: bool,
    /// Verdicts that are old enough to look at.
    pub verdicts: bool,
    /// Facts that have served their time.
    pub facts: bool,
    /// Deleted labels that connections still have.
    pub dropped_labels: bool,
    /// Members whose erasure can go on; some of them when there are many.
    pub erasures: Vec<MemberId>,
}

/// A store.
///
/// Every command must be one transaction that is durable before it is answered, must see every command answered before it, and must
/// take positions in the order of commits without a gap. Every read must be of one moment, not earlier than the last commit that
/// was answered before it began. The store's time is the clock's, but never earlier than that of a commit before. Everything fails
/// with [`StoreError::Overloaded`] when too much waits.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Decides what becomes of an acceptance between the two of `key`.
    async fn ensure_connection(
        &self,
        key: PairKey,
        acceptance: Acceptance,
    ) -> Result<Ensured, StoreError>;
    /// Ends a connection; with `only`, only the one made at that moment.
    async fn remove_connection(
        &self,
        act: Act,
        only: Option<Time>,
    ) -> Result<Result<Acted, Refusal>, StoreError>;
    /// Blocks a member.
    async fn block_member(&self, act: Act) -> Result<Result<Acted, Refusal>, StoreError>;
    /// Lifts a block.
    async fn unblock_member(&self, act: Act) -> Result<Result<Acted, Refusal>, StoreError>;
    /// Begins to erase a member, or says how far it has come.
    async fn erase_member(&self, member: MemberId) -> Result<Erased, StoreError>;
    /// Stores cards, in their order, and answers for each: refused when the member was erased.
    async fn put_cards(&self, cards: Vec<PutCard>) -> Result<Vec<Result<(), Refusal>>, StoreError>;
    /// Notes that the other service has stored the facts up to `position`; a lower position than before changes nothing.
    async fn acknowledge(&self, position: u64) -> Result<(), StoreError>;

    // Moving in.
    /// Moves in connections that were made elsewhere; what became of each, in their order. All of them are one transaction, so they should
    /// be in the order of their keys and not too many.
    async fn import(&self, imported: Arc<[Imported]>) -> Result<Vec<Outcome>, StoreError>;

    /// Which jobs have something to do. Cheap: it is asked all the time.
    async fn due(&self) -> Result<Due, StoreError>;
    /// Takes back a chunk of old removal marks; says whether there may be more.
    async fn forget_removal_marks(&self) -> Result<bool, StoreError>;
    /// Deletes a chunk of old verdicts; says whether there may be more.
    async fn forget_verdicts(&self) -> Result<bool, StoreError>;
    /// Deletes a chunk of old facts; says whether there may be more.
    async fn forget_facts(&self) -> Result<bool, StoreError>;
    /// Takes the next step of an erasure; says whether it can go on at once.
    async fn advance_erasure(&self, member: MemberId) -> Result<bool, StoreError>;

    /// Whether the member was erased.
    async fn is_erased(&self, member: MemberId) -> Result<bool, StoreError>;
    /// A member's card.
    async fn card(&self, member: MemberId) -> Result<Option<Card>, StoreError>;
    /// What each of `others` is to `member`, in their order. None of them may be the member.
    async fn relationships(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
    ) -> Result<Vec<Relationship>, StoreError>;
    /// A page of a member's connections. What is in the list from the first page to the last must be on exactly one of them.
    async fn connections(
        &self,
        member: MemberId,
        request: ListRequest,
    ) -> Result<ConnectionPage, StoreError>;
    /// A page of those whom a member has blocked, from after a line, at most `limit`.
    async fn blocks(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<ListPage, StoreError>;
    /// The facts of pairs, in their order.
    async fn pair_facts(&self, keys: Vec<PairKey>) -> Result<FactsPage, StoreError>;
    /// A page of all pairs with a connection or a block, from after a key. At most `limit` pairs are looked at, so a page may hold
    /// fewer, or none, and still have a next one.
    async fn all_facts(&self, after: Option<PairKey>, limit: u32) -> Result<FactsPage, StoreError>;
    /// The last position of the feed.
    async fn head(&self) -> Result<u64, StoreError>;
    /// Where the feed stands.
    async fn feed_state(&self) -> Result<FeedState, StoreError>;
    /// At most `limit` entries of the feed after a position.
    async fn feed(&self, after: u64, limit: u32) -> Result<Feed, StoreError>;
    /// What the feed after a position says about one member's list of connections. Too old also when it says more than a watch
    /// reads at once, when it has lost content that concerned the list, and when the member was erased after the position.
    async fn member_feed(&self, member: MemberId, after: u64) -> Result<MemberFeed, StoreError>;
    /// Up to `limit` erasures with a position after `after` and up to `through` that were not acknowledged, in order: position
    /// and member.
    async fn unacknowledged_erasures(
        &self,
        after: u64,
        through: u64,
        limit: u32,
    ) -> Result<Vec<(u64, MemberId)>, StoreError>;

    // Labels and private notes.

    /// Changes what the one who acts has noted about their connection; the connection as they see it then.
    async fn update_connection(
        &self,
        act: Act,
        change: Change,
    ) -> Result<Result<ConnectionLine, Refusal>, StoreError>;
    /// A member's labels, in the order of their texts.
    async fn labels(&self, member: MemberId) -> Result<Vec<OwnLabel>, StoreError>;
    /// Gives a label another text, on all connections at once.
    async fn rename_label(
        &self,
        member: MemberId,
        from: Label,
        to: Label,
    ) -> Result<Result<OwnLabel, Refusal>, StoreError>;
    /// Deletes a label, which no read shows from then on; also where there is none.
    async fn delete_label(
        &self,
        member: MemberId,
        label: Label,
    ) -> Result<Result<(), Refusal>, StoreError>;
    /// Clears away a chunk of what deleted labels have left; says whether there may be more.
    async fn forget_dropped_labels(&self) -> Result<bool, StoreError>;

    /// The `limit` oldest of a member's connections that a filter takes; up to `count_max` of those that match are counted.
    async fn select_connections(
        &self,
        member: MemberId,
        filter: Filter,
        limit: u32,
        count_max: u32,
    ) -> Result<Selected, StoreError>;

    // The network around a member. Searches read at most `rows_max` rows, and answer `None` where that is not enough.

    /// Notes that a member does not want another suggested.
    async fn dismiss_suggestion(&self, act: Act) -> Result<Result<(), Refusal>, StoreError>;
    /// Whom a member does not want suggested.
    async fn dismissals(&self, member: MemberId) -> Result<Vec<MemberId>, StoreError>;
    /// Up to `limit` of those whom a member does not want suggested, newest first, after a line.
    async fn dismissed(
        &self,
        member: MemberId,
        after: Option<Line>,
        limit: u32,
    ) -> Result<Vec<Line>, StoreError>;
    /// What there is between a member and each of `others`, in their order. None of them may be the member.
    async fn between(
        &self,
        member: MemberId,
        others: Vec<MemberId>,
        with_mutual_counts: bool,
        rows_max: u32,
    ) -> Result<Option<Vec<Between>>, StoreError>;
    /// Whether the two of each pair have a connection in common and no block between them. `rows_max` is for all pairs together.
    async fn have_mutual(
        &self,
        keys: Vec<PairKey>,
        rows_max: u32,
    ) -> Result<Vec<Option<bool>>, StoreError>;
    /// A page of the connections that two members have in common, by id, from after one of them, at most `limit`.
    async fn mutual_connections(
        &self,
        key: PairKey,
        after: Option<MemberId>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<MutualPage>, StoreError>;
    /// A page of whom a member may know and has not dismissed, from after a suggestion, at most `limit`.
    async fn suggestions(
        &self,
        member: MemberId,
        after: Option<Suggested>,
        limit: u32,
        rows_max: u32,
    ) -> Result<Option<SuggestionPage>, StoreError>;

    /// The history that the store writes. It may become another one while the process runs, where several share a store.
    fn epoch(&self) -> EpochId;
    /// Whether a position that was reached in the history `epoch` belongs to the one that the store writes: see [`Epochs::check`].
    ///
    /// [`Epochs::check`]: service_kit::epoch::Epochs::check
    fn check_epoch(&self, epoch: &EpochId, position: u64) -> Result<(), Diverged>;
    /// Wakes those who follow the feed, after each commit.
    fn hub(&self) -> &Hub;
    /// Up to where facts have been acknowledged, after each commit.
    fn acknowledged(&self) -> watch::Receiver<u64>;
    /// Keys tokens.
    fn secret(&self) -> &StoreSecret;
    /// Whether the store works, as its use has shown.
    fn health(&self) -> &StoreHealth;
    /// Writes and reads, and changes nothing: whether the store works now.
    async fn probe(&self) -> Result<(), StoreError>;
    /// Resolves when the store takes no more commands, which a process should not outlive.
    async fn closed(&self);
    /// Finishes what waits, then releases the store; resolves when that is done. Commands that come later fail.
    async fn close(&self);
}
