//! A commit, or a working tree -> what it says: its spec, Containerfile or compose.toml, its gating.yaml and its
//! millstream.toml.

mod compose;
mod image;
mod package;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use adapters::distgit;
use model::artifact::{ArtifactKey, ArtifactKind, CommitId};
use model::source::{Settings, Source, SourceContent, SourceProblem};
use model::version::Evr;
use pipeline::gate::policy::{PolicyProblem, policies_for, read_gating_yaml};
use uuid::Uuid;

use crate::clock::mint;
use crate::context::Context;
use crate::reconcile::StageError;

/// Reads a commit. A problem of the source is part of the answer; an error means that it could not be looked at.
pub(crate) async fn read_commit(
    context: &Context,
    artifact: &ArtifactKey,
    commit: &CommitId,
) -> Result<Source, StageError> {
    let repository = repository(context, artifact);
    let work = Work::make(context)?;
    distgit::export(&repository, commit, &work.tree()).await.map_err(StageError::outside)?;
    let time =
        distgit::commit_info(&repository, commit).await.map_err(StageError::outside)?.commit_time;
    let content = read_tree(context, artifact, &work, time).await?;
    Ok(Source { artifact: artifact.clone(), commit: commit.clone(), content })
}

/// Reads a working tree as it lies there.
pub(crate) async fn read_worktree(
    context: &Context,
    artifact: &ArtifactKey,
    tree: &Path,
) -> Result<Result<SourceContent, SourceProblem>, StageError> {
    let work = Work::make(context)?;
    distgit::export_worktree(tree, &work.tree()).await.map_err(StageError::outside)?;
    read_tree(context, artifact, &work, 0).await
}

/// The bare repository of an artifact.
pub(crate) fn repository(context: &Context, artifact: &ArtifactKey) -> PathBuf {
    let name = distgit::RepositoryName { kind: artifact.kind, name: artifact.name.clone() };
    name.path(&context.config.distgit_root())
}

/// What a tree says; the parts that every kind of artifact has are read here, the others by its kind.
async fn read_tree(
    context: &Context,
    artifact: &ArtifactKey,
    work: &Work,
    time: i64,
) -> Result<Result<SourceContent, SourceProblem>, StageError> {
    let (settings, gating) = match (settings(&work.tree()), gating(&work.tree(), artifact)) {
        (Ok(settings), Ok(gating)) => (settings, gating),
        (Err(problem), _) | (_, Err(problem)) => return Ok(Err(problem)),
    };
    let read = match artifact.kind {
        ArtifactKind::Rpms => package::read(context, artifact, work, settings).await?,
        ArtifactKind::Containers => image::read(artifact, &dist(context, artifact), work, settings),
        ArtifactKind::Composes => compose::read(artifact, &dist(context, artifact), work, settings),
    };
    let tests = tests(&work.tree().join("tests"));
    Ok(read.map(|content| SourceContent { tests, gating, time, ..content }))
}

fn dist(context: &Context, artifact: &ArtifactKey) -> String {
    context.config.dist(artifact.branch.as_str())
}

/// The version of what has no spec: the first release of `version`, with the dist tag.
fn evr(version: &str, dist: &str) -> Evr {
    Evr { epoch: 0, version: version.to_owned(), release: format!("1{dist}") }
}

fn settings(tree: &Path) -> Result<Settings, SourceProblem> {
    const FILE: &str = "millstream.toml";
    let Some(text) = read(tree, FILE)? else { return Ok(Settings::default()) };
    toml::from_str(&text).map_err(|error| SourceProblem {
        file: FILE.to_owned(),
        line: error.span().map(|span| line_of(&text, span.start)),
        message: error.message().to_owned(),
    })
}

fn gating(
    tree: &Path,
    artifact: &ArtifactKey,
) -> Result<Option<Vec<model::gate::Policy>>, SourceProblem> {
    const FILE: &str = "gating.yaml";
    let Some(text) = read(tree, FILE)? else { return Ok(None) };
    let policies = read_gating_yaml(&text).map_err(|error| gating_problem(FILE, error))?;
    Ok(Some(policies_for(&policies, artifact)))
}

/// The line is told with the file; without one, the document's number is the place.
fn gating_problem(file: &str, error: PolicyProblem) -> SourceProblem {
    let Some(line) = error.line else { return problem(file, &error.to_string()) };
    let policy = error.policy.map(|policy| format!("policy '{policy}': ")).unwrap_or_default();
    SourceProblem {
        file: file.to_owned(),
        line: u32::try_from(line).ok(),
        message: format!("{policy}{}", error.message),
    }
}

fn read(tree: &Path, file: &str) -> Result<Option<String>, SourceProblem> {
    let path = tree.join(file);
    // A link could lead out of the tree.
    if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        return Ok(None);
    }
    fs::read_to_string(path).map(Some).map_err(|error| problem(file, &error.to_string()))
}

fn tests(folder: &Path) -> Vec<String> {
    let executable = |entry: &fs::DirEntry| {
        entry
            .metadata()
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries
        .filter(executable)
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn problem(file: &str, message: &str) -> SourceProblem {
    SourceProblem { file: file.to_owned(), line: None, message: message.to_owned() }
}

fn line_of(text: &str, offset: usize) -> u32 {
    let lines = text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

/// A folder for one piece of work, removed when it is done, or with everything of this process when that is gone.
pub(crate) struct Work {
    id: Uuid,
    folder: PathBuf,
}

impl Work {
    pub(crate) fn make(context: &Context) -> Result<Self, StageError> {
        let id: Uuid = mint();
        let own = context.config.work_root().join(context.owner.name());
        let folder = own.join(id.to_string());
        fs::create_dir_all(&folder).map_err(StageError::outside)?;
        Ok(Self { id, folder })
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn tree(&self) -> PathBuf {
        self.folder.join("tree")
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(folder = %self.folder.display(), %error, "could not remove a work folder");
        }
    }
}
