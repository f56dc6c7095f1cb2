//! The test run of a compose: what its metadata says is there and can be installed.

use adapters::compose::{CheckRequest, check};
use adapters::testing::CaseResult;
use model::build::Build;
use model::test::TestRun;

use super::logs;
use crate::composing::composed;
use crate::context::Context;
use crate::reconcile::StageError;

/// Runs every case.
pub(super) async fn execute(
    context: &Context,
    run: &TestRun,
    build: &Build,
) -> Result<Vec<CaseResult>, StageError> {
    let found = composed(context, build).await?;
    let (_, folder) =
        found.ok_or_else(|| StageError::outside("the folder of the compose is gone"))?;
    let request = CheckRequest {
        folder,
        toolchain: vec![context.toolchain.rpm.clone()],
        logs: logs(context, run),
    };
    Ok(check(&request, &context.closures).await)
}
