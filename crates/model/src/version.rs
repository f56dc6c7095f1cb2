//! Epoch, version and release, ordered as rpm orders them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::artifact::InvalidName;

/// An epoch, a version and a release. The release may be empty in a requirement such as `zlib >= 1.3`.
///
/// Two of them are equal when rpm says so: `1.0` and `1.00` are, although their texts differ.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Evr {
    /// 0 when none is written.
    pub epoch: u32,
    /// The version.
    pub version: String,
    /// The release, empty where any will do.
    pub release: String,
}

impl Evr {
    /// A byte string that sorts as the versions do, so that a database can order them.
    pub fn sort_key(&self) -> Vec<u8> {
        self.as_rpm(&self.epoch.to_string()).sortkey().into()
    }

    /// Compares as a requirement does: a missing release on either side matches any.
    pub fn compare_loosely(&self, other: &Self) -> Ordering {
        if self.release.is_empty() || other.release.is_empty() {
            let cut = |evr: &Self| Self { release: String::new(), ..evr.clone() };
            cut(self).cmp(&cut(other))
        } else {
            self.cmp(other)
        }
    }

    fn as_rpm<'a>(&'a self, epoch: &'a str) -> rpm_version::Evr<'a> {
        rpm_version::Evr::new(epoch, self.version.as_str(), self.release.as_str())
    }
}

impl Ord for Evr {
    fn cmp(&self, other: &Self) -> Ordering {
        let (own, theirs) = (self.epoch.to_string(), other.epoch.to_string());
        self.as_rpm(&own).cmp(&other.as_rpm(&theirs))
    }
}

impl PartialOrd for Evr {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Evr {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Evr {}

impl fmt::Display for Evr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(f, "{}:", self.epoch)?;
        }
        f.write_str(&self.version)?;
        if self.release.is_empty() { Ok(()) } else { write!(f, "-{}", self.release) }
    }
}

impl FromStr for Evr {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "version",
            text: text.to_owned(),
            expected: "[EPOCH:]VERSION[-RELEASE]",
        };
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
        let no_blank = |part: &str| part.bytes().all(|b| b.is_ascii_graphic());
        if version.is_empty() || !no_blank(version) || !no_blank(release) {
            return Err(invalid());
        }
        Ok(Self {
            epoch: if epoch == "(none)" { 0 } else { epoch.parse().map_err(|_| invalid())? },
            version: version.to_owned(),
            release: release.to_owned(),
        })
    }
}

impl TryFrom<String> for Evr {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Evr> for String {
    fn from(evr: Evr) -> Self {
        evr.to_string()
    }
}

/// Name, version and release of a source package, written `zlib-1.3-1.f44`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Nvr {
    /// The name.
    pub name: String,
    /// Version and release; an NVR's text leaves the epoch out.
    pub evr: Evr,
}

impl fmt::Display for Nvr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.name, self.evr.version, self.evr.release)
    }
}

impl FromStr for Nvr {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid =
            || InvalidName { what: "NVR", text: text.to_owned(), expected: "NAME-VERSION-RELEASE" };
        let (rest, release) = text.rsplit_once('-').ok_or_else(invalid)?;
        let (name, version) = rest.rsplit_once('-').ok_or_else(invalid)?;
        if name.is_empty() || release.is_empty() {
            return Err(invalid());
        }
        Ok(Self { name: name.to_owned(), evr: format!("{version}-{release}").parse()? })
    }
}

impl TryFrom<String> for Nvr {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Nvr> for String {
    fn from(nvr: Nvr) -> Self {
        nvr.to_string()
    }
}

/// A binary package's identity, written `zlib-devel-1.3-1.f44.x86_64` or, with an epoch, `x-2:1-1.noarch`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Nevra {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub evr: Evr,
    /// Its architecture, `noarch` included.
    pub arch: String,
}

impl fmt::Display for Nevra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}.{}", self.name, self.evr, self.arch)
    }
}

impl FromStr for Nevra {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "NEVRA",
            text: text.to_owned(),
            expected: "NAME-[EPOCH:]VERSION-RELEASE.ARCH",
        };
        let (rest, arch) = text.rsplit_once('.').ok_or_else(invalid)?;
        let (rest, release) = rest.rsplit_once('-').ok_or_else(invalid)?;
        let (name, version) = rest.rsplit_once('-').ok_or_else(invalid)?;
        if name.is_empty() || arch.is_empty() {
            return Err(invalid());
        }
        let evr = format!("{version}-{release}").parse()?;
        Ok(Self { name: name.to_owned(), evr, arch: arch.to_owned() })
    }
}

impl TryFrom<String> for Nevra {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Nevra> for String {
    fn from(nevra: Nevra) -> Self {
        nevra.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn evr(text: &str) -> Evr {
        text.parse().unwrap()
    }

    #[test]
    fn order_is_rpms() {
        for (smaller, larger) in [
            ("1.0-1", "1.0-1.f44"),
            ("1.0-1.f44", "1.0-1.f44.1"),
            ("1.0-1.f44.9", "1.0-1.f44.10"),
            ("1.0~rc1-1", "1.0-1"),
            ("1.0-1", "1.0^git1-1"),
            ("9-1", "1:1-1"),
            ("1.9-1", "1.10-1"),
        ] {
            assert!(evr(smaller) < evr(larger), "{smaller} < {larger}");
            assert!(
                evr(smaller).sort_key() < evr(larger).sort_key(),
                "key of {smaller} < {larger}"
            );
        }
        assert_eq!(evr("1.0-1"), evr("1.00-01"));
    }

    #[test]
    fn names_read_as_they_are_written() {
        let nevra: Nevra = "zlib-devel-2:1.3-1.f44.x86_64".parse().unwrap();
        assert_eq!((nevra.name.as_str(), nevra.evr.epoch), ("zlib-devel", 2));
        assert_eq!(nevra.to_string(), "zlib-devel-2:1.3-1.f44.x86_64");
        assert_eq!("a-b-1-2.f44".parse::<Nvr>().unwrap().name, "a-b");
        for bad in ["zlib", "zlib-1", "-1-1.x86_64", "zlib-1-1", "x-a:1-1.noarch", ""] {
            assert!(bad.parse::<Nevra>().is_err(), "{bad} was accepted");
        }
    }

    proptest! {
        #[test]
        fn the_sort_key_agrees_with_the_order(a in "[0-9a-c.~^]{1,6}-[0-9a.]{1,4}", b in "[0-9a-c.~^]{1,6}-[0-9a.]{1,4}") {
            let (Ok(a), Ok(b)) = (a.parse::<Evr>(), b.parse::<Evr>()) else { return Ok(()) };
            prop_assert_eq!(a.cmp(&b), a.sort_key().cmp(&b.sort_key()));
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        }
    }
}
