//! The porch of invitation-service: configuration from the environment, a listener, and [`invitation_service::run`].
//!
//! Deliberately absent: everything else.

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;

use invitation_service::Config;
use service_kit::clock::SystemClock;
use service_kit::telemetry::{self, LogFormat, LogOptions};
use service_kit::{server, shutdown};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The store has threads of its own; what is left for the runtime is the wire.
const RUNTIME_THREADS: usize = 2;

fn main() -> ExitCode {
    telemetry::init(&LogOptions {
        filter: std::env::var(telemetry::LOG_VARIABLE).unwrap_or_default(),
        format: LogFormat::Human,
    });
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{}", telemetry::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    let config = Config::from_env(|key| std::env::var(key).ok())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = server::listen(config.listen).await?;
        tracing::info!(
            address = %listener.local_addr()?,
            database = %config.database.path.display(),
            "invitation-service serves callers on this machine, without credentials"
        );
        let shutdown = shutdown::signal();
        invitation_service::run(config, listener, Arc::new(SystemClock), shutdown).await?;
        Ok(())
    })
}
