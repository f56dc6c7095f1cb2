//! What the solver runs on: relations resolved to sets of packages, in the order of choice.

pub(crate) mod architecture;
mod dead;
mod index;
mod names;
mod order;
mod providers;
pub(crate) mod relations;
mod sets;
mod stored;

pub use sets::SetId;

use crate::rich::RichError;
use crate::tables::{
    Column, Comparison, Dependency, DependencyId, EvrId, Lists, PackageId, Tables,
};
use architecture::Class;
use index::{first_flags, index_conditions, needs, popularity, symmetric, weak};
use names::Names;
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

impl Condition {
    /// Whether a package that requires this cannot be installed since it is itself all that must not be
    /// there, as `(x unless y)` of a package that provides `y`. A conflict with oneself, in contrast, means
    /// the others. `sets` are all members of each set.
    pub(crate) fn refuses(&self, package: u32, sets: &Lists) -> bool {
        self.then == SetId::EMPTY
            && !self.when.is_empty()
            && self.when.iter().all(|set| sets.get(set.0).contains(&package))
    }
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
    /// It supplements something, or is recommended under a condition.
    pub(crate) const SUPPLEMENTS: u8 = 64;
    /// It enhances something, or is suggested under a condition.
    pub(crate) const ENHANCES: u8 = 128;
    /// What follows from other packages.
    pub(crate) const DERIVED: u8 = !(INSTALLABLE | SOURCE);
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
    /// The flag of packages that are in one of the two maps.
    pub(crate) flag: u8,
}

impl Weak {
    fn mark(&mut self, bit: u8, flags: &mut [u8]) {
        self.flag = bit;
        for &package in self.conditional.keys().chain(self.called_by.keys()) {
            flags[package as usize] |= bit;
        }
    }
}

/// All relations of all packages, ready to be solved over.
#[derive(Debug)]
pub struct Universe {
    pub(crate) tables: Tables,
    pub(crate) providers: Providers,
    pub(crate) classes: Vec<Class>,
    pub(crate) flags: Column<u8>,
    pub(crate) version_ranks: Column<u32>,
    pub(crate) by_name: Lists,
    /// By set: its members in the order of choice, dead ones left out.
    pub(crate) sets: Lists,
    /// By set: all its members, by id.
    pub(crate) raw: Lists,
    pub(crate) set_of: Column<u32>,
    pub(crate) rich: FxHashMap<(DependencyId, bool), Lowered>,
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
    /// The machine's architecture.
    pub(crate) machine: String,
    /// By set: how many sources need it.
    pub(crate) popularity: Column<u32>,
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
        let names = Names { tables: &tables, classes: &classes, by_name: &by_name };
        let obsoletes = names.obsoletes(&installable);
        let lockstep = names.lockstep(&mut flags, &mut relations.sets);
        names.mark_old(&version_ranks, &mut flags);
        let mut pairs = std::mem::take(&mut relations.conflicts);
        names.same_name_conflicts(&mut pairs);
        pairs.extend(obsoletes.iter().flat_map(|(&by, all)| all.iter().map(move |&p| (by, p))));
        let conflicts = symmetric(&pairs, &installable, tables.len());
        let (needs, dead, ranks) = std::thread::scope(|scope| {
            let ranks = scope.spawn(|| order::choice_ranks(&tables));
            let needs = needs(&relations.requires, tables.len());
            let dead = dead::find(&relations.sets.lists, &needs, &conflicts, &installable);
            let ranks = ranks.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            (needs, dead, ranks)
        });
        for (flags, dead) in flags.iter_mut().zip(&dead) {
            *flags |= if *dead { flag::DEAD } else { 0 };
        }
        let (set_of, rich) = relations.take_lookup();
        let raw = std::mem::take(&mut relations.sets.lists);
        let has_priorities = tables.has_priorities();
        let popularity = popularity(&needs, raw.len(), &sources);
        let mut recommended =
            weak(&relations.recommends, &mut relations.supplements, &raw, tables.len());
        recommended.mark(flag::SUPPLEMENTS, &mut flags);
        let mut suggested = weak(&relations.suggests, &mut relations.enhances, &raw, tables.len());
        suggested.mark(flag::ENHANCES, &mut flags);
        let mut universe = Self {
            sets: raw.filtered(|_, member| !dead[member as usize]),
            conditions_of: index_conditions(&relations.conditions, tables.len(), &mut flags),
            conditions: std::mem::take(&mut relations.conditions)
                .into_iter()
                .map(|(_, c)| c)
                .collect(),
            recommended,
            suggested,
            tables,
            providers,
            classes,
            flags: flags.into(),
            version_ranks: version_ranks.into(),
            by_name,
            set_of: set_of.into(),
            rich,
            needs,
            conflicts,
            obsoletes,
            lockstep,
            has_priorities,
            popularity: popularity.into(),
            machine: options.architecture.clone(),
            forced: Lists::default(),
            choices: Lists::default(),
            forced_by: Lists::default(),
            member_of: Lists::default(),
            owners_of: Lists::default(),
            raw,
        };
        universe.index_needs(&ranks);
        Ok(universe)
    }

    /// Splits needs into those with one candidate and those with a choice, indexes both backwards, and puts candidates
    /// in the order of their ranks.
    fn index_needs(&mut self, ranks: &[u32]) {
        let packages = self.tables.len();
        let (mut forced, mut choices) = (Lists::default(), Lists::default());
        let mut chosen: Vec<u32> = Vec::new();
        for package in 0..packages as u32 {
            forced.push(self.forced_needs(package));
            self.collect_choices(package, &mut chosen);
            choices.push(chosen.iter().copied());
        }
        self.forced = forced.sorted();
        self.forced_by = self.forced.inverted(packages);
        self.owners_of = choices.inverted(self.sets.len());
        self.choices = choices;
        let sets = &self.sets;
        self.member_of = sets.filtered(|set, _| sets.get(set).len() > 1).inverted(packages);
        self.sets.for_each_mut(|_, members| {
            members.sort_unstable_by_key(|&member| ranks[member as usize]);
        });
    }

    fn sets_of_living(&self, package: u32) -> &[u32] {
        let lives = flag::INSTALLABLE | flag::DEAD;
        let is_alive = self.flags[package as usize] & lives == flag::INSTALLABLE;
        if is_alive { self.needs.get(package) } else { &[] }
    }

    /// The only candidates of what a package needs, in the order it names them.
    pub(crate) fn forced_needs(&self, package: u32) -> impl Iterator<Item = u32> + '_ {
        let only = |set: &u32| match self.sets.get(*set) {
            [only] => Some(*only),
            _ => None,
        };
        let sets = self.sets_of_living(package).iter();
        sets.filter_map(only).filter(move |&other| other != package)
    }

    /// The sets a package needs with more than one candidate, in the order libsolv's rules have.
    pub(crate) fn collect_choices(&self, package: u32, out: &mut Vec<u32>) {
        let is_open = |set: &&u32| {
            let members = self.sets.get(**set);
            members.len() > 1 && !members.contains(&package)
        };
        out.clear();
        out.extend(self.sets_of_living(package).iter().filter(is_open));
        out.sort_by(|left, right| self.raw.get(*left).cmp(self.raw.get(*right)));
    }

    /// The order in which candidates are looked at: by name as bytes, then by what their repositories cost, then as
    /// they were read.
    pub(crate) fn choice_order(&self, left: u32, right: u32) -> std::cmp::Ordering {
        order::choice_order(&self.tables, left, right)
    }

    /// The tables this was made from.
    #[must_use]
    pub fn tables(&self) -> &Tables {
        &self.tables
    }

    /// The machine's architecture, as rpm calls it.
    #[must_use]
    pub fn architecture(&self) -> &str {
        &self.machine
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

    /// Whether there is a package of this number that counts: a source, or one of this architecture, that is
    /// neither excluded nor removed.
    #[must_use]
    pub fn is_present(&self, package: PackageId) -> bool {
        package.index() < self.tables.len() && self.has(package.0, flag::INSTALLABLE | flag::SOURCE)
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

    pub(crate) fn names(&self) -> Names<'_> {
        Names { tables: &self.tables, classes: &self.classes, by_name: &self.by_name }
    }

    pub(crate) fn class(&self, package: u32) -> Class {
        self.classes[self.tables.package(PackageId(package)).architecture.index()]
    }

    /// The members of a set that can never be installed.
    pub(crate) fn dead_members(&self, set: SetId) -> impl Iterator<Item = u32> + '_ {
        self.raw.get(set.0).iter().copied().filter(|&member| self.has(member, flag::DEAD))
    }

    /// Whether a package can be installed at all, as far as it can be said without a question.
    pub(crate) fn is_living(&self, package: u32) -> bool {
        self.flags[package as usize] & (flag::INSTALLABLE | flag::DEAD) == flag::INSTALLABLE
    }

    pub(crate) fn has(&self, package: u32, bit: u8) -> bool {
        self.flags[package as usize] & bit != 0
    }
}
