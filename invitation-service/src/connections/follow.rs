//! Following connection-service's feed, so that the copy of its facts is never far behind.
//!
//! The cursor moves in the transaction that folds, so nothing is skipped and nothing is folded twice. When the feed cannot be resumed
//! (absent too long, or another history), the copy is started anew from the list of all facts. Of several processes on one store one follows:
//! the one that leads, which the store sees to. Deliberately absent: what facts do to invitations (`domain/facts.rs`).

use std::{sync::Arc, time::Duration};

use acquaint_proto::connection::internal::v1::{
    AcknowledgeFactsRequest, ListFactsRequest, WatchFactsRequest, WatchFactsResponse, fact,
    fact_service_client::FactServiceClient,
};
use futures::StreamExt as _;
use prometheus_client::registry::Registry;
use service_kit::{
    auth::Bearer,
    crash,
    epoch::EpochId,
    error::StoreError,
    id::{MemberId, PairKey},
    time::Span,
};
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status, Streaming, transport::Channel};

use super::{convert, metrics::FeedMetrics, remote::FactClient};
use crate::{
    limiter::Limiter,
    store::{
        Store,
        command::{facts::FeedFact, rebuild::FactsPage},
        rows::FeedCursor,
    },
};

/// The first and the longest wait before following again after it broke off.
const RETRY_WAITS: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// For how long a process leads that has asked for it, how often it asks to go on, and how often the others ask in its stead.
const LEAD: Span = Span::seconds(3);
const LEAD_AGAIN: Duration = Duration::from_millis(500);
/// For how long it goes on without having been told that it leads still.
const LEAD_KEPT: Duration = Duration::from_secs(2);
/// The history of no store: the copy is being started anew.
const NO_HISTORY: EpochId = EpochId::from_bytes([0; 16]);
/// How many messages that have arrived are folded together.
const TOGETHER_MAX: usize = 64;
/// How many facts one page of the list holds.
const PAGE_SIZE: i32 = 500;
/// Names, with the refusal of another history, the last position common to both.
const COMMON_POSITION_KEY: &str = "acquaint-common-position";

/// How far the feed has been followed, for those who wait for it.
pub type Followed = watch::Receiver<FeedCursor>;

/// Why following broke off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("connection-service: {:?}", .0.code())]
    Wire(Box<Status>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("connection-service sent what makes no sense here: {0}")]
    Nonsense(&'static str),
    #[error("connection-service has begun another history")]
    MovedOn,
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        Self::Wire(Box::new(status))
    }
}

/// Follows the feed.
pub struct Follower {
    store: Arc<dyn Store>,
    limiter: Arc<dyn Limiter>,
    client: FactClient,
    followed: watch::Sender<FeedCursor>,
    metrics: FeedMetrics,
    fold_max: usize,
    leads: watch::Sender<bool>,
}

impl Follower {
    /// A follower that has not begun, of the connection-service that `channel` leads to, showing the token of `bearer` there. It folds
    /// up to `fold_max` facts of one message in one transaction, has `limiter` forget whoever is erased, and says in `leads` whether this
    /// process is the one that follows.
    pub fn new(
        store: Arc<dyn Store>,
        limiter: Arc<dyn Limiter>,
        channel: Channel,
        bearer: Bearer,
        fold_max: usize,
        leads: watch::Sender<bool>,
    ) -> (Self, Followed) {
        let nowhere = FeedCursor {
            epoch: None,
            position: 0,
        };
        let (followed, receiver) = watch::channel(nowhere);
        let follower = Self {
            store,
            limiter,
            client: FactServiceClient::with_interceptor(channel, bearer),
            followed,
            metrics: FeedMetrics::default(),
            fold_max,
            leads,
        };
        (follower, receiver)
    }

    /// Adds the figures of following to what is scraped.
    pub fn register(&self, registry: &mut Registry) {
        self.metrics.register(registry, self.followed.subscribe());
    }

    /// Follows until `stop` is cancelled, coming back by itself whenever it breaks off; where others use the store too, while this process
    /// leads.
    pub async fn run(mut self, stop: CancellationToken) {
        if !self.store.is_shared() {
            return self.follow_on(&stop).await;
        }
        while !stop.is_cancelled() {
            match self.store.lead(LEAD).await {
                Ok(true) => self.lead(&stop).await,
                Ok(false) => self.hear_from_who_leads().await,
                Err(error) => tracing::debug!("who leads is not known: {error}"),
            }
            let pause = tokio::time::sleep(LEAD_AGAIN);
            stop.run_until_cancelled(pause).await;
        }
    }

    /// Follows as long as this process leads.
    async fn lead(&mut self, stop: &CancellationToken) {
        tracing::info!("this process leads: it follows connection-service and does what is due");
        self.leads.send_replace(true);
        let ended = stop.child_token();
        let store = self.store.clone();
        let leading = async {
            let mut until = Instant::now() + LEAD_KEPT;
            while Instant::now() < until {
                match store.lead(LEAD).await {
                    Ok(true) => until = Instant::now() + LEAD_KEPT,
                    Ok(false) => break,
                    // The store says who leads, so nothing is lost if another does by now.
                    Err(error) => tracing::warn!("leading cannot be prolonged: {error}"),
                }
                tokio::time::sleep(LEAD_AGAIN).await;
            }
            ended.cancel();
        };
        let following = self.follow_on(&ended);
        tokio::select! {
            () = leading => {}
            () = following => {}
        }
        self.metrics.ended(false);
        self.leads.send_replace(false);
        if stop.is_cancelled()
            && let Err(error) = self.store.lead(Span::ZERO).await
        {
            // Another leads all the same, when the time is over for which this one has asked.
            tracing::debug!("leading cannot be handed over: {error}");
        }
        tracing::info!("this process no longer leads");
    }

    /// Takes note of how far the process that leads has followed.
    async fn hear_from_who_leads(&self) {
        if let Ok(cursor) = self.store.cursor().await {
            self.followed
                .send_if_modified(|known| std::mem::replace(known, cursor) != cursor);
        }
    }

    async fn follow_on(&mut self, stop: &CancellationToken) {
        let mut wait = RETRY_WAITS.0;
        loop {
            let before = *self.followed.borrow();
            let followed = stop.run_until_cancelled(self.follow()).await;
            self.metrics.ended(matches!(followed, Some(Err(_))));
            let Some(followed) = followed else {
                return;
            };
            if let Err(broken) = followed {
                tracing::warn!("following connection-service broke off: {broken}");
            }
            // It had worked for a while, so the next attempt may come soon.
            if *self.followed.borrow() != before {
                wait = RETRY_WAITS.0;
            }
            if stop
                .run_until_cancelled(tokio::time::sleep(wait))
                .await
                .is_none()
            {
                return;
            }
            wait = (wait * 2).min(RETRY_WAITS.1);
        }
    }

    async fn follow(&mut self) -> Result<(), Broken> {
        let cursor = self.store.cursor().await?;
        if cursor.epoch.is_none() {
            return self.rebuild(None).await;
        }
        let request = WatchFactsRequest {
            after: convert::to_position(cursor),
        };
        let messages = match self.client.watch_facts(request).await {
            Ok(messages) => messages.into_inner(),
            Err(status) => return self.start_anew_or_break(status).await,
        };
        // Side by side: what comes next is not kept waiting for an answer, and many positions share an acknowledgement.
        let (told, to_acknowledge) = watch::channel(cursor);
        let acknowledging = acknowledge(self.client.clone(), to_acknowledge);
        let folding = self.fold_all(messages, cursor.position, told);
        match tokio::try_join!(folding, acknowledging)? {
            (None, ()) => Ok(()),
            (Some(status), ()) => self.start_anew_or_break(status).await,
        }
    }

    /// Folds what `messages`, a stream resumed after `resumed`, tell, until they end; with which status, if not in order. All that has
    /// arrived meanwhile is folded together.
    async fn fold_all(
        &mut self,
        messages: Streaming<WatchFactsResponse>,
        resumed: u64,
        told: watch::Sender<FeedCursor>,
    ) -> Result<Option<Status>, Broken> {
        let mut arrived = messages.ready_chunks(TOGETHER_MAX);
        while let Some(messages) = arrived.next().await {
            let mut whole: Option<WatchFactsResponse> = None;
            let mut broken = None;
            for message in messages {
                match (message, &mut whole) {
                    (Ok(message), Some(whole)) => {
                        whole.facts.extend(message.facts);
                        whole.position = message.position;
                    }
                    (Ok(message), None) => whole = Some(message),
                    (Err(status), _) => broken = Some(status),
                }
            }
            if let Some(whole) = whole {
                self.fold(whole, resumed, &told).await?;
            }
            if broken.is_some() {
                return Ok(broken);
            }
        }
        Ok(None)
    }

    async fn start_anew_or_break(&mut self, status: Status) -> Result<(), Broken> {
        match status.code() {
            Code::OutOfRange => self.rebuild(None).await,
            Code::FailedPrecondition => {
                let common = status.metadata().get(COMMON_POSITION_KEY);
                let common = common.and_then(|value| value.to_str().ok()?.parse().ok());
                let common = common.ok_or(Broken::Nonsense(
                    "another history without a common position",
                ))?;
                self.rebuild(Some(common)).await
            }
            _ => Err(status.into()),
        }
    }

    /// Folds messages of a stream that was resumed after `resumed`, up to where everything but erasures has been folded before. How far they
    /// told is said as it goes, for they may tell of much at once.
    async fn fold(
        &mut self,
        message: WatchFactsResponse,
        resumed: u64,
        told: &watch::Sender<FeedCursor>,
    ) -> Result<(), Broken> {
        self.metrics.heard(message.facts.len());
        let (epoch, position) = convert::position(message.position.as_ref())
            .ok_or(Broken::Nonsense("facts without a position"))?;
        let at = |position: u64| FeedCursor {
            epoch: Some(epoch),
            position: position.max(resumed),
        };
        // What was told, not what is followed: an erasure before that is still to come.
        let tell = |position| {
            told.send_replace(FeedCursor {
                epoch: Some(epoch),
                position,
            });
        };
        crash::point("fold.received");
        let mut batch = Vec::new();
        for fact in message.facts {
            match fact
                .change
                .ok_or(Broken::Nonsense("a fact without a change"))?
            {
                fact::Change::Pair(facts) => {
                    let spoken =
                        convert::spoken(&facts).ok_or(Broken::Nonsense("malformed facts"))?;
                    batch.push(FeedFact {
                        position: fact.position,
                        key: spoken.key,
                        facts: spoken.facts,
                    });
                    if batch.len() >= self.fold_max {
                        self.store
                            .fold(std::mem::take(&mut batch), at(fact.position))
                            .await?;
                        self.followed.send_replace(at(fact.position));
                        tell(fact.position);
                    }
                }
                fact::Change::ErasedMemberId(id) => {
                    let id = MemberId::parse(&id)
                        .map_err(|_| Broken::Nonsense("a malformed member id"))?;
                    let before = at(fact.position.saturating_sub(1));
                    self.store.fold(std::mem::take(&mut batch), before).await?;
                    while !self.store.erase(id.clone()).await? {}
                    self.limiter.forget(&id).await;
                    crash::point("fold.erased");
                    self.store.fold(Vec::new(), at(fact.position)).await?;
                }
            }
        }
        self.store.fold(batch, at(position)).await?;
        crash::point("fold.committed");
        self.followed.send_replace(at(position));
        tell(position);
        Ok(())
    }

    /// Starts the copy anew from the list of all facts. `common_position`: up to where another history is the same as the one followed so
    /// far; `None` where it is the same history.
    async fn rebuild(&mut self, common_position: Option<u64>) -> Result<(), Broken> {
        self.metrics.rebuilds();
        tracing::info!(
            common_position,
            "starting the copy of connection-service's facts anew"
        );
        if let Some(common) = common_position {
            // From here on nothing is decided by positions of the other history. Should this process die before the end, the history that
            // nobody has makes it begin again.
            let nowhere = FeedCursor {
                epoch: Some(NO_HISTORY),
                position: common,
            };
            self.store.fold(Vec::new(), nowhere).await?;
            let mut after = None;
            while let Some(last) = self.store.rewind_pairs(after, common).await? {
                after = Some(last);
            }
            crash::point("restored.rewound");
        }
        let mut begun = None;
        let mut after = None;
        let mut page_token = String::new();
        loop {
            let request = ListFactsRequest {
                page_size: PAGE_SIZE,
                page_token,
            };
            let page = self.client.list_facts(request).await?.into_inner();
            let at = convert::position(page.position.as_ref())
                .ok_or(Broken::Nonsense("a list without a position"))?;
            // What is told from the first page's position on covers what changed while the other pages were read.
            let begun = *begun.get_or_insert(at);
            if at.0 != begun.0 {
                return Err(Broken::MovedOn);
            }
            let facts: Option<Vec<_>> = page.facts.iter().map(convert::spoken).collect();
            let facts = facts.ok_or(Broken::Nonsense("malformed facts"))?;
            let facts: Vec<_> = facts
                .into_iter()
                .map(|spoken| (spoken.key, spoken.facts))
                .collect();
            let last = page.next_page_token.is_empty();
            let until = facts.last().map(|(key, _)| key.clone()).filter(|_| !last);
            after = self.merge(after, until, facts, at.1).await?;
            crash::point("start.copied_page");
            if last {
                let cursor = FeedCursor {
                    epoch: Some(begun.0),
                    position: begun.1,
                };
                self.store.fold(Vec::new(), cursor).await?;
                self.followed.send_replace(cursor);
                // Acknowledged once the stream from here has told of the erasures, which no list does.
                return Ok(());
            }
            page_token = page.next_page_token;
        }
    }

    /// Merges one page, in as many transactions as it takes; where the next page begins.
    async fn merge(
        &mut self,
        mut after: Option<PairKey>,
        until: Option<PairKey>,
        facts: Vec<(PairKey, crate::domain::pair::Facts)>,
        position: u64,
    ) -> Result<Option<PairKey>, Broken> {
        loop {
            let page = FactsPage {
                after: after.clone(),
                until: until.clone(),
                facts: facts.clone(),
                position,
            };
            match self.store.merge_page(page).await? {
                Some(border) => after = Some(border),
                None => return Ok(until),
            }
        }
    }
}

/// Acknowledges how far was told, always the last of it, until nobody tells any more.
async fn acknowledge(
    mut client: FactClient,
    mut told: watch::Receiver<FeedCursor>,
) -> Result<(), Broken> {
    while told.changed().await.is_ok() {
        let position = convert::to_position(*told.borrow_and_update());
        client
            .acknowledge_facts(AcknowledgeFactsRequest { position })
            .await?;
        crash::point("fold.acknowledged");
    }
    Ok(())
}

/// Waits until the history of a verdict is followed, for at most `wait_max`.
pub async fn wait_for_epoch(followed: &mut Followed, epoch: EpochId, wait_max: Duration) -> bool {
    let reached = followed.wait_for(|cursor| cursor.epoch == Some(epoch));
    matches!(tokio::time::timeout(wait_max, reached).await, Ok(Ok(_)))
}
