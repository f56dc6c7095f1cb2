//! What the solver runs on: relations resolved to sets of packages, in the order of choice.

mod architecture;
mod dead;
mod order;
mod providers;
mod relations;
mod sets;

pub use sets::SetId;

use crate::rich::RichError;
use crate::tables::{
    Comparison, Dependency, DependencyId, EvrId, Lists, PackageId, Relation, Tables,
};
use architecture::Class;
use providers::Providers;
use relations::{Lowered, Relations};
use rustc_hash::FxHashMap;

/// Why tables cannot be solved over.
#[derive(Debug, thiserror::Error)]
pub enum UniverseError {
    /// A rich dependency that is none.
    #[error("{package} asks for `{dependency}`: {problem}")]
    Rich {
        /// Who says it.
        package: String,
        /// What it says.
        dependency: String,
        /// What is wrong with it.
        problem: RichError,
    },
}

/// Where each of the sets has a member installed, one of the consequence must be; without a consequence
/// they must not hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Sets that must each have a member installed for the condition to say anything.
    pub when: Vec<SetId>,
    /// The set of which one is needed then; [`SetId::EMPTY`] forbids.
    pub then: SetId,
}

/// What is decided before the repositories are looked at.
#[derive(Debug, Clone)]
pub struct Options {
    /// The machine's architecture as rpm calls it.
    pub architecture: String,
    /// Packages that are not there for any question, as filtered modules and excludes are.
    pub excluded: Vec<PackageId>,
}

impl Default for Options {
    fn default() -> Self {
        Self { architecture: "x86_64".to_owned(), excluded: Vec::new() }
    }
}

/// Facts about a package, one bit each.
pub(crate) mod flag {
    /// It can be installed if its needs are met.
    pub(crate) const INSTALLABLE: u8 = 1;
    /// It can never be installed.
    pub(crate) const DEAD: u8 = 2;
    /// There is a newer one of the same name and architecture, or one of a better repository.
    pub(crate) const OLD: u8 = 4;
    /// It is a source package.
    pub(crate) const SOURCE: u8 = 8;
    /// Something must hold once it is installed that is no plain requirement.
    pub(crate) const CONDITIONAL: u8 = 16;
    /// There is a better architecture of the same name.
    pub(crate) const INFERIOR: u8 = 32;
}

/// Weak relations, from the side of the candidate.
#[derive(Debug, Default)]
pub(crate) struct Weak {
    /// By package, who recommends it.
    pub(crate) by: Lists,
    /// Who recommends it under a condition.
    pub(crate) conditional: FxHashMap<u32, Vec<(u32, Condition)>>,
    /// By package, what calls for it: any of the lists whose conditions all hold.
    pub(crate) called_by: FxHashMap<u32, Vec<Lowered>>,
}

/// All relations of all packages, ready to be solved over.
#[derive(Debug)]
pub struct Universe {
    pub(crate) tables: Tables,
    pub(crate) providers: Providers,
    pub(crate) classes: Vec<Class>,
    pub(crate) flags: Vec<u8>,
    pub(crate) version_ranks: Vec<u32>,
    pub(crate) choice_ranks: Vec<u32>,
    pub(crate) by_name: Lists,
    pub(crate) sets: Lists,
    /// By set that has any: its dead members, which are not in `sets`.
    pub(crate) dead_members: FxHashMap<u32, Vec<u32>>,
    set_of: Vec<u32>,
    rich: FxHashMap<(DependencyId, bool), Lowered>,
    /// By package or source: the sets it needs, in the order it names them.
    pub(crate) needs: Lists,
    /// By package: the only candidates of what it needs.
    pub(crate) forced: Lists,
    /// By package: sets it needs with more than one candidate, in the order libsolv's rules have.
    pub(crate) choices: Lists,
    pub(crate) conditions: Vec<Condition>,
    /// By package or source: positions in `conditions`.
    pub(crate) conditions_of: Lists,
    /// By package: whom it cannot be installed with; sources have their BuildConflicts here.
    pub(crate) conflicts: Lists,
    /// By package: who needs just it.
    pub(crate) forced_by: Lists,
    /// By package: the sets with more than one member that it is in.
    pub(crate) member_of: Lists,
    /// By set with more than one member: the packages that need it.
    pub(crate) owners_of: Lists,
    pub(crate) recommended: Weak,
    pub(crate) suggested: Weak,
    /// By package: whom it obsoletes.
    pub(crate) obsoletes: FxHashMap<u32, Vec<u32>>,
    /// By package of an inferior architecture: those of the same version and a better one.
    pub(crate) lockstep: FxHashMap<u32, SetId>,
    pub(crate) has_priorities: bool,
}

impl Universe {
    /// Resolves everything that does not depend on a question. Takes the tables, since rich dependencies
    /// add their parts to them.
    ///
    /// # Errors
    /// When a package states a rich dependency that cannot be understood: it is never dropped silently.
    pub fn new(mut tables: Tables, options: &Options) -> Result<Self, UniverseError> {
        let classes = architecture::classes(&tables, &options.architecture);
        let mut flags = first_flags(&tables, &classes, options);
        let has = |flags: &[u8], bit: u8| flags.iter().map(|flag| flag & bit != 0).collect();
        let installable: Vec<bool> = has(&flags, flag::INSTALLABLE);
        let sources: Vec<bool> = has(&flags, flag::SOURCE);
        let providers = Providers::new(&tables, &installable);
        let mut relations = Relations::collect(&mut tables, &providers, &installable, &sources)?;
        let by_name = order::by_name(&tables, &installable);
        let version_ranks = order::version_ranks(&tables, &by_name);
        let choice_ranks = order::choice_ranks(&tables);
        let names = Names { tables: &tables, classes: &classes, by_name: &by_name };
        let obsoletes = names.obsoletes(&installable);
        let lockstep = names.lockstep(&mut flags, &mut relations.sets);
        names.mark_old(&version_ranks, &mut flags);
        let mut pairs = std::mem::take(&mut relations.conflicts);
        names.same_name_conflicts(&mut pairs);
        pairs.extend(obsoletes.iter().flat_map(|(&by, all)| all.iter().map(move |&p| (by, p))));
        let conflicts = symmetric(&pairs, &installable, tables.len());
        let needs = needs(&relations.requires, tables.len());
        let dead = dead::find(&relations.sets.lists, &needs, &conflicts, &installable);
        for (flags, dead) in flags.iter_mut().zip(&dead) {
            *flags |= if *dead { flag::DEAD } else { 0 };
        }
        let (set_of, rich) = relations.take_lookup();
        let raw = std::mem::take(&mut relations.sets.lists);
        let has_priorities =
            tables.repositories().windows(2).any(|two| two[0].priority != two[1].priority);
        let mut universe = Self {
            sets: raw.filtered(|_, member| !dead[member as usize]),
            dead_members: dead_members(&raw, &dead),
            conditions_of: index_conditions(&relations.conditions, tables.len(), &mut flags),
            conditions: std::mem::take(&mut relations.conditions)
                .into_iter()
                .map(|(_, c)| c)
                .collect(),
            recommended: weak(
                &relations.recommends,
                &mut relations.supplements,
                &raw,
                tables.len(),
            ),
            suggested: weak(&relations.suggests, &mut relations.enhances, &raw, tables.len()),
            tables,
            providers,
            classes,
            flags,
            version_ranks,
            choice_ranks,
            by_name,
            set_of,
            rich,
            needs,
            conflicts,
            obsoletes,
            lockstep,
            has_priorities,
            forced: Lists::default(),
            choices: Lists::default(),
            forced_by: Lists::default(),
            member_of: Lists::default(),
            owners_of: Lists::default(),
        };
        universe.index_needs(&raw);
        Ok(universe)
    }

    /// Splits needs into those with one candidate and those with a choice, and indexes both backwards.
    fn index_needs(&mut self, raw: &Lists) {
        let packages = self.tables.len();
        let (mut forced, mut choices) = (Lists::default(), Lists::default());
        let mut chosen: Vec<u32> = Vec::new();
        for package in 0..packages as u32 {
            let sets = if self.is_living(package) { self.needs.get(package) } else { &[] };
            let only = |set: &u32| match self.sets.get(*set) {
                [only] => Some(*only),
                _ => None,
            };
            forced.push(sets.iter().filter_map(only).filter(|&other| other != package));
            chosen.clear();
            let open = sets.iter().filter(|set| self.sets.get(**set).len() > 1);
            chosen.extend(open.filter(|set| !self.sets.get(**set).contains(&package)));
            chosen.sort_by(|left, right| raw.get(*left).cmp(raw.get(*right)));
            choices.push(chosen.iter().copied());
        }
        self.forced = forced.sorted();
        self.forced_by = self.forced.inverted(packages);
        self.owners_of = choices.inverted(self.sets.len());
        self.choices = choices;
        let sets = &self.sets;
        let ranks = &self.choice_ranks;
        self.member_of = sets.filtered(|set, _| sets.get(set).len() > 1).inverted(packages);
        self.sets.for_each_mut(|_, members| {
            members.sort_unstable_by_key(|&member| ranks[member as usize]);
        });
    }

    /// The tables this was made from.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The source packages, in the order they were read.
    pub fn sources(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.with_flag(flag::SOURCE)
    }

    /// The packages of this architecture that are not excluded, in the order they were read.
    pub fn installable(&self) -> impl Iterator<Item = PackageId> + '_ {
        self.with_flag(flag::INSTALLABLE)
    }

    fn with_flag(&self, bit: u8) -> impl Iterator<Item = PackageId> + '_ {
        self.tables.ids().filter(move |id| self.flags[id.index()] & bit != 0)
    }

    /// Whether a package can never be installed: something it needs is nowhere, or can itself never be
    /// installed.
    #[must_use]
    pub fn is_dead(&self, package: PackageId) -> bool {
        self.flags[package.index()] & flag::DEAD != 0
    }

    /// The packages a set has, in the order they are chosen from; dead ones are left out.
    pub fn members(&self, set: SetId) -> impl Iterator<Item = PackageId> + '_ {
        self.sets.get(set.0).iter().map(|&id| PackageId(id))
    }

    /// The set a plain dependency of some package stands for.
    #[must_use]
    pub fn set_of(&self, dependency: DependencyId) -> Option<SetId> {
        self.set_of.get(dependency.index()).filter(|&&set| set != u32::MAX).map(|&set| SetId(set))
    }

    /// What a rich dependency stands for; `holds` is false where it must not hold, as in a conflict.
    #[must_use]
    pub fn rich(&self, dependency: DependencyId, holds: bool) -> Option<&[Condition]> {
        self.rich.get(&(dependency, holds)).map(Vec::as_slice)
    }

    /// The packages that meet a plain dependency, whether or not anybody asks for it; dead ones are among
    /// them.
    #[must_use]
    pub fn providers(&self, asked: Dependency) -> Vec<PackageId> {
        let mut found = Vec::new();
        self.providers.of(&self.tables, asked, &mut found);
        found.into_iter().map(PackageId).collect()
    }

    /// Whether anything has this name or provides this capability or path.
    #[must_use]
    pub fn is_provided(&self, name: &str) -> bool {
        let Some(name) = self.tables.strings.find(name.as_bytes()) else { return false };
        let asked = Dependency { name, comparison: Comparison::ANY, evr: EvrId::NONE };
        !self.providers(asked).is_empty()
    }

    /// Packages that cannot be installed together with this one.
    pub fn conflicts(&self, package: PackageId) -> impl Iterator<Item = PackageId> + '_ {
        self.conflicts.get(package.0).iter().map(|&id| PackageId(id))
    }

    /// The sets a package or a source needs one member of each.
    pub fn needs(&self, package: PackageId) -> impl Iterator<Item = SetId> + '_ {
        self.needs.get(package.0).iter().map(|&set| SetId(set))
    }

    /// What else must hold once a package is installed.
    pub fn conditions(&self, package: PackageId) -> impl Iterator<Item = &Condition> + '_ {
        self.conditions_of.get(package.0).iter().map(|&at| &self.conditions[at as usize])
    }

    pub(crate) fn class(&self, package: u32) -> Class {
        self.classes[self.tables.package(PackageId(package)).architecture.index()]
    }

    /// Whether a package can be installed at all, as far as it can be said without a question.
    pub(crate) fn is_living(&self, package: u32) -> bool {
        self.flags[package as usize] & (flag::INSTALLABLE | flag::DEAD) == flag::INSTALLABLE
    }

    pub(crate) fn has(&self, package: u32, bit: u8) -> bool {
        self.flags[package as usize] & bit != 0
    }
}

fn first_flags(tables: &Tables, classes: &[Class], options: &Options) -> Vec<u8> {
    let source = ["src", "nosrc"].map(|name| tables.strings.find(name.as_bytes()));
    let mut flags: Vec<u8> = tables
        .ids()
        .map(|id| match tables.package(id).architecture {
            name if source.contains(&Some(name)) => flag::SOURCE,
            name if classes[name.index()].is_installable() => flag::INSTALLABLE,
            _ => 0,
        })
        .collect();
    for &excluded in &options.excluded {
        if let Some(flags) = flags.get_mut(excluded.index()) {
            *flags = 0;
        }
    }
    flags
}

fn symmetric(pairs: &[(u32, u32)], installable: &[bool], packages: usize) -> Lists {
    let back = pairs.iter().filter(|(one, _)| installable[*one as usize]);
    let both: Vec<(u32, u32)> =
        back.map(|&(one, other)| (other, one)).chain(pairs.iter().copied()).collect();
    Lists::from_pairs(packages, &both).sorted()
}

/// Sets by package without repetitions, in the order they are named.
fn needs(requires: &[(u32, u32)], packages: usize) -> Lists {
    let all = Lists::from_pairs(packages, requires);
    let mut last_owner: Vec<u32> = Vec::new();
    all.filtered(|package, set| {
        if last_owner.len() <= set as usize {
            last_owner.resize(set as usize + 1, u32::MAX);
        }
        std::mem::replace(&mut last_owner[set as usize], package) != package
    })
}

fn dead_members(sets: &Lists, dead: &[bool]) -> FxHashMap<u32, Vec<u32>> {
    let mut members: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
    for (set, list) in sets.iter().enumerate() {
        for &member in list.iter().filter(|&&member| dead[member as usize]) {
            members.entry(set as u32).or_default().push(member);
        }
    }
    members
}

fn index_conditions(conditions: &[(u32, Condition)], packages: usize, flags: &mut [u8]) -> Lists {
    let owners = conditions.iter().zip(0u32..);
    let pairs: Vec<(u32, u32)> = owners.map(|((package, _), at)| (*package, at)).collect();
    for &(package, _) in &pairs {
        flags[package as usize] |= flag::CONDITIONAL;
    }
    Lists::from_pairs(packages, &pairs)
}

fn weak(
    recommends: &[(u32, Condition)],
    supplements: &mut Vec<(u32, Lowered)>,
    sets: &Lists,
    packages: usize,
) -> Weak {
    let mut weak = Weak::default();
    let mut pairs = Vec::new();
    for (package, condition) in recommends {
        for &member in sets.get(condition.then.0) {
            if condition.when.is_empty() {
                pairs.push((member, *package));
            } else {
                let entry = (*package, condition.clone());
                weak.conditional.entry(member).or_default().push(entry);
            }
        }
    }
    weak.by = Lists::from_pairs(packages, &pairs).sorted();
    for (package, lowered) in supplements.drain(..) {
        weak.called_by.entry(package).or_default().push(lowered);
    }
    weak
}

/// What follows from names, versions and architectures alone.
struct Names<'a> {
    tables: &'a Tables,
    classes: &'a [Class],
    by_name: &'a Lists,
}

impl Names<'_> {
    fn class(&self, package: u32) -> Class {
        self.classes[self.tables.package(PackageId(package)).architecture.index()]
    }

    /// Two packages of one name cannot be installed together, unless one is for 32 and the other for 64
    /// bits.
    fn same_name_conflicts(&self, pairs: &mut Vec<(u32, u32)>) {
        for packages in self.by_name.iter().filter(|packages| packages.len() > 1) {
            for (at, &one) in packages.iter().enumerate() {
                let others = packages[at + 1..].iter();
                let collide = others.filter(|&&other| self.class(one).collides(self.class(other)));
                pairs.extend(collide.map(|&other| (one, other)));
            }
        }
    }

    /// Whom each package obsoletes: by name and version of the package, not by what it provides.
    fn obsoletes(&self, installable: &[bool]) -> FxHashMap<u32, Vec<u32>> {
        let mut obsoletes: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for id in self.tables.ids().filter(|id| installable[id.index()]) {
            for &dependency in self.tables.relations(id, Relation::Obsoletes) {
                let dependency = self.tables.dependencies.get(dependency);
                for &other in self.by_name.get(dependency.name.0) {
                    if self.is_obsoleted(id.0, other, dependency) {
                        obsoletes.entry(id.0).or_default().push(other);
                    }
                }
            }
        }
        obsoletes
    }

    fn is_obsoleted(&self, by: u32, other: u32, dependency: Dependency) -> bool {
        let (package, old) =
            (self.tables.package(PackageId(by)), self.tables.package(PackageId(other)));
        let comparison = Comparison::EQUAL;
        let itself = Dependency { name: old.name, comparison, evr: old.evr };
        package.name != old.name
            && self.class(by).collides(self.class(other))
            && self.tables.satisfies(itself, dependency)
    }

    /// For each package of an architecture that is not the best of its name: those of the same version
    /// that are. libsolv lets the inferior one in only beside one of those.
    fn lockstep(&self, flags: &mut [u8], sets: &mut sets::Sets) -> FxHashMap<u32, SetId> {
        let mut lockstep = FxHashMap::default();
        for packages in self.by_name.iter().filter(|packages| packages.len() > 1) {
            let ranks = packages.iter().map(|&package| self.class(package).rank);
            let Some(best) = ranks.filter(|&rank| rank > Class::NOARCH).min() else { continue };
            let is_inferior = |package: &&u32| self.class(**package).is_inferior_to(best);
            for &package in packages.iter().filter(is_inferior) {
                let evr = |id: u32| self.tables.package(PackageId(id)).evr;
                let beside = packages.iter().filter(|other| !is_inferior(other));
                let same = beside.filter(|&&other| evr(other) == evr(package)).copied();
                lockstep.insert(package, sets.intern(&same.collect::<Vec<u32>>()));
                flags[package as usize] |= flag::INFERIOR;
            }
        }
        lockstep
    }

    /// Marks what libsolv's `dislike_old_versions` moves behind the others.
    fn mark_old(&self, version_ranks: &[u32], flags: &mut [u8]) {
        let priority =
            |id: u32| self.tables.repository_of(PackageId(id)).map_or(0, |repo| repo.priority);
        let architecture = |id: u32| self.tables.package(PackageId(id)).architecture;
        for packages in self.by_name.iter().filter(|packages| packages.len() > 1) {
            for &package in packages {
                let is_newer = |&&other: &&u32| {
                    let order = priority(other).cmp(&priority(package));
                    let ranks = version_ranks[other as usize].cmp(&version_ranks[package as usize]);
                    architecture(other) == architecture(package) && order.then(ranks).is_gt()
                };
                if packages.iter().any(|other| is_newer(&other)) {
                    flags[package as usize] |= flag::OLD;
                }
            }
        }
    }
}
