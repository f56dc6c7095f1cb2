//! Answers on standard output, as text or as JSON, from one and the same value.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::arguments::Global;
use crate::failure::Failure;

/// Prints an answer in the form that was asked for.
pub(crate) fn answer(global: &Global, value: &(impl Serialize + Display)) -> Result<(), Failure> {
    if global.json {
        let text = serde_json::to_string_pretty(value)
            .map_err(|error| Failure::Internal(error.to_string()))?;
        text_block(&text)
    } else {
        text_block(&value.to_string())
    }
}

/// Prints text, and a line's end if it lacks one.
pub(crate) fn text_block(text: &str) -> Result<(), Failure> {
    bytes(text.as_bytes())?;
    if text.ends_with('\n') || text.is_empty() { Ok(()) } else { bytes(b"\n") }
}

/// Writes as it is. That nobody wants to read any more, as behind `head`, is no error.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Output(error)),
        _ => Ok(()),
    }
}

/// Shows on a terminal that something takes its time; elsewhere nothing. It goes away when it is dropped.
pub(crate) struct Waiting(ProgressBar);

impl Waiting {
    /// Starts showing.
    pub(crate) fn show(what: String) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        // A fixed template is valid or not for good; the default one does as well.
        let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    /// Shows something else.
    pub(crate) fn say(&self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
