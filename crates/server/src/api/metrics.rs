//! `GET /metrics` in Prometheus' text format (version 0.0.4).
//!
//! The alarm figures are the seconds since the last message and since the last progress.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use model::clock::Timestamp;
use model::removal::SubjectKind;
use store::deliveries;
use store::health::{self, Health};
use store::removals::{self, Total};

use super::Api;
use super::problem::Problem;

/// Writes every figure.
pub(super) async fn show(State(api): State<Arc<Api>>) -> Result<impl IntoResponse, Problem> {
    let mut reader = api.store.read().await?;
    let health = health::read(&mut reader).await?;
    let mut text = text(&health, api.clock.now(), api.running.count());
    by_state(
        &mut text,
        "millstream_deliveries",
        "Word to people: waiting, retrying, sent or given-up.",
        &deliveries::count(&mut reader).await?,
    );
    removed(&mut text, &removals::totals(&mut reader).await?);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text))
}

fn text(health: &Health, now: Timestamp, running: usize) -> String {
    let mut text = String::new();
    let seconds = |at: Option<Timestamp>| at.map_or(-1.0, |at| now.since(at).as_secs_f64());
    gauge(
        &mut text,
        "millstream_seconds_since_last_message",
        "Seconds since the last message came in; -1 before the first.",
        seconds(health.last_message),
    );
    gauge(
        &mut text,
        "millstream_seconds_since_last_progress",
        "Seconds since a step, a build or a test run changed; -1 before the first.",
        seconds(health.last_progress),
    );
    by_state(&mut text, "millstream_messages", "Messages in the inbox.", &health.messages);
    by_state(&mut text, "millstream_events", "Events in the ledger.", &health.events);
    by_state(&mut text, "millstream_builds", "Builds.", &health.builds);
    by_state(&mut text, "millstream_test_runs", "Test runs.", &health.test_runs);
    by_state(&mut text, "millstream_open_steps", "Steps that are not settled.", &health.open_steps);
    // Counts this small are exact as floating-point numbers.
    gauge(
        &mut text,
        "millstream_open_plans",
        "Plans with steps that are not settled.",
        health.open_plans as f64,
    );
    gauge(&mut text, "millstream_unsent_messages", "Messages in the outbox.", health.unsent as f64);
    gauge(
        &mut text,
        "millstream_isolated_roots",
        "Builds, test runs and readings of specs under way in this process.",
        running as f64,
    );
    text
}

/// What retention removed, by kind.
fn removed(text: &mut String, totals: &BTreeMap<SubjectKind, Total>) {
    let counter = |name: &str, help: &str, value: fn(&Total) -> u64| {
        let mut lines = format!("# HELP {name} {help}\n# TYPE {name} counter\n");
        for (kind, total) in totals {
            let _ = writeln!(lines, "{name}{{kind=\"{kind}\"}} {}", value(total));
        }
        lines
    };
    let count = |total: &Total| total.count;
    let bytes = |total: &Total| total.bytes;
    text.push_str(&counter(
        "millstream_removed_total",
        "Things that are not kept any more.",
        count,
    ));
    text.push_str(&counter("millstream_removed_bytes_total", "Room that this made.", bytes));
}

fn gauge(text: &mut String, name: &str, help: &str, value: f64) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
}

fn by_state(text: &mut String, name: &str, help: &str, counts: &BTreeMap<String, u64>) {
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (state, count) in counts {
        let _ = writeln!(text, "{name}{{state=\"{state}\"}} {count}");
    }
}
