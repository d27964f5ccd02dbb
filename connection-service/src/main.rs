//! The porch of connection-service: the command line, the log, a listener, and [`connection_service::run`].
//!
//! Deliberately absent: everything else.

use std::process::ExitCode;
use std::sync::Arc;

use connection_service::Config;
use connection_service::command::import;
use connection_service::store::{postgres, sqlite};
use service_kit::cli::{Outcome, Program, block_on, copy, store};
use service_kit::clock::SystemClock;
use service_kit::config::Loaded;
use service_kit::{core_dump, server, shutdown, telemetry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let about = "Connections and blocks between the members of a professional network";
    Program::new(about, Config::schema(), |config| config.listen, serve)
        .command(store::backup_command(), |loaded, matches| {
            store::backup(&loaded.config.store, matches, sqlite::MIGRATIONS)
        })
        .command(store::restore_command(), |loaded, matches| {
            store::restore(&loaded.config.store, matches, sqlite::MIGRATIONS)
        })
        .command(store::migrate_command(), |loaded, _| {
            let config = loaded.config;
            store::migrate(config.store, &config.postgres, postgres::MIGRATIONS)
        })
        .command(copy::command(), |loaded, matches| {
            let config = loaded.config;
            let to = (config.store, &config.postgres);
            copy::run(matches, &config.database, to, postgres::copy_plan())
        })
        .command(import::command(), import::run)
        .run()
}

fn serve(loaded: Loaded<Config>) -> Outcome {
    telemetry::init(&loaded.config.log);
    loaded.log();
    core_dump::forbid();
    let config = loaded.config;
    block_on(config.runtime_threads, async {
        let listener = server::listen(config.listen, config.tokens_file.is_some()).await?;
        tracing::info!(
            address = %listener.local_addr()?,
            database = %config.store,
            "connection-service starts"
        );
        let shutdown = shutdown::signal();
        connection_service::run(config, listener, Arc::new(SystemClock), shutdown).await?;
        Ok(ExitCode::SUCCESS)
    })
}
