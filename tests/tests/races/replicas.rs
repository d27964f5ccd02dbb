//! The same races where the calls that meet, meet at two processes of a service that share a database.

use crate::{
    answers, batches, limits, repeats,
    rounds::{Round, run_on_replicas, setup},
    walls,
};

/// How often a race is run. Each commit waits for the other process's.
const ROUNDS: u32 = 60;

macro_rules! at_two_processes {
    ($($race:ident: $setup:expr, $round:path;)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $race() {
            let name = concat!("at two processes: ", stringify!($race));
            run_on_replicas(name, ROUNDS, $setup, $round).await;
        }
    )*};
}

at_two_processes! {
    crossing: setup(), answers::crossing;
    withdrawal_against_acceptance: setup(), answers::withdraw_or_accept;
    decline_against_acceptance: setup(), answers::decline_or_accept;
    withdrawal_against_crossing: setup(), answers::withdraw_or_cross;
    acceptance_twice: setup(), repeats::accept_twice;
    request_twice: setup(), repeats::send_twice;
    crossing_request_twice: setup(), repeats::cross_twice;
    unnamed_twice: setup(), repeats::send_unnamed_twice;
    withdrawal_twice: setup(), repeats::withdraw_twice;
    one_place_in_the_week: limits::small_cap(), limits::one_place;
    one_place_of_those_pending: limits::small_pending_cap(), limits::one_pending;
    ones_own_connection_limit: limits::room_for_one(), limits::own_limit;
    the_inviters_connection_limit: limits::room_for_one(), limits::inviters_limit;
    block_against_invitation: setup(), walls::block_or_send;
    block_against_acceptance: setup(), walls::block_or_accept;
    removal_against_acceptance: setup(), removal;
    batch_against_batch: setup(), batches::batch_or_batch;
}

async fn removal(round: Round) {
    walls::remove_or_accept(round).await;
}
