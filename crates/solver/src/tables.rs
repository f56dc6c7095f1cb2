//! Packages and what they say of each other, interned: every string, version and dependency is kept once.

mod column;
mod dependency;
mod evr;
mod index;
mod lists;
mod package;
mod packed;
mod stored;
mod strings;

pub(crate) use column::Column;
pub use dependency::{Comparison, Dependencies, Dependency, DependencyId};
pub use evr::{Evr, EvrId, Evrs, compare_versions};
pub use lists::Lists;
pub(crate) use lists::{Edit, Rows};
pub use package::{Package, PackageId, Relation};
pub(crate) use packed::PackedLists;
pub(crate) use strings::hash_bytes;
pub use strings::{StringId, Strings};

use rustc_hash::FxHashMap;

/// A repository whose packages stand next to each other in the tables.
#[derive(Debug, Clone)]
pub struct Repository {
    /// What it is called in reports.
    pub name: String,
    /// The higher one wins, whatever the versions are; 0 where nothing is said, as in libsolv.
    pub priority: i32,
    /// Of packages that are equal in everything else the one of the cheapest repository is taken; 1000 where nothing is
    /// said, as in dnf.
    pub cost: u32,
    /// Position of its first package, and the one after its last.
    pub packages: std::ops::Range<u32>,
}

impl Repository {
    /// What a repository costs where nothing is said.
    pub const USUAL_COST: u32 = 1000;
}

/// Everything that was read from repositories, before anything is decided.
#[derive(Debug, Clone, Default)]
pub struct Tables {
    /// Names, architectures, versions, paths.
    pub strings: Strings,
    /// Epoch, version and release.
    pub evrs: Evrs,
    /// Name, comparison and version; or a rich dependency's text.
    pub dependencies: Dependencies,
    packages: Column<Package>,
    relations: Column<DependencyId>,
    repositories: Vec<Repository>,
}

impl Tables {
    /// Tables without a package.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many packages there are, sources included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packages.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    /// The ids of all packages, in the order they were read.
    pub fn ids(&self) -> impl Iterator<Item = PackageId> + use<> {
        (0..self.packages.len() as u32).map(PackageId)
    }

    /// One package.
    #[must_use]
    pub fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.index()]
    }

    /// What the package says under one heading, in the order it says it.
    #[must_use]
    pub fn relations(&self, id: PackageId, relation: Relation) -> &[DependencyId] {
        &self.relations[self.packages[id.index()].range(relation)]
    }

    /// The repositories in the order they were read.
    #[must_use]
    pub fn repositories(&self) -> &[Repository] {
        &self.repositories
    }

    /// Whether one repository is better than another.
    pub(crate) fn has_priorities(&self) -> bool {
        self.repositories.windows(2).any(|two| two[0].priority != two[1].priority)
    }

    /// The repository a package came from, if it came from one.
    #[must_use]
    pub fn repository_of(&self, id: PackageId) -> Option<&Repository> {
        let after = self.repositories.partition_point(|repository| repository.packages.end <= id.0);
        self.repositories.get(after).filter(|repository| repository.packages.contains(&id.0))
    }

    /// Adds a package with its relations, each list in the order of [`Relation::ALL`].
    pub fn push(
        &mut self,
        identity: Package,
        lists: &[Vec<DependencyId>; Relation::COUNT],
    ) -> PackageId {
        let id = PackageId(self.packages.len() as u32);
        let package = self.keep(identity, lists);
        self.packages.to_mut().push(package);
        id
    }

    /// Keeps what a package says, without adding it yet.
    pub(crate) fn keep(
        &mut self,
        identity: Package,
        lists: &[Vec<DependencyId>; Relation::COUNT],
    ) -> Package {
        let mut package = identity;
        package.start = self.relations.len() as u32;
        for (end, list) in package.ends.iter_mut().zip(lists) {
            let relations = self.relations.to_mut();
            relations.extend_from_slice(list);
            *end = relations.len() as u32;
        }
        package
    }

    /// What a package that was stored says under one heading.
    pub(crate) fn stored(&self, package: &Package, relation: Relation) -> &[DependencyId] {
        &self.relations[package.range(relation)]
    }

    /// Puts a stored package in the place of another.
    pub(crate) fn put(&mut self, id: PackageId, package: Package) {
        self.packages.to_mut()[id.index()] = package;
    }

    /// Adds a stored package behind all others, to a repository which then may stand in several places.
    pub(crate) fn put_behind(&mut self, name: &str, priority: i32, package: Package) -> PackageId {
        let id = PackageId(self.packages.len() as u32);
        self.packages.to_mut().push(package);
        match self.repositories.last_mut() {
            Some(last)
                if last.name == name && last.priority == priority && last.packages.end == id.0 =>
            {
                last.packages.end += 1;
            }
            _ => {
                let packages = id.0..id.0 + 1;
                let known = self.repositories.iter().find(|known| known.name == name);
                let cost = known.map_or(Repository::USUAL_COST, |known| known.cost);
                let name = name.to_owned();
                self.repositories.push(Repository { name, priority, cost, packages });
            }
        }
        id
    }

    /// Says that the next so many packages behind those of the last repository are one.
    pub fn close_repository(&mut self, name: &str, priority: i32, count: u32) {
        let start = self.repositories.last().map_or(0, |last| last.packages.end);
        let (name, packages) = (name.to_owned(), start..start + count);
        self.repositories.push(Repository {
            name,
            priority,
            cost: Repository::USUAL_COST,
            packages,
        });
    }

    /// Says what a repository costs, by its place among them; before a universe is made of the tables.
    pub fn set_cost(&mut self, repository: usize, cost: u32) {
        if let Some(repository) = self.repositories.get_mut(repository) {
            repository.cost = cost;
        }
    }

    /// What the repository of a package costs.
    pub(crate) fn cost_of(&self, id: PackageId) -> u32 {
        self.repository_of(id).map_or(Repository::USUAL_COST, |repository| repository.cost)
    }

    /// Takes over what was read elsewhere, say on another thread, behind what is here.
    pub fn append(&mut self, other: &Tables) {
        let strings: Vec<StringId> =
            other.strings.iter().map(|text| self.strings.intern(text)).collect();
        let evrs: Vec<EvrId> = other
            .evrs
            .iter()
            .map(|evr| {
                let (version, release) =
                    (strings[evr.version.index()], strings[evr.release.index()]);
                self.evrs.intern(Evr { epoch: evr.epoch, version, release })
            })
            .collect();
        let dependencies: Vec<DependencyId> = other
            .dependencies
            .iter()
            .map(|dependency| {
                let (name, evr) = (strings[dependency.name.index()], evrs[dependency.evr.index()]);
                self.dependencies.intern(Dependency { name, evr, ..dependency })
            })
            .collect();
        let (first, start) = (self.packages.len() as u32, self.relations.len() as u32);
        self.relations.to_mut().extend(other.relations.iter().map(|id| dependencies[id.index()]));
        self.packages.to_mut().extend(other.packages.iter().map(|package| Package {
            name: strings[package.name.index()],
            architecture: strings[package.architecture.index()],
            evr: evrs[package.evr.index()],
            source: strings[package.source.index()],
            start: package.start + start,
            ends: package.ends.map(|end| end + start),
        }));
        self.repositories.extend(other.repositories.iter().map(|repository| Repository {
            packages: repository.packages.start + first..repository.packages.end + first,
            ..repository.clone()
        }));
    }

    /// Adds dependencies to one heading of packages that are there already, as the paths of a file list
    /// are. Additions are sorted by package.
    pub fn extend_relation(
        &mut self,
        relation: Relation,
        additions: &FxHashMap<PackageId, Vec<DependencyId>>,
    ) {
        let capacity = self.relations.len() + additions.len();
        let mut all = Vec::with_capacity(capacity);
        let old = std::mem::take(&mut self.relations);
        for (index, package) in self.packages.to_mut().iter_mut().enumerate() {
            let mut from = package.start as usize;
            package.start = all.len() as u32;
            for heading in Relation::ALL {
                let end = package.ends[heading as usize] as usize;
                all.extend_from_slice(&old[from..end]);
                if heading == relation
                    && let Some(added) = additions.get(&PackageId(index as u32))
                {
                    all.extend_from_slice(added);
                }
                package.ends[heading as usize] = all.len() as u32;
                from = end;
            }
        }
        self.relations = all.into();
    }

    /// Gives back what growing set aside.
    pub fn shrink(&mut self) {
        self.strings.shrink();
        self.evrs.shrink();
        self.dependencies.shrink();
        self.packages.shrink();
        self.relations.shrink();
    }

    /// The name of a package.
    #[must_use]
    pub fn name(&self, id: PackageId) -> &str {
        self.strings.text(self.package(id).name)
    }

    /// `name-[epoch:]version-release.architecture`, an epoch of 0 left out.
    #[must_use]
    pub fn nevra(&self, id: PackageId) -> String {
        let package = self.package(id);
        let evr = self.evr_text(package.evr);
        let architecture = self.strings.text(package.architecture);
        format!("{}-{evr}.{architecture}", self.strings.text(package.name))
    }

    /// `[epoch:]version[-release]`, an epoch of 0 left out.
    #[must_use]
    pub fn evr_text(&self, id: EvrId) -> String {
        let evr = self.evrs.get(id);
        let mut text = String::new();
        if evr.epoch != 0 {
            text = format!("{}:", evr.epoch);
        }
        text.push_str(self.strings.text(evr.version));
        if !self.strings.get(evr.release).is_empty() {
            text.push('-');
            text.push_str(self.strings.text(evr.release));
        }
        text
    }

    /// A dependency as rpm writes it: `name >= 1.2-3`, or a rich dependency's own text.
    #[must_use]
    pub fn dependency_text(&self, id: DependencyId) -> String {
        let dependency = self.dependencies.get(id);
        let name = self.strings.text(dependency.name);
        match dependency.comparison.symbol() {
            Some(symbol) => format!("{name} {symbol} {}", self.evr_text(dependency.evr)),
            None => name.to_owned(),
        }
    }

    /// Splits `[epoch:]version[-release]`. An epoch that is no number counts as 0, as it does in rpm.
    #[must_use]
    pub fn parse_evr<'a>(&self, text: &'a [u8]) -> EvrText<'a> {
        let (epoch, rest) = match memchr::memchr(b':', text) {
            Some(colon) => (&text[..colon], &text[colon + 1..]),
            None => (&b""[..], text),
        };
        let (version, release) = match memchr::memrchr(b'-', rest) {
            Some(dash) => (&rest[..dash], &rest[dash + 1..]),
            None => (rest, &b""[..]),
        };
        EvrText { epoch, version, release }
    }

    /// Interns `[epoch:]version[-release]`.
    pub fn intern_evr_text(&mut self, text: &[u8]) -> EvrId {
        let EvrText { epoch, version, release } = self.parse_evr(text);
        self.intern_evr(epoch, version, release)
    }

    /// The order of a version and one that need not be known here, a missing release matching any.
    #[must_use]
    pub fn compare_with_text(&self, left: EvrId, right: EvrText<'_>) -> std::cmp::Ordering {
        let left = self.evrs.get(left);
        let release = self.strings.get(left.release);
        let releases = || {
            let is_open = release.is_empty() || right.release.is_empty();
            if is_open {
                std::cmp::Ordering::Equal
            } else {
                compare_versions(release, right.release)
            }
        };
        left.epoch
            .cmp(&parse_epoch(right.epoch))
            .then_with(|| compare_versions(self.strings.get(left.version), right.version))
            .then_with(releases)
    }

    /// Interns the three parts of a version, an empty release standing for none.
    pub fn intern_evr(&mut self, epoch: &[u8], version: &[u8], release: &[u8]) -> EvrId {
        let epoch = parse_epoch(epoch);
        let version = self.strings.intern(version);
        let release = self.strings.intern(release);
        self.evrs.intern(Evr { epoch, version, release })
    }

    /// Whether what is provided meets what is asked, both having the same name. A side without version
    /// meets anything; versions are compared as rpm does, a missing release matching any.
    #[must_use]
    pub fn satisfies(&self, provided: Dependency, asked: Dependency) -> bool {
        if provided.comparison.is_any() || asked.comparison.is_any() {
            return true;
        }
        let order = self.evrs.compare_loosely(&self.strings, provided.evr, asked.evr);
        provided.comparison.meets(asked.comparison, order)
    }
}

/// A version as it is written, in its three parts.
#[derive(Debug, Clone, Copy)]
pub struct EvrText<'a> {
    /// Digits, or nothing for 0.
    pub epoch: &'a [u8],
    /// The upstream version.
    pub version: &'a [u8],
    /// The release; empty where none is given.
    pub release: &'a [u8],
}

fn parse_epoch(text: &[u8]) -> u32 {
    std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}
