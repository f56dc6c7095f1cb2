//! Shadow mode: what plans that never start say, against what others built.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use model::artifact::ArtifactKey;
use model::clock::Timestamp;
use model::id::EventId;
use model::plan::{NumberedPlan, PlannedStep};
use model::shadow::{ActualBuild, BothBuilt, Certainty, OrderDifference, ShadowReport, WouldBuild};

/// A span of time, and how far apart a plan and a build may be to mean the same change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end, which is not part of it.
    pub until: Timestamp,
    /// How far apart they may be.
    pub grace: Duration,
}

impl Span {
    /// Whether a moment is in it.
    fn has(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }

    /// Whether two moments are close enough.
    fn close(&self, one: Timestamp, other: Timestamp) -> bool {
        one.since(other).max(other.since(one)) <= self.grace
    }
}

/// Compares what we would have done with what was done. Plans and builds are those of the span and of the grace before and
/// after it: a change of shortly before midnight is built shortly after. `first_seen` are the events that tell of
/// branches nobody knew of.
pub fn compare(
    span: Span,
    plans: &[NumberedPlan],
    first_seen: &HashSet<EventId>,
    actual: &[ActualBuild],
) -> ShadowReport {
    let mut by_artifact: HashMap<&ArtifactKey, Vec<&ActualBuild>> = HashMap::new();
    for build in actual {
        by_artifact.entry(&build.artifact).or_default().push(build);
    }
    by_artifact.values_mut().for_each(|builds| builds.sort_by_key(|build| build.at));
    let inside: Vec<&NumberedPlan> =
        plans.iter().filter(|plan| span.has(plan.plan.created)).collect();
    let mut report = ShadowReport {
        from: span.from,
        until: span.until,
        plans: inside.len(),
        first_seen: inside.iter().map(|plan| new_roots(plan, first_seen)).sum(),
        ..ShadowReport::default()
    };
    for would in planned(inside.iter().copied(), first_seen).into_values() {
        let builds = by_artifact.get(&would.artifact).into_iter().flatten();
        let builds: Vec<ActualBuild> =
            builds.filter(|build| span.close(build.at, would.at)).copied().cloned().collect();
        if builds.is_empty() {
            report.only_we.push(would);
        } else {
            report.both.push(BothBuilt { would, builds });
        }
    }
    report.only_we.sort_by(|a, b| (a.certainty, &a.artifact).cmp(&(b.certainty, &b.artifact)));
    report.only_they = unplanned(span, plans, actual);
    report.order = inside.iter().flat_map(|plan| order(span, plan, &by_artifact)).collect();
    report
}

/// How many artifacts of a plan are there only because they were seen for the first time.
fn new_roots(plan: &NumberedPlan, first_seen: &HashSet<EventId>) -> usize {
    plan.plan.steps.iter().filter(|step| is_new(step, first_seen)).count()
}

fn is_new(step: &PlannedStep, first_seen: &HashSet<EventId>) -> bool {
    step.reason.event().is_some_and(|event| first_seen.contains(&event))
}

/// What plans would have built, each artifact once: by the first plan, and as sure as the surest.
fn planned<'a>(
    plans: impl Iterator<Item = &'a NumberedPlan>,
    first_seen: &HashSet<EventId>,
) -> BTreeMap<ArtifactKey, WouldBuild> {
    let mut found: BTreeMap<ArtifactKey, WouldBuild> = BTreeMap::new();
    for plan in plans {
        // What only new branches reach is there for them.
        let is_import = plan.plan.events.iter().all(|event| first_seen.contains(event));
        for step in plan.plan.steps.iter().filter(|step| !is_import && !is_new(step, first_seen)) {
            let certainty = match step.root {
                Some(_) => Certainty::Certain,
                None => Certainty::DependsOnFacets,
            };
            let would = WouldBuild {
                artifact: step.artifact.clone(),
                certainty,
                plan: plan.number,
                at: plan.plan.created,
                sentence: step.reason.to_string(),
            };
            match found.get_mut(&step.artifact) {
                Some(known) if known.certainty <= certainty => {}
                Some(known) => *known = would,
                None => drop(found.insert(step.artifact.clone(), would)),
            }
        }
    }
    found
}

/// The builds of the span that no plan of about that time has.
fn unplanned(span: Span, plans: &[NumberedPlan], actual: &[ActualBuild]) -> Vec<ActualBuild> {
    let mut times: HashMap<&ArtifactKey, Vec<Timestamp>> = HashMap::new();
    for plan in plans {
        for step in &plan.plan.steps {
            times.entry(&step.artifact).or_default().push(plan.plan.created);
        }
    }
    let is_planned = |build: &&ActualBuild| {
        let times = times.get(&build.artifact).into_iter().flatten();
        times.into_iter().any(|at| span.close(*at, build.at))
    };
    let builds = actual.iter().filter(|build| span.has(build.at));
    let mut found: Vec<ActualBuild> = builds.filter(|build| !is_planned(build)).cloned().collect();
    found.sort_by(|a, b| (a.at, &a.artifact).cmp(&(b.at, &b.artifact)));
    found
}

/// What was built before something it needs, although one plan has both. Members of a cycle have no order.
fn order(
    span: Span,
    plan: &NumberedPlan,
    actual: &HashMap<&ArtifactKey, Vec<&ActualBuild>>,
) -> Vec<OrderDifference> {
    let last = |step: usize| {
        let builds = actual.get(&plan.plan.steps[step].artifact)?;
        builds.iter().rev().find(|build| span.close(build.at, plan.plan.created)).copied()
    };
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    for edge in &plan.plan.edges {
        let ends = (edge.dependent, edge.dependency);
        if plan.plan.steps[ends.0].unit == plan.plan.steps[ends.1].unit || !seen.insert(ends) {
            continue;
        }
        if let (Some(dependent), Some(dependency)) = (last(ends.0), last(ends.1))
            && dependent.at < dependency.at
        {
            found.push(OrderDifference {
                dependent: dependent.clone(),
                dependency: dependency.clone(),
                sentence: edge.edge.to_string(),
                plan: plan.number,
            });
        }
    }
    found
}

#[cfg(test)]
mod tests;
