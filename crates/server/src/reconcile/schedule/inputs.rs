//! What goes into a build, resolved from its overlay by the kind of the artifact.

use model::artifact::ArtifactKey;
use model::build::{Flavour, Inputs};
use model::source::{Recipe, SourceContent};

use super::{compose, image, package};
use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::Repository;
use crate::view::Overlay;

/// Inputs, with what tells them from others.
pub(super) struct Resolved {
    /// What goes in.
    pub(super) inputs: Inputs,
    /// The digest of everything that goes in.
    pub(super) digests: Vec<String>,
}

/// Why inputs cannot be had, in sentences.
pub(super) type Lacking = Vec<String>;

/// Resolves what one artifact is built of.
pub(super) async fn resolve(
    context: &Context,
    artifact: &ArtifactKey,
    (content, flavour): (&SourceContent, Flavour),
    (overlay, repository): (&Overlay, &Repository),
) -> Result<Result<Resolved, Lacking>, StageError> {
    match &content.recipe {
        Recipe::Package => package::resolve(context, repository, content, flavour).await,
        Recipe::Image(recipe) => {
            image::resolve(context, artifact, recipe, (overlay, repository)).await
        }
        Recipe::Compose(definition) => {
            compose::resolve(context, artifact, definition, (overlay, repository)).await
        }
    }
}
