//! `plan --if`: the plan that a commit or a working tree would get, without a trace of the question.

mod buildroot;

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

use adapters::distgit;
use model::artifact::{ArtifactKey, ArtifactKind, CommitId};
use model::edge::Edge;
use model::event::{Event, Severity};
use model::hold::HoldKind;
use model::plan::RootAction;
use model::reason::Reason;
use model::source::{Settings, Source, SourceContent, SourceProblem};
use pipeline::affected::edges::of_source;
use pipeline::plan::report::{PlanReport, report};
use pipeline::plan::{Root, beyond, first_steps};
use pipeline::rules::matching::Answer;
use serde::Serialize;
use store::holds;

use super::{Admin, AdminError};
use crate::clock::mint;
use crate::context::Context;
use crate::planning::{Draft, Supposed, Wish, alone, draft};
use crate::reconcile::plan::provisional;
use crate::sourcing;

pub use buildroot::BuildrootOutlook;

/// What is supposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supposition {
    /// A branch comes to point at a commit that is in its repository.
    Commit {
        /// Whose branch.
        artifact: ArtifactKey,
        /// Anything git takes for a commit.
        revision: String,
    },
    /// A working tree is committed as it lies there.
    Tree {
        /// To which artifact.
        artifact: ArtifactKey,
        /// The folder.
        path: PathBuf,
    },
}

/// The plan that would be made.
#[derive(Clone, Debug, Serialize)]
pub struct WhatIf {
    /// The plan, as `plan show` would show it.
    #[serde(flatten)]
    pub report: PlanReport,
    /// The public numbers of the plans under way that would go on in it.
    pub goes_on_with: Vec<i64>,
    /// Who has frozen the artifact, so that no plan would be made, and why.
    pub frozen: Option<String>,
    /// Why the rules would start nothing.
    pub left: Option<String>,
    /// Whether what it is built with can be installed; none for what is not built in a buildroot, and where what is
    /// published does not lie here.
    pub buildroot: Option<BuildrootOutlook>,
}

impl WhatIf {
    /// The answer as Markdown, for a merge request or a mail.
    pub fn markdown(&self) -> String {
        let buildroot = self.buildroot.as_ref().map(BuildrootOutlook::markdown);
        self.report.markdown() + &buildroot.unwrap_or_default()
    }
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(frozen) = &self.frozen {
            writeln!(f, "No plan would be made: {frozen}. If it were not:\n")?;
        }
        if let Some(left) = &self.left {
            writeln!(f, "No plan would be made: {left}. If one were:\n")?;
        }
        self.report.fmt(f)?;
        if let Some(buildroot) = &self.buildroot {
            write!(f, "\n{buildroot}")?;
        }
        if self.goes_on_with.is_empty() {
            return Ok(());
        }
        let plans: Vec<String> = self.goes_on_with.iter().map(i64::to_string).collect();
        writeln!(f, "\nPlans under way that would go on in it: {}", plans.join(", "))
    }
}

impl Supposition {
    /// Reads `commit KIND/NAME#BRANCH=REVISION`, or the path of a working tree, of which the folder's name and its
    /// branch tell the artifact unless it is given.
    ///
    /// # Errors
    /// [`AdminError::Input`].
    pub fn parse(text: &str, artifact: Option<ArtifactKey>) -> Result<Self, AdminError> {
        if let Some(rest) = text.strip_prefix("commit ") {
            let expected =
                || AdminError::Input(format!("{text:?} is not commit KIND/NAME#BRANCH=REVISION"));
            let (artifact, revision) = rest.trim().split_once('=').ok_or_else(expected)?;
            let artifact = artifact.parse().map_err(AdminError::input)?;
            return Ok(Self::Commit { artifact, revision: revision.to_owned() });
        }
        let path = std::path::absolute(text).map_err(AdminError::input)?;
        if !path.is_dir() {
            return Err(AdminError::Input(format!(
                "{text:?} is neither a folder nor commit KIND/NAME#BRANCH=REVISION"
            )));
        }
        let artifact = artifact.or_else(|| artifact_of(&path)).ok_or_else(|| {
            AdminError::Input(format!("{text} does not tell which artifact it is: name it with --artifact KIND/NAME#BRANCH"))
        })?;
        Ok(Self::Tree { artifact, path })
    }

    fn artifact(&self) -> &ArtifactKey {
        match self {
            Self::Commit { artifact, .. } | Self::Tree { artifact, .. } => artifact,
        }
    }
}

/// The folder's name and the branch that is checked out in it. A folder above it with the name of a kind, as in a
/// checkout of a whole dist-git, says which kind it is; else what it holds does.
fn artifact_of(path: &Path) -> Option<ArtifactKey> {
    let name = path.file_name()?.to_str()?.parse().ok()?;
    let above = path.parent().and_then(Path::file_name).and_then(|name| name.to_str());
    let kind = above.and_then(|name| name.parse().ok()).unwrap_or_else(|| kind_of(path));
    let head = std::fs::read_to_string(path.join(".git/HEAD")).ok()?;
    let branch = head.trim().strip_prefix("ref: refs/heads/")?.parse().ok()?;
    Some(ArtifactKey { kind, name, branch })
}

/// A spec makes a package, whatever else is there; a Containerfile an image, and `compose.toml` a compose.
fn kind_of(path: &Path) -> ArtifactKind {
    let has = |file: &str| path.join(file).is_file();
    let is_image = || {
        let settings = std::fs::read_to_string(path.join("millstream.toml")).ok();
        let settings = settings.and_then(|text| toml::from_str::<Settings>(&text).ok());
        settings.is_some_and(|settings| settings.image.is_some())
    };
    if has("compose.toml") {
        ArtifactKind::Composes
    } else if has("Containerfile") || is_image() {
        ArtifactKind::Containers
    } else {
        ArtifactKind::Rpms
    }
}

impl Admin {
    /// The plan that would be made if this happened now.
    ///
    /// # Errors
    /// [`AdminError::Input`] with file and line when the source cannot be read.
    pub async fn what_if(&self, supposition: &Supposition) -> Result<WhatIf, AdminError> {
        let artifact = supposition.artifact();
        let answer = async |context: &Context| {
            let read = read(context, supposition).await?;
            drafted(context, artifact, read).await
        };
        let Drafted { draft, left, buildroot } = self.with_context(answer).await?;
        Ok(WhatIf {
            left,
            buildroot,
            report: report(&draft.plan, None, &first_steps(&draft.plan), |_| None),
            goes_on_with: draft.merged.iter().map(|(plan, _)| plan.number).collect(),
            frozen: self.frozen(artifact).await?,
        })
    }

    async fn frozen(&self, artifact: &ArtifactKey) -> Result<Option<String>, AdminError> {
        let in_force = holds::in_force(&mut *self.store.read().await?, self.now()).await?;
        let freeze = in_force
            .into_iter()
            .find(|hold| hold.kind == HoldKind::Freeze && hold.artifact == *artifact);
        Ok(freeze.map(|hold| format!("{artifact} is frozen by {}: {}", hold.author, hold.reason)))
    }
}

/// The plan, or what it would be if the rules started one.
struct Drafted {
    draft: Draft,
    /// Why the rules start none.
    left: Option<String>,
    buildroot: Option<BuildrootOutlook>,
}

/// A commit, what it says, and its subject.
type Read = (CommitId, SourceContent, String);

async fn read(context: &Context, supposition: &Supposition) -> Result<Read, AdminError> {
    let artifact = supposition.artifact();
    let (commit, content, subject) = match supposition {
        Supposition::Commit { revision, .. } => committed(context, artifact, revision).await?,
        Supposition::Tree { path, .. } => {
            let content = sourcing::read_worktree(context, artifact, path).await?;
            (nowhere()?, content, format!("the working tree {}", path.display()))
        }
    };
    Ok((commit, content.map_err(|problem| refused(artifact, &problem))?, subject))
}

async fn drafted(
    context: &Context,
    artifact: &ArtifactKey,
    read: Read,
) -> Result<Drafted, AdminError> {
    let content = read.1.clone();
    let (draft, left) = planned(context, artifact, read).await?;
    let buildroot = buildroot::outlook(context, &draft.plan, artifact, &content).await?;
    Ok(Drafted { draft, left, buildroot })
}

/// The edges its source asks for, beside those of everything that is not published yet, as when it is committed.
async fn edges(
    context: &Context,
    artifact: &ArtifactKey,
    commit: &CommitId,
    content: &SourceContent,
) -> Result<Vec<Edge>, AdminError> {
    let mut unpublished = provisional::unpublished(context, &artifact.branch).await?;
    unpublished.retain(|(other, _)| other != artifact);
    let mut sources = provisional::sources(context, &unpublished).await?;
    let own = Ok(content.clone());
    sources.push(Source { artifact: artifact.clone(), commit: commit.clone(), content: own });
    let providers = provisional::providers(context, &artifact.branch, &sources).await?;
    Ok(of_source(artifact, commit, content, &providers))
}

/// The plan, and why the rules start none.
async fn planned(
    context: &Context,
    artifact: &ArtifactKey,
    (commit, content, subject): Read,
) -> Result<(Draft, Option<String>), AdminError> {
    let edges = edges(context, artifact, &commit, &content).await?;
    let event = mint();
    let happened = Event::Committed {
        artifact: artifact.clone(),
        commit: commit.clone(),
        previous: None,
        forced: false,
        severity: Severity::None,
        subject: subject.clone(),
    };
    let answer = context.rules.ask(&happened, &content.settings.about).answer();
    let (launch, left) = match answer {
        Answer::Start(launch) => (Some(launch), None),
        Answer::Nothing { sentence, .. } => (None, Some(sentence)),
    };
    let launch = launch.as_ref();
    let route = launch.map(|launch| (event, launch.route.clone()));
    let supposed = Supposed {
        routes: route.into_iter().collect(),
        edges,
        settings: HashMap::from([(artifact.clone(), content.settings.clone())]),
    };
    let root = Root {
        artifact: artifact.clone(),
        commit: commit.clone(),
        action: launch.map_or(RootAction::Rebuild, |launch| launch.action),
        reason: Reason::SourceChanged { event, commit, subject },
        severity: launch.map_or(Severity::None, |launch| launch.severity),
        event,
        rule: launch.map(|launch| launch.rule.clone()),
        hours: launch.and_then(|launch| launch.bounds.hours),
    };
    let bounds = launch.map(|launch| (event, launch.bounds.clone())).into_iter().collect();
    let wish = Wish::of(context, vec![root]).bounded(&bounds);
    let branch = &artifact.branch;
    let mut plan = alone(context, branch, wish.clone(), &supposed).await?;
    // What touches too much is proposed by itself, whatever it meets.
    if let Some(mode) = launch.and_then(|launch| beyond(&plan, &launch.bounds)) {
        plan.mode = mode;
        return Ok((Draft { plan, merged: Vec::new() }, left));
    }
    Ok((draft(context, branch, wish, &supposed).await?, left))
}

type Attempt = (CommitId, Result<SourceContent, SourceProblem>, String);

async fn committed(
    context: &Context,
    artifact: &ArtifactKey,
    revision: &str,
) -> Result<Attempt, AdminError> {
    let repository = sourcing::repository(context, artifact);
    if !repository.join("HEAD").exists() {
        let problem = format!(
            "there is no repository {} in dist-git: {}",
            artifact.repository(),
            repository.display()
        );
        return Err(AdminError::Input(problem));
    }
    let commit =
        distgit::resolve_commit(&repository, revision).await.map_err(|error| match error {
            error @ distgit::DistGitError::NoCommit { .. } => AdminError::input(error),
            error => AdminError::outside(error),
        })?;
    let info = distgit::commit_info(&repository, &commit).await.map_err(AdminError::outside)?;
    let content = match context.source(artifact, &commit).await? {
        Some(known) => known.content,
        None => sourcing::read_commit(context, artifact, &commit).await?.content,
    };
    Ok((commit, content, info.subject))
}

/// What is not committed yet has no commit; this one is git's own sign for that.
fn nowhere() -> Result<CommitId, AdminError> {
    "0".repeat(40).parse().map_err(AdminError::input)
}

fn refused(artifact: &ArtifactKey, problem: &SourceProblem) -> AdminError {
    AdminError::Input(format!("{artifact} would be rejected: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which artifact a working tree is, with its branch `f44` checked out and these files in it.
    fn check(folder: &str, files: &[(&str, &str)], expected: Option<&str>) {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join(folder);
        std::fs::create_dir_all(folder.join(".git")).unwrap();
        std::fs::write(folder.join(".git/HEAD"), "ref: refs/heads/f44\n").unwrap();
        for (file, text) in files {
            std::fs::write(folder.join(file), text).unwrap();
        }
        let found = artifact_of(&folder).map(|artifact| artifact.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn the_folder_above_says_what_kind_it_is() {
        check("rpms/sky", &[], Some("rpms/sky#f44"));
        check("containers/sky", &[("sky.spec", "")], Some("containers/sky#f44"));
        check("composes/sky", &[], Some("composes/sky#f44"));
    }

    #[test]
    fn elsewhere_its_files_say_it() {
        check("work/sky", &[("sky.spec", "")], Some("rpms/sky#f44"));
        check("work/sky", &[("millstream.toml", "[tests]\n")], Some("rpms/sky#f44"));
        check("work/sky", &[("millstream.toml", "[image]\n")], Some("containers/sky#f44"));
        check("work/sky", &[("Containerfile", "FROM scratch")], Some("containers/sky#f44"));
        check("work/sky", &[("compose.toml", "")], Some("composes/sky#f44"));
    }
}
