//! All connections, and what each makes the process hold.
//!
//! What peers have sent in part, and answers that they have not yet taken, are held in memory that is bounded for all of them
//! together; beyond the bound the connection that holds most for longest is cut. When there is no room for another connection, the
//! one that has been without a call for longest gives way, and before it one that never had any. So whoever fills the server up loses its
//! place to whoever uses it. How often connections begin from one address is bounded too ([`super::pace`]), and a connection that was cut
//! for what it did makes the next ones of its address wait longer.
//! Deliberately absent: sockets. A connection is cut by its own task.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ServerOptions;
use super::figures::{ConnectionMetrics, End};
use super::pace::Paces;

/// What a call that is held is taken to cost beside its bytes: its stream, its task.
pub(super) const CALL_BYTES: usize = 16 * 1_024;
/// What a connection pays for a watch that ends: as much as the two frames bring that each watch begins with.
const WATCH_COST: u32 = 8;

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    open_max: usize,
    /// 0 for no bound of its own.
    per_address_max: usize,
    held_bytes_max: usize,
    held: AtomicUsize,
    all: Mutex<All>,
    paces: Mutex<Paces>,
    metrics: ConnectionMetrics,
}

#[derive(Debug, Default)]
struct All {
    last: u64,
    peers: BTreeMap<u64, Arc<Peer>>,
}

/// One connection.
#[derive(Debug)]
pub(super) struct Peer {
    id: u64,
    address: IpAddr,
    begun: Instant,
    /// The connection is to be dropped at once.
    pub(super) cut: CancellationToken,
    /// The connection takes no more calls, and streams that would stay open are to end.
    pub(super) ending: CancellationToken,
    calls: AtomicUsize,
    /// Whether there has been a call.
    used: AtomicBool,
    watches: AtomicUsize,
    held: AtomicUsize,
    /// When something last went forward, in milliseconds after `begun`.
    moved: AtomicU64,
    write_waits: AtomicBool,
    /// Since when it has, as `moved`.
    write_waits_since: AtomicU64,
    /// What it is to pay beside its frames, and has not yet.
    charges: AtomicU32,
    /// Why it ends, once it does.
    end: OnceLock<End>,
}

impl Connections {
    /// None yet, within the bounds of `options`, counted in `metrics`.
    pub(super) fn new(options: &ServerOptions, metrics: ConnectionMetrics) -> Self {
        Self {
            open_max: options.connections_max.max(1),
            per_address_max: options.connections_per_address_max,
            held_bytes_max: options.held_bytes_max,
            held: AtomicUsize::new(0),
            all: Mutex::default(),
            paces: Mutex::new(Paces::new(options)),
            metrics,
        }
    }

    /// A place for a connection from `address`, for which another may have to go; `None` when every other is in use.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let turn = self.paces().turn(address, Instant::now());
        let entered = self.lock().enter(self, address, turn.is_some());
        let Some(peer) = entered else {
            self.metrics.ended(End::Full);
            return None;
        };
        self.metrics.open.inc();
        if turn.is_none_or(|wait| !wait.is_zero()) {
            self.metrics.delayed.inc();
        }
        let connections = self.clone();
        Some(Place {
            peer,
            connections,
            turn,
        })
    }

    fn paces(&self) -> MutexGuard<'_, Paces> {
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts who holds most for longest, until what the others hold is within the bound.
    fn relieve(&self) {
        let mut all = self.lock();
        loop {
            let held: usize = all.peers.values().map(|peer| peer.held.load(Relaxed)).sum();
            if held <= self.held_bytes_max {
                return;
            }
            let weight =
                |peer: &Peer| peer.held.load(Relaxed) as u128 * (1 + peer.still().as_millis());
            let heaviest = all.peers.values().max_by_key(|peer| weight(peer));
            let Some(id) = heaviest.map(|peer| peer.id) else {
                return;
            };
            all.cut(id, End::Held);
        }
    }
}

impl All {
    /// Another from `address`. One that has no turn (`has_turn`) displaces nobody.
    fn enter(
        &mut self,
        bounds: &Connections,
        address: IpAddr,
        has_turn: bool,
    ) -> Option<Arc<Peer>> {
        let same = |peer: &Peer| peer.address == address;
        let per_address = bounds.per_address_max;
        if per_address > 0 && self.peers.values().filter(|peer| same(peer)).count() >= per_address {
            has_turn.then(|| self.push_out(same))??;
        }
        if self.peers.len() >= bounds.open_max {
            has_turn.then(|| self.push_out(|_| true))??;
        }
        self.last += 1;
        let peer = Arc::new(Peer::new(self.last, address));
        self.peers.insert(peer.id, peer.clone());
        Some(peer)
    }

    /// Cuts whoever has been without a call for longest, of those that may be meant; first of those that never had one.
    fn push_out(&mut self, meant: impl Fn(&Peer) -> bool) -> Option<()> {
        let idle = self
            .peers
            .values()
            .filter(|peer| meant(peer) && peer.calls() == 0);
        let id = idle
            .max_by_key(|peer| (!peer.used.load(Relaxed), peer.still()))?
            .id;
        self.cut(id, End::Displaced);
        Some(())
    }

    fn cut(&mut self, id: u64, why: End) {
        if let Some(peer) = self.peers.remove(&id) {
            peer.ends(why);
            peer.cut.cancel();
        }
    }
}

/// The place of a connection among all; given up when dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) peer: Arc<Peer>,
    pub(super) connections: Arc<Connections>,
    /// How long the connection is to wait before it begins; `None` when its turn does not come.
    pub(super) turn: Option<Duration>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Self {
            peer, connections, ..
        } = self;
        connections.lock().peers.remove(&peer.id);
        // What ends without a reason is dropped by a server that does not wait for it any more.
        let end = peer.end.get().copied().unwrap_or(End::Drain);
        tracing::debug!(connection = peer.id, "a connection has ended: {end:?}");
        if end.is_hostile() {
            connections.paces().cut(peer.address, Instant::now());
        }
        connections.metrics.open.dec();
        connections.metrics.ended(end);
    }
}

impl Peer {
    fn new(id: u64, address: IpAddr) -> Self {
        Self {
            id,
            address,
            begun: Instant::now(),
            cut: CancellationToken::new(),
            ending: CancellationToken::new(),
            calls: AtomicUsize::new(0),
            used: AtomicBool::new(false),
            watches: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            moved: AtomicU64::new(0),
            write_waits: AtomicBool::new(false),
            write_waits_since: AtomicU64::new(0),
            charges: AtomicU32::new(0),
            end: OnceLock::new(),
        }
    }

    /// Says why the connection ends. The first reason stays.
    pub(super) fn ends(&self, why: End) {
        self.end.get_or_init(|| why);
    }

    /// Makes the connection pay `cost` with the next that comes from it.
    pub(super) fn charge(&self, cost: u32) {
        // It is cut long before this could wrap: what it owes is taken whenever anything comes.
        self.charges.fetch_add(cost, Relaxed);
    }

    /// What it is to pay, which it then has.
    pub(super) fn take_charges(&self) -> u32 {
        match self.charges.load(Relaxed) {
            0 => 0,
            _ => self.charges.swap(0, Relaxed),
        }
    }

    /// A number of its own.
    pub(super) fn id(&self) -> u64 {
        self.id
    }

    /// How many calls are open.
    pub(super) fn calls(&self) -> usize {
        self.calls.load(Relaxed)
    }

    /// How long nothing has gone forward.
    pub(super) fn still(&self) -> Duration {
        self.age()
            .saturating_sub(Duration::from_millis(self.moved.load(Relaxed)))
    }

    /// How long it has let something wait that it should take: an answer, or bytes in the socket. Zero when nothing waits.
    pub(super) fn stalled(&self) -> Duration {
        let answers = (self.held.load(Relaxed) > 0).then(|| self.still());
        let since = Duration::from_millis(self.write_waits_since.load(Relaxed));
        let socket = self
            .write_waits
            .load(Relaxed)
            .then(|| self.age().saturating_sub(since));
        answers.max(socket).unwrap_or_default()
    }

    /// Notes whether the socket takes what is written.
    pub(super) fn note_write(&self, waits: bool) {
        if self.write_waits.load(Relaxed) != waits {
            self.write_waits_since.store(self.now(), Relaxed);
            self.write_waits.store(waits, Relaxed);
        }
    }

    fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.age().as_millis()).unwrap_or(u64::MAX)
    }

    fn moves(&self) {
        self.moved.store(self.now(), Relaxed);
    }
}

/// A call that is open; closed when dropped.
#[derive(Debug)]
pub(super) struct OpenCall(Arc<Peer>);

impl OpenCall {
    pub(super) fn new(peer: Arc<Peer>) -> Self {
        peer.calls.fetch_add(1, Relaxed);
        peer.used.store(true, Relaxed);
        peer.moves();
        Self(peer)
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        self.0.moves();
        self.0.calls.fetch_sub(1, Relaxed);
    }
}

/// A watch that is open; closed when dropped, for which its connection pays.
#[derive(Debug)]
pub(super) struct OpenWatch(Arc<Peer>);

impl OpenWatch {
    /// `None` when the connection has `max` already, which it pays for too.
    pub(super) fn new(peer: Arc<Peer>, max: usize) -> Option<Self> {
        let open = Self(peer);
        (open.0.watches.fetch_add(1, Relaxed) < max).then_some(open)
    }
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        self.0.watches.fetch_sub(1, Relaxed);
        self.0.charge(WATCH_COST);
    }
}

/// Bytes that are held for a connection; let go when dropped.
#[derive(Debug)]
pub(super) struct Hold {
    peer: Arc<Peer>,
    connections: Arc<Connections>,
    bytes: usize,
}

impl Hold {
    pub(super) fn new(peer: Arc<Peer>, connections: Arc<Connections>, bytes: usize) -> Self {
        let mut hold = Self {
            peer,
            connections,
            bytes: 0,
        };
        hold.grow(bytes);
        hold
    }

    /// More has come.
    pub(super) fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.peer.held.fetch_add(bytes, Relaxed);
        let before = self.connections.held.fetch_add(bytes, Relaxed);
        self.peer.moves();
        if before.saturating_add(bytes) > self.connections.held_bytes_max {
            self.connections.relieve();
        }
    }

    /// Some of it has gone.
    pub(super) fn shrink(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.peer.held.fetch_sub(bytes, Relaxed);
        self.connections.held.fetch_sub(bytes, Relaxed);
        self.peer.moves();
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shrink(self.bytes);
    }
}

#[cfg(test)]
mod tests;
