//! `comps.xml`: read with the line of whatever is wrong, narrowed to a variant, and written byte for byte the same.

mod narrow;
mod read;
mod write;
mod xml;

use std::collections::BTreeSet;
use std::fmt;

use model::compose::{Comps, GroupId, PackageName};

pub use narrow::narrow;
pub use read::{Reading, read};
pub use write::write;

/// The file that defines the groups of a compose.
pub const FILE: &str = "comps.xml";

/// A member of a group that no build makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMember {
    /// The group.
    pub group: GroupId,
    /// The package.
    pub package: PackageName,
}

impl fmt::Display for UnknownMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the group {} names {}, which no build makes", self.group, self.package)
    }
}

/// The members of groups that are not among the packages there are.
pub fn unknown_members(comps: &Comps, packages: &BTreeSet<&str>) -> Vec<UnknownMember> {
    let mut unknown = Vec::new();
    for group in &comps.groups {
        let missing =
            group.members.iter().filter(|member| !packages.contains(member.name.as_str()));
        unknown.extend(
            missing.map(|member| UnknownMember {
                group: group.id.clone(),
                package: member.name.clone(),
            }),
        );
    }
    unknown
}

#[cfg(test)]
mod tests;
