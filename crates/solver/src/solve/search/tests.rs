//! The fast path, the search and the proofs against all subsets of small repositories.

use crate::explain::impossible;
use crate::rich::{self, Rich};
use crate::solve::{Job, Outcome, Solver};
use crate::tables::{Comparison, Dependency, DependencyId, PackageId, Relation, Tables};
use crate::testing;
use crate::universe::Universe;
use proptest::prelude::*;
use std::collections::HashMap;

/// Judges sets of packages by what the packages say, without a universe.
struct Judge {
    tables: Tables,
    packages: Vec<PackageId>,
    rich: HashMap<DependencyId, Rich>,
    wants: Vec<DependencyId>,
    /// By package: whom it cannot be with.
    excluded: Vec<u32>,
}

impl Judge {
    fn new(text: &str, wants: &[&str]) -> Self {
        let mut tables = testing::tables(text);
        let wants = wants.iter().map(|want| testing::dependency(&mut tables, want));
        let wants = wants.collect();
        let packages: Vec<PackageId> = tables.ids().collect();
        let required = packages.iter().flat_map(|id| tables.relations(*id, Relation::Requires));
        let required: Vec<DependencyId> = required.copied().collect();
        let mut rich = HashMap::new();
        for id in required {
            if !tables.dependencies.get(id).is_rich() {
                continue;
            }
            let text = tables.dependency_text(id);
            rich.insert(id, rich::parse(&mut tables, text.as_bytes()).unwrap());
        }
        let mut judge = Self { tables, packages, rich, wants, excluded: Vec::new() };
        for &one in &judge.packages {
            let all = judge.packages.iter().filter(|other| **other != one);
            let bits = all.filter(|other| judge.excludes(one, **other)).map(|id| 1 << id.index());
            judge.excluded.push(bits.sum());
        }
        judge
    }

    fn architecture(&self, id: PackageId) -> &str {
        self.tables.strings.text(self.tables.package(id).architecture)
    }

    fn provides(&self, package: PackageId, asked: DependencyId) -> bool {
        let asked = self.tables.dependencies.get(asked);
        let all = self.tables.relations(package, Relation::Provides);
        all.iter()
            .map(|&id| self.tables.dependencies.get(id))
            .any(|provided| provided.name == asked.name && self.tables.satisfies(provided, asked))
    }

    fn meets(&self, rich: &Rich, package: PackageId) -> bool {
        match rich {
            Rich::Plain(id) => self.provides(package, *id),
            Rich::With(items) => items.iter().all(|item| self.meets(item, package)),
            Rich::Without(one, other) => self.meets(one, package) && !self.meets(other, package),
            _ => false,
        }
    }

    fn holds(&self, rich: &Rich, set: &[PackageId]) -> bool {
        let holds = |rich: &Rich| self.holds(rich, set);
        match rich {
            Rich::And(items) => items.iter().all(holds),
            Rich::Or(items) => items.iter().any(holds),
            Rich::If(then, when, otherwise) => match (holds(when), otherwise) {
                (true, _) => holds(then),
                (false, Some(otherwise)) => holds(otherwise),
                (false, None) => true,
            },
            Rich::Unless(then, when, otherwise) => match (holds(when), otherwise) {
                (false, _) => holds(then),
                (true, Some(otherwise)) => holds(otherwise),
                (true, None) => false,
            },
            Rich::Plain(_) | Rich::With(_) | Rich::Without(..) => {
                set.iter().any(|&package| self.meets(rich, package))
            }
        }
    }

    fn is_there(&self, asked: DependencyId, set: &[PackageId]) -> bool {
        match self.rich.get(&asked) {
            Some(rich) => self.holds(rich, set),
            None => set.iter().any(|&package| self.provides(package, asked)),
        }
    }

    /// Whether one package says, or its name does, that it cannot be with another.
    fn excludes(&self, one: PackageId, other: PackageId) -> bool {
        let tables = &self.tables;
        let (left, right) = (self.architecture(one), self.architecture(other));
        let collide = left == right || left == "noarch" || right == "noarch";
        let is_same_name = tables.package(one).name == tables.package(other).name;
        let package = tables.package(other);
        let (name, evr) = (package.name, package.evr);
        let itself = Dependency { name, comparison: Comparison::EQUAL, evr };
        let is_obsoleted = |&id: &DependencyId| {
            let asked = tables.dependencies.get(id);
            asked.name == name && tables.satisfies(itself, asked)
        };
        let of = |relation| tables.relations(one, relation).iter();
        let replaces = || is_same_name || of(Relation::Obsoletes).any(is_obsoleted);
        (collide && replaces()) || of(Relation::Conflicts).any(|&asked| self.provides(other, asked))
    }

    /// An inferior architecture needs the same version of the better one, where there is the better one.
    fn is_out_of_step(&self, package: PackageId, set: &[PackageId]) -> bool {
        let this = self.tables.package(package);
        let is_better = |id: &&PackageId| {
            self.tables.package(**id).name == this.name && self.architecture(**id) == "x86_64"
        };
        self.architecture(package) == "i686"
            && self.packages.iter().any(|id| is_better(&id))
            && !set.iter().filter(is_better).any(|id| self.tables.package(*id).evr == this.evr)
    }

    fn accepts(&self, set: &[PackageId]) -> bool {
        let bits: u32 = set.iter().map(|id| 1 << id.index()).sum();
        set.iter().all(|id| self.excluded[id.index()] & bits == 0)
            && self.wants.iter().all(|&want| self.is_there(want, set))
            && set.iter().all(|&one| {
                let mut needs = self.tables.relations(one, Relation::Requires).iter();
                !self.is_out_of_step(one, set) && needs.all(|&asked| self.is_there(asked, set))
            })
    }

    fn is_satisfiable(&self) -> bool {
        let mut set = Vec::new();
        (0u32..1 << self.packages.len()).any(|bits| {
            set.clear();
            set.extend(self.packages.iter().filter(|id| bits >> id.index() & 1 == 1));
            self.accepts(&set)
        })
    }
}

fn plain() -> impl Strategy<Value = String> {
    let version = prop_oneof![
        4 => Just(String::new()),
        1 => (prop::sample::select(vec!["=", ">=", "<"]), 1..4u8)
            .prop_map(|(symbol, version)| format!(" {symbol} {version}")),
    ];
    (prop::sample::select(vec!["a", "b", "c", "d", "e", "v", "w"]), version)
        .prop_map(|(name, version)| format!("{name}{version}"))
}

fn dependency() -> impl Strategy<Value = String> {
    let two = |word: &'static str| {
        (plain(), plain()).prop_map(move |(one, other)| format!("({one} {word} {other})"))
    };
    let three = |word: &'static str| {
        (plain(), plain(), plain())
            .prop_map(move |(one, two, three)| format!("({one} {word} {two} else {three})"))
    };
    prop_oneof![
        8 => plain(),
        1 => two("or"),
        1 => two("and"),
        1 => two("if"),
        1 => two("unless"),
        1 => two("with"),
        1 => two("without"),
        1 => three("if"),
        1 => three("unless"),
    ]
}

fn package() -> impl Strategy<Value = (String, String)> {
    let nevra = (
        prop::sample::select(vec!["a", "b", "c", "d", "e"]),
        1..4u8,
        prop::sample::select(vec!["x86_64", "x86_64", "x86_64", "i686", "noarch"]),
    );
    let statement = prop_oneof![
        4 => dependency().prop_map(|text| format!("requires {text}")),
        1 => plain().prop_map(|text| format!("conflicts {text}")),
        1 => plain().prop_map(|text| format!("obsoletes {text}")),
        1 => prop::sample::select(vec!["provides v", "provides w = 2", "provides v = 1"])
            .prop_map(str::to_owned),
        1 => plain().prop_map(|text| format!("recommends {text}")),
    ];
    let nevra = nevra.prop_map(|(name, version, machine)| format!("{name} {version}-1.{machine}"));
    (nevra, prop::collection::vec(statement, 0..4).prop_map(|all| all.join("; ")))
}

fn repository() -> impl Strategy<Value = String> {
    prop::collection::vec(package(), 1..10).prop_map(|mut packages| {
        packages.sort();
        packages.dedup_by(|one, other| one.0 == other.0);
        let lines = packages.iter().map(|(nevra, said)| format!("{nevra}: {said}"));
        lines.collect::<Vec<_>>().join("\n")
    })
}

/// Holds everything that solves against all subsets.
fn check(text: &str, wants: &[&str]) {
    let judge = Judge::new(text, wants);
    let universe = testing::universe(text);
    let job = testing::job(&universe, &request(wants));
    let is_satisfiable = judge.is_satisfiable();
    let nothing = Job::new();
    let mut solver = Solver::new(&universe, &nothing);
    for (name, outcome) in [("solve", solver.solve(&job)), ("search", solver.search(&job))] {
        match outcome {
            Outcome::Solved(answer) => {
                let shown = show(&universe, &answer.packages);
                assert!(judge.accepts(&answer.packages), "{name}: {shown} is no answer");
            }
            Outcome::Unsatisfiable(_) => assert!(!is_satisfiable, "{name}: there is an answer"),
        }
    }
    check_proof(&universe, &job, is_satisfiable);
    // The same with what is wanted first as the base.
    if let [first, rest @ ..] = wants {
        let base = testing::job(&universe, &request(&[first]));
        let job = testing::job(&universe, &request(rest));
        let mut solver = Solver::new(&universe, &base);
        for outcome in [solver.solve(&job), solver.search(&job)] {
            assert_eq!(matches!(outcome, Outcome::Solved(_)), is_satisfiable, "on a base");
        }
    }
}

fn check_proof(universe: &Universe, job: &Job, is_satisfiable: bool) {
    let proof = impossible(universe, &Job::new(), job);
    assert_eq!(proof.is_none(), is_satisfiable, "proof: {proof:?}");
    if let Some(proof) = proof {
        assert!(!proof.facts.is_empty());
        assert!(!proof.text(universe).is_empty());
    }
}

fn request(wants: &[&str]) -> String {
    if wants.is_empty() { String::new() } else { format!("install {}", wants.join(", ")) }
}

fn show(universe: &Universe, packages: &[PackageId]) -> String {
    let names: Vec<String> = packages.iter().map(|id| universe.tables().nevra(*id)).collect();
    names.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_all_subsets(
        text in repository(),
        wants in prop::collection::vec(plain(), 1..4),
    ) {
        let wants: Vec<&str> = wants.iter().map(String::as_str).collect();
        check(&text, &wants);
    }
}

/// What the search installs, sorted.
fn check_search(text: &str, wants: &str, expected: &str) {
    let universe = testing::universe(text);
    let job = testing::job(&universe, &request(&[wants]));
    let shown = match Solver::new(&universe, &Job::new()).search(&job) {
        Outcome::Solved(answer) => {
            let names = answer.packages.iter().map(|id| universe.tables().name(*id));
            names.collect::<Vec<_>>().join(" ")
        }
        Outcome::Unsatisfiable(_) => "impossible".to_owned(),
    };
    assert_eq!(shown, expected, "{wants}");
}

#[test]
fn takes_wrong_choices_back() {
    let text = "
        app: requires one, two
        one-first: provides one; requires x = 1
        one-second: provides one; requires x = 2
        two-first: provides two; requires x = 3
        two-second: provides two; requires x = 2
        x 1-1
        x 2-1
        x 3-1
    ";
    check_search(text, "app", "app one-second two-second x");
    check_search(text, "app, x = 3", "impossible");
    check_search(text, "one, x = 1", "one-first x");
}

/// Each guest needs a room, there is one room too few, and no room takes two: no choice is wrong by itself.
fn hotel(rooms: usize) -> (String, String) {
    let (mut text, mut guests) = (String::new(), Vec::new());
    for guest in 0..=rooms {
        let stays: Vec<String> = (0..rooms).map(|room| format!("in-{guest}-{room}")).collect();
        text.push_str(&format!("guest{guest}: requires ({})\n", stays.join(" or ")));
        for (room, stay) in stays.iter().enumerate() {
            text.push_str(&format!("{stay}: provides room{room}; conflicts room{room}\n"));
        }
        guests.push(format!("guest{guest}"));
    }
    (text, guests.join(", "))
}

#[test]
fn comes_to_an_end_where_no_choice_is_wrong_by_itself() {
    for rooms in 2..6 {
        let (text, guests) = hotel(rooms);
        check_search(&text, &guests, "impossible");
    }
}
