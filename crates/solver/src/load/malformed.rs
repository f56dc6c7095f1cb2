//! What is wrong with a text from outside, and in which line.

use std::fmt;

/// A text that is not what its format asks for. Whoever knows the file's name puts it in front.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct Malformed {
    /// The line, counted from 1.
    pub line: u32,
    /// What is wrong, as the rest of a sentence.
    pub what: String,
}

impl Malformed {
    /// Something wrong in a line.
    pub(crate) fn at(line: u32, what: impl fmt::Display) -> Self {
        Self { line, what: what.to_string() }
    }
}

/// The bytes as text; what is not UTF-8 is an error that names the line.
pub(crate) fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = Lines::new(bytes).at(error.valid_up_to());
        Malformed::at(line, "this is not UTF-8")
    })
}

/// A text for an error message: cut short, and without characters that would disturb a terminal.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 80;
    let mut short: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    if text.chars().nth(MOST).is_some() {
        short.push('…');
    }
    short
}

/// Counts lines on the way through a text; positions are asked for in rising order.
pub(crate) struct Lines<'a> {
    bytes: &'a [u8],
    passed: usize,
    line: u32,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, passed: 0, line: 1 }
    }

    /// The line of a position.
    pub(crate) fn at(&mut self, position: usize) -> u32 {
        let end = position.min(self.bytes.len());
        let passed = self.bytes.get(self.passed..end).unwrap_or_default();
        let lines = passed.iter().filter(|byte| **byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.passed = end.max(self.passed);
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_utf8_has_its_line() {
        let error = text(b"a\nb\n\xff").unwrap_err();
        assert_eq!(error.to_string(), "line 3: this is not UTF-8");
    }

    #[test]
    fn an_excerpt_is_short_and_harmless() {
        assert_eq!(excerpt("a\u{1b}[31m"), "a\\u{1b}[31m");
        assert_eq!(excerpt(&"x".repeat(1_000_000)).chars().count(), 81);
    }
}
