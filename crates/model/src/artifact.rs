//! Artifacts: what has a home in dist-git and is built.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

/// A name, a branch or a commit that does not follow its grammar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not a valid {what}: {expected}")]
pub struct InvalidName {
    /// What was to be read, e.g. `branch name`.
    pub what: &'static str,
    /// The text as it came.
    pub text: String,
    /// What would have been valid.
    pub expected: &'static str,
}

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl $name {
            /// The text of it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { what: $what, text: text.to_owned(), expected: $expected })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
pub(crate) use names;

names! {
    /// The name of an artifact, as of an RPM package: letters, digits and `._+-`.
    ArtifactName, "artifact name", "letters, digits and ._+-, starting with a letter, a digit or _",
    |text| is_word(text, b"._+-");

    /// The name of a dist-git branch: letters, digits and `._+-/`.
    BranchName, "branch name", "letters, digits and ._+-/, no empty part and none that starts with a dot",
    |text| text.split('/').all(|part| is_word(part, b"._+-")) && !text.ends_with(".lock");

    /// A git commit: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
    CommitId, "commit", "40 or 64 lower-case hexadecimal digits",
    |text| matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
}

impl CommitId {
    /// The first ten digits, as people quote it.
    pub fn short(&self) -> &str {
        &self.0[..10]
    }
}

pub(crate) fn is_word(text: &str, extra: &[u8]) -> bool {
    let first_ok = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    first_ok
        && text.len() <= 255
        && !text.contains("..")
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || extra.contains(&b))
}

/// What kind of thing an artifact is; its text is the dist-git namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum ArtifactKind {
    /// A source package.
    Rpms,
    /// An image: packages, and what a Containerfile adds to them.
    Containers,
    /// A compose: repositories and images that are shipped together.
    Composes,
}

impl ArtifactKind {
    /// Every kind there is.
    pub const ALL: [Self; 3] = [Self::Rpms, Self::Containers, Self::Composes];

    /// The dist-git namespace, e.g. `rpms`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rpms => "rpms",
            Self::Containers => "containers",
            Self::Composes => "composes",
        }
    }
}

impl FromStr for ArtifactKind {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| InvalidName {
            what: "kind of artifact",
            text: text.to_owned(),
            expected: "rpms, containers or composes",
        })
    }
}

impl fmt::Display for ArtifactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The identity of an artifact: kind, name and branch, written `rpms/zlib#f44`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct ArtifactKey {
    /// The dist-git namespace.
    pub kind: ArtifactKind,
    /// The name of the repository in it.
    pub name: ArtifactName,
    /// The branch.
    pub branch: BranchName,
}

impl ArtifactKey {
    /// The dist-git repository, e.g. `rpms/zlib`.
    pub fn repository(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }
}

// By hand, without a copy: a plan names its artifacts some ten thousand times.
impl Serialize for ArtifactKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}#{}", self.kind, self.name, self.branch)
    }
}

impl fmt::Debug for ArtifactKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for ArtifactKey {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidName {
            what: "artifact",
            text: text.to_owned(),
            expected: "KIND/NAME#BRANCH, e.g. rpms/zlib#f44",
        };
        let (kind, rest) = text.split_once('/').ok_or_else(invalid)?;
        let (name, branch) = rest.split_once('#').ok_or_else(invalid)?;
        Ok(Self { kind: kind.parse()?, name: name.parse()?, branch: branch.parse()? })
    }
}

impl TryFrom<String> for ArtifactKey {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ArtifactKey> for String {
    fn from(key: ArtifactKey) -> Self {
        key.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_reads_as_it_is_written() {
        for text in
            ["rpms/zlib#f44", "rpms/gtk+3.0#epel/9.1", "rpms/0ad#main", "composes/server#f44"]
        {
            assert_eq!(text.parse::<ArtifactKey>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn strange_keys_are_refused() {
        for text in [
            "zlib",
            "rpms/zlib",
            "rpms/../x#f44",
            "rpms/a#b..c",
            "rpms/#f44",
            "rpms/a#",
            "dogs/a#b",
            "rpms/-a#b",
            "rpms/a#x/.y",
        ] {
            assert!(text.parse::<ArtifactKey>().is_err(), "{text} was accepted");
        }
    }
}
