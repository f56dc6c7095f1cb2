//! A snapshot says what the universe said it was made of.

use super::*;
use crate::change::{Change, LiveUniverse};
use crate::load::repomd::Checksum;
use crate::solve::Solver;
use crate::tables::Relation;
use crate::testing;

/// Something of everything: rich dependencies, weak ones, two architectures, sources, obsoletes, priorities.
const PACKAGES: &str = "
    app 2:1.5-3: requires libc >= 2, (tls or ssl), (gui if desktop); recommends docs; conflicts old < 2
    libc 2.4-1: provides libc.so.6
    libc 2.4-1.i686: provides libc.so.6
    tls: enhances app; supplements (app and desktop)
    ssl: obsoletes old < 3; suggests docs
    desktop: requires nothing-has-it
    gui: requires desktop
    docs: recommends (gui if desktop)
    old
    repository first 0
    app 1-1
    tool.src: requires app, libc; conflicts tls
    repository second 5 700";

const QUESTIONS: [&str; 7] = [
    "install app",
    "install app; weak",
    "install libc.so.6",
    "package libc-2.4-1.i686",
    "build tool",
    "install old, ssl",
    "install gui",
];

fn origin() -> Origin {
    let checksum = Checksum { function: "sha256".to_owned(), digest: "00".to_owned() };
    Origin::new("x86_64").with_repository("first", (0, 900), &checksum).with_fact("two\nlines")
}

#[test]
fn answers_stay_the_same() {
    let universe = testing::universe(PACKAGES);
    let bytes = to_bytes(&universe, &origin());
    let snapshot = from_bytes(&bytes).unwrap();
    assert_eq!(snapshot.origin, origin());
    let costs = snapshot.universe.tables().repositories().iter().map(|repository| repository.cost);
    assert_eq!(costs.collect::<Vec<_>>(), [1000, 700]);
    let base = testing::job(&universe, "");
    let (mut one, mut two) =
        (Solver::new(&universe, &base), Solver::new(&snapshot.universe, &base));
    for question in QUESTIONS {
        let expected = testing::answer(&universe, &mut one, question);
        assert_eq!(testing::answer(&snapshot.universe, &mut two, question), expected, "{question}");
    }
    // Writing it again gives the same, byte for byte.
    assert_eq!(to_bytes(&snapshot.universe, &snapshot.origin), bytes);
}

#[test]
fn tables_can_grow_on() {
    let universe = testing::universe(PACKAGES);
    let snapshot = from_bytes(&to_bytes(&universe, &origin())).unwrap();
    let mut tables = snapshot.universe.tables().clone();
    let (known, new) = (tables.strings.intern(b"libc"), tables.strings.intern(b"new"));
    assert_eq!(universe.tables().strings.find(b"libc"), Some(known));
    assert_eq!(tables.strings.find(b"new"), Some(new));
    assert_eq!(new.index(), universe.tables().strings.len());
    tables.append(universe.tables());
    assert_eq!(tables.len(), 2 * universe.tables().len());
    let (first, again) =
        (testing::package(&snapshot.universe, "app-2:1.5"), universe.tables().len());
    let again = tables.ids().nth(again).unwrap();
    for relation in Relation::ALL {
        assert_eq!(tables.relations(first, relation), tables.relations(again, relation));
    }
}

/// What was opened can change as what was made can; what changed can be kept.
#[test]
fn changes_as_the_original_does() {
    let bytes = to_bytes(&testing::universe(PACKAGES), &origin());
    let opened = from_bytes(&bytes).unwrap().universe;
    let other = testing::universe(
        "new: provides app = 9; requires (tls or more)
         repository elsewhere 7",
    );
    let mut lives = [testing::universe(PACKAGES), opened].map(LiveUniverse::new);
    let [one, two] = lives.each_mut().map(|live| {
        let mut change = Change::new();
        let new = testing::package(&other, "new");
        let new = live.state(other.tables(), new).unwrap();
        let (ssl, libc) = (
            testing::package(live.universe(), "ssl"),
            testing::package(live.universe(), "libc-2.4-1.x86_64"),
        );
        let rebuilt = live.rebuilt(libc, "3-1");
        change.remove(ssl).add("elsewhere", 7, new).replace(libc, rebuilt);
        live.apply(&change)
    });
    assert_eq!(one.effect, two.effect);
    let [made, opened] = lives.map(LiveUniverse::into_universe);
    let kept = to_bytes(&opened, &origin());
    assert_eq!(kept, to_bytes(&made, &origin()));
    let kept = from_bytes(&kept).unwrap().universe;
    let base = testing::job(&made, "");
    for question in ["install app", "install app; weak", "build tool", "install new", "install ssl"]
    {
        let [expected, opened, kept] = [&made, &opened, &kept]
            .map(|universe| testing::answer(universe, &mut Solver::new(universe, &base), question));
        assert_eq!(opened, expected, "{question}");
        assert_eq!(kept, expected, "{question}");
    }
    let mut again = LiveUniverse::new(kept);
    again.apply(&two.inverse);
    let base = testing::job(again.universe(), "");
    let original = testing::universe(PACKAGES);
    for question in QUESTIONS {
        let [expected, back] = [&original, again.universe()]
            .map(|universe| testing::answer(universe, &mut Solver::new(universe, &base), question));
        assert_eq!(back, expected, "{question}");
    }
}

#[cfg(feature = "read")]
#[test]
fn a_file_is_replaced_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    let missing = open(&path).unwrap_err();
    assert!(matches!(missing.why, SnapshotError::File(_)), "{missing}");
    let universe = testing::universe("a: requires b\nb");
    save(&path, &universe, &origin()).unwrap();
    let first = open(&path).unwrap();
    save(&path, &testing::universe("c"), &Origin::new("x86_64")).unwrap();
    // Who has the old one keeps it.
    assert_eq!(
        first.universe.tables().nevra(testing::package(&first.universe, "b")),
        "b-1-1.x86_64"
    );
    assert_eq!(origin_of(&path).unwrap(), Origin::new("x86_64"));
    assert_eq!(open(&path).unwrap().universe.tables().len(), 1);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    std::fs::write(&path, "").unwrap();
    assert!(matches!(open(&path).unwrap_err().why, SnapshotError::NoSnapshot));
}

#[test]
fn says_what_is_wrong() {
    let whole = to_bytes(&testing::universe(PACKAGES), &origin());
    let check = |change: fn(&mut Vec<u8>), expected: &str| {
        let mut bytes = whole.clone();
        change(&mut bytes);
        assert_eq!(from_bytes(&bytes).unwrap_err().to_string(), expected);
    };
    check(|bytes| bytes[0] ^= 1, "this is no snapshot");
    check(|bytes| bytes[32] += 1, "another version wrote this snapshot");
    check(|bytes| bytes[70] ^= 1, "its table of sections is damaged");
    check(|bytes| bytes.truncate(3000), "its header is damaged");
    let last = "its section `suggested` is damaged";
    check(|bytes| *bytes.last_mut().unwrap() ^= 1, last);
}

/// Looks at everything there is, and asks questions.
fn use_all(universe: &Universe) {
    let tables = universe.tables();
    for id in tables.ids() {
        drop(tables.nevra(id));
        assert!(
            tables.repository_of(id).is_none_or(|it| it.packages.contains(&(id.index() as u32)))
        );
        for relation in Relation::ALL {
            for dependency in tables.relations(id, relation) {
                drop(tables.dependency_text(*dependency));
                universe
                    .set_of(*dependency)
                    .into_iter()
                    .for_each(|set| drop(members(universe, set)));
                let rich = universe.rich(*dependency, true).into_iter().flatten();
                rich.for_each(|condition| drop(members(universe, condition.then)));
            }
        }
        universe.needs(id).for_each(|set| drop(members(universe, set)));
        universe.conditions(id).for_each(|condition| drop(members(universe, condition.then)));
        universe.conflicts(id).for_each(|other| drop(tables.nevra(other)));
    }
    // What is forged can contradict itself, and so can answers: in debug builds the solver asserts that
    // they do not.
    if cfg!(debug_assertions) {
        return;
    }
    let base = testing::job(universe, "");
    let mut solver = Solver::new(universe, &base);
    for id in universe.installable().chain(universe.sources()) {
        let mut job = testing::job(universe, "install app; weak");
        job.package(id);
        drop(solver.solve(&job));
    }
}

fn members(universe: &Universe, set: crate::universe::SetId) -> Vec<String> {
    universe.members(set).map(|member| universe.tables().nevra(member)).collect()
}

/// Each number of a file in turn becomes another, and the checksums are made to fit.
#[test]
fn forged_numbers_do_no_harm() {
    let whole = to_bytes(&testing::universe(PACKAGES), &origin());
    let (mut refused, mut taken) = (0, 0);
    for at in (64..whole.len() - 3).step_by(4) {
        let old = u32::from_le_bytes([whole[at], whole[at + 1], whole[at + 2], whole[at + 3]]);
        for new in [0, 1, old.wrapping_add(1), old.wrapping_sub(1), 0x7fff_ffff, u32::MAX] {
            let mut bytes = whole.clone();
            bytes[at..at + 4].copy_from_slice(&new.to_le_bytes());
            format::reseal(&mut bytes);
            match from_bytes(&bytes) {
                Ok(snapshot) => {
                    taken += 1;
                    use_all(&snapshot.universe);
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 1000 && taken > 1000, "{refused} refused, {taken} taken");
}
