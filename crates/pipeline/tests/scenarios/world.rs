//! A small distribution that is built by fakes: who needs whom, and what a build of each puts out.
//!
//! Every artifact `x` has the packages `x` and `x-devel`; `x-devel` requires `x` in its own version. Arrows point from
//! what is needed to who needs it:
//!
//! | arrow | meaning |
//! |---|---|
//! | `a <- b` | `b` build-requires `a-devel`, and `b` requires `libb`'s soname as it was when `b` was built |
//! | `a <= b` | `b` build-requires `a-devel`, and nothing at run time |
//! | `a <~ b` | `b` requires `a` by name at run time, and nothing at build time |
//! | `a <! b` | `b` build-requires `a-devel`, and `b` requires exactly the `a` it was built with |
//! | `a <. b` | `b-devel` requires `a-devel` |
//!
//! Words: `new a` is not published, `frozen a`, `bootstrap a`.

use std::collections::{BTreeMap, BTreeSet};

use model::artifact::{ArtifactKey, CommitId};
use model::build::Flavour;
use model::digest::Digest;
use model::facet::{BuildFacets, Facet, PackageFacets};
use model::id::BuildId;
use model::package::Package;
use pipeline::facts::BuildFacts;

/// How an artifact needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// `<-`
    Linked,
    /// `<=`
    Built,
    /// `<~`
    Named,
    /// `<!`
    Exact,
    /// `<.`
    Devel,
}

const ARROWS: [(&str, Need); 5] = [
    ("<-", Need::Linked),
    ("<=", Need::Built),
    ("<~", Need::Named),
    ("<!", Need::Exact),
    ("<.", Need::Devel),
];

/// Who needs whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct World {
    /// The artifacts by name.
    pub(crate) artifacts: BTreeSet<String>,
    /// Dependent, how, dependency.
    pub(crate) needs: BTreeSet<(String, Need, String)>,
    /// Not published at the beginning.
    pub(crate) new: BTreeSet<String>,
    /// Left out of plans.
    pub(crate) frozen: BTreeSet<String>,
    /// With a bootstrap flavour that needs nothing.
    pub(crate) bootstrap: BTreeSet<String>,
}

impl World {
    pub(crate) fn read(text: &str) -> Self {
        let mut world = Self::default();
        for statement in text.split(';').map(str::trim).filter(|text| !text.is_empty()) {
            let words: Vec<&str> = statement.split_whitespace().collect();
            let names = || words[1..].iter().map(|name| (*name).to_owned());
            match words[0] {
                "new" => world.new.extend(names()),
                "frozen" => world.frozen.extend(names()),
                "bootstrap" => world.bootstrap.extend(names()),
                _ => world.chain(&words),
            }
        }
        world
    }

    /// `a <- b <= c`
    fn chain(&mut self, words: &[&str]) {
        self.artifacts.extend(words.iter().step_by(2).map(|name| (*name).to_owned()));
        for link in words.windows(3).step_by(2) {
            let (_, need) = ARROWS.into_iter().find(|(arrow, _)| *arrow == link[1]).unwrap();
            self.needs.insert((link[2].to_owned(), need, link[0].to_owned()));
        }
    }

    /// What an artifact needs.
    pub(crate) fn needs_of<'a>(
        &'a self,
        dependent: &'a str,
    ) -> impl Iterator<Item = (Need, &'a str)> {
        let own = self.needs.iter().filter(move |(name, ..)| name == dependent);
        own.map(|(_, need, dependency)| (*need, dependency.as_str()))
    }

    /// The packages a build asks for.
    pub(crate) fn build_requires(&self, artifact: &str, flavour: Flavour) -> Vec<String> {
        let built = |need: Need| matches!(need, Need::Linked | Need::Built | Need::Exact);
        let needs = self.needs_of(artifact).filter(|(need, _)| built(*need));
        match flavour {
            Flavour::Bootstrap => Vec::new(),
            Flavour::Full => needs.map(|(_, name)| format!("{name}-devel")).collect(),
        }
    }
}

pub(crate) fn key(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

pub(crate) fn commit(number: usize) -> CommitId {
    format!("{number:040}").parse().unwrap()
}

pub(crate) fn build_id(number: usize) -> BuildId {
    format!("{number:032x}").parse().unwrap()
}

/// What may change about an artifact: a number for each aspect, new whenever it changes.
pub(crate) type Aspects = BTreeMap<String, u32>;

/// What a fake build is made of.
pub(crate) struct Recipe<'a> {
    pub(crate) world: &'a World,
    pub(crate) artifact: &'a str,
    pub(crate) evr: String,
    pub(crate) aspects: Aspects,
    pub(crate) flavour: Flavour,
    /// The builds of ours in its buildroot.
    pub(crate) against: Vec<BuildId>,
    /// The soname and the version of each artifact, as the build sees them.
    pub(crate) seen: BTreeMap<String, (u32, String)>,
}

impl Recipe<'_> {
    /// The outputs.
    pub(crate) fn build(self) -> BuildFacts {
        let name = self.artifact;
        let soname = format!("lib{name}.so.{}", self.aspect("soname"));
        let mut requires = Vec::new();
        let mut devel = vec![format!("{name} = {}", self.evr)];
        for (need, dependency) in self.world.needs_of(name) {
            let seen = self.seen.get(dependency);
            match (need, seen) {
                (Need::Linked, Some((soname, _))) => {
                    requires.push(format!("lib{dependency}.so.{soname}"));
                }
                (Need::Exact, Some((_, evr))) => requires.push(format!("{dependency} = {evr}")),
                (Need::Named, _) => requires.push(dependency.to_owned()),
                (Need::Devel, _) => devel.push(format!("{dependency}-devel")),
                _ => {}
            }
        }
        let facets = BuildFacets(vec![self.main_facets(&soname), self.devel_facets()]);
        BuildFacts {
            contains: Vec::new(),
            packages: vec![
                self.package(name, &[soname.as_str(), name], &requires),
                self.package(&format!("{name}-devel"), &[&format!("{name}-devel")], &devel),
            ],
            facets,
            against: self.against,
            bootstrap: self.flavour == Flavour::Bootstrap,
        }
    }

    fn aspect(&self, name: &str) -> u32 {
        self.aspects.get(name).copied().unwrap_or(0)
    }

    /// Whatever changes about a package changes its content.
    fn content(&self, aspects: &[&str]) -> Vec<String> {
        aspects.iter().map(|aspect| format!("/{aspect} {}", self.aspect(aspect))).collect()
    }

    fn main_facets(&self, soname: &str) -> PackageFacets {
        let symbols = (0..=self.aspect("symbol")).map(|n| format!("{soname} added{n}"));
        let abi = symbols.chain([format!("{soname} f{}", self.aspect("abi"))]).collect();
        let content = ["content", "symbol", "abi", "soname", "tools", "data"];
        let facets = BTreeMap::from([
            (Facet::Abi, abi),
            (Facet::Provides, vec![soname.to_owned()]),
            (Facet::Scripts, vec![format!("post {}", self.aspect("scripts"))]),
            (Facet::Tools, vec![format!("/usr/bin/{} {}", self.artifact, self.aspect("tools"))]),
            (Facet::Data, vec![format!("/usr/share/{} {}", self.artifact, self.aspect("data"))]),
            (Facet::Files, vec![format!("/usr/bin/{} 100755", self.artifact)]),
            (Facet::Content, self.content(&content)),
        ]);
        PackageFacets { package: self.artifact.to_owned(), arch: "x86_64".to_owned(), facets }
    }

    fn devel_facets(&self) -> PackageFacets {
        let facets = BTreeMap::from([
            (Facet::Headers, vec![format!("/{}.h {}", self.artifact, self.aspect("headers"))]),
            (Facet::Static, vec![format!("/{}.a {}", self.artifact, self.aspect("static"))]),
            (Facet::Content, self.content(&["headers", "static"])),
        ]);
        let package = format!("{}-devel", self.artifact);
        PackageFacets { package, arch: "x86_64".to_owned(), facets }
    }

    fn package(&self, name: &str, provides: &[&str], requires: &[String]) -> Package {
        let provide = |given: &&str| match *given == name {
            true => format!("{given} = {}", self.evr).parse().unwrap(),
            false => given.parse().unwrap(),
        };
        Package {
            nevra: format!("{name}-{}.x86_64", self.evr).parse().unwrap(),
            file: format!("{name}-{}.x86_64.rpm", self.evr),
            digest: Digest::of(name),
            size: 1,
            provides: provides.iter().map(provide).collect(),
            requires: requires.iter().map(|text| text.parse().unwrap()).collect(),
        }
    }
}
