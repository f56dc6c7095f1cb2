//! `comps.xml` as values: groups of packages, categories and environments of groups, language packs.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ArchName, GroupId, PackageName, VariantId};

/// What a `comps.xml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comps {
    /// Groups of packages.
    pub groups: Vec<Group>,
    /// How groups are shown together.
    pub categories: Vec<Category>,
    /// Groups that make up an installation.
    pub environments: Vec<Environment>,
    /// Packages that come along for a language.
    pub langpacks: Vec<Langpack>,
}

impl Comps {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A text with its translations by language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    /// The text without a language.
    pub plain: String,
    /// The text by language: `cs`, `pt_BR`.
    pub translations: BTreeMap<String, String>,
}

/// Where something holds: pungi's `arch` and `variant` attributes. An empty set is no condition.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Condition {
    /// On these architectures only.
    pub arches: BTreeSet<ArchName>,
    /// In these variants only.
    pub variants: BTreeSet<VariantId>,
}

impl Condition {
    /// Whether it holds in a variant on an architecture.
    pub fn holds(&self, variant: &VariantId, arch: &ArchName) -> bool {
        let arch = self.arches.is_empty() || self.arches.contains(arch);
        arch && (self.variants.is_empty() || self.variants.contains(variant))
    }
}

/// Packages that are installed together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// What people call it.
    pub name: Text,
    /// What it is for.
    pub description: Text,
    /// Whether it is selected unless somebody says otherwise.
    pub default: bool,
    /// Whether installers show it.
    pub user_visible: bool,
    /// Whether it is only for systems that run programs of two architectures.
    pub biarch_only: bool,
    /// The language it supports, if it is for one.
    pub lang_only: Option<String>,
    /// Its place among the others.
    pub display_order: Option<u32>,
    /// Where it exists.
    pub only: Condition,
    /// Its packages.
    pub members: Vec<Member>,
}

/// A package in a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// When it is installed with the group.
    pub kind: MemberKind,
    /// The package.
    pub name: PackageName,
    /// Whether only the package of the system's own architecture is meant.
    pub base_arch_only: bool,
    /// Where it is a member.
    pub only: Condition,
}

/// When a member is installed together with its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberKind {
    /// Always.
    Mandatory,
    /// Unless somebody says otherwise.
    Default,
    /// If somebody asks for it.
    Optional,
    /// When another package is installed.
    Conditional {
        /// The other package.
        requires: PackageName,
    },
}

impl MemberKind {
    /// What `comps.xml` calls it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Mandatory => "mandatory",
            Self::Default => "default",
            Self::Optional => "optional",
            Self::Conditional { .. } => "conditional",
        }
    }
}

/// Groups that are shown together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Its id.
    pub id: GroupId,
    /// What people call it.
    pub name: Text,
    /// What it is for.
    pub description: Text,
    /// Its place among the others.
    pub display_order: Option<u32>,
    /// Where it exists.
    pub only: Condition,
    /// Its groups.
    pub groups: Vec<GroupRef>,
}

/// Groups that make up an installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Its id.
    pub id: GroupId,
    /// What people call it.
    pub name: Text,
    /// What it is for.
    pub description: Text,
    /// Its place among the others.
    pub display_order: Option<u32>,
    /// Where it exists.
    pub only: Condition,
    /// The groups that belong to it.
    pub groups: Vec<GroupRef>,
    /// The groups that may be added to it.
    pub options: Vec<GroupRef>,
}

/// A group that a category or an environment names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GroupRef {
    /// The group.
    pub id: GroupId,
    /// Whether it is selected unless somebody says otherwise; for options of environments only.
    pub default: bool,
    /// Where it is named.
    pub only: Condition,
}

/// Packages for a language that come along with a package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Langpack {
    /// The package.
    pub name: String,
    /// What is installed for the language `%s`: `hunspell-%s`.
    pub install: String,
}
