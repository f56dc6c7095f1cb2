//! Which dependencies other packages meet now.

use super::index::STATED;
use super::slots::Patch;
use crate::rich;
use crate::tables::{DependencyId, Edit, Package, PackageId, Relation, StringId};
use crate::universe::{Condition, SetId, flag};
use std::collections::BTreeSet;

impl Patch<'_> {
    /// Notes who states which dependency from now on, and who obsoletes which name.
    pub(super) fn index_stated(&mut self) {
        let mut edits = Vec::new();
        for (&id, old) in &self.before {
            for relation in STATED {
                let of = |package: &Package| self.universe.tables.stored(package, relation).iter();
                let edit = |is_added| {
                    move |dependency: &DependencyId| Edit { list: dependency.0, item: id, is_added }
                };
                edits.extend(old.iter().flat_map(of).map(edit(false)));
                if self.universe.has(id, flag::INSTALLABLE | flag::SOURCE) {
                    let new = self.universe.tables.package(PackageId(id));
                    edits.extend(of(new).map(edit(true)));
                }
            }
        }
        self.index.stated_by.edit(&mut edits);
        for (id, old) in self.before.clone() {
            self.index_obsoleted(id, old.as_ref());
        }
    }

    fn index_obsoleted(&mut self, id: u32, old: Option<&Package>) {
        for name in old.map(|old| self.obsoleted_names(old)).unwrap_or_default() {
            if let Some(by) = self.index.obsoleters.get_mut(&name) {
                by.retain(|&by| by != id);
            }
        }
        if self.universe.has(id, flag::INSTALLABLE) {
            let new = self.universe.tables.package(PackageId(id));
            for name in self.obsoleted_names(new) {
                self.index.obsoleters.entry(name).or_default().push(id);
            }
        }
    }

    fn obsoleted_names(&self, package: &Package) -> BTreeSet<u32> {
        let tables = &self.universe.tables;
        let obsoleted = tables.stored(package, Relation::Obsoletes).iter();
        obsoleted.map(|&id| tables.dependencies.get(id).name.0).collect()
    }

    /// Finds the dependencies that other packages meet now, and who states them.
    pub(super) fn follow_provides(&mut self) {
        let names = self.enter_provides();
        let mut rich = BTreeSet::new();
        for name in names {
            for dependency in self.index.asked.get(name.0).to_vec() {
                self.resolve(DependencyId(dependency));
                rich.extend(self.index.rich_of.get(&dependency).into_iter().flatten().copied());
            }
        }
        for id in rich {
            for holds in [true, false] {
                if self.universe.rich.contains_key(&(id, holds)) {
                    self.lower(id, holds);
                }
            }
        }
        self.know_stated();
        for id in &self.dirty {
            self.restated.extend(self.index.stated_by.get(id.0));
        }
    }

    /// Notes what the changed packages provide; the names under which that differs from before.
    fn enter_provides(&mut self) -> BTreeSet<StringId> {
        let mut names = BTreeSet::new();
        for (&id, old) in &self.before {
            let tables = &self.universe.tables;
            let is_binary = |package: &&Package| {
                self.universe.classes[package.architecture.index()].is_installable()
            };
            let provides = |package: &Package| tables.stored(package, Relation::Provides).to_vec();
            let old = old.as_ref().filter(is_binary).map(provides).unwrap_or_default();
            let is_installable = self.universe.has(id, flag::INSTALLABLE);
            let new = is_installable.then(|| provides(tables.package(PackageId(id))));
            let new = new.unwrap_or_default();
            let name = |id: &DependencyId| tables.dependencies.get(*id).name;
            let only = |one: &[DependencyId], other: &[DependencyId]| -> Vec<StringId> {
                one.iter().filter(|id| !other.contains(id)).map(name).collect()
            };
            let touched: BTreeSet<StringId> =
                only(&old, &new).into_iter().chain(only(&new, &old)).collect();
            for &touched in &touched {
                let of_name = new.iter().filter(|id| name(id) == touched).copied();
                let of_name: Vec<DependencyId> = of_name.collect();
                self.universe.providers.replace(touched, PackageId(id), &of_name);
                // Candidates that provide the same thing are compared by the version they provide.
                let others = self.universe.providers.of_name(touched);
                if others.iter().any(|other| other.package.0 != id) {
                    self.ranked.insert(id);
                }
            }
            names.extend(touched);
        }
        names
    }

    /// Dependencies that nobody stated before are resolved for the first time.
    fn know_stated(&mut self) {
        self.universe.set_of.to_mut().resize(self.universe.tables.dependencies.len(), u32::MAX);
        let changed: Vec<u32> = self.before.keys().copied().collect();
        for id in changed {
            if !self.universe.has(id, flag::INSTALLABLE | flag::SOURCE) {
                continue;
            }
            for relation in STATED {
                for dependency in self.universe.tables.relations(PackageId(id), relation).to_vec() {
                    self.know(dependency, relation != Relation::Conflicts);
                }
            }
        }
    }

    fn know(&mut self, id: DependencyId, holds: bool) {
        let dependency = self.universe.tables.dependencies.get(id);
        if !dependency.is_rich() {
            if self.universe.set_of[id.index()] == u32::MAX {
                self.ask(id);
                let set = self.set_for(id).0;
                self.universe.set_of.to_mut()[id.index()] = set;
            }
        } else if !self.universe.rich.contains_key(&(id, holds)) {
            let mut leaves = Vec::new();
            if let Some(tree) = self.index.trees.get(&id) {
                super::index::leaves(tree, &mut leaves);
            }
            for leaf in leaves {
                self.ask(leaf);
            }
            self.lower(id, holds);
        }
    }

    fn ask(&mut self, id: DependencyId) {
        let name = self.universe.tables.dependencies.get(id).name.0;
        self.index.asked.edit(&mut vec![Edit { list: name, item: id.0, is_added: true }]);
    }

    /// Looks up a plain dependency again.
    fn resolve(&mut self, id: DependencyId) {
        let old = self.universe.set_of.get(id.index()).copied().unwrap_or(u32::MAX);
        if old == u32::MAX {
            return;
        }
        let members = self.universe.providers(self.universe.tables.dependencies.get(id));
        let is_same = members.iter().map(|id| &id.0).eq(self.universe.raw.get(old));
        if !is_same {
            let members: Vec<u32> = members.iter().map(|id| id.0).collect();
            let set = self.intern(&members).0;
            self.universe.set_of.to_mut()[id.index()] = set;
            self.dirty.push(id);
        }
    }

    fn set_for(&mut self, id: DependencyId) -> SetId {
        let members = self.universe.providers(self.universe.tables.dependencies.get(id));
        let members: Vec<u32> = members.iter().map(|id| id.0).collect();
        self.intern(&members)
    }

    /// The number of a set; a new one is entered everywhere.
    pub(super) fn intern(&mut self, members: &[u32]) -> SetId {
        let (set, is_new) = self.index.intern(&mut self.universe.raw, members);
        if is_new {
            let edit = |&list: &u32| Edit { list, item: set.0, is_added: true };
            self.index.raw_of.edit(&mut members.iter().map(edit).collect());
        }
        // One that was out of use may have missed deaths.
        if set != SetId::EMPTY {
            self.sets.insert(set.0);
        }
        set
    }

    /// Lowers a rich dependency again.
    fn lower(&mut self, id: DependencyId, holds: bool) {
        let Some(tree) = self.index.trees.get(&id) else { return };
        let universe = &*self.universe;
        let mut literals =
            |leaf: DependencyId| universe.providers(universe.tables.dependencies.get(leaf));
        // One that grew beyond the limit since it was read is taken to be impossible to meet.
        let impossible = || vec![rich::Clause { conditions: Vec::new(), consequence: Vec::new() }];
        let clauses = rich::lower(tree, holds, &mut literals).unwrap_or_else(|_| impossible());
        let mut lowered = Vec::with_capacity(clauses.len());
        for clause in clauses {
            let ids = |set: &[PackageId]| -> Vec<u32> { set.iter().map(|id| id.0).collect() };
            let when = clause.conditions.iter().map(|set| self.intern(&ids(set))).collect();
            lowered.push(Condition { when, then: self.intern(&ids(&clause.consequence)) });
        }
        if self.universe.rich.get(&(id, holds)) != Some(&lowered) {
            self.universe.rich.insert((id, holds), lowered);
            self.dirty.push(id);
        }
    }
}
