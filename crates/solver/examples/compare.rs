//! Writes answers in the form other resolvers' are compared in: name, number of packages or -1, NEVRAs.
//!
//! `compare OUT GROUP BINARY.xml SOURCE.xml` solves the buildroot of every source;
//! `compare OUT GROUP --runtime NAMES BINARY.xml… [--filelists FILELISTS.xml…]` the closure of binaries.

use solver::batch::solve_all;
use solver::load::{Limits, Source, filelists, load_primaries};
use solver::solve::{Job, Outcome, Solver};
use solver::tables::PackageId;
use solver::universe::{Options, Universe};
use std::error::Error;
use std::io::Write;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [out, group, rest @ ..] = &arguments[..] else { return Err("OUT GROUP …".into()) };
    let (names, rest) = match rest {
        [flag, names, rest @ ..] if flag == "--runtime" => {
            (Some(std::fs::read_to_string(names)?), rest)
        }
        _ => (None, rest),
    };
    let mut parts = rest.split(|word| word == "--filelists");
    let universe = load(parts.next().unwrap_or_default(), parts.next().unwrap_or_default())?;
    let mut base = Job::new();
    for line in std::fs::read_to_string(group)?.lines().filter(|line| !line.is_empty()) {
        // A group's members that nobody has are passed over, as a package manager does.
        if universe.is_provided(line) {
            base.install(&universe, line)?;
        }
    }
    let questions: Vec<PackageId> = match &names {
        None => universe.sources().collect(),
        Some(names) => {
            let names: std::collections::HashSet<&str> = names.lines().collect();
            universe
                .installable()
                .filter(|id| names.contains(universe.tables().name(*id)))
                .collect()
        }
    };
    let outcomes = solve_all(&universe, &base, questions.len(), 2, |at, job| {
        match names {
            None => job.build_requires(&universe, questions[at]),
            Some(_) => job.package(questions[at]),
        };
    });
    let installed: Vec<PackageId> = Solver::new(&universe, &base).base().collect();
    let mut file = std::io::BufWriter::new(std::fs::File::create(out)?);
    for (question, outcome) in questions.iter().zip(outcomes) {
        write!(file, "{}", universe.tables().name(*question))?;
        match outcome {
            Outcome::Solved(answer) => {
                let all = installed.iter().chain(&answer.packages);
                let mut nevras: Vec<String> = all.map(|id| universe.tables().nevra(*id)).collect();
                nevras.sort_unstable();
                writeln!(file, "\t{}\t{}", nevras.len(), nevras.join("\t"))?;
            }
            Outcome::Unsatisfiable(_) => writeln!(file, "\t-1")?,
        }
    }
    Ok(())
}

fn load(primaries: &[String], filelists: &[String]) -> Result<Universe, Box<dyn Error>> {
    let documents: Vec<Vec<u8>> = primaries.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    let sources: Vec<Source<'_>> = primaries
        .iter()
        .zip(&documents)
        .map(|(name, bytes)| Source { name, bytes, priority: 0 })
        .collect();
    let mut tables = load_primaries(&sources, Limits::default(), 2)?;
    for name in filelists {
        filelists::add_wanted_files(&mut tables, name, &std::fs::read(name)?, Limits::default())?;
    }
    Ok(Universe::new(tables, &Options::default())?)
}
