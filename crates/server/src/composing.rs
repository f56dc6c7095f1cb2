//! Composes: what they are gathered from, planned as, and written from; by a build, or for one machine alone.

pub(crate) mod harvest;

use std::path::{Path, PathBuf};

use adapters::compose::{self, Ingredients};
use adapters::distgit;
use model::artifact::ArtifactKey;
use model::build::{Build, Product};
use model::clock::Timestamp;
use model::compose::{
    ComposeDate, ComposeDefinition, ComposeId, ComposeInputs, ComposeKind, ComposeOutput,
    DeliverableKey,
};
use model::source::Recipe;
use pipeline::compose::deliverables::{comps_xml, deliverables};
use pipeline::compose::reuse::choose;

use crate::admin::AdminError;
use crate::admin::composes::LocalCompose;
use crate::context::Context;
use crate::reconcile::StageError;
use crate::reconcile::build::LAYOUT;
use crate::view::Overlay;
use crate::{resolving, sourcing};

/// What is to be delivered, and a sentence for each deliverable that says whether it is made, and why.
pub(crate) fn plan(
    (definition, inputs): (&ComposeDefinition, &ComposeInputs),
    id: ComposeId,
    created: Timestamp,
    previous: Option<&ComposeOutput>,
) -> (ComposeOutput, Vec<String>) {
    let mut output = ComposeOutput {
        deliverables: deliverables(definition, &id, &inputs.variants),
        release: definition.release.clone(),
        created,
        variants: inputs.variants.clone(),
        id,
    };
    let choices = choose(previous, &output);
    let reasons = choices.iter().map(|choice| choice.reason.clone()).collect();
    output.deliverables = choices.into_iter().map(|choice| choice.deliverable).collect();
    (output, reasons)
}

/// A compose that was made, with its folder.
pub(crate) async fn composed(
    context: &Context,
    build: &Build,
) -> Result<Option<(ComposeOutput, PathBuf)>, StageError> {
    let Some(made) = context.output(build.id).await? else { return Ok(None) };
    let Product::Compose(compose) = made.product else { return Ok(None) };
    let folder = context.config.builds_root().join(build.id.to_string());
    let folder = folder.join(compose.id.to_string());
    Ok(folder.is_dir().then_some((compose, folder)))
}

/// Makes a compose of what is published, as the tip of its branch says, in a folder of this machine.
pub(crate) async fn here(
    context: &Context,
    artifact: &ArtifactKey,
    folder: &Path,
) -> Result<LocalCompose, AdminError> {
    let repository = sourcing::repository(context, artifact);
    let commit = distgit::resolve_commit(&repository, artifact.branch.as_str())
        .await
        .map_err(AdminError::input)?;
    let source = sourcing::read_commit(context, artifact, &commit).await?;
    let content = source
        .content
        .map_err(|problem| AdminError::Input(format!("{artifact} cannot be read: {problem}")))?;
    let Recipe::Compose(definition) = content.recipe else {
        return Err(AdminError::Input(format!("{artifact} says nothing of a compose")));
    };
    let published = context.published.current(&context.store, &artifact.branch).await?;
    let overlay = Overlay { builds: published.builds.clone() };
    let laid_out = resolving::repository(context, &overlay).await?;
    let from = (&overlay, &laid_out);
    let inputs = harvest::gather(context, artifact, &definition, from).await?;
    let inputs = inputs.map_err(|lacking| {
        AdminError::Input(format!("{artifact} cannot be made: {}", lacking.join("; ")))
    })?;
    let created = context.clock.now();
    let (id, previous) = next(context, artifact, &definition, folder).await?;
    let before = previous.as_ref().map(|(output, _)| output);
    let (planned, reasons) = plan((&definition, &inputs), id, created, before);
    let previous = previous.map(|(_, folder)| folder);
    let ingredients = ingredients(context, &definition, &inputs, previous).await?;
    let output =
        compose::write(folder, &planned, &ingredients).await.map_err(AdminError::outside)?;
    let folder = folder.join(output.id.to_string());
    Ok(LocalCompose { output, folder, reasons })
}

/// The id of a trial: the first respin of the day that the folder does not have. What is published is reused.
async fn next(
    context: &Context,
    artifact: &ArtifactKey,
    definition: &ComposeDefinition,
    folder: &Path,
) -> Result<(ComposeId, Option<(ComposeOutput, PathBuf)>), AdminError> {
    let today = ComposeDate::of(context.clock.now());
    let id = |respin| ComposeId::new(&definition.release, today, ComposeKind::Test, respin);
    let free = (0..).map(id).find(|id| !folder.join(id.to_string()).exists());
    let published = context.published.current(&context.store, &artifact.branch).await?;
    let mut previous = None;
    if let Some(build) = published.builds.get(artifact) {
        let found = store::builds::get(&mut *context.store.read().await?, *build).await?;
        if let Some(build) = found {
            previous = composed(context, &build).await?;
        }
    }
    let free = free.ok_or_else(|| AdminError::Input("no respin is left for today".to_owned()))?;
    Ok((free, previous))
}

/// Where everything lies that a compose is written from.
pub(crate) async fn ingredients(
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
