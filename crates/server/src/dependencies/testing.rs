//! Repositories in a few words, for tests.

use std::fmt::Write as _;
use std::path::Path;

use model::digest::Digest;

/// A package `NAME-1-1.noarch`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The name of its source package.
    pub(crate) source: &'a str,
    /// What it provides beside its name.
    pub(crate) provides: &'a [&'a str],
    /// What it requires.
    pub(crate) requires: &'a [&'a str],
    /// Files of it that the list of packages leaves out.
    pub(crate) files: &'a [&'a str],
}

/// Writes the metadata of a repository.
pub(crate) fn write(folder: &Path, packages: &[Written<'_>]) {
    let folder = folder.join("repodata");
    std::fs::create_dir_all(&folder).unwrap();
    let mut records = String::new();
    for (kind, text) in [("primary", primary(packages)), ("filelists", filelists(packages))] {
        let checksum = Digest::of(&text);
        write!(
            records,
            "<data type=\"{kind}\"><checksum type=\"sha256\">{checksum}</checksum>\
             <location href=\"repodata/{kind}.xml\"/></data>"
        )
        .unwrap();
        std::fs::write(folder.join(format!("{kind}.xml")), text).unwrap();
    }
    let repomd =
        format!("<repomd xmlns=\"http://linux.duke.edu/metadata/repo\">{records}</repomd>");
    std::fs::write(folder.join("repomd.xml"), repomd).unwrap();
}

fn primary(packages: &[Written<'_>]) -> String {
    let entries = |names: &[&str]| -> String {
        names.iter().map(|name| format!("<rpm:entry name=\"{name}\"/>")).collect()
    };
    let package = |package: &Written<'_>| {
        let Written { name, source, provides, requires, .. } = package;
        let (listed, paths): (Vec<&str>, Vec<&str>) =
            provides.iter().partition(|name| !name.starts_with('/'));
        let paths: String = paths.iter().map(|path| format!("<file>{path}</file>")).collect();
        format!(
            "<package type=\"rpm\"><name>{name}</name><arch>noarch</arch>\
             <version epoch=\"0\" ver=\"1\" rel=\"1\"/><checksum type=\"sha256\" pkgid=\"YES\">{name}</checksum>\
             <format><rpm:sourcerpm>{source}-1-1.src.rpm</rpm:sourcerpm><rpm:provides>\
             <rpm:entry name=\"{name}\" flags=\"EQ\" epoch=\"0\" ver=\"1\" rel=\"1\"/>{}</rpm:provides>\
             <rpm:requires>{}</rpm:requires>{paths}</format></package>",
            entries(&listed),
            entries(requires)
        )
    };
    format!(
        "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">{}</metadata>",
        packages.iter().map(package).collect::<String>()
    )
}

fn filelists(packages: &[Written<'_>]) -> String {
    let package = |package: &Written<'_>| {
        let files: String =
            package.files.iter().map(|file| format!("<file>{file}</file>")).collect();
        format!(
            "<package pkgid=\"{0}\" name=\"{0}\" arch=\"noarch\"><version epoch=\"0\" ver=\"1\" rel=\"1\"/>{files}</package>",
            package.name
        )
    };
    format!(
        "<filelists xmlns=\"http://linux.duke.edu/metadata/filelists\">{}</filelists>",
        packages.iter().map(package).collect::<String>()
    )
}
