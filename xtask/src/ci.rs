//! `cargo xtask ci`: the one definition of green. Cheap phases come first; the first that fails is the last.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::tidy;

/// What became of a phase.
enum Outcome {
    Green,
    /// Green, with something a reader wants to know.
    Noted(String),
    Red(String),
}

/// One phase by the name it is shown with.
type Phase = (&'static str, fn(&Path) -> Outcome);

const PHASES: &[Phase] =
    &[("fmt", fmt), ("clippy", clippy), ("doc", doc), ("tidy", house_rules), ("deny", deny)];

/// Runs the phases up to the first that fails; whether all were green.
pub(crate) fn run(root: &Path, with_tests: bool) -> bool {
    let tests: &[Phase] = if with_tests { &[("test", test)] } else { &[] };
    let phases: Vec<Phase> = [PHASES, tests].concat();
    let start = now();
    let mut closing = Vec::new();
    for (at, (name, phase)) in phases.iter().enumerate() {
        println!("ci: {name}");
        let phase_start = now();
        let outcome = phase(root);
        let time = seconds(phase_start.elapsed());
        match outcome {
            Outcome::Green => closing.push(format!("{name} {time}")),
            Outcome::Noted(note) => closing.push(format!("{name} {time} ({note})")),
            Outcome::Red(why) => {
                let left: Vec<_> = phases[at + 1..].iter().map(|(name, _)| *name).collect();
                let left = if left.is_empty() { "nothing".to_owned() } else { left.join(", ") };
                println!("ci: red: {name} after {time}: {why}; not run: {left}");
                return false;
            }
        }
    }
    if !with_tests {
        closing.push("test not run (--no-test)".to_owned());
    }
    println!("ci: green in {}: {}", seconds(start.elapsed()), closing.join(", "));
    true
}

fn fmt(root: &Path) -> Outcome {
    finish(cargo(root, "fmt --all --check"), "run `cargo fmt --all`")
}

fn clippy(root: &Path) -> Outcome {
    let clippy = cargo(root, "clippy --workspace --all-targets -- -D warnings");
    finish(clippy, "see the lints above")
}

fn doc(root: &Path) -> Outcome {
    let mut doc = cargo(root, "doc --workspace --no-deps --document-private-items");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    finish(doc, "see the warnings above")
}

fn house_rules(root: &Path) -> Outcome {
    if tidy::run(root) {
        Outcome::Green
    } else {
        Outcome::Red("see the violations above".to_owned())
    }
}

/// Licences, known faults and sources of the dependencies, where cargo-deny is there to check them.
fn deny(root: &Path) -> Outcome {
    let mut version = cargo(root, "deny --version");
    version.stdout(Stdio::null()).stderr(Stdio::null());
    if !version.status().is_ok_and(|status| status.success()) {
        let note =
            "NOT RUN: cargo-deny is not installed, `cargo install --locked cargo-deny` does it";
        println!("ci: deny {note}");
        return Outcome::Noted("NOT RUN: no cargo-deny".to_owned());
    }
    finish(cargo(root, "deny --workspace check"), "see above; the policy is deny.toml")
}

/// Every test of every crate; how many there were is read from what the harness prints.
fn test(root: &Path) -> Outcome {
    let mut test = cargo(root, "test --workspace --no-fail-fast");
    let mut child = match test.stdout(Stdio::piped()).spawn() {
        Ok(child) => child,
        Err(error) => return Outcome::Red(format!("could not run cargo: {error}")),
    };
    let mut counts = Counts::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            counts.add(&line);
            // Whoever reads may have gone away; the tests are run to their end all the same.
            let _ = writeln!(io::stdout(), "{line}");
        }
    }
    match child.wait() {
        Ok(status) => counts.outcome(status.success()),
        Err(error) => Outcome::Red(format!("could not wait for cargo: {error}")),
    }
}

/// The sums of the harness's closing lines.
#[derive(Debug, Default, PartialEq)]
struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Takes in `test result: ok. 3 passed; 0 failed; 0 ignored; …`; other lines say nothing.
    fn add(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let Some((_, figures)) = result.split_once(". ") else { return };
        for figure in figures.split("; ") {
            let Some((count, what)) = figure.split_once(' ') else { continue };
            let Ok(count) = count.parse::<usize>() else { continue };
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.ignored += count,
                _ => {}
            }
        }
    }

    /// Green is a clean end of every test: one that is ignored proves nothing.
    fn outcome(&self, clean: bool) -> Outcome {
        let Self { passed, failed, ignored } = self;
        let counts = format!("{passed} passed, {failed} failed, {ignored} ignored");
        match (clean, failed, ignored) {
            (true, 0, 0) if *passed > 0 => Outcome::Noted(counts),
            (true, 0, 1..) => Outcome::Red(format!("{counts}: nothing may be skipped")),
            _ => Outcome::Red(counts),
        }
    }
}

fn cargo(root: &Path, arguments: &str) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.args(arguments.split(' ')).current_dir(root);
    cargo
}

fn finish(mut command: Command, advice: &str) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Outcome::Green,
        Ok(_) => Outcome::Red(advice.to_owned()),
        Err(error) => Outcome::Red(format!("could not run cargo: {error}")),
    }
}

#[expect(clippy::disallowed_methods, reason = "a stopwatch, which no decision depends on")]
fn now() -> Instant {
    Instant::now()
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::{Counts, Outcome};

    #[track_caller]
    fn check(lines: &str, clean: bool, expected: &str) {
        let mut counts = Counts::default();
        lines.lines().for_each(|line| counts.add(line));
        let found = match counts.outcome(clean) {
            Outcome::Green => "green".to_owned(),
            Outcome::Noted(note) => format!("green: {note}"),
            Outcome::Red(why) => format!("red: {why}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn tests_are_counted_over_all_programs() {
        let two = "running 3 tests\ntest a ... ok\n\
                   test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s\n\
                   test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.00s";
        check(two, true, "green: 5 passed, 0 failed, 0 ignored");
        check(two, false, "red: 5 passed, 0 failed, 0 ignored");
        let failed = "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured";
        check(failed, false, "red: 1 passed, 2 failed, 0 ignored");
    }

    #[test]
    fn what_did_not_run_is_not_green() {
        check("", true, "red: 0 passed, 0 failed, 0 ignored");
        let ignored = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured";
        check(ignored, true, "red: 3 passed, 0 failed, 1 ignored: nothing may be skipped");
    }
}
