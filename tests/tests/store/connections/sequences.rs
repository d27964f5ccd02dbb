//! Random sequences of commands, each on a store of its own. One that fails is shrunk.

use std::fmt::Debug;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, TestRunner},
};
use tokio::{runtime::Handle, task::spawn_blocking};

/// Plays so many sequences; `play` panics where one goes wrong.
pub(crate) async fn run<C, F>(
    cases: u32,
    sequence: impl Strategy<Value = Vec<C>> + Send + 'static,
    play: impl Fn(Vec<C>) -> F + Send + 'static,
) where
    C: Debug + 'static,
    F: Future<Output = ()>,
{
    let handle = Handle::current();
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let playing = spawn_blocking(move || {
        let ran = TestRunner::new(config).run(&sequence, |commands| {
            handle.block_on(play(commands));
            Ok(())
        });
        ran.map_err(|parted| parted.to_string())
    });
    if let Err(parted) = playing.await.unwrap() {
        panic!("{parted}");
    }
}
