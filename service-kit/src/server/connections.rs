//! All connections, and what each makes the process hold.
//!
//! What peers have sent in part, and answers that they have not yet taken, are held in memory that is bounded for all of them
//! together; beyond the bound the connection that holds most for longest is cut. When there is no room for another connection, the
//! one that has been without a call for longest gives way, and before it one that never had any. So whoever fills the server up loses its place to whoever uses it.
//! Deliberately absent: sockets. A connection is cut by its own task.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ServerOptions;

/// What a call that is held is taken to cost beside its bytes: its stream, its task.
pub(super) const CALL_BYTES: usize = 16 * 1_024;

/// All connections.
#[derive(Debug)]
pub(super) struct Connections {
    open_max: usize,
    /// 0 for no bound of its own.
    per_address_max: usize,
    held_bytes_max: usize,
    held: AtomicUsize,
    all: Mutex<All>,
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
}

impl Connections {
    /// None yet, within the bounds of `options`.
    pub(super) fn new(options: &ServerOptions) -> Self {
        Self {
            open_max: options.connections_max.max(1),
            per_address_max: options.connections_per_address_max,
            held_bytes_max: options.held_bytes_max,
            held: AtomicUsize::new(0),
            all: Mutex::default(),
        }
    }

    /// A place for a connection from `address`, for which another may have to go; `None` when every other is in use.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut all = self.lock();
        if self.per_address_max > 0 {
            let same = |peer: &Peer| peer.address == address;
            if all.peers.values().filter(|peer| same(peer)).count() >= self.per_address_max {
                all.push_out(same)?;
            }
        }
        if all.peers.len() >= self.open_max {
            all.push_out(|_| true)?;
        }
        all.last += 1;
        let peer = Arc::new(Peer::new(all.last, address));
        all.peers.insert(peer.id, peer.clone());
        drop(all);
        let connections = self.clone();
        Some(Place { peer, connections })
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
            all.cut(id, "it holds too much");
        }
    }
}

impl All {
    /// Cuts whoever has been without a call for longest, of those that may be meant; first of those that never had one.
    fn push_out(&mut self, meant: impl Fn(&Peer) -> bool) -> Option<()> {
        let idle = self
            .peers
            .values()
            .filter(|peer| meant(peer) && peer.calls() == 0);
        let id = idle
            .max_by_key(|peer| (!peer.used.load(Relaxed), peer.still()))?
            .id;
        self.cut(id, "another needs its place");
        Some(())
    }

    fn cut(&mut self, id: u64, why: &str) {
        if let Some(peer) = self.peers.remove(&id) {
            tracing::debug!(connection = id, "cutting a connection: {why}");
            peer.cut.cancel();
        }
    }
}

/// The place of a connection among all; given up when dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) peer: Arc<Peer>,
    pub(super) connections: Arc<Connections>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().peers.remove(&self.peer.id);
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

/// A watch that is open; closed when dropped.
#[derive(Debug)]
pub(super) struct OpenWatch(Arc<Peer>);

impl OpenWatch {
    /// `None` when the connection has `max` already.
    pub(super) fn new(peer: Arc<Peer>, max: usize) -> Option<Self> {
        let open = Self(peer);
        (open.0.watches.fetch_add(1, Relaxed) < max).then_some(open)
    }
}

impl Drop for OpenWatch {
    fn drop(&mut self) {
        self.0.watches.fetch_sub(1, Relaxed);
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
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
    const SECOND: Duration = Duration::from_secs(1);

    fn connections(max: usize, per_address: usize, held: usize) -> Arc<Connections> {
        Arc::new(Connections::new(&ServerOptions {
            connections_max: max,
            connections_per_address_max: per_address,
            held_bytes_max: held,
            ..ServerOptions::default()
        }))
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_been_idle_for_longest_gives_way() {
        let all = connections(3, 0, 0);
        let places: Vec<_> = (0..3).map(|_| all.enter(HERE).unwrap()).collect();
        tokio::time::advance(SECOND).await;
        let busy = OpenCall::new(places[0].peer.clone());
        drop(OpenCall::new(places[1].peer.clone()));
        // The second had its turn; the third, which never had one, goes before it although it came later.
        let fourth = all.enter(HERE).unwrap();
        let cut = |place: &Place| place.peer.cut.is_cancelled();
        assert_eq!(
            places.iter().map(cut).collect::<Vec<_>>(),
            [false, false, true]
        );
        let in_use = [&places[1], &fourth].map(|place| OpenCall::new(place.peer.clone()));
        assert!(all.enter(HERE).is_none(), "all are in use");
        drop((in_use, busy));
        drop(places);
        assert_eq!(all.lock().peers.len(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_has_places_of_its_own() {
        let all = connections(10, 1, 0);
        let first = all.enter(HERE).unwrap();
        let other = all.enter(THERE).unwrap();
        let second = all.enter(HERE).unwrap();
        assert!(first.peer.cut.is_cancelled() && !other.peer.cut.is_cancelled());
        let _busy = OpenCall::new(second.peer.clone());
        assert!(all.enter(HERE).is_none());
        drop(second);
        assert!(all.enter(HERE).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_most_for_longest_is_cut() {
        let all = connections(10, 0, 1_000);
        let [slow, quick, large] = [(); 3].map(|()| all.enter(HERE).unwrap());
        let hold = |place: &Place, bytes| Hold::new(place.peer.clone(), all.clone(), bytes);
        let _slow = hold(&slow, 300);
        assert_eq!(slow.peer.stalled(), Duration::ZERO);
        tokio::time::advance(SECOND).await;
        let mut quick_holds = hold(&quick, 600);
        assert_eq!(
            (slow.peer.stalled(), quick.peer.stalled()),
            (SECOND, Duration::ZERO)
        );
        quick_holds.grow(50);
        quick_holds.shrink(10);
        let cut = |place: &Place| place.peer.cut.is_cancelled();
        assert!(
            ![&slow, &quick, &large].into_iter().any(cut),
            "within the bound"
        );
        let large_holds = hold(&large, 100);
        assert!(cut(&slow) && !cut(&quick) && !cut(&large));
        let more = hold(&large, 300);
        assert!(
            cut(&quick) && !cut(&large),
            "of two that go forward the larger"
        );
        drop((quick_holds, large_holds, more));
        assert_eq!(all.held.load(Relaxed), 300);
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_takes_nothing_is_noticed() {
        let all = connections(1, 0, 0);
        let place = all.enter(HERE).unwrap();
        tokio::time::advance(SECOND).await;
        place.peer.note_write(true);
        tokio::time::advance(SECOND).await;
        place.peer.note_write(true);
        assert_eq!(place.peer.stalled(), SECOND);
        place.peer.note_write(false);
        assert_eq!(place.peer.stalled(), Duration::ZERO);
    }

    #[tokio::test]
    async fn a_connection_has_so_many_watches() {
        let all = connections(1, 0, 0);
        let place = all.enter(HERE).unwrap();
        let open = || OpenWatch::new(place.peer.clone(), 2);
        let two = (open().unwrap(), open().unwrap());
        assert!(open().is_none() && open().is_none());
        drop(two);
        assert!(open().is_some());
    }
}
