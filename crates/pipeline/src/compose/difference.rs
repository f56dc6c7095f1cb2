//! What changed from one compose to another: packages and images by variant, and their sizes.
//!
//! Versions are compared within a lineage only: a package's by name and architecture, an image's by name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use model::build::InstalledPackage;
use model::compose::{ArchName, ComposeId, ComposeOutput, ComposedArch, DeliverableKey, VariantId};
use model::digest::Digest;
use model::version::Evr;
use serde::Serialize;

/// What changed from one compose to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Difference {
    /// The compose that is compared with.
    pub from: ComposeId,
    /// The compose that is looked at.
    pub to: ComposeId,
    /// Its variants, and those that are gone, each on each of its architectures.
    pub variants: Vec<VariantDifference>,
}

/// What changed in a variant on an architecture.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct VariantDifference {
    /// The variant.
    pub variant: VariantId,
    /// The architecture.
    pub arch: ArchName,
    /// Whether both composes have it.
    pub presence: Presence,
    /// Its packages, by name.
    pub packages: Vec<Changed>,
    /// Its images, by name.
    pub images: Vec<Changed>,
    /// The bytes of its packages and images before.
    pub size_before: u64,
    /// The bytes of its packages and images now.
    pub size_now: u64,
}

/// Which of two composes has a variant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Presence {
    /// Both.
    Kept,
    /// Only the later one.
    Added,
    /// Only the earlier one.
    Removed,
}

/// A package or an image that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// A package's architecture.
    pub arch: Option<String>,
    /// What happened to it.
    #[serde(flatten)]
    pub change: Change,
    /// How many bytes it grew; less than none if it shrank.
    pub growth: i64,
}

/// What happened to a package or an image.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// It was not there.
    Added {
        /// Its version.
        to: Evr,
    },
    /// It is gone.
    Removed {
        /// Its version.
        from: Evr,
    },
    /// Its version is higher.
    Upgraded {
        /// The version before.
        from: Evr,
        /// The version now.
        to: Evr,
    },
    /// Its version is lower.
    Downgraded {
        /// The version before.
        from: Evr,
        /// The version now.
        to: Evr,
    },
    /// Its version is the same and its content is not.
    Replaced {
        /// The version.
        at: Evr,
    },
}

impl Change {
    fn verb(&self) -> &'static str {
        match self {
            Self::Added { .. } => "added",
            Self::Removed { .. } => "removed",
            Self::Upgraded { .. } => "upgraded",
            Self::Downgraded { .. } => "downgraded",
            Self::Replaced { .. } => "replaced",
        }
    }
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if let Some(arch) = &self.arch {
            write!(f, ".{arch}")?;
        }
        write!(f, " was {}", self.change.verb())?;
        match &self.change {
            Change::Added { to: at } | Change::Removed { from: at } | Change::Replaced { at } => {
                write!(f, " at {at}")
            }
            Change::Upgraded { from, to } | Change::Downgraded { from, to } => {
                write!(f, " from {from} to {to}")
            }
        }
    }
}

/// Compares two composes.
pub fn difference(from: &ComposeOutput, to: &ComposeOutput) -> Difference {
    let places: BTreeSet<_> = places(from).chain(places(to)).collect();
    let variants = places.into_iter().map(|(variant, arch)| compare(from, to, variant, arch));
    Difference { from: from.id.clone(), to: to.id.clone(), variants: variants.collect() }
}

fn places(output: &ComposeOutput) -> impl Iterator<Item = (&VariantId, &ArchName)> {
    output
        .variants
        .iter()
        .flat_map(|(id, variant)| variant.arches.keys().map(move |arch| (id, arch)))
}

fn compare(
    from: &ComposeOutput,
    to: &ComposeOutput,
    variant: &VariantId,
    arch: &ArchName,
) -> VariantDifference {
    let before = contents(from, variant, arch);
    let now = contents(to, variant, arch);
    let presence = match (&before, &now) {
        (None, _) => Presence::Added,
        (_, None) => Presence::Removed,
        _ => Presence::Kept,
    };
    let (before, now) = (before.unwrap_or_default(), now.unwrap_or_default());
    VariantDifference {
        variant: variant.clone(),
        arch: arch.clone(),
        presence,
        packages: before.packages.changes(&now.packages),
        images: before.images.changes(&now.images),
        size_before: before.packages.size() + before.images.size(),
        size_now: now.packages.size() + now.images.size(),
    }
}

#[derive(Default)]
struct Contents {
    packages: Lineages,
    images: Lineages,
}

fn contents(output: &ComposeOutput, variant: &VariantId, arch: &ArchName) -> Option<Contents> {
    let contents = output.variants.get(variant)?.arches.get(arch)?;
    let size = |name: &str| {
        let name = name.parse().ok()?;
        let (variant, arch) = (variant.clone(), arch.clone());
        Some(output.deliverable(&DeliverableKey::Image { variant, arch, name })?.size)
    };
    let size = |name: &str| size(name).unwrap_or(0);
    Some(Contents { packages: packages(contents), images: images(contents, size) })
}

/// What became of the packages of an image, from one build of it to another. Sizes are not told: an image says only how
/// large its layers are.
pub fn changed_contents(before: &[InstalledPackage], now: &[InstalledPackage]) -> Vec<Changed> {
    let lineages = |packages: &[InstalledPackage]| {
        let mut lineages = Lineages::default();
        for InstalledPackage { nevra, digest, .. } in packages {
            let member = Member { evr: nevra.evr.clone(), digest: *digest, size: 0 };
            lineages.add((nevra.name.clone(), Some(nevra.arch.clone())), member);
        }
        lineages
    };
    lineages(before).changes(&lineages(now))
}

/// What became of the packages of a variant.
pub(super) fn changed_packages(from: &ComposedArch, to: &ComposedArch) -> Vec<Changed> {
    packages(from).changes(&packages(to))
}

/// What became of the images of a variant, apart from their sizes.
pub(super) fn changed_images(from: &ComposedArch, to: &ComposedArch) -> Vec<Changed> {
    images(from, |_| 0).changes(&images(to, |_| 0))
}

fn packages(contents: &ComposedArch) -> Lineages {
    let mut lineages = Lineages::default();
    for package in &contents.packages {
        let nevra = &package.nevra;
        let lineage = (nevra.name.clone(), Some(nevra.arch.clone()));
        lineages.add(
            lineage,
            Member { evr: nevra.evr.clone(), digest: package.digest, size: package.size },
        );
    }
    lineages
}

fn images(contents: &ComposedArch, size: impl Fn(&str) -> u64) -> Lineages {
    let mut lineages = Lineages::default();
    for image in &contents.images {
        let size = size(image.name.as_str());
        let member = Member { evr: image.nvr.evr.clone(), digest: image.digest, size };
        lineages.add((image.name.to_string(), None), member);
    }
    lineages
}

/// What there is of each lineage. Where there are several versions, the highest counts.
#[derive(Default)]
struct Lineages(BTreeMap<(String, Option<String>), Member>);

struct Member {
    evr: Evr,
    digest: Digest,
    size: u64,
}

impl Lineages {
    fn add(&mut self, lineage: (String, Option<String>), member: Member) {
        match self.0.get(&lineage) {
            Some(other) if other.evr >= member.evr => {}
            _ => drop(self.0.insert(lineage, member)),
        }
    }

    fn size(&self) -> u64 {
        self.0.values().map(|member| member.size).sum()
    }

    fn changes(&self, now: &Self) -> Vec<Changed> {
        let lineages: BTreeSet<_> = self.0.keys().chain(now.0.keys()).collect();
        let change = |lineage: &(String, Option<String>)| {
            let (before, now) = (self.0.get(lineage), now.0.get(lineage));
            let size = |member: Option<&Member>| member.map_or(0, |member| member.size);
            let growth = i64::try_from(i128::from(size(now)) - i128::from(size(before)));
            let (name, arch) = lineage.clone();
            Some(Changed { name, arch, change: change(before, now)?, growth: growth.unwrap_or(0) })
        };
        lineages.into_iter().filter_map(change).collect()
    }
}

fn change(before: Option<&Member>, now: Option<&Member>) -> Option<Change> {
    match (before, now) {
        (None, None) => None,
        (None, Some(now)) => Some(Change::Added { to: now.evr.clone() }),
        (Some(before), None) => Some(Change::Removed { from: before.evr.clone() }),
        (Some(before), Some(now)) => {
            let (from, to) = (before.evr.clone(), now.evr.clone());
            match from.cmp(&to) {
                std::cmp::Ordering::Less => Some(Change::Upgraded { from, to }),
                std::cmp::Ordering::Greater => Some(Change::Downgraded { from, to }),
                std::cmp::Ordering::Equal if before.digest == now.digest => None,
                std::cmp::Ordering::Equal => Some(Change::Replaced { at: to }),
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "from {} to {}", self.from, self.to)?;
        self.variants.iter().try_for_each(|variant| write!(f, "\n{variant}"))
    }
}

impl fmt::Display for VariantDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variant, arch, presence, packages, images, size_before, size_now } = self;
        write!(f, "{variant} {arch}: ")?;
        match presence {
            Presence::Added => write!(f, "added, {}", bytes(*size_now))?,
            Presence::Removed => write!(f, "removed, {}", bytes(*size_before))?,
            Presence::Kept if packages.is_empty() && images.is_empty() => {
                write!(f, "nothing changed, {}", bytes(*size_now))?;
            }
            Presence::Kept => {
                write!(f, "{} before, {} now", bytes(*size_before), bytes(*size_now))?;
            }
        }
        let lines = packages.iter().map(|line| ("package", line));
        for (what, changed) in lines.chain(images.iter().map(|line| ("image", line))) {
            let sign = if changed.growth < 0 { '-' } else { '+' };
            write!(f, "\n  {what} {changed} ({sign}{})", bytes(changed.growth.unsigned_abs()))?;
        }
        Ok(())
    }
}

/// `17 bytes`, `1.5 KiB`, `230.0 MiB`.
/// A size as people say it: `3.4 MiB`.
pub fn bytes(size: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if size < 1024 {
        return format!("{size} bytes");
    }
    // Whole tenths, so that no rounding depends on the machine.
    let mut tenths = size.saturating_mul(10) / 1024;
    let mut unit = 0;
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compose::fixture::compose;

    fn check(from: &str, to: &str, expected: &str) {
        let difference =
            difference(&compose("A-1-20260101.n.0", from), &compose("A-1-20260101.n.1", to));
        let text = difference.to_string();
        let (head, told) = text.split_once('\n').unwrap();
        assert_eq!(head, "from A-1-20260101.n.0 to A-1-20260101.n.1");
        assert_eq!(told, expected);
    }

    #[test]
    fn nothing_changed() {
        let text = "Server: a-1-1.noarch *base-1-1";
        check(text, text, "Server x86_64: nothing changed, 1000 bytes");
    }

    #[test]
    fn packages_and_images_are_compared_by_variant() {
        check(
            "Server: a-1-9.noarch b-2-1.noarch c-1-1.noarch *base-1-1\nPhone: a-1-1.noarch",
            "Server: a-1-10.noarch b-1:1-1.noarch d-1-1.noarch *base-1-1.1\nDesk: a-1-1.noarch",
            "Desk x86_64: added, 1000 bytes\n  package a.noarch was added at 1-1 (+1000 bytes)\n\
             Phone x86_64: removed, 1000 bytes\n  package a.noarch was removed at 1-1 (-1000 bytes)\n\
             Server x86_64: 2.9 KiB before, 2.9 KiB now\n\
             \u{20}\u{20}package a.noarch was upgraded from 1-9 to 1-10 (+0 bytes)\n\
             \u{20}\u{20}package b.noarch was upgraded from 2-1 to 1:1-1 (+0 bytes)\n\
             \u{20}\u{20}package c.noarch was removed at 1-1 (-1000 bytes)\n\
             \u{20}\u{20}package d.noarch was added at 1-1 (+1000 bytes)\n\
             \u{20}\u{20}image base was upgraded from 1-1 to 1-1.1 (+0 bytes)",
        );
    }

    #[test]
    fn another_architecture_is_another_lineage() {
        check(
            "Server: a-2-1.noarch b-2-1.x86_64 c-1-1.noarch",
            "Server: a-1-1.x86_64 b-1-1.x86_64 c-1-1.noarch=other",
            "Server x86_64: 2.9 KiB before, 2.9 KiB now\n\
             \u{20}\u{20}package a.noarch was removed at 2-1 (-1000 bytes)\n\
             \u{20}\u{20}package a.x86_64 was added at 1-1 (+1000 bytes)\n\
             \u{20}\u{20}package b.x86_64 was downgraded from 2-1 to 1-1 (+0 bytes)\n\
             \u{20}\u{20}package c.noarch was replaced at 1-1 (+0 bytes)",
        );
    }

    #[test]
    fn it_serialises_with_everything_in_it() {
        let (from, to) = (
            compose("A-1-20260101.n.0", "S: a-1-1.noarch"),
            compose("A-1-20260101.n.1", "S: a-2-1.noarch"),
        );
        let json = serde_json::to_value(difference(&from, &to)).unwrap();
        assert_eq!(
            json["variants"][0]["packages"][0],
            serde_json::json!({"name": "a", "arch": "noarch", "change": "upgraded", "from": "1-1", "to": "2-1", "growth": 0})
        );
        assert_eq!(json["variants"][0]["size_now"], 1000);
    }

    #[test]
    fn sizes_read_well() {
        for (size, text) in [
            (0, "0 bytes"),
            (1023, "1023 bytes"),
            (1536, "1.5 KiB"),
            (1 << 20, "1.0 MiB"),
            (u64::MAX, "1677721.5 TiB"),
        ] {
            assert_eq!(bytes(size), text);
        }
    }
}
