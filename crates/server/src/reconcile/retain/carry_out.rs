//! Where each kind of thing lies, how much room it takes, and its removal.

use std::path::PathBuf;

use adapters::repository::{self, RepositoryError};
use adapters::{compose, removing};
use model::artifact::BranchName;
use model::removal::{Doomed, RemovalReason, Subject, SubjectKind};

use crate::config::Config;
use crate::reconcile::StageError;

/// Where a thing lies; none if its name makes no sense.
pub(crate) fn path(config: &Config, subject: &Subject) -> Option<PathBuf> {
    let name = &subject.name;
    Some(match subject.kind {
        SubjectKind::Log => config.builds_root().join(format!("{name}.log")),
        SubjectKind::TestLog => config.test_logs_root().join(name),
        SubjectKind::Outputs => config.builds_root().join(name),
        SubjectKind::Snapshot => config.snapshots_root().join(name),
        SubjectKind::Generation => {
            let (branch, number) = placed(subject)?;
            config.published_root().join(branch.as_str()).join(format!("generation-{number}"))
        }
        SubjectKind::Compose => {
            let (branch, id) = placed(subject)?;
            config.composes_root(&branch).join(id)
        }
    })
}

/// The files and folders that go with a thing.
fn paths(config: &Config, subject: &Subject) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = path(config, subject).into_iter().collect();
    if subject.kind == SubjectKind::Log {
        paths.push(config.builds_root().join(format!("{}.reproduced.log", subject.name)));
    }
    paths
}

/// How much room removing a thing makes, in bytes.
pub(super) async fn freed_by(config: &Config, subject: &Subject) -> Result<u64, StageError> {
    let mut bytes = 0;
    for path in paths(config, subject) {
        let freed = removing::freed_by(&path).await;
        bytes += freed.map_err(|error| outside(&path, error))?;
    }
    Ok(bytes)
}

/// Removes a thing; false if it turns out to be in use.
pub(super) async fn remove(config: &Config, doomed: &Doomed) -> Result<bool, StageError> {
    let Doomed { subject, reason } = doomed;
    let root = config.published_root();
    let removed = match (subject.kind, placed(subject)) {
        (SubjectKind::Generation, Some((branch, number))) => match number.parse() {
            Ok(number) => repository::remove_generation(&root, &branch, number).await,
            Err(_) => Ok(()),
        },
        (SubjectKind::Compose, Some((branch, id))) => {
            return remove_compose(config, &branch, id).await;
        }
        (SubjectKind::Snapshot, _) => return remove_snapshot(config, subject, reason).await,
        _ => {
            for path in paths(config, subject) {
                removing::remove(&path).await.map_err(|error| outside(&path, error))?;
            }
            Ok(())
        }
    };
    match removed {
        Ok(()) => Ok(true),
        Err(RepositoryError::InUse { .. }) => Ok(false),
        Err(error) => Err(StageError::outside(error)),
    }
}

async fn remove_snapshot(
    config: &Config,
    subject: &Subject,
    reason: &RemovalReason,
) -> Result<bool, StageError> {
    let (Ok(id), RemovalReason::Unused { since, .. }) = (subject.name.parse(), reason) else {
        return Ok(false);
    };
    let removed = repository::remove_snapshot(&config.snapshots_root(), id, *since).await;
    removed.map_err(StageError::outside)
}

/// A link may point at it by now; then it stays.
async fn remove_compose(
    config: &Config,
    branch: &BranchName,
    id: &str,
) -> Result<bool, StageError> {
    let root = config.composes_root(branch);
    let Ok(parsed) = id.parse() else { return Ok(false) };
    compose::remove(&root, &[parsed]).await.map_err(StageError::outside)?;
    Ok(!root.join(id).exists())
}

/// The branch, and what on it: branches have slashes, the rest has none.
fn placed(subject: &Subject) -> Option<(BranchName, &str)> {
    let (branch, rest) = subject.name.rsplit_once('/')?;
    Some((branch.parse().ok()?, rest))
}

fn outside(path: &std::path::Path, error: impl std::fmt::Display) -> StageError {
    StageError::Outside(format!("could not remove {}: {error}", path.display()))
}
