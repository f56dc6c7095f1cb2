//! What a variant asks for: the packages its definition and its groups name, each with the reason, and its images.
//!
//! What these packages require in turn is the resolver's to say. A conditional member may come in through that, so the
//! question is asked again with what the resolver answered, until it asks for nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::artifact::ArtifactName;
use model::compose::{
    ArchName, ComposeDefinition, Comps, Group, GroupId, Member, MemberKind, PackageName, Variant,
    VariantId,
};

use super::comps;

/// What there is to choose from on an architecture, by name.
#[derive(Clone, Debug, Default)]
pub struct Available<'a> {
    /// Packages that were built.
    pub packages: BTreeSet<&'a str>,
    /// Images that were built.
    pub images: BTreeSet<&'a str>,
}

/// What a variant asks for on an architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The packages, each with the first reason found.
    pub packages: BTreeMap<PackageName, Cause>,
    /// The images.
    pub images: BTreeSet<ArtifactName>,
    /// What is asked for and not there.
    pub missing: Vec<Missing>,
}

/// Why a package is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The variant names it.
    Named(VariantId),
    /// It is a member of a group.
    Member {
        /// The group.
        group: GroupId,
        /// When it is installed with the group.
        kind: MemberKind,
    },
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(variant) => write!(f, "the variant {variant} names it"),
            Self::Member { group, kind: MemberKind::Conditional { requires } } => {
                write!(f, "the group {group} has it for {requires}")
            }
            Self::Member { group, kind } => {
                write!(f, "it is {} in the group {group}", kind.as_str())
            }
        }
    }
}

/// Something that is asked for and not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A package that no build makes on this architecture.
    Package {
        /// The package.
        name: PackageName,
        /// Why it is asked for.
        cause: Cause,
    },
    /// An image that was not built.
    Image {
        /// The image.
        name: ArtifactName,
        /// The variant that names it.
        variant: VariantId,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Package { name, cause } => {
                write!(f, "no build makes the package {name}; {cause}")
            }
            Self::Image { name, variant } => {
                write!(f, "there is no build of the image {name}; the variant {variant} names it")
            }
        }
    }
}

/// What a variant asks for on an architecture.
///
/// `present` are the names of the packages that are in the variant already, through what others require; conditional
/// members look at them as well. A variant that is not defined asks for nothing.
pub fn ask(
    definition: &ComposeDefinition,
    variant: &VariantId,
    arch: &ArchName,
    available: &Available<'_>,
    present: &BTreeSet<&str>,
) -> Asked {
    let mut asked = Asked::default();
    let Some(wanted) = definition.variants.get(variant) else { return asked };
    let groups = comps::narrow(definition, variant, arch);
    let mut wishes = wishes(variant, wanted, &groups);
    wishes.extend(conditional(&wishes, &groups, present));
    for (name, cause) in wishes {
        if available.packages.contains(name.as_str()) {
            asked.packages.insert(name, cause);
        } else {
            asked.missing.push(Missing::Package { name, cause });
        }
    }
    for name in &wanted.images {
        if available.images.contains(name.as_str()) {
            asked.images.insert(name.clone());
        } else {
            let (name, variant) = (name.clone(), variant.clone());
            asked.missing.push(Missing::Image { name, variant });
        }
    }
    asked
}

/// What is asked for whatever else is there.
fn wishes(variant: &VariantId, wanted: &Variant, comps: &Comps) -> BTreeMap<PackageName, Cause> {
    let named = wanted.packages.iter().map(|name| (name.clone(), Cause::Named(variant.clone())));
    let mut wishes: BTreeMap<_, _> = named.collect();
    for group in &comps.groups {
        let always =
            |kind: &MemberKind| matches!(kind, MemberKind::Mandatory | MemberKind::Default);
        for member in group.members.iter().filter(|member| always(&member.kind)) {
            let cause = || Cause::Member { group: group.id.clone(), kind: member.kind.clone() };
            wishes.entry(member.name.clone()).or_insert_with(cause);
        }
    }
    wishes
}

/// Conditional members whose condition holds; one may make another's hold.
fn conditional(
    wishes: &BTreeMap<PackageName, Cause>,
    comps: &Comps,
    present: &BTreeSet<&str>,
) -> BTreeMap<PackageName, Cause> {
    let mut waiting: BTreeMap<&str, Vec<(&Group, &Member)>> = BTreeMap::new();
    for group in &comps.groups {
        for member in &group.members {
            if let MemberKind::Conditional { requires } = &member.kind {
                waiting.entry(requires.as_str()).or_default().push((group, member));
            }
        }
    }
    let mut more = BTreeMap::new();
    let mut arrived: Vec<&str> = wishes.keys().map(PackageName::as_str).collect();
    arrived.extend(present.iter().copied());
    while let Some(name) = arrived.pop() {
        for (group, member) in waiting.remove(name).unwrap_or_default() {
            if !wishes.contains_key(&member.name) {
                let cause = Cause::Member { group: group.id.clone(), kind: member.kind.clone() };
                more.entry(member.name.clone()).or_insert(cause);
                arrived.push(member.name.as_str());
            }
        }
    }
    more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::definition;

    const COMPS: &str = r#"<comps>
        <group><id>core</id><name>Core</name><packagelist>
            <packagereq type="mandatory">almanac</packagereq>
            <packagereq type="default">stars</packagereq>
            <packagereq type="default" arch="aarch64">moons</packagereq>
            <packagereq type="optional">comets</packagereq>
            <packagereq type="conditional" requires="tables">charts</packagereq>
            <packagereq type="conditional" requires="charts">globe</packagereq>
        </packagelist></group>
        <group><id>desk</id><name>Desk</name><packagelist>
            <packagereq type="mandatory">lamp</packagereq>
            <packagereq type="mandatory">ghost</packagereq></packagelist></group>
        <environment><id>harbour</id><name>Harbour</name>
            <grouplist><groupid>core</groupid></grouplist>
            <optionlist><groupid>desk</groupid></optionlist></environment>
    </comps>"#;

    fn check(wants: &str, present: &[&str], expected: &str) {
        let toml = format!(
            "[release]\nname = \"A\"\nshort = \"A\"\nversion = \"1\"\n\
             [variants.Server]\narches = [\"x86_64\"]\n{wants}\n"
        );
        let definition = definition::read(&toml, Some(COMPS)).unwrap();
        let packages = ["almanac", "stars", "moons", "comets", "charts", "globe", "lamp", "tables"];
        let images = ["almanac-server"];
        let available = Available { packages: packages.into(), images: images.into() };
        let present = present.iter().copied().collect();
        let (variant, arch) = ("Server".parse().unwrap(), "x86_64".parse().unwrap());
        let asked = ask(&definition, &variant, &arch, &available, &present);
        let packages = asked.packages.iter().map(|(name, cause)| format!("{name}: {cause}"));
        let images = asked.images.iter().map(|name| format!("image {name}"));
        let missing = asked.missing.iter().map(ToString::to_string);
        let told = packages.chain(images).chain(missing).collect::<Vec<_>>().join("\n");
        assert_eq!(told, expected);
    }

    #[test]
    fn groups_bring_their_mandatory_and_default_members() {
        check(
            "groups = [\"core\"]\npackages = [\"stars\"]",
            &[],
            "almanac: it is mandatory in the group core\nstars: the variant Server names it",
        );
    }

    #[test]
    fn conditional_members_come_with_what_they_are_for() {
        check(
            "groups = [\"core\"]\npackages = [\"tables\"]",
            &[],
            "almanac: it is mandatory in the group core\ncharts: the group core has it for tables\n\
             globe: the group core has it for charts\nstars: it is default in the group core\n\
             tables: the variant Server names it",
        );
        check(
            "environments = [\"harbour\"]",
            &["tables"],
            "almanac: it is mandatory in the group core\ncharts: the group core has it for tables\n\
             globe: the group core has it for charts\nstars: it is default in the group core",
        );
    }

    #[test]
    fn what_is_not_there_is_told_with_its_reason() {
        check(
            "groups = [\"desk\"]\npackages = [\"nosuch\"]\nimages = [\"almanac-server\", \"almanac-phone\"]",
            &[],
            "lamp: it is mandatory in the group desk\nimage almanac-server\n\
             no build makes the package ghost; it is mandatory in the group desk\n\
             no build makes the package nosuch; the variant Server names it\n\
             there is no build of the image almanac-phone; the variant Server names it",
        );
    }

    #[test]
    fn a_variant_that_names_nothing_has_every_group() {
        check(
            "",
            &[],
            "almanac: it is mandatory in the group core\nlamp: it is mandatory in the group desk\n\
             stars: it is default in the group core\n\
             no build makes the package ghost; it is mandatory in the group desk",
        );
    }
}
