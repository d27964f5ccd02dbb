//! Both services' stores over every engine, and what only several processes on one database can get wrong.
//!
//! What invitation-service's commands do is tested against a model, too (`tests/searches/tests/model.rs`), over the same engines. What one
//! engine alone is asked stands apart, with why: `processes`, `disturbed` and `wire` (a file is one process's), `statements` (only a server
//! is sent any), and the tests in `connection-service/src/store/sqlite/`. Nothing that is listed in `over_every_engine!` is left out for one
//! of them. Deliberately absent: the wire.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "what goes wrong here is a failed test"
)]

/// Tests over every engine, each on a store of its own: functions of an engine; or of an engine and what is given, and then one test for
/// each case.
macro_rules! over_every_engine {
    ($($tests:tt)*) => {
        mod sqlite { over_engine! { Sqlite $($tests)* } }
        mod postgres { over_engine! { Postgres $($tests)* } }
        mod postgres_in_lanes { over_engine! { PostgresInLanes $($tests)* } }
    };
}

macro_rules! over_engine {
    ($engine:ident $($test:ident $({ $($case:ident: $given:expr),* $(,)? })?),* $(,)?) => {
        $( over_engine! { @ $engine $test $({ $($case: $given),* })? } )*
    };
    (@ $engine:ident $test:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            super::$test(acquaint_tests::engines::Engine::$engine).await;
        }
    };
    (@ $engine:ident $test:ident { $($case:ident: $given:expr),* }) => {
        mod $test {
            #[allow(unused_imports, reason = "what is given may name nothing")]
            use super::super::*;
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::super::$test(acquaint_tests::engines::Engine::$engine, $given).await;
                }
            )*
        }
    };
}

mod conformance;
mod connections;
mod copying;
mod disturbed;
mod members;
mod processes;
mod statements;
mod steps;
mod together;
mod wire;
