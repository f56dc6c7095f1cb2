//! The inputs of an image: for each stage the image it starts from and what is installed over that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use model::artifact::{ArtifactKey, ArtifactKind, ArtifactName};
use model::build::{Inputs, InstalledPackage};
use model::id::BuildId;
use model::image::{ImageBase, ImageInputs, ImageOutput, ImageRecipe, ImageStage, StageInputs};
use model::requirement::Requirement;

use super::inputs::{Lacking, Resolved};
use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::{self, Repository, Resolution, installed_files};
use crate::view::Overlay;

/// What a stage starts from.
#[derive(Clone, Default)]
struct Base {
    build: Option<BuildId>,
    /// What identifies it, for the digest over the inputs.
    digest: String,
    /// The packages that are there already.
    contents: Vec<InstalledPackage>,
}

/// Resolves every stage. A stage that starts from another sees what that one has installed.
pub(super) async fn resolve(
    context: &Context,
    artifact: &ArtifactKey,
    recipe: &ImageRecipe,
    (overlay, repository): (&Overlay, &Repository),
) -> Result<Result<Resolved, Lacking>, StageError> {
    let mut inputs = ImageInputs::default();
    let mut digests = Vec::new();
    let mut contents: Vec<Vec<InstalledPackage>> = Vec::new();
    for stage in &recipe.stages {
        let base = match &stage.base {
            ImageBase::Scratch => Base::default(),
            ImageBase::Stage(earlier) => {
                Base { contents: contents[*earlier].clone(), ..Base::default() }
            }
            ImageBase::Image(name) => match parent(context, artifact, name, overlay).await? {
                Ok(base) => base,
                Err(lacking) => return Ok(Err(vec![lacking])),
            },
        };
        let install = match install(context, repository, stage, &base).await? {
            Ok(install) => install,
            Err(problems) => return Ok(Err(problems)),
        };
        digests.push(base.digest);
        digests.extend(install.iter().map(|package| package.digest.to_string()));
        contents.push(over(base.contents, &install));
        inputs.stages.push(StageInputs { base: base.build, install });
    }
    Ok(Ok(Resolved { inputs: Inputs::Image(inputs), digests }))
}

/// The image of this name in the overlay.
async fn parent(
    context: &Context,
    artifact: &ArtifactKey,
    name: &ArtifactName,
    overlay: &Overlay,
) -> Result<Result<Base, String>, StageError> {
    let branch = artifact.branch.clone();
    let key = ArtifactKey { kind: ArtifactKind::Containers, name: name.clone(), branch };
    let Some(build) = overlay.builds.get(&key).copied() else {
        return Ok(Err(format!("there is no build of {key}, on which {artifact} stands")));
    };
    let image = context.image(build).await?;
    let image = image.ok_or_else(|| StageError::Outside(format!("{key} has no image")))?;
    let ImageOutput { digest, contents, .. } = image;
    Ok(Ok(Base { build: Some(build), digest: digest.to_string(), contents }))
}

/// What a stage installs, without what its base has.
///
/// The packages of the base stay as they are if they can: what is only built anew would make a layer larger and nothing
/// better. They are brought up to date where what is installed wants it.
async fn install(
    context: &Context,
    repository: &Repository,
    stage: &ImageStage,
    base: &Base,
) -> Result<Result<Vec<InstalledPackage>, Lacking>, StageError> {
    if stage.packages.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let wanted = || stage.packages.iter().map(Requirement::to_string);
    let kept = base.contents.iter().filter(|package| package.build.is_some());
    let as_it_is = kept.clone().map(|package| package.nevra.to_string()).chain(wanted()).collect();
    let older = older(context, repository, base).await?;
    let first =
        resolving::resolve_from(context, repository, &older, as_it_is, &stage.packages).await?;
    let resolution = match first {
        Resolution::Problems(_) if !base.contents.is_empty() => {
            let newest = kept.map(|package| package.nevra.name.clone()).chain(wanted()).collect();
            resolving::resolve(context, repository, newest, &stage.packages).await?
        }
        resolution => resolution,
    };
    Ok(match resolution {
        Resolution::Installed(mut installed) => {
            let there: BTreeSet<_> = base.contents.iter().map(|package| package.digest).collect();
            installed.retain(|package| package.build.is_some() && !there.contains(&package.digest));
            Ok(installed)
        }
        Resolution::Problems(problems) => Err(problems),
    })
}

/// Packages of the base that the repository no longer has.
async fn older(
    context: &Context,
    repository: &Repository,
    base: &Base,
) -> Result<Vec<(InstalledPackage, PathBuf)>, StageError> {
    let gone = base.contents.iter().filter(|package| package.build.is_some());
    let gone: Vec<InstalledPackage> =
        gone.filter(|package| !repository.has(&package.digest)).cloned().collect();
    let files = installed_files(context, &gone).await?;
    Ok(gone.into_iter().zip(files).collect())
}

/// What is there after an installation: one package of each name and architecture.
pub(crate) fn over(
    base: Vec<InstalledPackage>,
    install: &[InstalledPackage],
) -> Vec<InstalledPackage> {
    let key = |package: &InstalledPackage| (package.nevra.name.clone(), package.nevra.arch.clone());
    let all = base.into_iter().chain(install.iter().cloned());
    let mut contents: BTreeMap<(String, String), InstalledPackage> = BTreeMap::new();
    contents.extend(all.map(|package| (key(&package), package)));
    contents.into_values().collect()
}
