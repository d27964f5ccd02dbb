//! Tests of what peers may make the process hold.

use super::*;

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
const SECOND: Duration = Duration::from_secs(1);

fn connections(max: usize, per_address: usize, held: usize) -> Arc<Connections> {
    let options = ServerOptions {
        connections_max: max,
        connections_per_address_max: per_address,
        held_bytes_max: held,
        ..ServerOptions::default()
    };
    Arc::new(Connections::new(&options, ConnectionMetrics::default()))
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
    let ended = |end| all.metrics.count(end);
    assert_eq!((ended(End::Displaced), ended(End::Full)), (1, 1));
    assert_eq!(all.metrics.open.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_cut_for_what_it_did_waits_and_displaces_nobody() {
    let options = ServerOptions {
        connections_max: 2,
        connections_per_address_per_second: 10,
        connections_per_address_burst: 10,
        cut_costs_connections: 20,
        ..ServerOptions::default()
    };
    let all = Arc::new(Connections::new(&options, ConnectionMetrics::default()));
    let cut = |why| {
        let place = all.enter(HERE).unwrap();
        place.peer.ends(why);
        place.peer.ends(End::Left);
        place.turn
    };
    for why in [End::Left, End::Stalled, End::Displaced, End::Frames] {
        assert_eq!(cut(why), Some(Duration::ZERO), "{why:?}");
    }
    let late = cut(End::Held).unwrap();
    assert!(SECOND < late && late < 2 * SECOND, "{late:?}");
    for _ in 0..2 {
        cut(End::Protocol);
    }
    let never = [all.enter(HERE).unwrap(), all.enter(HERE).unwrap()];
    assert!(never.iter().all(|place| place.turn.is_none()));
    assert!(all.enter(HERE).is_none(), "there is no place");
    let other = all.enter(THERE).unwrap();
    assert_eq!(other.turn, Some(Duration::ZERO));
    let gone = never.iter().filter(|place| place.peer.cut.is_cancelled());
    assert_eq!(gone.count(), 1);
    assert_eq!(all.metrics.delayed.get(), 5);
}

#[tokio::test]
async fn what_a_connection_is_charged_it_pays_once() {
    let all = connections(1, 0, 0);
    let peer = all.enter(HERE).unwrap().peer.clone();
    drop(OpenWatch::new(peer.clone(), 0));
    peer.charge(3);
    assert_eq!((peer.take_charges(), peer.take_charges()), (11, 0));
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
