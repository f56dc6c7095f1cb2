//! Sources: what a spec at a commit says, and what is wrong with it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, ArtifactName, CommitId};
use crate::compose::ComposeDefinition;
use crate::edge::EdgeKind;
use crate::facet::Facet;
use crate::gate::Policy;
use crate::image::ImageRecipe;
use crate::requirement::{Capability, Requirement};
use crate::version::Evr;

/// One commit of one artifact, read in isolation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Of which artifact.
    pub artifact: ArtifactKey,
    /// At which commit.
    pub commit: CommitId,
    /// What it says, or why it could not be read.
    pub content: Result<SourceContent, SourceProblem>,
}

/// What a commit says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceContent {
    /// The file that says most: the spec, the Containerfile, `millstream.toml` or `compose.toml`.
    pub file: String,
    /// The name in its builds' NVRs: the source package's, or the artifact's with its kind behind it.
    pub name: String,
    /// Its version with the branch's dist tag, before any minor bump.
    pub evr: Evr,
    /// Whether the release ends in the dist tag, so that a rebuild can get a new NVR.
    pub bumpable: bool,
    /// What a build needs, or an image contains. Provisional: the build reports its own.
    pub build_requires: Vec<Requirement>,
    /// The flavour to break a cycle with, if one is declared.
    pub bootstrap: Option<Bootstrap>,
    /// The packages it says it will build.
    pub packages: Vec<SourcePackage>,
    /// What only artifacts of its kind say.
    pub recipe: Recipe,
    /// The executables in `tests/`.
    pub tests: Vec<String>,
    /// What it asks for in `millstream.toml`.
    pub settings: Settings,
    /// The policies of its `gating.yaml`; none if there is no such file.
    pub gating: Option<Vec<Policy>>,
    /// The commit's time in seconds, the build's `SOURCE_DATE_EPOCH` where there is no changelog.
    pub time: i64,
}

/// What only artifacts of one kind say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Recipe {
    /// Nothing more: the spec is read by the builder.
    #[default]
    Package,
    /// How an image is made.
    Image(ImageRecipe),
    /// What a compose ships.
    Compose(ComposeDefinition),
}

/// A flavour that builds with fewer BuildRequires.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// The conditionals to pass as `--with`.
    pub with: Vec<String>,
    /// What this flavour needs.
    pub build_requires: Vec<Requirement>,
}

/// A package a spec says it will build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePackage {
    /// Its name.
    pub name: String,
    /// What it provides, as far as the spec says; generated provides come with the build.
    pub provides: Vec<Capability>,
    /// What it requires, as far as the spec says.
    pub requires: Vec<Requirement>,
}

/// What an artifact may ask for in `millstream.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `[about]`
    pub about: About,
    /// `[bootstrap]`
    pub bootstrap: Option<BootstrapSettings>,
    /// `[image]`
    pub image: Option<ImageSettings>,
    /// `[[listen]]`
    pub listen: Vec<Listen>,
    /// `[build]`
    pub build: LimitSettings,
    /// `[tests]`
    pub tests: LimitSettings,
}

/// `[about]` of `millstream.toml`: what the conditions of rules may ask about the artifact beside its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct About {
    /// The teams it belongs to.
    pub teams: Vec<String>,
    /// Whatever else is to be told of it, by name.
    pub labels: BTreeMap<String, String>,
}

/// `[image]` of `millstream.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageSettings {
    /// Its version; `1` if it is left out.
    pub version: Option<String>,
    /// The image it stands on, where there is no Containerfile.
    pub from: Option<ArtifactName>,
    /// The packages installed on top of what the last stage starts from.
    pub packages: Vec<String>,
    /// `[image.stages.NAME]`: packages for a named stage of the Containerfile.
    pub stages: BTreeMap<String, StageSettings>,
    /// Programs of the host's toolchain to put in, with their libraries.
    pub toolchain: Vec<String>,
    /// What is run, where there is no Containerfile; so are the others below.
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

/// `[image.stages.NAME]` of `millstream.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StageSettings {
    /// The packages installed on top of what the stage starts from.
    pub packages: Vec<String>,
}

/// `[bootstrap]` of `millstream.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BootstrapSettings {
    /// The conditionals to pass as `--with`.
    pub with: Vec<String>,
}

/// `[[listen]]` of `millstream.toml`: listen to more or less than the kind of an edge says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Listen {
    /// The binary package at the other end; every package if it is left out.
    pub package: Option<String>,
    /// The kind of edge; every kind but `requires` if it is left out.
    pub edge: Option<EdgeKind>,
    /// Facets to listen to as well.
    pub more: Vec<Facet>,
    /// Facets not to listen to.
    pub less: Vec<Facet>,
}

/// `[build]` and `[tests]` of `millstream.toml`: less than the server's limits, never more.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Wall-clock seconds.
    pub timeout_seconds: Option<u64>,
    /// Memory in MiB.
    pub memory_mb: Option<u64>,
}

/// Why a source could not be read, with the place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceProblem {
    /// The file, relative to the repository.
    pub file: String,
    /// The line, if it is known.
    pub line: Option<u32>,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for SourceProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.message),
            None => write!(f, "{}: {}", self.file, self.message),
        }
    }
}
