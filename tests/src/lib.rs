//! What the tests of the pair share: both services in this process on sockets of their own, clients of them, and bounded waits.
//!
//! Deliberately absent: expectations, and anything a client nobody here wrote could not do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what goes wrong here is a failed test"
)]

pub mod attack;
pub mod collector;
pub mod credentials;
pub mod device;
pub mod documents;
pub mod engines;
pub mod frames;
pub mod friendships;
pub mod look;
pub mod moving;
pub mod pair;
pub mod postgres;
pub mod redis;
pub mod refusal;
pub mod rig;
pub mod rows;
pub mod scrape;
pub mod simulation;
pub mod trace;
pub mod wait;
pub mod watcher;

use acquaint_proto::{
    connection::{internal::v1 as internal, v1 as connection},
    invitation::v1 as invitation,
};
use tonic::transport::Channel;

/// Client of `InvitationService`.
pub type Invitations = invitation::invitation_service_client::InvitationServiceClient<Channel>;
/// Client of `StandingService`.
pub type Standings = invitation::standing_service_client::StandingServiceClient<Channel>;
/// Client of `ConnectionService`.
pub type Connections = connection::connection_service_client::ConnectionServiceClient<Channel>;
/// Client of `BlockService`.
pub type Blocks = connection::block_service_client::BlockServiceClient<Channel>;
/// Client of `MemberService`.
pub type Members = connection::member_service_client::MemberServiceClient<Channel>;
/// Client of the internal `FactService`.
pub type Facts = internal::fact_service_client::FactServiceClient<Channel>;
