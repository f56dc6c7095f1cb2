//! Small source packages in real git repositories.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::server::Server;

/// A clone of a repository, from which is pushed.
pub(crate) struct Package {
    /// Of a package its name, of anything else its kind as well: `containers/base`.
    pub(crate) name: &'static str,
    clone: PathBuf,
    pub(crate) bare: PathBuf,
}

impl Package {
    /// Makes an empty repository in the server's dist-git.
    pub(crate) fn new(server: &Server, name: &'static str) -> Self {
        Self::below(&server.data().join("distgit"), &server.folder.path().join("clones"), name)
    }

    /// Makes an empty repository in a dist-git, and its clone.
    pub(crate) fn below(distgit: &Path, clones: &Path, name: &'static str) -> Self {
        let (bare, clone) = (distgit.join(format!("{}.git", path(name))), clones.join(path(name)));
        fs::create_dir_all(&clone).unwrap();
        git(&clone, &["init", "--quiet"]);
        // It appears with all its parts, so that it is never seen half made.
        let making = clones.join(format!("{}.git", path(name)));
        fs::create_dir_all(&making).unwrap();
        git(&making, &["init", "--quiet", "--bare"]);
        fs::create_dir_all(bare.parent().unwrap()).unwrap();
        fs::rename(&making, &bare).unwrap();
        Self { name, clone, bare }
    }

    /// Commits files and pushes them; returns the commit.
    pub(crate) fn push(&self, files: &[(&str, &str)]) -> String {
        self.write(files);
        git(&self.clone, &["commit", "--quiet", "--message", "Change something"]);
        git(&self.clone, &["push", "--quiet", &self.bare.to_string_lossy(), "HEAD:refs/heads/f44"]);
        self.head()
    }

    /// Writes another commit in place of the newest and pushes it by force.
    pub(crate) fn push_by_force(&self, files: &[(&str, &str)]) -> String {
        self.write(files);
        git(&self.clone, &["commit", "--quiet", "--amend", "--message", "Change it differently"]);
        let to = self.bare.to_string_lossy();
        git(&self.clone, &["push", "--quiet", "--force", &to, "HEAD:refs/heads/f44"]);
        self.head()
    }

    /// Deletes the branch.
    pub(crate) fn delete_branch(&self) {
        git(&self.clone, &["push", "--quiet", &self.bare.to_string_lossy(), ":refs/heads/f44"]);
    }

    /// Pushes the spec alone.
    pub(crate) fn push_spec(&self, spec: &str) -> String {
        self.push(&[(&format!("{}.spec", self.name), spec)])
    }

    fn write(&self, files: &[(&str, &str)]) {
        for (file, text) in files {
            let path = self.clone.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            git(&self.clone, &["add", file]);
            // A test case is an executable.
            if file.starts_with("tests/") {
                git(&self.clone, &["update-index", "--chmod=+x", file]);
            }
        }
    }

    fn head(&self) -> String {
        git(&self.clone, &["rev-parse", "HEAD"]).trim().to_owned()
    }
}

/// Where a repository lies in a dist-git: a bare name is that of a package.
pub(crate) fn path(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("rpms/{name}") }
}

/// A spec whose package holds one text.
pub(crate) struct Spec<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    /// More lines of the preamble.
    pub(crate) preamble: &'a str,
    pub(crate) build: &'a str,
}

impl<'a> Spec<'a> {
    pub(crate) fn of(name: &'a str) -> Self {
        Self { name, text: "first", preamble: "", build: "" }
    }

    pub(crate) fn text(self, text: &'a str) -> Self {
        Self { text, ..self }
    }

    pub(crate) fn preamble(self, preamble: &'a str) -> Self {
        Self { preamble, ..self }
    }

    pub(crate) fn build(self, build: &'a str) -> Self {
        Self { build, ..self }
    }

    pub(crate) fn write(&self) -> String {
        let Self { name, text, preamble, build } = self;
        format!(
            "Name: {name}\nVersion: 1\nRelease: 1%{{?dist}}\nSummary: One text\nLicense: MIT\n\
             BuildArch: noarch\n{preamble}\n%description\nIt holds one text.\n\n%build\n{build}\n\n\
             %install\nmkdir -p %{{buildroot}}/usr/share/{name}\n\
             echo {text} > %{{buildroot}}/usr/share/{name}/text\n\n%files\n/usr/share/{name}\n"
        )
    }
}

/// Runs git with nothing of whoever runs the tests; returns what it prints.
pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let ended = Command::new("git")
        .current_dir(folder)
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ann")
        .env("GIT_AUTHOR_EMAIL", "ann@almanac.example")
        .env("GIT_COMMITTER_NAME", "Ann")
        .env("GIT_COMMITTER_EMAIL", "ann@almanac.example")
        .output()
        .expect("git is needed");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "git {arguments:?}: {said}");
    String::from_utf8_lossy(&ended.stdout).into_owned()
}
