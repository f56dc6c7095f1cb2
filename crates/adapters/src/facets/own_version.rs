//! A package's own version, which says nothing about what it holds and changes with every rebuild.

use std::collections::BTreeSet;

use super::header::Header;

const MARK: &str = "@EVR@";

/// The versions of all packages that were built from one source, and the names they provide at these versions.
#[derive(Debug, Default)]
pub(crate) struct OwnVersions {
    /// `1.0-1.f44`, and with an epoch `2:1.0-1.f44`.
    full: BTreeSet<String>,
    /// `1.0`, and with an epoch `2:1.0`.
    bare: BTreeSet<String>,
    names: BTreeSet<String>,
}

impl OwnVersions {
    /// Of the packages of one source.
    pub(crate) fn of<'a>(packages: impl IntoIterator<Item = &'a Header>) -> Self {
        let mut own = Self::default();
        let mut provides = Vec::new();
        for header in packages {
            let Header { epoch, version, release, .. } = header;
            own.full.insert(format!("{version}-{release}"));
            own.full.insert(format!("{epoch}:{version}-{release}"));
            own.bare.insert(version.clone());
            own.bare.insert(format!("{epoch}:{version}"));
            provides.extend(header.dependencies.iter().filter(|found| found.kind == "provides"));
        }
        let at_own = provides.into_iter().filter(|found| own.is_own(&found.version));
        own.names = at_own.map(|found| found.name.clone()).collect();
        own
    }

    /// Whether a version is this source's own.
    pub(crate) fn is_own(&self, version: &str) -> bool {
        self.full.contains(version) || self.bare.contains(version)
    }

    /// The version of a provide.
    pub(crate) fn provided<'a>(&self, version: &'a str) -> &'a str {
        if self.is_own(version) { MARK } else { version }
    }

    /// The version of a relation: the source's own only if the relation is to the source's own packages.
    /// What replaces older packages names its own full version for packages that are no more.
    pub(crate) fn related<'a>(&self, kind: &str, name: &str, version: &'a str) -> &'a str {
        let replaces = matches!(kind, "obsoletes" | "conflicts") && self.full.contains(version);
        if replaces || (self.names.contains(name) && self.is_own(version)) { MARK } else { version }
    }

    /// A rich dependency, `(foo = 1.0-1 if bar)`, with its own versions replaced.
    pub(crate) fn rich(&self, text: &str) -> String {
        let mut words: Vec<String> = text.split(' ').map(str::to_owned).collect();
        for at in 2..words.len() {
            let name = words[at - 2].trim_start_matches('(');
            let version = words[at].trim_end_matches(')');
            let compares = matches!(words[at - 1].as_str(), "=" | "<" | ">" | "<=" | ">=");
            if compares && self.names.contains(name) && self.is_own(version) {
                words[at] = words[at].replacen(version, MARK, 1);
            }
        }
        words.join(" ")
    }

    /// A text with the full version replaced wherever it stands by itself. The bare version stays: `1.0` alone may
    /// mean anything, and a macro that says which version is there says something.
    pub(crate) fn full_in(&self, text: &[u8]) -> Vec<u8> {
        replace(text, &self.full)
    }

    /// A file that says which version of the package is there, such as `FooConfigVersion.cmake`.
    pub(crate) fn any_in(&self, text: &[u8]) -> Vec<u8> {
        replace(&self.full_in(text), &self.bare)
    }

    /// A pkg-config file: its `Version` field, and what it requires of its own siblings.
    pub(crate) fn pkg_config(&self, text: &[u8]) -> Vec<u8> {
        let lines = text.split(|&byte| byte == b'\n').map(|line| self.pkg_config_line(line));
        lines.collect::<Vec<_>>().join(&b'\n')
    }

    fn pkg_config_line(&self, line: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(line) else { return line.to_vec() };
        let Some((field, value)) = text.split_once(':') else { return self.full_in(line) };
        match field.trim() {
            "Version" if self.is_own(value.trim()) => format!("{field}: {MARK}").into_bytes(),
            "Requires" | "Requires.private" | "Conflicts" => {
                let mut words: Vec<&str> =
                    value.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
                for at in 2..words.len() {
                    let own = self.names.contains(&format!("pkgconfig({})", words[at - 2]));
                    if own && self.is_own(words[at]) {
                        words[at] = MARK;
                    }
                }
                format!("{field}: {}", words.join(" ")).into_bytes()
            }
            _ => self.full_in(line),
        }
    }
}

/// Replaces each needle where no letter, digit or other part of a version touches it.
fn replace(text: &[u8], needles: &BTreeSet<String>) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    // The longest first, so that an epoch goes with its version.
    let mut needles: Vec<&[u8]> =
        needles.iter().map(String::as_bytes).filter(|needle| needle.len() > 1).collect();
    needles.sort_by_key(|needle| std::cmp::Reverse(needle.len()));
    while at < text.len() {
        let free = at == 0 || !is_version(text[at - 1]) || text[at - 1] == b'-';
        let hit = needles.iter().find(|needle| {
            let behind = text.get(at + needle.len()).is_some_and(|&byte| is_version(byte));
            free && !behind && text[at..].starts_with(needle)
        });
        match hit {
            Some(needle) => {
                out.extend_from_slice(MARK.as_bytes());
                at += needle.len();
            }
            None => {
                out.push(text[at]);
                at += 1;
            }
        }
    }
    out
}

fn is_version(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._+~^-:".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::super::header::Dependency;
    use super::*;

    fn own() -> OwnVersions {
        let provide = |name: &str, version: &str| Dependency {
            kind: "provides".to_owned(),
            name: name.to_owned(),
            comparison: "=".to_owned(),
            version: version.to_owned(),
            sense: String::new(),
        };
        let header = Header {
            epoch: "0".to_owned(),
            version: "1.0".to_owned(),
            release: "1.f44".to_owned(),
            dependencies: vec![
                provide("base", "1.0-1.f44"),
                provide("pkgconfig(base)", "1.0"),
                provide("api", "7"),
            ],
            ..Header::default()
        };
        OwnVersions::of([&header])
    }

    #[test]
    fn relations_to_siblings_lose_their_version() {
        let own = own();
        assert_eq!(own.related("requires", "base", "1.0-1.f44"), "@EVR@");
        assert_eq!(own.related("requires", "base", "0.9"), "0.9");
        assert_eq!(own.related("requires", "other", "1.0-1.f44"), "1.0-1.f44");
        assert_eq!(own.related("obsoletes", "old", "1.0-1.f44"), "@EVR@");
        assert_eq!(own.related("requires", "api", "7"), "7");
        assert_eq!(own.rich("(base = 1.0-1.f44 if other = 1.0)"), "(base = @EVR@ if other = 1.0)");
        assert_eq!(own.rich("(other if base >= 1.0)"), "(other if base >= @EVR@)");
    }

    #[test]
    fn files_lose_their_own_version_only() {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let own = own();
        let file = b"Name: base\nVersion: 1.0\nRequires: base >= 1.0, other >= 1.0\nLibs: -l1.0";
        assert_eq!(
            text(own.pkg_config(file)),
            "Name: base\nVersion: @EVR@\nRequires: base >= @EVR@ other >= 1.0\nLibs: -l1.0"
        );
        assert_eq!(
            text(own.full_in(b"base-1.0-1.f44 1.0-1.f44.1 1.0")),
            "base-@EVR@ 1.0-1.f44.1 1.0"
        );
        assert_eq!(text(own.any_in(b"set(V \"1.0\") 1.0.1 11.0")), "set(V \"@EVR@\") 1.0.1 11.0");
    }
}
