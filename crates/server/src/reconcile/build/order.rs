//! Which of the queued builds come first: by the gravity of their cause, then by how much waits for them.

use std::collections::HashMap;
use std::time::Duration;

use model::build::Build;
use model::event::Severity;
use model::id::BuildId;
use model::step::StepState;
use pipeline::schedule::{Candidate, Work, order, remaining_paths};

use crate::context::Context;
use crate::reconcile::StageError;
use crate::view::{self, View};

/// The builds to start now, at most as many as there is capacity for.
pub(super) async fn next(
    context: &Context,
    queued: Vec<Build>,
    running: usize,
) -> Result<Vec<Build>, StageError> {
    let weights = weights(context).await?;
    let candidates: Vec<Candidate<i64>> = queued
        .iter()
        .map(|build| {
            let (severity, remaining_path) = weights.get(&build.id).copied().unwrap_or_default();
            Candidate { id: build.number, severity, remaining_path, waiting_since: build.created }
        })
        .collect();
    let chosen = order(&candidates, running, context.config.build.capacity, context.clock.now());
    let mut by_number: HashMap<i64, Build> =
        queued.into_iter().map(|build| (build.number, build)).collect();
    Ok(chosen.iter().filter_map(|number| by_number.remove(number)).collect())
}

/// The gravest cause and the longest remaining path of each build that a plan waits for.
async fn weights(context: &Context) -> Result<HashMap<BuildId, (Severity, Duration)>, StageError> {
    let mut weights: HashMap<BuildId, (Severity, Duration)> = HashMap::new();
    for view in view::started(context).await? {
        let paths = paths(&view);
        for step in &view.steps {
            if let StepState::Building { build } = step.state {
                let weight = weights.entry(build).or_default();
                weight.0 = weight.0.max(view.plan.severity);
                weight.1 = weight.1.max(paths[step.index]);
            }
        }
    }
    Ok(weights)
}

fn paths(view: &View) -> Vec<Duration> {
    let left = view.steps.iter().map(|step| match step.state {
        StepState::Waiting | StepState::Rebuild | StepState::Building { .. } => {
            view.plan.steps[step.index].predicted
        }
        _ => Duration::ZERO,
    });
    let durations: Vec<Duration> = left.collect();
    remaining_paths(&Work {
        units: &view.plan.units,
        edges: &view.plan.edges,
        durations: &durations,
    })
}
