//! Images: what a repository below `containers/` asks for, what went in, and what came out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactName;
use crate::build::InstalledPackage;
use crate::digest::Digest;
use crate::id::BuildId;
use crate::requirement::Requirement;

/// What a commit of an image says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageRecipe {
    /// The name of its Containerfile; none where the settings say all.
    pub containerfile: Option<String>,
    /// The stages in the order in which they are built; the last one is the image.
    pub stages: Vec<ImageStage>,
    /// Programs of the host's toolchain that it contains, for branches without a shell of their own.
    pub toolchain: Vec<String>,
    /// How it is run, where no Containerfile says so.
    pub config: ImageConfig,
}

impl ImageRecipe {
    /// The images it stands on or copies from.
    pub fn parents(&self) -> impl Iterator<Item = &ArtifactName> {
        self.stages.iter().filter_map(|stage| match &stage.base {
            ImageBase::Image(name) => Some(name),
            ImageBase::Scratch | ImageBase::Stage(_) => None,
        })
    }
}

/// One stage of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageStage {
    /// Its name, if others copy from it.
    pub name: Option<String>,
    /// What it starts from.
    pub base: ImageBase,
    /// What is installed on top of that, with all it requires.
    pub packages: Vec<Requirement>,
}

/// What a stage of an image starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageBase {
    /// Nothing.
    Scratch,
    /// The image of this name on the same branch.
    Image(ArtifactName),
    /// An earlier stage.
    Stage(usize),
}

/// How an image is run, in the terms of OCI's image configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageConfig {
    /// What is run.
    pub entrypoint: Vec<String>,
    /// Its arguments, unless others are given.
    pub cmd: Vec<String>,
    /// The environment.
    pub env: BTreeMap<String, String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The working folder.
    pub workdir: Option<String>,
    /// The user it runs as.
    pub user: Option<String>,
}

/// What goes into the build of an image, stage by stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageInputs {
    /// The stages.
    pub stages: Vec<StageInputs>,
}

/// What goes into one stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageInputs {
    /// The image it starts from.
    pub base: Option<BuildId>,
    /// The packages it installs, those that its base has already left out; sorted.
    pub install: Vec<InstalledPackage>,
}

impl ImageInputs {
    /// The builds of ours that go in; one may come more than once.
    pub fn builds(&self) -> impl Iterator<Item = BuildId> {
        self.stages.iter().flat_map(|stage| {
            let installed = stage.install.iter().filter_map(|package| package.build);
            stage.base.into_iter().chain(installed)
        })
    }
}

/// What the build of an image made: an OCI image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageOutput {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The sum of its layers as they are stored, in bytes.
    pub size: u64,
    /// Its layers, the lowest first.
    pub layers: Vec<Layer>,
    /// Every package in it, its parents' among them, sorted; `direct` are those it asks for itself.
    pub contents: Vec<InstalledPackage>,
    /// The images it stands on or copies from.
    pub parents: Vec<BuildId>,
}

impl ImageOutput {
    /// The builds of ours that are in it, its parents among them, each once, sorted.
    pub fn builds(&self) -> Vec<BuildId> {
        let packages = self.contents.iter().filter_map(|package| package.build);
        let mut builds: Vec<BuildId> = packages.chain(self.parents.iter().copied()).collect();
        builds.sort_unstable();
        builds.dedup();
        builds
    }
}

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// The digest of its blob.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
}
