//! Builds as they are listed and shown, and their logs.

use std::fmt;
use std::path::PathBuf;

use model::artifact::{ArtifactKey, CommitId};
use model::build::{Build, BuildOutput, BuildState, Failure, Inputs, InstalledPackage, Product};
use model::digest::Digest;
use model::id::BuildId;
use model::removal::{Subject, SubjectKind};
use serde::Serialize;
use store::{Conn, Page, builds, sets, steps};
use utoipa::ToSchema;

use super::table::Table;
use super::time::{Moment, spoken};
use super::{Admin, AdminError, retention};

/// How many builds that failed alike are named.
const ALIKE: u32 = 20;

/// A build.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BuildView {
    /// Its public number.
    pub number: i64,
    /// Its NVR.
    pub nvr: String,
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// From which commit.
    pub commit: CommitId,
    /// In which flavour.
    pub flavour: &'static str,
    /// Where it stands.
    pub state: &'static str,
    /// Which attempt it is.
    pub attempt: u32,
    /// When it was asked for.
    pub created: Moment,
    /// How long it took, in seconds.
    pub took_seconds: Option<f64>,
    /// What went wrong, with the first telling line of the log.
    pub failure: Option<Failure>,
}

impl From<&Build> for BuildView {
    fn from(build: &Build) -> Self {
        let (took_seconds, failure) = match &build.state {
            BuildState::Succeeded { took, .. } => (Some(took.as_secs_f64()), None),
            BuildState::Failed { failure, .. } => (None, Some(failure.clone())),
            _ => (None, None),
        };
        Self {
            number: build.number,
            nvr: build.nvr.to_string(),
            artifact: build.artifact.clone(),
            commit: build.commit.clone(),
            flavour: build.flavour.as_str(),
            state: build.state.name(),
            attempt: build.attempt,
            created: Moment(build.created),
            took_seconds,
            failure,
        }
    }
}

impl BuildView {
    fn took(&self) -> String {
        self.took_seconds
            .map_or("-".to_owned(), |seconds| spoken(std::time::Duration::from_secs_f64(seconds)))
    }
}

/// Builds, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct BuildList(pub Vec<BuildView>);

impl fmt::Display for BuildList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no builds");
        }
        let row = |build: &BuildView| {
            let problem = build.failure.as_ref().map(Failure::to_string).unwrap_or_default();
            let (number, commit) = (build.number.to_string(), build.commit.short().to_owned());
            [
                number,
                build.nvr.clone(),
                build.state.to_owned(),
                commit,
                build.created.to_string(),
                build.took(),
                problem,
            ]
        };
        let header = ["NUMBER", "NVR", "STATE", "COMMIT", "CREATED", "TOOK", "PROBLEM"];
        Table::of(header, self.0.iter().map(row)).fmt(f)
    }
}

/// Everything recorded of a build.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BuildDetail {
    /// The build.
    #[serde(flatten)]
    pub build: BuildView,
    /// The digest over commit, flavour, toolchain and buildroot.
    pub input: Digest,
    /// The repository its buildroot was resolved from.
    pub snapshot: Digest,
    /// The packages that were installed for it, and whether a BuildRequires names them.
    pub buildroot: Vec<RootPackage>,
    /// The digest over all its facets.
    pub facets: Option<Digest>,
    /// The packages it made.
    pub packages: Vec<String>,
    /// Where they lie.
    #[schema(value_type = Option<String>)]
    pub output: Option<PathBuf>,
    /// Its log.
    #[schema(value_type = String)]
    pub log: PathBuf,
    /// What of it is not kept any more, when it was removed and why.
    pub removed: Vec<String>,
    /// Since when it runs, if it does.
    pub running_since: Option<Moment>,
    /// Its id, by which steps name it.
    #[serde(skip)]
    pub(crate) id: BuildId,
}

/// Builds that failed in the same way.
#[derive(Clone, Debug, Serialize)]
pub struct FailedAlike {
    /// What they have in common.
    pub signature: String,
    /// How many others there are.
    pub others: u64,
    /// The newest of them.
    pub builds: Vec<BuildView>,
}

/// A package in a buildroot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct RootPackage {
    /// Its identity.
    pub nevra: String,
    /// Whether a BuildRequires names it.
    pub direct: bool,
}

impl fmt::Display for BuildDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let BuildView {
            number,
            nvr,
            artifact,
            commit,
            flavour,
            state,
            attempt,
            created,
            failure,
            ..
        } = &self.build;
        writeln!(f, "build {number}   {nvr} ({state})")?;
        writeln!(f, "artifact  {artifact} at {}, {flavour} flavour", commit.short())?;
        writeln!(f, "created   {created}, attempt {attempt}, took {}", self.build.took())?;
        if let Some(failure) = failure {
            writeln!(f, "problem   {failure}")?;
        }
        writeln!(f, "input     {}, snapshot {}", self.input.short(), self.snapshot.short())?;
        if let Some(facets) = &self.facets {
            writeln!(f, "facets    {}", facets.short())?;
        }
        writeln!(f, "log       {}", self.log.display())?;
        if let Some(output) = &self.output {
            writeln!(f, "packages  in {}", output.display())?;
            self.packages.iter().try_for_each(|package| writeln!(f, "  {package}"))?;
        }
        self.removed.iter().try_for_each(|removed| writeln!(f, "not kept  {removed}"))?;
        writeln!(f, "buildroot")?;
        for RootPackage { nevra, direct } in &self.buildroot {
            writeln!(f, "  {nevra}{}", if *direct { " (direct)" } else { "" })?;
        }
        Ok(())
    }
}

/// The packages installed for a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct BuildrootView {
    /// The build.
    pub nvr: String,
    /// The repository it was resolved from.
    pub snapshot: Digest,
    /// The packages, sorted.
    pub packages: Vec<RootPackage>,
}

/// Where a log is, and whether it may grow.
#[derive(Clone, Debug)]
pub struct BuildLog {
    /// The file.
    pub path: PathBuf,
    /// Whether the build has ended.
    pub ended: bool,
    /// When and why the log was removed, if it was.
    pub removed: Option<String>,
}

impl Admin {
    /// The newest builds, of one artifact or of all, in the state of this name or in any.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn builds(
        &self,
        artifact: Option<&ArtifactKey>,
        state: Option<&str>,
        page: impl Into<Page>,
    ) -> Result<BuildList, AdminError> {
        let found =
            builds::list(&mut *self.store.read().await?, artifact, state, page.into()).await?;
        Ok(BuildList(found.iter().map(BuildView::from).collect()))
    }

    /// Everything recorded of a build, named by number or NVR.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build.
    pub async fn build(&self, name: &str) -> Result<BuildDetail, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let build = named(&mut reader, name).await?;
        let buildroot = root_packages(&mut reader, &build).await?;
        let (facets, output) = match build.state {
            BuildState::Succeeded { facets, output, .. } => {
                let output: Option<BuildOutput> = sets::get_json(&mut reader, output).await?;
                (Some(facets), output)
            }
            _ => (None, None),
        };
        let made = |output: &BuildOutput| match &output.product {
            Product::Packages(made) => {
                made.packages.iter().map(|package| package.file.clone()).collect()
            }
            Product::Image(_) | Product::Compose(_) => Vec::new(),
        };
        let mut removed = Vec::new();
        for (kind, what) in [(SubjectKind::Log, "its log"), (SubjectKind::Outputs, "its packages")]
        {
            let subject = Subject::new(kind, build.id);
            let told = retention::told(&mut reader, &self.config, &subject).await?;
            removed.extend(told.map(|told| format!("{what}, {told}")));
        }
        Ok(BuildDetail {
            removed,
            build: BuildView::from(&build),
            input: build.input,
            snapshot: build.snapshot,
            buildroot,
            facets,
            packages: output.as_ref().map(made).unwrap_or_default(),
            output: output.map(|_| self.config.builds_root().join(build.id.to_string())),
            log: self.log_path(&build),
            running_since: match build.state {
                BuildState::Running { since, .. } => Some(Moment(since)),
                _ => None,
            },
            id: build.id,
        })
    }

    /// The packages installed for a build.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build.
    pub async fn buildroot(&self, name: &str) -> Result<BuildrootView, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let build = named(&mut reader, name).await?;
        let packages = root_packages(&mut reader, &build).await?;
        Ok(BuildrootView { nvr: build.nvr.to_string(), snapshot: build.snapshot, packages })
    }

    /// The other builds that failed in the same way, the newest first.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn failed_alike(
        &self,
        build: &BuildView,
        failure: &Failure,
    ) -> Result<FailedAlike, AdminError> {
        let signature = failure.signature(build.artifact.name.as_str());
        let mut reader = self.store.snapshot().await?;
        let (found, count) = builds::failed_alike(&mut reader, &signature, ALIKE).await?;
        let others = found.iter().filter(|other| other.number != build.number);
        let builds = others.map(BuildView::from).collect();
        Ok(FailedAlike { signature, others: count.saturating_sub(1), builds })
    }

    /// The public numbers of the newest plans in which a step is about this build.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn plans_of_build(&self, detail: &BuildDetail) -> Result<Vec<i64>, AdminError> {
        let mut reader = self.store.read().await?;
        let placed = steps::of_artifact(&mut reader, &detail.build.artifact, 50).await?;
        let about = |placed: &steps::PlacedStep| {
            placed.step.state.build() == Some(detail.id) || placed.step.previous == Some(detail.id)
        };
        Ok(placed.iter().filter(|placed| about(placed)).map(|placed| placed.plan_number).collect())
    }

    /// Where the log of a build is.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such build.
    pub async fn build_log(&self, name: &str) -> Result<BuildLog, AdminError> {
        let mut reader = self.store.read().await?;
        let build = named(&mut reader, name).await?;
        let ended = !matches!(build.state, BuildState::Queued | BuildState::Running { .. });
        let subject = Subject::new(SubjectKind::Log, build.id);
        let removed = retention::told(&mut reader, &self.config, &subject).await?;
        Ok(BuildLog { path: self.log_path(&build), ended, removed })
    }

    fn log_path(&self, build: &Build) -> PathBuf {
        self.config.builds_root().join(format!("{}.log", build.id))
    }
}

async fn root_packages(conn: &mut Conn, build: &Build) -> Result<Vec<RootPackage>, AdminError> {
    let inputs: Option<Inputs> = sets::get_json(conn, build.inputs).await?;
    let root = inputs.as_ref().map_or(&[][..], Inputs::buildroot);
    let view = |package: &InstalledPackage| RootPackage {
        nevra: package.nevra.to_string(),
        direct: package.direct,
    };
    Ok(root.iter().map(view).collect())
}

/// A build by its number or its NVR.
pub(crate) async fn named(conn: &mut Conn, name: &str) -> Result<Build, AdminError> {
    let found = match name.parse() {
        Ok(number) => builds::by_number(conn, number).await?,
        Err(_) => builds::by_nvr(conn, name).await?,
    };
    found.ok_or_else(|| {
        AdminError::NotFound(format!(
            "there is no build {name}: `millstream build list` shows those there are"
        ))
    })
}
