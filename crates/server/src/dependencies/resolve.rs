//! What would be installed so that some wishes hold.

use std::fmt;

use serde::Serialize;
use solver::explain::impossible;
use solver::solve::{Job, Outcome, Solver};
use solver::tables::PackageId;
use solver::universe::Universe;
use utoipa::ToSchema;

use super::{Followed, Loaded};
use crate::admin::AdminError;

/// What came of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Resolution {
    /// These packages would be installed, by NEVRA.
    Installed(Vec<String>),
    /// It cannot be, for these reasons.
    Problems(Vec<String>),
}

impl Resolution {
    /// Whether it can be installed.
    pub fn is_possible(&self) -> bool {
        matches!(self, Self::Installed(_))
    }
}

impl Loaded {
    /// What would be installed on top of a group so that every wish holds: a package's name, a capability, a path, each
    /// with a version if it matters (`zlib-devel >= 1.3`).
    ///
    /// # Errors
    /// [`AdminError::Input`] where a wish is none.
    pub fn resolve(&self, group: &Job, wishes: &[String]) -> Result<Resolution, AdminError> {
        resolve(&self.universe, group, wishes)
    }
}

impl Followed {
    /// The same with what is there now, and nothing installed before.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a wish is none.
    pub fn resolve(&self, wishes: &[String]) -> Result<Resolution, AdminError> {
        resolve(self.live.universe(), &Job::new(), wishes)
    }
}

fn resolve(universe: &Universe, group: &Job, wishes: &[String]) -> Result<Resolution, AdminError> {
    let mut job = Job::new();
    for wish in wishes {
        job.install(universe, wish).map_err(AdminError::input)?;
    }
    let mut solver = Solver::new(universe, group);
    let base: Vec<PackageId> = solver.base().collect();
    Ok(match solver.solve(&job) {
        Outcome::Solved(answer) => {
            let tables = universe.tables();
            let all = base.iter().chain(&answer.packages);
            let mut nevras: Vec<String> = all.map(|id| tables.nevra(*id)).collect();
            nevras.sort_unstable();
            Resolution::Installed(nevras)
        }
        Outcome::Unsatisfiable(_) => {
            let proof = impossible(universe, group, &job);
            let unproved = || vec!["the wishes contradict each other".to_owned()];
            Resolution::Problems(proof.map_or_else(unproved, |proof| proof.sentences(universe)))
        }
    })
}

impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Installed(lines) | Self::Problems(lines)) = self;
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}
