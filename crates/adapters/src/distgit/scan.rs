//! Finds where every branch of every repository points.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::artifact::{ArtifactKind, ArtifactName, BranchName, CommitId, InvalidName};
use model::digest::Digest;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{DistGitError, RepositoryName, git, io_error};

/// Where a branch points.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefTip {
    /// The repository.
    pub repository: RepositoryName,
    /// The branch.
    pub branch: BranchName,
    /// The commit.
    pub commit: CommitId,
}

/// Something that could not be read.
#[derive(Debug)]
pub struct ScanProblem {
    /// The place in dist-git, e.g. `rpms/zlib`, as it is written there.
    pub place: String,
    /// What is wrong.
    pub error: DistGitError,
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Scan {
    /// Every branch of the repositories that could be read, sorted.
    pub tips: Vec<RefTip>,
    /// The repositories that could be read. A branch of one of these that is not among the tips is deleted;
    /// of the others nothing is known.
    pub read: BTreeSet<RepositoryName>,
    /// What could not be read, in the order of the folders.
    pub problems: Vec<ScanProblem>,
}

/// Scans a dist-git again and again and asks git only about repositories whose refs changed.
#[derive(Debug)]
pub struct Scanner {
    root: PathBuf,
    known: BTreeMap<RepositoryName, Known>,
}

/// What the last scan found in a repository. It is forgotten once it cannot be read.
#[derive(Debug, Default)]
struct Known {
    /// The digest over all files that hold refs, taken before git was asked.
    refs: Option<Digest>,
    tips: Vec<RefTip>,
    strange: Vec<(String, InvalidName)>,
}

/// The repositories there are, each with the digest of its refs (none where that cannot be taken), and what is strange.
type Listing = (BTreeMap<RepositoryName, Option<Digest>>, Vec<ScanProblem>);

/// How many gits run at the same time.
const GITS: usize = 8;

impl Scanner {
    /// A scanner that knows nothing yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), known: BTreeMap::new() }
    }

    /// Reads all refs there are now. An error means that nothing could be read at all.
    pub async fn scan(&mut self) -> Result<Scan, DistGitError> {
        let (names, mut problems) = self.list().await?;
        let vanished: Vec<RepositoryName> =
            self.known.keys().filter(|name| !names.contains_key(name)).cloned().collect();
        for name in vanished {
            let repository = name.to_string();
            problems.push(ScanProblem {
                place: repository.clone(),
                error: DistGitError::Vanished { repository },
            });
        }
        let changed: Vec<RepositoryName> = names
            .iter()
            .filter(|(name, refs)| {
                self.known
                    .get(name)
                    .is_none_or(|known| known.refs.is_none() || known.refs != **refs)
            })
            .map(|(name, _)| name.clone())
            .collect();
        for (name, answer) in ask_all(&self.root, changed).await? {
            match answer {
                Ok(known) => {
                    let refs = names.get(&name).copied().flatten();
                    self.known.insert(name, Known { refs, ..known });
                }
                Err(error) => {
                    // Still known to exist, but nothing in it is.
                    self.known.insert(name.clone(), Known::default());
                    problems.push(ScanProblem { place: name.to_string(), error });
                }
            }
        }
        Ok(self.report(problems))
    }

    fn report(&self, mut problems: Vec<ScanProblem>) -> Scan {
        let failed: BTreeSet<String> =
            problems.iter().map(|problem| problem.place.clone()).collect();
        let mut scan = Scan::default();
        for (name, known) in &self.known {
            if failed.contains(&name.to_string()) {
                continue;
            }
            scan.read.insert(name.clone());
            scan.tips.extend(known.tips.iter().cloned());
            for (text, source) in &known.strange {
                let place = format!("{name}#{text}");
                let error = DistGitError::Name { place: place.clone(), source: source.clone() };
                problems.push(ScanProblem { place, error });
            }
        }
        scan.tips.sort();
        problems.sort_by(|a, b| a.place.cmp(&b.place));
        scan.problems = problems;
        scan
    }

    async fn list(&self) -> Result<Listing, DistGitError> {
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || list(&root)).await?
    }
}

fn list(root: &Path) -> Result<Listing, DistGitError> {
    let (mut names, mut problems) = (BTreeMap::new(), Vec::new());
    // A dist-git that is not there at all must not look like one whose repositories were deleted.
    fs::read_dir(root).map_err(io_error(root))?;
    for kind in ArtifactKind::ALL {
        let folder = root.join(kind.as_str());
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            entries => entries.map_err(io_error(&folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(io_error(&folder))?;
            let file = entry.file_name().to_string_lossy().into_owned();
            if file.starts_with('.') || !entry.path().is_dir() {
                continue;
            }
            match repository_name(kind, &file) {
                Ok(name) => {
                    names.insert(name, refs_digest(&entry.path()).ok());
                }
                Err(source) => {
                    let place = format!("{kind}/{file}");
                    let error = DistGitError::Name { place: place.clone(), source };
                    problems.push(ScanProblem { place, error });
                }
            }
        }
    }
    Ok((names, problems))
}

fn repository_name(kind: ArtifactKind, file: &str) -> Result<RepositoryName, InvalidName> {
    let Some(name) = file.strip_suffix(".git") else {
        let expected = "a folder NAME.git";
        return Err(InvalidName { what: "repository", text: file.to_owned(), expected });
    };
    Ok(RepositoryName { kind, name: name.parse::<ArtifactName>()? })
}

/// The digest over the content of every file that holds refs: times and sizes may stay while a ref moves.
fn refs_digest(repository: &Path) -> io::Result<Digest> {
    let mut files = BTreeMap::new();
    // `reftable/tables.list` changes with every change of a ref, where git is told to keep them so.
    for file in ["packed-refs", "reftable/tables.list"] {
        match fs::read(repository.join(file)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            content => {
                files.insert(PathBuf::from(file), content?);
            }
        }
    }
    read_tree(&repository.join("refs/heads"), &mut files)?;
    let fields = files
        .iter()
        .flat_map(|(path, content)| [path.as_os_str().as_encoded_bytes(), content.as_slice()]);
    Ok(Digest::of_fields(fields))
}

fn read_tree(folder: &Path, files: &mut BTreeMap<PathBuf, Vec<u8>>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            read_tree(&entry.path(), files)?;
        } else {
            files.insert(entry.path(), fs::read(entry.path())?);
        }
    }
    Ok(())
}

type Answer = (RepositoryName, Result<Known, DistGitError>);

async fn ask_all(root: &Path, names: Vec<RepositoryName>) -> Result<Vec<Answer>, DistGitError> {
    let places = Arc::new(Semaphore::new(GITS));
    let mut gits = JoinSet::new();
    for name in names {
        let (path, places) = (name.path(root), Arc::clone(&places));
        gits.spawn(async move {
            // The semaphore is never closed, so there is always a place in the end.
            let _place = places.acquire_owned().await.ok();
            let answer = ask(&name, &path).await;
            (name, answer)
        });
    }
    let mut answers = Vec::new();
    while let Some(answer) = gits.join_next().await {
        answers.push(answer?);
    }
    Ok(answers)
}

async fn ask(name: &RepositoryName, path: &Path) -> Result<Known, DistGitError> {
    let repository = name.to_string();
    let mut command = git::git(path);
    // The type makes git look whether the commit is there.
    command.args(["--git-dir", ".", "for-each-ref"]);
    command.args(["--format=%(objectname) %(objecttype) %(refname)", "refs/heads"]);
    let finished = git::finish(&repository, command).await?;
    let message = finished.stderr.trim().to_owned();
    let printed = finished
        .success()
        .map_err(|source| DistGitError::Git { repository: repository.clone(), source })?;
    // git leaves a damaged ref out with a warning, which must not look as if the ref were deleted.
    if !message.is_empty() {
        return Err(DistGitError::Damaged { repository, message });
    }
    let mut known = Known::default();
    for line in String::from_utf8_lossy(&printed).lines() {
        let unexpected = || DistGitError::Unexpected {
            repository: repository.clone(),
            printed: line.to_owned(),
        };
        let (object, rest) = line.split_once(' ').ok_or_else(unexpected)?;
        let branch = rest.strip_prefix("commit refs/heads/").ok_or_else(unexpected)?;
        let commit: CommitId = object.parse().map_err(|_| unexpected())?;
        match branch.parse::<BranchName>() {
            Ok(branch) => known.tips.push(RefTip { repository: name.clone(), branch, commit }),
            Err(error) => known.strange.push((branch.to_owned(), error)),
        }
    }
    Ok(known)
}
