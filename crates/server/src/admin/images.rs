//! Images as they are listed and shown: what is in them, on what they stand, and what changed from one to the next.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::artifact::{ArtifactKey, ArtifactKind, BranchName};
use model::build::{Build, BuildOutput, BuildState, InstalledPackage, Product};
use model::id::BuildId;
use model::image::ImageOutput;
use model::requirement::Capability;
use model::version::Nevra;
use pipeline::compose::contains::{Holder, Holding, contains};
use pipeline::compose::difference::{Changed, bytes, changed_contents};
use serde::Serialize;
use store::artifacts::ArtifactFilter;
use store::{Conn, Page, artifacts, builds, packages, publications, sets};
use utoipa::ToSchema;

use super::builds::named;
use super::table::Table;
use super::time::Moment;
use super::{Admin, AdminError};

/// How many builds of an image are looked at for its history.
const HISTORY: u32 = 100;

/// The newest image of an artifact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImageView {
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// The NVR of its build.
    pub nvr: String,
    /// The public number of its build.
    pub build: i64,
    /// Whether this build is the published one.
    pub published: bool,
    /// The digest of its manifest.
    pub digest: String,
    /// The sum of its layers in bytes.
    pub size: u64,
    /// How many packages are in it.
    pub packages: usize,
    /// What it has of the package that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub holding: Option<Holding>,
    /// When the build was asked for.
    pub created: Moment,
}

/// Images, by artifact.
#[derive(Clone, Debug, Serialize)]
pub struct ImageList {
    /// What was asked for.
    pub contains: Option<Capability>,
    /// Whether any build makes a package of the name that was asked for.
    pub known: Option<bool>,
    /// The images; those that were asked about and do not have it are among them in JSON only.
    pub images: Vec<ImageView>,
}

impl ImageList {
    /// Whether one of them has what was asked for.
    pub fn is_contained(&self) -> bool {
        self.contains.is_none() || self.images.iter().any(ImageView::has_it)
    }
}

impl ImageView {
    fn has_it(&self) -> bool {
        !matches!(self.holding, Some(Holding::Absent | Holding::OtherVersion(_)))
    }

    fn told(&self) -> String {
        match &self.holding {
            None => String::new(),
            Some(Holding::Contained(packages) | Holding::OtherVersion(packages)) => {
                let names: Vec<String> = packages.iter().map(Nevra::to_string).collect();
                names.join(" ")
            }
            Some(Holding::Absent) => "absent".to_owned(),
            Some(Holding::Unknown) => "unknown: nobody recorded what is in it".to_owned(),
        }
    }
}

impl fmt::Display for ImageList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(wanted), Some(false)) = (&self.contains, self.known) {
            return writeln!(f, "unknown: no build of the branch makes a package {}", wanted.name);
        }
        let shown: Vec<&ImageView> = self.images.iter().filter(|image| image.has_it()).collect();
        if shown.is_empty() {
            return match &self.contains {
                Some(wanted) => writeln!(f, "absent: no image contains {wanted}"),
                None => writeln!(f, "no images"),
            };
        }
        let row = |image: &&ImageView| {
            let published = if image.published { "published" } else { "-" };
            [
                image.artifact.to_string(),
                image.nvr.clone(),
                published.to_owned(),
                bytes(image.size),
                image.packages.to_string(),
                image.told(),
            ]
        };
        let header = ["ARTIFACT", "NVR", "STATE", "SIZE", "PACKAGES", "CONTAINS"];
        Table::of(header, shown.iter().map(row)).fmt(f)
    }
}

/// Everything known of one build of an image.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImageDetail {
    /// The image.
    #[serde(flatten)]
    pub image: ImageView,
    /// The NVRs of the images it stands on or copies from.
    pub parents: Vec<String>,
    /// Its layers, the lowest first, with their sizes in bytes.
    pub layers: Vec<(String, u64)>,
    /// Its packages.
    pub contents: Vec<ImagePackage>,
    /// The NVR of the image before it, and what changed since.
    pub since: Option<(String, Vec<Changed>)>,
    /// Its size from build to build, the oldest first.
    pub sizes: Vec<(String, u64)>,
}

/// A package in an image.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ImagePackage {
    /// Its identity.
    pub nevra: String,
    /// Whether the image asks for it by name.
    pub direct: bool,
    /// The artifact it comes from; none for what is the toolchain's.
    pub artifact: Option<ArtifactKey>,
}

impl fmt::Display for ImageDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ImageView { artifact, nvr, build, published, digest, size, .. } = &self.image;
        let state = if *published { "published" } else { "not published" };
        writeln!(f, "{nvr} (build {build}, {state}) of {artifact}")?;
        writeln!(f, "digest    {digest}, {} in {} layers", bytes(*size), self.layers.len())?;
        if !self.parents.is_empty() {
            writeln!(f, "stands on {}", self.parents.join(", "))?;
        }
        writeln!(f, "contains  {} packages", self.contents.len())?;
        for package in &self.contents {
            let direct = if package.direct { " (asked for)" } else { "" };
            writeln!(f, "  {}{direct}", package.nevra)?;
        }
        match &self.since {
            Some((before, changes)) if changes.is_empty() => {
                writeln!(f, "since {before} no package changed")
            }
            Some((before, changes)) => {
                writeln!(f, "since {before}")?;
                changes.iter().try_for_each(|change| writeln!(f, "  {change}"))
            }
            None => writeln!(f, "it is the first of its name"),
        }
    }
}

impl Admin {
    /// The newest image of each artifact of a branch, or of all; `wanted` asks which of them contain a package.
    ///
    /// # Errors
    /// [`AdminError::Input`] when a package is asked for and there are several branches: versions are compared within
    /// one.
    pub async fn images(
        &self,
        branch: Option<&BranchName>,
        wanted: Option<&Capability>,
    ) -> Result<ImageList, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let mut images = Vec::new();
        for build in newest(&mut reader, ArtifactKind::Containers, branch).await? {
            if let Some(image) = image(&mut reader, &build).await? {
                images.push((view(&mut reader, &build, &image).await?, image));
            }
        }
        let Some(wanted) = wanted else {
            let images = images.into_iter().map(|(view, _)| view).collect();
            return Ok(ImageList { contains: None, known: None, images });
        };
        let branch = one_branch(branch, &images)?;
        let made = packages::makers(&mut reader, &wanted.name).await?;
        let is_made = made.iter().any(|maker| maker.branch == branch);
        let built: BTreeSet<&str> = is_made.then_some(wanted.name.as_str()).into_iter().collect();
        Ok(asked(wanted, &branch, &built, images))
    }

    /// One build of an image, named by its number, its NVR, or its artifact.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such image.
    pub async fn image(&self, name: &str) -> Result<ImageDetail, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let build = match name.parse::<ArtifactKey>() {
            Ok(key) => builds::latest_succeeded(&mut reader, &key).await?.ok_or_else(|| {
                AdminError::NotFound(format!("{key} has no build that succeeded"))
            })?,
            Err(_) => named(&mut reader, name).await?,
        };
        let found = image(&mut reader, &build).await?;
        let found = found.ok_or_else(|| {
            AdminError::NotFound(format!("build {} ({}) made no image", build.number, build.nvr))
        })?;
        detail(&mut reader, &build, found).await
    }
}

/// The branch that is meant: the one that was named, or the only one there is.
fn one_branch(
    branch: Option<&BranchName>,
    images: &[(ImageView, ImageOutput)],
) -> Result<BranchName, AdminError> {
    let branches: BTreeSet<&BranchName> =
        branch.into_iter().chain(images.iter().map(|(view, _)| &view.artifact.branch)).collect();
    match branches.iter().collect::<Vec<_>>()[..] {
        [only] => Ok((*only).clone()),
        [] => Err(AdminError::Input("there are no images".to_owned())),
        _ => Err(AdminError::Input(
            "versions are compared within one branch: name it with --branch".to_owned(),
        )),
    }
}

/// The newest build that succeeded of each artifact of a kind, sorted by artifact.
pub(super) async fn newest(
    conn: &mut Conn,
    kind: ArtifactKind,
    branch: Option<&BranchName>,
) -> Result<Vec<Build>, AdminError> {
    let filter =
        ArtifactFilter { kind: Some(kind), branch: branch.cloned(), ..ArtifactFilter::default() };
    let found = artifacts::matching(conn, &filter, None, u32::MAX).await?;
    let keys: Vec<ArtifactKey> = found.into_iter().map(|artifact| artifact.key).collect();
    let mut newest = builds::newest_succeeded(conn, &keys).await?;
    newest.sort_by(|a, b| a.artifact.cmp(&b.artifact));
    Ok(newest)
}

fn asked(
    wanted: &Capability,
    branch: &BranchName,
    built: &BTreeSet<&str>,
    images: Vec<(ImageView, ImageOutput)>,
) -> ImageList {
    let contents: Vec<Vec<Nevra>> = images
        .iter()
        .map(|(_, image)| image.contents.iter().map(|package| package.nevra.clone()).collect())
        .collect();
    let holders: Vec<Holder<'_, usize>> = images
        .iter()
        .zip(&contents)
        .enumerate()
        .map(|(number, ((view, _), packages))| Holder {
            name: number,
            branch: &view.artifact.branch,
            packages: Some(packages),
        })
        .collect();
    let answer = contains(wanted, branch, built, &holders);
    let mut holdings: BTreeMap<usize, Holding> = answer.holders.into_iter().collect();
    let views = images.into_iter().enumerate().filter_map(|(number, (view, _))| {
        Some(ImageView { holding: Some(holdings.remove(&number)?), ..view })
    });
    ImageList { contains: Some(wanted.clone()), known: Some(answer.known), images: views.collect() }
}

async fn detail(
    conn: &mut Conn,
    build: &Build,
    image: ImageOutput,
) -> Result<ImageDetail, AdminError> {
    let parents = builds::get_many(conn, &image.parents).await?;
    let owners = owners(conn, &image.contents).await?;
    let history = history(conn, build).await?;
    let before = history.iter().rev().find(|(earlier, _)| earlier.number < build.number);
    let since = before.map(|(earlier, old)| {
        (earlier.nvr.to_string(), changed_contents(&old.contents, &image.contents))
    });
    let package = |package: &InstalledPackage| ImagePackage {
        nevra: package.nevra.to_string(),
        direct: package.direct,
        artifact: package.build.and_then(|build| owners.get(&build).cloned()),
    };
    Ok(ImageDetail {
        image: view(conn, build, &image).await?,
        parents: parents.iter().map(|parent| parent.nvr.to_string()).collect(),
        layers: image.layers.iter().map(|layer| (layer.digest.to_string(), layer.size)).collect(),
        contents: image.contents.iter().map(package).collect(),
        since,
        sizes: history.iter().map(|(build, old)| (build.nvr.to_string(), old.size)).collect(),
    })
}

/// The builds of the artifact that made an image, the oldest first.
async fn history(conn: &mut Conn, build: &Build) -> Result<Vec<(Build, ImageOutput)>, AdminError> {
    let page = Page::first(HISTORY);
    let all = builds::list(conn, Some(&build.artifact), Some("succeeded"), page).await?;
    let mut found = Vec::new();
    for build in all.into_iter().rev() {
        if let Some(image) = image(conn, &build).await? {
            found.push((build, image));
        }
    }
    Ok(found)
}

async fn owners(
    conn: &mut Conn,
    contents: &[InstalledPackage],
) -> Result<BTreeMap<BuildId, ArtifactKey>, AdminError> {
    let ids: BTreeSet<BuildId> = contents.iter().filter_map(|package| package.build).collect();
    let ids: Vec<BuildId> = ids.into_iter().collect();
    let found = builds::get_many(conn, &ids).await?;
    Ok(found.into_iter().map(|build| (build.id, build.artifact)).collect())
}

async fn view(
    conn: &mut Conn,
    build: &Build,
    image: &ImageOutput,
) -> Result<ImageView, AdminError> {
    let published = publications::current_build(conn, &build.artifact).await?;
    Ok(ImageView {
        artifact: build.artifact.clone(),
        nvr: build.nvr.to_string(),
        build: build.number,
        published: published == Some(build.id),
        digest: image.digest.to_string(),
        size: image.size,
        packages: image.contents.len(),
        holding: None,
        created: Moment(build.created),
    })
}

async fn image(conn: &mut Conn, build: &Build) -> Result<Option<ImageOutput>, AdminError> {
    Ok(match product(conn, build).await? {
        Some(Product::Image(image)) => Some(image),
        _ => None,
    })
}

/// What a build made; none if it did not succeed.
pub(super) async fn product(conn: &mut Conn, build: &Build) -> Result<Option<Product>, AdminError> {
    let BuildState::Succeeded { output, .. } = build.state else { return Ok(None) };
    let output: Option<BuildOutput> = sets::get_json(conn, output).await?;
    Ok(output.map(|output| output.product))
}
