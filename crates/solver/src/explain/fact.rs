//! What contradicts what: the single facts of a proof, and a sentence for each.

use super::Request;
use crate::tables::{Comparison, Dependency, DependencyId, PackageId, Relation, StringId};
use crate::universe::{Universe, flag};

/// How many packages a sentence lists before it only counts.
const LISTED: usize = 5;

/// Something that would do, were it not for one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NearMiss {
    /// It provides the same in another version.
    OtherVersion {
        /// The package.
        package: PackageId,
        /// What it provides.
        provided: DependencyId,
    },
    /// It is excluded for every question.
    Excluded(PackageId),
    /// It is for another machine.
    Architecture(PackageId),
}

/// One of the facts that cannot hold together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The job asks for something.
    Asked {
        /// What it asks for.
        request: Request,
        /// All that would meet it; nothing provides it where there are none.
        providers: Vec<PackageId>,
        /// Where there are none: what comes close.
        near: Vec<NearMiss>,
    },
    /// A package requires something.
    Requires {
        /// Who requires it.
        package: PackageId,
        /// What, plain or rich.
        dependency: DependencyId,
        /// All that would meet it; nothing provides it where there are none.
        providers: Vec<PackageId>,
        /// Whether it says so only where something else is installed.
        is_conditional: bool,
        /// Where there are no providers: what comes close.
        near: Vec<NearMiss>,
    },
    /// A package conflicts with another.
    Conflicts {
        /// Who says so.
        package: PackageId,
        /// In these words.
        dependency: DependencyId,
        /// Who provides that; none where a rich conflict names several at once.
        with: Option<PackageId>,
    },
    /// A package replaces another.
    Obsoletes {
        /// Who says so.
        package: PackageId,
        /// In these words.
        dependency: DependencyId,
        /// Who is replaced.
        obsoleted: PackageId,
    },
    /// Two packages of one name, of which only one can be installed.
    SameName(PackageId, PackageId),
    /// A package of an inferior architecture can only be installed beside the same version of a better one.
    Inferior {
        /// The package.
        package: PackageId,
        /// Those of the better architecture.
        beside: Vec<PackageId>,
    },
    /// The question excludes a package, or it is excluded for every question.
    Excluded(PackageId),
    /// A package is for another machine.
    Architecture(PackageId),
    /// The question allows only another package of the name.
    Locked {
        /// Which is not allowed.
        package: PackageId,
        /// Which is.
        to: PackageId,
    },
    /// A source must not be built where a package is installed.
    BuildConflict {
        /// The source.
        source: PackageId,
        /// In these words, where they are known.
        dependency: Option<DependencyId>,
        /// The package.
        package: PackageId,
    },
}

impl Fact {
    /// The fact in a sentence without a full stop.
    #[must_use]
    pub fn sentence(&self, universe: &Universe) -> String {
        let tables = universe.tables();
        let nevra = |package: &PackageId| tables.nevra(*package);
        let text = |dependency: &DependencyId| tables.dependency_text(*dependency);
        match self {
            Self::Asked { request, providers, near } => asked(universe, request, providers, near),
            Self::Requires { package, dependency, providers, is_conditional, near } => {
                let (text, package) = (text(dependency), nevra(package));
                if providers.is_empty() && !is_conditional {
                    let near = near_misses(universe, near);
                    return format!("nothing provides {text} needed by {package}{near}");
                }
                let providers = none_of(universe, providers);
                format!("package {package} requires {text}, {providers}")
            }
            Self::Conflicts { package, dependency, with } => {
                let provided =
                    with.map_or(String::new(), |with| format!(" provided by {}", nevra(&with)));
                format!("package {} conflicts with {}{provided}", nevra(package), text(dependency))
            }
            Self::Obsoletes { package, dependency, obsoleted } => format!(
                "package {} obsoletes {} provided by {}",
                nevra(package),
                text(dependency),
                nevra(obsoleted)
            ),
            Self::SameName(one, other) => {
                format!("cannot install both {} and {}", nevra(one), nevra(other))
            }
            Self::Inferior { package, beside } => inferior(universe, *package, beside),
            Self::Excluded(package) => {
                format!("package {} is filtered out by exclude filtering", nevra(package))
            }
            Self::Architecture(package) => {
                format!("package {} does not have a compatible architecture", nevra(package))
            }
            Self::Locked { package, to } => {
                format!("package {} is not allowed, {} being locked", nevra(package), nevra(to))
            }
            Self::BuildConflict { source, dependency, package } => {
                let what = dependency.as_ref().map_or_else(|| tables.name(*package).into(), text);
                let (source, package) = (nevra(source), nevra(package));
                format!("source {source} conflicts with {what} provided by {package}")
            }
        }
    }

    /// The package the fact speaks of first, and those it leads to.
    pub(super) fn parts(&self) -> (Option<PackageId>, Vec<PackageId>) {
        match self {
            Self::Asked { providers, .. } => (None, providers.clone()),
            Self::Requires { package, providers, .. } => (Some(*package), providers.clone()),
            Self::Inferior { package, beside } => (Some(*package), beside.clone()),
            Self::Conflicts { package, .. }
            | Self::Obsoletes { package, .. }
            | Self::SameName(package, _)
            | Self::Excluded(package)
            | Self::Architecture(package)
            | Self::Locked { package, .. }
            | Self::BuildConflict { package, .. } => (Some(*package), Vec::new()),
        }
    }
}

fn asked(
    universe: &Universe,
    request: &Request,
    providers: &[PackageId],
    near: &[NearMiss],
) -> String {
    if providers.is_empty() {
        let near = near_misses(universe, near);
        let text = request.text(universe);
        return match request {
            Request::Requirement { source, .. } => {
                let source = universe.tables().nevra(*source);
                format!("nothing provides {text} needed by source {source}{near}")
            }
            _ => format!("nothing provides {text}, which is asked for{near}"),
        };
    }
    let sentence = request.sentence(universe);
    match request {
        Request::Package(_) => sentence,
        _ => format!("{sentence}, {}", none_of(universe, providers)),
    }
}

/// Who provides something, in words that follow a comma.
fn none_of(universe: &Universe, providers: &[PackageId]) -> String {
    match providers {
        [] => "which cannot be met".to_owned(),
        [only] => format!("which only {} provides", universe.tables().nevra(*only)),
        _ => format!("but none of the providers can be installed: {}", list(universe, providers)),
    }
}

fn list(universe: &Universe, packages: &[PackageId]) -> String {
    let shown = packages.iter().take(LISTED).map(|package| universe.tables().nevra(*package));
    let mut list = shown.collect::<Vec<_>>().join(", ");
    if packages.len() > LISTED {
        list.push_str(&format!(" and {} more", packages.len() - LISTED));
    }
    list
}

fn inferior(universe: &Universe, package: PackageId, beside: &[PackageId]) -> String {
    let package = universe.tables().nevra(package);
    if beside.is_empty() {
        return format!("package {package} has an inferior architecture");
    }
    let beside = list(universe, beside);
    format!("package {package} has an inferior architecture and comes only beside {beside}")
}

fn near_misses(universe: &Universe, near: &[NearMiss]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let tables = universe.tables();
    let shown = near.iter().take(LISTED).map(|miss| match miss {
        NearMiss::OtherVersion { package, provided } => {
            let (provided, package) = (tables.dependency_text(*provided), tables.nevra(*package));
            format!("{provided} of {package} is there")
        }
        NearMiss::Excluded(package) => {
            format!("{} is filtered out by exclude filtering", tables.nevra(*package))
        }
        NearMiss::Architecture(package) => {
            format!("{} does not have a compatible architecture", tables.nevra(*package))
        }
    });
    format!("; {}", shown.collect::<Vec<_>>().join(", "))
}

/// What provides any of these names, be it in another version, excluded, or for another machine.
pub(super) fn near(universe: &Universe, names: &[StringId]) -> Vec<NearMiss> {
    let tables = universe.tables();
    let mut found = Vec::new();
    for package in tables.ids().filter(|package| !universe.has(package.0, flag::SOURCE)) {
        let all = tables.relations(package, Relation::Provides).iter();
        let provided = all.copied().find(|id| names.contains(&tables.dependencies.get(*id).name));
        let Some(provided) = provided else { continue };
        found.push(match () {
            () if universe.has(package.0, flag::INSTALLABLE) => {
                NearMiss::OtherVersion { package, provided }
            }
            () if universe.class(package.0).is_installable() => NearMiss::Excluded(package),
            () => NearMiss::Architecture(package),
        });
    }
    found
}

/// The names a dependency speaks of: those of the parts of a rich one.
pub(super) fn names(universe: &Universe, text: &str) -> Vec<StringId> {
    let words = crate::rich::words(text.as_bytes());
    words.filter_map(|word| universe.tables().strings.find(word)).collect()
}

/// The first dependency under a heading that a package is told of.
fn naming(
    universe: &Universe,
    by: PackageId,
    relation: Relation,
    is_meant: impl Fn(Dependency) -> bool,
) -> Option<DependencyId> {
    let mut all = universe.tables().relations(by, relation).iter().copied();
    all.find(|id| is_meant(universe.tables().dependencies.get(*id)))
}

/// Why two packages exclude each other.
pub(super) fn exclusion(universe: &Universe, one: PackageId, other: PackageId) -> Fact {
    let said = |package, other| Pair { universe, package, other }.said();
    said(one, other).or_else(|| said(other, one)).unwrap_or(Fact::SameName(one, other))
}

/// A package, and another it may speak against.
struct Pair<'u> {
    universe: &'u Universe,
    package: PackageId,
    other: PackageId,
}

impl Pair<'_> {
    /// What the one says against the other.
    fn said(&self) -> Option<Fact> {
        let (universe, package, other) = (self.universe, self.package, self.other);
        let tables = universe.tables();
        let provides = |asked: Dependency| {
            let mut all = tables.relations(other, Relation::Provides).iter();
            all.any(|&id| {
                let provided = tables.dependencies.get(id);
                provided.name == asked.name && tables.satisfies(provided, asked)
            })
        };
        let is_named = |asked: Dependency| {
            let old = tables.package(other);
            let itself = Dependency { name: old.name, comparison: Comparison::EQUAL, evr: old.evr };
            asked.name == old.name && tables.satisfies(itself, asked)
        };
        if let Some(dependency) = naming(universe, package, Relation::Conflicts, provides) {
            return Some(Fact::Conflicts { package, dependency, with: Some(other) });
        }
        let obsoletes = universe.obsoletes.get(&package.0);
        if obsoletes.is_some_and(|all| all.contains(&other.0)) {
            let dependency = naming(universe, package, Relation::Obsoletes, is_named)?;
            return Some(Fact::Obsoletes { package, dependency, obsoleted: other });
        }
        let dependency = self.rich_conflict()?;
        Some(Fact::Conflicts { package, dependency, with: Some(other) })
    }

    /// A rich relation that comes down to a conflict with the other.
    fn rich_conflict(&self) -> Option<DependencyId> {
        let universe = self.universe;
        let forbids = |dependency: DependencyId, holds: bool| {
            let conditions = universe.rich(dependency, holds).unwrap_or_default();
            conditions.iter().any(|condition| match condition.when[..] {
                [set] => {
                    condition.then == crate::universe::SetId::EMPTY
                        && universe.sets.get(set.0).contains(&self.other.0)
                }
                _ => false,
            })
        };
        let of = |relation| universe.tables().relations(self.package, relation).iter().copied();
        let mut conflicts = of(Relation::Conflicts).filter(|id| forbids(*id, false));
        let mut requires = of(Relation::Requires).filter(|id| forbids(*id, true));
        conflicts.next().or_else(|| requires.next())
    }
}
