//! Where packages stand: the tables, what each is, and by which name it is found.

use super::{Change, Effect, Index, Stated, Step};
use crate::tables::{DependencyId, Edit, Package, PackageId};
use crate::universe::architecture;
use crate::universe::{Universe, flag};
use std::collections::{BTreeMap, BTreeSet};

/// One change under way.
pub(super) struct Patch<'a> {
    pub(super) universe: &'a mut Universe,
    pub(super) index: &'a mut Index,
    free: &'a mut Vec<PackageId>,
    /// By number: what was there before, if anything.
    pub(super) before: BTreeMap<u32, Option<Package>>,
    /// What followed from others for what was there before.
    derived: BTreeMap<u32, u8>,
    /// Names of which packages came, went or changed.
    pub(super) names: BTreeSet<u32>,
    /// Dependencies that other packages meet now.
    pub(super) dirty: Vec<DependencyId>,
    /// Packages that may say anew with whom they cannot be installed.
    pub(super) quarrelling: BTreeSet<u32>,
    /// Packages to be lowered again.
    pub(super) restated: BTreeSet<u32>,
    /// Packages whose lists of needs are to be split again.
    pub(super) relinked: BTreeSet<u32>,
    /// Sets whose living members may be others.
    pub(super) sets: BTreeSet<u32>,
    /// Sources that were lowered again, with the sets they needed before.
    pub(super) sources: Vec<(u32, Vec<u32>)>,
    pub(super) followed: BTreeSet<u32>,
    pub(super) ranked: BTreeSet<u32>,
    pub(super) effect: Effect,
}

impl<'a> Patch<'a> {
    pub(super) fn new(
        universe: &'a mut Universe,
        index: &'a mut Index,
        free: &'a mut Vec<PackageId>,
    ) -> Self {
        Self {
            universe,
            index,
            free,
            before: BTreeMap::new(),
            derived: BTreeMap::new(),
            names: BTreeSet::new(),
            dirty: Vec::new(),
            quarrelling: BTreeSet::new(),
            restated: BTreeSet::new(),
            relinked: BTreeSet::new(),
            sets: BTreeSet::new(),
            sources: Vec::new(),
            followed: BTreeSet::new(),
            ranked: BTreeSet::new(),
            effect: Effect::default(),
        }
    }

    /// Puts the packages in their places; what undoes it.
    pub(super) fn enter(&mut self, change: &Change) -> Change {
        let mut undone = Vec::new();
        for step in &change.steps {
            match step {
                Step::Withdraw(id) => undone.extend(self.put(*id, None)),
                Step::Put(id, stated) => undone.extend(self.put(*id, Some(*stated))),
                Step::Add { repository, priority, stated } => {
                    let id = self.place(repository, *priority, *stated);
                    undone.extend(self.put(id, Some(*stated)));
                }
            }
        }
        undone.reverse();
        self.enter_names();
        self.index_stated();
        Change { steps: undone }
    }

    /// Whether a package is there both before and after.
    pub(super) fn stays(&self, package: u32) -> bool {
        let is_present = self.universe.has(package, flag::INSTALLABLE | flag::SOURCE);
        is_present && self.before.get(&package).is_none_or(Option::is_some)
    }

    fn present(&self, id: PackageId) -> Option<Package> {
        let is_present = self.universe.has(id.0, flag::INSTALLABLE | flag::SOURCE);
        is_present.then(|| *self.universe.tables.package(id))
    }

    /// Puts a package in a place, or leaves it empty; what undoes that.
    fn put(&mut self, id: PackageId, stated: Option<Stated>) -> Option<Step> {
        if id.index() >= self.universe.tables.len() {
            return None;
        }
        let old = self.present(id);
        if old.is_none() && stated.is_none() {
            return None;
        }
        self.before.entry(id.0).or_insert(old);
        let flags = self.universe.flags[id.index()];
        let derived = *self.derived.entry(id.0).or_insert(flags & flag::DERIVED);
        let first = match stated {
            Some(Stated(package)) => {
                self.universe.tables.put(id, package);
                // What is known of the package before it is followed up, each in its place.
                self.first_flags(&package) | derived
            }
            None => 0,
        };
        self.universe.flags.to_mut()[id.index()] = first;
        if stated.is_none() {
            self.free.push(id);
        } else if let Some(at) = self.free.iter().rposition(|free| *free == id) {
            self.free.remove(at);
        }
        Some(old.map_or(Step::Withdraw(id), |old| Step::Put(id, Stated(old))))
    }

    fn first_flags(&mut self, package: &Package) -> u8 {
        let universe = &mut *self.universe;
        let (strings, classes) = (&universe.tables.strings, &mut universe.classes);
        classes.resize(strings.len(), architecture::Class::UNKNOWN);
        let name = strings.text(package.architecture);
        let class = architecture::class(&universe.machine, name);
        classes[package.architecture.index()] = class;
        match name {
            "src" | "nosrc" => flag::SOURCE,
            _ if class.is_installable() => flag::INSTALLABLE,
            _ => 0,
        }
    }

    /// A free place in the repository, or one behind all packages.
    fn place(&mut self, repository: &str, priority: i32, Stated(package): Stated) -> PackageId {
        let tables = &self.universe.tables;
        let is_source = |package: &Package| {
            matches!(tables.strings.text(package.architecture), "src" | "nosrc")
        };
        let fits = |id: &&PackageId| {
            let known = tables.repository_of(**id);
            known.is_some_and(|known| known.name == repository && known.priority == priority)
                && is_source(tables.package(**id)) == is_source(&package)
        };
        if let Some(&id) = self.free.iter().rev().find(fits) {
            return id;
        }
        let tables = &mut self.universe.tables;
        let id = tables.put_behind(repository, priority, package);
        self.universe.flags.to_mut().push(0);
        self.universe.version_ranks.to_mut().push(0);
        self.universe.has_priorities =
            tables.repositories().windows(2).any(|two| two[0].priority != two[1].priority);
        id
    }

    fn enter_names(&mut self) {
        let mut edits = Vec::new();
        for (&id, old) in &self.before {
            let new = *self.universe.tables.package(PackageId(id));
            let is_installable = self.universe.has(id, flag::INSTALLABLE);
            let is_present = self.universe.has(id, flag::INSTALLABLE | flag::SOURCE);
            if let Some(old) = old {
                edits.push(Edit { list: old.name.0, item: id, is_added: false });
                self.names.insert(old.name.0);
                if is_present && old.name == new.name && old.evr != new.evr {
                    self.effect.renamed.push(PackageId(id));
                }
                if old.name != new.name || old.architecture != new.architecture {
                    self.sets.extend(self.index.raw_of.get(id));
                    self.ranked.insert(id);
                }
            }
            if is_installable {
                edits.push(Edit { list: new.name.0, item: id, is_added: true });
                self.names.insert(new.name.0);
            }
            self.restated.insert(id);
            self.effect.changed.push(PackageId(id));
        }
        self.universe.by_name.edit(&mut edits);
    }

    /// What was touched, once everything is followed.
    pub(super) fn finish(mut self) -> Effect {
        let followed = &mut self.followed;
        self.effect.rewired.retain(|rewired| followed.insert(rewired.package.0));
        let ids = |set: BTreeSet<u32>| set.into_iter().map(PackageId).collect();
        self.effect.followed = ids(self.followed);
        self.effect.ranked = ids(self.ranked);
        self.effect.conflicts.sort_unstable();
        self.effect.conflicts.dedup();
        self.effect
    }
}
