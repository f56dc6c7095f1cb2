//! `KIND/NAME/BRANCH` in a path. A slash in a branch is written `%2F`.

use model::artifact::{ArtifactKind, ArtifactName};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::admin::{ArtifactKey, BranchName};

/// An artifact by its address.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct Address {
    /// Its kind.
    kind: ArtifactKind,
    /// Its name.
    name: ArtifactName,
    /// Its branch; a slash in it is written `%2F`.
    branch: BranchName,
}

impl From<Address> for ArtifactKey {
    fn from(Address { kind, name, branch }: Address) -> Self {
        Self { kind, name, branch }
    }
}

/// An artifact of a kind that the path itself tells.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub(crate) struct NameAndBranch {
    /// Its name.
    name: ArtifactName,
    /// Its branch; a slash in it is written `%2F`.
    branch: BranchName,
}

impl NameAndBranch {
    /// The artifact of this kind.
    pub(crate) fn of(self, kind: ArtifactKind) -> ArtifactKey {
        ArtifactKey { kind, name: self.name, branch: self.branch }
    }
}
