//! Questions to small repositories.

use super::{Job, Solver};
use crate::testing::{answer, job, universe};

/// Asks one question of a repository, without a base.
#[track_caller]
fn check(repository: &str, question: &str, expected: &str) {
    let universe = universe(repository);
    let mut solver = Solver::new(&universe, &Job::new());
    assert_eq!(answer(&universe, &mut solver, question), expected, "{question}");
    let again = answer(&universe, &mut solver, question);
    assert_eq!(again, expected, "the second time");
}

#[test]
fn what_is_needed_is_installed() {
    let repository = "
        gtk: requires libpng >= 1.6, cairo
        libpng 1.5-1: requires zlib
        libpng 1.6-2: requires zlib
        cairo: requires libpng
        zlib";
    check(repository, "install gtk", "cairo gtk libpng-1.6-2 zlib");
    check(repository, "install libpng < 1.6", "libpng-1.5-1 zlib");
    check(repository, "install libpng = 1.5; install gtk", "unsatisfiable");
    check(repository, "install nothing", "unsatisfiable");
    check(repository, "package libpng-1.5", "libpng-1.5-1 zlib");
}

#[test]
fn versions_compare_as_in_rpm() {
    let repository = "
        a 1.0~rc1-1: provides x = 1.0~rc1
        b 2:0.9-1
        c: requires a >= 1.0
        d: requires b > 1
        e: requires b = 2:0.9
        f: requires x < 1.0
        g: provides y
        h: requires y >= 7";
    check(repository, "install c", "unsatisfiable");
    check(repository, "install d", "b-2:0.9-1 d");
    check(repository, "install e", "b-2:0.9-1 e");
    check(repository, "install f", "a-1.0~rc1-1 f");
    check(repository, "install h", "g h");
}

#[test]
fn a_dead_end_is_left_again() {
    let repository = "
        app: requires mta
        courier: provides mta; requires gone
        exim: provides mta; requires base
        postfix: provides mta
        base: conflicts app";
    check(repository, "install app", "app postfix");
    check(repository, "install app; exclude postfix", "unsatisfiable");
}

#[test]
fn what_became_superfluous_is_left_out() {
    // The first in order is alpha, but beta comes anyway.
    let repository = "
        app: requires alpha-or-beta, late
        alpha: provides alpha-or-beta
        beta: provides alpha-or-beta
        late: requires one
        one: requires beta
        other-late: provides late; requires beta";
    check(repository, "install app", "app beta late one");
    let repository = "
        app: requires choice, more
        alpha: provides choice
        beta: provides choice
        left: provides more; requires beta
        right: provides more; requires beta";
    check(repository, "install app", "app beta left");
}

#[test]
fn conflicts_and_obsoletes_keep_apart() {
    let repository = "
        a: conflicts b >= 2
        b 1-1
        b 2-1
        new: obsoletes old < 5
        old 4-1
        old 6-1
        user: requires name
        first: provides name
        second: provides name; obsoletes first";
    check(repository, "install a, b", "a b");
    check(repository, "install a, b >= 2", "unsatisfiable");
    check(repository, "install new, old", "new old-6-1");
    check(repository, "install new, old < 5", "unsatisfiable");
    check(repository, "install user", "second user");
}

#[test]
fn rich_dependencies_hold() {
    let repository = "
        a: requires (b or c)
        b
        c
        d: requires (lang if gui)
        gui
        lang
        e: requires (b and (c if gui else lang))
        f 1-1: provides p, q
        g: provides p
        h: requires (p with q)
        i: requires (p without q)
        j: conflicts (b and c)
        k: requires ((lang if gui) if b)
        l: requires (b unless gui)";
    check(repository, "install a", "a b");
    check(repository, "install a; exclude b", "a c");
    check(repository, "install d", "d");
    check(repository, "install d, gui", "d gui lang");
    check(repository, "install d, gui; exclude lang", "unsatisfiable");
    // `c if gui else lang` needs one of gui and lang, and gui comes first; so does libsolv.
    check(repository, "install e", "b c e gui");
    check(repository, "install e; exclude c", "b e lang");
    check(repository, "install e, gui", "b c e gui");
    check(repository, "install h", "f h");
    check(repository, "install i", "g i");
    check(repository, "install j, b", "b j");
    check(repository, "install j, b, c", "unsatisfiable");
    check(repository, "install k, gui", "gui k");
    check(repository, "install k, gui, b", "b gui k lang");
    check(repository, "install l", "b l");
    check(repository, "install l, gui", "unsatisfiable");
}

#[test]
fn the_better_architecture_is_taken() {
    let repository = "
        lib 1-1.i686: provides lib32
        lib 1-1.x86_64: provides lib64
        app.i686: requires lib32
        app.x86_64: requires lib64
        old 1-1.i686: provides old32
        old 2-1.x86_64
        foreign.aarch64
        data.noarch";
    check(repository, "install lib", "lib");
    check(repository, "install lib32", "lib lib-1-1.i686");
    check(repository, "package app-1-1.i686", "app-1-1.i686 lib lib-1-1.i686");
    check(repository, "install old32", "unsatisfiable");
    check(repository, "package old-1-1.i686", "old-1-1.i686");
    check(repository, "install foreign", "unsatisfiable");
    check(repository, "install data", "data-1-1.noarch");
}

#[test]
fn a_repository_of_higher_priority_wins() {
    let repository = "
        a 1-1
        repository stable 10
        a 2-1
        repository testing 0";
    check(repository, "install a", "a");
    check(repository, "install a >= 2", "a-2-1");
}

#[test]
fn of_equal_packages_the_cheaper_repository_has_the_one_that_is_taken() {
    let repository = "
        a: requires near
        b 2-1: requires far
        repository dear 0
        a: requires far
        b 1-1: requires near
        repository cheap 0 500
        a: requires far
        repository late 0 500
        near
        far
        repository others 0 10";
    check(repository, "install a", "a far");
    // A version counts more than a cost, and a priority more than both.
    check(repository, "install b", "b-2-1 far");
    check(&repository.replace("dear 0", "dear 1"), "install a", "a near");
    check(&repository.replace(" 500", ""), "install a", "a near");
}

#[test]
fn preferences_hold_while_a_base_is_settled() {
    let universe = universe("mta: requires smtp\n exim: provides smtp\n postfix: provides smtp");
    let mut base = job(&universe, "install mta; favour postfix");
    let settled = Solver::settled_base(&universe, &base).unwrap();
    let mut solver = Solver::new(&universe, &settled);
    assert_eq!(solver.base().count(), 2);
    assert_eq!(answer(&universe, &mut solver, "install smtp"), "");
    assert_eq!(answer(&universe, &mut solver, "package postfix"), "");
    base.exclude(crate::testing::package(&universe, "exim"));
    base.exclude(crate::testing::package(&universe, "postfix"));
    assert!(Solver::settled_base(&universe, &base).is_err());
}

#[test]
fn preferences_and_locks_are_kept() {
    let repository = "
        app: requires mta
        exim: provides mta
        postfix: provides mta
        sendmail: provides mta
        a 1-1
        a 2-1";
    check(repository, "install app", "app exim");
    check(repository, "install app; favour postfix", "app postfix");
    check(repository, "install app; avoid exim", "app postfix");
    check(repository, "install app; exclude exim", "app postfix");
    check(repository, "install a", "a-2-1");
    check(repository, "install a; lock a-1-1", "a");
}

#[test]
fn recommended_and_suggested_ones_are_preferred() {
    let repository = "
        app: requires mta; recommends postfix
        bpp: requires mta; suggests sendmail
        cpp: requires mta
        exim: provides mta
        postfix: provides mta
        sendmail: provides mta
        ssmtp: provides mta; supplements cpp";
    check(repository, "install app", "app postfix");
    check(repository, "install bpp", "bpp sendmail");
    check(repository, "install cpp", "cpp ssmtp");
}

#[test]
fn weak_dependencies_are_installed_if_told() {
    let repository = "
        app: recommends docs, gone, (lang if gui)
        docs: requires viewer
        viewer
        gui
        lang
        theme: supplements (app and gui)
        clash: recommends enemy
        enemy: conflicts clash";
    check(repository, "install app", "app");
    check(repository, "install app; weak", "app docs viewer");
    check(repository, "install app, gui; weak", "app docs gui lang theme viewer");
    check(repository, "install clash; weak", "clash");
    check(repository, "install app; weak; exclude viewer", "app");
}

#[test]
fn a_source_is_built_over_a_base() {
    let universe = universe(
        "
        bash: requires libc
        make
        libc
        gcc: requires libc
        pkg.src: requires gcc, make; conflicts bad
        bad: provides make",
    );
    let mut solver = Solver::new(&universe, &job(&universe, "install bash"));
    assert_eq!(solver.base().count(), 2);
    assert_eq!(answer(&universe, &mut solver, "build pkg"), "gcc make");
    assert_eq!(answer(&universe, &mut solver, "install bad"), "bad");
    assert_eq!(answer(&universe, &mut solver, "build pkg; package bad"), "unsatisfiable");
}

#[test]
fn in_two_phases_the_base_chooses_first() {
    let universe = universe(
        "
        base: requires tool
        tool-a: provides tool
        tool-b: provides tool
        pkg.src: requires tool-b
        odd.src: requires odd
        odd: conflicts tool-a",
    );
    let base = job(&universe, "install base");
    let mut together = Solver::new(&universe, &base);
    assert_eq!(answer(&universe, &mut together, "build pkg"), "tool-b");
    assert_eq!(answer(&universe, &mut together, "build odd"), "odd tool-b");
    let mut on_top = Solver::two_phase(&universe, &base).unwrap_or_else(|_| panic!("no base"));
    assert_eq!(on_top.base().count(), 2);
    assert_eq!(answer(&universe, &mut on_top, "build pkg"), "tool-b");
    assert_eq!(answer(&universe, &mut on_top, "build odd"), "unsatisfiable");
}
