//! The example distribution as it lies in its folder: packages, pushes, and what they must cause.

use std::fs;
use std::path::{Component, Path, PathBuf};

use model::artifact::{ArtifactKey, ArtifactKind, ArtifactName};
use serde::Deserialize;

use super::expected::Expected;
use crate::admin::AdminError;

/// The branch everything happens on.
pub const BRANCH: &str = "f44";

/// An example distribution.
#[derive(Clone, Debug)]
pub struct Distribution {
    /// Its folder.
    pub folder: PathBuf,
    /// Its packages, images and composes, by kind and name.
    pub artifacts: Vec<ArtifactKey>,
    /// The pushes, in the order in which they are made.
    pub pushes: Vec<Push>,
    /// A Python that has productmd, for the check of published composes.
    pub python: Option<PathBuf>,
}

/// One push: files that take the place of others, committed to one repository or more.
#[derive(Clone, Debug)]
pub struct Push {
    /// Its name, e.g. `1-abi-kept-fix`.
    pub name: String,
    /// What it is, in a line.
    pub title: String,
    /// What is expected of it, in sentences.
    pub expected: String,
    /// The subject of its commits.
    pub subject: String,
    /// Whose repositories it goes to.
    pub artifacts: Vec<ArtifactKey>,
    /// Files to remove, e.g. `rpms/zlib/fix.patch`.
    pub delete: Vec<PathBuf>,
    /// Its place among all pushes, from 1. It decides the time of its commits.
    pub place: u32,
    /// Its folder.
    pub folder: PathBuf,
}

/// `push.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PushFile {
    title: String,
    expected: String,
    subject: String,
    artifacts: Vec<ArtifactKey>,
    #[serde(default)]
    delete: Vec<PathBuf>,
}

impl Distribution {
    /// Reads the folder.
    ///
    /// # Errors
    /// [`AdminError::Input`] names the file and what is wrong with it.
    pub fn read(folder: &Path) -> Result<Self, AdminError> {
        let folder = folder.canonicalize().map_err(unreadable(folder))?;
        let artifacts = artifacts(&folder)?;
        let mut pushes = Vec::new();
        for (name, place) in folders(&folder.join("pushes"))?.into_iter().zip(1..) {
            pushes.push(read_push(&folder.join("pushes").join(&name), name, place)?);
        }
        let distribution = Self { folder, artifacts, pushes, python: None };
        // What is wrong in a file of expectations should not show after minutes of work.
        for push in &distribution.pushes {
            distribution.expected(&push.name)?;
        }
        Ok(distribution)
    }

    /// The pushes of these names, a name's part before its first dash being enough; all of them if none is named.
    ///
    /// # Errors
    /// [`AdminError::Input`] lists the names there are.
    pub fn named(&self, names: &[String]) -> Result<Vec<Push>, AdminError> {
        let is = |push: &Push, name: &str| {
            push.name == name || push.name.split('-').next() == Some(name)
        };
        if let Some(name) = names.iter().find(|name| !self.pushes.iter().any(|push| is(push, name)))
        {
            let known: Vec<&str> = self.pushes.iter().map(|push| push.name.as_str()).collect();
            let known = known.join(", ");
            return Err(AdminError::Input(format!("there is no push {name}; there are {known}")));
        }
        let wanted =
            |push: &&Push| names.is_empty() || names.iter().any(|name| is(push, name.as_str()));
        Ok(self.pushes.iter().filter(wanted).cloned().collect())
    }

    /// How much there is of each kind: `19 packages, 3 images and 1 compose`.
    pub fn counted(&self) -> String {
        let count = |kind, one: &str| {
            let count = self.artifacts.iter().filter(|artifact| artifact.kind == kind).count();
            let ending = if count == 1 { "" } else { "s" };
            (count > 0).then(|| format!("{count} {one}{ending}"))
        };
        let counts = [
            count(ArtifactKind::Rpms, "package"),
            count(ArtifactKind::Containers, "image"),
            count(ArtifactKind::Composes, "compose"),
        ];
        let counts: Vec<String> = counts.into_iter().flatten().collect();
        match counts.as_slice() {
            [] => "nothing".to_owned(),
            [one] => one.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }

    /// What the push of this name must cause.
    pub(super) fn expected(&self, name: &str) -> Result<Expected, AdminError> {
        Expected::read(&self.folder.join("expected").join(format!("{name}.json")), name)
    }

    /// Where the first commit of an artifact lies.
    pub(super) fn sources(&self, artifact: &ArtifactKey) -> PathBuf {
        self.folder.join(artifact.repository())
    }

    /// The script that checks what is published from outside.
    pub(super) fn checker(&self) -> PathBuf {
        self.folder.join("check-published")
    }
}

fn read_push(folder: &Path, name: String, place: u32) -> Result<Push, AdminError> {
    let path = folder.join("push.toml");
    let text = fs::read_to_string(&path).map_err(unreadable(&path))?;
    let invalid = |problem: String| AdminError::Input(format!("{}: {problem}", path.display()));
    let PushFile { title, expected, subject, mut artifacts, delete } =
        toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    if let Some(path) = delete
        .iter()
        .find(|path| !path.components().all(|part| matches!(part, Component::Normal(_))))
    {
        return Err(invalid(format!("{} leads out of the distribution", path.display())));
    }
    artifacts.sort();
    let mut touched = self::artifacts(folder)?;
    for path in &delete {
        let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy());
        let (kind, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        touched.push(artifact(kind.parse().map_err(AdminError::input)?, &name)?);
    }
    touched.sort();
    touched.dedup();
    if touched != artifacts {
        let problem = format!("artifacts are {artifacts:?}, but the files are of {touched:?}");
        return Err(invalid(problem));
    }
    let expected = expected.trim().to_owned();
    Ok(Push { name, title, expected, subject, artifacts, delete, place, folder: folder.to_owned() })
}

/// The artifacts that have a folder below `rpms`, `containers` or `composes`, sorted.
fn artifacts(folder: &Path) -> Result<Vec<ArtifactKey>, AdminError> {
    let mut artifacts = Vec::new();
    for kind in ArtifactKind::ALL {
        let folder = folder.join(kind.as_str());
        let names = if folder.is_dir() { folders(&folder)? } else { Vec::new() };
        for name in names {
            artifacts.push(artifact(kind, &name)?);
        }
    }
    artifacts.sort();
    Ok(artifacts)
}

fn artifact(kind: ArtifactKind, name: &str) -> Result<ArtifactKey, AdminError> {
    let name: ArtifactName = name.parse().map_err(AdminError::input)?;
    let branch = BRANCH.parse().map_err(AdminError::input)?;
    Ok(ArtifactKey { kind, name, branch })
}

/// The names of the folders in a folder, sorted. What starts with a dot is nobody's business.
fn folders(folder: &Path) -> Result<Vec<String>, AdminError> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable(folder))? {
        let entry = entry.map_err(unreadable(folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn unreadable(path: &Path) -> impl FnOnce(std::io::Error) -> AdminError + '_ {
    move |error| AdminError::Input(format!("could not read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A distribution of `rpms/a` and `rpms/b` with one push of this `push.toml` and this file.
    fn distribution(push: &str, file: &str) -> (tempfile::TempDir, Result<Distribution, String>) {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("rpms/a/a.spec", "");
        write("rpms/b/b.spec", "");
        write("pushes/1-x/push.toml", push);
        write(&format!("pushes/1-x/{file}"), "");
        write("expected/1-x.json", r#"{"push": "1-x"}"#);
        let read = Distribution::read(folder.path()).map_err(|error| error.to_string());
        (folder, read)
    }

    const PUSH: &str = "title = 't'\nexpected = 'e'\nsubject = 's'\nartifacts = ['rpms/a#f44']\n";

    #[test]
    fn packages_and_pushes_are_found_by_name() {
        let (_folder, read) = distribution(PUSH, "rpms/a/a.spec");
        let read = read.unwrap();
        assert_eq!(format!("{:?}", read.artifacts), "[rpms/a#f44, rpms/b#f44]");
        assert_eq!(read.counted(), "2 packages");
        let names = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            let found = read.named(&names).map_err(|error| error.to_string())?;
            Ok::<_, String>(found.into_iter().map(|push| push.name).collect::<Vec<_>>())
        };
        assert_eq!(names(&[]).unwrap(), ["1-x"]);
        assert_eq!(names(&["1"]).unwrap(), ["1-x"]);
        assert_eq!(names(&["1-x"]).unwrap(), ["1-x"]);
        assert_eq!(names(&["2"]).unwrap_err(), "there is no push 2; there are 1-x");
    }

    #[test]
    fn a_push_that_contradicts_itself_is_refused_with_its_file() {
        let check = |push: &str, file: &str, expected: &str| {
            let (_folder, read) = distribution(push, file);
            let error = read.unwrap_err();
            assert!(error.contains("push.toml") && error.contains(expected), "{error}");
        };
        check(
            PUSH,
            "rpms/b/b.spec",
            "artifacts are [rpms/a#f44], but the files are of [rpms/b#f44]",
        );
        check(&format!("{PUSH}delete = ['../x']"), "rpms/a/a.spec", "leads out");
        check(&format!("{PUSH}colour = 'red'"), "rpms/a/a.spec", "colour");
    }
}
