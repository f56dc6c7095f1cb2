//! Builds RPMs from inline specs.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a program that must succeed and returns what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Builds the binary packages of a spec in a folder, in the order of their names.
pub(crate) fn build(folder: &Path, spec: &str, dist: &str) -> Vec<PathBuf> {
    let top = folder.join("top");
    let _ = fs::remove_dir_all(&top);
    fs::create_dir_all(&top).unwrap();
    let file = folder.join("package.spec");
    fs::write(&file, spec).unwrap();
    let define = |name: &str, value: &str| ["--define".to_owned(), format!("{name} {value}")];
    run(Command::new("rpmbuild")
        .args(["-bb", "--nodeps", "--quiet"])
        .args(define("_topdir", &top.display().to_string()))
        .args(define("_dbpath", &folder.join("db").display().to_string()))
        .args(define("dist", dist))
        .args(define("debug_package", "%{nil}"))
        .args(define("_libdir", "/usr/lib64"))
        .args(define("_buildhost", "build"))
        .args(define("_build_id_links", "none"))
        .arg(file)
        .env("HOME", folder)
        .env("SOURCE_DATE_EPOCH", "1700000000"));
    let mut packages = Vec::new();
    for arch in fs::read_dir(top.join("RPMS")).unwrap() {
        packages
            .extend(fs::read_dir(arch.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    packages.sort();
    packages
}

/// A spec for packages without files, each given as `NAME` with lines of its preamble.
pub(crate) fn spec(source: &str, version: &str, packages: &[(&str, &str)]) -> String {
    let mut spec = format!(
        "Name: {source}\nVersion: {version}\nRelease: 1%{{?dist}}\nSummary: test\nLicense: MIT\nBuildArch: noarch\n\
         %description\ntest\n"
    );
    for (name, preamble) in packages {
        spec += &format!(
            "%package -n {name}\nSummary: test\n{preamble}\n%description -n {name}\ntest\n%files -n {name}\n"
        );
    }
    spec
}
