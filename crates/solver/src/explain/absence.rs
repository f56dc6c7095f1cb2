//! Why a package is not in an answer.

use super::fact::{self, Fact};
use super::impossible::{Proof, impossible};
use super::presence::Paths;
use super::request::Request;
use crate::solve::{Ban, Job, Rule, Solver, Want};
use crate::tables::{DependencyId, PackageId, Relation};
use crate::universe::{Universe, flag};

/// What a package could have met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Something that was asked.
    Asked(Request),
    /// What an installed package requires.
    Required(PackageId, DependencyId),
}

/// How another package met what this one could have met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defeat {
    /// What both could meet.
    pub claim: Claim,
    /// Who is installed for it.
    pub winner: PackageId,
    /// By which rule it is chosen; none where it is there for another reason, which the claim left no
    /// choice about.
    pub rule: Option<Rule>,
}

/// Why a package is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// It is there.
    Present,
    /// It is a source package, which is not installed.
    Source,
    /// It is excluded, of another architecture, or forbidden by the question.
    Barred(Fact),
    /// It can never be installed.
    Dead(Proof),
    /// Others met everything it could have met.
    Defeated(Vec<Defeat>),
    /// It is not compatible with what is installed.
    Conflicts(Vec<Fact>),
    /// Nothing installed conflicts with it, but together with what was asked it cannot be installed.
    Impossible(Proof),
    /// Nothing that is installed, and nothing that was asked, needs it.
    NotNeeded,
}

/// Why a package is not among what is installed for a job on top of a base.
#[must_use]
pub fn why_not(
    universe: &Universe,
    jobs: [&Job; 2],
    installed: &[PackageId],
    package: PackageId,
) -> Absence {
    if installed.contains(&package) {
        return Absence::Present;
    }
    if universe.has(package.0, flag::SOURCE) {
        return Absence::Source;
    }
    if let Some(bar) = bar(universe, jobs, package) {
        return Absence::Barred(bar);
    }
    let alone = Job::new().package(package).clone();
    if universe.is_dead(package)
        && let Some(proof) = impossible(universe, &Job::new(), &alone)
    {
        return Absence::Dead(proof);
    }
    let defeats = defeats(universe, jobs, installed, package);
    if !defeats.is_empty() {
        return Absence::Defeated(defeats);
    }
    let opponents = universe.conflicts(package).filter(|other| installed.contains(other));
    let conflicts: Vec<Fact> =
        opponents.map(|other| fact::exclusion(universe, package, other)).collect();
    if !conflicts.is_empty() {
        return Absence::Conflicts(conflicts);
    }
    let with = jobs[1].clone().package(package).clone();
    match impossible(universe, jobs[0], &with) {
        Some(proof) => Absence::Impossible(proof),
        None => Absence::NotNeeded,
    }
}

impl Absence {
    /// The reason in sentences.
    #[must_use]
    pub fn sentences(&self, universe: &Universe, package: PackageId) -> Vec<String> {
        let nevra = universe.tables().nevra(package);
        match self {
            Self::Present => vec![format!("package {nevra} is installed")],
            Self::Source => vec![format!("{nevra} is a source package, which is not installed")],
            Self::Barred(fact) => vec![fact.sentence(universe)],
            Self::Dead(proof) | Self::Impossible(proof) => proof.sentences(universe),
            Self::Defeated(defeats) => {
                defeats.iter().map(|defeat| defeat.sentence(universe, package)).collect()
            }
            Self::Conflicts(facts) => facts.iter().map(|fact| fact.sentence(universe)).collect(),
            Self::NotNeeded => vec![format!("nothing installed needs {nevra}")],
        }
    }
}

impl Defeat {
    /// The defeat in a sentence.
    #[must_use]
    pub fn sentence(&self, universe: &Universe, loser: PackageId) -> String {
        let tables = universe.tables();
        let (winner, loser) = (tables.nevra(self.winner), tables.nevra(loser));
        let claim = match &self.claim {
            Claim::Asked(request) => request.sentence(universe),
            Claim::Required(by, dependency) => {
                let (by, text) = (tables.nevra(*by), tables.dependency_text(*dependency));
                format!("package {by} requires {text}")
            }
        };
        match self.rule {
            Some(rule) => {
                format!(
                    "{claim}; of its providers {winner} is before {loser}: it {}",
                    rule.sentence()
                )
            }
            None => format!("{claim}, which {winner} provides; that one is there anyway"),
        }
    }
}

/// What keeps a package out before anything is chosen.
fn bar(universe: &Universe, jobs: [&Job; 2], package: PackageId) -> Option<Fact> {
    if !universe.has(package.0, flag::INSTALLABLE) {
        return Some(match universe.class(package.0).is_installable() {
            true => Fact::Excluded(package),
            false => Fact::Architecture(package),
        });
    }
    let mut bans = jobs.into_iter().flat_map(|job| &job.forbidden);
    let (_, ban) = bans.find(|(banned, _)| *banned == package)?;
    Some(match *ban {
        Ban::Excluded => Fact::Excluded(package),
        Ban::Locked(to) => Fact::Locked { package, to },
        Ban::BuildConflict(source) => Fact::BuildConflict { source, dependency: None, package },
    })
}

/// Everything the package could have met, with who did.
fn defeats(
    universe: &Universe,
    jobs: [&Job; 2],
    installed: &[PackageId],
    package: PackageId,
) -> Vec<Defeat> {
    let claims = claims(universe, jobs, installed);
    let nothing = Job::new();
    let mut solver = Solver::new(universe, &nothing);
    solver.suppose(installed.iter().map(|package| package.0));
    let mut defeats: Vec<Defeat> = Vec::new();
    for (claim, members) in claims.iter().filter(|(_, members)| members.contains(&package)) {
        let Some(&winner) = members.iter().find(|member| installed.contains(member)) else {
            continue;
        };
        let is_there_anyway = claims.iter().any(|(_, members)| {
            let mut met_by = members.iter().filter(|member| installed.contains(member));
            met_by.next() == Some(&winner) && met_by.next().is_none() && !members.contains(&package)
        });
        let rule = match is_there_anyway {
            true => None,
            false => solver.rule_between(winner.0, package.0),
        };
        let is_explained = is_there_anyway || rule.is_some();
        if is_explained && !defeats.iter().any(|other| other.winner == winner) {
            defeats.push(Defeat { claim: claim.clone(), winner, rule });
        }
    }
    defeats
}

/// Everything that was asked or is required by what is installed, with those who would meet it.
fn claims(
    universe: &Universe,
    jobs: [&Job; 2],
    installed: &[PackageId],
) -> Vec<(Claim, Vec<PackageId>)> {
    let paths = Paths::new(universe, &[], installed);
    let mut claims = Vec::new();
    for job in jobs {
        for want in &job.wants {
            let members = match want {
                Want::Set(set) => universe.members(*set).collect(),
                Want::Asked(_, providers) => providers.clone(),
                Want::Package(package) => vec![*package],
            };
            claims.push((Claim::Asked(Request::of_want(universe, job, want)), members));
        }
    }
    for &package in installed {
        for &dependency in universe.tables().relations(package, Relation::Requires) {
            let claim = Claim::Required(package, dependency);
            if let Some(set) = universe.set_of(dependency) {
                claims.push((claim, universe.members(set).collect()));
                continue;
            }
            for condition in universe.rich(dependency, true).unwrap_or_default() {
                if paths.holds(condition) {
                    claims.push((claim.clone(), universe.members(condition.then).collect()));
                }
            }
        }
    }
    claims
}
