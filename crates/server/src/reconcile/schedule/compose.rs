//! The inputs of a compose, gathered from the overlay.

use model::artifact::ArtifactKey;
use model::build::Inputs;
use model::compose::{ComposeDefinition, ComposeInputs};

use super::inputs::{Lacking, Resolved};
use crate::composing::harvest;
use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::Repository;
use crate::view::Overlay;

/// Resolves what every variant ships.
pub(super) async fn resolve(
    context: &Context,
    artifact: &ArtifactKey,
    definition: &ComposeDefinition,
    from: (&Overlay, &Repository),
) -> Result<Result<Resolved, Lacking>, StageError> {
    let gathered = harvest::gather(context, artifact, definition, from).await?;
    Ok(gathered
        .map(|inputs| Resolved { digests: digests(&inputs), inputs: Inputs::Compose(inputs) }))
}

/// One line for each package and image of each variant.
fn digests(inputs: &ComposeInputs) -> Vec<String> {
    let parts = inputs.variants.iter().flat_map(|(id, variant)| {
        variant.arches.iter().flat_map(move |(arch, contents)| {
            let packages = contents.packages.iter().map(|package| package.digest);
            let images = contents.images.iter().map(|image| image.digest);
            packages.chain(images).map(move |digest| format!("{id} {arch} {digest}"))
        })
    });
    parts.collect()
}
