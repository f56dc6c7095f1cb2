//! What passed its gate, and what is published -> the largest group that breaks nothing.
//!
//! The check here is by capabilities; before the repository is switched, a resolver confirms it over whole install sets.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::artifact::ArtifactKey;
use model::facet::Facet;
use model::id::BuildId;
use model::package::Package;
use model::requirement::{Capability, Requirement};

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
/// `published` is one build for each artifact; `stand_in` is what the toolchain's stand-in provides. `made` are the
/// builds of the plan: what holds the outputs of one of them goes out with it, or after it.
pub fn closed_group(
    candidates: &[Candidate],
    published: &BTreeMap<ArtifactKey, BuildId>,
    stand_in: &Package,
    made: &HashSet<BuildId>,
    facts: &Facts,
) -> Group {
    let candidate_of: HashMap<&ArtifactKey, usize> = candidates
        .iter()
        .enumerate()
        .flat_map(|(position, candidate)| {
            candidate.builds.iter().map(move |(key, _)| (key, position))
        })
        .collect();
    let mut group = Group { candidates: (0..candidates.len()).collect(), waiting: Vec::new() };
    let before = World::of(published, stand_in, facts);
    loop {
        let mut after = published.clone();
        for &position in &group.candidates {
            after.extend(candidates[position].builds.iter().cloned());
        }
        let world = World::of(&after, stand_in, facts);
        let mut found = broken((&before, published), (&world, &after), facts);
        found.extend(ahead(published, &after, made, facts));
        let culprits = culprits(found, &candidate_of);
        if culprits.is_empty() {
            group.waiting.sort_by_key(|(position, _)| *position);
            return group;
        }
        group.candidates.retain(|position| !culprits.contains_key(position));
        group.waiting.extend(culprits);
    }
}

/// Whose publication would break something.
enum Blame {
    /// The artifact itself: neither what is published nor what is to be published has what it requires.
    Itself(ArtifactKey),
    /// The artifact that would take away what is required.
    Taker(ArtifactKey),
}

/// The candidates to leave out next. Those that lack something are in no closed group at all, and go together. Those
/// that take something away go one by one: without the first, the next may do no harm.
fn culprits(
    found: Vec<(Blame, Breakage)>,
    candidate_of: &HashMap<&ArtifactKey, usize>,
) -> BTreeMap<usize, Breakage> {
    let (mut lacking, mut taking) = (BTreeMap::new(), BTreeMap::new());
    for (blame, breakage) in found {
        let (culprits, artifact) = match &blame {
            Blame::Itself(artifact) => (&mut lacking, artifact),
            Blame::Taker(artifact) => (&mut taking, artifact),
        };
        if let Some(&position) = candidate_of.get(artifact) {
            culprits.entry(position).or_insert(breakage);
        }
    }
    if lacking.is_empty() { taking.into_iter().take(1).collect() } else { lacking }
}

/// What would break, with the artifact whose publication is to blame.
fn broken(
    (before, published): (&World<'_>, &BTreeMap<ArtifactKey, BuildId>),
    (after, builds): (&World<'_>, &BTreeMap<ArtifactKey, BuildId>),
    facts: &Facts,
) -> Vec<(Blame, Breakage)> {
    let mut found = Vec::new();
    for (artifact, build) in builds {
        let is_new = published.get(artifact) != Some(build);
        let packages = facts.get(*build).map_or(&[][..], |facts| facts.packages.as_slice());
        for (package, requirement) in packages.iter().flat_map(requirements) {
            if after.satisfies(requirement) || !(is_new || before.satisfies(requirement)) {
                continue;
            }
            let taker = before.owner(requirement).filter(|taker| taker != artifact);
            let blame = taker.map_or_else(|| Blame::Itself(artifact.clone()), Blame::Taker);
            let breakage = Breakage {
                artifact: artifact.clone(),
                package: package.nevra.name.clone(),
                requirement: requirement.to_string(),
            };
            found.push((blame, breakage));
        }
    }
    found
}

/// Images and composes that would come out before what is in them.
fn ahead(
    published: &BTreeMap<ArtifactKey, BuildId>,
    after: &BTreeMap<ArtifactKey, BuildId>,
    made: &HashSet<BuildId>,
    facts: &Facts,
) -> Vec<(Blame, Breakage)> {
    let out: HashSet<BuildId> = after.values().copied().collect();
    let new = after.iter().filter(|(artifact, build)| published.get(*artifact) != Some(build));
    let mut found = Vec::new();
    for (artifact, build) in new {
        let contains = facts.get(*build).map_or(&[][..], |facts| facts.contains.as_slice());
        let Some(missing) = contains.iter().find(|held| made.contains(held) && !out.contains(held))
        else {
            continue;
        };
        let held = facts.get(*missing).and_then(|facts| facts.packages.first());
        let requirement = held.map_or_else(|| missing.to_string(), |held| held.nevra.to_string());
        let package = artifact.name.to_string();
        let breakage = Breakage { artifact: artifact.clone(), package, requirement };
        found.push((Blame::Itself(artifact.clone()), breakage));
    }
    found
}

fn requirements(package: &Package) -> impl Iterator<Item = (&Package, &Requirement)> {
    let needs = package.requires.iter().filter(|requirement| !requirement.is_internal());
    needs.map(move |requirement| (package, requirement))
}

/// Everything a repository provides.
#[derive(Default)]
struct World<'a> {
    provides: HashMap<&'a str, Vec<(Option<&'a ArtifactKey>, &'a Capability)>>,
    files: HashMap<&'a str, &'a ArtifactKey>,
}

impl<'a> World<'a> {
    fn of(
        builds: &'a BTreeMap<ArtifactKey, BuildId>,
        stand_in: &'a Package,
        facts: &'a Facts,
    ) -> Self {
        let mut world = Self::default();
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
            self.files.insert(line.split(' ').next().unwrap_or_default(), owner);
        }
    }

    fn satisfies(&self, requirement: &Requirement) -> bool {
        // Rich dependencies are left to the resolver that confirms the group.
        let Some(wanted) = requirement.capability() else { return true };
        self.given(wanted).next().is_some() || self.file(wanted).is_some()
    }

    /// Of several, the first by artifact that gives what is wanted; none if it is the toolchain, or nobody.
    fn owner(&self, requirement: &Requirement) -> Option<ArtifactKey> {
        let wanted = requirement.capability()?;
        self.given(wanted).find_map(|owner| owner).or_else(|| self.file(wanted)).cloned()
    }

    fn given(&self, wanted: &Capability) -> impl Iterator<Item = Option<&'a ArtifactKey>> {
        let named = self.provides.get(wanted.name.as_str()).map_or(&[][..], Vec::as_slice).iter();
        named.filter(|(_, given)| wanted.is_satisfied_by(given)).map(|(owner, _)| *owner)
    }

    fn file(&self, wanted: &Capability) -> Option<&'a ArtifactKey> {
        if wanted.range.is_some() { None } else { self.files.get(wanted.name.as_str()).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use model::digest::Digest;
    use model::facet::{BuildFacets, PackageFacets};

    /// `zlib 2: libz.so.2, /usr/bin/z < libc` is build 2 of zlib: what it provides, files among it, and requires. An
    /// image holds builds: `web 1: + zlib 2`.
    fn build(text: &str) -> (ArtifactKey, BuildId, BuildFacts) {
        let (head, rest) = text.split_once(':').unwrap();
        let (name, number) = head.trim().split_once(' ').unwrap();
        let (rest, holds) = rest.split_once('+').unwrap_or((rest, ""));
        let (provides, requires) = rest.split_once('<').unwrap_or((rest, ""));
        let split = |text: &str| -> Vec<String> {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let (files, provides): (Vec<String>, Vec<String>) =
            split(provides).into_iter().partition(|text| text.starts_with('/'));
        let files = files.iter().map(|path| format!("{path} 100755")).collect();
        let facets = PackageFacets {
            package: name.to_owned(),
            arch: "x86_64".to_owned(),
            facets: [(Facet::Files, files)].into(),
        };
        let facts = BuildFacts {
            packages: vec![package(name, &provides, &split(requires))],
            facets: BuildFacets(vec![facets]),
            contains: split(holds).iter().map(|held| id(held)).collect(),
            ..BuildFacts::default()
        };
        let _: u32 = number.parse().unwrap();
        (key(name), id(head), facts)
    }

    /// The id of `zlib 2`.
    fn id(build: &str) -> BuildId {
        let digest = Digest::of(build.trim()).to_string();
        digest.trim_start_matches("sha256:")[..32].parse().unwrap()
    }

    fn key(name: &str) -> ArtifactKey {
        format!("rpms/{name}#f44").parse().unwrap()
    }

    fn package(name: &str, provides: &[String], requires: &[String]) -> Package {
        Package {
            nevra: format!("{name}-1-1.x86_64").parse().unwrap(),
            file: format!("{name}.rpm"),
            digest: Digest::of(name),
            size: 1,
            provides: provides.iter().map(|text| text.parse().unwrap()).collect(),
            requires: requires.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    /// Published builds and candidates, one build a line; candidates joined by `&` go together.
    fn check(published: &str, candidates: &str, expected: &str) {
        let lines = |text: &str| -> Vec<String> {
            let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            lines.map(str::to_owned).collect()
        };
        let mut known = HashMap::new();
        let mut add = |text: &str| {
            let (artifact, id, facts) = build(text);
            known.insert(id, Arc::new(facts));
            (artifact, id)
        };
        let published = lines(published).iter().map(|line| add(line)).collect();
        let candidates: Vec<Candidate> = lines(candidates)
            .iter()
            .map(|line| Candidate {
                builds: line.split('&').map(|text| add(text.trim())).collect(),
            })
            .collect();
        let stand_in = package("host-toolchain", &["libc".to_owned()], &[]);
        let made: HashSet<BuildId> = known.keys().copied().collect();
        let group = closed_group(&candidates, &published, &stand_in, &made, &Facts::new(known));
        let name = |position: &usize| {
            let names = candidates[*position].builds.iter().map(|(key, _)| key.name.as_str());
            names.collect::<Vec<_>>().join("+")
        };
        let mut shown: Vec<String> = group.candidates.iter().map(name).collect();
        let waiting = group.waiting.iter();
        shown.extend(waiting.map(|(position, why)| format!("not {}: {why}", name(position))));
        assert_eq!(shown.join("; "), expected);
    }

    const PUBLISHED: &str = "zlib 1: zlib, libz.so.1, /usr/bin/z < libc
        png 1: png, libpng.so.1 < libz.so.1, libc
        app 1: app < libpng.so.1, /usr/bin/z";

    #[test]
    fn what_breaks_nothing_is_published_alone() {
        check(PUBLISHED, "zlib 2: zlib, libz.so.1, /usr/bin/z < libc", "zlib");
        check(PUBLISHED, "new 1: new < libz.so.1", "new");
        check(PUBLISHED, "", "");
    }

    #[test]
    fn a_lost_capability_waits_for_its_users() {
        let zlib = "zlib 2: zlib, libz.so.2, /usr/bin/z";
        let waits = "not zlib: png of rpms/png#f44 requires libz.so.1";
        check(PUBLISHED, zlib, waits);
        check(PUBLISHED, &format!("{zlib}\n png 2: png, libpng.so.1 < libz.so.2"), "zlib; png");
        // Its own requirement is not there without zlib, which in turn waits for app.
        let png = "png 2: png, libpng.so.2 < libz.so.2";
        let both = "not zlib: png of rpms/png#f44 requires libz.so.1; not png: app of rpms/app#f44 requires libpng.so.1";
        check(PUBLISHED, &format!("{zlib}\n {png}"), both);
        let app = "app 2: app < libpng.so.2, /usr/bin/z";
        check(PUBLISHED, &format!("{zlib}\n {png}\n {app}"), "zlib; png; app");
    }

    #[test]
    fn files_are_capabilities_too() {
        let waits = "not zlib: app of rpms/app#f44 requires /usr/bin/z";
        check(PUBLISHED, "zlib 2: zlib, libz.so.1 < libc", waits);
        check(PUBLISHED, "zlib 2: zlib, libz.so.1\n other 1: other, /usr/bin/z", "zlib; other");
    }

    #[test]
    fn what_lacks_something_holds_nobody_else() {
        let candidates = "tool 1: tool < nowhere\n zlib 2: zlib, libz.so.1, /usr/bin/z";
        check(PUBLISHED, candidates, "zlib; not tool: tool of rpms/tool#f44 requires nowhere");
    }

    #[test]
    fn who_takes_something_away_is_blamed_before_who_needs_it() {
        // tool needs the old soname: zlib has to wait, and tool need not.
        let candidates = "tool 1: tool < libz.so.1\n zlib 2: zlib, libz.so.2, /usr/bin/z\n png 2: png, libpng.so.1 < libz.so.2";
        let waits = "not zlib: tool of rpms/tool#f44 requires libz.so.1";
        check(
            PUBLISHED,
            candidates,
            &format!("tool; {waits}; not png: png of rpms/png#f44 requires libz.so.2"),
        );
    }

    #[test]
    fn a_cycle_is_one_candidate() {
        let published = "a 1: a, cap-a = 1 < cap-b = 1\n b 1: b, cap-b = 1 < cap-a = 1";
        check(
            published,
            "a 2: a, cap-a = 2 < cap-b = 2",
            "not a: a of rpms/a#f44 requires cap-b = 2",
        );
        check(published, "a 2: a, cap-a = 2 < cap-b = 2 & b 2: b, cap-b = 2 < cap-a = 2", "a+b");
        check(
            published,
            "a 2: a, cap-a = 2 < cap-b = 2 & b 2: b < cap-a = 2",
            "not a+b: a of rpms/a#f44 requires cap-b = 2",
        );
    }

    #[test]
    fn an_image_comes_out_with_what_is_in_it() {
        let image = "web 1: web + zlib 2, app 1";
        let zlib = "zlib 2: zlib, libz.so.1, /usr/bin/z";
        check(PUBLISHED, &format!("{zlib}\n {image}"), "zlib; web");
        // What takes something away waits, and with it the image and what ships the image.
        let zlib = "zlib 2: zlib, /usr/bin/z";
        let waits = "not zlib: png of rpms/png#f44 requires libz.so.1; not web: web of rpms/web#f44 requires zlib-1-1.x86_64";
        check(PUBLISHED, &format!("{zlib}\n {image}"), waits);
    }

    #[test]
    fn what_was_broken_before_is_nobodys_fault() {
        let published = format!("{PUBLISHED}\n old 1: old < long-gone");
        check(&published, "zlib 2: zlib, libz.so.1, /usr/bin/z", "zlib");
    }
}
