//! The build of a compose: a folder of repositories, images and metadata, with what did not change taken over from the
//! compose before.

use std::path::PathBuf;

use adapters::compose::{self, Ingredients};
use model::build::{Build, BuildState, Inputs, Product};
use model::compose::{
    ComposeDate, ComposeDefinition, ComposeId, ComposeInputs, ComposeKind, ComposeOutput,
    DeliverableKey,
};
use model::facet::BuildFacets;
use model::source::Recipe;
use pipeline::compose::deliverables::{comps_xml, deliverables};
use pipeline::compose::reuse::choose;
use store::{Page, builds};

use super::image::LAYOUT;
use super::{keep, log, output, recorded_inputs};
use crate::clock::Stopwatch;
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
    let (planned, reasons) =
        plan(context, build, &definition, &inputs, previous.as_ref().map(|(output, _)| output));
    let previous = previous.map(|(_, folder)| folder);
    let ingredients = ingredients(context, &definition, &inputs, previous).await?;
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

/// What is to be delivered, and a sentence for each deliverable that says whether it is made, and why.
fn plan(
    context: &Context,
    build: &Build,
    definition: &ComposeDefinition,
    inputs: &ComposeInputs,
    previous: Option<&ComposeOutput>,
) -> (ComposeOutput, Vec<String>) {
    let id = id(context, build, definition);
    let mut output = ComposeOutput {
        deliverables: deliverables(definition, &id, &inputs.variants),
        release: definition.release.clone(),
        created: build.created,
        variants: inputs.variants.clone(),
        id,
    };
    let choices = choose(previous, &output);
    let reasons = choices.iter().map(|choice| choice.reason.clone()).collect();
    output.deliverables = choices.into_iter().map(|choice| choice.deliverable).collect();
    (output, reasons)
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

/// A compose that was made, with its folder.
pub(crate) async fn composed(
    context: &Context,
    build: &Build,
) -> Result<Option<(ComposeOutput, PathBuf)>, StageError> {
    let Some(made) = context.output(build.id).await? else { return Ok(None) };
    let Product::Compose(compose) = made.product else { return Ok(None) };
    let folder = output(context, build).join(compose.id.to_string());
    Ok(folder.is_dir().then_some((compose, folder)))
}

async fn ingredients(
    context: &Context,
    definition: &ComposeDefinition,
    inputs: &ComposeInputs,
    previous: Option<PathBuf>,
) -> Result<Ingredients, StageError> {
    let root = context.config.builds_root();
    let mut ingredients = Ingredients { previous, ..Ingredients::default() };
    for package in inputs.packages() {
        let folder = root.join(package.build.to_string());
        ingredients.packages.insert(package.file.clone(), folder.join(&package.file));
        if let Some(Product::Packages(made)) =
            context.output(package.build).await?.map(|output| output.product)
        {
            ingredients.sources.insert(package.source.clone(), folder.join(made.source_package));
        }
    }
    for (id, variant) in &inputs.variants {
        for (arch, contents) in &variant.arches {
            for image in &contents.images {
                let layout = root.join(image.build.to_string()).join(LAYOUT);
                ingredients.images.insert((arch.clone(), image.name.clone()), layout);
            }
            if let Some(text) = comps_xml(definition, id, arch) {
                let key = DeliverableKey::Comps { variant: id.clone(), arch: arch.clone() };
                ingredients.comps.insert(key, text);
            }
        }
    }
    Ok(ingredients)
}
