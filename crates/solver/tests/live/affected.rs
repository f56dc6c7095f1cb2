//! After a change every answer that differs is among those found affected, and following it gives the answers
//! of the universe as it is then.

use crate::random::{Random, bumped, change, plain, tables};
use solver::change::{Change, LiveUniverse};
use solver::reverse::{Questions, Verdict, Watch};
use solver::tables::{DependencyId, Package, PackageId, Relation, Tables};
use solver::universe::{Options, Universe};
use std::collections::BTreeSet;

type Answers = Vec<(PackageId, Option<Verdict>, Vec<PackageId>)>;

/// The answers without the base, those first that have one.
fn answers(watch: &Watch) -> Answers {
    let base: Vec<PackageId> = watch.base().collect();
    let answer = |about: PackageId| {
        let mut all: Vec<PackageId> = watch.answer(about).collect();
        if watch.verdict(about) == Some(Verdict::Solved) {
            all.extend(&base);
        }
        all.sort_unstable();
        (about, watch.verdict(about), all)
    };
    watch.about().iter().copied().map(answer).collect()
}

fn questions(random: &mut Random) -> Questions {
    let groups: [&[&str]; 3] = [&[], &["p0"], &["p1", "cap2"]];
    let group = random.pick(&groups).iter().map(|&name| name.to_owned()).collect();
    Questions { group, with_build_conflicts: random.one_in(2) }
}

/// Tells what a failure is about.
fn describe(live: &LiveUniverse, about: PackageId, before: &Answers, after: &Answers) {
    let tables = live.universe().tables();
    for id in tables.ids().filter(|id| live.is_present(*id)) {
        println!("{id:?} {}", tables.nevra(id));
        for relation in Relation::ALL {
            let all = tables.relations(id, relation).iter();
            let texts: Vec<String> = all.map(|id| tables.dependency_text(*id)).collect();
            if !texts.is_empty() {
                println!("    {relation:?}: {}", texts.join(", "));
            }
        }
    }
    for answers in [before, after] {
        println!("{:?}", answers.iter().find(|(id, ..)| *id == about));
    }
}

fn check(seeds: std::ops::Range<u64>) {
    let (mut affected_all, mut differing_all) = (0, 0);
    for seed in seeds {
        let mut random = Random::new(seed);
        let universe = Universe::new(tables(&mut random), &Options::default()).unwrap();
        let about: Vec<PackageId> = universe.installable().chain(universe.sources()).collect();
        let mut live = LiveUniverse::new(universe);
        let asked = questions(&mut random);
        let mut watch = Watch::new(&live, asked.clone(), about, 1).unwrap();
        for round in 0..6 {
            let before = answers(&watch);
            let change = change(&mut live, &mut random);
            let applied = live.apply(&change);
            let affected: BTreeSet<PackageId> =
                watch.affected(&live, &applied.effect).into_iter().collect();
            let differences = watch.follow(&live, &applied.effect, 1);
            let anew = Watch::new(&live, asked.clone(), watch.about().to_vec(), 1).unwrap();
            let fresh = answers(&anew);
            let differing = before.iter().zip(&fresh).filter(|(before, after)| before != after);
            let differing: Vec<PackageId> = differing.map(|(before, _)| before.0).collect();
            for id in &differing {
                let place = format!("seed {seed}, round {round}, {id:?}: {change:?}");
                if !affected.contains(id) {
                    describe(&live, *id, &before, &fresh);
                }
                assert!(affected.contains(id), "missed: {place}\n{:?}", applied.effect);
            }
            assert_eq!(answers(&watch), fresh, "seed {seed}, round {round}: {change:?}");
            assert!(differences.len() <= affected.len() + applied.effect.changed.len());
            affected_all += affected.len();
            differing_all += differing.len();
        }
    }
    println!("{differing_all} answers differed, {affected_all} were found affected");
}

#[test]
fn misses_nothing() {
    check(0..100);
}

#[test]
fn a_new_version_that_says_the_same_affects_nothing() {
    let mut random = Random::new(7);
    let mut tables = solver::tables::Tables::new();
    for number in 0..10 {
        crate::random::push(&mut tables, &mut random, &format!("p{number}"), 1, false);
    }
    tables.close_repository("base", 0, 10);
    let universe = Universe::new(tables, &Options::default()).unwrap();
    let about: Vec<PackageId> = universe.installable().collect();
    let mut live = LiveUniverse::new(universe);
    let watch = Watch::new(&live, Questions::default(), about.clone(), 1).unwrap();
    for package in about {
        let by = bumped(&mut live, package);
        let applied = live.apply(Change::new().replace(package, by));
        assert_eq!(watch.affected(&live, &applied.effect), [], "{package:?}");
        assert_eq!(applied.effect.renamed, [package]);
        live.apply(&applied.inverse);
    }
}

type Stated = [Vec<DependencyId>; Relation::COUNT];

/// A package of version 1 that requires these.
fn requiring(tables: &mut Tables, name: &str, requires: &[&str]) -> (Package, Stated) {
    let mut lists = Stated::default();
    lists[Relation::Provides as usize] = vec![plain(tables, &format!("{name} = 1"))];
    lists[Relation::Requires as usize] = requires.iter().map(|text| plain(tables, text)).collect();
    let evr = tables.intern_evr_text(b"1");
    let mut text = |text: &str| tables.strings.intern(text.as_bytes());
    (Package::new(text(name), text("noarch"), evr, text("")), lists)
}

#[test]
fn what_every_answer_has_may_be_needed_or_not() {
    let mut tables = Tables::new();
    for (name, requires) in [
        ("base", &[][..]),
        ("other", &[]),
        ("library", &["base", "other"]),
        ("program", &["library"]),
    ] {
        let (identity, lists) = requiring(&mut tables, name, requires);
        tables.push(identity, &lists);
    }
    tables.close_repository("all", 0, 4);
    let mut states: Vec<(Package, Stated)> = Vec::new();
    for requires in [&["other"][..], &["base"], &["other", "base", "base = 1"]] {
        states.push(requiring(&mut tables, "library", requires));
    }
    let universe = Universe::new(tables, &Options::default()).unwrap();
    let ids: Vec<PackageId> = universe.installable().collect();
    let [library, program] = [ids[2], ids[3]];
    let mut live = LiveUniverse::new(universe);
    let group = vec!["base".to_owned()];
    let asked = Questions { group, with_build_conflicts: false };
    let watch = Watch::new(&live, asked, vec![library, program], 1).unwrap();
    let mut affected = |(identity, lists): &(Package, Stated)| {
        let by = live.state_as(*identity, lists).unwrap();
        let applied = live.apply(Change::new().replace(library, by));
        let affected = watch.affected(&live, &applied.effect);
        live.apply(&applied.inverse);
        affected
    };
    assert_eq!(affected(&states[0]), [], "the base is in every answer");
    assert_eq!(affected(&states[1]), [library, program], "the other one is not");
    assert_eq!(affected(&states[2]), [], "asked for twice, and in another order");
}
