//! What passed its gate, and what is published -> the largest group that breaks nothing.
//!
//! The check here is by capabilities; before the repository is switched, a resolver confirms it over whole install sets.

use std::collections::{BTreeMap, HashSet};

use model::artifact::ArtifactKey;
use model::facet::Facet;
use model::id::BuildId;
use model::package::Package;
use model::requirement::Requirement;

use crate::facts::{BuildFacts, Facts};

/// Artifacts that may only be published together: one, or the members of a cycle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The builds, by artifact.
    pub builds: Vec<(ArtifactKey, BuildId)>,
}

/// A group that may be published, and what has to wait.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Which candidates, by position.
    pub candidates: Vec<usize>,
    /// Why the others wait: the position of each, and what would break.
    pub waiting: Vec<(usize, Breakage)>,
}

/// A requirement that held before and would not hold after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breakage {
    /// The artifact whose package would not be installable.
    pub artifact: ArtifactKey,
    /// The package.
    pub package: String,
    /// What it requires.
    pub requirement: String,
}

impl std::fmt::Display for Breakage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} requires {}", self.package, self.artifact, self.requirement)
    }
}

/// The largest group of candidates that is closed under its capabilities.
///
/// `published` is one build for each artifact; `stand_in` is what the toolchain's stand-in provides.
pub fn closed_group(
    candidates: &[Candidate],
    published: &BTreeMap<ArtifactKey, BuildId>,
    stand_in: &Package,
    facts: &Facts,
) -> Group {
    let mut group = Group { candidates: (0..candidates.len()).collect(), waiting: Vec::new() };
    let before = World::of(published, stand_in, facts);
    loop {
        let mut after = published.clone();
        for &position in &group.candidates {
            after.extend(candidates[position].builds.iter().cloned());
        }
        let world = World::of(&after, stand_in, facts);
        let broken: Vec<(ArtifactKey, Breakage)> =
            broken(&before, &world, &after, published, facts);
        let culprit = broken.iter().find_map(|(owner, breakage)| {
            let position = group.candidates.iter().position(|&candidate| {
                candidates[candidate].builds.iter().any(|(artifact, _)| artifact == owner)
            })?;
            Some((position, breakage.clone()))
        });
        let Some((position, breakage)) = culprit else { return group };
        let candidate = group.candidates.remove(position);
        group.waiting.push((candidate, breakage));
    }
}

/// What would break, with the artifact whose publication is to blame.
fn broken(
    before: &World<'_>,
    after: &World<'_>,
    builds: &BTreeMap<ArtifactKey, BuildId>,
    published: &BTreeMap<ArtifactKey, BuildId>,
    facts: &Facts,
) -> Vec<(ArtifactKey, Breakage)> {
    let mut found = Vec::new();
    for (artifact, build) in builds {
        let is_new = published.get(artifact) != Some(build);
        let packages = facts.get(*build).map_or(&[][..], |facts| facts.packages.as_slice());
        for (package, requirement) in packages.iter().flat_map(requirements) {
            if after.satisfies(requirement) || !(is_new || before.satisfies(requirement)) {
                continue;
            }
            let blamed = if is_new { Some(artifact.clone()) } else { before.owner(requirement) };
            let breakage = Breakage {
                artifact: artifact.clone(),
                package: package.nevra.name.clone(),
                requirement: requirement.to_string(),
            };
            found.extend(blamed.map(|blamed| (blamed, breakage)));
        }
    }
    found
}

fn requirements(package: &Package) -> impl Iterator<Item = (&Package, &Requirement)> {
    let needs = package.requires.iter().filter(|requirement| !requirement.is_internal());
    needs.map(move |requirement| (package, requirement))
}

/// Everything a repository provides.
struct World<'a> {
    provides: std::collections::HashMap<
        &'a str,
        Vec<(Option<&'a ArtifactKey>, &'a model::requirement::Capability)>,
    >,
    files: HashSet<&'a str>,
    file_owners: std::collections::HashMap<&'a str, &'a ArtifactKey>,
}

impl<'a> World<'a> {
    fn of(
        builds: &'a BTreeMap<ArtifactKey, BuildId>,
        stand_in: &'a Package,
        facts: &'a Facts,
    ) -> Self {
        let mut world = Self {
            provides: std::collections::HashMap::new(),
            files: HashSet::new(),
            file_owners: std::collections::HashMap::new(),
        };
        world.add(None, std::slice::from_ref(stand_in));
        for (artifact, build) in builds {
            let Some(facts) = facts.get(*build) else { continue };
            world.add(Some(artifact), &facts.packages);
            world.add_files(artifact, facts);
        }
        world
    }

    fn add(&mut self, owner: Option<&'a ArtifactKey>, packages: &'a [Package]) {
        for provide in packages.iter().flat_map(|package| &package.provides) {
            self.provides.entry(provide.name.as_str()).or_default().push((owner, provide));
        }
    }

    fn add_files(&mut self, owner: &'a ArtifactKey, facts: &'a BuildFacts) {
        for line in facts.facets.0.iter().flat_map(|package| package.lines(Facet::Files)) {
            let path = line.split(' ').next().unwrap_or_default();
            self.files.insert(path);
            self.file_owners.insert(path, owner);
        }
    }

    fn satisfies(&self, requirement: &Requirement) -> bool {
        // Rich dependencies are left to the resolver that confirms the group.
        let Some(wanted) = requirement.capability() else { return true };
        let given = self.provides.get(wanted.name.as_str()).map_or(&[][..], Vec::as_slice);
        given.iter().any(|(_, provide)| wanted.is_satisfied_by(provide))
            || self.files.contains(wanted.name.as_str())
    }

    fn owner(&self, requirement: &Requirement) -> Option<ArtifactKey> {
        let wanted = requirement.capability()?;
        let given = self.provides.get(wanted.name.as_str()).map_or(&[][..], Vec::as_slice).iter();
        let provided = given
            .filter(|(_, provide)| wanted.is_satisfied_by(provide))
            .find_map(|(owner, _)| *owner);
        provided.or_else(|| self.file_owners.get(wanted.name.as_str()).copied()).cloned()
    }
}
