//! A source package: what its spec says, read in isolation, since reading a spec runs it.

use adapters::sandbox::Slot;
use adapters::spec::{self, ParseRequest, Spec, SpecError};
use model::artifact::ArtifactKey;
use model::requirement::{Capability, Requirement};
use model::source::{Bootstrap, Recipe, Settings, SourceContent, SourcePackage, SourceProblem};
use model::version::Evr;

use super::{Work, dist, problem};
use crate::context::Context;
use crate::reconcile::StageError;

/// Reads the spec.
pub(super) async fn read(
    context: &Context,
    artifact: &ArtifactKey,
    work: &Work,
    settings: Settings,
) -> Result<Result<SourceContent, SourceProblem>, StageError> {
    let spec_name = format!("{}.spec", artifact.name);
    if !work.tree().join(&spec_name).is_file() {
        return Ok(Err(problem(&spec_name, "the repository has no such file")));
    }
    let Some(place) = context.running.enter(work.id).map_err(StageError::outside)? else {
        return Err(StageError::outside("the same work is under way twice"));
    };
    let request = ParseRequest {
        work: work.folder.join("cell"),
        sources: work.tree(),
        spec_name: spec_name.clone(),
        dist: dist(context, artifact),
        bootstrap: settings
            .bootstrap
            .as_ref()
            .map(|bootstrap| bootstrap.with.clone())
            .unwrap_or_default(),
        dependencies: Vec::new(),
        wall: spec::PARSE_TIME,
        slot: Slot { number: place.slot, ..Slot::default() },
    };
    Ok(match spec::parse(request, context.toolchain.clone()).await {
        Ok(spec) => content(spec, spec_name, settings),
        Err(error) => Err(blame(&spec_name, error)?),
    })
}

/// Tells a problem of the spec, which stays, from one of the machine, which passes.
fn blame(spec: &str, error: SpecError) -> Result<SourceProblem, StageError> {
    match error {
        SpecError::Invalid { file, line, message } => Ok(SourceProblem { file, line, message }),
        // The problem names the file already.
        SpecError::TimedOut { seconds, .. } => {
            let message =
                format!("could not be read within {seconds} s: something in it does not end");
            Ok(problem(spec, &message))
        }
        SpecError::TooMuch { what, .. } => {
            Ok(problem(spec, &format!("could not be read: it used up the {what} allowed for it")))
        }
        SpecError::Answer { .. } => Ok(problem(spec, &error.to_string())),
        other => Err(StageError::outside(other)),
    }
}

fn content(spec: Spec, file: String, settings: Settings) -> Result<SourceContent, SourceProblem> {
    let strange = |error: model::artifact::InvalidName| problem(&file, &error.to_string());
    let requirements = |texts: &[String]| -> Result<Vec<Requirement>, SourceProblem> {
        texts.iter().map(|text| text.parse().map_err(strange)).collect()
    };
    let package = |package: &spec::SpecPackage| -> Result<SourcePackage, SourceProblem> {
        let provides: Result<Vec<Capability>, _> =
            package.provides.iter().map(|text| text.parse()).collect();
        Ok(SourcePackage {
            name: package.name.clone(),
            provides: provides.map_err(strange)?,
            requires: requirements(&package.requires)?,
        })
    };
    let bootstrap = match (&settings.bootstrap, &spec.bootstrap_build_requires) {
        (Some(settings), Some(needs)) => {
            Some(Bootstrap { with: settings.with.clone(), build_requires: requirements(needs)? })
        }
        _ => None,
    };
    let build_requires = requirements(&spec.build_requires)?;
    let packages = spec.packages.iter().map(package).collect::<Result<_, _>>()?;
    Ok(SourceContent {
        name: spec.name,
        evr: Evr { epoch: spec.epoch, version: spec.version, release: spec.release },
        bumpable: spec.ends_in_dist,
        build_requires,
        bootstrap,
        packages,
        tests: Vec::new(),
        gating: None,
        time: 0,
        settings,
        recipe: Recipe::Package,
        file,
    })
}
