//! On a distribution of full size, too, every answer that differs after a change is among those found affected.

use solver::change::{Change, LiveUniverse};
use solver::load::{Limits, Source, load_primaries};
use solver::reverse::{Questions, Watch};
use solver::tables::{DependencyId, PackageId, Relation};
use solver::universe::{Options, Universe};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// One of so many sources is watched.
const SAMPLE: usize = 80;

/// How many changes of each kind are made.
const CHANGES: usize = 10;

#[expect(clippy::disallowed_methods, reason = "where the data is, the environment tells")]
fn folder() -> Option<PathBuf> {
    std::env::var("MILLSTREAM_REPODATA").ok().map(PathBuf::from)
}

fn unpack(path: &Path) -> Vec<u8> {
    let packed = std::fs::read(path).unwrap();
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut unpacked).unwrap();
    unpacked
}

fn load(folder: &Path) -> LiveUniverse {
    let binary = unpack(&folder.join("sid-binary/primary.xml.gz"));
    let source = unpack(&folder.join("sid-source/primary.xml.gz"));
    let sources = [
        Source { name: "binary", bytes: &binary, priority: 0 },
        Source { name: "source", bytes: &source, priority: 0 },
    ];
    let tables = load_primaries(&sources, Limits::default(), 2).unwrap();
    LiveUniverse::new(Universe::new(tables, &Options::default()).unwrap())
}

/// A package without its first requirement.
fn loosened(live: &mut LiveUniverse, package: PackageId) -> solver::change::Stated {
    let tables = live.universe().tables();
    let mut lists: [Vec<DependencyId>; Relation::COUNT] = Default::default();
    for (relation, list) in Relation::ALL.into_iter().zip(&mut lists) {
        let skipped = usize::from(relation == Relation::Requires);
        list.extend(tables.relations(package, relation).iter().skip(skipped));
    }
    let identity = *tables.package(package);
    live.state_as(identity, &lists).unwrap()
}

#[test]
fn misses_nothing_in_full_size() {
    let Some(folder) = folder() else {
        println!("SKIPPED: MILLSTREAM_REPODATA does not say where the repositories are");
        return;
    };
    let mut live = load(&folder);
    let group = std::fs::read_to_string(folder.join("sid-build-group.txt")).unwrap();
    let group = group.lines().map(str::to_owned).collect();
    let questions = Questions { group, with_build_conflicts: false };
    let about: Vec<PackageId> = live.universe().sources().step_by(SAMPLE).collect();
    let watch = Watch::new(&live, questions.clone(), about.clone(), 2).unwrap();
    // Packages of which some answer makes use, from all over the archive.
    let used: BTreeSet<PackageId> = about.iter().flat_map(|id| watch.answer(*id)).collect();
    let used: Vec<PackageId> = used.into_iter().collect();
    let (mut affected_all, mut differing_all) = (0, 0);
    for number in 0..3 * CHANGES {
        let package = used[number * used.len() / (3 * CHANGES)];
        let mut change = Change::new();
        match number % 3 {
            0 => change.remove(package),
            1 => change.replace(package, loosened(&mut live, package)),
            _ => change.replace(package, live.rebuilt(package, "9:9-9")),
        };
        let applied = live.apply(&change);
        let affected = watch.affected(&live, &applied.effect);
        let affected: BTreeSet<PackageId> = affected.into_iter().collect();
        let anew = Watch::new(&live, questions.clone(), about.clone(), 2).unwrap();
        let answer = |watch: &Watch, id: PackageId| {
            (watch.verdict(id), watch.answer(id).collect::<Vec<_>>())
        };
        let differing: Vec<PackageId> =
            about.iter().copied().filter(|id| answer(&watch, *id) != answer(&anew, *id)).collect();
        for id in &differing {
            let name = live.universe().tables().nevra(package);
            assert!(
                affected.contains(id),
                "{name} affects {}",
                live.universe().tables().nevra(*id)
            );
        }
        affected_all += affected.len();
        differing_all += differing.len();
        live.apply(&applied.inverse);
    }
    println!(
        "{differing_all} answers differed, {affected_all} were found affected, none was missed"
    );
}
