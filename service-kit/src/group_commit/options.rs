//! The bounds of a writer, and their keys.

use crate::config::{Findings, Key};

/// The bounds of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupCommitOptions {
    /// How many commands may wait; one more is answered [`StoreError::Overloaded`]. At least 1.
    pub queue_commands_max: usize,
    /// How many commands share one commit at most. At least 1.
    pub batch_commands_max: usize,
}

impl Default for GroupCommitOptions {
    fn default() -> Self {
        Self {
            queue_commands_max: 4_096,
            batch_commands_max: 256,
        }
    }
}

impl GroupCommitOptions {
    /// The keys of the options.
    pub fn keys() -> Vec<Key<Self>> {
        vec![
            Key::count(
                "group_commit.queue_commands_max",
                "commands",
                1..=1_000_000,
                |o: &mut Self| &mut o.queue_commands_max,
                "commands that may wait for the writer; one more is refused",
            ),
            Key::count(
                "group_commit.batch_commands_max",
                "commands",
                1..=65_536,
                |o: &mut Self| &mut o.batch_commands_max,
                "commands that share one commit at most",
            ),
        ]
    }

    /// What should be known about the options.
    pub fn check(&self, findings: &mut Findings) {
        if self.queue_commands_max < self.batch_commands_max {
            findings.risky(
                &[
                    "group_commit.queue_commands_max",
                    "group_commit.batch_commands_max",
                ],
                format!(
                    "no more than {} commands can wait, so a commit is never shared by the {} that could share it, and under load callers are \
                     refused who would have fitted",
                    self.queue_commands_max, self.batch_commands_max
                ),
            );
        }
    }
}
