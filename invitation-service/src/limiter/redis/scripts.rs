//! The scripts, each of which touches one key and so runs on one node of a cluster.
//!
//! A script is called by its hash; where the server does not know it (it was restarted, or failed over), the same call is made with the
//! script's text, which the server remembers. Each may be run twice: the second run finds what the first has done.

use std::sync::LazyLock;

use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind, cmd};

use super::connect::Link;

/// A script and its hash.
pub(super) struct LimiterScript {
    text: &'static str,
    hash: String,
}

macro_rules! script {
    ($name:ident, $file:literal, $what:literal) => {
        #[doc = $what]
        pub(super) static $name: LazyLock<LimiterScript> = LazyLock::new(|| {
            LimiterScript::new(concat!(include_str!("value.lua"), include_str!($file)))
        });
    };
}
script!(RESERVE, "reserve.lua", "Takes a place.");
script!(RELEASE, "release.lua", "Gives a place back.");
script!(SEED, "seed.lua", "Takes over what the store knows.");

impl LimiterScript {
    fn new(text: &'static str) -> Self {
        let hash = Script::new(text).get_hash().to_owned();
        Self { text, hash }
    }

    /// Runs it on `key`; its answer is a number.
    pub(super) async fn run(
        &self,
        mut link: Link,
        key: &str,
        arguments: &[Vec<u8>],
    ) -> RedisResult<u8> {
        let by = |command: &str, script: &str| -> Cmd {
            let mut command = cmd(command);
            command.arg(script).arg(1).arg(key).arg(arguments);
            command
        };
        match link.query(&by("EVALSHA", &self.hash)).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                link.query(&by("EVAL", self.text)).await
            }
            answered => answered,
        }
    }
}
