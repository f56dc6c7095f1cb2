//! Composes: what a release is made of, as its maintainers write it down, and what came of it.

mod comps;
mod id;
mod inputs;
mod output;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

pub use comps::{
    Category, Comps, Condition, Environment, Group, GroupRef, Langpack, Member, MemberKind, Text,
};
pub use id::{ComposeDate, ComposeId, ComposeKind};
pub use inputs::ComposeInputs;
pub use output::{
    ComposeOutput, ComposedArch, ComposedImage, ComposedPackage, ComposedVariant, Deliverable,
    DeliverableKey, DeliverableKind,
};

use crate::artifact::{ArtifactName, InvalidName, is_word, names};

names! {
    /// The short name of a release, the first part of its composes' ids: `Almanac`, `Harbour-Cloud`.
    ReleaseShort, "short name of a release", "letters and digits with single dashes between them, starting with a letter",
    |text| text.starts_with(|c: char| c.is_ascii_alphabetic()) && is_dashed(text);

    /// The version of a release, as productmd allows it: `44`, `9.1`, `Rawhide`.
    ReleaseVersion, "version of a release", "numbers joined by dots, or a word that starts with a letter and is no type of release",
    |text| is_release_version(text);

    /// The id of a variant: `Server`.
    VariantId, "variant id", "letters and digits",
    |text| (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric());

    /// An architecture that a tree is made for: `x86_64`.
    ArchName, "architecture", "letters, digits and _, and not noarch, src or nosrc",
    |text| is_word(text, b"") && !["noarch", "src", "nosrc"].contains(&text);

    /// The name of a binary package, without version: `gtk+-devel`.
    PackageName, "package name", "letters, digits and ._+-, starting with a letter, a digit or _",
    |text| is_word(text, b"._+-");

    /// The id of a group, a category or an environment in `comps.xml`.
    GroupId, "group id", "letters, digits and ._+-, starting with a letter, a digit or _",
    |text| is_word(text, b"._+-");
}

fn is_dashed(text: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    text.len() <= 64 && text.split('-').all(is_part)
}

/// A version that is called like a type of release would make the ids of composes ambiguous.
fn is_release_version(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let is_name = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && is_word(text, b".")
        && text.parse::<ReleaseKind>().is_err();
    text.len() <= 64 && (is_name || text.split('.').all(is_number))
}

/// What a commit of a compose says: `compose.toml`, and `comps.xml` if there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeDefinition {
    /// Which release it is a compose of.
    pub release: Release,
    /// Its parts, each with repositories and images of its own.
    pub variants: BTreeMap<VariantId, Variant>,
    /// Groups of packages that variants are made of and that users install by.
    pub comps: Comps,
}

/// `[release]` of `compose.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Release {
    /// What people call it: `The Harbour Almanac`.
    pub name: String,
    /// What the ids of its composes start with.
    pub short: ReleaseShort,
    /// Its version.
    pub version: ReleaseVersion,
    /// What kind of release it is.
    #[serde(rename = "type")]
    pub kind: ReleaseKind,
    /// Whether a person has to agree to its publication.
    pub sign_off: bool,
}

/// `[variants.ID]` of `compose.toml`.
///
/// One that names neither packages nor groups, environments or images has every group of `comps.xml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// What people call it.
    pub name: String,
    /// Packages that are in it whatever the groups say.
    pub packages: BTreeSet<PackageName>,
    /// Groups whose mandatory and default members are in it.
    pub groups: BTreeSet<GroupId>,
    /// Environments whose groups and default options are in it.
    pub environments: BTreeSet<GroupId>,
    /// Images that are in it, by the names of their artifacts.
    pub images: BTreeSet<ArtifactName>,
    /// The architectures it is made for; one at least.
    pub arches: BTreeSet<ArchName>,
    /// Whether the source packages are in it.
    pub sources: bool,
}

impl ComposeDefinition {
    /// The images that its variants name, each once.
    pub fn images(&self) -> BTreeSet<&ArtifactName> {
        self.variants.values().flat_map(|variant| &variant.images).collect()
    }
}

impl Variant {
    /// Whether it names nothing, and so has every group.
    pub fn is_everything(&self) -> bool {
        self.packages.is_empty()
            && self.groups.is_empty()
            && self.environments.is_empty()
            && self.images.is_empty()
    }
}

macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $($(#[$kind_doc:meta])* $kind:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$kind_doc])* $kind,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// Its text in files and ids.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$kind => $text,)*
                }
            }
        }

        impl std::str::FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == text).ok_or_else(|| {
                    InvalidName { what: $what, text: text.to_owned(), expected: $expected }
                })
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
use kinds;

kinds! {
    /// What kind of release it is; the kinds are productmd's.
    ReleaseKind, "type of release", "ga, updates, updates-testing, eus, aus, els, tus, e4s or fast",
    /// The release itself.
    Ga = "ga",
    /// Updates to it.
    Updates = "updates",
    /// Updates that are still being tested.
    UpdatesTesting = "updates-testing",
    /// Extended update support.
    Eus = "eus",
    /// Advanced update support.
    Aus = "aus",
    /// Extended life cycle support.
    Els = "els",
    /// Telecommunications update support.
    Tus = "tus",
    /// Update services for one vendor's applications.
    E4s = "e4s",
    /// A fast track.
    Fast = "fast",
}

impl ReleaseKind {
    /// What the kind adds to the ids of composes: `-updates`, or nothing.
    fn suffix(self) -> String {
        if self == Self::Ga { String::new() } else { format!("-{self}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: FromStr>(valid: &[&str], invalid: &[&str]) {
        for text in valid {
            assert!(text.parse::<T>().is_ok(), "{text} was refused");
        }
        for text in invalid {
            assert!(text.parse::<T>().is_err(), "{text} was accepted");
        }
    }

    #[test]
    fn names_follow_their_grammars() {
        check::<ReleaseShort>(&["Almanac", "Harbour-Cloud"], &["", "4ever", "a--b", "a-", "a b"]);
        check::<ReleaseVersion>(
            &["44", "9.1", "Rawhide"],
            &["", "44.", "4-4", "44a", "updates", "-1", "9/1"],
        );
        check::<VariantId>(&["Server", "0AD"], &["", "Server-optional", "Sérver", "a/b"]);
        check::<ArchName>(&["x86_64", "aarch64"], &["", "noarch", "src", "../x"]);
        check::<PackageName>(&["gtk+-devel", "0ad"], &["", "-a", "a b", "a>b", "a/b"]);
        check::<GroupId>(&["core", "lxqt", "3d-printing"], &["", "a b", "<x>", "^core"]);
        check::<ReleaseKind>(&["ga", "updates-testing"], &["", "GA", "beta"]);
    }

    #[test]
    fn kinds_are_stored_by_their_text() {
        for kind in ReleaseKind::ALL {
            assert_eq!(serde_json::to_string(kind).unwrap(), format!("\"{kind}\""));
        }
    }
}
