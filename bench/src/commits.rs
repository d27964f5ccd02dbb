//! What a service's writer did in a span of time, from the figures that the service shows.
//!
//! The service counts commits in buckets of their duration, so a quantile is read off between two bounds, as Prometheus does.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, ensure};

/// How long a service may take to show its figures.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);
/// Commits by how long they took.
const DURATIONS: &str = "acquaint_store_commit_seconds_bucket{";
/// Of how many commands they were.
const COMMANDS: &str = "acquaint_store_batch_commands_sum{";

/// The page of the service that shows its figures at `address`.
pub(crate) fn figures_of(address: SocketAddr) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, SHOWN_WITHIN)?;
    stream.set_read_timeout(Some(SHOWN_WITHIN))?;
    stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page)?;
    Ok(page)
}

/// The commits of a span of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Commits {
    /// How many took at most so many seconds.
    within: Vec<(f64, f64)>,
    commands: f64,
}

impl Commits {
    /// All commits so far of the service that shows its figures at `address`.
    pub(crate) fn shown_at(address: SocketAddr) -> anyhow::Result<Self> {
        Self::in_page(&figures_of(address)?)
    }

    fn in_page(page: &str) -> anyhow::Result<Self> {
        let mut commits = Self::default();
        for line in page.lines() {
            if let Some(bucket) = line.strip_prefix(DURATIONS) {
                let (_, bucket) = bucket
                    .split_once("le=\"")
                    .context("a bucket without a bound")?;
                let (bound, count) = bucket.split_once("\"} ").context("a strange bucket")?;
                commits.within.push((bound.parse()?, count.parse()?));
            } else if let Some(sum) = line.strip_prefix(COMMANDS) {
                let (_, sum) = sum.split_once("} ").context("a strange sum")?;
                commits.commands = sum.parse()?;
            }
        }
        ensure!(!commits.within.is_empty(), "no commits are shown");
        Ok(commits)
    }

    /// Those that have come since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let within = self.within.iter().zip(&before.within);
        Self {
            within: within
                .map(|((bound, now), (_, before))| (*bound, now - before))
                .collect(),
            commands: self.commands - before.commands,
        }
    }

    /// Those of two processes together.
    pub(crate) fn and(self, other: &Self) -> Self {
        let within = self.within.iter().zip(&other.within);
        Self {
            within: within
                .map(|((bound, one), (_, other))| (*bound, one + other))
                .collect(),
            commands: self.commands + other.commands,
        }
    }

    fn count(&self) -> f64 {
        self.within.last().map_or(0.0, |(_, count)| *count)
    }

    /// How many commands shared a commit, on average; `None` without commits.
    pub(crate) fn commands_each(&self) -> Option<f64> {
        let count = self.count();
        (count > 0.0).then(|| self.commands / count)
    }

    /// How long all but a part of the commits took at most, in seconds; `None` without commits. Beyond the longest bound, that one.
    pub(crate) fn quantile(&self, quantile: f64) -> Option<f64> {
        let wanted = quantile * self.count();
        let mut below = (0.0, 0.0);
        for &(bound, count) in &self.within {
            if count >= wanted && count > 0.0 {
                if bound.is_infinite() {
                    return Some(below.0);
                }
                let part = (wanted - below.1) / (count - below.1);
                return Some(below.0 + (bound - below.0) * part);
            }
            below = (bound, count);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(counts: [u32; 3], commands: u32) -> Commits {
        let [short, long, all] = counts;
        let page = format!(
            "# TYPE acquaint_store_commit_seconds histogram\n\
             acquaint_store_commit_seconds_sum{{component=\"here\"}} 1.5\n\
             acquaint_store_commit_seconds_bucket{{component=\"here\",le=\"0.01\"}} {short}\n\
             acquaint_store_commit_seconds_bucket{{component=\"here\",le=\"0.02\"}} {long}\n\
             acquaint_store_commit_seconds_bucket{{component=\"here\",le=\"+Inf\"}} {all}\n\
             acquaint_store_batch_commands_sum{{component=\"here\"}} {commands}.0\n# EOF\n"
        );
        Commits::in_page(&page).unwrap()
    }

    #[test]
    fn quantiles_are_read_off_between_bounds() {
        let commits = page([100, 190, 200], 1_000).since(&page([10, 10, 10], 50));
        assert_eq!(commits.commands_each(), Some(5.0));
        assert_eq!(commits.quantile(0.0), Some(0.0));
        let median = commits.quantile(0.5).unwrap();
        assert!(
            (median - (0.01 + 0.01 * 5.0 / 90.0)).abs() < 1e-9,
            "{median}"
        );
        assert_eq!(commits.quantile(0.99), Some(0.02), "the longest bound");
    }

    #[test]
    fn two_processes_count_together() {
        let both = page([100, 190, 200], 1_000).and(&page([0, 0, 200], 200));
        assert_eq!(both.commands_each(), Some(3.0));
        assert_eq!(both.quantile(0.25), Some(0.01));
    }

    #[test]
    fn without_commits_nothing_is_said() {
        let none = page([3, 4, 5], 7);
        let none = none.since(&none);
        assert_eq!((none.quantile(0.99), none.commands_each()), (None, None));
        Commits::in_page("# EOF\n").unwrap_err();
    }
}
