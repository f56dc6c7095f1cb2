//! A part of the example distribution as real git repositories; the same commits have the same ids in every round.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The branch everything is on.
pub(crate) const BRANCH: &str = "f44";

/// A closed part of the example: a library with a dynamic user, a static user and a plug-in that requires its very build;
/// a table with its macros; and two that build-require each other.
pub(crate) const PACKAGES: [&str; 8] = [
    "almanac-rpm-macros",
    "colophon",
    "daycount",
    "daycount-julian",
    "dayof",
    "harbours",
    "quill",
    "sundial",
];

/// The repositories of one round, and the clones from which they are pushed to.
pub(crate) struct Distribution {
    clones: PathBuf,
    /// The folder of bare repositories.
    distgit: PathBuf,
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/distribution")
}

impl Distribution {
    /// Makes every repository with its first commit.
    pub(crate) fn lay_out(folder: &Path, distgit: PathBuf) -> Self {
        let distribution = Self { clones: folder.join("clones"), distgit };
        for package in PACKAGES {
            let (clone, bare) = (distribution.clone_of(package), distribution.bare(package));
            fs::create_dir_all(&bare).unwrap();
            git(&bare, &["init", "--quiet", "--bare"]);
            copy(&example().join("rpms").join(package), &clone);
            git(&clone, &["init", "--quiet"]);
            distribution.push(package, "Import");
        }
        distribution
    }

    /// Pushes what one of the example's pushes changes in a package.
    pub(crate) fn push_example(&self, push: &str, package: &str) {
        let changed = example().join("pushes").join(push).join("rpms").join(package);
        copy(&changed, &self.clone_of(package));
        self.push(package, push);
    }

    /// Pushes one replaced text in one file of a package.
    pub(crate) fn push_edit(&self, (package, file): (&str, &str), from: &str, to: &str) {
        let path = self.clone_of(package).join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {}", path.display());
        fs::write(&path, text.replace(from, to)).unwrap();
        self.push(package, &format!("Write {to} instead of {from}"));
    }

    fn push(&self, package: &str, subject: &str) {
        let clone = self.clone_of(package);
        let target = format!("HEAD:refs/heads/{BRANCH}");
        git(&clone, &["add", "--all"]);
        git(&clone, &["commit", "--quiet", "--message", subject]);
        git(&clone, &["push", "--quiet", &self.bare(package).to_string_lossy(), &target]);
    }

    fn clone_of(&self, package: &str) -> PathBuf {
        self.clones.join(package)
    }

    fn bare(&self, package: &str) -> PathBuf {
        self.distgit.join(format!("rpms/{package}.git"))
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

/// Runs git with the same author, time and settings for everybody.
fn git(folder: &Path, arguments: &[&str]) {
    let ended = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ann")
        .env("GIT_AUTHOR_EMAIL", "ann@almanac.example")
        .env("GIT_AUTHOR_DATE", "2026-01-01T00:00:00Z")
        .env("GIT_COMMITTER_NAME", "Ann")
        .env("GIT_COMMITTER_EMAIL", "ann@almanac.example")
        .env("GIT_COMMITTER_DATE", "2026-01-01T00:00:00Z")
        .output()
        .expect("git is needed");
    assert!(
        ended.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&ended.stderr)
    );
}
