//! The contracts of both services as Rust types, generated from the `.proto` files beside this crate.
//!
//! Deliberately absent: anything written by hand. Conversions between these types and a service's own live in that service's `grpc` room.

#![allow(
    clippy::all,
    clippy::pedantic,
    missing_docs,
    reason = "generated code; the .proto files are linted instead"
)]

/// Package `acquaint.error.v1`: the reasons for which either service refuses a call.
pub mod error {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("acquaint.error.v1");
    }
}

/// Package `acquaint.invitation.v1`: the public contract of invitation-service.
pub mod invitation {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("acquaint.invitation.v1");
    }
}

/// Package `acquaint.connection.v1`: the public contract of connection-service.
pub mod connection {
    /// Version 1.
    pub mod v1 {
        tonic::include_proto!("acquaint.connection.v1");
    }

    /// Package `acquaint.connection.internal.v1`: what invitation-service asks of connection-service.
    pub mod internal {
        /// Version 1.
        pub mod v1 {
            tonic::include_proto!("acquaint.connection.internal.v1");
        }
    }
}

/// Every contract with its comments left out, as a serialised `google.protobuf.FileDescriptorSet`: what reflection serves.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/acquaint.binpb"));
