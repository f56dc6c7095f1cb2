//! What a step does about what its dependencies change: rebuild, retest, or nothing.

use model::edge::{Edge, EdgeKind, Evidence};
use model::facet::FacetChange;
use model::id::BuildId;
use model::package::Package;
use model::plan::{PlanEdge, StepIndex};
use model::reason::{Reason, Stop, StopReason};
use model::source::Settings;

use super::{Look, Progress, Word};
use crate::affected::compare::{first_heard, lost_requirement};
use crate::affected::listen::listening;

/// Why a step has to be rebuilt, if something already known says so.
///
/// `built` is the step's own build to judge: its newest in this plan, or the one that is published.
pub(super) fn heard(look: &Look<'_>, index: StepIndex, built: Option<BuildId>) -> Option<Reason> {
    let progress = &look.progress;
    let unit = |step: StepIndex| progress.plan.steps[step].unit;
    let made_here = built != progress.plan.steps[index].replaces;
    let reason_of = |edge: &PlanEdge| {
        // What this plan built was started when everything outside its cycle was through: only the cycle may move.
        if made_here && unit(edge.dependency) != unit(index) {
            return None;
        }
        let new = look.output(edge)?;
        let old = built_against(progress, edge, built);
        if old == Some(new) {
            return None;
        }
        if edge.edge.kind == EdgeKind::Ships {
            return Some(Reason::Replaced { edge: edge.edge.clone() });
        }
        listens(progress, edge, old, new)
            .or_else(|| requirement_lost(progress, edge, built, (old, new)))
    };
    let planned = progress.plan.dependencies(index).iter().find_map(reason_of);
    planned.or_else(|| heard_unplanned(progress, index, built.filter(|_| made_here)?))
}

/// What a build of this plan hears from a member of its cycle that it has in its buildroot, though no edge of the plan
/// says so: what a package requires may be new with the very changes the plan is made for, and a source that was never
/// built names only what it asks for itself. Outside cycles such a build was started after all that.
fn heard_unplanned(progress: &Progress<'_>, index: StepIndex, built: BuildId) -> Option<Reason> {
    let against = progress.facts.get(built)?.against.as_slice();
    let is_planned = |member: StepIndex| {
        let mut edges = progress.plan.dependencies(index).iter();
        edges.any(|edge| edge.dependency == member && edge.edge.kind != EdgeKind::Requires)
    };
    let reason_of = |member: StepIndex| {
        let new = progress.steps[member].newest_output().filter(|new| !against.contains(new))?;
        let old = against.iter().find(|old| share_a_package(progress, **old, new))?;
        let listens = listening(EdgeKind::Buildroot, "", &Settings::default());
        let changes = progress.facts.changes(Some(*old), new);
        let change = changes.iter().find_map(|change| {
            first_heard(&listens, std::slice::from_ref(change), &change.package)
        })?;
        let edge = Edge {
            dependent: progress.plan.steps[index].artifact.clone(),
            dependency: progress.plan.steps[member].artifact.clone(),
            kind: EdgeKind::Buildroot,
            package: change.package.clone(),
            evidence: Evidence::Buildroot { build: built },
        };
        Some(Reason::Listens { edge, change: change.clone() })
    };
    let others = progress.members(progress.plan.steps[index].unit);
    others.filter(|&member| member != index && !is_planned(member)).find_map(reason_of)
}

/// Whether two builds are of one artifact, as far as their packages tell.
fn share_a_package(progress: &Progress<'_>, old: BuildId, new: BuildId) -> bool {
    let (Some(old), Some(new)) = (progress.facts.get(old), progress.facts.get(new)) else {
        return false;
    };
    let names =
        |package: &Package| old.packages.iter().any(|other| other.nevra.name == package.nevra.name);
    new.packages.iter().any(names)
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
pub(super) fn nothing_heard(look: &Look<'_>, index: StepIndex) -> Reason {
    let edges = look.progress.plan.dependencies(index).iter();
    let mut stops: Vec<(u8, Stop)> = edges.map(|edge| stop(look, edge)).collect();
    stops.sort_by_key(|(rank, _)| *rank);
    Reason::NothingHeard { stops: stops.into_iter().map(|(_, stop)| stop).collect() }
}

fn stop(look: &Look<'_>, edge: &PlanEdge) -> (u8, Stop) {
    let because = match look.word(edge) {
        Word::Open | Word::Quiet => StopReason::DependencyUnneeded,
        Word::Changed(new) => {
            let replaces = look.progress.plan.steps[edge.dependency].replaces;
            let changes = look.progress.facts.changes(replaces, new);
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
