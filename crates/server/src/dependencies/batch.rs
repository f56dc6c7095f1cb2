//! The buildroots of many sources, or the closures of many packages: one line for each, to compare and to count.

use std::fmt::{self, Write as _};
use std::path::PathBuf;

use serde::Serialize;
use solver::batch::solve_all;
use solver::solve::{Outcome, Solver};
use solver::tables::PackageId;

use super::question::{Asked, Question};
use super::{Loaded, names};
use crate::admin::AdminError;
use crate::clock::Stopwatch;

/// Of what.
#[derive(Clone, Debug)]
pub enum Subjects {
    /// The buildroot of every source package.
    AllSources,
    /// The buildroots of the sources whose names a file has, one a line.
    Sources(PathBuf),
    /// The closures of the binary packages whose names a file has.
    Packages(PathBuf),
}

/// Answers to many questions.
#[derive(Debug, Serialize)]
pub struct Batch {
    /// How many were asked.
    pub asked: usize,
    /// How many can be installed.
    pub resolved: usize,
    /// How long loading took, in milliseconds.
    pub load_milliseconds: f64,
    /// How long answering all of them took, in milliseconds.
    pub solve_milliseconds: f64,
    #[serde(skip)]
    rows: Vec<(PackageId, Option<Vec<PackageId>>)>,
    #[serde(skip)]
    base: Vec<PackageId>,
}

impl Loaded {
    /// Asks about all subjects, each together with what else is asked for.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a file of names cannot be read, or the question is none.
    pub fn batch(
        &self,
        asked: &Asked,
        subjects: &Subjects,
        threads: usize,
    ) -> Result<Batch, AdminError> {
        let question = Question::new(&self.universe, &self.wanted, asked)?;
        let (universe, base) = (question.universe(), &question.base);
        let is_source = !matches!(subjects, Subjects::Packages(_));
        let mut asked: Vec<PackageId> =
            if is_source { universe.sources().collect() } else { universe.installable().collect() };
        asked.retain(|id| !question.is_stand_in(*id));
        if let Subjects::Sources(file) | Subjects::Packages(file) = subjects {
            let names = names(file)?;
            asked.retain(|id| names.contains(universe.tables().name(*id)));
        }
        let watch = Stopwatch::start();
        let outcomes = solve_all(universe, base, asked.len(), threads, |at, job| {
            question.prefer(job);
            if is_source {
                job.build_requires(universe, asked[at]);
            } else {
                job.package(asked[at]);
            }
        });
        let solve = watch.elapsed();
        let rows: Vec<_> = asked
            .into_iter()
            .zip(outcomes)
            .map(|(id, outcome)| match outcome {
                Outcome::Solved(answer) => (id, Some(answer.packages)),
                Outcome::Unsatisfiable(_) => (id, None),
            })
            .collect();
        Ok(Batch {
            asked: rows.len(),
            resolved: rows.iter().filter(|(_, packages)| packages.is_some()).count(),
            load_milliseconds: self.took.as_secs_f64() * 1e3,
            solve_milliseconds: solve.as_secs_f64() * 1e3,
            rows,
            base: Solver::new(universe, base).base().collect(),
        })
    }

    /// A line for each: name, number of packages or -1, and their NEVRAs sorted bytewise, separated by tabs.
    pub fn tsv(&self, batch: &Batch) -> String {
        let tables = self.universe.tables();
        let mut text = String::new();
        for (id, packages) in &batch.rows {
            text.push_str(tables.name(*id));
            match packages {
                None => text.push_str("\t-1"),
                Some(packages) => {
                    let all = batch.base.iter().chain(packages);
                    let mut nevras: Vec<String> = all.map(|id| tables.nevra(*id)).collect();
                    nevras.sort_unstable();
                    let _ = write!(text, "\t{}", nevras.len());
                    for nevra in nevras {
                        text.push('\t');
                        text.push_str(&nevra);
                    }
                }
            }
            text.push('\n');
        }
        text
    }
}

impl fmt::Display for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "loaded in {:.1} ms", self.load_milliseconds)?;
        writeln!(f, "solved {} in {:.1} ms", self.asked, self.solve_milliseconds)?;
        write!(f, "{} resolve, {} do not", self.resolved, self.asked - self.resolved)
    }
}
