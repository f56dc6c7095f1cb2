//! The test run of an image: its cases run in containers of it, in an isolated root.

use adapters::image::testing::{self, ImageTestRequest};
use adapters::sandbox::Slot;
use adapters::testing::CaseResult;
use model::build::Build;
use model::test::TestRun;

use super::{Bench, bench, logs};
use crate::context::Context;
use crate::reconcile::StageError;
use crate::reconcile::build::LAYOUT;
use crate::running::Place;

/// Runs every case.
pub(super) async fn execute(
    context: &Context,
    run: &TestRun,
    build: &Build,
    place: &Place,
) -> Result<Vec<CaseResult>, StageError> {
    let Bench { work, tests, limits } = bench(context, build).await?;
    let request = ImageTestRequest {
        work: work.folder().join("cell"),
        oci: context.config.builds_root().join(build.id.to_string()).join(LAYOUT),
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
