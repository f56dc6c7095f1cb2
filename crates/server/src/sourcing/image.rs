//! An image: what its Containerfile and the `[image]` of its `millstream.toml` say. Nothing of it is run to read it.

use adapters::image::{Containerfile, StageBase, read_containerfile};
use model::artifact::{ArtifactKey, ArtifactName};
use model::image::{ImageBase, ImageConfig, ImageRecipe, ImageStage};
use model::requirement::Requirement;
use model::source::{ImageSettings, Recipe, Settings, SourceContent, SourceProblem};

use super::{Work, evr, problem, read as read_file};

const CONTAINERFILE: &str = "Containerfile";
const SETTINGS: &str = "millstream.toml";

/// Reads what makes an image.
pub(super) fn read(
    artifact: &ArtifactKey,
    dist: &str,
    work: &Work,
    settings: Settings,
) -> Result<SourceContent, SourceProblem> {
    let image = settings.image.clone().unwrap_or_default();
    let text = read_file(&work.tree(), CONTAINERFILE)?;
    if text.is_none() && settings.image.is_none() {
        let message = "there is neither a Containerfile nor [image] in millstream.toml";
        return Err(problem(CONTAINERFILE, message));
    }
    let stages = match &text {
        Some(text) => stages_of(&containerfile(text)?, &image)?,
        None => vec![only_stage(&image)?],
    };
    let recipe = ImageRecipe {
        containerfile: text.is_some().then(|| CONTAINERFILE.to_owned()),
        stages,
        toolchain: image.toolchain,
        config: ImageConfig {
            entrypoint: image.entrypoint,
            cmd: image.cmd,
            env: image.env,
            labels: image.labels,
            workdir: image.workdir,
            user: image.user,
        },
    };
    let installs = recipe.stages.iter().flat_map(|stage| &stage.packages).cloned();
    Ok(SourceContent {
        file: if text.is_some() { CONTAINERFILE } else { SETTINGS }.to_owned(),
        name: format!("{}-container", artifact.name),
        evr: evr(image.version.as_deref().unwrap_or("1"), dist),
        bumpable: true,
        build_requires: installs.collect(),
        bootstrap: None,
        packages: Vec::new(),
        recipe: Recipe::Image(recipe),
        tests: Vec::new(),
        settings,
        gating: None,
        time: 0,
    })
}

fn containerfile(text: &str) -> Result<Containerfile, SourceProblem> {
    read_containerfile(text).map_err(|error| SourceProblem {
        file: CONTAINERFILE.to_owned(),
        line: u32::try_from(error.line).ok(),
        message: error.message,
    })
}

/// The stages of a Containerfile. The packages of the settings go into the last one, those of `stages.NAME` into that.
fn stages_of(
    containerfile: &Containerfile,
    image: &ImageSettings,
) -> Result<Vec<ImageStage>, SourceProblem> {
    if image.from.is_some() {
        return Err(problem(SETTINGS, "image.from: the Containerfile says what it stands on"));
    }
    let named =
        |name: &String| containerfile.stages.iter().any(|stage| stage.name.as_ref() == Some(name));
    if let Some(name) = image.stages.keys().find(|name| !named(name)) {
        let message = format!("image.stages.{name}: the Containerfile has no stage of this name");
        return Err(problem(SETTINGS, &message));
    }
    let last = containerfile.stages.len() - 1;
    let stage = |(number, stage): (usize, &adapters::image::Stage)| {
        let of_name = stage.name.as_ref().and_then(|name| image.stages.get(name));
        let own = of_name.map_or(&[][..], |settings| settings.packages.as_slice());
        let whole = if number == last { image.packages.as_slice() } else { &[] };
        let base = match &stage.base {
            StageBase::Scratch => ImageBase::Scratch,
            StageBase::Stage(earlier) => ImageBase::Stage(*earlier),
            StageBase::Image(name) => ImageBase::Image(parent(name, stage.line())?),
        };
        let packages = packages(own, whole)?;
        if let (ImageBase::Stage(earlier), false) = (&base, packages.is_empty()) {
            let on = containerfile.stages[*earlier].line();
            let message = format!(
                "image.packages: the stage of line {} of the {CONTAINERFILE} stands on the one of line {on}: \
                 name that one and give its packages to it, in image.stages",
                stage.line()
            );
            return Err(problem(SETTINGS, &message));
        }
        Ok(ImageStage { name: stage.name.clone(), base, packages })
    };
    containerfile.stages.iter().enumerate().map(stage).collect()
}

fn parent(name: &str, line: usize) -> Result<ArtifactName, SourceProblem> {
    name.parse().map_err(|_| SourceProblem {
        file: CONTAINERFILE.to_owned(),
        line: u32::try_from(line).ok(),
        message: format!(
            "FROM {name}: it stands on images of the same branch only; name one, as FROM base, or scratch"
        ),
    })
}

fn only_stage(image: &ImageSettings) -> Result<ImageStage, SourceProblem> {
    if let Some(name) = image.stages.keys().next() {
        let message = format!("image.stages.{name}: there is no Containerfile with stages");
        return Err(problem(SETTINGS, &message));
    }
    let base = image.from.clone().map_or(ImageBase::Scratch, ImageBase::Image);
    Ok(ImageStage { name: None, base, packages: packages(&[], &image.packages)? })
}

fn packages(own: &[String], whole: &[String]) -> Result<Vec<Requirement>, SourceProblem> {
    let read = |text: &String| {
        text.parse().map_err(|error| problem(SETTINGS, &format!("image.packages: {error}")))
    };
    own.iter().chain(whole).map(read).collect()
}
