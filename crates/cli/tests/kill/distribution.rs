//! A part of the example distribution as real git repositories; the same commits have the same ids in every round.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The branch everything is on.
pub(crate) const BRANCH: &str = "f44";

/// A closed part of the example: a library with a dynamic user, a static user and a plug-in that requires its very build;
/// a table with its macros; two that build-require each other; an image of the library, and one on top of it that is made
/// with the static user and one of the two.
const EXAMPLES: [&str; 10] = [
    "containers/almanac-base",
    "containers/sundial-poster",
    "rpms/almanac-rpm-macros",
    "rpms/colophon",
    "rpms/daycount",
    "rpms/daycount-julian",
    "rpms/dayof",
    "rpms/harbours",
    "rpms/quill",
    "rpms/sundial",
];

/// A compose of them, small enough to be made again and again.
const COMPOSE: &str = "composes/harbour";

const COMPOSE_TOML: &str = r#"
[release]
name = "The Harbour"
short = "Harbour"
version = "44"

[variants.Reader]
packages = ["dayof"]
images = ["almanac-base"]
arches = ["x86_64"]

[variants.Workshop]
packages = ["quill"]
images = ["sundial-poster"]
arches = ["x86_64"]
"#;

/// How many repositories there are.
pub(crate) const REPOSITORIES: u64 = EXAMPLES.len() as u64 + 1;

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
        for part in EXAMPLES {
            copy(&example().join(part), &distribution.clone_of(part));
            distribution.import(part);
        }
        let compose = distribution.clone_of(COMPOSE);
        fs::create_dir_all(&compose).unwrap();
        fs::write(compose.join("compose.toml"), COMPOSE_TOML).unwrap();
        distribution.import(COMPOSE);
        distribution
    }

    /// Makes a repository with what lies in its clone as its first commit.
    fn import(&self, part: &str) {
        let bare = self.bare(part);
        fs::create_dir_all(&bare).unwrap();
        git(&bare, &["init", "--quiet", "--bare"]);
        git(&self.clone_of(part), &["init", "--quiet"]);
        self.push(part, "Import");
    }

    /// Pushes what one of the example's pushes changes in a package or an image.
    pub(crate) fn push_example(&self, push: &str, part: &str) {
        copy(&example().join("pushes").join(push).join(part), &self.clone_of(part));
        self.push(part, push);
    }

    /// Pushes one replaced text in one file of a repository.
    pub(crate) fn push_edit(&self, (part, file): (&str, &str), from: &str, to: &str) {
        let path = self.clone_of(part).join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(from).count(), 1, "{from:?} in {}", path.display());
        fs::write(&path, text.replace(from, to)).unwrap();
        self.push(part, &format!("Write {to} instead of {from}"));
    }

    fn push(&self, part: &str, subject: &str) {
        let clone = self.clone_of(part);
        let target = format!("HEAD:refs/heads/{BRANCH}");
        git(&clone, &["add", "--all"]);
        git(&clone, &["commit", "--quiet", "--message", subject]);
        git(&clone, &["push", "--quiet", &self.bare(part).to_string_lossy(), &target]);
    }

    fn clone_of(&self, part: &str) -> PathBuf {
        self.clones.join(part)
    }

    fn bare(&self, part: &str) -> PathBuf {
        self.distgit.join(format!("{part}.git"))
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
