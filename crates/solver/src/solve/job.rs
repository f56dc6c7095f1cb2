//! A question: what to install, what must not be there, and what is preferred.

use super::state::Need;
use super::{Conflict, Solver};
use crate::tables::{
    Comparison, Dependency, EvrId, EvrText, PackageId, Relation, StringId, Tables,
};
use crate::universe::{SetId, Universe, flag};

/// Why a request is none.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum RequestError {
    /// Neither a name, nor a path, nor a name with a comparison and a version.
    #[error("`{0}` is neither a name nor `name >= version`")]
    Malformed(String),
}

/// One thing that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Want {
    /// A member of a set.
    Set(SetId),
    /// Any of those that provide what the text says, in the order of choice, the dead among them.
    Asked(String, Vec<PackageId>),
    /// Just this package.
    Package(PackageId),
}

/// Why a package must not be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ban {
    /// The question excludes it.
    Excluded,
    /// Another of its name is the only one allowed.
    Locked(PackageId),
    /// This source must not be built with it.
    BuildConflict(PackageId),
}

/// What to install. Requests are met in the order they are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Job {
    pub(crate) wants: Vec<Want>,
    /// Sources whose needs are among the wants.
    pub(crate) sources: Vec<PackageId>,
    /// Those of them that only stand for what was asked.
    pub(crate) stand_ins: Vec<PackageId>,
    /// Source, and position of a condition it states.
    pub(crate) conditions: Vec<(u32, u32)>,
    pub(crate) forbidden: Vec<(PackageId, Ban)>,
    favour: Vec<(PackageId, i32)>,
    pub(super) weak: bool,
}

impl Job {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets everything, to be filled anew.
    pub fn clear(&mut self) {
        self.wants.clear();
        self.sources.clear();
        self.stand_ins.clear();
        self.conditions.clear();
        self.forbidden.clear();
        self.favour.clear();
        self.weak = false;
    }

    /// Whether what is recommended, and what supplements, is installed too. It is not unless told.
    pub fn with_weak(&mut self, weak: bool) -> &mut Self {
        self.weak = weak;
        self
    }

    /// Asks for a package by name, a capability, a file, or one of them with a version: `zlib-devel`,
    /// `pkgconfig(zlib) >= 1.2`, `/usr/bin/make`.
    ///
    /// # Errors
    /// Where the text is nothing of that kind. That nothing provides it is an answer, not an error.
    pub fn install(
        &mut self,
        universe: &Universe,
        request: &str,
    ) -> Result<&mut Self, RequestError> {
        let tables = universe.tables();
        let mut words = request.split_whitespace();
        let malformed = || RequestError::Malformed(request.to_owned());
        let (name, symbol, version) = (words.next(), words.next(), words.next());
        let name = name.filter(|_| words.next().is_none()).ok_or_else(malformed)?;
        let asked = match (symbol, version) {
            (None, None) => Some((Comparison::ANY, "")),
            (Some(symbol), Some(version)) => {
                Comparison::from_symbol(symbol.as_bytes()).map(|comparison| (comparison, version))
            }
            _ => None,
        };
        let (comparison, version) = asked.ok_or_else(malformed)?;
        let providers = providers(universe, tables, name, comparison, version);
        self.wants.push(Want::Asked(request.to_owned(), providers));
        Ok(self)
    }

    /// Asks for one of several packages.
    pub fn one_of(&mut self, universe: &Universe, packages: &[PackageId]) -> &mut Self {
        let mut candidates = packages.to_vec();
        candidates.retain(|package| universe.has(package.0, flag::INSTALLABLE));
        candidates.sort_unstable_by(|left, right| universe.choice_order(left.0, right.0));
        let names = packages.iter().map(|&package| universe.tables().nevra(package));
        let mut request = names.collect::<Vec<_>>().join(" or ");
        if packages.is_empty() {
            request.push_str("any of no packages");
        }
        self.wants.push(Want::Asked(request, candidates));
        self
    }

    /// Asks for just this package. Its architecture may be inferior then.
    pub fn package(&mut self, package: PackageId) -> &mut Self {
        self.wants.push(Want::Package(package));
        self
    }

    /// Asks for a member of a set.
    pub fn set(&mut self, set: SetId) -> &mut Self {
        self.wants.push(Want::Set(set));
        self
    }

    /// Asks for everything a source package needs to be built, in its order.
    pub fn build_requires(&mut self, universe: &Universe, source: PackageId) -> &mut Self {
        self.sources.push(source);
        self.wants.extend(universe.needs(source).map(Want::Set));
        let conditions = universe.conditions_of.get(source.0).iter();
        self.conditions.extend(conditions.map(|&at| (source.0, at)));
        self
    }

    /// The same for a source that nobody builds and that only stands for what is asked, as a rich dependency, which
    /// must be stated by some package: explanations do not speak of it.
    pub fn requirements(&mut self, universe: &Universe, stand_in: PackageId) -> &mut Self {
        self.stand_ins.push(stand_in);
        self.build_requires(universe, stand_in)
    }

    /// Forbids what a source package says must not be in its buildroot.
    pub fn build_conflicts(&mut self, universe: &Universe, source: PackageId) -> &mut Self {
        let ban = Ban::BuildConflict(source);
        self.forbidden.extend(universe.conflicts(source).map(|package| (package, ban)));
        self
    }

    /// Forbids a package for this question.
    pub fn exclude(&mut self, package: PackageId) -> &mut Self {
        self.forbidden.push((package, Ban::Excluded));
        self
    }

    /// Of the packages of one name allows only this one, without asking for it.
    pub fn lock(&mut self, universe: &Universe, package: PackageId) -> &mut Self {
        let name = universe.tables().package(package).name;
        let others = universe.by_name.get(name.0).iter().filter(|&&other| other != package.0);
        self.forbidden.extend(others.map(|&other| (PackageId(other), Ban::Locked(package))));
        self
    }

    /// Prefers a package to every other candidate of a need, an older one and one of a lesser repository too, unless a
    /// recommended one would be taken; of several the heaviest. With a negative weight avoids it: it is taken where there
    /// is nothing else, and never because it is recommended only.
    pub fn favour(&mut self, package: PackageId, weight: i32) -> &mut Self {
        self.favour.push((package, weight));
        self
    }

    /// Nothing, with the same preferences.
    pub(super) fn preferences(&self) -> Self {
        Self { favour: self.favour.clone(), weak: self.weak, ..Self::default() }
    }

    /// The sets that are wanted, the most common first, so that questions which want the same begin with
    /// the same. Wants of the job's own, which no other has, are left out; a job that forbids or prefers
    /// something shares nothing.
    pub(crate) fn shareable(&self, universe: &Universe, out: &mut Vec<u32>) {
        out.clear();
        if !self.forbidden.is_empty() || !self.conditions.is_empty() {
            return;
        }
        let sets = self.wants.iter().filter_map(|want| match want {
            Want::Set(set) => Some(set.0),
            _ => None,
        });
        out.extend(sets);
        let popularity = |set: u32| std::cmp::Reverse(universe.popularity[set as usize]);
        out.sort_unstable_by_key(|&set| (popularity(set), set));
    }

    /// The candidates of each request that was made by name.
    pub(crate) fn any_wants(&self) -> impl Iterator<Item = &[PackageId]> {
        self.wants.iter().filter_map(|want| match want {
            Want::Asked(_, candidates) => Some(candidates.as_slice()),
            _ => None,
        })
    }

    pub(super) fn forbidden(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.forbidden.iter().map(|(package, _)| *package)
    }
}

fn providers(
    universe: &Universe,
    tables: &Tables,
    name: &str,
    comparison: Comparison,
    version: &str,
) -> Vec<PackageId> {
    let Some(name) = tables.strings.find(name.as_bytes()) else { return Vec::new() };
    let loose = Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE };
    let mut found = universe.providers(loose);
    if !comparison.is_any() {
        let asked = tables.parse_evr(version.as_bytes());
        found.retain(|&package| provides(tables, package, (name, comparison), asked));
    }
    found.sort_unstable_by(|left, right| universe.choice_order(left.0, right.0));
    found
}

/// Whether a package provides a name in a version that the tables need not know.
fn provides(
    tables: &Tables,
    package: PackageId,
    (name, comparison): (StringId, Comparison),
    asked: EvrText<'_>,
) -> bool {
    let all = tables.relations(package, Relation::Provides).iter();
    let mut of_name = all.map(|&id| tables.dependencies.get(id)).filter(|dep| dep.name == name);
    of_name.any(|provided| {
        provided.comparison.is_any()
            || provided.comparison.meets(comparison, tables.compare_with_text(provided.evr, asked))
    })
}

impl Solver<'_> {
    /// Enters a job's requests; false where one cannot be met.
    pub(super) fn apply(&mut self, job: &Job) -> bool {
        if !self.share() {
            return false;
        }
        self.favour.extend(job.favour.iter().map(|(package, weight)| (package.0, *weight)));
        if !job.forbidden().all(|package| self.forbid(package.0)) {
            return false;
        }
        for want in &job.wants {
            let set = match want {
                Want::Set(set) => set.0,
                Want::Asked(_, providers) => self.own_set(providers),
                Want::Package(package) => {
                    self.exempt(package.0);
                    self.own_set(&[*package])
                }
            };
            self.wants.push(set);
            if self.members(set).is_empty() {
                self.conflict = Conflict::NothingProvides(self.wants.len() - 1);
                return false;
            }
            if !self.active[set as usize] && !self.need_wanted(set) {
                return false;
            }
        }
        self.watching.extend_from_slice(&job.conditions);
        true
    }

    /// A want is decided in the job's order, so it is no need of the walk.
    pub(super) fn need_wanted(&mut self, set: u32) -> bool {
        let before = self.needs.len();
        let holds = self.need(Need::last(set));
        self.needs.truncate(before);
        holds
    }

    fn exempt(&mut self, package: u32) {
        self.exempt_names.push(self.universe.tables().package(PackageId(package)).name.0);
    }

    fn own_set(&mut self, members: &[PackageId]) -> u32 {
        let universe = self.universe;
        let living = members.iter().filter(|package| universe.is_living(package.0));
        let set = universe.sets.len() as u32 + self.own_sets.push(living.map(|package| package.0));
        self.active.push(false);
        set
    }
}
