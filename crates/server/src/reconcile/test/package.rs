//! The test run of packages: an isolated root with exactly the resolved set installed.

use adapters::sandbox::Slot;
use adapters::testing::{self, CaseResult, TestRequest};
use model::build::{Build, Buildroot};
use model::test::TestRun;
use store::sets;

use super::{Bench, bench, logs};
use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::installed_files;
use crate::running::Place;

/// Runs every case.
pub(super) async fn execute(
    context: &Context,
    run: &TestRun,
    build: &Build,
    place: &Place,
) -> Result<Vec<CaseResult>, StageError> {
    let installed: Option<Buildroot> =
        sets::get_json(&mut *context.store.read().await?, run.installed).await?;
    let installed =
        installed.ok_or_else(|| StageError::outside("the list of its packages is missing"))?;
    let facts = context.facts(run.build).await?;
    let subjects =
        facts.iter().flat_map(|facts| &facts.packages).map(|package| package.nevra.name.clone());
    let Bench { work, tests, limits } = bench(context, build).await?;
    let request = TestRequest {
        work: work.folder().join("cell"),
        packages: installed_files(context, &installed.0).await?,
        subjects: subjects.collect(),
        tests,
        limits,
        logs: logs(context, run),
        slot: Slot { number: place.slot, ..Slot::default() },
    };
    let job = testing::start(request, context.toolchain.clone()).map_err(StageError::outside)?;
    place.can_be_ended_by(job.canceller());
    let cases = job.wait().await.map_err(StageError::outside)?;
    cases.map_err(StageError::outside)
}
