use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::*;
use crate::sqlite::OpenError;
use crate::trace::{self, TraceContext};

#[derive(Debug, thiserror::Error)]
#[error("the store cannot be opened")]
struct Outer(#[source] OpenError);

/// What was written.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is logged by `options` while `work` is done.
fn logged(filter: &str, format: LogFormat, work: impl FnOnce()) -> String {
    let options = LogOptions {
        filter: filter.to_owned(),
        format,
    };
    let written = Written::default();
    let writer = written.clone();
    let subscriber = subscriber(&options, move || writer.clone());
    tracing::subscriber::with_default(subscriber, work);
    let bytes = written.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn traced(work: impl FnOnce()) {
    let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    trace::within_sync(TraceContext::parse(text).unwrap(), work);
}

#[test]
fn logs_info_unless_asked_otherwise() {
    assert_eq!(filter("info").to_string(), "info");
    assert_eq!(filter("warn").to_string(), "warn");
    assert_eq!(LogOptions::default().filter, "info");
}

#[test]
fn takes_directives_that_can_be_understood() {
    for right in ["info", "warn,service_kit=debug", "off"] {
        assert_eq!((FILTER.parse)(right), Ok(right.to_owned()));
    }
    for wrong in ["", "not=a=filter", "service_kit=loud"] {
        assert!((FILTER.parse)(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn people_read_lines_with_the_trace_they_belong_to() {
    let log = logged("info", LogFormat::Human, || {
        traced(|| tracing::warn!(reason = "OVERLOADED", micros = 7, "too much waits"));
        tracing::info!("started");
        tracing::debug!("not asked for");
    });
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    let expected = " WARN service_kit::telemetry::tests: too much waits reason=\"OVERLOADED\" micros=7 \
                    trace_id=4bf92f3577b34da6a3ce929d0e0e4736";
    assert!(lines[0].ends_with(expected), "{log}");
    assert!(
        lines[1].ends_with(" INFO service_kit::telemetry::tests: started"),
        "{log}"
    );
}

#[test]
fn programs_read_one_object_in_each_line() {
    let log = logged("debug", LogFormat::Json, || {
        traced(|| {
            tracing::error!(
                code = "INTERNAL",
                n = 3_u64,
                ok = false,
                cause = Some("a \"b\"\nc"),
                "failed"
            );
        });
    });
    assert_eq!(log.lines().count(), 1, "{log}");
    let mut line: Value = serde_json::from_str(&log).unwrap();
    let time = line.as_object_mut().unwrap().remove("time").unwrap();
    assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
    let expected = serde_json::json!({
        "level": "ERROR", "target": "service_kit::telemetry::tests", "message": "failed",
        "code": "INTERNAL", "n": 3, "ok": false, "cause": "a \"b\"\nc",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    });
    assert_eq!(line, expected);
}

#[test]
fn what_libraries_see_of_requests_is_not_told() {
    let log = logged("trace", LogFormat::Human, || {
        tracing::trace!(target: "h2::codec", "a header");
        tracing::debug!(target: "hyper::proto", "a header");
        tracing::debug!(target: "tonic", "a header");
        tracing::warn!(target: "h2::proto", "too many resets");
        tracing::trace!(target: "h2o", "another library");
    });
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines[0].contains("too many resets") && lines[1].contains("another"),
        "{log}"
    );
}

#[test]
fn an_error_is_told_with_all_its_causes() {
    let refused = std::io::Error::other("no more handles");
    assert_eq!(chain(&refused), "no more handles");
    let file = OpenError::File {
        path: "x.db".into(),
        source: refused,
    };
    assert_eq!(chain(&file), "cannot open x.db: no more handles");

    let text = "the store cannot be opened: cannot open x.db: no more handles";
    assert_eq!(chain(&Outer(file)), text);
}

#[test]
fn formats_have_names() {
    let form = LogFormat::form();
    assert_eq!((form.parse)("human"), Ok(LogFormat::Human));
    assert_eq!((form.parse)("json"), Ok(LogFormat::Json));
    assert_eq!(
        (form.parse)("JSON"),
        Err("must be human or json".to_owned())
    );
}

#[test]
fn can_be_called_again() {
    init(&LogOptions::default());
    init(&LogOptions::default());
}
