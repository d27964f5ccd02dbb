//! The rules of the trait, kept by either engine.

use invitation_service::limiter::Reservation;
use service_kit::time::{Span, Time};

use crate::engine::{Engine, RULES, at, taken};

const CAP: u32 = 2;

/// A week after the time.
fn week_after(time: Time) -> Time {
    time.plus(RULES.weekly_window)
}

fn before(time: Time) -> Time {
    time.minus(Span::millis(1))
}

macro_rules! rules {
    ($($(#[$why:meta])* $rule:ident,)*) => {
        mod local {
            $($(#[$why])* #[tokio::test]
            async fn $rule() {
                super::$rule(&super::Engine::local_by(super::RULES)).await;
            })*
        }
        mod redis {
            $($(#[$why])* #[tokio::test]
            async fn $rule() {
                super::$rule(&super::Engine::redis_by(super::RULES).await).await;
            })*
        }
    };
}

rules! {
    an_unknown_member_is_the_stores_to_judge,
    a_request_takes_one_place_however_often_it_comes,
    only_the_reservation_that_took_a_place_gives_it_back,
    a_place_is_free_again_after_a_week,
    seeding_keeps_places_that_the_store_could_not_know_of_yet,
    seeding_counts_a_place_once_that_the_store_has_told_of,
    seeding_gives_places_back_that_the_store_does_not_know,
    each_member_has_a_cap_of_their_own_which_can_change,
    a_cap_of_nothing_lets_nobody_in,
    a_time_that_goes_back_frees_nothing,
    the_store_is_asked_again_after_a_while,
    times_never_go_round,
}

async fn an_unknown_member_is_the_stores_to_judge(ann: &Engine) {
    assert_eq!(ann.reserve(1, at(0)).await, Reservation::Unknown);
    ann.release(1, true).await;
    assert_eq!(ann.reserve(1, at(0)).await, Reservation::Unknown);
    ann.seed(&[], CAP, at(0)).await;
    assert_eq!(ann.reserve(1, at(0)).await, taken(1, true));
    let bob = ann.with_member("bob");
    assert_eq!(bob.reserve(1, at(0)).await, Reservation::Unknown);
}

async fn a_request_takes_one_place_however_often_it_comes(ann: &Engine) {
    ann.seed(&[at(0)], CAP, at(0)).await;
    assert_eq!(ann.reserve(1, at(1)).await, taken(1, true));
    assert_eq!(ann.reserve(1, at(2)).await, taken(1, false));
    assert_eq!(ann.reserve(2, at(2)).await, Reservation::Full);
}

async fn only_the_reservation_that_took_a_place_gives_it_back(ann: &Engine) {
    ann.seed(&[at(0)], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    ann.release(1, false).await;
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Full);
    ann.release(1, true).await;
    assert_eq!(ann.reserve(2, at(1)).await, taken(2, true));
}

async fn a_place_is_free_again_after_a_week(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    for request in [1, 2] {
        ann.reserve(request, at(10)).await;
    }
    let free = week_after(at(10));
    assert_eq!(ann.reserve(3, before(free)).await, Reservation::Full);
    assert_eq!(ann.reserve(3, free).await, taken(3, true));
}

async fn seeding_keeps_places_that_the_store_could_not_know_of_yet(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    ann.seed(&[at(0)], CAP, at(1)).await;
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Full);
    assert_eq!(ann.reserve(1, at(1)).await, taken(1, false));
    // Many are charged at one time. An older answer of the store has not told of all.
    ann.seed(&[at(2), at(2), at(2)], 3, at(2)).await;
    ann.seed(&[at(2)], 3, at(2)).await;
    assert_eq!(ann.reserve(2, at(2)).await, Reservation::Full);
}

async fn seeding_counts_a_place_once_that_the_store_has_told_of(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    // It was charged a little later than it was reserved.
    ann.seed(&[at(2)], CAP, at(2)).await;
    assert_eq!(ann.reserve(2, at(3)).await, taken(2, true));
    assert_eq!(ann.reserve(3, at(3)).await, Reservation::Full);
}

/// Their callers died between reserving and sending.
async fn seeding_gives_places_back_that_the_store_does_not_know(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    ann.reserve(2, at(1)).await;
    assert_eq!(ann.reserve(3, at(2)).await, Reservation::Full);
    ann.seed(&[at(2)], CAP, at(3)).await;
    assert_eq!(ann.reserve(4, at(3)).await, taken(4, true));
    assert_eq!(ann.reserve(5, at(3)).await, Reservation::Full);
}

async fn each_member_has_a_cap_of_their_own_which_can_change(ann: &Engine) {
    ann.seed(&[at(0)], 1, at(0)).await;
    assert_eq!(ann.reserve(1, at(1)).await, Reservation::Full);
    ann.seed(&[at(0)], 3, at(1)).await;
    assert_eq!(ann.reserve(1, at(1)).await, taken(1, true));
    let bob = ann.with_member("bob");
    bob.seed(&[at(0)], 1, at(1)).await;
    assert_eq!(bob.reserve(2, at(1)).await, Reservation::Full);
    ann.forget().await;
    assert_eq!(ann.reserve(1, at(1)).await, Reservation::Unknown);
    assert_eq!(bob.reserve(2, at(1)).await, Reservation::Full);
}

async fn a_cap_of_nothing_lets_nobody_in(ann: &Engine) {
    ann.seed(&[], 0, at(0)).await;
    assert_eq!(ann.reserve(1, at(0)).await, Reservation::Full);
}

async fn a_time_that_goes_back_frees_nothing(ann: &Engine) {
    ann.seed(&[], 1, at(0)).await;
    let later = at(1_000_000);
    ann.reserve(1, later).await;
    ann.release(1, true).await;
    // Reserved when the clock is set back: it counts as the latest that was seen.
    assert_eq!(ann.reserve(2, at(0)).await, taken(2, true));
    let free = week_after(later);
    assert_eq!(ann.reserve(3, before(free)).await, Reservation::Full);
    assert_eq!(ann.reserve(3, free).await, taken(3, true));
}

async fn the_store_is_asked_again_after_a_while(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    let again = at(0).plus(RULES.recheck_after);
    assert_eq!(ann.reserve(1, before(again)).await, taken(1, true));
    assert_eq!(ann.reserve(2, again).await, Reservation::Unknown);
    ann.seed(&[], CAP, again).await;
    assert_eq!(ann.reserve(2, again).await, taken(2, true));
}

/// Redis keeps four bytes of each time, which alone would go round every 49.7 days.
async fn times_never_go_round(ann: &Engine) {
    let mut now = at(0);
    for round in 0..20_u64 {
        ann.seed(&[now], 1, now).await;
        let free = week_after(now);
        assert_eq!(
            ann.reserve(round + 1, before(free)).await,
            Reservation::Full
        );
        assert_eq!(ann.reserve(round + 1, free).await, taken(round + 1, true));
        ann.release(round + 1, true).await;
        now = free.plus(Span::days(20));
    }
}
