//! Sets of versions, and whether two of them meet, by rpm's `rpmverOverlap`.

use std::cmp::Ordering;

use rpm_version::Evr;

/// An epoch, version and release; an epoch or release may be left out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Version {
    pub(crate) epoch: String,
    pub(crate) version: String,
    pub(crate) release: String,
}

/// Versions as they stand to one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Range {
    pub(crate) less: bool,
    pub(crate) equal: bool,
    pub(crate) greater: bool,
    pub(crate) version: Version,
}

impl Version {
    /// `[epoch:]version[-release]`
    pub(crate) fn parse(text: &str) -> Self {
        let (epoch, rest) = text.split_once(':').unwrap_or(("", text));
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch: epoch.to_owned(), version: version.to_owned(), release: release.to_owned() }
    }
}

impl Range {
    /// The one version.
    pub(crate) fn exactly(version: Version) -> Self {
        Self { less: false, equal: true, greater: false, version }
    }

    /// With an operator of rpm or of `primary.xml`.
    pub(crate) fn new(operator: &str, version: Version) -> Option<Self> {
        let (less, equal, greater) = match operator {
            "<" | "LT" => (true, false, false),
            "<=" | "LE" => (true, true, false),
            "=" | "EQ" => (false, true, false),
            ">=" | "GE" => (false, true, true),
            ">" | "GT" => (false, false, true),
            _ => return None,
        };
        Some(Self { less, equal, greater, version })
    }

    /// Whether some version is in both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let (own, theirs) = (&self.version, &other.version);
        let epochs = compare(or_zero(&own.epoch), or_zero(&theirs.epoch));
        let mut order = epochs.then_with(|| compare(&own.version, &theirs.version));
        if order == Ordering::Equal {
            match (own.release.is_empty(), theirs.release.is_empty()) {
                (false, false) => order = compare(&own.release, &theirs.release),
                // A version without a release stands for all of them.
                (false, true) if other.equal => return true,
                (true, false) if self.equal => return true,
                _ => {}
            }
        }
        match order {
            Ordering::Less => self.greater || other.less,
            Ordering::Greater => self.less || other.greater,
            Ordering::Equal => {
                self.equal && other.equal
                    || self.less && other.less
                    || self.greater && other.greater
            }
        }
    }
}

fn or_zero(epoch: &str) -> &str {
    if epoch.is_empty() { "0" } else { epoch }
}

fn compare(left: &str, right: &str) -> Ordering {
    Evr::new("0", left, "").cmp(&Evr::new("0", right, ""))
}
