//! What follows a change, and what does not.

use model::reason::Reason;

use crate::check;
use crate::simulation::{Action, Simulation};

#[test]
fn a_fix_that_keeps_the_abi_is_retested_by_users() {
    check(
        "zlib <- png <- gtk; zlib <~ app",
        &["zlib: content"],
        "build zlib; retest app ok; retest png ok; retest gtk ok; pass zlib; publish zlib",
        "zlib published, app retested, png retested, gtk retested",
    );
}

#[test]
fn a_new_soname_goes_through_the_tiers() {
    check(
        "zlib <- png <- gtk <- app",
        &["zlib: soname; png follows content"],
        "build zlib; pass zlib; build png; retest gtk ok; retest app ok; pass png; publish png zlib",
        "zlib published, png published, gtk retested, app retested",
    );
    check(
        "zlib <- png <- gtk <- app",
        &["zlib: soname; png follows soname; gtk follows soname"],
        "build zlib; pass zlib; build png; pass png; build gtk; pass gtk; build app; pass app; publish app gtk png zlib",
        "zlib published, png published, gtk published, app published",
    );
}

#[test]
fn a_static_user_is_rebuilt_and_what_uses_it_is_tested() {
    check(
        "zlib <= tool <~ app; zlib <- png",
        &["zlib: static; tool follows content"],
        "build zlib; pass zlib; build png; build tool; retest app ok; pass png; pass tool; publish png tool zlib",
        "zlib published, png published, tool published, app retested",
    );
}

#[test]
fn who_requires_an_exact_version_follows_every_build() {
    check(
        "zlib <! plugin <~ app; zlib <- png",
        &["zlib: none"],
        "build zlib; pass zlib; build plugin; pass plugin; publish plugin zlib",
        "zlib published, plugin published, png unneeded, app unneeded",
    );
}

#[test]
fn an_identical_rebuild_stops_everything() {
    check(
        "zlib <- png <- gtk",
        &["rebuild zlib"],
        "build zlib; pass zlib; publish zlib",
        "zlib published, png unneeded, gtk unneeded",
    );
}

#[test]
fn a_rebuild_that_changes_nothing_stops_there() {
    check(
        "zlib <= tool <= app <= top",
        &["zlib: headers; tool follows tools"],
        "build zlib; pass zlib; build tool; pass tool; publish tool zlib",
        "zlib published, tool published, app unneeded, top unneeded",
    );
}

#[test]
fn a_failed_retest_holds_what_changed() {
    check(
        "zlib <- png <- gtk; zlib <~ app",
        &["zlib: content; app fails"],
        "build zlib; retest app failed; retest png ok; retest gtk ok; hold zlib",
        "zlib held, app retested, png retested, gtk retested",
    );
}

#[test]
fn a_fix_of_the_library_lets_it_go_on() {
    check(
        "zlib <- png; zlib <~ app",
        &["zlib: content; app fails", "zlib: content; app passes"],
        "build zlib; retest app ok; retest png ok; pass zlib; publish zlib",
        "zlib published, app retested, png retested",
    );
}

#[test]
fn a_fix_of_the_dependent_carries_the_library_with_it() {
    check(
        "zlib <- png; zlib <~ app",
        &["zlib: content; app fails", "app: none; app passes"],
        "build zlib; retest png ok; pass zlib; build app; pass app; publish app zlib",
        "zlib published, app published, png retested",
    );
}

#[test]
fn a_better_result_opens_what_was_held() {
    check(
        "zlib <~ app",
        &["zlib: content; app fails", "retest app; app passes"],
        "build zlib; retest app ok; pass zlib; publish zlib",
        "zlib published, app retested",
    );
}

#[test]
fn packages_are_told_apart() {
    check(
        "zlib <. png; png <~ app; png <= tool",
        &["zlib: headers"],
        "build zlib; retest png ok; pass zlib; build tool; pass tool; publish tool zlib",
        "zlib published, png retested, app unneeded, tool published",
    );
    check(
        "zlib <~ png <. gtk",
        &["zlib: content"],
        "build zlib; retest png ok; retest gtk ok; pass zlib; publish zlib",
        "zlib published, png retested, gtk retested",
    );
}

#[test]
fn a_change_reaches_through_packages_of_one_artifact() {
    // png-devel requires png, png requires zlib, and gtk-devel requires png-devel.
    check(
        "zlib <- png; png <. gtk",
        &["zlib: content"],
        "build zlib; retest png ok; retest gtk ok; pass zlib; publish zlib",
        "zlib published, png retested, gtk retested",
    );
}

#[test]
fn additions_to_the_abi_are_no_reason_to_rebuild() {
    check(
        "zlib <- png",
        &["zlib: symbol"],
        "build zlib; retest png ok; pass zlib; publish zlib",
        "zlib published, png retested",
    );
    check(
        "zlib <- png",
        &["zlib: abi"],
        "build zlib; pass zlib; build png; pass png; publish png zlib",
        "zlib published, png published",
    );
}

#[test]
fn who_is_frozen_or_was_never_published_is_left_out() {
    check(
        "zlib <= tool <= app; zlib <= other; frozen tool; new other",
        &["zlib: headers"],
        "build zlib; pass zlib; publish zlib",
        "zlib published",
    );
    let mut simulation =
        Simulation::new("zlib <= tool <= app; zlib <= other; frozen tool; new other");
    simulation.push("zlib: headers");
    let stops = simulation.plan.iter().flat_map(|plan| &plan.stops).map(ToString::to_string);
    assert_eq!(
        stops.collect::<Vec<_>>(),
        [
            "rpms/other#f44 build-requires zlib-devel of rpms/zlib#f44: it was never published",
            "rpms/other#f44 requires zlib of rpms/zlib#f44: it was never published",
            "rpms/tool#f44 build-requires zlib-devel of rpms/zlib#f44: frozen by somebody: a release",
            "rpms/tool#f44 buildroot zlib of rpms/zlib#f44: frozen by somebody: a release",
        ]
    );
}

#[test]
fn a_failed_build_holds_its_dependents_only() {
    check(
        "zlib <= tool <= app; zlib <= other",
        &["zlib: headers; tool breaks; tool follows headers; app follows headers"],
        "build zlib; pass zlib; build other; build tool; fail tool; pass other; publish other zlib",
        "zlib published, other published, tool failed, app waiting",
    );
}

#[test]
fn a_failed_build_goes_on_with_its_fix() {
    check(
        "zlib <= tool <= app; zlib <= other",
        &["zlib: headers; tool breaks; tool follows headers", "tool: headers; tool builds"],
        "build tool; pass tool; build app; pass app; publish app tool",
        "tool published, app published",
    );
}

#[test]
fn a_user_of_two_changed_libraries_counts_for_the_upper_one() {
    check(
        "zlib <- png; zlib <~ app; png <~ app",
        &["zlib: soname"],
        "build zlib; pass zlib; build png; retest app ok; pass png; publish png zlib",
        "zlib published, png published, app retested",
    );
    check(
        "zlib <- png; zlib <~ app; png <~ app",
        &["zlib: soname; png follows content"],
        "build zlib; pass zlib; build png; retest app ok; pass png; publish png zlib",
        "zlib published, png published, app retested",
    );
}

#[test]
fn a_diamond_is_built_from_below() {
    check(
        "zlib <- png <- gtk; zlib <- jpeg <- gtk",
        &["zlib: soname; png follows headers; jpeg follows headers"],
        "build zlib; pass zlib; build jpeg; build png; pass jpeg; pass png; build gtk; pass gtk; publish gtk jpeg png zlib",
        "zlib published, jpeg published, png published, gtk published",
    );
}

#[test]
fn two_roots_make_one_plan() {
    check(
        "zlib <- gtk; png <- gtk",
        &["zlib: headers; png: content"],
        "build png; build zlib; pass png; pass zlib; build gtk; pass gtk; publish gtk png zlib",
        "png published, zlib published, gtk published",
    );
    check(
        "zlib <- gtk",
        &["zlib: none; gtk: none"],
        "build zlib; pass zlib; build gtk; pass gtk; publish gtk zlib",
        "zlib published, gtk published",
    );
}

#[test]
fn what_was_published_meanwhile_is_not_forgotten_when_the_other_cause_is_taken_back() {
    let world = "alib <= gtk; zlib <= gtk";
    let first = "alib: headers; zlib: headers; alib fails";
    check(
        world,
        &[first],
        "build alib; build zlib; hold alib; pass zlib; publish zlib",
        "alib held, zlib published, gtk rebuild",
    );
    check(
        world,
        &[first, "alib: revert; alib passes"],
        "build alib; pass alib; build gtk; pass gtk; publish alib gtk",
        "alib published, gtk published",
    );
}

#[test]
fn a_test_that_is_asked_for_sees_what_the_plan_changes() {
    check("zlib <~ app", &["retest app"], "retest app ok", "app retested");
    check(
        "zlib <~ app <= top",
        &["retest app; zlib: content"],
        "build zlib; retest app ok; pass zlib; publish zlib",
        "zlib published, app retested, top unneeded",
    );
    check(
        "zlib <= app <= top",
        &["retest app; zlib: headers; app follows headers"],
        "build zlib; pass zlib; build app; pass app; build top; pass top; publish app top zlib",
        "zlib published, app published, top published",
    );
    check(
        "zlib; new zlib",
        &["retest zlib"],
        "build zlib; pass zlib; publish zlib",
        "zlib published",
    );
}

#[test]
fn a_rebuild_that_came_of_a_test_is_not_forgotten_either() {
    check(
        "zlib <= app; other",
        &["retest app; zlib: headers; app breaks", "other: none; app builds"],
        "build app; build other; pass app; pass other; publish app other",
        "app published, other published",
    );
}

#[test]
fn a_gate_waits_for_users_that_wait_for_other_gates() {
    let world = "alib <~ app; zlib <= tool <= app";
    check(
        world,
        &["alib: content; zlib: headers; app fails"],
        "build alib; build zlib; pass zlib; build tool; retest app failed; hold alib; pass tool; publish tool zlib",
        "alib held, zlib published, tool published, app retested",
    );
    check(
        world,
        &["alib: content; zlib: headers; tool breaks"],
        "build alib; build zlib; pass zlib; build tool; fail tool; pass alib; publish alib zlib",
        "alib published, zlib published, tool failed, app waiting",
    );
}

#[test]
fn gates_do_not_wait_for_each_other_in_a_circle() {
    // Each library has a user that also needs a tool, which waits for the gate of the other.
    let world = "alib <~ one; zlib <= right <= one; zlib <~ two; alib <= left <= two";
    check(
        world,
        &["alib: headers content; zlib: headers content"],
        "build alib; build zlib; pass alib; build left; retest two ok; pass zlib; build right; retest one ok; pass left; pass right; publish alib left right zlib",
        "alib published, zlib published, left published, right published, one retested, two retested",
    );
}

#[test]
fn a_reason_does_not_depend_on_which_change_was_quicker() {
    let reason = |choose: fn(&[Action]) -> usize| {
        let mut simulation = Simulation::new("a <= c; b <= c");
        simulation.push("a: headers; b: headers");
        simulation.run(choose);
        let step = simulation.steps.iter().find(|step| simulation.name(step.index) == "c");
        step.unwrap().reason.clone()
    };
    let (first, last) = (reason(|_| 0), reason(|open| open.len() - 1));
    assert!(matches!(first, Reason::Listens { .. }), "{first:?}");
    assert_eq!(first, last);
}
