//! Plans under way and new roots -> the roots of one plan that goes on with all of it, and when it starts.

use std::collections::BTreeMap;
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::edge::EdgeKind;
use model::event::Severity;
use model::id::EventId;
use model::plan::{Plan, RootAction, StepIndex};
use model::reason::{Reason, gravest};
use model::step::{Step, StepState};

use super::Root;

/// How long a plan waits for more of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debounce {
    /// After the last change.
    pub quiet: Duration,
    /// After the first change, whatever comes.
    pub at_most: Duration,
}

/// The unfinished work of a plan, as roots of the one that follows it.
///
/// A root that is not published goes on. A dependent that is decided goes on by itself only if a cause of it is
/// published already; otherwise the causes decide again, and builds with the same inputs are not repeated.
pub fn unfinished(plan: &Plan, steps: &[Step]) -> Vec<Root> {
    let root = |step: &Step| {
        let planned = &plan.steps[step.index];
        let (action, reason) = match (planned.root, remaining(plan, steps, step)) {
            (Some(RootAction::Rebuild), _) => (RootAction::Rebuild, &planned.reason),
            // A test was asked for; meanwhile it has to be rebuilt.
            (_, Some(RootAction::Rebuild)) => (RootAction::Rebuild, &step.reason),
            (Some(RootAction::Retest), _) => (RootAction::Retest, &planned.reason),
            (None, Some(RootAction::Retest)) => (RootAction::Retest, &step.reason),
            (None, None) => return None,
        };
        Some(Root {
            artifact: planned.artifact.clone(),
            commit: planned.commit.clone(),
            action,
            reason: reason.clone(),
            severity: plan.severity,
            event: cause_of(plan, steps, step.index)?,
            rule: planned.rule.clone(),
            hours: planned.hours,
        })
    };
    steps.iter().filter(|step| !step.state.is_settled()).filter_map(root).collect()
}

/// What is left to do with a step to which no root of the next plan will lead again.
fn remaining(plan: &Plan, steps: &[Step], step: &Step) -> Option<RootAction> {
    match step.state {
        StepState::Waiting => None,
        StepState::Retest | StepState::Testing { .. } => {
            is_cause_published(plan, steps, step.index).then_some(RootAction::Retest)
        }
        // Its reason names one cause. Another may be published by now, and will not be asked again: it is rebuilt
        // once too often rather than never.
        _ => plan
            .dependencies(step.index)
            .iter()
            .filter(|edge| {
                let kind = edge.edge.kind;
                !edge.listens.is_empty() || matches!(kind, EdgeKind::Requires | EdgeKind::Ships)
            })
            .any(|edge| matches!(steps[edge.dependency].state, StepState::Published { .. }))
            .then_some(RootAction::Rebuild),
    }
}

/// Whether the change that a test is about is published, at the end of the packages that pass it on.
fn is_cause_published(plan: &Plan, steps: &[Step], step: StepIndex) -> bool {
    let mut at = step;
    for _ in 0..steps.len() {
        let Some(next) = towards(plan, at, &steps[at].reason) else { return false };
        match steps[next].state {
            StepState::Published { .. } => return true,
            StepState::Retest | StepState::Testing { .. } | StepState::Retested { .. } => at = next,
            _ => return false,
        }
    }
    false
}

/// The event in which the reasons of an artifact's step end.
pub fn cause(plan: &Plan, steps: &[Step], artifact: &ArtifactKey) -> Option<EventId> {
    cause_of(plan, steps, plan.step_of(artifact)?)
}

fn cause_of(plan: &Plan, steps: &[Step], step: StepIndex) -> Option<EventId> {
    let mut at = step;
    for _ in 0..steps.len() {
        let reasons = [&steps[at].reason, &plan.steps[at].reason];
        if let Some(event) = reasons.iter().find_map(|reason| reason.event()) {
            return Some(event);
        }
        match towards(plan, at, reasons[0]) {
            Some(next) => at = next,
            None => break,
        }
    }
    plan.events.first().copied()
}

/// The step a reason leads to. It is looked up among the step's own edges, of which there are few.
fn towards(plan: &Plan, from: StepIndex, reason: &Reason) -> Option<StepIndex> {
    let next = reason.towards()?;
    let edges = plan.dependencies(from).iter();
    edges.map(|edge| edge.dependency).find(|&index| plan.steps[index].artifact == *next)
}

/// One root for each artifact: the last in `roots` decides what is built, the gravest how urgent it is.
///
/// A test that is asked for takes nothing away from a rebuild, which is tested anyway.
pub fn one_each(roots: impl IntoIterator<Item = Root>) -> Vec<Root> {
    let mut merged: BTreeMap<ArtifactKey, Root> = BTreeMap::new();
    for mut root in roots {
        if let Some(earlier) = merged.remove(&root.artifact) {
            let severity = gravest([root.severity, earlier.severity]);
            let hours = earlier.hours.and(root.hours);
            if (earlier.action, root.action) == (RootAction::Rebuild, RootAction::Retest) {
                root = earlier;
            }
            root.severity = severity;
            // One of them need not wait, so none does.
            root.hours = root.hours.filter(|_| hours.is_some());
        }
        merged.insert(root.artifact.clone(), root);
    }
    merged.into_values().collect()
}

/// When a plan may start: after a quiet time, never later than the hard maximum, at once for a security fix and
/// for one that goes on with a plan that had started.
pub fn start(
    now: Timestamp,
    origin: Timestamp,
    severity: Severity,
    parents: &[&Plan],
    debounce: Debounce,
) -> Timestamp {
    let under_way = parents.iter().any(|parent| parent.start <= now);
    if under_way || severity > Severity::None {
        return now;
    }
    (now + debounce.quiet).min(origin + debounce.at_most).max(now)
}

/// Roots whose reaches meet, together; the others apart. `reached` has one entry for each root, in the same order.
pub fn groups<N: Copy + Eq + std::hash::Hash>(
    roots: Vec<Root>,
    reached: &[(ArtifactKey, Vec<N>)],
) -> Vec<Vec<Root>> {
    let mut group: Vec<usize> = (0..roots.len()).collect();
    let mut first_by_node = std::collections::HashMap::new();
    let mut first_by_key = std::collections::HashMap::new();
    for (index, (artifact, nodes)) in reached.iter().enumerate() {
        let same = *first_by_key.entry(artifact).or_insert(index);
        let met = nodes.iter().map(|node| *first_by_node.entry(*node).or_insert(index));
        for other in met.chain([same]).collect::<Vec<_>>() {
            join(&mut group, index, other);
        }
    }
    let mut groups: BTreeMap<usize, Vec<Root>> = BTreeMap::new();
    for (index, root) in roots.into_iter().enumerate() {
        groups.entry(find(&group, index)).or_default().push(root);
    }
    groups.into_values().collect()
}

fn find(group: &[usize], mut index: usize) -> usize {
    while group[index] != index {
        index = group[index];
    }
    index
}

fn join(group: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(group, a), find(group, b));
    group[a.max(b)] = a.min(b);
}

#[cfg(test)]
mod tests {
    use model::rule::PlanMode;

    use super::*;

    fn key(name: &str) -> ArtifactKey {
        format!("rpms/{name}#f44").parse().unwrap()
    }

    fn severity(text: &str) -> Severity {
        Severity::ALL.into_iter().find(|known| known.as_str() == text).unwrap()
    }

    /// `zlib 3 rebuild low` is a root at commit 3.
    fn root(text: &str) -> Root {
        let words: Vec<&str> = text.split_whitespace().collect();
        let number: u128 = words[1].parse().unwrap();
        let event = format!("{number:032x}").parse().unwrap();
        let by = "somebody".to_owned();
        Root {
            artifact: key(words[0]),
            commit: format!("{number:040}").parse().unwrap(),
            action: if words[2] == "retest" { RootAction::Retest } else { RootAction::Rebuild },
            reason: Reason::Requested { event, by, reason: String::new() },
            severity: severity(words[3]),
            event,
            rule: None,
            hours: None,
        }
    }

    fn show(root: &Root) -> String {
        let action = if root.action == RootAction::Retest { "retest" } else { "rebuild" };
        let commit = root.commit.to_string();
        let commit = commit.trim_start_matches('0');
        format!("{} {commit} {action} {}", root.artifact.name, root.severity)
    }

    fn check_one_each(roots: &str, expected: &str) {
        let merged = one_each(roots.split(';').map(root));
        assert_eq!(merged.iter().map(show).collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn the_last_commit_is_built_with_the_gravest_severity() {
        check_one_each("b 1 rebuild none; a 2 rebuild none", "a 2 rebuild none; b 1 rebuild none");
        check_one_each("a 1 rebuild critical; a 2 rebuild low", "a 2 rebuild critical");
        check_one_each("a 1 retest none; a 2 rebuild low", "a 2 rebuild low");
    }

    #[test]
    fn a_test_takes_nothing_away_from_a_rebuild() {
        check_one_each("a 1 rebuild low; a 2 retest important", "a 1 rebuild important");
    }

    /// What each root reaches, as letters; roots that meet are joined by `+`.
    fn check_groups(reaches: &str, expected: &str) {
        let (roots, reached): (Vec<Root>, Vec<_>) = reaches
            .split(';')
            .map(|text| {
                let (name, reach) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
                (root(&format!("{name} 1 rebuild none")), (key(name), reach.chars().collect()))
            })
            .unzip();
        let joined = |group: &Vec<Root>| {
            group.iter().map(|root| root.artifact.name.as_str()).collect::<Vec<_>>().join("+")
        };
        let groups = groups(roots, &reached);
        assert_eq!(groups.iter().map(joined).collect::<Vec<_>>().join("; "), expected);
    }

    #[test]
    fn roots_whose_consequences_meet_are_planned_together() {
        check_groups("a xy; b z", "a; b");
        check_groups("a xy; b z; c yz", "a+b+c");
        check_groups("a x; b yz; c w; d z", "a; b+d; c");
        // What is in no graph yet meets itself.
        check_groups("new; new; other", "new+new; other");
    }

    const DEBOUNCE: Debounce =
        Debounce { quiet: Duration::from_secs(10), at_most: Duration::from_secs(60) };

    /// When a plan starts whose first cause was `age` seconds ago, in seconds from now.
    fn check_start(age: u64, severity: Severity, parent_starts_in: Option<i64>, expected: i64) {
        let now = Timestamp(1_000_000_000);
        let second = 1_000_000;
        let parent = parent_starts_in.map(|seconds| Plan {
            id: format!("{:032x}", 1).parse().unwrap(),
            parent: None,
            branch: "f44".parse().unwrap(),
            events: Vec::new(),
            mode: PlanMode::Real,
            approval: None,
            severity: Severity::None,
            created: now,
            origin: now,
            start: Timestamp(now.0 + seconds * second),
            steps: Vec::new(),
            units: Vec::new(),
            edges: Vec::new(),
            stops: Vec::new(),
            predicted: Duration::ZERO,
        });
        let parents: Vec<&Plan> = parent.iter().collect();
        let at = start(now, now - Duration::from_secs(age), severity, &parents, DEBOUNCE);
        assert_eq!((at.0 - now.0) / second, expected);
    }

    #[test]
    fn a_plan_waits_for_more_but_not_for_ever() {
        check_start(0, Severity::None, None, 10);
        check_start(55, Severity::None, Some(3), 5);
        check_start(600, Severity::None, Some(1), 0);
    }

    #[test]
    fn security_fixes_and_what_had_started_do_not_wait() {
        check_start(0, Severity::Low, None, 0);
        check_start(20, Severity::None, Some(-1), 0);
        check_start(20, Severity::None, Some(0), 0);
    }
}
