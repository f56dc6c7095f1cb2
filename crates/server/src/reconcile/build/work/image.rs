//! The build of an image: buildah in an isolated root, then what is in it and its facets.

use std::collections::BTreeMap;
use std::path::PathBuf;

use adapters::image::{self, Base, BuiltImage, ImageError, ImageRequest, Outcome, StageInput};
use adapters::sandbox::Slot;
use model::build::{Build, BuildState, FailureKind, Inputs, InstalledPackage, Product};
use model::digest::Digest;
use model::facet::{BuildFacets, Facet, PackageFacets};
use model::image::{ImageBase, ImageConfig, ImageInputs, ImageOutput, ImageRecipe, StageInputs};
use model::source::{Recipe, SourceContent};
use model::version::Nevra;

use super::{
    Exceeded, cancelled, exceeded, export, failed, keep, limits, log, output, recorded_inputs,
};
use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::installed_files;
use crate::running::Place;
use crate::sourcing::Work;

/// The folder with the OCI layout, in the output of a build.
pub(crate) const LAYOUT: &str = "oci";

/// The file whose instructions fail.
const CONTAINERFILE: &str = "Containerfile";

/// What is kept of a build, and in which slot it runs.
pub(crate) struct Kept {
    /// Its log.
    pub(crate) log: PathBuf,
    /// The folder of the finished image.
    pub(crate) output: PathBuf,
    /// The slot.
    pub(crate) slot: u32,
}

/// Runs buildah.
pub(super) async fn run(
    context: &Context,
    build: &Build,
    place: &Place,
) -> Result<BuildState, StageError> {
    let content = context.content(&build.artifact, &build.commit).await?;
    let content = content.ok_or_else(|| StageError::outside("its source is missing"))?;
    let Inputs::Image(inputs) = recorded_inputs(context, build).await? else {
        return Err(StageError::outside("its inputs are those of something else"));
    };
    let work = Work::make(context)?;
    let kept = Kept { log: log(context, build), output: output(context, build), slot: place.slot };
    let request = request(context, build, (&content, &inputs), (&work, kept)).await?;
    let job = image::start(request, context.toolchain.clone()).map_err(StageError::outside)?;
    place.can_be_ended_by(job.canceller());
    let outcome = match job.wait().await.map_err(StageError::outside)? {
        // The choice of packages and programs is the image's own, and no second try makes it another.
        Err(
            error @ (ImageError::Packages { .. }
            | ImageError::Containerfile { .. }
            | ImageError::Request(_)),
        ) => {
            return Ok(failed(context, FailureKind::Failed, error.to_string(), None));
        }
        other => other.map_err(StageError::outside)?,
    };
    ended(context, build, &inputs, outcome).await
}

async fn ended(
    context: &Context,
    build: &Build,
    inputs: &ImageInputs,
    outcome: Outcome,
) -> Result<BuildState, StageError> {
    Ok(match outcome {
        Outcome::Succeeded(built) => succeeded(context, build, inputs, &built).await?,
        Outcome::Failed { exit, line, instruction } => {
            let place = instruction.map(|line| format!("{CONTAINERFILE}:{line}: "));
            let said = line.as_ref().map_or_else(
                || format!("buildah ended with {exit} and said nothing"),
                |line| line.text.clone(),
            );
            let number = line.and_then(|line| u64::try_from(line.number).ok());
            let message = format!("{}{said}", place.unwrap_or_default());
            failed(context, FailureKind::Failed, message, number)
        }
        Outcome::TimedOut => exceeded(context, Exceeded::Time),
        Outcome::OutOfMemory => exceeded(context, Exceeded::Memory),
        Outcome::TooManyProcesses => exceeded(context, Exceeded::Processes),
        Outcome::DiskFull => exceeded(context, Exceeded::Disk),
        Outcome::Cancelled => cancelled(context),
    })
}

/// Everything that a build of an image runs with; its commit is exported into the work folder.
pub(crate) async fn request(
    context: &Context,
    build: &Build,
    (content, inputs): (&SourceContent, &ImageInputs),
    (work, kept): (&Work, Kept),
) -> Result<ImageRequest, StageError> {
    let Recipe::Image(recipe) = &content.recipe else {
        return Err(StageError::outside("its source says nothing of an image"));
    };
    export(context, build, work).await?;
    Ok(ImageRequest {
        work: work.folder().join("cell"),
        sources: work.tree(),
        stages: stages(context, recipe, inputs).await?,
        containerfile: recipe.containerfile.clone(),
        config: config(build, recipe.config.clone()),
        tag: tag(build),
        source_date_epoch: content.time,
        limits: limits(&context.config.build, &content.settings.build),
        log: kept.log,
        slot: Slot { number: kept.slot, ..Slot::default() },
        output: kept.output,
    })
}

/// The stages with their files. Programs of the toolchain go into the last one, or what that stands on.
async fn stages(
    context: &Context,
    recipe: &ImageRecipe,
    inputs: &ImageInputs,
) -> Result<Vec<StageInput>, StageError> {
    let mut stages = Vec::new();
    for (stage, StageInputs { base, install }) in recipe.stages.iter().zip(&inputs.stages) {
        let base = match (&stage.base, base) {
            (ImageBase::Scratch, _) => Base::Scratch,
            (ImageBase::Stage(earlier), _) => Base::Stage(*earlier),
            (ImageBase::Image(_), Some(parent)) => {
                let folder = context.config.builds_root().join(parent.to_string());
                Base::Image(folder.join(LAYOUT))
            }
            (ImageBase::Image(name), None) => {
                return Err(StageError::Outside(format!("the build of its parent {name} is lost")));
            }
        };
        let packages = installed_files(context, install).await?;
        stages.push(StageInput { base, packages, programs: Vec::new() });
    }
    let mut ground = stages.len().checked_sub(1);
    while let Some(Base::Stage(earlier)) = ground.map(|number| &stages[number].base) {
        ground = Some(*earlier);
    }
    if let Some(number) = ground {
        stages[number].programs.clone_from(&recipe.toolchain);
    }
    Ok(stages)
}

/// Its version as a tag, which has fewer characters than a version: `2~rc1-1.f44` becomes `2_rc1-1.f44`.
fn tag(build: &Build) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    build.nvr.evr.to_string().replace(|c: char| !plain(c), "_")
}

/// How it is run, with labels that say which build it is, in the words of OCI's image specification.
fn config(build: &Build, own: ImageConfig) -> ImageConfig {
    let name = format!("{}/{}", build.artifact.branch, build.artifact.name);
    let said = [
        ("org.opencontainers.image.title", name),
        ("org.opencontainers.image.version", build.nvr.evr.to_string()),
        ("org.opencontainers.image.revision", build.commit.to_string()),
    ];
    let mut labels: BTreeMap<String, String> =
        said.into_iter().map(|(label, value)| (label.to_owned(), value)).collect();
    labels.extend(own.labels);
    ImageConfig { labels, ..own }
}

async fn succeeded(
    context: &Context,
    build: &Build,
    inputs: &ImageInputs,
    built: &BuiltImage,
) -> Result<BuildState, StageError> {
    let (contents, facets) = contents_and_facets(context, build, inputs, built).await?;
    let parents = inputs.stages.iter().filter_map(|stage| stage.base);
    let product = Product::Image(ImageOutput {
        digest: built.digest,
        size: built.size,
        layers: built.layers.clone(),
        contents,
        parents: parents.collect(),
    });
    keep(context, built.duration, product, &facets).await
}

/// What is in an image, and what those who use it could notice about it.
pub(crate) async fn contents_and_facets(
    context: &Context,
    build: &Build,
    inputs: &ImageInputs,
    built: &BuiltImage,
) -> Result<(Vec<InstalledPackage>, BuildFacets), StageError> {
    let contents = contents(context, inputs, &built.packages).await?;
    let mut lines = built.own_facets();
    let content = lines.entry(Facet::Content).or_default();
    for package in &contents {
        content.push(line(context, package).await?);
    }
    content.sort();
    lines.retain(|_, lines| !lines.is_empty());
    let facets = BuildFacets(vec![PackageFacets {
        package: build.artifact.name.to_string(),
        arch: built.architecture.clone(),
        facets: lines,
    }]);
    Ok((contents, facets))
}

/// What its own database says is in it, each with the build it came from.
async fn contents(
    context: &Context,
    inputs: &ImageInputs,
    packages: &[Nevra],
) -> Result<Vec<InstalledPackage>, StageError> {
    let mut known: BTreeMap<Nevra, InstalledPackage> = BTreeMap::new();
    for stage in &inputs.stages {
        if let Some(parent) = stage.base
            && let Some(image) = context.image(parent).await?
        {
            let inherited = image
                .contents
                .into_iter()
                .map(|package| InstalledPackage { direct: false, ..package });
            known.extend(inherited.map(|package| (package.nevra.clone(), package)));
        }
        known.extend(stage.install.iter().map(|package| (package.nevra.clone(), package.clone())));
    }
    let foreign = |nevra: &Nevra| InstalledPackage {
        nevra: nevra.clone(),
        digest: Digest::of(nevra.to_string()),
        build: None,
        direct: false,
    };
    let mut contents: Vec<InstalledPackage> = packages
        .iter()
        .map(|nevra| known.get(nevra).cloned().unwrap_or_else(|| foreign(nevra)))
        .collect();
    contents.sort();
    Ok(contents)
}

/// One package as a line of the image's content: the same as long as nothing in the package changes but its version.
async fn line(context: &Context, package: &InstalledPackage) -> Result<String, StageError> {
    let name = &package.nevra.name;
    let facts = match package.build {
        Some(build) => context.facts(build).await?,
        None => None,
    };
    let Some(facts) = facts else { return Ok(format!("package {name} {}", package.nevra)) };
    let of_package = facts.facets.named(name).find(|facets| facets.arch == package.nevra.arch);
    let heard = [Facet::Content, Facet::Scripts, Facet::Relations];
    let lines = of_package.into_iter().flat_map(|facets| {
        heard.iter().flat_map(|facet| facets.lines(*facet).iter().map(String::as_str))
    });
    Ok(format!("package {name} sha256:{}", Digest::of_fields(lines)))
}
