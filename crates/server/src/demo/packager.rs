//! A packager with clones of the repositories: commits and pushes with git, as people do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use adapters::distgit::{self, RepositoryName};
use model::artifact::{ArtifactKey, CommitId};
use tokio::process::Command;

use super::distribution::{BRANCH, Push};
use crate::admin::AdminError;
use crate::config::Config;

/// When the first commits are made: the start of 2026. Fixed, so that commits have the same ids every time.
const BEGIN: i64 = 1_767_225_600;

/// From one push to the next, in seconds.
const APART: i64 = 3600;

/// Where the dist-git is, and where the packager's clones of it are.
pub(super) struct Packager {
    distgit: PathBuf,
    clones: PathBuf,
}

impl Packager {
    pub(super) fn new(config: &Config) -> Self {
        Self { distgit: config.distgit_root(), clones: config.data.join("clones") }
    }

    /// Makes an artifact's repository, with the files of its first commit.
    pub(super) async fn first(
        &self,
        artifact: &ArtifactKey,
        from: &Path,
    ) -> Result<CommitId, AdminError> {
        self.import(artifact, (from, BEGIN)).await
    }

    /// Makes a repository, with the files of a folder as the commit of that time.
    async fn import(
        &self,
        artifact: &ArtifactKey,
        (from, time): (&Path, i64),
    ) -> Result<CommitId, AdminError> {
        let name = RepositoryName { kind: artifact.kind, name: artifact.name.clone() };
        let repository =
            distgit::create_repository(&self.distgit, &name).await.map_err(AdminError::outside)?;
        distgit::install_hook(&repository, &distgit::wake_command(&self.distgit))
            .map_err(AdminError::outside)?;
        let clone = self.clone_of(artifact);
        copy(from, &clone)?;
        git(&clone, time, &["init", "--quiet", "--initial-branch", BRANCH]).await?;
        let url = repository.to_string_lossy();
        git(&clone, time, &["remote", "add", "origin", &url]).await?;
        self.commit(artifact, time, &format!("Import {}", artifact.name)).await
    }

    /// Commits what a push changes, to each of its repositories.
    pub(super) async fn push(
        &self,
        push: &Push,
    ) -> Result<Vec<(ArtifactKey, CommitId)>, AdminError> {
        for path in &push.delete {
            let path = self.clones.join(path);
            fs::remove_file(&path).map_err(failed("remove", &path))?;
        }
        let mut commits = Vec::new();
        for artifact in &push.artifacts {
            let files = push.folder.join(artifact.repository());
            let time = BEGIN + APART * i64::from(push.place);
            if !self.clone_of(artifact).exists() {
                // It brings something new.
                commits.push((artifact.clone(), self.import(artifact, (&files, time)).await?));
                continue;
            }
            if files.exists() {
                copy(&files, &self.clone_of(artifact))?;
            }
            commits.push((artifact.clone(), self.commit(artifact, time, &push.subject).await?));
        }
        Ok(commits)
    }

    async fn commit(
        &self,
        artifact: &ArtifactKey,
        time: i64,
        subject: &str,
    ) -> Result<CommitId, AdminError> {
        let clone = self.clone_of(artifact);
        git(&clone, time, &["add", "--all"]).await?;
        git(&clone, time, &["commit", "--quiet", "--message", subject]).await?;
        git(&clone, time, &["push", "--quiet", "origin", BRANCH]).await?;
        let head = git(&clone, time, &["rev-parse", "HEAD"]).await?;
        head.trim().parse().map_err(AdminError::outside)
    }

    fn clone_of(&self, artifact: &ArtifactKey) -> PathBuf {
        self.clones.join(artifact.repository())
    }
}

/// Runs git as the packager, who has no settings of their own and whose clock stands still.
async fn git(clone: &Path, time: i64, arguments: &[&str]) -> Result<String, AdminError> {
    let date = format!("@{time} +0000");
    let mut command = Command::new("git");
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent");
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "Harbour Packager");
        command.env(format!("GIT_{role}_EMAIL"), "packager@example.org");
        command.env(format!("GIT_{role}_DATE"), &date);
    }
    command.arg("-C").arg(clone).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await;
    let output =
        output.map_err(|error| AdminError::Outside(format!("could not start git: {error}")))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    // `git commit` says on standard output that there is nothing to commit.
    let said = [output.stderr, output.stdout].concat();
    Err(AdminError::Outside(format!(
        "git {} in {}: {}",
        arguments.join(" "),
        clone.display(),
        String::from_utf8_lossy(&said).trim()
    )))
}

/// Copies a tree over another; files keep their modes.
fn copy(from: &Path, to: &Path) -> Result<(), AdminError> {
    fs::create_dir_all(to).map_err(failed("make", to))?;
    for entry in fs::read_dir(from).map_err(failed("read", from))? {
        let path = entry.map_err(failed("read", from))?.path();
        let place = to.join(path.file_name().unwrap_or_default());
        match path.is_dir() {
            true => copy(&path, &place)?,
            false => {
                fs::copy(&path, &place).map_err(failed("copy", &path))?;
            }
        }
    }
    Ok(())
}

fn failed<'a>(what: &'a str, path: &'a Path) -> impl FnOnce(std::io::Error) -> AdminError + 'a {
    move |error| AdminError::Outside(format!("could not {what} {}: {error}", path.display()))
}
