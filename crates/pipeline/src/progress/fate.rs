//! What a step does about what its dependencies change: rebuild, retest, or nothing.

use std::collections::HashMap;

use model::edge::EdgeKind;
use model::facet::FacetChange;
use model::id::BuildId;
use model::plan::{PlanEdge, StepIndex};
use model::reason::{Reason, Stop, StopReason};

use super::{Progress, Word};
use crate::affected::compare::{first_heard, lost_requirement};
use crate::affected::listen::RUN_TIME;

/// For each step that behaves differently at run time, the edge and the change that say so.
///
/// A step does so if a package it requires changed, or requires one that does; it itself need not be built anew.
pub(super) fn changed_at_run_time(progress: &Progress<'_>) -> HashMap<StepIndex, (PlanEdge, FacetChange)> {
    let mut found: HashMap<StepIndex, (PlanEdge, FacetChange)> = HashMap::new();
    let requires = |edge: &&PlanEdge| edge.edge.kind == EdgeKind::Requires;
    loop {
        let mut news = Vec::new();
        for edge in progress.plan.edges.iter().filter(requires) {
            if found.contains_key(&edge.dependent) {
                continue;
            }
            let direct = run_time_change(progress, edge);
            let through = || found.get(&edge.dependency).map(|(_, change)| change.clone());
            if let Some(change) = direct.or_else(through) {
                news.push((edge.dependent, (edge.clone(), change)));
            }
        }
        if news.is_empty() {
            return found;
        }
        for (step, change) in news {
            found.entry(step).or_insert(change);
        }
    }
}

fn run_time_change(progress: &Progress<'_>, edge: &PlanEdge) -> Option<FacetChange> {
    let Word::Changed(new) = progress.word(edge.dependency) else { return None };
    let changes = progress.facts.changes(progress.plan.steps[edge.dependency].replaces, new);
    let concerns = |change: &&FacetChange| {
        change.package == edge.edge.package && RUN_TIME.contains(&change.facet)
    };
    changes.iter().find(concerns).cloned()
}

/// Why a step has to be rebuilt, if something already known says so.
///
/// `built` is the step's own build to judge: its newest in this plan, or the one that is published.
pub(super) fn heard(progress: &Progress<'_>, index: StepIndex, built: Option<BuildId>) -> Option<Reason> {
    let reason_of = |edge: &PlanEdge| {
        let new = progress.steps[edge.dependency].newest_output()?;
        let old = built_against(progress, edge, built);
        if old == Some(new) {
            return None;
        }
        listens(progress, edge, old, new).or_else(|| requirement_lost(progress, edge, built, (old, new)))
    };
    progress.plan.dependencies(index).iter().find_map(reason_of)
}

/// The build of the dependency that `built` saw: the one in its buildroot if that is one of this plan's,
/// or else the one that was published before. What lies between those was settled by earlier plans.
fn built_against(progress: &Progress<'_>, edge: &PlanEdge, built: Option<BuildId>) -> Option<BuildId> {
    let replaces = progress.plan.steps[edge.dependency].replaces;
    let own = built != progress.plan.steps[edge.dependent].replaces;
    let Some(facts) = built.and_then(|build| progress.facts.get(build)).filter(|_| own) else {
        return replaces;
    };
    let step = &progress.steps[edge.dependency];
    let seen = |build: &Option<BuildId>| build.is_some_and(|build| facts.against.contains(&build));
    let candidates = [step.state.outputs(), step.previous, replaces];
    candidates.into_iter().find(seen).flatten().or_else(|| unseen(progress, edge, facts.against.as_slice()))
}

/// An older round's build of the dependency: known by its facts, though no state names it any more.
fn unseen(progress: &Progress<'_>, edge: &PlanEdge, against: &[BuildId]) -> Option<BuildId> {
    let provides = |build: &&BuildId| {
        let named = |facts: &crate::facts::BuildFacts| {
            facts.packages.iter().any(|package| package.nevra.name == edge.edge.package)
        };
        progress.facts.get(**build).is_some_and(named)
    };
    let replaces = progress.plan.steps[edge.dependency].replaces;
    against.iter().find(provides).copied().or(replaces)
}

fn listens(
    progress: &Progress<'_>,
    edge: &PlanEdge,
    old: Option<BuildId>,
    new: BuildId,
) -> Option<Reason> {
    let changes = progress.facts.changes(old, new);
    let change = first_heard(&edge.listens, &changes, &edge.edge.package)?;
    Some(Reason::Listens { edge: edge.edge.clone(), change: change.clone() })
}

fn requirement_lost(
    progress: &Progress<'_>,
    edge: &PlanEdge,
    built: Option<BuildId>,
    (old, new): (Option<BuildId>, BuildId),
) -> Option<Reason> {
    if edge.edge.kind != EdgeKind::Requires {
        return None;
    }
    let (own, old, new) = (progress.facts.get(built?)?, progress.facts.get(old?)?, progress.facts.get(new)?);
    let (package, requirement) = lost_requirement(&own.packages, old, new)?;
    Some(Reason::RequirementLost {
        edge: edge.edge.clone(),
        package: package.nevra.name.clone(),
        requirement: requirement.to_string(),
    })
}

/// The edges at which the change stopped before this step: first those whose dependency did change.
pub(super) fn nothing_heard(progress: &Progress<'_>, index: StepIndex) -> Reason {
    let mut stops: Vec<(u8, Stop)> = progress.plan.dependencies(index).iter().map(|edge| stop(progress, edge)).collect();
    stops.sort_by_key(|(rank, _)| *rank);
    Reason::NothingHeard { stops: stops.into_iter().map(|(_, stop)| stop).collect() }
}

fn stop(progress: &Progress<'_>, edge: &PlanEdge) -> (u8, Stop) {
    let because = match progress.word(edge.dependency) {
        Word::Open | Word::Quiet => StopReason::DependencyUnneeded,
        Word::Changed(new) => {
            let replaces = progress.plan.steps[edge.dependency].replaces;
            let changes = progress.facts.changes(replaces, new);
            let of_package = |change: &&FacetChange| change.package == edge.edge.package;
            let changed: Vec<FacetChange> = changes.iter().filter(of_package).cloned().collect();
            if changed.is_empty() {
                StopReason::PackageUnchanged
            } else {
                StopReason::NotListening { changed }
            }
        }
    };
    let rank = match because {
        StopReason::NotListening { .. } => 0,
        StopReason::PackageUnchanged => 1,
        _ => 2,
    };
    (rank, Stop { edge: edge.edge.clone(), because })
}
