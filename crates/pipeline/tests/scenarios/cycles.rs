//! Cycles: built in private, in rounds, until nothing moves.

use model::step::StepState;

use crate::check;
use crate::simulation::Simulation;

const FROM_NOTHING: &str = "a <- b; b <= a; bootstrap a; new a b";

#[test]
fn a_cycle_comes_from_nothing_by_its_bootstrap_flavour() {
    check(
        FROM_NOTHING,
        &["a: none; b: none"],
        "build a; build b; build a (round 2); pass a b; publish a b",
        "a published, b published",
    );
}

#[test]
fn without_a_bootstrap_flavour_it_does_not() {
    check(
        "a <- b; b <= a; new a b",
        &["a: none; b: none"],
        "fail a: no b-devel; fail b: no a-devel",
        "a failed, b failed",
    );
}

#[test]
fn a_published_cycle_settles_in_as_many_rounds_as_it_takes() {
    check(
        "a <= b; b <= a; b <~ app",
        &["a: content"],
        "build a; pass a; publish a",
        "a published, b unneeded, app unneeded",
    );
    check(
        "a <= b; b <= a; b <~ app",
        &["a: headers"],
        "build a; build b; pass a b; publish a b",
        "a published, b published, app unneeded",
    );
    check(
        "a <= b; b <= a; b <~ app",
        &["a: headers; b follows headers"],
        "build a; build b; build a (round 2); pass a b; publish a b",
        "a published, b published, app unneeded",
    );
    check(
        "a <= b; b <= a; b <~ app",
        &["a: headers; b follows content; b follows headers"],
        "build a; build b; build a (round 2); retest app ok; pass a b; publish a b",
        "a published, b published, app retested",
    );
}

#[test]
fn a_cycle_that_never_settles_is_held_with_what_moves() {
    check(
        "a <= b; b <= a <= top; b <~ app",
        &["a: headers; a follows headers 99; b follows headers 99"],
        "build a; build b; build a (round 2); build b (round 2); build a (round 3); build b (round 3); unsettled a; hold b",
        "a held, b held, app unneeded, top rebuild",
    );
}

#[test]
fn a_failing_member_holds_the_cycle_and_its_dependents() {
    check(
        "a <= b; b <= a; b <= top; a <= side",
        &["a: headers; b breaks"],
        "build a; build b; fail b",
        "a built, b failed, side waiting, top waiting",
    );
}

#[test]
fn a_member_that_is_not_rebuilt_is_tested_for_the_gate() {
    check(
        "a <~ b; b <= a",
        &["a: content; b fails"],
        "build a; retest b failed; hold a",
        "a held, b retested",
    );
}

#[test]
fn three_members_settle_together() {
    check(
        "a <= b <= c; c <= a; c <= top",
        &["b: headers; c follows headers; a follows headers"],
        "build b; build c; build a; build b (round 2); pass b a c; build top; pass top; publish a b c top",
        "a published, b published, c published, top published",
    );
}

#[test]
fn what_is_held_names_the_facet_that_keeps_moving() {
    let mut simulation = Simulation::new("a <= b; b <= a");
    simulation.push("a: headers; a follows headers 99; b follows headers 99");
    simulation.run(|_| 0);
    let StepState::Held { objections, .. } = &simulation.steps[0].state else { panic!("not held") };
    assert_eq!(
        objections[0].to_string(),
        "the cycle of rpms/a#f44 does not settle: headers of b-devel keep moving"
    );
}

#[test]
fn a_dependent_waits_until_the_cycle_has_settled() {
    // app hears b's first build, but the second round takes that back.
    let mut simulation = Simulation::new("a <= b; b <= a; b <= app");
    simulation.push("a: headers; b follows headers");
    while !simulation.log.iter().any(|line| line == "build a (round 2)") {
        let app = &simulation.steps[2];
        assert_eq!(app.state, StepState::Waiting, "{:?}", simulation.log);
        let actions = simulation.actions();
        simulation.act(actions[0]);
    }
}

#[test]
fn two_changes_on_one_cycle_are_heard_all_round() {
    // Not even `a`'s published build had `h` in its buildroot, and its second build needs `b`'s, whose turn comes later.
    let done =
        "build a; build h; build b; build a (round 2); retest f ok; pass a h b; publish a b h";
    let ended = "a published, b published, f retested, h published";
    check("h <- b; b <~ f; f <= a; a <- h", &["h: none soname; a: none none"], done, ended);
}
