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

pub(crate) use work::{BuildInputs, inputs, limits};

/// Starts builds while there is capacity, takes over those whose process died, ends those nobody wants.
pub(crate) async fn look(context: &Arc<Context>) -> Result<Outcome, StageError> {
    let running = builds::running(&mut *context.store.read().await?).await?;
    for build in &running {
        if let BuildState::Running { owner, .. } = &build.state
            && !context.owner.is_alive(owner)
        {
            take_over(context, build).await?;
        }
    }
    end_cancelled(context).await?;
    start_next(context, running.len()).await
}

/// Another attempt at a build whose process is gone. If its output is in place, it is recorded as it is.
async fn take_over(context: &Arc<Context>, build: &Build) -> Result<(), StageError> {
    let mut build = build.clone();
    let since = context.clock.now();
    let next = BuildState::Running { owner: context.owner.name().to_owned(), since };
    build.state = build.state.enter(next).map_err(StageError::outside)?;
    build.attempt += 1;
    let mut tx = context.store.begin().await?;
    build.version = builds::update(&mut tx, &build, since).await?;
    tx.commit().await?;
    tracing::info!(
        build = build.number,
        attempt = build.attempt,
        "took over a build whose process is gone"
    );
    work::spawn(context, build);
    Ok(())
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
        let fence = builds::Fence {
            build: build.id,
            owner: context.owner.name().to_owned(),
            attempt: build.attempt,
        };
        let mut tx = context.store.begin().await?;
        match builds::start(&mut tx, &fence, context.clock.now()).await {
            Ok(build) => {
                tx.commit().await?;
                work::spawn(context, build);
            }
            // Another process was first.
            Err(store::Error::Conflict(_)) => tx.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Outcome::Idle)
}
