//! What an image holds: packages, and the files that no package answers for.

use std::collections::BTreeMap;

use model::digest::Digest;
use model::version::Nevra;
use serde::{Deserialize, Serialize};

/// A file of an image that is not as a package brought it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFile {
    /// From the root.
    pub path: String,
    /// What is there.
    #[serde(flatten)]
    pub kind: OwnKind,
}

/// What an image has at a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
pub enum OwnKind {
    /// A file.
    File {
        /// Permissions.
        mode: u32,
        /// Of its contents.
        digest: Digest,
    },
    /// A symbolic link.
    Link {
        /// Where it leads.
        target: String,
    },
    /// A folder.
    Folder {
        /// Permissions.
        mode: u32,
    },
    /// A device, a pipe or a socket.
    Special {
        /// Permissions.
        mode: u32,
    },
    /// Nothing, where a package had put something.
    Removed,
}

/// What the script wrote down about an image.
pub(super) struct Facts<'a> {
    /// A NEVRA on each line.
    pub(super) packages: &'a str,
    /// On each line mode, flags, digest, link and path of a package's file.
    pub(super) owned: &'a str,
    /// Kind, permissions and path of everything that is there, then where it leads; each ends in NUL.
    pub(super) files: &'a [u8],
    /// Digest and path of each file; each ends in NUL.
    pub(super) digests: &'a [u8],
}

/// rpm's flag of a file that a package claims and does not bring.
const GHOST: u32 = 1 << 6;

/// Made anew by each container, or by rpm and the linker from everything else.
const PASSING: [&str; 8] = [
    "/dev",
    "/proc",
    "/sys",
    "/run",
    "/usr/lib/sysimage/rpm",
    "/var/lib/rpm",
    "/etc/ld.so.cache",
    "/var/cache/ldconfig",
];

/// What RUN needs to be there and leaves behind, empty.
const MOUNT_POINTS: [&str; 3] = ["/etc/hostname", "/etc/hosts", "/etc/resolv.conf"];

/// The packages, sorted. Keys that rpm keeps as packages are none.
pub(super) fn packages(facts: &Facts<'_>) -> Result<Vec<Nevra>, String> {
    let lines = facts.packages.lines().filter(|line| !line.starts_with("gpg-pubkey-"));
    let read: Result<Vec<Nevra>, _> = lines.map(str::parse).collect();
    let mut packages = read.map_err(|error| error.to_string())?;
    packages.sort();
    Ok(packages)
}

/// The files that are not as a package brought them, sorted by path.
pub(super) fn own_files(facts: &Facts<'_>) -> Result<Vec<OwnFile>, String> {
    let found = found(facts)?;
    let owned = owned(facts, &found)?;
    let mut own: Vec<OwnFile> = Vec::new();
    for (path, kind) in &found {
        if owned.get(path) != Some(&Some(kind.clone())) && !passes(path, kind) {
            own.push(OwnFile { path: path.clone(), kind: kind.clone() });
        }
    }
    for (path, kind) in owned {
        if kind.is_some() && !found.contains_key(&path) && !passes(&path, &OwnKind::Removed) {
            own.push(OwnFile { path, kind: OwnKind::Removed });
        }
    }
    own.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(own)
}

fn passes(path: &str, kind: &OwnKind) -> bool {
    let within = |folder: &&str| {
        path.strip_prefix(*folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_empty = matches!(kind, OwnKind::File { digest, .. } if *digest == Digest::of(""));
    PASSING.iter().any(within) || (is_empty && MOUNT_POINTS.contains(&path))
}

fn found(facts: &Facts<'_>) -> Result<BTreeMap<String, OwnKind>, String> {
    let mut digests = BTreeMap::new();
    for record in fields(facts.digests) {
        let (digest, path) = record.split_once("  .").ok_or_else(|| strange(&record))?;
        digests.insert(path.to_owned(), digest.parse().map_err(|_| strange(&record))?);
    }
    let mut found = BTreeMap::new();
    let mut records = fields(facts.files);
    while let (Some(record), Some(target)) = (records.next(), records.next()) {
        let mut words = record.splitn(3, ' ');
        let (Some(kind), Some(mode), Some(path)) = (words.next(), words.next(), words.next())
        else {
            return Err(strange(&record));
        };
        let path = format!("/{path}");
        let mode = u32::from_str_radix(mode, 8).map_err(|_| strange(&record))?;
        let kind = match kind {
            "f" => {
                let digest = *digests.get(&path).ok_or_else(|| strange(&record))?;
                OwnKind::File { mode, digest }
            }
            "l" => OwnKind::Link { target },
            "d" => OwnKind::Folder { mode },
            _ => OwnKind::Special { mode },
        };
        found.insert(path, kind);
    }
    Ok(found)
}

/// What packages brought, by the path at which it is found. `None` stands for what they only claim.
fn owned(
    facts: &Facts<'_>,
    found: &BTreeMap<String, OwnKind>,
) -> Result<BTreeMap<String, Option<OwnKind>>, String> {
    let mut owned = BTreeMap::new();
    for line in facts.owned.lines() {
        let (fields, path) = line.split_once('\t').ok_or_else(|| strange(line))?;
        let mut fields = fields.splitn(4, ' ');
        let mut next = || fields.next().ok_or_else(|| strange(line));
        let mode = u32::from_str_radix(next()?, 8).map_err(|_| strange(line))?;
        let flags: u32 = next()?.parse().map_err(|_| strange(line))?;
        let (digest, link) = (next()?, next()?);
        let permissions = mode & 0o7777;
        let kind = match mode & 0o170_000 {
            _ if flags & GHOST != 0 => None,
            0o120_000 => Some(OwnKind::Link { target: link.to_owned() }),
            0o040_000 => Some(OwnKind::Folder { mode: permissions }),
            // A digest of another kind than ours is equal to none, and so the file counts as changed.
            0o100_000 => {
                let digest = digest.parse().unwrap_or(Digest([0; 32]));
                Some(OwnKind::File { mode: permissions, digest })
            }
            _ => Some(OwnKind::Special { mode: permissions }),
        };
        // Folders may be claimed by several packages, files by those that agree.
        owned.insert(real(path, found), kind);
    }
    Ok(owned)
}

/// `/bin/x` where `/bin` leads to `usr/bin`: packages may use either name.
fn real(path: &str, found: &BTreeMap<String, OwnKind>) -> String {
    let split = path.get(1..).and_then(|rest| rest.split_once('/'));
    let Some((top, rest)) = split else { return path.to_owned() };
    match found.get(&format!("/{top}")) {
        Some(OwnKind::Link { target }) => format!("/{}/{rest}", target.trim_start_matches('/')),
        _ => path.to_owned(),
    }
}

fn fields(records: &[u8]) -> impl Iterator<Item = String> {
    let whole = records.strip_suffix(&[0]).unwrap_or(records);
    let parts = whole.split(|byte| *byte == 0).filter(|_| !records.is_empty());
    parts.map(|part| String::from_utf8_lossy(part).into_owned())
}

fn strange(record: &str) -> String {
    format!("{record:?} cannot be understood")
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    /// `owned` as rpm prints it; `there` as `kind mode path target-or-digest`.
    fn check(owned: &str, there: &[&str], expected: &str) {
        let (mut files, mut digests) = (String::new(), String::new());
        for record in there {
            let mut words = record.rsplitn(2, ' ');
            let (last, head) = (words.next().unwrap(), words.next().unwrap());
            let path = head.splitn(3, ' ').nth(2).unwrap();
            let target = if head.starts_with('l') { last } else { "" };
            files += &format!("{head}\0{target}\0");
            if head.starts_with('f') {
                digests += &format!("{last}  ./{path}\0");
            }
        }
        let (files, digests) = (files.as_bytes(), digests.as_bytes());
        let own = own_files(&Facts { packages: "", owned, files, digests }).unwrap();
        let shown = own.iter().map(|file| match &file.kind {
            OwnKind::File { mode, digest } => format!("{} {mode:o} {}", file.path, digest.short()),
            OwnKind::Link { target } => format!("{} -> {target}", file.path),
            OwnKind::Folder { mode } => format!("{}/ {mode:o}", file.path),
            OwnKind::Special { mode } => format!("{} special {mode:o}", file.path),
            OwnKind::Removed => format!("{} removed", file.path),
        });
        assert_eq!(shown.collect::<Vec<_>>().join("\n"), expected);
    }

    #[test]
    fn what_packages_brought_is_not_the_images_own() {
        let owned = format!(
            "100755 0 {A} \t/usr/bin/a\n40755 0  \t/usr/share/a\n120777 0  a\t/usr/bin/b\n\
             100644 64  \t/var/log/a\n100755 0 {A} \t/bin/c\n"
        );
        let there = [
            "l 777 bin usr/bin".to_owned(),
            "d 755 usr/share/a -".to_owned(),
            format!("f 755 usr/bin/a {A}"),
            format!("f 755 usr/bin/c {A}"),
            "l 777 usr/bin/b a".to_owned(),
            format!("f 640 var/log/a {B}"),
        ];
        let there: Vec<&str> = there.iter().map(String::as_str).collect();
        check(&owned, &there, "/bin -> usr/bin\n/var/log/a 640 bbbbbbbbbbbb");
    }

    #[test]
    fn what_was_changed_added_or_removed_is() {
        let owned = format!(
            "100755 0 {A} \t/usr/bin/a\n100644 1 {A} \t/etc/a.conf\n100755 0 {A} \t/usr/bin/b\n\
             100644 0 d41d8cd98f00b204e9800998ecf8427e \t/usr/share/md5\n"
        );
        let there = [
            format!("f 4755 usr/bin/a {A}"),
            format!("f 644 etc/a.conf {B}"),
            format!("f 644 usr/share/md5 {A}"),
            format!("f 644 srv/new file {B}"),
            "p 600 srv/pipe -".to_owned(),
        ];
        check(
            &owned,
            &there.iter().map(String::as_str).collect::<Vec<_>>(),
            "/etc/a.conf 644 bbbbbbbbbbbb\n/srv/new file 644 bbbbbbbbbbbb\n/srv/pipe special 600\n\
             /usr/bin/a 4755 aaaaaaaaaaaa\n/usr/bin/b removed\n/usr/share/md5 644 aaaaaaaaaaaa",
        );
    }

    #[test]
    fn what_every_build_or_container_makes_anew_does_not_count() {
        let empty = Digest::of("");
        let there = [
            format!("f 644 usr/lib/sysimage/rpm/rpmdb.sqlite {A}"),
            format!("f 644 etc/ld.so.cache {A}"),
            format!("f 700 etc/resolv.conf {empty}"),
            format!("f 644 etc/hosts {A}"),
            format!("f 644 device {empty}"),
            "d 755 dev -".to_owned(),
        ];
        let there: Vec<&str> = there.iter().map(String::as_str).collect();
        check("", &there, "/device 644 e3b0c44298fc\n/etc/hosts 644 aaaaaaaaaaaa");
    }
}
