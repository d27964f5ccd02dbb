//! What the process holds in memory stays there when it dies.
//!
//! A core file would hold members' notes, and the key that tokens and the hashes of erased ids are made with. Deliberately absent: a
//! way to allow one; whoever must look into a process runs it on invented data under a debugger.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core files for this process, to itself and to whatever collects them for the whole machine; no other process of the same
/// user can look into its memory either. Says so in the log where the system does not let it.
pub fn forbid() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if let Err(error) = setrlimit(Resource::Core, none) {
        tracing::warn!("a crash may leave a core file: {error}");
    }
    // A collector that is piped to is not bound by the limit, but by this.
    #[cfg(target_os = "linux")]
    if let Err(error) =
        rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)
    {
        tracing::warn!("a crash may leave a core file: {error}");
    }
}
