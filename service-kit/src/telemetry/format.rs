//! One event, one line.
//!
//! Deliberately absent: colours, spans of tracing (work is told apart by its trace), and where in the source an event stands.

use std::fmt::{self, Write as _};

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::{FormatTime as _, SystemTime};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use crate::trace;

/// Writes lines for people or programs.
#[derive(Debug)]
pub(super) struct Lines(pub(super) LogFormat);

impl<S, N> FormatEvent<S, N> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let (level, target) = (event.metadata().level(), event.metadata().target());
        match self.0 {
            LogFormat::Human => {
                SystemTime.format_time(&mut writer)?;
                write!(writer, " {level:>5} {target}: ")?;
                context.format_fields(writer.by_ref(), event)?;
                if let Some(trace) = trace::current() {
                    write!(writer, " trace_id={}", trace.trace_id())?;
                }
                writeln!(writer)
            }
            LogFormat::Json => {
                let mut line = Object::default();
                event.record(&mut line);
                let mut time = String::new();
                SystemTime.format_time(&mut Writer::new(&mut time))?;
                line.set("time", time);
                line.set("level", level.as_str());
                line.set("target", target);
                if let Some(trace) = trace::current() {
                    line.set("trace_id", trace.trace_id().to_string());
                }
                writeln!(writer, "{}", Value::Object(line.0))
            }
        }
    }
}

/// The fields of an event.
#[derive(Default)]
struct Object(Map<String, Value>);

impl Object {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }
}

impl Visit for Object {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // Fails only where the value itself refuses to be written; then what came before stands.
        let _ = write!(text, "{value:?}");
        self.set(field.name(), text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }
}
