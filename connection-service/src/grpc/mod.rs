//! The edge: the contract's messages to the domain's values and back, one file for each service of the contract.
//!
//! Deliberately absent: decisions. Whoever looks for what a method does follows its name into `usecase`.

mod access;
mod batch;
mod block;
mod connection;
mod connection_list;
mod convert;
mod export;
mod fact;
mod import;
mod label;
mod member;
mod network;
pub mod size;
mod status;
mod token;

use std::sync::Arc;

use acquaint_proto::connection::internal::v1::fact_service_server::{self, FactServiceServer};
use acquaint_proto::connection::v1::block_service_server::{self, BlockServiceServer};
use acquaint_proto::connection::v1::connection_service_server::{self, ConnectionServiceServer};
use acquaint_proto::connection::v1::member_service_server::{self, MemberServiceServer};
use service_kit::fields::RequestOptions;
use service_kit::server::{Api, ServerOptions};
use tonic::service::RoutesBuilder;

use self::token::Tokens;
use crate::usecase::Context;
use crate::usecase::put_members::CardOptions;

pub use access::METHODS;
pub use fact::{PAGES, PAIRS_MAX};

/// The metadata key that names, with `OTHER_INCARNATION` of the internal contract, the last position common to both histories, in
/// decimal.
pub const COMMON_POSITION_KEY: &str = "acquaint-common-position";

/// What is served.
pub const API: Api = Api {
    services: &[
        connection_service_server::SERVICE_NAME,
        block_service_server::SERVICE_NAME,
        member_service_server::SERVICE_NAME,
        fact_service_server::SERVICE_NAME,
    ],
    methods: METHODS,
    descriptor_sets: &[acquaint_proto::FILE_DESCRIPTOR_SET],
};

/// The routes of every service, working with `context`: what one request may ask for is bounded by `requests` and `cards`, how large messages are by
/// `server`.
pub fn routes(
    context: Context,
    requests: RequestOptions,
    cards: CardOptions,
    server: &ServerOptions,
) -> RoutesBuilder {
    let edge = Edge(Arc::new(Inner {
        tokens: Tokens::new(context.store().clone()),
        context,
        requests,
        cards,
        answer_bytes_max: server.answer_bytes_max,
    }));
    let mut routes = RoutesBuilder::default();
    routes.add_service(
        ConnectionServiceServer::new(edge.clone())
            .max_decoding_message_size(server.message_bytes_max)
            .max_encoding_message_size(server.answer_bytes_max),
    );
    routes.add_service(
        BlockServiceServer::new(edge.clone())
            .max_decoding_message_size(server.message_bytes_max)
            .max_encoding_message_size(server.answer_bytes_max),
    );
    routes.add_service(
        MemberServiceServer::new(edge.clone())
            .max_decoding_message_size(server.message_bytes_max)
            .max_encoding_message_size(server.answer_bytes_max),
    );
    routes.add_service(
        FactServiceServer::new(edge)
            .max_decoding_message_size(server.message_bytes_max)
            .max_encoding_message_size(server.answer_bytes_max),
    );
    routes
}

/// What answers the calls. Clones are the same.
#[derive(Clone)]
struct Edge(Arc<Inner>);

struct Inner {
    context: Context,
    tokens: Tokens,
    requests: RequestOptions,
    cards: CardOptions,
    answer_bytes_max: usize,
}

impl Edge {
    fn context(&self) -> &Context {
        &self.0.context
    }

    fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    fn requests(&self) -> &RequestOptions {
        &self.0.requests
    }

    fn cards(&self) -> &CardOptions {
        &self.0.cards
    }
}
