//! What was asked, in the words it was asked in.

use crate::solve::{Job, Want};
use crate::tables::{DependencyId, PackageId, Relation};
use crate::universe::{Condition, SetId, Universe};

/// A want of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A text such as `zlib-devel` or `pkgconfig(zlib) >= 1.2`.
    Text(String),
    /// A requirement of a source package.
    Requirement {
        /// The source.
        source: PackageId,
        /// What it requires.
        dependency: DependencyId,
    },
    /// Just this package.
    Package(PackageId),
    /// A member of a set that no text stands for.
    Set(SetId),
}

impl Request {
    /// A want of a job; sets are given back the words of the source they come from.
    pub(super) fn of_want(universe: &Universe, job: &Job, want: &Want) -> Self {
        match want {
            Want::Asked(text, _) => Self::Text(text.clone()),
            Want::Package(package) => Self::Package(*package),
            Want::Set(set) => {
                let is_it =
                    |condition: &Condition| condition.when.is_empty() && condition.then == *set;
                let says = |dependency: DependencyId| {
                    universe.set_of(dependency) == Some(*set)
                        || universe.rich(dependency, true).is_some_and(|all| all.iter().any(is_it))
                };
                let words = job.sources.iter().find_map(|&source| {
                    let all = universe.tables().relations(source, Relation::Requires);
                    let found = all.iter().copied().find(|&dependency| says(dependency));
                    found.map(|dependency| Self::stated(universe, job, source, dependency))
                });
                words.unwrap_or(Self::Set(*set))
            }
        }
    }

    /// What a source of a job requires; where the source only stands for it, the words alone.
    fn stated(universe: &Universe, job: &Job, source: PackageId, dependency: DependencyId) -> Self {
        match job.stand_ins.contains(&source) {
            true => Self::Text(universe.tables().dependency_text(dependency)),
            false => Self::Requirement { source, dependency },
        }
    }

    /// The rich dependency of a source that a condition of a job comes from.
    pub(super) fn of_condition(
        universe: &Universe,
        job: &Job,
        (source, at): (PackageId, u32),
    ) -> Option<Self> {
        let condition = &universe.conditions[at as usize];
        let all = universe.tables().relations(source, Relation::Requires).iter();
        let mut rich = all.filter(|dependency| {
            universe.rich(**dependency, true).is_some_and(|all| all.contains(condition))
        });
        rich.next().map(|&dependency| Self::stated(universe, job, source, dependency))
    }

    /// What is asked, without saying by whom.
    #[must_use]
    pub fn text(&self, universe: &Universe) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Requirement { dependency, .. } => universe.tables().dependency_text(*dependency),
            Self::Package(package) => universe.tables().nevra(*package),
            Self::Set(set) => {
                let members = universe.members(*set).map(|member| universe.tables().nevra(member));
                format!("one of [{}]", members.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// What is asked as a clause: `zlib is asked for`, `source hello-1-1.src requires zlib`.
    #[must_use]
    pub fn sentence(&self, universe: &Universe) -> String {
        let text = self.text(universe);
        match self {
            Self::Requirement { source, .. } => {
                format!("source {} requires {text}", universe.tables().nevra(*source))
            }
            _ => format!("{text} is asked for"),
        }
    }
}
