//! The process as the system sees it, by the names that Prometheus's own clients use.
//!
//! Deliberately absent: systems without `/proc`; there these figures are left out.

use std::fs;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rustix::process::{Resource, getrlimit};

/// Reads `/proc` at each scrape.
#[derive(Debug)]
pub(super) struct Process;

/// What `/proc/self/stat` says, in seconds and bytes.
#[derive(Debug)]
struct Stat {
    cpu_seconds: f64,
    start_seconds: f64,
    resident_bytes: f64,
    threads: f64,
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(stat) = Stat::read() else {
            return Ok(());
        };
        let help = "Processor time used, by the system and the program";
        let cpu =
            encoder.encode_descriptor("process_cpu_seconds", help, None, MetricType::Counter)?;
        ConstCounter::new(stat.cpu_seconds).encode(cpu)?;
        let handles = fs::read_dir("/proc/self/fd").map(Iterator::count).ok();
        // There are never so many that a double could not count them.
        #[allow(clippy::cast_precision_loss, reason = "never so many")]
        let handles = handles.map(|handles| handles as f64);
        // None where there is no limit.
        let handles_max = getrlimit(Resource::Nofile).current;
        #[allow(clippy::cast_precision_loss, reason = "never so many")]
        let handles_max = handles_max.map(|handles| handles as f64);
        let gauges = [
            (
                "process_resident_memory_bytes",
                "Memory that the process holds",
                Some(stat.resident_bytes),
            ),
            (
                "process_start_time_seconds",
                "When the process started, since the Unix epoch",
                Some(stat.start_seconds),
            ),
            ("process_threads", "Threads", Some(stat.threads)),
            ("process_open_fds", "Open files and sockets", handles),
            (
                "process_max_fds",
                "Files and sockets that may be open",
                handles_max,
            ),
        ];
        for (name, help, value) in gauges {
            let Some(value) = value else { continue };
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(value).encode(gauge)?;
        }
        Ok(())
    }
}

impl Stat {
    fn read() -> Option<Self> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let system = fs::read_to_string("/proc/stat").ok()?;
        let boot = system.lines().find_map(|line| line.strip_prefix("btime "));
        Self::parse(&stat, boot?.trim().parse().ok()?)
    }

    /// `boot`: when the system started, in seconds since the Unix epoch.
    #[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
    fn parse(stat: &str, boot: u64) -> Option<Self> {
        let ticks = rustix::param::clock_ticks_per_second() as f64;
        let page = rustix::param::page_size() as f64;
        // The program's name stands in parentheses and may have anything in it, so what counts is what comes after the last of them.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_ascii_whitespace().collect();
        // As the manual numbers them; the third is the first after the name.
        let field = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(Self {
            cpu_seconds: (field(14)? + field(15)?) / ticks,
            start_seconds: boot as f64 + field(22)? / ticks,
            resident_bytes: field(24)? * page,
            threads: field(20)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_process_is_seen() {
        let seen = Stat::read().unwrap();
        assert!(seen.resident_bytes > 1e5 && seen.threads >= 1.0, "{seen:?}");
        assert!(seen.start_seconds > 1.7e9, "{seen:?}");
    }

    #[test]
    fn a_name_with_parentheses_is_no_trouble() {
        let numbers: Vec<_> = (3..=52).map(|number| number.to_string()).collect();
        let stat = format!("1 (a) b) {}", numbers.join(" "));
        let seen = Stat::parse(&stat, 1_000).unwrap();
        let ticks = rustix::param::clock_ticks_per_second();
        assert_eq!(ticks, 100);
        assert!((seen.cpu_seconds - 0.29).abs() < 1e-9, "{seen:?}");
        assert!((seen.start_seconds - 1_000.22).abs() < 1e-9, "{seen:?}");
        assert!((seen.threads - 20.0).abs() < 1e-9, "{seen:?}");
        assert!(Stat::parse("nothing", 0).is_none());
    }
}
