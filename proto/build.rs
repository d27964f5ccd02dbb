//! Compiles the contracts with protox, so that no system `protoc` is needed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message as _;

const CONTRACTS: &[&str] = &[
    "acquaint/connection/internal/v1/fact_service.proto",
    "acquaint/connection/v1/block_service.proto",
    "acquaint/connection/v1/connection_service.proto",
    "acquaint/connection/v1/member_service.proto",
    "acquaint/error/v1/error_reason.proto",
    "acquaint/error/v1/status.proto",
    "acquaint/invitation/v1/invitation_service.proto",
    "acquaint/invitation/v1/member_service.proto",
    "acquaint/invitation/v1/standing.proto",
    "acquaint/invitation/v1/standing_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=acquaint");
    let descriptors = protox::compile(CONTRACTS, ["."])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("acquaint.binpb"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
