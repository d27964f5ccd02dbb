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
    a_charged_request_takes_no_second_place,
    only_the_reservation_that_took_a_place_gives_it_back,
    a_charge_is_never_given_back,
    a_place_is_free_again_a_week_after_the_charge,
    a_reservation_whose_caller_has_gone_lapses,
    what_was_charged_after_its_reservation_lapsed_counts,
    seeding_keeps_reservations_under_way,
    seeding_keeps_charges_that_the_store_could_not_know_of_yet,
    seeding_drops_charges_that_the_store_does_not_know,
    a_charge_that_the_store_has_told_of_counts_once,
    a_confirmation_counts_once_however_often_it_comes,
    each_member_has_a_cap_of_their_own_which_can_change,
    a_cap_of_nothing_lets_nobody_in,
    a_time_that_goes_back_frees_nothing,
    the_store_is_asked_again_after_a_while,
    times_never_go_round,
}

async fn an_unknown_member_is_the_stores_to_judge(ann: &Engine) {
    assert_eq!(ann.reserve(1, at(0)).await, Reservation::Unknown);
    ann.confirm(1, at(0)).await;
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

async fn a_charged_request_takes_no_second_place(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    ann.confirm(1, at(2)).await;
    assert_eq!(ann.reserve(1, at(3)).await, taken(1, false));
    assert_eq!(ann.reserve(2, at(3)).await, taken(2, true));
    assert_eq!(ann.reserve(3, at(3)).await, Reservation::Full);
    assert_eq!(ann.reserve(1, at(4)).await, taken(1, false));
}

async fn only_the_reservation_that_took_a_place_gives_it_back(ann: &Engine) {
    ann.seed(&[at(0)], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    ann.release(1, false).await;
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Full);
    ann.release(1, true).await;
    assert_eq!(ann.reserve(2, at(1)).await, taken(2, true));
}

async fn a_charge_is_never_given_back(ann: &Engine) {
    ann.seed(&[], 1, at(0)).await;
    ann.reserve(1, at(1)).await;
    ann.confirm(1, at(1)).await;
    ann.release(1, true).await;
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Full);
}

async fn a_place_is_free_again_a_week_after_the_charge(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    for request in [1, 2] {
        ann.reserve(request, at(0)).await;
        ann.confirm(request, at(10)).await;
    }
    let free = week_after(at(10));
    assert_eq!(ann.reserve(3, before(free)).await, Reservation::Full);
    assert_eq!(ann.reserve(3, free).await, taken(3, true));
}

async fn a_reservation_whose_caller_has_gone_lapses(ann: &Engine) {
    ann.seed(&[at(0)], CAP, at(0)).await;
    ann.reserve(1, at(0)).await;
    let lapsed = at(0).plus(RULES.reserved_max);
    assert_eq!(ann.reserve(2, before(lapsed)).await, Reservation::Full);
    assert_eq!(ann.reserve(2, lapsed).await, taken(2, true));
}

async fn what_was_charged_after_its_reservation_lapsed_counts(ann: &Engine) {
    ann.seed(&[], 1, at(0)).await;
    ann.reserve(1, at(0)).await;
    let lapsed = at(0).plus(RULES.reserved_max);
    assert_eq!(ann.reserve(2, lapsed).await, taken(2, true));
    ann.release(2, true).await;
    ann.confirm(1, lapsed).await;
    assert_eq!(ann.reserve(3, lapsed).await, Reservation::Full);
}

async fn seeding_keeps_reservations_under_way(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    ann.seed(&[at(0)], CAP, at(1)).await;
    assert_eq!(ann.reserve(2, at(1)).await, Reservation::Full);
    assert_eq!(ann.reserve(1, at(1)).await, taken(1, false));
}

async fn seeding_keeps_charges_that_the_store_could_not_know_of_yet(ann: &Engine) {
    ann.seed(&[at(0)], CAP, at(0)).await;
    ann.reserve(1, at(5)).await;
    ann.confirm(1, at(5)).await;
    // The answer of before that charge arrives after it.
    ann.seed(&[at(0)], CAP, at(6)).await;
    assert_eq!(ann.reserve(2, at(6)).await, Reservation::Full);
    assert_eq!(ann.reserve(1, at(6)).await, taken(1, false));
}

async fn seeding_drops_charges_that_the_store_does_not_know(ann: &Engine) {
    ann.seed(&[at(0), at(1)], CAP, at(1)).await;
    assert_eq!(ann.reserve(1, at(3)).await, Reservation::Full);
    ann.seed(&[at(2)], CAP, at(3)).await;
    assert_eq!(ann.reserve(1, at(3)).await, taken(1, true));
    assert_eq!(ann.reserve(2, at(3)).await, Reservation::Full);
}

async fn a_charge_that_the_store_has_told_of_counts_once(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    // Another request's answer tells of this one's charge before its own does.
    ann.seed(&[at(2)], CAP, at(2)).await;
    ann.confirm(1, at(2)).await;
    assert_eq!(ann.reserve(1, at(3)).await, taken(1, false));
    assert_eq!(ann.reserve(2, at(3)).await, taken(2, true));
    assert_eq!(ann.reserve(3, at(3)).await, Reservation::Full);
}

async fn a_confirmation_counts_once_however_often_it_comes(ann: &Engine) {
    ann.seed(&[], CAP, at(0)).await;
    ann.reserve(1, at(1)).await;
    for _ in 0..3 {
        ann.confirm(1, at(1)).await;
    }
    assert_eq!(ann.reserve(2, at(2)).await, taken(2, true));
    assert_eq!(ann.reserve(3, at(2)).await, Reservation::Full);
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
    // Reserved when the clock is set back by more than a reservation stands, and asked for when it is right again.
    assert_eq!(ann.reserve(2, at(0)).await, taken(2, true));
    assert_eq!(ann.reserve(3, later).await, Reservation::Full);
    let lapsed = later.plus(RULES.reserved_max);
    assert_eq!(ann.reserve(3, before(lapsed)).await, Reservation::Full);
    assert_eq!(ann.reserve(3, lapsed).await, taken(3, true));
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
