//! The numbers of the tags that are read, from rpm's `rpmtag.h`.

use crate::load::record::{PackageRecord, Relation};

/// A tag, with rpm's name for messages.
#[derive(Clone, Copy)]
pub(super) struct Tag {
    pub(super) number: u32,
    pub(super) name: &'static str,
}

const fn tag(number: u32, name: &'static str) -> Tag {
    Tag { number, name }
}

pub(super) const NAME: Tag = tag(1000, "NAME");
pub(super) const VERSION: Tag = tag(1001, "VERSION");
pub(super) const RELEASE: Tag = tag(1002, "RELEASE");
pub(super) const EPOCH: Tag = tag(1003, "EPOCH");
pub(super) const BUILD_TIME: Tag = tag(1006, "BUILDTIME");
pub(super) const VENDOR: Tag = tag(1011, "VENDOR");
pub(super) const ARCH: Tag = tag(1022, "ARCH");
pub(super) const OLD_FILE_NAMES: Tag = tag(1027, "OLDFILENAMES");
pub(super) const SOURCE_RPM: Tag = tag(1044, "SOURCERPM");
pub(super) const NO_SOURCE: Tag = tag(1051, "NOSOURCE");
pub(super) const NO_PATCH: Tag = tag(1052, "NOPATCH");
pub(super) const SOURCE_PACKAGE: Tag = tag(1106, "SOURCEPACKAGE");
pub(super) const FOLDER_INDEXES: Tag = tag(1116, "DIRINDEXES");
pub(super) const BASE_NAMES: Tag = tag(1117, "BASENAMES");
pub(super) const FOLDER_NAMES: Tag = tag(1118, "DIRNAMES");
pub(super) const MODULARITY_LABEL: Tag = tag(5096, "MODULARITYLABEL");

/// The three lists that make the relations of one kind.
pub(super) struct RelationTags {
    pub(super) names: Tag,
    pub(super) flags: Tag,
    pub(super) versions: Tag,
}

const fn relation(names: Tag, flags: u32, versions: u32) -> RelationTags {
    RelationTags { names, flags: tag(flags, "its flags"), versions: tag(versions, "its versions") }
}

pub(super) const RELATIONS: [RelationTags; 8] = [
    relation(tag(1047, "PROVIDENAME"), 1112, 1113),
    relation(tag(1049, "REQUIRENAME"), 1048, 1050),
    relation(tag(1054, "CONFLICTNAME"), 1053, 1055),
    relation(tag(1090, "OBSOLETENAME"), 1114, 1115),
    relation(tag(5046, "RECOMMENDNAME"), 5048, 5047),
    relation(tag(5049, "SUGGESTNAME"), 5051, 5050),
    relation(tag(5052, "SUPPLEMENTNAME"), 5054, 5053),
    relation(tag(5055, "ENHANCENAME"), 5057, 5056),
];

/// Where the relations go, in the order of [`RELATIONS`].
pub(super) fn lists(package: &mut PackageRecord) -> [&mut Vec<Relation>; 8] {
    [
        &mut package.provides,
        &mut package.requires,
        &mut package.conflicts,
        &mut package.obsoletes,
        &mut package.recommends,
        &mut package.suggests,
        &mut package.supplements,
        &mut package.enhances,
    ]
}
