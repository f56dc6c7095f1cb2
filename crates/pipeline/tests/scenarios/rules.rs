//! Plans by other rules than the shipped ones, carried out to their end.

use crate::laws;
use crate::simulation::Simulation;

const NO_MANUAL: &str = "\
id: no-manual
description: The manual is not built anew for zlib.
on: [committed]
when: artifact.name == \"zlib\"
do: leave
follow:
  - when: dependent.name == \"manual\"
";

const APP_AT_NIGHT: &str = "\
id: app-at-night
description: The app is built at night.
on: [committed]
follow:
  - when: dependent.name == \"app\"
    hours: 22:00-06:00
";

/// Pushes one after the other; after each, what was done and how every step of the last plan ended.
fn check(world: &str, rule: (&str, &str), pushes: &[(&str, &str, &str)]) {
    let mut simulation = Simulation::ruled(world, &[rule]);
    for (push, done, ended) in pushes {
        simulation.log.clear();
        simulation.push(push);
        simulation.run(|_| 0);
        let outcome = simulation.outcome();
        assert_eq!((simulation.log.join("; ").as_str(), outcome.as_str()), (*done, *ended));
    }
    laws::check_end(&simulation);
}

#[test]
fn what_a_rule_leaves_is_not_in_the_plan() {
    check(
        "zlib <= manual; zlib <= app",
        ("no-manual", NO_MANUAL),
        &[(
            "zlib: headers",
            "build zlib; pass zlib; build app; pass app; publish app zlib",
            "zlib published, app published",
        )],
    );
}

#[test]
fn what_is_left_for_one_change_follows_another() {
    let world = "zlib <= manual; png <= manual";
    // It does not wait for what it is not built anew for.
    check(
        world,
        ("no-manual", NO_MANUAL),
        &[(
            "zlib: headers; png: headers",
            "build png; build zlib; pass png; build manual; pass zlib; pass manual; publish manual png zlib",
            "png published, zlib published, manual published",
        )],
    );
    let mut simulation = Simulation::ruled(world, &[("no-manual", NO_MANUAL)]);
    simulation.push("zlib: headers; png: headers");
    let plan = simulation.plan.as_ref().unwrap();
    let needed = plan.edges.iter().map(|edge| simulation.name(edge.dependency));
    assert!(needed.clone().all(|name| name == "png"), "{:?}", needed.collect::<Vec<_>>());
    let stops: Vec<String> = plan.stops.iter().map(ToString::to_string).collect();
    let rule = "rule no-manual: The manual is not built anew for zlib.";
    assert_eq!(
        stops,
        [
            format!("rpms/manual#f44 build-requires zlib-devel of rpms/zlib#f44: {rule}"),
            format!("rpms/manual#f44 buildroot zlib of rpms/zlib#f44: {rule}"),
        ]
    );
}

#[test]
fn a_build_starts_in_its_hours_only() {
    check(
        "zlib <= app <= top; zlib <= other",
        ("app-at-night", APP_AT_NIGHT),
        &[
            (
                "clock 12; zlib: headers; app follows headers",
                "build zlib; pass zlib; build other; pass other; publish other zlib",
                "zlib published, app rebuild, other published, top waiting",
            ),
            ("clock 21", "", "zlib published, app rebuild, other published, top waiting"),
            (
                "clock 22",
                "build app; pass app; build top; pass top; publish app top",
                "zlib published, app published, other published, top published",
            ),
        ],
    );
}

#[test]
fn hours_go_on_when_another_plan_does() {
    check(
        "zlib <= app; other <= app",
        ("app-at-night", APP_AT_NIGHT),
        &[
            (
                "clock 12; zlib: headers",
                "build zlib; pass zlib; publish zlib",
                "zlib published, app rebuild",
            ),
            // The other change finds the app waiting, and does not hurry it.
            (
                "other: headers",
                "build other; pass other; publish other",
                "other published, app rebuild",
            ),
            ("clock 23", "build app; pass app; publish app", "other published, app published"),
        ],
    );
}
