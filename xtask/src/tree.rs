//! The files of the repository, read once.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::process::Command;

use crate::source::Source;

/// What the rules look at.
pub(crate) struct Tree {
    /// Every text file by its path from the root.
    pub(crate) files: BTreeMap<String, String>,
    /// The Rust files among them.
    pub(crate) rust: Vec<Source>,
}

impl Tree {
    /// Reads the files that git tracks, and the new ones it does not ignore: a rule should speak
    /// before the commit, not after it.
    pub(crate) fn read(root: &Path) -> io::Result<Self> {
        // A checkout may belong to another user than the one who tests it.
        let mut git = Command::new("git");
        git.args(["-c", "safe.directory=*", "ls-files", "-z"]);
        git.args(["--cached", "--others", "--exclude-standard"]);
        let output = git.current_dir(root).output()?;
        if !output.status.success() {
            let error = String::from_utf8_lossy(&output.stderr);
            return Err(io::Error::other(format!("git ls-files: {}", error.trim())));
        }
        let listed = String::from_utf8_lossy(&output.stdout);
        let mut files = BTreeMap::new();
        for path in listed.split('\0').filter(|path| !path.is_empty()) {
            // Listed are also deleted files that are not committed yet, and links to folders.
            let Ok(bytes) = std::fs::read(root.join(path)) else { continue };
            if let Ok(text) = String::from_utf8(bytes) {
                files.insert(path.to_owned(), text);
            }
        }
        Ok(Self::of(files))
    }

    /// A tree of these files.
    pub(crate) fn of(files: BTreeMap<String, String>) -> Self {
        let rust_files = files.iter().filter(|(path, _)| path.ends_with(".rs"));
        let mut rust: Vec<_> = rust_files.map(|(path, text)| Source::parse(path, text)).collect();
        let for_tests: Vec<_> = rust.iter().flat_map(Source::test_modules).collect();
        for source in &mut rust {
            let module = source.path.trim_end_matches(".rs");
            let within = |test: &String| {
                module
                    .strip_prefix(test.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if for_tests.iter().any(within) {
                source.test.fill(true);
            }
        }
        Self { files, rust }
    }
}
