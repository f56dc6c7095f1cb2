//! What packages provide and require, read from the texts rpm prints.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::artifact::InvalidName;
use crate::version::Evr;

/// How a version is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `=`
    Equal,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
}

impl Comparison {
    const TEXTS: [(&'static str, Self); 5] = [
        ("<", Self::Less),
        ("<=", Self::LessOrEqual),
        ("=", Self::Equal),
        (">=", Self::GreaterOrEqual),
        (">", Self::Greater),
    ];

    fn allows(self, order: Ordering) -> bool {
        match order {
            Ordering::Less => matches!(self, Self::Less | Self::LessOrEqual),
            Ordering::Equal => {
                matches!(self, Self::LessOrEqual | Self::Equal | Self::GreaterOrEqual)
            }
            Ordering::Greater => matches!(self, Self::Greater | Self::GreaterOrEqual),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = Self::TEXTS.iter().find(|(_, comparison)| comparison == self);
        f.write_str(text.map_or("?", |(text, _)| text))
    }
}

/// A capability with an optional version range: `libz.so.1()(64bit)`, `zlib >= 1.3`, `/bin/sh`.
///
/// Provides and simple requirements have the same form; what a provide without a version satisfies is rpm's rule:
/// it satisfies only requirements without one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Capability {
    /// The name, without blanks.
    pub name: String,
    /// The range, if one is written.
    pub range: Option<(Comparison, Evr)>,
}

impl Capability {
    /// Whether `self`, as a requirement, is satisfied by `provide` (rpm's `rpmdsCompare`): a side without a version meets
    /// anything of its name.
    pub fn is_satisfied_by(&self, provide: &Self) -> bool {
        if self.name != provide.name {
            return false;
        }
        match (&self.range, &provide.range) {
            (None, _) | (_, None) => true,
            (Some((wanted, bound)), Some((given, at))) => {
                let order = at.compare_loosely(bound);
                match order {
                    // Ranges that meet at one point overlap when both contain it or lean the same way.
                    Ordering::Equal => {
                        let both = |side: Ordering| wanted.allows(side) && given.allows(side);
                        both(Ordering::Equal) || both(Ordering::Less) || both(Ordering::Greater)
                    }
                    Ordering::Less => {
                        given.allows(Ordering::Greater) || wanted.allows(Ordering::Less)
                    }
                    Ordering::Greater => {
                        given.allows(Ordering::Less) || wanted.allows(Ordering::Greater)
                    }
                }
            }
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.range {
            Some((comparison, evr)) => write!(f, " {comparison} {evr}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Capability {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "capability",
            text: text.to_owned(),
            expected: "NAME or NAME (<|<=|=|>=|>) VERSION",
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [name] => Ok(Self { name: (*name).to_owned(), range: None }),
            [name, comparison, evr] => {
                let comparison = Comparison::TEXTS
                    .iter()
                    .find(|(text, _)| text == comparison)
                    .ok_or_else(invalid)?
                    .1;
                Ok(Self { name: (*name).to_owned(), range: Some((comparison, evr.parse()?)) })
            }
            _ => Err(invalid()),
        }
    }
}

impl TryFrom<String> for Capability {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Capability> for String {
    fn from(capability: Capability) -> Self {
        capability.to_string()
    }
}

/// Something a package or a build needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Requirement {
    /// One capability.
    Capability(Capability),
    /// A rich dependency, `(a if b)`, kept as it is written: whether it holds is the resolver's to say.
    Rich(String),
}

impl Requirement {
    /// The capability, unless the requirement is a rich one.
    pub fn capability(&self) -> Option<&Capability> {
        match self {
            Self::Capability(capability) => Some(capability),
            Self::Rich(_) => None,
        }
    }

    /// Whether one of `provides` satisfies it. A rich dependency is never said to be satisfied.
    pub fn is_satisfied_by<'a>(&self, provides: impl IntoIterator<Item = &'a Capability>) -> bool {
        self.capability()
            .is_some_and(|wanted| provides.into_iter().any(|given| wanted.is_satisfied_by(given)))
    }

    /// Whether it concerns rpm itself (`rpmlib(…)`, `config(…)`) and no package of ours.
    pub fn is_internal(&self) -> bool {
        self.capability().is_some_and(|capability| capability.name.starts_with("rpmlib("))
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capability(capability) => write!(f, "{capability}"),
            Self::Rich(text) => f.write_str(text),
        }
    }
}

impl FromStr for Requirement {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        if text.starts_with('(') {
            Ok(Self::Rich(text.to_owned()))
        } else {
            text.parse().map(Self::Capability)
        }
    }
}

impl TryFrom<String> for Requirement {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Requirement> for String {
    fn from(requirement: Requirement) -> Self {
        requirement.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(requirement: &str, provide: &str, expected: bool) {
        let (wanted, given): (Capability, Capability) =
            (requirement.parse().unwrap(), provide.parse().unwrap());
        assert_eq!(wanted.is_satisfied_by(&given), expected, "{requirement} by {provide}");
    }

    #[test]
    fn requirements_are_satisfied_as_rpm_says() {
        check("a", "a", true);
        check("a", "a = 1-1", true);
        check("a = 1", "a", true);
        check("a = 1", "a = 1-7.f44", true);
        check("a = 1-1", "a = 1-2", false);
        check("a = 1-1.f44", "a = 1-1.f44.1", false);
        check("a >= 1.2", "a = 1.10-1", true);
        check("a > 1", "a = 1-5", false);
        check("a < 2", "a = 1-1", true);
        check("a < 1", "a >= 1", false);
        check("a <= 1", "a >= 1", true);
        check("a > 1", "a >= 1", true);
        check("a = 1:1-1", "a = 1-1", false);
        check("b", "a", false);
    }

    #[test]
    fn rich_dependencies_are_kept_as_they_are() {
        let rich: Requirement = "(a if b)".parse().unwrap();
        assert_eq!(rich.to_string(), "(a if b)");
        assert!("a = ".parse::<Requirement>().is_err());
        assert!("a ~ 1".parse::<Requirement>().is_err());
    }
}
