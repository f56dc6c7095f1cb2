//! Finds the line of a failed log that a person would look for.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TellingLine {
    /// Counted from 1.
    pub number: usize,
    /// Without blanks around it, and cut if it is very long.
    pub text: String,
}

/// Longer lines are no help in a listing.
const LONGEST: usize = 300;

/// How much a line says; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    /// The place and the reason: a compiler's or linker's error, a dependency that is missing.
    Cause,
    /// rpm's own finding: a file that is not there, a line that does not parse.
    Rpm,
    /// A test that failed, or an interpreter's exception.
    Test,
    /// A tool that could not do its work.
    Tool,
    /// Only that something failed, somewhere above.
    Summary,
    /// Nothing at all; the last such line is better than none.
    Last,
}

/// Reads a log and picks its telling line: of the most telling kind there is, the first.
/// `None` if the log is empty or cannot be read.
pub fn telling_line(log: &Path) -> Option<TellingLine> {
    let mut lines = BufReader::new(File::open(log).ok()?);
    let mut search = Search::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.by_ref().take(64 << 10).read_until(b'\n', &mut line).ok()?;
        if read == 0 {
            return search.best.map(|(_, line)| line);
        }
        search.look(&String::from_utf8_lossy(&line));
    }
}

/// The same for a text.
pub fn telling_line_of(text: &str) -> Option<TellingLine> {
    let mut search = Search::default();
    text.lines().for_each(|line| search.look(line));
    search.best.map(|(_, line)| line)
}

#[derive(Default)]
struct Search {
    number: usize,
    best: Option<(Worth, TellingLine)>,
}

impl Search {
    fn look(&mut self, line: &str) {
        self.number += 1;
        let text = line.trim();
        if text.is_empty() {
            return;
        }
        let worth = worth(line, text);
        let better = match &self.best {
            None => true,
            Some((Worth::Last, _)) => worth <= Worth::Last,
            Some((best, _)) => worth < *best,
        };
        if better {
            let text = text.chars().take(LONGEST).collect();
            self.best = Some((worth, TellingLine { number: self.number, text }));
        }
    }
}

fn worth(raw: &str, line: &str) -> Worth {
    let has = |needles: &[&str]| needles.iter().any(|needle| line.contains(needle));
    // The shell's trace of a command, and buildah's announcement of one, may quote any of the words below.
    if line.starts_with("+ ") || is_step(line) {
        return Worth::Last;
    }
    if line.starts_with("Error: ") && has(&["building at STEP "]) {
        return Worth::Summary;
    }
    if line.starts_with("error running container: ") {
        return Worth::Tool;
    }
    // rpm sets its lists off by a tab; elsewhere these are everyday words.
    let listed = raw.starts_with('\t') && has(&[" is needed by ", " conflicts "]);
    let compiler = has(&[": error:", ": Error:", ": fatal error:", "undefined reference to"]);
    let linker = has(&["multiple definition of", "cannot find -l", "undefined symbol"]);
    if listed || compiler || linker || has(&["error while loading shared libraries"]) {
        return Worth::Cause;
    }
    if line.starts_with("error: ") && !has(&["Bad exit status", "Failed build dependencies"]) {
        return Worth::Rpm;
    }
    if line.starts_with("Installed (but unpackaged)") || line.starts_with("File not found:") {
        return Worth::Rpm;
    }
    if has(&["FAIL:", "FAILED", "Assertion `", "assertion failed", "AssertionError", "panicked at"])
        || line.starts_with("not ok ")
        || line.starts_with("FAIL ")
        || exception(line)
    {
        return Worth::Test;
    }
    if has(&["command not found", ": not found", "No such file or directory", "Permission denied"])
        || has(&["configure: error", "Segmentation fault", "timed out", "No rule to make target"])
    {
        return Worth::Tool;
    }
    if has(&["Bad exit status", "RPM build errors", "Failed build dependencies"])
        || (line.starts_with("make") && line.contains("***"))
        || line.starts_with("error: ")
    {
        return Worth::Summary;
    }
    Worth::Last
}

/// `STEP 2/4: RUN x`, or `[1/2] STEP 2/4: RUN x` where an image has several stages.
fn is_step(line: &str) -> bool {
    let behind = line.strip_prefix('[').and_then(|rest| Some(rest.split_once("] ")?.1));
    behind.unwrap_or(line).starts_with("STEP ")
}

/// `ValueError: not a number`, as the last line of a Python traceback.
fn exception(line: &str) -> bool {
    let name = line.split(':').next().unwrap_or_default();
    name.ends_with("Error")
        && name.len() > "Error".len()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(log: &str, expected: &str) {
        let found = telling_line_of(log);
        let shown = found.map_or_else(String::new, |line| format!("{} {}", line.number, line.text));
        assert_eq!(shown, expected, "in\n{log}");
    }

    #[test]
    fn a_compiler_error_is_told_before_its_consequences() {
        check(
            "+ gcc -c main.c\nmain.c: In function 'main':\nmain.c:3:5: error: unknown type name 'itn'\n\
             main.c:9:1: error: other\nmake: *** [Makefile:2: main.o] Error 1\n\
             error: Bad exit status from /var/tmp/rpm-tmp.x (%build)\nRPM build errors:\n",
            "3 main.c:3:5: error: unknown type name 'itn'",
        );
        check(
            "/usr/bin/ld: main.o: in function `main':\nmain.c:(.text+0x9): undefined reference to `f'\n\
             collect2: error: ld returned 1 exit status\n",
            "2 main.c:(.text+0x9): undefined reference to `f'",
        );
        check(
            "main.c:1:10: fatal error: base.h: No such file or directory\n",
            "1 main.c:1:10: fatal error: base.h: No such file or directory",
        );
    }

    #[test]
    fn rpm_says_what_it_misses() {
        check(
            "error: Failed build dependencies:\n\tbase-devel >= 2 is needed by user-1-1.x86_64\n",
            "2 base-devel >= 2 is needed by user-1-1.x86_64",
        );
        check(
            "Processing files: a-1-1\nerror: File not found: /build/BUILDROOT/a/usr/bin/a\n\n\
             RPM build errors:\n    File not found: /build/BUILDROOT/a/usr/bin/a\n",
            "2 error: File not found: /build/BUILDROOT/a/usr/bin/a",
        );
        check(
            "error: Installed (but unpackaged) file(s) found:\n   /usr/bin/b\n",
            "1 error: Installed (but unpackaged) file(s) found:",
        );
    }

    #[test]
    fn an_image_says_more_in_its_instructions_than_by_its_end() {
        let end =
            "Error: building at STEP \"RUN x: error: y\": while running runtime: exit status 1\n";
        let steps = "STEP 1/2: FROM a\n[1/2] STEP 2/2: RUN x: error: y\n";
        check(&format!("{steps}said\n{end}"), &format!("4 {}", end.trim()));
        check(&format!("{steps}/bin/sh: 1: x: not found\n{end}"), "3 /bin/sh: 1: x: not found");
        let container = "error running container: from crun: cannot setresuid to 7";
        check(&format!("{steps}{container}\n: exit status 1\n{end}"), &format!("3 {container}"));
    }

    #[test]
    fn failed_tests_and_tools_come_next_and_the_last_line_is_better_than_none() {
        check("ok 1\nnot ok 2 - sum\nmake: *** [check] Error 1\n", "2 not ok 2 - sum");
        check("PASS: a\nFAIL: b\nmake[1]: *** [check] Error 1\n", "2 FAIL: b");
        check("Traceback (most recent call last):\n  File x\nValueError: no\n", "3 ValueError: no");
        check(
            "sh: 3: frobnicate: not found\nerror: Bad exit status\n",
            "1 sh: 3: frobnicate: not found",
        );
        check("make: *** [all] Error 2\nerror: Bad exit status\n", "1 make: *** [all] Error 2");
        check("+ echo error: no\nfirst\nlast\n\n", "3 last");
        check("\n\n", "");
    }
}
