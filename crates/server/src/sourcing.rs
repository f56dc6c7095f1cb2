//! A commit, or a working tree -> what its spec, its gating.yaml and its millstream.toml say, read in isolation.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use adapters::distgit;
use adapters::sandbox::Slot;
use adapters::spec::{self, ParseRequest, Spec, SpecError};
use model::artifact::{ArtifactKey, CommitId};
use model::requirement::{Capability, Requirement};
use model::source::{
    Bootstrap, Recipe, Settings, Source, SourceContent, SourcePackage, SourceProblem,
};
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
        dist: context.config.dist(artifact.branch.as_str()),
        bootstrap: settings
            .bootstrap
            .as_ref()
            .map(|bootstrap| bootstrap.with.clone())
            .unwrap_or_default(),
        dependencies: Vec::new(),
        wall: spec::PARSE_TIME,
        slot: Slot { number: place.slot, ..Slot::default() },
    };
    let spec = match spec::parse(request, context.toolchain.clone()).await {
        Ok(spec) => spec,
        Err(error) => return blame(&spec_name, error).map(Err),
    };
    let tests = tests(&work.tree().join("tests"));
    Ok(content(spec, spec_name, settings).map(|content| SourceContent {
        tests,
        gating,
        time,
        ..content
    }))
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
