//! The weekly cap where two processes of invitation-service share a database and a Redis: exactly as many as the cap, whatever becomes of Redis.

use std::{sync::Arc, time::Duration};

use acquaint_tests::{
    Invitations,
    engines::{Engine, Place},
    pair::{Databases, Pair, Replica},
    redis::RedisServer,
};
use invitation_service::limiter::redis::RedisOptions;

use crate::service::{exactly_the_cap, of, pair_on, rounds, storm, while_emptied};

/// Longer than any call takes of a Redis that does not hang.
const PATIENT: Duration = Duration::from_secs(10);

/// The pair on databases, with a second invitation-service beside the first.
struct Two {
    pair: Pair,
    second: Replica,
    _places: [Place; 2],
}

impl Two {
    async fn over(redis: RedisOptions) -> Self {
        let places = [
            Engine::Postgres.place().await,
            Engine::Postgres.place_of_connections().await,
        ];
        let databases = Databases {
            invitations: places[0].database().url(),
            connections: places[1].database().url(),
        };
        let (pair, _) = pair_on(Some(databases), redis).await;
        let second = pair.another_invitation_service().await;
        Self {
            pair,
            second,
            _places: places,
        }
    }

    fn clients(&self) -> [Invitations; 2] {
        [self.pair.invitations.clone(), self.second.invitations()]
    }

    async fn stop(self) {
        self.second.stop().await;
        self.pair.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_send_up_to_the_cap_and_no_further() {
    let server = RedisServer::start().await;
    let two = Two::over(of(&server, PATIENT)).await;
    for round in 0..rounds() {
        let inviter = format!("ann-{round}");
        let sent = storm(&two.clients(), &inviter).await;
        exactly_the_cap(&two.pair, &inviter, &sent).await;
    }
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_send_up_to_the_cap_though_redis_is_emptied_meanwhile() {
    let server = Arc::new(RedisServer::start().await);
    let two = Two::over(of(&server, PATIENT)).await;
    for round in 0..rounds() {
        let inviter = format!("ann-{round}");
        let sent = while_emptied(&server, storm(&two.clients(), &inviter)).await;
        exactly_the_cap(&two.pair, &inviter, &sent).await;
    }
    two.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_send_up_to_the_cap_though_redis_goes_away_and_comes_back_meanwhile() {
    let mut server = RedisServer::start().await;
    let two = Two::over(of(&server, RedisOptions::default().timeout)).await;
    for round in 0..rounds() {
        let inviter = format!("ann-{round}");
        let clients = two.clients();
        let (sent, ()) = tokio::join!(storm(&clients, &inviter), async {
            server.kill().await;
            server.run().await;
        });
        exactly_the_cap(&two.pair, &inviter, &sent).await;
    }
    two.stop().await;
}
