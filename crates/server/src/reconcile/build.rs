//! Queued builds -> running builds -> recorded builds. Several processes may do this at once.
//!
//! A build is recorded once: the builder renames its output into place, and whoever comes after a kill finds it there.

mod order;
mod work;

use std::sync::Arc;

use model::build::{Build, BuildState};
use store::builds;

use super::{Outcome, StageError};
use crate::context::Context;

pub(crate) use work::{
    Kept, LAYOUT, contents_and_facets, image_request, inputs, limits, recorded_inputs,
};

/// Starts builds while there is capacity, takes over those nobody works on, ends those nobody wants.
pub(crate) async fn look(context: &Arc<Context>) -> Result<Outcome, StageError> {
    let running = builds::running(&mut *context.store.read().await?).await?;
    for build in &running {
        if let BuildState::Running { owner, .. } = &build.state
            && context.is_given_up(owner, build.id.0)
        {
            take_over(context, build).await?;
        }
    }
    end_cancelled(context).await?;
    start_next(context, running.len()).await
}

/// Another attempt at a build that was given up. If its output is in place, it is recorded as it is.
async fn take_over(context: &Arc<Context>, build: &Build) -> Result<(), StageError> {
    let Some(place) = context.running.enter(build.id.0).map_err(StageError::outside)? else {
        return Ok(());
    };
    match work::again(context, build.clone()).await {
        Ok(build) => {
            tracing::info!(
                build = build.number,
                attempt = build.attempt,
                "took over a build nobody worked on"
            );
            work::spawn(context, build, place);
            Ok(())
        }
        // Another process was first.
        Err(StageError::Store(store::Error::Conflict(_))) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Somebody recorded that a build is not wanted; whoever runs it ends it.
async fn end_cancelled(context: &Context) -> Result<(), StageError> {
    let mut reader = context.store.read().await?;
    for id in context.running.ids() {
        let build = builds::get(&mut reader, id.into()).await?;
        if build.is_some_and(|build| matches!(build.state, BuildState::Cancelled { .. })) {
            context.running.cancel(id);
        }
    }
    Ok(())
}

async fn start_next(context: &Arc<Context>, running: usize) -> Result<Outcome, StageError> {
    let queued = builds::queued(&mut *context.store.read().await?, 1000).await?;
    if queued.is_empty() || running >= context.config.build.capacity {
        return Ok(Outcome::Idle);
    }
    for build in order::next(context, queued, running).await? {
        // An earlier attempt that nobody wanted may still be ending here; then it starts at a later look.
        let Some(place) = context.running.enter(build.id.0).map_err(StageError::outside)? else {
            continue;
        };
        let fence = builds::Fence {
            build: build.id,
            owner: context.owner.name().to_owned(),
            attempt: build.attempt,
        };
        let mut tx = context.store.begin().await?;
        match builds::start(&mut tx, &fence, context.clock.now()).await {
            Ok(build) => {
                tx.commit().await?;
                work::spawn(context, build, place);
            }
            // Another process was first.
            Err(store::Error::Conflict(_)) => tx.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Outcome::Idle)
}
