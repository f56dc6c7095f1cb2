//! Plans that touch more than a rule allows: kept apart from everything under way until a person allows them.
//!
//! A proposal answers one event, takes over nothing and is taken over by nothing, so that it keeps nobody waiting. When a
//! person allows it, it is planned again with what is known then. A later commit to where it starts takes its place.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::artifact::{ArtifactKey, BranchName};
use model::id::EventId;
use model::plan::{NumberedPlan, PlannedStep, RootAction};
use model::reason::Reason;
use model::rule::{Approval, PlanMode};
use model::step::Step;
use pipeline::plan::{Root, beyond};
use pipeline::rules::limits::Bounds;
use store::{approvals, plans, steps};

use super::{Draft, Supposed, Wish, alone};
use crate::context::Context;
use crate::reconcile::StageError;

/// Takes out of `roots` those that touch more than their rules allow, each with the plan that is proposed for it.
///
/// Roots of one event, which are an artifact and what it lacks, stay together.
pub(crate) async fn take_large(
    context: &Context,
    branch: &BranchName,
    roots: &mut Vec<Root>,
    bounds: &HashMap<EventId, Bounds>,
) -> Result<Vec<(Draft, Vec<Root>)>, StageError> {
    // What never starts needs nobody's yes.
    if context.config.shadow.enabled {
        return Ok(Vec::new());
    }
    let limited =
        |root: &mut Root| bounds.get(&root.event).is_some_and(|bounds| bounds.size.is_some());
    let mut by_event: BTreeMap<EventId, Vec<Root>> = BTreeMap::new();
    for root in roots.extract_if(.., limited) {
        by_event.entry(root.event).or_default().push(root);
    }
    let mut proposals = Vec::new();
    for (event, together) in by_event {
        let wish = Wish::of(context, together.clone());
        let mut plan = alone(context, branch, wish, &Supposed::default()).await?;
        match bounds.get(&event).and_then(|bounds| beyond(&plan, bounds)) {
            Some(mode) => {
                plan.mode = mode;
                proposals.push((Draft { plan, merged: Vec::new() }, together));
            }
            None => roots.extend(together),
        }
    }
    Ok(proposals)
}

/// The plans that wait for a person and start where one of these roots does, each with that artifact: a later commit,
/// or another request, takes their place. A test that is asked for does not.
pub(crate) async fn replaced_by(
    context: &Context,
    branch: &BranchName,
    roots: &[Root],
) -> Result<Vec<(ArtifactKey, (NumberedPlan, Vec<Step>))>, StageError> {
    let rebuilt = roots.iter().filter(|root| root.action == RootAction::Rebuild);
    let rebuilt: HashSet<&ArtifactKey> = rebuilt.map(|root| &root.artifact).collect();
    // What never starts takes nobody's place.
    if context.config.shadow.enabled {
        return Ok(Vec::new());
    }
    let mut reader = context.store.read().await?;
    let mut replaced = Vec::new();
    for head in plans::proposed(&mut reader, Some(branch)).await? {
        let Some(found) = plans::get(&mut reader, head.id).await? else { continue };
        let is_start = |step: &&PlannedStep| {
            step.root.is_some() && !matches!(step.reason, Reason::Missing { .. })
        };
        let mut starts = found.plan.steps.iter().filter(is_start).map(|step| &step.artifact);
        if let Some(start) = starts.find(|start| rebuilt.contains(start)).cloned() {
            let steps = steps::of_plan(&mut reader, head.id).await?;
            replaced.push((start, (found, steps)));
        }
    }
    Ok(replaced)
}

/// The plans that a person has allowed and that were not made again yet, with who did.
pub(crate) async fn allowed(
    context: &Context,
) -> Result<Vec<(NumberedPlan, Vec<Step>, Approval)>, StageError> {
    // It is made again by a server that acts.
    if context.config.shadow.enabled {
        return Ok(Vec::new());
    }
    let mut reader = context.store.read().await?;
    let mut allowed = Vec::new();
    for head in plans::proposed(&mut reader, None).await? {
        let Some(approval) = approvals::of_plan(&mut reader, head.id).await? else { continue };
        let Some(found) = plans::get(&mut reader, head.id).await? else { continue };
        let steps = steps::of_plan(&mut reader, head.id).await?;
        allowed.push((found, steps, approval));
    }
    Ok(allowed)
}

/// The rule and its limit in a proposed plan's mode, as a sentence.
pub(crate) fn sentence(draft: &Draft) -> Option<String> {
    let PlanMode::Proposed { rule, limit } = &draft.plan.mode else { return None };
    let size = draft.plan.steps.len();
    Some(format!(
        "it would touch {size} artifacts, and rule {rule} allows {limit}: a person is asked"
    ))
}
