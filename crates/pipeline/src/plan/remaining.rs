//! How long what is left of a plan will take, as far as the history of its artifacts tells.

use std::time::Duration;

use model::clock::Timestamp;
use model::plan::{Plan, StepIndex};
use model::step::{Step, StepState};

use crate::schedule::{Work, predict_duration};

/// How long it takes until everything is through, or one step with all it waits for; none while a person has to act.
///
/// Steps that may yet turn out to be unneeded count in full, and tests take no time: it is an estimate.
pub fn remaining(
    plan: &Plan,
    steps: &[Step],
    wanted: Option<StepIndex>,
    (now, capacity): (Timestamp, usize),
) -> Option<Duration> {
    let counts = match wanted {
        Some(step) => waited_for(plan, step),
        None => vec![true; steps.len()],
    };
    let mut durations = vec![Duration::ZERO; steps.len()];
    for step in steps.iter().filter(|step| counts[step.index]) {
        if matches!(step.state, StepState::Failed { .. } | StepState::Held { .. }) {
            return None;
        }
        durations[step.index] = left(plan, step, now);
    }
    let work = Work { units: &plan.units, edges: &plan.edges, durations: &durations };
    Some(plan.start.since(now) + predict_duration(&work, capacity))
}

/// What is left of one step.
fn left(plan: &Plan, step: &Step, now: Timestamp) -> Duration {
    let predicted = plan.steps[step.index].predicted;
    match step.state {
        StepState::Waiting | StepState::Rebuild => predicted,
        StepState::Building { .. } => predicted.saturating_sub(now.since(step.since)),
        _ => Duration::ZERO,
    }
}

/// The step and everything it depends on, directly or through others.
fn waited_for(plan: &Plan, wanted: StepIndex) -> Vec<bool> {
    let mut counts = vec![false; plan.steps.len()];
    let mut open = vec![wanted];
    while let Some(step) = open.pop() {
        if !std::mem::replace(&mut counts[step], true) {
            open.extend(plan.dependencies(step).iter().map(|edge| edge.dependency));
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use model::artifact::{ArtifactKey, CommitId};
    use model::build::{Failure, FailureKind};
    use model::edge::{Edge, EdgeKind, Evidence};
    use model::event::{Event, Severity};
    use model::id::BuildId;
    use model::plan::RootAction;
    use model::reason::Reason;
    use model::rule::PlanMode;
    use model::source::About;

    use super::*;
    use crate::plan::{Ground, Published, Request, Root, Setup, first_steps, make};
    use crate::rules::matching::Answer;
    use crate::rules::passage::Route;
    use crate::rules::shipped;

    const ID: &str = "00000000-0000-7000-8000-000000000001";

    fn key(name: &str) -> ArtifactKey {
        format!("rpms/{name}#f44").parse().unwrap()
    }

    fn commit() -> CommitId {
        "c".repeat(40).parse().unwrap()
    }

    /// How far a commit goes by the shipped rules.
    fn route() -> Route {
        let event = Event::Committed {
            artifact: key("a"),
            commit: commit(),
            previous: None,
            forced: false,
            severity: Severity::None,
            subject: "so".to_owned(),
        };
        match shipped::set().ask(&event, &About::default()).answer() {
            Answer::Start(launch) => launch.route,
            Answer::Nothing { sentence, .. } => panic!("{sentence}"),
        }
    }

    /// `a <- b <- c` and `a <- d`, each a minute long: a plan for a change of `a`, which starts after a minute.
    fn plan() -> (Plan, Vec<Step>) {
        let edge = |(dependent, dependency): (&str, &str)| Edge {
            dependent: key(dependent),
            dependency: key(dependency),
            kind: EdgeKind::BuildRequires,
            package: dependency.to_owned(),
            evidence: Evidence::Spec { commit: commit(), capability: dependency.to_owned() },
        };
        let published = Published { build: ID.parse().unwrap(), commit: commit() };
        let ground = Ground {
            edges: [("b", "a"), ("c", "b"), ("d", "a")].map(edge).into(),
            published: ["b", "c", "d"].map(|name| (key(name), published.clone())).into(),
            durations: HashMap::new(),
            ..Ground::default()
        };
        let event = ID.parse().unwrap();
        let root = Root {
            artifact: key("a"),
            commit: commit(),
            action: RootAction::Rebuild,
            reason: Reason::SourceChanged { event, commit: commit(), subject: "so".to_owned() },
            severity: Severity::None,
            event,
            rule: None,
            hours: None,
        };
        let at = Timestamp(0);
        let request = Request {
            id: ID.parse().unwrap(),
            parent: None,
            branch: "f44".parse().unwrap(),
            created: at,
            origin: at,
            start: at + Duration::from_secs(60),
            mode: PlanMode::Real,
            approval: None,
            roots: vec![root],
            routes: [(event, route())].into(),
        };
        let default_duration = Duration::from_secs(60);
        let plan = make(request, &ground, &Setup { max_rounds: 3, capacity: 2, default_duration });
        let steps = first_steps(&plan);
        (plan, steps)
    }

    /// Where `a`, `b`, `c` and `d` stand, and in how many seconds all of them, or one, are through.
    #[track_caller]
    fn check(states: [&StepState; 4], wanted: Option<&str>, expected: Option<u64>) {
        let (plan, mut steps) = plan();
        for (name, state) in ["a", "b", "c", "d"].into_iter().zip(states) {
            steps[plan.step_of(&key(name)).unwrap()].state = state.clone();
        }
        let wanted = wanted.and_then(|name| plan.step_of(&key(name)));
        let found = remaining(&plan, &steps, wanted, (plan.start, 2));
        assert_eq!(found, expected.map(Duration::from_secs));
    }

    #[test]
    fn what_is_left_counts() {
        let build: BuildId = ID.parse().unwrap();
        let (wait, done, go) = (&StepState::Waiting, &StepState::Unneeded, &StepState::Rebuild);
        let passed = &StepState::Passed { build };
        check([go, wait, wait, wait], None, Some(180));
        check([go, wait, wait, wait], Some("d"), Some(120));
        check([passed, wait, done, done], None, Some(60));
        check([passed, done, done, done], None, Some(0));
    }

    #[test]
    fn nobody_knows_when_a_person_acts() {
        let failure = Failure { kind: FailureKind::Failed, message: "no".to_owned(), line: None };
        let failed = &StepState::Failed { build: None, failure };
        let passed = &StepState::Passed { build: ID.parse().unwrap() };
        let (wait, go) = (&StepState::Waiting, &StepState::Rebuild);
        check([passed, failed, wait, go], None, None);
        check([passed, failed, wait, go], Some("c"), None);
        check([passed, failed, wait, go], Some("d"), Some(60));
    }

    #[test]
    fn time_passes() {
        let (plan, mut steps) = plan();
        let a = plan.step_of(&key("a")).unwrap();
        steps[a].state = StepState::Building { build: ID.parse().unwrap() };
        steps[a].since = plan.start;
        let left = |now: Timestamp| remaining(&plan, &steps, Some(a), (now, 2));
        let seconds = |seconds: u64| Duration::from_secs(seconds);
        assert_eq!(left(plan.start + seconds(20)), Some(seconds(40)));
        assert_eq!(left(plan.start + seconds(90)), Some(seconds(0)));
        assert_eq!(left(plan.start - seconds(30)), Some(seconds(90)));
    }
}
