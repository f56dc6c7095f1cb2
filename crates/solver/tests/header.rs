//! Headers of packages that rpmbuild made, against what rpm says of them.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use solver::load::header::{RpmHeader, open_header};
use solver::load::record::Relation;

const SPEC: &str = "Name: several
Epoch: 2
Version: 1.5~rc1
Release: 3.fc99
Summary: A package with a relation of each kind
License: MIT
Vendor: Somebody
BuildArch: noarch
ModularityLabel: several:1:20260101:abcdef
BuildRequires: make >= 4
BuildRequires: (gcc or clang)
Provides: plain
Provides: versioned = 1:2-3
Requires: libc >= 2.34
Requires: less < 600
Requires: (tool if (other and another))
Requires(pre): /bin/sh
Conflicts: enemy <= 1
Obsoletes: former < 9
Recommends: nice
Suggests: (pretty with fine > 1)
Supplements: host
Enhances: (host unless guest)

%description
Nothing.

%install
mkdir -p %{buildroot}/usr/share/several/empty
echo one > %{buildroot}/usr/share/several/one
echo two > '%{buildroot}/usr/share/several/two words'

%files
/usr/share/several
";

/// The binary and the source package of the specification above.
fn build(folder: &Path) -> [PathBuf; 2] {
    let spec = folder.join("several.spec");
    fs::write(&spec, SPEC).unwrap();
    let topdir = format!("_topdir {}", folder.display());
    let output = Command::new("rpmbuild")
        .args(["-ba", "--nodeps", "--define", &topdir])
        .arg(&spec)
        .output()
        .expect("rpmbuild, which scripts/packages installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    ["RPMS/noarch/several-1.5~rc1-3.fc99.noarch.rpm", "SRPMS/several-1.5~rc1-3.fc99.src.rpm"]
        .map(|name| folder.join(name))
}

/// What rpm prints about a package, sorted.
fn rpm(package: &Path, query: &[&str]) -> Vec<String> {
    let output =
        Command::new("rpm").args(["-qp", "--nosignature"]).args(query).arg(package).output();
    let output = output.expect("rpm, which scripts/packages installs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    sorted(text.lines().filter(|line| *line != "(none)").map(str::to_owned))
}

fn sorted(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn shown(relations: &[Relation]) -> Vec<String> {
    sorted(relations.iter().map(ToString::to_string))
}

fn check(package: &Path) -> RpmHeader {
    let header = open_header(package).unwrap();
    let record = &header.package;
    for (query, relations) in [
        ("--provides", &record.provides),
        ("--requires", &record.requires),
        ("--conflicts", &record.conflicts),
        ("--obsoletes", &record.obsoletes),
        ("--recommends", &record.recommends),
        ("--suggests", &record.suggests),
        ("--supplements", &record.supplements),
        ("--enhances", &record.enhances),
    ] {
        assert_eq!(shown(relations), rpm(package, &[query]), "{query}");
    }
    let files = rpm(package, &["--qf", "[%{FILENAMES}\\n]"]);
    assert_eq!(sorted(record.files.iter().cloned()), files);
    let built = rpm(package, &["--qf", "%{BUILDTIME} %{VENDOR} %{MODULARITYLABEL}\\n"]);
    assert_eq!(built[0], format!("{} {} {}", header.built, record.vendor, header.modularity_label));
    header
}

#[test]
fn headers_are_read_as_rpm_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let [binary, source] = build(folder.path());
    let binary = check(&binary).package;
    assert_eq!(binary.to_string(), "several-2:1.5~rc1-3.fc99.noarch");
    assert_eq!(binary.source, "several-1.5~rc1-3.fc99.src.rpm");
    assert!(binary.requires.iter().any(|it| it.name == "/bin/sh" && it.is_pre));
    assert!(binary.files.contains(&"/usr/share/several/two words".to_owned()));
    let source = check(&source).package;
    assert_eq!(source.to_string(), "several-2:1.5~rc1-3.fc99.src");
    assert!(shown(&source.requires).contains(&"make >= 4".to_owned()));
}
