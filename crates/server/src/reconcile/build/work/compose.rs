//! The build of a compose: a folder of repositories, images and metadata, with what did not change taken over from the
//! compose before.

use std::path::PathBuf;

use adapters::compose;
use model::build::{Build, BuildState, Inputs, Product};
use model::compose::{ComposeDate, ComposeDefinition, ComposeId, ComposeKind, ComposeOutput};
use model::facet::BuildFacets;
use model::source::Recipe;
use store::{Page, builds};

use super::{keep, log, output, recorded_inputs};
use crate::clock::Stopwatch;
use crate::composing::{self, composed};
use crate::context::Context;
use crate::reconcile::StageError;

/// Writes the compose, and in its log what is made and what is reused.
pub(super) async fn run(context: &Context, build: &Build) -> Result<BuildState, StageError> {
    let watch = Stopwatch::start();
    let definition = definition(context, build).await?;
    let Inputs::Compose(inputs) = recorded_inputs(context, build).await? else {
        return Err(StageError::outside("its inputs are those of something else"));
    };
    let previous = previous(context, build).await?;
    let id = id(context, build, &definition);
    let (planned, reasons) = composing::plan(
        (&definition, &inputs),
        id,
        build.created,
        previous.as_ref().map(|(output, _)| output),
    );
    let previous = previous.map(|(_, folder)| folder);
    let ingredients = composing::ingredients(context, &definition, &inputs, previous).await?;
    std::fs::write(log(context, build), reasons.join("\n") + "\n").map_err(StageError::outside)?;
    let written = compose::write(&output(context, build), &planned, &ingredients)
        .await
        .map_err(StageError::outside)?;
    keep(context, watch.elapsed(), Product::Compose(written), &BuildFacets::default()).await
}

async fn definition(context: &Context, build: &Build) -> Result<ComposeDefinition, StageError> {
    let content = context.content(&build.artifact, &build.commit).await?;
    match content.map(|content| content.recipe) {
        Some(Recipe::Compose(definition)) => Ok(definition),
        _ => Err(StageError::outside("its source says nothing of a compose")),
    }
}

/// What waits for a person is a candidate for shipping; anything else is made for each change. The respin is the minor
/// bump of the build's release, which no other build of the artifact has.
fn id(context: &Context, build: &Build, definition: &ComposeDefinition) -> ComposeId {
    let kind = match definition.release.sign_off {
        true => ComposeKind::Production,
        false => ComposeKind::Ci,
    };
    let dist = context.config.dist(build.artifact.branch.as_str());
    let bump = build.dist.strip_prefix(dist.as_str()).and_then(|rest| rest.strip_prefix('.'));
    let respin = bump.and_then(|bump| bump.parse().ok()).unwrap_or(0);
    ComposeId::new(&definition.release, ComposeDate::of(build.created), kind, respin)
}

/// The newest compose of the artifact before this one, with its folder, as long as that is kept.
async fn previous(
    context: &Context,
    build: &Build,
) -> Result<Option<(ComposeOutput, PathBuf)>, StageError> {
    let mut reader = context.store.read().await?;
    let earlier = builds::list(
        &mut reader,
        Some(&build.artifact),
        Some("succeeded"),
        Page::before(build.number, 10),
    )
    .await?;
    drop(reader);
    for build in earlier {
        if let Some(found) = composed(context, &build).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}
