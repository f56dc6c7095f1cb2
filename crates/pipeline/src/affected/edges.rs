//! A source or a build -> the edges it is evidence for.

use std::collections::{BTreeSet, HashMap};

use model::artifact::{ArtifactKey, ArtifactKind, ArtifactName, CommitId};
use model::build::Buildroot;
use model::compose::ComposeInputs;
use model::edge::{Edge, EdgeKind, Evidence};
use model::facet::{BuildFacets, Facet};
use model::id::BuildId;
use model::image::ImageInputs;
use model::package::Package;
use model::requirement::{Capability, Requirement};
use model::source::{Recipe, SourceContent};

use super::compare::capabilities_in;

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

    /// Adds the files of an artifact's packages that others may require by path: programs and configuration, those
    /// that rpm's own repositories list up front.
    pub fn add_files(&mut self, artifact: &ArtifactKey, facets: &BuildFacets) {
        for package in &facets.0 {
            let lines = package.lines(Facet::Files).iter();
            let paths = lines.map(|line| line.split(' ').next().unwrap_or_default());
            let files: Vec<Capability> = paths
                .filter(|path| path.contains("bin/") || path.starts_with("/etc/"))
                .map(|path| Capability { name: path.to_owned(), range: None })
                .collect();
            self.add(artifact, &package.package, &files);
        }
    }

    /// The packages that may satisfy a requirement, or a part of a rich one. Versions are not compared: an older or
    /// newer build of the same package is still the one that is meant.
    fn of<'a>(&'a self, requirement: &Requirement) -> impl Iterator<Item = &'a Provider> + use<'a> {
        let found: Vec<&[Provider]> = named_in(requirement)
            .iter()
            .filter_map(|wanted| self.by_name.get(&wanted.name).map(Vec::as_slice))
            .collect();
        found.into_iter().flatten()
    }
}

fn named_in(requirement: &Requirement) -> Vec<Capability> {
    match requirement {
        Requirement::Capability(wanted) => vec![wanted.clone()],
        Requirement::Rich(text) => capabilities_in(text),
    }
}

/// The provisional edges of a source: what its BuildRequires name, what an image installs or a compose ships, and what
/// its packages will require. Whatever nobody provides is the toolchain's.
pub fn of_source(
    artifact: &ArtifactKey,
    commit: &CommitId,
    content: &SourceContent,
    providers: &Providers,
) -> Vec<Edge> {
    let kind = match &content.recipe {
        Recipe::Package => EdgeKind::BuildRequires,
        Recipe::Image(_) => EdgeKind::Contains,
        Recipe::Compose(_) => EdgeKind::Ships,
    };
    let built = content.build_requires.iter().map(|wanted| (kind, wanted));
    let required = content.packages.iter().flat_map(|package| &package.requires);
    let required = required.map(|wanted| (EdgeKind::Requires, wanted));
    let mut edges = BTreeSet::new();
    for (kind, name) in images_of(content) {
        let dependency = ArtifactKey {
            kind: ArtifactKind::Containers,
            name: name.clone(),
            branch: artifact.branch.clone(),
        };
        let (package, capability) = (name.to_string(), dependency.repository());
        let evidence = Evidence::Spec { commit: commit.clone(), capability };
        edges.insert(Edge { dependent: artifact.clone(), dependency, kind, package, evidence });
    }
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

/// The names of everything that [`of_source`] looks for a provider of.
pub fn names_asked(content: &SourceContent) -> BTreeSet<String> {
    let required = content.packages.iter().flat_map(|package| &package.requires);
    let all = content.build_requires.iter().chain(required).flat_map(named_in);
    all.map(|wanted| wanted.name).collect()
}

/// The images a source names: those an image stands on, those a compose ships.
fn images_of(content: &SourceContent) -> Vec<(EdgeKind, &ArtifactName)> {
    match &content.recipe {
        Recipe::Package => Vec::new(),
        Recipe::Image(image) => image.parents().map(|name| (EdgeKind::LayeredOn, name)).collect(),
        Recipe::Compose(compose) => {
            compose.images().into_iter().map(|name| (EdgeKind::Ships, name)).collect()
        }
    }
}

/// The edges the build of a source package reports: its recorded buildroot, and what its packages require.
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

/// The edges the build of an image reports: one for each package that a stage of its installs, and one for each image
/// it stands on. What those images contain is their affair.
pub fn of_image(
    artifact: &ArtifactKey,
    build: BuildId,
    inputs: &ImageInputs,
    owners: &HashMap<BuildId, ArtifactKey>,
) -> Vec<Edge> {
    let installed = inputs.stages.iter().flat_map(|stage| &stage.install);
    let packages = installed.filter_map(|package| {
        Some((EdgeKind::Contains, package.build?, package.nevra.name.clone()))
    });
    let parents = inputs.stages.iter().filter_map(|stage| {
        let parent = stage.base?;
        Some((EdgeKind::LayeredOn, parent, owners.get(&parent)?.name.to_string()))
    });
    of_contents(artifact, build, packages.chain(parents), owners)
}

/// The edges a compose reports: one for each package and each image that it ships.
pub fn of_compose(
    artifact: &ArtifactKey,
    build: BuildId,
    inputs: &ComposeInputs,
    owners: &HashMap<BuildId, ArtifactKey>,
) -> Vec<Edge> {
    let packages = inputs.packages().map(|package| (package.build, package.nevra.name.clone()));
    let images = inputs.images().map(|image| (image.build, image.name.to_string()));
    let shipped = packages.chain(images).map(|(part, name)| (EdgeKind::Ships, part, name));
    of_contents(artifact, build, shipped, owners)
}

/// Kind, build and name of each part; a part whose artifact is not known was never ours.
fn of_contents(
    artifact: &ArtifactKey,
    build: BuildId,
    parts: impl Iterator<Item = (EdgeKind, BuildId, String)>,
    owners: &HashMap<BuildId, ArtifactKey>,
) -> Vec<Edge> {
    let edge = |(kind, part, package): (EdgeKind, BuildId, String)| {
        let (dependent, dependency) = (artifact.clone(), owners.get(&part)?.clone());
        let evidence = Evidence::Contents { build };
        Some(Edge { dependent, dependency, kind, package, evidence })
    };
    let edges: BTreeSet<Edge> = parts.filter_map(edge).collect();
    edges.into_iter().collect()
}

/// Whether one of the requirements names this package directly, by its name or a provide, alone or in a rich one.
pub fn is_direct(package: &Package, build_requires: &[Requirement]) -> bool {
    let provides =
        |wanted: &Capability| package.provides.iter().any(|given| wanted.is_satisfied_by(given));
    build_requires.iter().any(|requirement| named_in(requirement).iter().any(provides))
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::build::InstalledPackage;
    use model::compose::{ComposedArch, ComposedImage, ComposedPackage, ComposedVariant};
    use model::digest::Digest;
    use model::facet::PackageFacets;
    use model::image::StageInputs;

    fn key(name: &str) -> ArtifactKey {
        format!("rpms/{name}#f44").parse().unwrap()
    }

    fn id(number: usize) -> BuildId {
        format!("{number:032x}").parse().unwrap()
    }

    fn package(name: &str, provides: &[&str], requires: &str) -> Package {
        let requires = requires.split(';').map(str::trim).filter(|text| !text.is_empty());
        Package {
            nevra: format!("{name}-1-1.x86_64").parse().unwrap(),
            file: format!("{name}.rpm"),
            digest: Digest::of(name),
            size: 1,
            provides: provides.iter().map(|text| text.parse().unwrap()).collect(),
            requires: requires.map(|text| text.parse().unwrap()).collect(),
        }
    }

    /// zlib with a library, headers and a program; two that provide `mail`.
    fn providers() -> Providers {
        let mut providers = Providers::default();
        let provides = ["libz.so.1", "zlib = 1-1"].map(|text| text.parse().unwrap());
        providers.add(&key("zlib"), "zlib", &provides);
        providers.add(&key("zlib"), "zlib-devel", &[]);
        let files = vec!["/usr/bin/z 100755".to_owned(), "/usr/share/z 100644".to_owned()];
        let facets = PackageFacets {
            package: "zlib".to_owned(),
            arch: "x86_64".to_owned(),
            facets: [(Facet::Files, files)].into(),
        };
        providers.add_files(&key("zlib"), &BuildFacets(vec![facets]));
        for name in ["exim", "postfix"] {
            providers.add(&key(name), name, &["mail".parse().unwrap()]);
        }
        providers
    }

    /// What a package with these requirements needs, without its own artifact `app`.
    fn check_requires(requires: &str, expected: &str) {
        let packages = [package("app", &["app = 1-1"], requires)];
        let edges = of_build(
            &key("app"),
            id(1),
            &packages,
            &Buildroot::default(),
            (&HashMap::new(), &providers()),
        );
        let shown =
            edges.iter().map(|edge| format!("{} of {}", edge.package, edge.dependency.name));
        assert_eq!(shown.collect::<Vec<_>>().join("; "), expected, "{requires}");
    }

    #[test]
    fn requirements_lead_to_who_provides_them() {
        check_requires("libz.so.1", "zlib of zlib");
        check_requires("zlib >= 5", "zlib of zlib");
        check_requires("zlib-devel", "zlib-devel of zlib");
        check_requires("mail", "exim of exim; postfix of postfix");
        check_requires("libc.so.6; rpmlib(FileDigests) <= 4; app = 1-1", "");
    }

    #[test]
    fn files_and_the_parts_of_rich_requirements_count() {
        check_requires("/usr/bin/z", "zlib of zlib");
        check_requires("/usr/share/z", "");
        check_requires(
            "(zlib-devel >= 1 if mail)",
            "exim of exim; postfix of postfix; zlib-devel of zlib",
        );
    }

    #[test]
    fn a_buildroot_tells_what_was_asked_for_from_what_came_along() {
        let installed = |name: &str, build: Option<usize>, direct: bool| InstalledPackage {
            nevra: format!("{name}-1-1.x86_64").parse().unwrap(),
            digest: Digest::of(name),
            build: build.map(id),
            direct,
        };
        let buildroot = Buildroot(vec![
            installed("zlib-devel", Some(7), true),
            installed("zlib", Some(7), false),
            installed("host-toolchain", None, false),
            installed("app-data", Some(9), true),
            installed("forgotten", Some(8), true),
        ]);
        let owners = HashMap::from([(id(7), key("zlib")), (id(9), key("app"))]);
        let edges = of_build(&key("app"), id(1), &[], &buildroot, (&owners, &providers()));
        let shown: Vec<String> = edges.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "rpms/app#f44 build-requires zlib-devel of rpms/zlib#f44",
                "rpms/app#f44 buildroot zlib of rpms/zlib#f44",
            ]
        );
    }

    fn installed(nevra: &str, build: usize) -> InstalledPackage {
        InstalledPackage {
            nevra: nevra.parse().unwrap(),
            digest: Digest::of(nevra),
            build: Some(id(build)),
            direct: true,
        }
    }

    fn image(name: &str) -> ArtifactKey {
        format!("containers/{name}#f44").parse().unwrap()
    }

    fn show(edges: &[Edge]) -> Vec<String> {
        edges.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_image_contains_what_its_stages_install_and_stands_on_their_images() {
        let stage = |base: Option<usize>, install: &[InstalledPackage]| StageInputs {
            base: base.map(id),
            install: install.to_vec(),
        };
        let inputs = ImageInputs {
            stages: vec![
                stage(Some(1), &[installed("quill-1-1.x86_64", 2)]),
                stage(Some(1), &[installed("zlib-1-1.x86_64", 3), installed("old-1-1.noarch", 9)]),
            ],
        };
        let owners =
            HashMap::from([(id(1), image("base")), (id(2), key("quill")), (id(3), key("zlib"))]);
        assert_eq!(
            show(&of_image(&image("web"), id(7), &inputs, &owners)),
            [
                "containers/web#f44 contains quill of rpms/quill#f44",
                "containers/web#f44 contains zlib of rpms/zlib#f44",
                "containers/web#f44 layered-on base of containers/base#f44",
            ]
        );
    }

    #[test]
    fn a_compose_ships_packages_and_images() {
        let package = ComposedPackage {
            nevra: "zlib-1-1.x86_64".parse().unwrap(),
            source: "zlib-1-1.src".parse().unwrap(),
            build: id(3),
            file: "zlib-1-1.x86_64.rpm".to_owned(),
            digest: Digest::of("zlib"),
            size: 1,
        };
        let shipped = ComposedImage {
            name: "web".parse().unwrap(),
            nvr: "web-container-1-1".parse().unwrap(),
            build: id(4),
            digest: Digest::of("web"),
        };
        let arch = ComposedArch { packages: vec![package], images: vec![shipped] };
        let variant = |name: &str| {
            let arches = [("x86_64".parse().unwrap(), arch.clone())].into();
            (name.parse().unwrap(), ComposedVariant { name: name.to_owned(), arches })
        };
        let inputs = ComposeInputs { variants: [variant("Server"), variant("Web")].into() };
        let owners = HashMap::from([(id(3), key("zlib")), (id(4), image("web"))]);
        let compose = "composes/release#f44".parse().unwrap();
        assert_eq!(
            show(&of_compose(&compose, id(8), &inputs, &owners)),
            [
                "composes/release#f44 ships zlib of rpms/zlib#f44",
                "composes/release#f44 ships web of containers/web#f44",
            ]
        );
    }

    #[test]
    fn a_package_is_asked_for_by_name_by_a_provide_or_in_a_rich_requirement() {
        let zlib = package("zlib-devel", &["zlib-devel = 1-1", "pkgconfig(zlib) = 1"], "");
        let check = |wanted: &str, expected: bool| {
            assert_eq!(is_direct(&zlib, &[wanted.parse().unwrap()]), expected, "{wanted}");
        };
        check("zlib-devel", true);
        check("zlib-devel >= 2", false);
        check("pkgconfig(zlib)", true);
        check("(zlib-devel or zlib-ng-devel)", true);
        check("zlib", false);
    }
}
