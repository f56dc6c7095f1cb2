//! What holds at the end of every plan, whatever happened.

use model::edge::EdgeKind;
use model::facet::Facet;
use model::plan::{Plan, StepIndex};
use model::reason::{Reason, Stop, StopReason};
use model::source::Settings;
use model::step::{Step, StepState};
use pipeline::affected::compare::first_heard;
use pipeline::affected::listen::listening;

use proptest::prelude::*;

use crate::simulation::Simulation;

/// Checks a plan in which nothing moves any more.
pub(crate) fn check_end(simulation: &Simulation) {
    let plan = simulation.plan.as_ref().unwrap();
    for step in &simulation.steps {
        let words = || format!("{}\n{:?}", simulation.outcome(), simulation.log);
        let name = simulation.name(step.index);
        if step.state.is_settled() || is_stopped(step) {
            check_reason(step);
        } else {
            let blamed = is_held_by_others(simulation, step);
            assert!(blamed, "{name} is {} and nobody is to blame: {}", step.state.name(), words());
        }
        if step.state.outputs().is_some() || is_left(step) {
            check_not_stale(simulation, plan, step.index);
        }
    }
}

fn is_stopped(step: &Step) -> bool {
    matches!(step.state, StepState::Failed { .. } | StepState::Held { .. })
}

fn is_left(step: &Step) -> bool {
    matches!(step.state, StepState::Unneeded | StepState::Retested { .. })
}

/// What is left alone has a reason that names an edge.
fn check_reason(step: &Step) {
    if matches!(step.state, StepState::Unneeded) {
        let Reason::NothingHeard { stops } = &step.reason else {
            panic!("left alone because {:?}", step.reason)
        };
        assert!(!stops.is_empty(), "left alone for nothing");
    }
    let ends = step.reason.event().is_some() || step.reason.towards().is_some();
    assert!(ends, "{:?} leads nowhere", step.reason);
}

/// Something this step needs, or a member of a cycle it needs, failed or is held; or what passed waits for one that
/// would break with it, which may be one that a rule leaves out.
fn is_held_by_others(simulation: &Simulation, step: &Step) -> bool {
    let plan = simulation.plan.as_ref().unwrap();
    if matches!(step.state, StepState::Passed { .. }) {
        let by_rule = |stop: &Stop| matches!(stop.because, StopReason::Rule { .. });
        return simulation.steps.iter().any(is_stopped) || plan.stops.iter().any(by_rule);
    }
    let mut open = vec![step.index];
    let mut seen = vec![false; plan.steps.len()];
    while let Some(at) = open.pop() {
        if std::mem::replace(&mut seen[at], true) {
            continue;
        }
        if is_stopped(&simulation.steps[at]) {
            return true;
        }
        open.extend(plan.dependencies(at).iter().map(|edge| edge.dependency));
        open.extend(&plan.units[plan.steps[at].unit].members);
    }
    false
}

/// Nothing is missed: whoever listens to a change was rebuilt with it, and whoever uses it was tested with it.
fn check_not_stale(simulation: &Simulation, plan: &Plan, index: StepIndex) {
    let progress = simulation.progress();
    let step = &simulation.steps[index];
    // Members of a cycle that does not settle are stale by nature, and held for it.
    if is_stopped(step) {
        return;
    }
    for edge in plan.dependencies(index) {
        let dependency = &plan.steps[edge.dependency];
        let Some(new) = simulation.steps[edge.dependency].state.outputs() else { continue };
        let replaced = dependency.replaces;
        let own = step.state.outputs();
        let against = own.map(|build| simulation.builds[&build].against.as_slice());
        if against.is_some_and(|against| against.contains(&new)) {
            continue;
        }
        let old = match against {
            Some(against) => replaced.filter(|replaced| against.contains(replaced)),
            None => replaced,
        };
        let words = || {
            let (own, other) = (simulation.name(index), &dependency.artifact.name);
            format!("{own} and {other}: {}\n{:?}", simulation.outcome(), simulation.log)
        };
        let in_buildroot = edge.edge.kind != EdgeKind::Requires;
        if (in_buildroot && old.is_some()) || own.is_none() {
            let changes = progress.facts.changes(old, new);
            let heard = first_heard(&edge.listens, &changes, &edge.edge.package);
            assert!(heard.is_none(), "missed {heard:?} between {}", words());
        }
        if own.is_none() && edge.edge.kind == EdgeKind::Requires {
            let changes = progress.facts.changes(replaced, new);
            let noticed = changes.iter().any(|change| {
                change.package == edge.edge.package
                    && matches!(change.facet, Facet::Content | Facet::Scripts)
            });
            let saw = simulation.seen_by_test(index);
            let tested = saw.is_some_and(|saw| saw.get(&dependency.artifact) == Some(&new));
            assert!(!noticed || tested, "not tested together: {}", words());
        }
    }
}

/// Once everything is settled, no published build is older than something it listens to, over all plans there were.
fn check_world(simulation: &Simulation) {
    let settings = Settings::default();
    for (artifact, build) in &simulation.published {
        for (dependency, installed) in simulation.buildroot(*build) {
            let now = simulation.published[&dependency];
            let changes = simulation.progress().facts.changes(installed.build, now);
            let kind = if installed.direct { EdgeKind::BuildRequires } else { EdgeKind::Buildroot };
            let package = &installed.nevra.name;
            let heard = first_heard(&listening(kind, package, &settings), &changes, package);
            let is_own = dependency == *artifact;
            assert!(
                heard.is_none() || is_own,
                "{artifact} missed {heard:?}: {}\n{:?}",
                simulation.outcome(),
                simulation.log
            );
        }
    }
}

/// One of these for each artifact: `a`, `b`, and so on.
const MOST: usize = 8;

fn name(number: usize) -> String {
    char::from(b'a' + u8::try_from(number).unwrap()).to_string()
}

/// A world of few artifacts with needs in any direction.
fn worlds() -> impl Strategy<Value = String> {
    let arrow = prop::sample::select(vec!["<-", "<=", "<~", "<!", "<."]);
    let need = (0..MOST, arrow, 0..MOST);
    let needs = prop::collection::vec(need, 1..14);
    (needs, any::<bool>()).prop_map(|(needs, with_cycles)| {
        let fits = |(a, _, b): &(usize, &str, usize)| if with_cycles { a != b } else { a < b };
        let texts = needs.iter().filter(|need| fits(need));
        let texts = texts.map(|(a, arrow, b)| format!("{} {arrow} {}", name(*a), name(*b)));
        let alone = (0..MOST).map(name);
        texts.chain(alone).collect::<Vec<_>>().join("; ")
    })
}

/// A push of a few commits and requests, with what they bring about.
fn pushes() -> impl Strategy<Value = String> {
    let aspects =
        ["none", "content", "headers", "static", "abi", "symbol", "soname", "scripts", "tools"];
    let aspect = || prop::sample::select(aspects.to_vec());
    let commit =
        (0..MOST, aspect(), aspect()).prop_map(|(n, a, b)| format!("{}: {a} {b}", name(n)));
    let request = (prop::sample::select(vec!["retest", "rebuild"]), 0..MOST)
        .prop_map(|(request, n)| format!("{request} {}", name(n)));
    let follows = (0..MOST, prop::sample::select(aspects[1..].to_vec()), 1..5)
        .prop_map(|(n, aspect, times)| format!("{} follows {aspect} {times}", name(n)));
    let verb = prop::sample::select(vec!["fails", "passes", "breaks", "builds"]);
    let turn = (0..MOST, verb).prop_map(|(n, verb)| format!("{} {verb}", name(n)));
    let other = prop_oneof![2 => follows, 1 => turn, 1 => request];
    (prop::collection::vec(other, 0..6), prop::collection::vec(commit, 1..3))
        .prop_map(|(others, commits)| [others, commits].concat().join("; "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_ends_and_nothing_is_missed(
        world in worlds(),
        pushes in prop::collection::vec((pushes(), 0..40_usize), 1..4),
        choices in prop::collection::vec(any::<u16>(), 32),
    ) {
        let mut simulation = Simulation::new(&world);
        let mut turn = 0;
        let mut choose = |actions: &[crate::simulation::Action]| {
            turn += 1;
            usize::from(choices[turn % choices.len()]) % actions.len()
        };
        // Every push but the last comes while the one before is still under way.
        for (push, actions) in &pushes {
            simulation.push(push);
            for _ in 0..*actions {
                let open = simulation.actions();
                if !open.is_empty() {
                    simulation.act(open[choose(&open)]);
                }
            }
        }
        simulation.run(choose);
        check_end(&simulation);
        if simulation.is_settled() {
            check_world(&simulation);
        }
    }
}

/// Artifacts that some rule leaves, at night or whenever they are reached by these edges.
fn rules() -> impl Strategy<Value = String> {
    let kind = prop::sample::select(vec!["build-requires", "buildroot", "requires"]);
    let depth = prop::sample::select(vec!["", "    depth: 1\n", "    depth: 2\n"]);
    let action = prop::sample::select(vec!["do: leave\n", ""]);
    (0..MOST, 0..MOST, kind, depth, action).prop_map(|(root, dependent, kind, depth, action)| {
        let (root, dependent) = (name(root), name(dependent));
        let hours = if action.is_empty() { "    hours: 22:00-06:00\n" } else { "" };
        format!(
            "id: own\ndescription: Something else.\non: [committed, requested]\n{action}follow:\n  \
             - edges: [{kind}]\n    when: artifact.name != '{root}' && dependent.name != '{dependent}'\n{depth}{hours}"
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn plans_by_other_rules_end_too(
        world in worlds(),
        rule in rules(),
        pushes in prop::collection::vec((pushes(), 0..40_usize), 1..3),
        choices in prop::collection::vec(any::<u16>(), 32),
    ) {
        let mut simulation = Simulation::ruled(&world, &[("own", &rule)]);
        let mut turn = 0;
        let mut choose = |actions: &[crate::simulation::Action]| {
            turn += 1;
            usize::from(choices[turn % choices.len()]) % actions.len()
        };
        for (push, actions) in &pushes {
            simulation.push(push);
            for _ in 0..*actions {
                let open = simulation.actions();
                if !open.is_empty() {
                    simulation.act(open[choose(&open)]);
                }
            }
        }
        simulation.run(&mut choose);
        // Whatever waits for the night is built then.
        simulation.push("clock 23");
        simulation.run(choose);
        check_end(&simulation);
    }
}
