//! Counts the statements that run on the databases of this process, with the rows they give and the time they take.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Mutex;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// What one kind of statement came to.
#[derive(Clone, Copy, Default)]
struct Count {
    times: u64,
    rows: u64,
    seconds: f64,
}

static COUNTS: Mutex<Option<HashMap<String, Count>>> = Mutex::new(None);

/// Listens to what sqlx tells of each statement.
pub(crate) struct Statements;

impl Statements {
    /// Begins to listen.
    pub(crate) fn listen() {
        tracing::subscriber::set_global_default(Self).expect("nobody else listens");
        begin();
    }
}

/// Forgets what was counted.
pub(crate) fn begin() {
    *COUNTS.lock().expect("the counts") = Some(HashMap::new());
}

/// What was counted, as lines for each kind of statement, those that took longest first.
pub(crate) fn lines(messages: usize) -> Vec<String> {
    let counts = COUNTS.lock().expect("the counts").take().unwrap_or_default();
    let mut counts: Vec<(String, Count)> = counts.into_iter().collect();
    counts.sort_by(|(_, left), (_, right)| right.seconds.total_cmp(&left.seconds));
    let line = |(text, count): &(String, Count)| {
        let Count { times, rows, seconds } = count;
        let each = seconds * 1e3 / *times as f64;
        format!("{times:>8} times {rows:>9} rows {seconds:>8.2} s {each:>7.3} ms each  {text}")
    };
    let sum = |of: fn(&Count) -> f64| counts.iter().map(|(_, count)| of(count)).sum::<f64>();
    let per_message = |sum: f64| sum / messages as f64;
    let mut lines: Vec<String> = counts.iter().map(line).collect();
    lines.push(format!(
        "for each message {:.2} statements, {:.1} rows, {:.2} ms",
        per_message(sum(|count| count.times as f64)),
        per_message(sum(|count| count.rows as f64)),
        per_message(sum(|count| count.seconds * 1e3)),
    ));
    lines
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut told = Told::default();
        event.record(&mut told);
        let text = if told.statement.is_empty() { told.summary } else { told.statement };
        if let Some(counts) = COUNTS.lock().expect("the counts").as_mut() {
            let count = counts.entry(kind(&text)).or_default();
            count.times += 1;
            count.rows += told.rows;
            count.seconds += told.seconds;
        }
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// A statement's text without its lists of values, whose lengths differ.
fn kind(text: &str) -> String {
    let bare: String = text.chars().filter(|char| !char.is_ascii_digit()).collect();
    let mut kind = bare.split_whitespace().collect::<Vec<_>>().join(" ");
    for (list, short) in [("?, ?", "?"), ("$, $", "$"), ("(?), (?)", "(?)"), ("($), ($)", "($)")] {
        while kind.contains(list) {
            kind = kind.replace(list, short);
        }
    }
    kind
}

/// What one event tells.
#[derive(Default)]
struct Told {
    summary: String,
    statement: String,
    rows: u64,
    seconds: f64,
}

impl Visit for Told {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = value;
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.seconds = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.trim().clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}
}
