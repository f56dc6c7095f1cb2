//! What a plan has built and not published yet, as files.

use std::path::PathBuf;

use model::artifact::BranchName;
use model::build::{BuildOutput, BuildState, Product};
use model::id::BuildId;
use model::package::Package;
use model::step::StepState;
use store::{Conn, builds, sets, steps};

use super::plans::numbered;
use super::{Admin, AdminError};

impl Admin {
    /// The files of the packages that a plan of a branch built, that passed their gates, and that are not published.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such plan, or a file is not kept any more; [`AdminError::Input`] when the
    /// plan is of another branch.
    pub(crate) async fn passed_packages(
        &self,
        number: i64,
        branch: &BranchName,
    ) -> Result<Vec<PathBuf>, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let plan = numbered(&mut reader, number).await?.plan;
        if plan.branch != *branch {
            let other = format!("plan {number} is of branch {}, not of {branch}", plan.branch);
            return Err(AdminError::Input(other));
        }
        let mut files = Vec::new();
        for step in steps::of_plan(&mut reader, plan.id).await? {
            let StepState::Passed { build } = step.state else { continue };
            let folder = self.config.builds_root().join(build.to_string());
            for package in built_packages(&mut reader, build).await? {
                let file = folder.join(package.file);
                if !file.exists() {
                    let gone = format!("{} of plan {number} is not kept any more", package.nevra);
                    return Err(AdminError::NotFound(gone));
                }
                files.push(file);
            }
        }
        files.sort_unstable();
        files.dedup();
        Ok(files)
    }
}

/// The packages a build put out; none where it made something else.
async fn built_packages(conn: &mut Conn, build: BuildId) -> Result<Vec<Package>, AdminError> {
    let Some(build) = builds::get(conn, build).await? else { return Ok(Vec::new()) };
    let BuildState::Succeeded { output, .. } = build.state else { return Ok(Vec::new()) };
    let output: Option<BuildOutput> = sets::get_json(conn, output).await?;
    Ok(match output.map(|output| output.product) {
        Some(Product::Packages(made)) => made.packages,
        _ => Vec::new(),
    })
}
