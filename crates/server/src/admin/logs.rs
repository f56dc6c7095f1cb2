//! A part of a log, with the numbers of its lines, for logs of any length and logs that grow.

use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use super::builds::BuildLog;
use super::{Admin, AdminError};

/// How much of a log is shown at once.
pub(crate) const WINDOW: u64 = 96 << 10;
/// How much of that stands before a line that is looked for.
const BEFORE: u64 = 32 << 10;

/// Which part of a log is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// The end.
    End,
    /// What came after so many bytes.
    After(u64),
    /// Around this line, counted from 1.
    Around(u64),
}

/// A part of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LogPart {
    /// The number of the first line.
    pub(crate) first_line: u64,
    /// Whole lines, without their ends.
    pub(crate) lines: Vec<String>,
    /// Where the part ends in the file; a growing log goes on from there.
    pub(crate) end: u64,
    /// How long the file is.
    pub(crate) length: u64,
    /// Whether something stands before it.
    pub(crate) is_cut: bool,
}

impl LogPart {
    /// Whether something stands behind it already.
    pub(crate) fn has_more(&self) -> bool {
        self.end < self.length
    }
}

impl Admin {
    /// A part of a build's log, and whether it may grow. A build that has not begun has an empty one.
    ///
    /// # Errors
    /// [`AdminError::Input`] when there is no such build, [`AdminError::Outside`] when the log cannot be read.
    pub(crate) async fn log_part(
        &self,
        name: &str,
        wanted: Wanted,
    ) -> Result<(LogPart, BuildLog), AdminError> {
        let log = self.build_log(name).await?;
        let path = log.path.clone();
        let read = tokio::task::spawn_blocking(move || read(&path, wanted)).await;
        match read.map_err(AdminError::outside)? {
            Ok(part) => Ok((part, log)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((LogPart::default(), log)),
            Err(error) => {
                let problem = format!("could not read the log {}: {error}", log.path.display());
                Err(AdminError::Outside(problem))
            }
        }
    }
}

fn read(path: &Path, wanted: Wanted) -> io::Result<LogPart> {
    let mut file = std::fs::File::open(path)?;
    let length = file.metadata()?.len();
    // Lines have to be counted from the beginning, which is quick: a log has 64 MiB at most.
    let start = match wanted {
        Wanted::End => length.saturating_sub(WINDOW),
        Wanted::After(bytes) => bytes.min(length),
        Wanted::Around(line) => offset_of(&mut file, line)?.saturating_sub(BEFORE),
    };
    file.seek(SeekFrom::Start(0))?;
    let (mut before, mut at_line_start) = (0, true);
    let mut buffer = vec![0; 64 << 10];
    let mut left = start;
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let read = file.read(&mut buffer[..want])?;
        if read == 0 {
            break;
        }
        before += count_lines(&buffer[..read]);
        at_line_start = buffer[read - 1] == b'\n';
        left -= read as u64;
    }
    let mut bytes = Vec::new();
    file.take(WINDOW).read_to_end(&mut bytes)?;
    Ok(part(&bytes, start, (before, at_line_start), length))
}

/// Cuts bytes that were read from `start` into whole lines. The rest of a line that began before is left out, and so is
/// one that is not whole yet, unless there is nothing else.
fn part(bytes: &[u8], start: u64, (before, at_start): (u64, bool), length: u64) -> LogPart {
    let skipped = match at_start {
        true => 0,
        false => bytes.iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| at + 1),
    };
    let first_line = before + 1 + u64::from(!at_start);
    let rest = &bytes[skipped..];
    let reaches_end = start + bytes.len() as u64 >= length;
    let whole = match rest.iter().rposition(|byte| *byte == b'\n') {
        Some(at) => at + 1,
        None if reaches_end => 0,
        None => rest.len(),
    };
    let text = String::from_utf8_lossy(&rest[..whole]);
    LogPart {
        first_line,
        lines: text.lines().map(plain).collect(),
        end: start + (skipped + whole) as u64,
        length,
        is_cut: start > 0,
    }
}

/// A line as a page can show it: without the colours and other orders to a terminal.
fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' if characters.peek() == Some(&'[') => {
                characters.next();
                // A control sequence ends at its first letter (ECMA-48).
                while characters.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
            }
            '\t' => text.push(character),
            other if other.is_control() => {}
            other => text.push(other),
        }
    }
    text
}

fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Where a line begins; the end of the file if there is no such line.
fn offset_of(file: &mut std::fs::File, line: u64) -> io::Result<u64> {
    let (mut offset, mut number) = (0, 1);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(offset);
        }
        for (at, _) in buffer[..read].iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
            if number >= line {
                return Ok(offset);
            }
            number += 1;
            if number == line {
                return Ok(offset + at as u64 + 1);
            }
        }
        if number >= line {
            return Ok(offset);
        }
        offset += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: Wanted, expected: (u64, &[&str], u64)) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, text).unwrap();
        let part = read(&path, wanted).unwrap();
        let lines: Vec<&str> = part.lines.iter().map(String::as_str).collect();
        assert_eq!((part.first_line, lines.as_slice(), part.end), expected);
    }

    #[test]
    fn only_whole_lines_are_shown_and_nothing_is_lost_between_two_looks() {
        check("a\nb\nc", Wanted::End, (1, &["a", "b"], 4));
        check("a\nb\ncd\n", Wanted::After(4), (3, &["cd"], 7));
        check("a\n", Wanted::After(2), (2, &[], 2));
        check("a\n", Wanted::After(99), (2, &[], 2));
        check("", Wanted::End, (1, &[], 0));
    }

    #[test]
    fn a_long_log_is_cut_at_a_line() {
        let line = format!("{}\n", "x".repeat(99));
        let text = line.repeat(10_000);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, &text).unwrap();
        let part = read(&path, Wanted::End).unwrap();
        let shown = part.lines.len() as u64;
        assert_eq!((part.first_line + shown, part.end), (10_001, 1_000_000));
        assert!(part.is_cut && shown >= WINDOW / 100 - 1);
        let part = read(&path, Wanted::Around(5_000)).unwrap();
        let shown = part.first_line..part.first_line + part.lines.len() as u64;
        assert!(shown.contains(&4_700) && shown.contains(&5_000) && shown.contains(&5_600));
        assert!(part.has_more());
    }

    #[test]
    fn orders_to_a_terminal_are_left_out() {
        assert_eq!(plain("\u{1b}[1;31merror:\u{1b}[0m no\r"), "error: no");
        assert_eq!(plain("a\tb\u{7}"), "a\tb");
    }
}
