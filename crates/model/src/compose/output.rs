//! What a compose is made of: its contents by variant and architecture, and the deliverables made of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ArchName, ComposeId, Release, VariantId, kinds};
use crate::artifact::{ArtifactName, InvalidName};
use crate::clock::Timestamp;
use crate::digest::Digest;
use crate::id::BuildId;
use crate::version::{Nevra, Nvr};

/// A compose, whole: enough to write its metadata, to compare it with another one, and to say what it reuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ComposeOutput {
    /// Its identity.
    pub id: ComposeId,
    /// Which release it is a compose of.
    pub release: Release,
    /// When it was made.
    pub created: Timestamp,
    /// What is in its variants.
    pub variants: BTreeMap<VariantId, ComposedVariant>,
    /// What was made of that, sorted by key.
    pub deliverables: Vec<Deliverable>,
}

impl ComposeOutput {
    /// The deliverable of a key, if the compose has it.
    pub fn deliverable(&self, key: &DeliverableKey) -> Option<&Deliverable> {
        self.deliverables.iter().find(|deliverable| deliverable.key == *key)
    }
}

/// What is in a variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ComposedVariant {
    /// What people call it.
    pub name: String,
    /// What is in it on each of its architectures.
    pub arches: BTreeMap<ArchName, ComposedArch>,
}

/// What is in a variant on one architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ComposedArch {
    /// Its packages, sorted by NEVRA.
    pub packages: Vec<ComposedPackage>,
    /// Its images, sorted by name.
    pub images: Vec<ComposedImage>,
}

/// A package in a compose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ComposedPackage {
    /// Its identity.
    pub nevra: Nevra,
    /// The source package it was built from.
    pub source: Nevra,
    /// The build it comes from.
    pub build: BuildId,
    /// The file's name, without folder.
    pub file: String,
    /// The digest of the file.
    pub digest: Digest,
    /// The file's size in bytes.
    pub size: u64,
}

/// An image in a compose.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ComposedImage {
    /// The name of its artifact.
    pub name: ArtifactName,
    /// The NVR of its build.
    pub nvr: Nvr,
    /// The build it comes from.
    pub build: BuildId,
    /// The digest of its manifest.
    pub digest: Digest,
}

/// Something a compose delivers: made anew, or taken over from an earlier compose that had the same inputs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Deliverable {
    /// Which one.
    pub key: DeliverableKey,
    /// Where it is, relative to the folder `compose/` of the compose, as in productmd's files.
    pub path: String,
    /// The digest of everything it is made of. Deliverables of one key and one input are the same.
    pub input: Digest,
    /// The sum of the sizes of its files in bytes; 0 before it is made.
    pub size: u64,
    /// The compose it was taken over from; none if it was made for this one.
    pub reused_from: Option<ComposeId>,
}

/// The identity of a deliverable within a compose, and from one compose to the next.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DeliverableKey {
    /// The groups of a variant.
    Comps {
        /// The variant.
        variant: VariantId,
        /// The architecture.
        arch: ArchName,
    },
    /// The repository of a variant, with its groups.
    Repository {
        /// The variant.
        variant: VariantId,
        /// The architecture.
        arch: ArchName,
    },
    /// The source packages of a variant, for all its architectures.
    Source {
        /// The variant.
        variant: VariantId,
    },
    /// An image as one file.
    Image {
        /// The variant.
        variant: VariantId,
        /// The architecture.
        arch: ArchName,
        /// The artifact.
        name: ArtifactName,
    },
    /// productmd's description of the compose.
    Metadata,
}

kinds! {
    /// What a deliverable is.
    DeliverableKind, "kind of deliverable", "comps, repository, source, image or metadata",
    /// The groups of a variant.
    Comps = "comps",
    /// The repository of a variant.
    Repository = "repository",
    /// The source packages of a variant.
    Source = "source",
    /// An image as one file.
    Image = "image",
    /// productmd's description of the compose.
    Metadata = "metadata",
}

impl DeliverableKey {
    /// What it is.
    pub fn kind(&self) -> DeliverableKind {
        match self {
            Self::Comps { .. } => DeliverableKind::Comps,
            Self::Repository { .. } => DeliverableKind::Repository,
            Self::Source { .. } => DeliverableKind::Source,
            Self::Image { .. } => DeliverableKind::Image,
            Self::Metadata => DeliverableKind::Metadata,
        }
    }

    /// The variant it belongs to; the metadata belongs to all of them.
    pub fn variant(&self) -> Option<&VariantId> {
        match self {
            Self::Comps { variant, .. }
            | Self::Repository { variant, .. }
            | Self::Source { variant }
            | Self::Image { variant, .. } => Some(variant),
            Self::Metadata => None,
        }
    }

    /// The architecture it is for; sources and metadata are for all of them.
    pub fn arch(&self) -> Option<&ArchName> {
        match self {
            Self::Comps { arch, .. } | Self::Repository { arch, .. } | Self::Image { arch, .. } => {
                Some(arch)
            }
            Self::Source { .. } | Self::Metadata => None,
        }
    }

    /// Where it belongs, relative to the folder `compose/` of a compose.
    pub fn path(&self) -> String {
        match self {
            Self::Comps { variant, arch } => format!("{variant}/{arch}/comps.xml"),
            Self::Repository { variant, arch } => format!("{variant}/{arch}/os"),
            Self::Source { variant } => format!("{variant}/source/tree"),
            Self::Image { variant, arch, name } => {
                format!("{variant}/{arch}/images/{name}.oci.tar.gz")
            }
            Self::Metadata => "metadata".to_owned(),
        }
    }
}

impl fmt::Display for DeliverableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comps { variant, arch } => write!(f, "the groups of {variant} for {arch}"),
            Self::Repository { variant, arch } => {
                write!(f, "the repository of {variant} for {arch}")
            }
            Self::Source { variant } => write!(f, "the sources of {variant}"),
            Self::Image { variant, arch, name } => {
                write!(f, "the image {name} of {variant} for {arch}")
            }
            Self::Metadata => f.write_str("the metadata"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, sentence: &str, path: &str) {
        let key: DeliverableKey = serde_json::from_str(json).unwrap();
        assert_eq!((key.to_string().as_str(), key.path().as_str()), (sentence, path));
        assert_eq!(serde_json::to_string(&key).unwrap(), json);
        assert!(json.contains(&format!("\"kind\":\"{}\"", key.kind())), "{json}");
    }

    #[test]
    fn deliverables_have_names_and_places() {
        check(
            r#"{"kind":"repository","variant":"Server","arch":"x86_64"}"#,
            "the repository of Server for x86_64",
            "Server/x86_64/os",
        );
        check(
            r#"{"kind":"image","variant":"Server","arch":"x86_64","name":"almanac-base"}"#,
            "the image almanac-base of Server for x86_64",
            "Server/x86_64/images/almanac-base.oci.tar.gz",
        );
        check(
            r#"{"kind":"source","variant":"Server"}"#,
            "the sources of Server",
            "Server/source/tree",
        );
        check(
            r#"{"kind":"comps","variant":"Server","arch":"x86_64"}"#,
            "the groups of Server for x86_64",
            "Server/x86_64/comps.xml",
        );
        check(r#"{"kind":"metadata"}"#, "the metadata", "metadata");
    }
}
