//! Edges: dependent needs dependency, with a kind and its evidence.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::artifact::{ArtifactKey, CommitId};
use crate::id::BuildId;

/// How a dependent needs its dependency. What each kind listens to is one table, in `pipeline::affected::listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EdgeKind {
    /// The spec asks for the package by BuildRequires, outside the build group.
    BuildRequires,
    /// The package was in the recorded buildroot without being asked for directly.
    Buildroot,
    /// A subpackage requires the package at run time.
    Requires,
    /// An image contains the package.
    Contains,
    /// An image stands on another image. The package is the other image's name.
    LayeredOn,
    /// A compose ships the package or the image. Every new build of it is news, whatever it changes.
    Ships,
}

impl EdgeKind {
    /// Every kind there is.
    pub const ALL: [Self; 6] = [
        Self::BuildRequires,
        Self::Buildroot,
        Self::Requires,
        Self::Contains,
        Self::LayeredOn,
        Self::Ships,
    ];

    /// Its name in files, columns and sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BuildRequires => "build-requires",
            Self::Buildroot => "buildroot",
            Self::Requires => "requires",
            Self::Contains => "contains",
            Self::LayeredOn => "layered-on",
            Self::Ships => "ships",
        }
    }
}

impl fmt::Display for EdgeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What says that an edge exists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// The source at this commit asks for this capability. Provisional until a build reports its own.
    Spec {
        /// The commit that was parsed.
        commit: CommitId,
        /// What is asked for, as written.
        capability: String,
    },
    /// The package or the image is in what this build made.
    Contents {
        /// The build.
        build: BuildId,
    },
    /// The package was installed in the buildroot of this build.
    Buildroot {
        /// The build.
        build: BuildId,
    },
    /// A package of this build requires this capability.
    Requires {
        /// The build.
        build: BuildId,
        /// The requiring package.
        package: String,
        /// The requirement as rpm prints it.
        capability: String,
    },
}

/// Dependent needs dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Edge {
    /// Who needs.
    pub dependent: ArtifactKey,
    /// Who is needed.
    pub dependency: ArtifactKey,
    /// How.
    pub kind: EdgeKind,
    /// The binary package of the dependency that is needed, or the image's name.
    pub package: String,
    /// What says so.
    pub evidence: Evidence,
}

impl fmt::Display for Edge {
    /// `rpms/app#f44 build-requires zlib-devel of rpms/zlib#f44`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {} of {}", self.dependent, self.kind, self.package, self.dependency)
    }
}
