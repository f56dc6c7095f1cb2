//! Questions about small repositories.

use super::reverse_closure::Strength;
use super::{BuildGraph, Buildability, Consumers, Installability, ReverseClosure, UpgradePath};
use crate::change::{Change, LiveUniverse};
use crate::reverse::{Questions, Watch};
use crate::tables::PackageId;
use crate::testing::{package, universe};

const REPOSITORY: &str = "
    zlib 1-1: provides libz.so.1()(64bit)
    libpng: requires libz.so.1()(64bit)
    gtk: requires libpng, zlib
    editor: requires (gtk or qt)
    qt
    broken: requires editor, nowhere >= 2
    useless: requires broken
    quarrel: requires zlib; conflicts zlib
    app.src: requires gtk
    tool.src: requires useless";

fn live(text: &str) -> LiveUniverse {
    LiveUniverse::new(universe(text))
}

fn lines(view: impl std::fmt::Display) -> String {
    view.to_string().replace("-1-1.x86_64", "").replace("-1-1.src", ".src").trim_end().to_owned()
}

#[test]
fn tells_what_cannot_be_installed_and_why() {
    let live = live(REPOSITORY);
    let report = Installability::new(&live, 2).report(live.universe());
    assert_eq!(
        lines(report.display(live.universe())),
        "broken needs nowhere >= 2, which nothing provides\n\
         useless needs broken, which only broken provides; it needs nowhere >= 2, which nothing provides\n\
         quarrel needs zlib, which zlib provides, and they conflict"
    );
}

#[track_caller]
fn check_removal(name: &str, expected: &str) {
    let mut live = live(REPOSITORY);
    let installability = Installability::new(&live, 1);
    let buildability = Buildability::new(&live, Questions::default(), 1).unwrap();
    let removed = package(live.universe(), name);
    let applied = live.apply(Change::new().remove(removed));
    let installs = installability.difference(&live, &applied.effect);
    let builds = buildability.difference(&live, &applied.effect);
    let told = format!("{}{}", installs.display(live.universe()), builds.display(live.universe()));
    assert_eq!(lines(told), expected);
    let applied = live.apply(&applied.inverse);
    assert!(installability.difference(&live, &applied.effect).is_harmless());
}

#[test]
fn tells_what_a_change_breaks() {
    check_removal("qt", "");
    check_removal("useless", "");
    check_removal(
        "libpng",
        "breaks gtk: it needs libpng, which nothing provides\n\
         breaks app.src: it needs gtk, which only gtk provides; it needs libpng, which nothing provides",
    );
}

#[track_caller]
fn check_closure(name: &str, strength: Strength, depth: usize, expected: &str) {
    let live = live(REPOSITORY);
    let packages = [package(live.universe(), name)];
    let closure = ReverseClosure::find(&live, &packages, strength, depth);
    assert_eq!(lines(closure.display(live.universe())).replace('\n', ", "), expected);
}

#[test]
fn follows_needs_backwards() {
    check_closure("zlib", Strength::Any, 1, "1 libpng, 1 gtk, 1 quarrel");
    check_closure(
        "libpng",
        Strength::Any,
        usize::MAX,
        "1 gtk, 2 editor, 2 app.src, 3 broken, 4 useless, 5 tool.src",
    );
    check_closure("libpng", Strength::Strict, usize::MAX, "1 gtk, 2 app.src");
}

#[test]
fn finds_who_consumes_a_soname() {
    let live = live(REPOSITORY);
    let consumers = Consumers::find(&live, "libz.so.1()(64bit)");
    assert_eq!(
        lines(consumers.display(live.universe())),
        "zlib provides it\nlibpng asks for libz.so.1()(64bit)"
    );
    let rich = Consumers::find(&live, "qt").consumers;
    assert_eq!(rich.len(), 1, "within a rich dependency");
}

#[test]
fn finds_steps_back() {
    let universe = universe(
        "a 2-1
        b 1-1
        old 1-1
        lost 1-1
        repository stable 0
        a 1-9
        b 1-2
        new: obsoletes old
        repository next 0",
    );
    let path = UpgradePath::find(&universe, &["stable"], &["next"]);
    assert_eq!(
        lines(path.display(&universe)),
        "a-2-1.x86_64 would become a-1-9.x86_64\nlost would be left behind"
    );
}

#[test]
fn finds_cycles_of_sources() {
    let live = live(REPOSITORY);
    let sources: Vec<PackageId> = live.universe().sources().collect();
    let watch = Watch::new(&live, Questions::default(), sources, 1).unwrap();
    let graph = BuildGraph::new(live.universe(), &watch, true);
    assert_eq!(lines(graph.display(live.universe())), "tier 0: 2");
}
