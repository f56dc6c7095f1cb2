//! A spec or a build -> the edges it is evidence for.

use std::collections::{BTreeSet, HashMap};

use model::artifact::{ArtifactKey, CommitId};
use model::build::Buildroot;
use model::edge::{Edge, EdgeKind, Evidence};
use model::id::BuildId;
use model::package::Package;
use model::requirement::{Capability, Requirement};
use model::source::SourceContent;

/// Who provides what: the published packages, and what specs say they will build.
#[derive(Debug, Default)]
pub struct Providers {
    by_name: HashMap<String, Vec<Provider>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Provider {
    artifact: ArtifactKey,
    package: String,
    provide: Capability,
}

impl Providers {
    /// Adds one package of an artifact with what it provides. Its own name counts even where it is not listed.
    pub fn add(&mut self, artifact: &ArtifactKey, package: &str, provides: &[Capability]) {
        let own = Capability { name: package.to_owned(), range: None };
        let listed = provides.iter().any(|provide| provide.name == package);
        for provide in provides.iter().chain((!listed).then_some(&own)) {
            let provider = Provider {
                artifact: artifact.clone(),
                package: package.to_owned(),
                provide: provide.clone(),
            };
            let known = self.by_name.entry(provide.name.clone()).or_default();
            if !known.contains(&provider) {
                known.push(provider);
            }
        }
    }

    /// The packages that may satisfy a requirement. Versions are not compared: an older or newer build of the
    /// same package is still the one that is meant.
    fn of(&self, requirement: &Requirement) -> impl Iterator<Item = &Provider> {
        let name = requirement.capability().map(|capability| capability.name.as_str());
        name.and_then(|name| self.by_name.get(name)).map_or(&[][..], Vec::as_slice).iter()
    }
}

/// The provisional edges of a spec: what its BuildRequires name, and what it says its packages will require.
/// Whatever nobody provides is the toolchain's.
pub fn of_spec(
    artifact: &ArtifactKey,
    commit: &CommitId,
    content: &SourceContent,
    providers: &Providers,
) -> Vec<Edge> {
    let built = content.build_requires.iter().map(|wanted| (EdgeKind::BuildRequires, wanted));
    let required = content.packages.iter().flat_map(|package| &package.requires);
    let required = required.map(|wanted| (EdgeKind::Requires, wanted));
    let mut edges = BTreeSet::new();
    for (kind, requirement) in built.chain(required) {
        let others = providers.of(requirement).filter(|provider| provider.artifact != *artifact);
        edges.extend(others.map(|provider| Edge {
            dependent: artifact.clone(),
            dependency: provider.artifact.clone(),
            kind,
            package: provider.package.clone(),
            evidence: Evidence::Spec {
                commit: commit.clone(),
                capability: requirement.to_string(),
            },
        }));
    }
    edges.into_iter().collect()
}

/// The edges a build reports: its recorded buildroot, and what its packages require.
pub fn of_build(
    artifact: &ArtifactKey,
    build: BuildId,
    packages: &[Package],
    buildroot: &Buildroot,
    (owners, providers): (&HashMap<BuildId, ArtifactKey>, &Providers),
) -> Vec<Edge> {
    let installed = buildroot.0.iter().filter_map(|installed| {
        let dependency = owners.get(&installed.build?)?;
        Some(Edge {
            dependent: artifact.clone(),
            dependency: dependency.clone(),
            kind: if installed.direct { EdgeKind::BuildRequires } else { EdgeKind::Buildroot },
            package: installed.nevra.name.clone(),
            evidence: Evidence::Buildroot { build },
        })
    });
    let required = packages.iter().flat_map(|package| {
        let needs = package.requires.iter().filter(|requirement| !requirement.is_internal());
        needs.flat_map(move |requirement| {
            providers.of(requirement).map(move |provider| Edge {
                dependent: artifact.clone(),
                dependency: provider.artifact.clone(),
                kind: EdgeKind::Requires,
                package: provider.package.clone(),
                evidence: Evidence::Requires {
                    build,
                    package: package.nevra.name.clone(),
                    capability: requirement.to_string(),
                },
            })
        })
    });
    let edges: BTreeSet<Edge> =
        installed.chain(required).filter(|edge| edge.dependency != *artifact).collect();
    edges.into_iter().collect()
}

/// Whether one of the requirements names this package directly, by its name, a provide or nothing but its version.
pub fn is_direct(package: &Package, build_requires: &[Requirement]) -> bool {
    build_requires.iter().any(|requirement| requirement.is_satisfied_by(&package.provides))
}
