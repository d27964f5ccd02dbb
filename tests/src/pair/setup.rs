//! What a test changes of the defaults of a pair.

use std::time::Duration;

use invitation_service::{
    domain::standing::{Mode, StandingPolicy},
    limiter::redis::RedisOptions,
};
use service_kit::{
    fields::RequestOptions, observability::ObservabilityOptions, postgres::PostgresUrl,
    server::ServerOptions, watch::WatchOptions,
};

/// What a test changes of the defaults.
pub struct Setup {
    /// The numbers of invitation-service.
    pub invitation_policy: invitation_service::Policy,
    /// The numbers of connection-service.
    pub connection_policy: connection_service::Policy,
    /// How much one request may ask for.
    pub requests: RequestOptions,
    /// How often workers look for something to do.
    pub worker_poll: Duration,
    /// The bounds of streams.
    pub watches: WatchOptions,
    /// What invitation-service shows of itself.
    pub invitation_shows: ObservabilityOptions,
    /// What connection-service shows of itself.
    pub connection_shows: ObservabilityOptions,
    /// Whether the services read the system's clock instead of the test's.
    pub system_clock: bool,
    /// Whether callers must show credentials: [`Pair::credentials`]. The pair's own clients show none.
    pub credentials: bool,
    /// What peers may make the services hold.
    pub server: ServerOptions,
    /// The Redis that is invitation-service's limiter, if any. It goes by its own clock.
    pub redis: RedisOptions,
    /// The databases on PostgreSQL that the services keep their stores in, if not in files. They go by their own clock.
    pub postgres: Option<Databases>,
}

/// A database for each service.
#[derive(Clone)]
pub struct Databases {
    /// That of invitation-service.
    pub invitations: PostgresUrl,
    /// That of connection-service.
    pub connections: PostgresUrl,
}

impl Setup {
    /// The defaults, with inviters judged.
    pub fn judging(mode: Mode) -> Self {
        let mut setup = Self::default();
        setup.invitation_policy.standing.mode = mode;
        setup
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            // Nobody is judged where that is not what a test is about.
            invitation_policy: invitation_service::Policy {
                standing: StandingPolicy::off(),
                ..invitation_service::Policy::default()
            },
            connection_policy: connection_service::Policy::default(),
            requests: RequestOptions::default(),
            worker_poll: Duration::from_millis(20),
            watches: WatchOptions::default(),
            invitation_shows: ObservabilityOptions::default(),
            connection_shows: ObservabilityOptions::default(),
            system_clock: false,
            credentials: false,
            server: ServerOptions::default(),
            redis: RedisOptions::default(),
            postgres: None,
        }
    }
}
