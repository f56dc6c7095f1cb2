//! Compares a build with the one it replaces: which facets differ, who hears it, and what is no longer provided.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::facet::{BuildFacets, Facet, FacetChange, PackageFacets};
use model::package::Package;
use model::plan::Listening;
use model::requirement::{Capability, Requirement};

use crate::facts::BuildFacts;

/// How the facets of two builds differ, by package and facet.
///
/// Architectures of a package are compared each with itself, and what differs is shown together. A package that moves to
/// another architecture, from `x86_64` to `noarch` say, is compared across the move. One that is new or gone counts as
/// added or removed with all its lines.
pub fn compare(old: &BuildFacets, new: &BuildFacets) -> Vec<FacetChange> {
    let (old, new) = (by_name(old), by_name(new));
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let none = Side::new();
    let changes = |package: &str| {
        let (old, new) = (old.get(package), new.get(package));
        compare_package(package, old.unwrap_or(&none), new.unwrap_or(&none))
    };
    names.into_iter().flat_map(changes).collect()
}

/// The packages of one name, one for each architecture.
type Side<'a> = Vec<&'a PackageFacets>;

fn by_name(build: &BuildFacets) -> BTreeMap<&str, Side<'_>> {
    let mut names: BTreeMap<&str, Side<'_>> = BTreeMap::new();
    for facets in &build.0 {
        names.entry(&facets.package).or_default().push(facets);
    }
    names
}

/// Lines of a facet, sorted; a line of two architectures is shown once.
#[derive(Default)]
struct Difference<'a> {
    added: BTreeSet<&'a str>,
    removed: BTreeSet<&'a str>,
}

fn compare_package(package: &str, old: &Side<'_>, new: &Side<'_>) -> Vec<FacetChange> {
    let pairs = pairs(old, new);
    let change = |facet: Facet| {
        let mut difference = Difference::default();
        for (old, new) in &pairs {
            let (old, new) = (lines(old, facet), lines(new, facet));
            difference.added.extend(new.difference(&old));
            difference.removed.extend(old.difference(&new));
        }
        let Difference { added, removed } = difference;
        let owned = |lines: BTreeSet<&str>| lines.into_iter().map(str::to_owned).collect();
        (!added.is_empty() || !removed.is_empty()).then(|| FacetChange {
            package: package.to_owned(),
            facet,
            added: owned(added),
            removed: owned(removed),
        })
    };
    Facet::ALL.into_iter().filter_map(change).collect()
}

/// What is compared with what: equal architectures, and what is left of one side with what is left of the other.
fn pairs<'a>(old: &Side<'a>, new: &Side<'a>) -> Vec<(Side<'a>, Side<'a>)> {
    let in_both = |facets: &&PackageFacets| {
        let has = |side: &Side<'_>| side.iter().any(|other| other.arch == facets.arch);
        has(old) && has(new)
    };
    let (kept, gone): (Side<'_>, Side<'_>) = old.iter().copied().partition(in_both);
    let (stays, comes): (Side<'_>, Side<'_>) = new.iter().copied().partition(in_both);
    let of_arch = |side: &Side<'a>, arch: &str| -> Side<'a> {
        side.iter().copied().filter(|facets| facets.arch == arch).collect()
    };
    let arches: BTreeSet<&str> = kept.iter().map(|facets| facets.arch.as_str()).collect();
    let mut pairs: Vec<_> =
        arches.into_iter().map(|arch| (of_arch(&kept, arch), of_arch(&stays, arch))).collect();
    pairs.push((gone, comes));
    pairs
}

fn lines<'a>(side: &Side<'a>, facet: Facet) -> BTreeSet<&'a str> {
    side.iter().flat_map(|facets| facets.lines(facet)).map(String::as_str).collect()
}

/// The first change of a package that an edge to it listens to.
pub fn first_heard<'a>(
    listening: &[Listening],
    changes: &'a [FacetChange],
    package: &str,
) -> Option<&'a FacetChange> {
    let heard = |change: &&FacetChange| {
        let listens = |heard: &Listening| {
            heard.facet == change.facet && (heard.additions || !change.only_adds())
        };
        change.package == package && listening.iter().any(listens)
    };
    changes.iter().find(heard)
}

/// The first requirement of the dependent's packages that the old build satisfied and the new one does not.
///
/// File requirements (`/usr/bin/x`) are looked up among the files of both. Whether a rich dependency holds as a whole is
/// for the resolver to say; it counts as lost when one of the capabilities it names is, since a needless rebuild does
/// less harm than a missed one.
pub fn lost_requirement<'a>(
    dependent: &'a [Package],
    old: &BuildFacts,
    new: &BuildFacts,
) -> Option<(&'a Package, &'a Requirement)> {
    let (old, new) = (Provided::of(old), Provided::of(new));
    let lost = |wanted: &Capability| old.satisfies(wanted) && !new.satisfies(wanted);
    let requirements = dependent
        .iter()
        .flat_map(|package| package.requires.iter().map(move |wanted| (package, wanted)));
    requirements.filter(|(_, requirement)| !requirement.is_internal()).find(|(_, requirement)| {
        match requirement {
            Requirement::Capability(wanted) => lost(wanted),
            Requirement::Rich(text) => capabilities_in(text).iter().any(lost),
        }
    })
}

/// What a build offers, by name.
struct Provided<'a> {
    capabilities: HashMap<&'a str, Vec<&'a Capability>>,
    facets: &'a BuildFacets,
}

impl<'a> Provided<'a> {
    fn of(build: &'a BuildFacts) -> Self {
        let mut capabilities: HashMap<&str, Vec<&Capability>> = HashMap::new();
        for capability in build.packages.iter().flat_map(|package| &package.provides) {
            capabilities.entry(&capability.name).or_default().push(capability);
        }
        Self { capabilities, facets: &build.facets }
    }

    fn satisfies(&self, wanted: &Capability) -> bool {
        let named = self.capabilities.get(wanted.name.as_str());
        named.is_some_and(|given| given.iter().any(|given| wanted.is_satisfied_by(given)))
            || (wanted.range.is_none() && self.has_file(&wanted.name))
    }

    /// A line of the `files` facet begins with the path.
    fn has_file(&self, path: &str) -> bool {
        let is_it = |line: &String| {
            line.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        path.starts_with('/')
            && self.facets.0.iter().any(|facets| facets.lines(Facet::Files).iter().any(is_it))
    }
}

/// The capabilities a rich dependency names, `a >= 1` and `b` in `(a >= 1 if b)`.
pub(super) fn capabilities_in(rich: &str) -> Vec<Capability> {
    const OPERATORS: [&str; 7] = ["and", "or", "if", "unless", "else", "with", "without"];
    let words: Vec<&str> = rich.split_whitespace().map(without_grouping).collect();
    words
        .split(|word| OPERATORS.contains(word))
        .filter_map(|words| words.join(" ").parse().ok())
        .collect()
}

/// Takes off the parentheses that group, and leaves those of a name such as `libz.so.1()(64bit)`.
fn without_grouping(word: &str) -> &str {
    let mut word = word.trim_start_matches('(');
    while word.ends_with(')') && word.matches(')').count() > word.matches('(').count() {
        word = &word[..word.len() - 1];
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `zlib.x86_64 abi: a, b; headers: c`, one package a line.
    fn facets(text: &str) -> BuildFacets {
        let facet = |part: &str| {
            let (name, lines) = part.split_once(':').unwrap();
            let known = |facet: &Facet| facet.as_str() == name.trim();
            let lines = lines.split(',').map(|line| line.trim().to_owned()).collect();
            (Facet::ALL.into_iter().find(known).unwrap(), lines)
        };
        let package = |line: &str| {
            let (name, rest) = line.trim().split_once(' ').unwrap();
            let (package, arch) = name.split_once('.').unwrap();
            let facets = rest.split(';').map(facet).collect();
            PackageFacets { package: package.to_owned(), arch: arch.to_owned(), facets }
        };
        BuildFacets(text.lines().filter(|line| !line.trim().is_empty()).map(package).collect())
    }

    /// The changes as `PACKAGE FACET -removed +added`, separated by semicolons.
    fn check(old: &str, new: &str, expected: &str) {
        let shown = compare(&facets(old), &facets(new)).into_iter().map(|change| {
            let removed = change.removed.iter().map(|line| format!(" -{line}"));
            let added = change.added.iter().map(|line| format!(" +{line}"));
            let lines: String = removed.chain(added).collect();
            format!("{} {}{lines}", change.package, change.facet)
        });
        assert_eq!(shown.collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn equal_builds_have_no_changes() {
        check("zlib.x86_64 abi: a, b", "zlib.x86_64 abi: a, b", "");
    }

    #[test]
    fn a_changed_line_is_removed_and_added() {
        check(
            "zlib.x86_64 abi: crc32, inflate; content: x 1",
            "zlib.x86_64 abi: crc32, inflate, deflate; content: x 2",
            "zlib abi +deflate; zlib content -x 1 +x 2",
        );
    }

    #[test]
    fn new_and_gone_packages_count_with_all_their_lines() {
        check(
            "a.x86_64 files: /a; data: /a 1",
            "b.x86_64 files: /b",
            "a data -/a 1; a files -/a; b files +/b",
        );
    }

    #[test]
    fn architectures_are_compared_each_and_shown_together() {
        let old = "z.i686 abi: a\n z.x86_64 abi: a";
        check(old, "z.i686 abi: a\n z.x86_64 abi: b", "z abi -a +b");
        check(old, "z.i686 abi: b\n z.x86_64 abi: b", "z abi -a +b");
        check(old, "z.x86_64 abi: a", "z abi -a");
    }

    #[test]
    fn a_move_to_noarch_is_no_change_in_itself() {
        check("z.x86_64 data: a, b", "z.noarch data: a, b", "");
        check("z.x86_64 data: a, b", "z.noarch data: a", "z data -b");
    }

    #[test]
    fn an_edge_hears_its_own_package_and_facets() {
        let changes = compare(
            &facets("z.x86_64 abi: a; content: 1\n z-devel.x86_64 headers: h 1"),
            &facets("z.x86_64 abi: a, b; content: 2\n z-devel.x86_64 headers: h 2"),
        );
        let hears = |facet: Facet, additions: bool, package: &str| {
            first_heard(&[Listening { facet, additions }], &changes, package).is_some()
        };
        assert!(hears(Facet::Headers, false, "z-devel"));
        assert!(!hears(Facet::Headers, true, "z"));
        assert!(hears(Facet::Abi, true, "z"));
        assert!(!hears(Facet::Abi, false, "z"), "only additions");
        assert!(!hears(Facet::Data, true, "z"));
    }

    /// A build with one package `zlib` that provides these capabilities and has these files, both split at commas.
    fn build(provides: &str, files: &str) -> BuildFacts {
        BuildFacts {
            packages: vec![package("zlib", provides, "")],
            facets: facets(&format!("zlib.x86_64 files: {files}")),
            ..BuildFacts::default()
        }
    }

    fn package(name: &str, provides: &str, requires: &str) -> Package {
        let split = |text: &str| -> Vec<String> {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        Package {
            nevra: format!("{name}-1-1.x86_64").parse().unwrap(),
            file: format!("{name}-1-1.x86_64.rpm"),
            digest: model::digest::Digest::of(name),
            size: 1,
            provides: split(provides).iter().map(|text| text.parse().unwrap()).collect(),
            requires: split(requires).iter().map(|text| text.parse().unwrap()).collect(),
        }
    }

    fn check_lost(requires: &str, old: (&str, &str), new: (&str, &str), expected: &str) {
        let dependent = [package("other", "", ""), package("app", "", requires)];
        let (old, new) = (build(old.0, old.1), build(new.0, new.1));
        let lost = lost_requirement(&dependent, &old, &new);
        let lost =
            lost.map(|(package, requirement)| format!("{}: {requirement}", package.nevra.name));
        assert_eq!(lost.unwrap_or_default(), expected);
    }

    #[test]
    fn a_new_soname_loses_the_old_one() {
        let (old, new) = (("libz.so.1()(64bit)", "/l"), ("libz.so.2()(64bit)", "/l"));
        check_lost("libc.so.6, libz.so.1()(64bit)", old, new, "app: libz.so.1()(64bit)");
        check_lost("libc.so.6, zlib", old, new, "");
    }

    #[test]
    fn an_exact_version_is_lost_with_every_rebuild() {
        let (old, new) = (("zlib = 1-1.f44", "/l"), ("zlib = 1-1.f44.1", "/l"));
        check_lost("zlib = 1-1.f44", old, new, "app: zlib = 1-1.f44");
        check_lost("zlib >= 1", old, new, "");
    }

    #[test]
    fn files_are_required_by_path() {
        let (old, new) =
            (("", "/usr/bin/z 100755, /usr/bin/zip 100755"), ("", "/usr/bin/zip 100755"));
        check_lost("/usr/bin/zip", old, new, "");
        check_lost("/usr/bin/z", old, new, "app: /usr/bin/z");
        check_lost("/usr/bin/z", new, new, "");
    }

    #[test]
    fn rich_dependencies_are_lost_with_a_part_of_them() {
        let (old, new) = (("z(x) = 2, y", "/l"), ("z(x) = 1, y", "/l"));
        check_lost("((z(x) >= 2 and q) or y)", old, new, "app: ((z(x) >= 2 and q) or y)");
        check_lost("(y if q)", old, new, "");
        check_lost("rpmlib(X) <= 4", ("rpmlib(X) = 4", "/l"), new, "");
    }
}
