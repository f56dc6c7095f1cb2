//! Which images and composes contain a package in some versions: `NAME < EVR`.
//!
//! An EVR says something only within one lineage: on another branch the same fix has another version. So the question
//! is asked for a branch, and what belongs to other branches is left out. That something does not contain a package is
//! one answer; that nobody knows what it contains, or that no build makes a package of this name, are others.

use std::collections::BTreeSet;

use model::artifact::BranchName;
use model::requirement::{Capability, Comparison};
use model::version::Nevra;
use serde::Serialize;

/// Something that contains packages: a build of an image, a compose. `T` is how it is called.
#[derive(Clone, Debug)]
pub struct Holder<'a, T> {
    /// What it is.
    pub name: T,
    /// Its branch.
    pub branch: &'a BranchName,
    /// What is in it; none if that was never recorded.
    pub packages: Option<&'a [Nevra]>,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer<T> {
    /// Whether a build makes a package of this name at all.
    pub known: bool,
    /// Every holder of the branch, with what it has.
    pub holders: Vec<(T, Holding)>,
}

/// What a holder has of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "holding", content = "packages", rename_all = "kebab-case")]
pub enum Holding {
    /// The package in a version that was asked for.
    Contained(Vec<Nevra>),
    /// The package in other versions only.
    OtherVersion(Vec<Nevra>),
    /// Nothing of that name.
    Absent,
    /// Nobody recorded what is in it.
    Unknown,
}

/// Looks for a package, in a range of versions if there is one, among the holders of a branch.
///
/// `built` are the names of the packages that builds of the branch make.
pub fn contains<T: Clone>(
    wanted: &Capability,
    branch: &BranchName,
    built: &BTreeSet<&str>,
    holders: &[Holder<'_, T>],
) -> Answer<T> {
    let own = holders.iter().filter(|holder| holder.branch == branch);
    let holders = own.map(|holder| (holder.name.clone(), holding(wanted, holder.packages)));
    Answer { known: built.contains(wanted.name.as_str()), holders: holders.collect() }
}

fn holding(wanted: &Capability, packages: Option<&[Nevra]>) -> Holding {
    let Some(packages) = packages else { return Holding::Unknown };
    let named = packages.iter().filter(|nevra| nevra.name == wanted.name);
    let is_wanted = |nevra: &Nevra| {
        let range = Some((Comparison::Equal, nevra.evr.clone()));
        wanted.is_satisfied_by(&Capability { name: nevra.name.clone(), range })
    };
    let (inside, outside): (Vec<Nevra>, Vec<Nevra>) = named.cloned().partition(is_wanted);
    match (inside.is_empty(), outside.is_empty()) {
        (false, _) => Holding::Contained(inside),
        (true, false) => Holding::OtherVersion(outside),
        (true, true) => Holding::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, expected: &str) {
        let (f44, f43): (BranchName, BranchName) = ("f44".parse().unwrap(), "f43".parse().unwrap());
        let packages = |text: &str| -> Vec<Nevra> {
            text.split_whitespace().map(|nevra| nevra.parse().unwrap()).collect()
        };
        let old = packages("almanac-1-1.f44.x86_64 stars-2-1.f44.noarch");
        let new = packages("almanac-1-2.f44.x86_64 almanac-1:1-1.f44.noarch");
        let other = packages("almanac-1-1.f43.x86_64");
        let holders = [
            Holder { name: "old", branch: &f44, packages: Some(&old) },
            Holder { name: "new", branch: &f44, packages: Some(&new) },
            Holder { name: "forgotten", branch: &f44, packages: None },
            Holder { name: "other branch", branch: &f43, packages: Some(&other) },
        ];
        let built = BTreeSet::from(["almanac", "stars", "moons"]);
        let answer = contains(&wanted.parse().unwrap(), &f44, &built, &holders);
        let told = answer.holders.iter().map(|(name, holding)| match holding {
            Holding::Contained(packages) => format!("{name} has {packages:?}"),
            Holding::OtherVersion(packages) => format!("{name} has only {packages:?}"),
            Holding::Absent => format!("{name} has none"),
            Holding::Unknown => format!("{name}?"),
        });
        let told: Vec<_> =
            std::iter::once(format!("known: {}", answer.known)).chain(told).collect();
        let debug = |nevra: &str| format!("{:?}", nevra.parse::<Nevra>().unwrap());
        let mut expected = expected.to_owned();
        for nevra in old.iter().chain(&new).map(ToString::to_string) {
            expected = expected.replace(&format!("<{nevra}>"), &debug(&nevra));
        }
        assert_eq!(told.join("; "), expected);
    }

    #[test]
    fn versions_are_compared_within_the_branch() {
        check(
            "almanac < 1-2.f44",
            "known: true; old has [<almanac-1-1.f44.x86_64>]; \
             new has only [<almanac-1-2.f44.x86_64>, <almanac-1:1-1.f44.noarch>]; forgotten?",
        );
        check(
            "almanac > 1:0",
            "known: true; old has only [<almanac-1-1.f44.x86_64>]; new has [<almanac-1:1-1.f44.noarch>]; forgotten?",
        );
        check(
            "almanac < 1",
            "known: true; old has only [<almanac-1-1.f44.x86_64>]; new has only [<almanac-1-2.f44.x86_64>, <almanac-1:1-1.f44.noarch>]; forgotten?",
        );
    }

    #[test]
    fn absent_and_unknown_are_told_apart() {
        check("stars", "known: true; old has [<stars-2-1.f44.noarch>]; new has none; forgotten?");
        check("moons", "known: true; old has none; new has none; forgotten?");
        check("unheard-of", "known: false; old has none; new has none; forgotten?");
    }
}
