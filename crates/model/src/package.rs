//! Binary packages as facts: what a build put out.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::requirement::{Capability, Requirement};
use crate::version::Nevra;

/// A binary RPM: an output of a build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its identity.
    pub nevra: Nevra,
    /// The file's name, without folder.
    pub file: String,
    /// The digest of the whole file: what makes two snapshots the same.
    pub digest: Digest,
    /// The file's size in bytes.
    pub size: u64,
    /// What it provides, its own name and version included. File provides are not listed.
    pub provides: Vec<Capability>,
    /// What it requires at run time.
    pub requires: Vec<Requirement>,
}
