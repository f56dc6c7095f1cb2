//! Plans and builds as text, and the report on them.

use model::edge::{Edge, EdgeKind, Evidence};
use model::event::Severity;
use model::plan::{Plan, PlanEdge, RootAction, Unit};
use model::reason::Reason;
use model::rule::PlanMode;
use uuid::Uuid;

use model::step::StepState;

use super::*;
use crate::plan::first_steps;

fn key(name: &str) -> ArtifactKey {
    format!("rpms/{name}#f44").parse().unwrap()
}

fn hour(hours: i64) -> Timestamp {
    Timestamp(hours * 3_600_000_000)
}

fn event(number: u128) -> EventId {
    EventId(Uuid::from_u128(number))
}

fn edge(dependent: &str, dependency: &str) -> Edge {
    Edge {
        dependent: key(dependent),
        dependency: key(dependency),
        kind: EdgeKind::BuildRequires,
        package: format!("{dependency}-devel"),
        evidence: Evidence::Buildroot { build: Uuid::nil().into() },
    }
}

/// A plan of this number, made at this hour: the first name is the root, each further one needs the one before.
fn plan(number: i64, hours: i64, names: &str) -> NumberedPlan {
    let names: Vec<&str> = names.split_whitespace().collect();
    let commit = || "c".repeat(40).parse().unwrap();
    let id = event(number.unsigned_abs().into());
    let step = |(index, name): (usize, &&str)| PlannedStep {
        artifact: key(name),
        commit: commit(),
        root: (index == 0).then_some(RootAction::Rebuild),
        reason: match index {
            0 => Reason::SourceChanged {
                event: id,
                commit: commit(),
                subject: "Change it".to_owned(),
            },
            _ => Reason::Reached { edge: edge(name, names[index - 1]) },
        },
        rule: None,
        hours: None,
        not_before: None,
        replaces: None,
        tier: 0,
        unit: index,
        predicted: Duration::ZERO,
    };
    let plan_edge = |index: usize| PlanEdge {
        dependent: index,
        dependency: index - 1,
        edge: edge(names[index], names[index - 1]),
        listens: Vec::new(),
    };
    let unit = |index: usize| Unit { members: vec![index], max_rounds: 1 };
    let plan = Plan {
        id: Uuid::from_u128(number.unsigned_abs().into()).into(),
        parent: None,
        branch: "f44".parse().unwrap(),
        events: vec![id],
        mode: PlanMode::Shadow,
        approval: None,
        severity: Severity::None,
        created: hour(hours),
        origin: hour(hours),
        start: hour(hours),
        steps: names.iter().enumerate().map(step).collect(),
        units: (0..names.len()).map(unit).collect(),
        edges: (1..names.len()).map(plan_edge).collect(),
        stops: Vec::new(),
        predicted: Duration::ZERO,
    };
    NumberedPlan { number, plan }
}

/// Builds: `NAME@HOUR …`.
fn builds(text: &str) -> Vec<ActualBuild> {
    let build = |text: &str| {
        let (name, hours) = text.split_once('@').unwrap();
        ActualBuild {
            artifact: key(name),
            nvr: format!("{name}-1-1.f44"),
            by: Some("ann".to_owned()),
            system: "koji".to_owned(),
            at: hour(hours.parse().unwrap()),
        }
    };
    text.split_whitespace().map(build).collect()
}

/// The second day, with six hours of grace.
fn report(plans: &[NumberedPlan], actual: &str) -> ShadowReport {
    let span = Span { from: hour(24), until: hour(48), grace: Duration::from_secs(6 * 3600) };
    compare(span, plans, &[event(9)].into(), &builds(actual))
}

/// `both: …; we: …; perhaps: …; they: …; order: …`, empty parts left out.
#[track_caller]
fn check(plans: &[NumberedPlan], actual: &str, expected: &str) {
    let report = report(plans, actual);
    let names = |certainty| -> Vec<String> {
        let ours = report.only_we.iter().filter(|would| would.certainty == certainty);
        ours.map(|would| would.artifact.name.to_string()).collect()
    };
    let both = report
        .both
        .iter()
        .map(|both| format!("{}/{}", both.would.artifact.name, both.builds.len()));
    let order = report.order.iter().map(|order| {
        format!("{}<{}", order.dependent.artifact.name, order.dependency.artifact.name)
    });
    let parts = [
        ("both", both.collect::<Vec<_>>()),
        ("we", names(Certainty::Certain)),
        ("perhaps", names(Certainty::DependsOnFacets)),
        ("they", report.only_they.iter().map(|build| build.artifact.name.to_string()).collect()),
        ("order", order.collect()),
    ];
    let parts = parts.iter().filter(|(_, names)| !names.is_empty());
    let text: Vec<String> =
        parts.map(|(what, names)| format!("{what}: {}", names.join(" "))).collect();
    assert_eq!(text.join("; "), expected);
}

#[test]
fn what_starts_a_change_is_told_from_what_it_reaches() {
    check(
        &[plan(1, 30, "zlib png gtk")],
        "zlib@31 gtk@32 vim@33",
        "both: gtk/1 zlib/1; perhaps: png; they: vim",
    );
    check(&[plan(1, 30, "zlib png")], "", "we: zlib; perhaps: png");
}

#[test]
fn an_artifact_of_several_plans_counts_once_and_as_sure_as_the_surest() {
    let plans = [plan(1, 30, "zlib png"), plan(2, 31, "png")];
    check(&plans, "png@32 png@33", "both: png/2; we: zlib");
    let report = report(&plans, "png@32");
    assert_eq!(
        (report.both[0].would.plan, report.both[0].would.certainty),
        (2, Certainty::Certain)
    );
}

#[test]
fn midnight_parts_nothing_that_belongs_together() {
    // Planned before the day and built in it, and planned in it and built after.
    check(&[plan(1, 23, "a"), plan(2, 47, "b")], "a@25 b@50", "both: b/1");
    // Too far apart to mean the same.
    check(&[plan(1, 10, "a"), plan(2, 30, "b")], "a@25 b@40", "we: b; they: a b");
}

#[test]
fn branches_nobody_knew_of_do_not_count() {
    let plans = [plan(9, 30, "old1 old2"), plan(1, 30, "zlib")];
    check(&plans, "", "we: zlib");
    assert_eq!((report(&plans, "").first_seen, report(&plans, "").plans), (1, 2));
    // Somebody builds it all the same: we knew of it.
    check(&plans, "old1@31", "we: zlib");
}

#[test]
fn what_was_built_before_what_it_needs_is_told() {
    let plans = [plan(1, 30, "zlib png gtk")];
    check(&plans, "png@31 zlib@32 gtk@33", "both: gtk/1 png/1 zlib/1; order: png<zlib");
    // Built once more after it: nothing is wrong with that.
    check(&plans, "png@31 zlib@32 png@33", "both: png/2 zlib/1; perhaps: gtk");
    assert_eq!(report(&plans, "png@31 zlib@32").order[0].sentence, edge("png", "zlib").to_string());
}

#[test]
fn a_plan_in_the_shadow_has_nothing_that_could_start() {
    let plan = plan(1, 30, "zlib png").plan;
    let steps = first_steps(&plan);
    assert!(steps.iter().all(|step| step.state.is_settled()));
    for step in &steps {
        for next in [StepState::Rebuild, StepState::Retest, StepState::Waiting] {
            assert!(step.state.enter(next).is_err());
        }
    }
    assert_eq!(crate::plan::merge::unfinished(&plan, &steps), []);
    assert_eq!(
        crate::plan::report::state(plan.mode.kind(), &steps),
        crate::plan::report::PlanState::Shadow
    );
}
