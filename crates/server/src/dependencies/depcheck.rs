//! Whether a side repository can be merged, or packages removed: what would stop or begin to be installable and buildable.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use solver::change::{Change, LiveUniverse};
use solver::load::header::open_header;
use solver::questions::difference::Difference;
use solver::questions::{Buildability, Installability};
use solver::reverse::Questions;
use solver::rich;
use solver::tables::{PackageId, Relation, StringId, Tables};
use solver::universe::Universe;
use utoipa::ToSchema;

use super::wanted::{Metadata, Place};
use super::{Followed, question, requires, source_name};
use crate::admin::AdminError;

/// What is thought to change.
#[derive(Clone, Debug, Default)]
pub struct Hypothesis {
    /// What is merged. A build of theirs takes the place of the one of the same source, with all of its packages, as in a
    /// tag of builds.
    pub with: Vec<Side>,
    /// Names of packages that are removed.
    pub without: Vec<String>,
}

/// Packages beside those that are there.
#[derive(Clone, Debug)]
pub enum Side {
    /// The repository in a folder.
    Repository(PathBuf),
    /// These RPM files.
    Files(Vec<PathBuf>),
}

/// What would come of it.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Depcheck {
    /// Packages that are new or take the place of another.
    pub added: Vec<String>,
    /// Packages that are removed and not replaced.
    pub removed: Vec<String>,
    /// Packages that could be installed, or are new, and cannot be.
    pub broken: Vec<Broken>,
    /// Packages that could not be installed and can be.
    pub mended: Vec<String>,
    /// Sources that could be built and cannot be, where sources are known.
    pub unbuildable: Vec<Broken>,
    /// Sources that could not be built and can be.
    pub buildable: Vec<String>,
}

/// A package that would not work any more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Broken {
    /// Its NEVRA.
    pub package: String,
    /// Why: a sentence that names what is missing.
    pub reason: String,
}

impl Depcheck {
    /// Whether nothing breaks.
    pub fn is_harmless(&self) -> bool {
        self.broken.is_empty() && self.unbuildable.is_empty()
    }
}

impl Followed {
    /// The same packages once more. What is tried on these leaves nothing behind here, where every package that is merged
    /// leaves what it says in the tables.
    ///
    /// # Errors
    /// As when they were loaded.
    pub(crate) fn apart(&self) -> Result<Self, AdminError> {
        let (universe, _) = question::widened(self.live.universe(), &self.wanted, &[], &[])?;
        Ok(Self { live: LiveUniverse::new(universe), wanted: self.wanted.clone() })
    }

    /// Tries a change, tells what it would break and mend, and takes it back.
    ///
    /// # Errors
    /// [`AdminError::Input`] where a side repository cannot be read, or nothing is called as what is to be removed.
    pub fn depcheck(
        &mut self,
        hypothesis: &Hypothesis,
        group: &[String],
        threads: usize,
    ) -> Result<Depcheck, AdminError> {
        let change = self.change(hypothesis)?;
        let questions = Questions { group: group.to_vec(), with_build_conflicts: false };
        let installability = Installability::new(&self.live, threads);
        let buildability =
            Buildability::new(&self.live, questions, threads).map_err(AdminError::input)?;
        let before: BTreeSet<String> = nevras(self.live.universe());
        let applied = self.live.apply(&change);
        let after = nevras(self.live.universe());
        let mut found = Depcheck {
            added: after.difference(&before).cloned().collect(),
            removed: before.difference(&after).cloned().collect(),
            ..Depcheck::default()
        };
        let difference = installability.difference(&self.live, &applied.effect);
        (found.broken, found.mended) = told(self.live.universe(), &difference);
        let difference = buildability.difference(&self.live, &applied.effect);
        (found.unbuildable, found.buildable) = told(self.live.universe(), &difference);
        self.live.apply(&applied.inverse);
        Ok(found)
    }

    /// The packages that a hypothesis removes, replaces and adds.
    fn change(&mut self, hypothesis: &Hypothesis) -> Result<Change, AdminError> {
        let sides = hypothesis.with.iter().map(|side| Ok((side.to_string(), self.read(side)?)));
        let sides: Vec<(String, Tables)> = sides.collect::<Result<_, AdminError>>()?;
        for (_, side) in &sides {
            self.learn_files(side)?;
        }
        let mut change = Change::new();
        for name in &hypothesis.without {
            let packages = requires::named(&self.live, name);
            if packages.is_empty() {
                return Err(AdminError::Input(format!("no package is called {name}")));
            }
            packages.into_iter().for_each(|id| _ = change.remove(id));
        }
        for (name, side) in &sides {
            self.merge(&mut change, side, name)?;
        }
        Ok(change)
    }

    /// The packages of a side, with those of their files that somebody here or there names.
    fn read(&self, side: &Side) -> Result<Tables, AdminError> {
        let tables = self.live.universe().tables();
        match side {
            Side::Repository(folder) => {
                Metadata::of(vec![Place::of(folder)]).packages(&paths(tables))
            }
            Side::Files(files) => {
                let mut side = Tables::new();
                for file in files {
                    let header = open_header(file).map_err(AdminError::outside)?;
                    header.package.enter(&mut side);
                }
                Ok(side)
            }
        }
    }

    /// Looks up who has the files that a side asks for and nobody here has named yet.
    fn learn_files(&mut self, side: &Tables) -> Result<(), AdminError> {
        let asked = side.ids().flat_map(|id| {
            let headings = Relation::ALL.into_iter().filter(|it| *it != Relation::Provides);
            headings.flat_map(move |heading| side.relations(id, heading))
        });
        let asked = asked.map(|id| side.strings.text(side.dependencies.get(*id).name));
        let paths = question::unknown(self.live.universe().tables(), asked);
        if !paths.is_empty() {
            let (universe, _) = question::widened(self.live.universe(), &self.wanted, &paths, &[])?;
            self.live = LiveUniverse::new(universe);
        }
        Ok(())
    }

    /// Adds the packages of a side repository, and removes those of the builds they take the place of.
    fn merge(
        &mut self,
        change: &mut Change,
        side: &Tables,
        repository: &str,
    ) -> Result<(), AdminError> {
        let rebuilt: BTreeSet<&str> = side.ids().filter_map(|id| source_name(side, id)).collect();
        let mut places = HashMap::new();
        for id in side.ids() {
            places.insert(place(side, id), id);
        }
        let present: Vec<PackageId> = self.present().collect();
        let mut replaced = BTreeSet::new();
        for old in present {
            let tables = self.live.universe().tables();
            let new = places.get(&place(tables, old)).copied();
            let is_rebuilt = source_name(tables, old).is_some_and(|name| rebuilt.contains(name));
            match new {
                Some(new) if replaced.insert(new) => {
                    let stated = self.live.state(side, new).map_err(AdminError::input)?;
                    change.replace(old, stated);
                }
                Some(_) => _ = change.remove(old),
                None if is_rebuilt => _ = change.remove(old),
                None => {}
            }
        }
        for id in side.ids().filter(|id| !replaced.contains(id)) {
            let stated = self.live.state(side, id).map_err(AdminError::input)?;
            change.add(repository, 0, stated);
        }
        Ok(())
    }

    fn present(&self) -> impl Iterator<Item = PackageId> + '_ {
        let universe = self.live.universe();
        universe.installable().chain(universe.sources())
    }
}

/// The paths that somebody names.
fn paths(tables: &Tables) -> Vec<&str> {
    let names = tables.dependencies.iter().map(|dependency| tables.strings.text(dependency.name));
    let in_rich = names.flat_map(|name| rich::words(name.as_bytes()));
    let paths = in_rich.filter(|word| word.starts_with(b"/"));
    paths.filter_map(|path| std::str::from_utf8(path).ok()).collect()
}

/// Where a package stands among others: one of each name and architecture.
fn place(tables: &Tables, id: PackageId) -> (&str, &str) {
    let architecture: StringId = tables.package(id).architecture;
    (tables.name(id), tables.strings.text(architecture))
}

fn nevras(universe: &Universe) -> BTreeSet<String> {
    universe.installable().map(|id| universe.tables().nevra(id)).collect()
}

/// What breaks and what is mended, in words of the universe as it is then.
fn told(universe: &Universe, difference: &Difference) -> (Vec<Broken>, Vec<String>) {
    let nevra = |id: &PackageId| universe.tables().nevra(*id);
    let broken = difference.broken.iter().map(|(id, reason)| Broken {
        package: nevra(id),
        reason: format!("it {}", reason.display(universe)),
    });
    let mended = difference.mended.iter().map(nevra).collect();
    (broken.collect(), mended)
}

/// What reports call it.
impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(folder) => folder.display().fmt(f),
            Self::Files(_) => f.write_str("files"),
        }
    }
}

impl fmt::Display for Depcheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, verb: &str, packages: &[String]| {
            packages.iter().try_for_each(|package| writeln!(f, "{verb} {package}"))
        };
        list(f, "adds", &self.added)?;
        list(f, "removes", &self.removed)?;
        for Broken { package, reason } in &self.broken {
            writeln!(f, "breaks {package}: {reason}")?;
        }
        for Broken { package, reason } in &self.unbuildable {
            writeln!(f, "makes {package} unbuildable: {reason}")?;
        }
        list(f, "mends", &self.mended)?;
        list(f, "makes buildable", &self.buildable)?;
        let verdict =
            if self.is_harmless() { "nothing breaks" } else { "it would break what works" };
        write!(f, "{verdict}")
    }
}
