//! Small random distributions, with everything packages can say of each other.

use solver::change::{Change, LiveUniverse};
use solver::tables::{
    Comparison, Dependency, DependencyId, EvrId, Package, PackageId, Relation, StringId, Tables,
};
use solver::universe::{Options, Universe};

/// A sequence of numbers that is the same for the same seed (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % end.max(1)
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// How many names packages have; a few more are asked for that nobody has.
const NAMES: usize = 14;

fn capability(random: &mut Random) -> String {
    match random.below(10) {
        0 | 1 => format!("cap{}", random.below(6)),
        2 if random.one_in(4) => "nowhere".to_owned(),
        _ => format!("p{}", random.below(NAMES)),
    }
}

fn asked(random: &mut Random) -> String {
    let name = capability(random);
    if random.one_in(4) {
        let symbol = random.pick(&["<", "=", ">=", ">", "<="]);
        return format!("{name} {symbol} {}", 1 + random.below(3));
    }
    name
}

fn stated(random: &mut Random) -> String {
    if random.one_in(5) {
        let operator = random.pick(&["or", "or", "and", "if", "unless", "with", "without"]);
        return format!("({} {operator} {})", asked(random), asked(random));
    }
    asked(random)
}

/// A dependency on a name, or on a name and a version.
pub(crate) fn plain(tables: &mut Tables, text: &str) -> DependencyId {
    let words: Vec<&str> = text.split(' ').collect();
    let (comparison, evr) = match words[..] {
        [_, symbol, version] => (
            Comparison::from_symbol(symbol.as_bytes()).unwrap(),
            tables.intern_evr_text(version.as_bytes()),
        ),
        _ => (Comparison::ANY, EvrId::NONE),
    };
    let name = tables.strings.intern(words[0].as_bytes());
    tables.dependencies.intern(Dependency { name, comparison, evr })
}

fn dependency(tables: &mut Tables, text: &str) -> DependencyId {
    if !text.starts_with('(') {
        return plain(tables, text);
    }
    let name = tables.strings.intern(text.as_bytes());
    tables.dependencies.intern(Dependency { name, comparison: Comparison::RICH, evr: EvrId::NONE })
}

/// Adds a package of random relations.
pub(crate) fn push(
    tables: &mut Tables,
    random: &mut Random,
    name: &str,
    version: usize,
    is_source: bool,
) {
    let version = version.to_string();
    let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
    for relation in Relation::ALL {
        let most = match relation {
            Relation::Requires if is_source => 5,
            Relation::Provides | Relation::Requires => 3,
            Relation::Conflicts => 2 * usize::from(random.one_in(5)),
            Relation::Obsoletes => 2 * usize::from(random.one_in(8)),
            _ => 2 * usize::from(random.one_in(4)),
        };
        if is_source && !matches!(relation, Relation::Requires | Relation::Conflicts) {
            continue;
        }
        for _ in 0..random.below(most + 1) {
            let text = match relation {
                Relation::Provides => format!("cap{} = {}", random.below(6), 1 + random.below(3)),
                Relation::Obsoletes => format!("p{} < 2", random.below(NAMES)),
                _ => stated(random),
            };
            lists[relation as usize].push(dependency(tables, &text));
        }
    }
    if !is_source {
        let itself = dependency(tables, &format!("{name} = {version}"));
        lists[Relation::Provides as usize].push(itself);
    }
    let evr = tables.intern_evr_text(version.as_bytes());
    let architecture = match random.below(8) {
        _ if is_source => "src",
        0 => "noarch",
        1 => "i686",
        _ => "x86_64",
    };
    let mut text = |text: &str| -> StringId { tables.strings.intern(text.as_bytes()) };
    let identity = Package::new(text(name), text(architecture), evr, text(""));
    tables.push(identity, &lists);
}

/// A distribution of some packages and sources, those of a second repository being of a higher priority
/// now and then.
pub(crate) fn tables(random: &mut Random) -> Tables {
    let mut tables = Tables::new();
    for (repository, count) in [("base", 16u32), ("side", 6)] {
        for _ in 0..count {
            let name = format!("p{}", random.below(NAMES));
            let version = 1 + random.below(3);
            push(&mut tables, random, &name, version, false);
        }
        for number in 0..4 {
            push(&mut tables, random, &format!("{repository}-s{number}"), 1, true);
        }
        let priority = i32::from(repository == "side" && random.one_in(3));
        tables.close_repository(repository, priority, count + 4);
    }
    tables
}

/// A change of one to three packages: removed, replaced by a newer version that says the same or something
/// else, added.
pub(crate) fn change(live: &mut LiveUniverse, random: &mut Random) -> Change {
    let mut change = Change::new();
    for _ in 0..1 + random.below(3) {
        let package = PackageId::from_index(random.below(live.universe().tables().len()));
        let tables = live.universe().tables();
        let name = tables.name(package).to_owned();
        let is_source = name.contains("-s");
        match random.below(4) {
            0 => {
                change.remove(package);
            }
            1 if live.is_present(package) => {
                let by = bumped(live, package);
                change.replace(package, by);
            }
            2 => {
                let by = fresh(live, random, &name, is_source);
                change.replace(package, by);
            }
            _ => {
                let name = if is_source { name } else { format!("p{}", random.below(NAMES)) };
                let by = fresh(live, random, &name, is_source);
                change.add(random.pick(&["base", "side", "third"]), 0, by);
            }
        }
    }
    change
}

fn fresh(
    live: &mut LiveUniverse,
    random: &mut Random,
    name: &str,
    is_source: bool,
) -> solver::change::Stated {
    let mut tables = Tables::new();
    let version = 1 + random.below(4);
    push(&mut tables, random, name, version, is_source);
    live.state(&tables, PackageId::from_index(0)).unwrap()
}

/// The same package in a newer version, with the same relations but for its own version.
pub(crate) fn bumped(live: &mut LiveUniverse, package: PackageId) -> solver::change::Stated {
    let tables = live.universe().tables();
    let version = format!("{}.1", tables.evr_text(tables.package(package).evr));
    live.rebuilt(package, &version)
}

/// The universe built anew from the tables as they are now.
pub(crate) fn built_anew(live: &LiveUniverse) -> Universe {
    let tables = live.universe().tables().clone();
    let excluded = tables.ids().filter(|id| !live.is_present(*id)).collect();
    Universe::new(tables, &Options { excluded, ..Options::default() }).unwrap()
}
