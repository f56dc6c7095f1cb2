//! What a step does about what its dependencies change: rebuild, retest, or nothing.

use std::collections::HashMap;

use model::edge::{EdgeKind, Evidence};
use model::facet::FacetChange;
use model::id::BuildId;
use model::plan::{PlanEdge, StepIndex};
use model::reason::{Reason, Stop, StopReason};

use super::{Progress, Word};
use crate::affected::compare::{first_heard, lost_requirement};
use crate::affected::listen::RUN_TIME;

/// A binary package of a step; every one of them where the requiring package is not known.
type Place = (StepIndex, Option<String>);

/// For each step that behaves differently at run time, the edge and the change that say so.
///
/// A package does so if a package it requires changed, or requires one that does; its step itself need not be built
/// anew. Other packages of the same step are not concerned: who uses a library is not touched by its headers.
pub(super) fn changed_at_run_time(
    progress: &Progress<'_>,
) -> HashMap<StepIndex, (PlanEdge, FacetChange)> {
    let mut found: HashMap<Place, (PlanEdge, FacetChange)> = HashMap::new();
    let requires: Vec<&PlanEdge> =
        progress.plan.edges.iter().filter(|edge| edge.edge.kind == EdgeKind::Requires).collect();
    loop {
        let mut news = Vec::new();
        for edge in &requires {
            let place = (edge.dependent, requiring(edge));
            if found.contains_key(&place) {
                continue;
            }
            let change = run_time_change(progress, edge).or_else(|| passed_on(&found, edge));
            news.extend(change.map(|change| (place, ((*edge).clone(), change))));
        }
        if news.is_empty() {
            return by_step(found);
        }
        for (place, change) in news {
            found.entry(place).or_insert(change);
        }
    }
}

/// The package at the dependent's end, as far as the edge's evidence tells.
fn requiring(edge: &PlanEdge) -> Option<String> {
    match &edge.edge.evidence {
        Evidence::Requires { package, .. } => Some(package.clone()),
        Evidence::Spec { .. } | Evidence::Buildroot { .. } => None,
    }
}

fn passed_on(
    found: &HashMap<Place, (PlanEdge, FacetChange)>,
    edge: &PlanEdge,
) -> Option<FacetChange> {
    let named = found.get(&(edge.dependency, Some(edge.edge.package.clone())));
    named.or_else(|| found.get(&(edge.dependency, None))).map(|(_, change)| change.clone())
}

/// One change for each step: of several packages, the first by name.
fn by_step(
    found: HashMap<Place, (PlanEdge, FacetChange)>,
) -> HashMap<StepIndex, (PlanEdge, FacetChange)> {
    let mut places: Vec<(Place, (PlanEdge, FacetChange))> = found.into_iter().collect();
    places.sort_by(|(a, _), (b, _)| b.cmp(a));
    places.into_iter().map(|((step, _), change)| (step, change)).collect()
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
pub(super) fn heard(
    progress: &Progress<'_>,
    index: StepIndex,
    built: Option<BuildId>,
) -> Option<Reason> {
    let reason_of = |edge: &PlanEdge| {
        let new = progress.steps[edge.dependency].newest_output()?;
        let old = built_against(progress, edge, built);
        if old == Some(new) {
            return None;
        }
        listens(progress, edge, old, new)
            .or_else(|| requirement_lost(progress, edge, built, (old, new)))
    };
    progress.plan.dependencies(index).iter().find_map(reason_of)
}

/// The build of the dependency that `built` saw: the one in its buildroot if that is one of this plan's,
/// or else the one that was published before. What lies between those was settled by earlier plans.
fn built_against(
    progress: &Progress<'_>,
    edge: &PlanEdge,
    built: Option<BuildId>,
) -> Option<BuildId> {
    let replaces = progress.plan.steps[edge.dependency].replaces;
    let own = built != progress.plan.steps[edge.dependent].replaces;
    let Some(facts) = built.and_then(|build| progress.facts.get(build)).filter(|_| own) else {
        return replaces;
    };
    let step = &progress.steps[edge.dependency];
    let seen = |build: &Option<BuildId>| build.is_some_and(|build| facts.against.contains(&build));
    let candidates = [step.state.outputs(), step.previous, replaces];
    candidates
        .into_iter()
        .find(seen)
        .flatten()
        .or_else(|| unseen(progress, edge, facts.against.as_slice()))
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
    let (own, old, new) =
        (progress.facts.get(built?)?, progress.facts.get(old?)?, progress.facts.get(new)?);
    let (package, requirement) = lost_requirement(&own.packages, old, new)?;
    Some(Reason::RequirementLost {
        edge: edge.edge.clone(),
        package: package.nevra.name.clone(),
        requirement: requirement.to_string(),
    })
}

/// The edges at which the change stopped before this step: first those whose dependency did change.
pub(super) fn nothing_heard(progress: &Progress<'_>, index: StepIndex) -> Reason {
    let mut stops: Vec<(u8, Stop)> =
        progress.plan.dependencies(index).iter().map(|edge| stop(progress, edge)).collect();
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
