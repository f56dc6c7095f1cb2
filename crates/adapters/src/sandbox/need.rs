//! Tells a job that ran into a wall from one that is wrong.
//!
//! The walls around memory, disk and processes mostly answer with an error code, and the program that
//! gets it says so and fails. What it says is the only trace.

use std::path::Path;

use crate::sandbox::log;

/// What ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exhausted {
    Memory,
    Disk,
    Processes,
}

/// What programs say, in the C library's words and in those of compilers and interpreters.
const SIGNS: [(&str, Exhausted); 13] = [
    ("No space left on device", Exhausted::Disk),
    // Programs in Go write the C library's words small.
    ("no space left on device", Exhausted::Disk),
    ("cannot allocate memory", Exhausted::Memory),
    ("runtime: out of memory", Exhausted::Memory),
    (": resource temporarily unavailable", Exhausted::Processes),
    ("failed to create new OS thread", Exhausted::Processes),
    ("annot fork", Exhausted::Processes),
    ("fork: retry", Exhausted::Processes),
    ("Cannot allocate memory", Exhausted::Memory),
    ("virtual memory exhausted", Exhausted::Memory),
    ("memory exhausted", Exhausted::Memory),
    ("std::bad_alloc", Exhausted::Memory),
    ("MemoryError", Exhausted::Memory),
];

/// Looks through the end of a failed job's log.
pub(crate) fn exhausted(path: &Path) -> Option<Exhausted> {
    signs(&log::tail(path, 16 << 10))
}

fn signs(text: &str) -> Option<Exhausted> {
    text.lines().rev().find_map(|line| {
        let found = SIGNS.iter().find(|(sign, _)| {
            // A source line shown by a compiler may contain anything.
            line.contains(sign)
                && !line.trim_start().starts_with(|c: char| c == '|' || c.is_ascii_digit())
        });
        found.map(|(_, what)| *what)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_wall_that_was_hit_counts() {
        let check = |text: &str| signs(text);
        assert_eq!(
            check("cp: error writing 'x': No space left on device\n"),
            Some(Exhausted::Disk)
        );
        assert_eq!(check("sh: 1: Cannot fork\nsh: fork: retry: x\n"), Some(Exhausted::Processes));
        assert_eq!(check("Traceback\nMemoryError\nerror: Bad exit\n"), Some(Exhausted::Memory));
        assert_eq!(
            check("fork/exec /usr/bin/crun: resource temporarily unavailable\n"),
            Some(Exhausted::Processes)
        );
        assert_eq!(check("  12 | puts(\"Cannot allocate memory\");\n"), None);
        assert_eq!(check("main.c:3: error: no\n"), None);
    }
}
