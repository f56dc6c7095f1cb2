//! The build of a source package: rpmbuild in an isolated root, then the packages and their facets.

use std::path::PathBuf;

use adapters::rpmbuild::{self, BuildError, BuildRequest, Built, Outcome};
use adapters::sandbox::{Limits, Slot};
use adapters::{facets, packages};
use model::build::{Build, BuildState, FailureKind, Flavour, PackagesOutput, Product};

use super::{
    Exceeded, cancelled, exceeded, export, failed, keep, limits, log, output, recorded_inputs,
};
use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::installed_files;
use crate::running::Place;
use crate::sourcing::Work;

/// What a build runs with, the same whenever it is run.
pub(crate) struct BuildInputs {
    /// The files of the buildroot.
    pub(crate) dependencies: Vec<PathBuf>,
    /// The spec's name.
    pub(crate) spec_name: String,
    /// `--with`
    pub(crate) with: Vec<String>,
    /// `SOURCE_DATE_EPOCH` where there is no changelog. A rebuild of the same commit has the same.
    pub(crate) source_date_epoch: i64,
    /// What it may use.
    pub(crate) limits: Limits,
}

/// Gathers what a build runs with.
pub(crate) async fn inputs(context: &Context, build: &Build) -> Result<BuildInputs, StageError> {
    let inputs = recorded_inputs(context, build).await?;
    let content = context.content(&build.artifact, &build.commit).await?;
    let content = content.ok_or_else(|| StageError::outside("its source is missing"))?;
    let with = match (build.flavour, content.bootstrap) {
        (Flavour::Bootstrap, Some(bootstrap)) => bootstrap.with,
        _ => Vec::new(),
    };
    Ok(BuildInputs {
        dependencies: installed_files(context, inputs.buildroot()).await?,
        spec_name: content.file,
        with,
        source_date_epoch: content.time,
        limits: limits(&context.config.build, &content.settings.build),
    })
}

/// Runs the builder.
pub(super) async fn run(
    context: &Context,
    build: &Build,
    place: &Place,
) -> Result<BuildState, StageError> {
    let inputs = inputs(context, build).await?;
    let work = Work::make(context)?;
    export(context, build, &work).await?;
    let request = BuildRequest {
        work: work.folder().join("cell"),
        sources: work.tree(),
        spec_name: inputs.spec_name,
        dependencies: inputs.dependencies,
        dist: build.dist.clone(),
        with: inputs.with,
        source_date_epoch: inputs.source_date_epoch,
        limits: inputs.limits,
        log: log(context, build),
        slot: Slot { number: place.slot, ..Slot::default() },
        output: output(context, build),
    };
    let job = rpmbuild::start(request, context.toolchain.clone()).map_err(StageError::outside)?;
    place.can_be_ended_by(job.canceller());
    let outcome = match job.wait().await.map_err(StageError::outside)? {
        Err(BuildError::Dependencies { line }) => {
            return Ok(failed(context, FailureKind::Unresolvable, line, None));
        }
        other => other.map_err(StageError::outside)?,
    };
    ended(context, outcome).await
}

async fn ended(context: &Context, outcome: Outcome) -> Result<BuildState, StageError> {
    Ok(match outcome {
        Outcome::Succeeded(built) => return succeeded(context, &built).await,
        Outcome::Failed { exit, line } => {
            let (message, line) = match line {
                Some(line) => (line.text, u64::try_from(line.number).ok()),
                None => (format!("rpmbuild ended with {exit} and said nothing"), None),
            };
            failed(context, FailureKind::Failed, message, line)
        }
        Outcome::TimedOut => exceeded(context, Exceeded::Time),
        Outcome::OutOfMemory => exceeded(context, Exceeded::Memory),
        Outcome::TooManyProcesses => exceeded(context, Exceeded::Processes),
        Outcome::DiskFull => exceeded(context, Exceeded::Disk),
        Outcome::Cancelled => cancelled(context),
    })
}

/// Reads what the build put out: packages, and facets by package.
async fn succeeded(context: &Context, built: &Built) -> Result<BuildState, StageError> {
    let read = packages::read(&built.rpms).await.map_err(StageError::outside)?;
    let found = facets::read(&built.rpms).await.map_err(StageError::outside)?;
    let requirements: Result<Vec<_>, _> =
        built.build_requires.iter().map(|text| text.parse()).collect();
    let name = built.srpm.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let product = Product::Packages(PackagesOutput {
        packages: read,
        source_package: name,
        build_requires: requirements.map_err(StageError::outside)?,
    });
    keep(context, built.duration, product, &found).await
}
