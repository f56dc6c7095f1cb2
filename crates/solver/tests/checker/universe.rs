//! The packages there are, each relation turned into the packages that fulfil it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::evr::Range;
use super::primary::Package;
use super::rich::{Capability, Formula, parse};

/// Everything the answers are held against.
pub(crate) struct Universe {
    pub(crate) packages: Vec<Known>,
    pub(crate) by_nevra: HashMap<String, Vec<u32>>,
    pub(crate) sources: HashMap<String, Known>,
    provided: Provided,
}

/// A package with its relations.
pub(crate) struct Known {
    pub(crate) name: String,
    pub(crate) nevra: String,
    /// Packages of one name with a colour in common cannot be there together.
    pub(crate) colours: u8,
    pub(crate) is_installonly: bool,
    pub(crate) requires: Vec<(Rule, String)>,
    pub(crate) conflicts: Vec<(Rule, String)>,
    pub(crate) obsoletes: Vec<(Rc<[u32]>, String)>,
}

/// What a set of packages must have.
pub(crate) enum Rule {
    Any(Rc<[u32]>),
    All(Vec<Rule>),
    Some(Vec<Rule>),
    Not(Box<Rule>),
}

impl Rule {
    pub(crate) fn holds(&self, there: &dyn Fn(u32) -> bool) -> bool {
        match self {
            Self::Any(packages) => packages.iter().any(|package| there(*package)),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(there)),
            Self::Some(rules) => rules.iter().any(|rule| rule.holds(there)),
            Self::Not(rule) => !rule.holds(there),
        }
    }
}

/// Who provides what.
#[derive(Default)]
struct Provided {
    names: HashMap<String, Vec<(u32, Option<Range>)>>,
    found: HashMap<Capability, Rc<[u32]>>,
}

impl Universe {
    /// Of binary packages, of files that other metadata lists for them, and of source packages.
    pub(crate) fn new(binaries: &[Package], filelists: &[Package], sources: &[Package]) -> Self {
        let mut provided = Provided::default();
        let wanted: HashSet<String> = binaries
            .iter()
            .chain(sources)
            .flat_map(|package| package.requires.iter().chain(&package.conflicts))
            .flat_map(paths)
            .collect();
        let mut files: HashMap<String, Vec<String>> = HashMap::new();
        for package in filelists {
            let kept = package.files.iter().filter(|file| wanted.contains(*file)).cloned();
            files.entry(nevra(package)).or_default().extend(kept);
        }
        let mut by_nevra: HashMap<String, Vec<u32>> = HashMap::new();
        for (place, package) in (0..).zip(binaries) {
            let nevra = nevra(package);
            for capability in &package.provides {
                provided.add(&capability.name, place, capability.range.clone());
            }
            let listed = files.get(&nevra).into_iter().flatten().chain(&package.files);
            for file in listed.filter(|file| wanted.contains(*file)) {
                provided.add(file, place, None);
            }
            by_nevra.entry(nevra).or_default().push(place);
        }
        let named = Named::new(binaries);
        let packages = binaries.iter().map(|package| known(package, &mut provided, &named));
        let packages = packages.collect();
        let sources = sources
            .iter()
            .map(|package| (package.name.clone(), known(package, &mut provided, &named)));
        let sources = sources.collect();
        Self { packages, by_nevra, sources, provided }
    }

    /// The packages that provide a name, whatever the version.
    pub(crate) fn providers(&self, name: &str) -> Rc<[u32]> {
        let providers = self.provided.names.get(name).into_iter().flatten();
        providers.map(|(package, _)| *package).collect()
    }
}

impl Provided {
    fn add(&mut self, name: &str, package: u32, range: Option<Range>) {
        self.names.entry(name.to_owned()).or_default().push((package, range));
    }

    /// The packages that provide a capability; without a version on either side every one fits.
    fn find(&mut self, wanted: &Capability) -> Rc<[u32]> {
        if let Some(found) = self.found.get(wanted) {
            return Rc::clone(found);
        }
        let fits = |range: &Option<Range>| match (range, &wanted.range) {
            (Some(range), Some(wanted)) => range.meets(wanted),
            _ => true,
        };
        let providers = self.names.get(&wanted.name).into_iter().flatten();
        let fitting = providers.filter(|(_, range)| fits(range)).map(|(package, _)| *package);
        let fitting: Rc<[u32]> = fitting.collect();
        self.found.insert(wanted.clone(), Rc::clone(&fitting));
        fitting
    }

    fn rule(&mut self, formula: &Formula) -> Rule {
        let mut rules = |formulas: &[Formula]| formulas.iter().map(|it| self.rule(it)).collect();
        match formula {
            Formula::One(capability) => Rule::Any(self.find(capability)),
            Formula::And(formulas) => Rule::All(rules(formulas)),
            Formula::Or(formulas) => Rule::Some(rules(formulas)),
            Formula::With(_) | Formula::Without(_) => {
                Rule::Any(self.single(formula).into_iter().collect())
            }
            // A if B is A or not B; with else C it is that and (B or C).
            Formula::If(both, other) => {
                let otherwise = other
                    .as_ref()
                    .map(|other| Rule::Some(vec![self.rule(&both[1]), self.rule(other)]));
                let absent = Rule::Not(Box::new(self.rule(&both[1])));
                let then = Rule::Some(vec![self.rule(&both[0]), absent]);
                Rule::All([Some(then), otherwise].into_iter().flatten().collect())
            }
            // A unless B is A and not B; with else C it is that or (B and C).
            Formula::Unless(both, other) => {
                let otherwise = other
                    .as_ref()
                    .map(|other| Rule::All(vec![self.rule(&both[1]), self.rule(other)]));
                let absent = Rule::Not(Box::new(self.rule(&both[1])));
                let then = Rule::All(vec![self.rule(&both[0]), absent]);
                Rule::Some([Some(then), otherwise].into_iter().flatten().collect())
            }
        }
    }

    /// The packages each of which fulfils a formula alone.
    fn single(&mut self, formula: &Formula) -> BTreeSet<u32> {
        match formula {
            Formula::One(capability) => self.find(capability).iter().copied().collect(),
            Formula::Or(formulas) => formulas.iter().flat_map(|it| self.single(it)).collect(),
            Formula::With(formulas) => {
                let sets: Vec<_> = formulas.iter().map(|it| self.single(it)).collect();
                let common = |all: BTreeSet<u32>, set: &BTreeSet<u32>| &all & set;
                sets[1..].iter().fold(sets[0].clone(), common)
            }
            Formula::Without(both) => &self.single(&both[0]) - &self.single(&both[1]),
            other => panic!("rpm does not allow {other:?} for one package"),
        }
    }
}

/// Packages by their names, with what an `Obsoletes` compares.
struct Named {
    packages: HashMap<String, Vec<(u32, Option<Range>, u8)>>,
}

impl Named {
    fn new(binaries: &[Package]) -> Self {
        let mut packages: HashMap<String, Vec<_>> = HashMap::new();
        for (place, package) in (0..).zip(binaries) {
            let range = package.version.clone().map(Range::exactly);
            packages.entry(package.name.clone()).or_default().push((
                place,
                range,
                colours(package),
            ));
        }
        Self { packages }
    }

    /// Obsoletes look at names and versions of packages, not at what they provide; on a system of two word
    /// sizes only at those of the own one.
    fn obsoleted(&self, wanted: &Capability, colours: u8) -> Rc<[u32]> {
        let fits = |range: &Option<Range>| match (range, &wanted.range) {
            (Some(range), Some(wanted)) => range.meets(wanted),
            _ => true,
        };
        let named = self.packages.get(&wanted.name).into_iter().flatten();
        let named = named.filter(|(_, range, other)| fits(range) && other & colours != 0);
        named.map(|(package, _, _)| *package).collect()
    }
}

fn known(package: &Package, provided: &mut Provided, named: &Named) -> Known {
    let mut rules = |capabilities: &[Capability]| -> Vec<(Rule, String)> {
        // rpm itself provides these.
        let asked = capabilities.iter().filter(|it| !it.name.starts_with("rpmlib("));
        asked.map(|it| (provided.rule(&formula(it)), shown(it))).collect()
    };
    let (requires, conflicts) = (rules(&package.requires), rules(&package.conflicts));
    let colours = colours(package);
    let obsoletes = package.obsoletes.iter();
    Known {
        name: package.name.clone(),
        nevra: nevra(package),
        colours,
        is_installonly: package.provides.iter().any(|it| it.name.starts_with("installonlypkg(")),
        requires,
        conflicts,
        obsoletes: obsoletes.map(|it| (named.obsoleted(it, colours), shown(it))).collect(),
    }
}

fn formula(capability: &Capability) -> Formula {
    if capability.name.starts_with('(') {
        parse(&capability.name)
    } else {
        Formula::One(capability.clone())
    }
}

fn shown(capability: &Capability) -> String {
    let Some(Range { less, equal, greater, version }) = &capability.range else {
        return capability.name.clone();
    };
    let sign = |is: &bool, sign: &'static str| if *is { sign } else { "" };
    let signs = [sign(less, "<"), sign(greater, ">"), sign(equal, "=")].concat();
    let release = if version.release.is_empty() { "" } else { "-" };
    let epoch = if version.epoch.is_empty() { "" } else { ":" };
    format!(
        "{} {signs} {}{epoch}{}{release}{}",
        capability.name, version.epoch, version.version, version.release
    )
}

/// The paths that a relation names.
fn paths(capability: &Capability) -> Vec<String> {
    let words = capability.name.split([' ', '(', ')']);
    words.filter(|word| word.starts_with('/')).map(str::to_owned).collect()
}

/// 64 bit, 32 bit, or both for what is of neither.
fn colours(package: &Package) -> u8 {
    match package.arch.as_str() {
        "noarch" => 3,
        "i386" | "i486" | "i586" | "i686" => 1,
        _ => 2,
    }
}

fn nevra(package: &Package) -> String {
    let Some(version) = &package.version else { return package.name.clone() };
    let (epoch, colon) = match version.epoch.as_str() {
        "" | "0" => ("", ""),
        epoch => (epoch, ":"),
    };
    let Package { name, arch, .. } = package;
    format!("{name}-{epoch}{colon}{}-{}.{arch}", version.version, version.release)
}
