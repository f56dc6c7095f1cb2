//! Composes as they are listed and shown, what changed from one to the next, and one made for this machine alone.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use model::artifact::{ArtifactKey, ArtifactKind};
use model::build::{Build, Product};
use model::compose::{ComposeOutput, Deliverable};
use model::requirement::Capability;
use model::version::Nevra;
use pipeline::compose::contains::{Holder, Holding, contains};
use pipeline::compose::difference::{Difference, bytes, difference};
use serde::Serialize;
use store::{Conn, Page, builds, publications};
use utoipa::ToSchema;

use super::builds::named;
use super::images::{newest, product};
use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};
use crate::composing;

/// A compose.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ComposeView {
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// Its id.
    pub id: String,
    /// The NVR of its build, by which it is signed off.
    pub nvr: String,
    /// The public number of its build.
    pub build: i64,
    /// Whether it is the published one of its artifact.
    pub published: bool,
    /// The sizes of what it delivers, in bytes.
    pub size: u64,
    /// How many of its deliverables were taken over from an earlier compose.
    pub reused: usize,
    /// How many it has.
    pub deliverables: usize,
    /// What it has of the package that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holding: Option<Holding>,
    /// When it was asked for.
    pub created: Moment,
}

/// Composes, the newest first.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ComposeList(pub Vec<ComposeView>);

impl fmt::Display for ComposeList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return writeln!(f, "no composes");
        }
        let row = |compose: &ComposeView| {
            let published = if compose.published { "published" } else { "-" };
            [
                compose.id.clone(),
                compose.artifact.to_string(),
                compose.nvr.clone(),
                published.to_owned(),
                bytes(compose.size),
                format!("{} of {}", compose.reused, compose.deliverables),
                compose.created.to_string(),
            ]
        };
        let header = ["COMPOSE", "ARTIFACT", "NVR", "STATE", "SIZE", "REUSED", "CREATED"];
        Table::of(header, self.0.iter().map(row)).fmt(f)
    }
}

/// Everything known of a compose.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ComposeDetail {
    /// The compose.
    #[serde(flatten)]
    pub compose: ComposeView,
    /// Its contents.
    pub output: ComposeOutput,
    /// What changed since the compose before it.
    pub since: Option<Difference>,
    /// The folder it lies in, while that is kept.
    #[schema(value_type = Option<String>)]
    pub folder: Option<PathBuf>,
}

impl fmt::Display for ComposeDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ComposeView { artifact, id, nvr, published, size, .. } = &self.compose;
        let state = if *published { "published" } else { "not published" };
        writeln!(f, "{id} ({nvr}, {state}) of {artifact}, {}", bytes(*size))?;
        contents(f, &self.output)?;
        if let Some(folder) = &self.folder {
            writeln!(f, "folder {}", folder.display())?;
        }
        match &self.since {
            Some(difference) => writeln!(f, "{difference}"),
            None => writeln!(f, "it is the first of its name"),
        }
    }
}

fn contents(f: &mut fmt::Formatter<'_>, output: &ComposeOutput) -> fmt::Result {
    for (id, variant) in &output.variants {
        for (arch, contents) in &variant.arches {
            let (packages, images) = (contents.packages.len(), contents.images.len());
            writeln!(f, "{id} {arch}: {packages} packages, {images} images")?;
        }
    }
    output.deliverables.iter().try_for_each(|deliverable| {
        let Deliverable { key, reused_from, size, .. } = deliverable;
        match reused_from {
            Some(from) => writeln!(f, "  {key}: reused from {from}"),
            None => writeln!(f, "  {key}: made, {}", bytes(*size)),
        }
    })
}

/// A compose made for this machine alone.
#[derive(Clone, Debug, Serialize)]
pub struct LocalCompose {
    /// What it is made of, and what was reused.
    pub output: ComposeOutput,
    /// Where it lies.
    pub folder: PathBuf,
    /// Why each deliverable was made or reused.
    pub reasons: Vec<String>,
}

impl fmt::Display for LocalCompose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} in {}", self.output.id, self.folder.display())?;
        contents(f, &self.output)
    }
}

impl Admin {
    /// The newest composes, of one artifact or of all.
    ///
    /// # Errors
    /// [`AdminError::Store`].
    pub async fn composes(
        &self,
        artifact: Option<&ArtifactKey>,
        page: impl Into<Page>,
    ) -> Result<ComposeList, AdminError> {
        self.composes_with(artifact, None, page.into()).await
    }

    /// The newest composes, of one artifact or of all; `wanted` asks what each holds of a package.
    ///
    /// # Errors
    /// [`AdminError::Input`] when versions are asked for without an artifact, and so without a branch.
    pub async fn composes_with(
        &self,
        artifact: Option<&ArtifactKey>,
        wanted: Option<&Capability>,
        page: Page,
    ) -> Result<ComposeList, AdminError> {
        if artifact.is_none() && wanted.is_some_and(|wanted| wanted.range.is_some()) {
            return Err(AdminError::Input(
                "versions are compared within one branch: name the compose".to_owned(),
            ));
        }
        let mut reader = self.store.snapshot().await?;
        let kind = ArtifactKind::Composes;
        let wanted_keys = match artifact {
            Some(key) => vec![key.clone()],
            None => {
                newest(&mut reader, kind, None).await?.into_iter().map(|b| b.artifact).collect()
            }
        };
        let mut made = Vec::new();
        for key in &wanted_keys {
            made.extend(builds::list(&mut reader, Some(key), Some("succeeded"), page).await?);
        }
        made.sort_by_key(|build| std::cmp::Reverse(build.number));
        made.truncate(usize::try_from(page.limit).unwrap_or(usize::MAX));
        let mut found = Vec::with_capacity(made.len());
        for build in made {
            if let Some(output) = compose(&mut reader, &build).await? {
                let holding = wanted.map(|wanted| holding(wanted, &build, &output));
                let view = view(&mut reader, &build, &output).await?;
                found.push(ComposeView { holding, ..view });
            }
        }
        Ok(ComposeList(found))
    }

    /// One compose, named by its id, its build's number or NVR, or its artifact.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such compose.
    pub async fn compose(&self, name: &str) -> Result<ComposeDetail, AdminError> {
        let (build, output) = self.find_compose(name).await?;
        let mut reader = self.store.snapshot().await?;
        let before = earlier(&mut reader, &build).await?;
        let folder = self.config.builds_root().join(build.id.to_string());
        let folder = folder.join(output.id.to_string());
        Ok(ComposeDetail {
            compose: view(&mut reader, &build, &output).await?,
            since: before.map(|before| difference(&before, &output)),
            folder: folder.is_dir().then_some(folder),
            output,
        })
    }

    /// What changed from one compose to another.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when one of them is not there.
    pub async fn compose_difference(&self, from: &str, to: &str) -> Result<Difference, AdminError> {
        let (_, from) = self.find_compose(from).await?;
        let (_, to) = self.find_compose(to).await?;
        Ok(difference(&from, &to))
    }

    async fn find_compose(&self, name: &str) -> Result<(Build, ComposeOutput), AdminError> {
        let mut reader = self.store.snapshot().await?;
        let unknown = || {
            AdminError::NotFound(format!(
                "there is no compose {name}: `millstream compose list` shows those there are"
            ))
        };
        if let Ok(key) = name.parse::<ArtifactKey>() {
            let build = builds::latest_succeeded(&mut reader, &key).await?.ok_or_else(unknown)?;
            let output = compose(&mut reader, &build).await?.ok_or_else(unknown)?;
            return Ok((build, output));
        }
        if let Ok(build) = named(&mut reader, name).await {
            let output = compose(&mut reader, &build).await?.ok_or_else(unknown)?;
            return Ok((build, output));
        }
        drop(reader);
        let all = self.composes(None, 1000).await?.0;
        let found = all.into_iter().find(|compose| compose.id == name).ok_or_else(unknown)?;
        let mut reader = self.store.snapshot().await?;
        let build = named(&mut reader, &found.nvr).await?;
        let output = compose(&mut reader, &build).await?.ok_or_else(unknown)?;
        Ok((build, output))
    }

    /// Makes a compose from what is published, in a folder of this machine: nothing is recorded or published.
    ///
    /// # Errors
    /// [`AdminError::Input`] with what is missing, or with file and line when the source cannot be read.
    pub async fn compose_here(
        &self,
        artifact: &ArtifactKey,
        folder: &Path,
    ) -> Result<LocalCompose, AdminError> {
        if artifact.kind != ArtifactKind::Composes {
            return Err(AdminError::Input(format!(
                "{artifact} is no compose: name one, e.g. composes/{}#{}",
                artifact.name, artifact.branch
            )));
        }
        self.known_artifact(artifact).await?;
        self.with_context(async |context| composing::here(context, artifact, folder).await).await
    }
}

/// The compose of the artifact before this one.
async fn earlier(conn: &mut Conn, build: &Build) -> Result<Option<ComposeOutput>, AdminError> {
    let page = Page::before(build.number, 1);
    let before = builds::list(conn, Some(&build.artifact), Some("succeeded"), page).await?;
    match before.first() {
        Some(before) => compose(conn, before).await,
        None => Ok(None),
    }
}

async fn compose(conn: &mut Conn, build: &Build) -> Result<Option<ComposeOutput>, AdminError> {
    Ok(match product(conn, build).await? {
        Some(Product::Compose(compose)) => Some(compose),
        _ => None,
    })
}

/// What a compose holds of a package, in one of its variants at least.
fn holding(wanted: &Capability, build: &Build, output: &ComposeOutput) -> Holding {
    let arches = output.variants.values().flat_map(|variant| variant.arches.values());
    let packages = arches.flat_map(|arch| &arch.packages);
    let mut packages: Vec<Nevra> = packages.map(|package| package.nevra.clone()).collect();
    packages.sort_unstable();
    packages.dedup();
    let branch = &build.artifact.branch;
    let holder = Holder { name: (), branch, packages: Some(&packages) };
    let answer = contains(wanted, branch, &BTreeSet::new(), &[holder]);
    answer.holders.into_iter().next().map_or(Holding::Unknown, |((), holding)| holding)
}

async fn view(
    conn: &mut Conn,
    build: &Build,
    output: &ComposeOutput,
) -> Result<ComposeView, AdminError> {
    let published = publications::current_build(conn, &build.artifact).await?;
    let deliverables = output.deliverables.iter();
    Ok(ComposeView {
        artifact: build.artifact.clone(),
        id: output.id.to_string(),
        nvr: build.nvr.to_string(),
        build: build.number,
        published: published == Some(build.id),
        size: deliverables.clone().map(|deliverable| deliverable.size).sum(),
        reused: deliverables.filter(|deliverable| deliverable.reused_from.is_some()).count(),
        deliverables: output.deliverables.len(),
        holding: None,
        created: Moment(build.created),
    })
}
