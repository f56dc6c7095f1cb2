//! The exact search beside the fast path over the buildroots of a distribution: do they agree, and what does
//! each cost.
//!
//! `search ANSWERS GROUP BINARY.xml SOURCE.xml EVERY`: each so many-th source. ANSWERS are another
//! resolver's as `compare` writes them, with the milliseconds as a third column. Each way's
//! processor time is told too, which other processes do not disturb.

#![expect(clippy::disallowed_methods, reason = "it reads the clock to tell what was spent")]
#![expect(clippy::print_stdout, reason = "it prints what it found")]

use solver::load::{Limits, Source, load_primaries};
use solver::solve::{Job, Outcome, Solver};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};
use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::time::{Duration, Instant};

/// What one way of solving said, and how long it took.
#[derive(Default)]
struct Tally {
    solved: usize,
    verdicts_equal: usize,
    sets_equal: usize,
    similarity: f64,
    times: Vec<Duration>,
    spent: Duration,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [answers, group, binary, source, every] = &arguments[..] else {
        return Err("ANSWERS GROUP BINARY.xml SOURCE.xml EVERY".into());
    };
    let answers = std::fs::read_to_string(answers)?;
    let answers: HashMap<&str, Option<BTreeSet<&str>>> = answers.lines().map(read_answer).collect();
    let (binary, source) = (std::fs::read(binary)?, std::fs::read(source)?);
    let documents = [("binary", &binary), ("source", &source)];
    let documents = documents.map(|(name, bytes)| Source { name, bytes, priority: 0 });
    let tables = load_primaries(&documents, Limits::default(), 2)?;
    let universe = Universe::new(tables, &Options::default())?;
    let mut base = Job::new();
    for line in std::fs::read_to_string(group)?.lines() {
        base.install(&universe, line)?;
    }
    let mut solver = Solver::new(&universe, &base);
    let installed: Vec<PackageId> = solver.base().collect();
    let questions: Vec<PackageId> = universe.sources().step_by(every.parse()?).collect();
    for (name, is_exact) in [("as it is", false), ("search alone", true)] {
        let mut tally = Tally::default();
        let start = spent()?;
        let mut outcomes = Vec::with_capacity(questions.len());
        for &package in &questions {
            let mut job = Job::new();
            job.build_requires(&universe, package);
            let start = Instant::now();
            outcomes.push(if is_exact { solver.search(&job) } else { solver.solve(&job) });
            tally.times.push(start.elapsed());
        }
        tally.spent = spent()?.saturating_sub(start);
        for (package, outcome) in questions.iter().zip(&outcomes) {
            let expected = answers.get(universe.tables().name(*package)).and_then(Option::as_ref);
            let found = nevras(&universe, &installed, outcome);
            if !tally.add(found.as_ref(), expected) {
                println!("{name}: {} differs", universe.tables().name(*package));
            }
        }
        tally.print(name);
    }
    Ok(())
}

/// Processor time of this thread so far, which other processes do not disturb; Linux only.
fn spent() -> Result<Duration, Box<dyn Error>> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn read_answer(line: &str) -> (&str, Option<BTreeSet<&str>>) {
    let mut columns = line.split('\t');
    let name = columns.next().unwrap_or_default();
    let is_failed = columns.next().is_none_or(|count| count.starts_with('-'));
    (name, (!is_failed).then(|| columns.skip(1).collect()))
}

fn nevras(universe: &Universe, base: &[PackageId], outcome: &Outcome) -> Option<BTreeSet<String>> {
    let Outcome::Solved(answer) = outcome else { return None };
    let all = base.iter().chain(&answer.packages);
    Some(all.map(|id| universe.tables().nevra(*id)).collect())
}

impl Tally {
    /// Counts an answer; whether it is the expected one.
    fn add(&mut self, found: Option<&BTreeSet<String>>, expected: Option<&BTreeSet<&str>>) -> bool {
        self.verdicts_equal += usize::from(found.is_some() == expected.is_some());
        let (Some(found), Some(expected)) = (found, expected) else {
            return found.is_some() == expected.is_some();
        };
        let common = found.iter().filter(|nevra| expected.contains(nevra.as_str())).count();
        let all = found.len() + expected.len() - common;
        self.solved += 1;
        self.sets_equal += usize::from(common == all);
        self.similarity += common as f64 / all as f64;
        common == all
    }

    fn print(&mut self, name: &str) {
        self.times.sort_unstable();
        let jobs = self.times.len();
        println!(
            "{name}: {jobs} jobs, {} verdicts equal, {} of {} sets equal, similarity {:.5}; \
             processor {:.2?}, {:.1?} each; wall median {:.1?}, 95 % {:.1?}, worst {:.1?}",
            self.verdicts_equal,
            self.sets_equal,
            self.solved,
            self.similarity / self.solved as f64,
            self.spent,
            self.spent / jobs as u32,
            self.times[jobs / 2],
            self.times[jobs * 95 / 100],
            self.times[jobs - 1],
        );
    }
}
