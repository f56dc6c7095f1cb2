//! Reads commits: who and why, how they are related, and their files.

use std::fs::{self, FileTimes};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use model::artifact::CommitId;

use super::{DistGitError, git, io_error};

/// What a commit says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// The commit.
    pub commit: CommitId,
    /// Its files: equal for two commits that hold the same.
    pub tree: CommitId,
    /// Its parents.
    pub parents: Vec<CommitId>,
    /// The author's name.
    pub author: String,
    /// When it was written, in seconds since 1970.
    pub author_time: i64,
    /// When it was committed, in seconds since 1970.
    pub commit_time: i64,
    /// The first line of its message.
    pub subject: String,
    /// The trailers of its message in their order, e.g. `Severity: security`.
    pub trailers: Vec<(String, String)>,
}

impl CommitInfo {
    /// The value of a trailer, whatever the case of its name; the last one counts.
    pub fn trailer(&self, name: &str) -> Option<&str> {
        let found = self.trailers.iter().rfind(|(found, _)| found.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads what a commit says about itself.
pub async fn commit_info(repository: &Path, commit: &CommitId) -> Result<CommitInfo, DistGitError> {
    let name = repository.display().to_string();
    let mut command = git::git(repository);
    command.args(["show", "-s", "--no-show-signature", "--encoding=UTF-8"]);
    command.arg("--format=%T%x00%P%x00%an%x00%at%x00%ct%x00%s%x00%(trailers:only,unfold)");
    command.arg(format!("{commit}^{{commit}}"));
    let printed = git::output(&name, command).await?;
    parse_info(commit, &printed)
        .ok_or_else(|| DistGitError::Unexpected { repository: name, printed: printed.clone() })
}

fn parse_info(commit: &CommitId, printed: &str) -> Option<CommitInfo> {
    let fields: Vec<&str> = printed.splitn(7, '\0').collect();
    let [tree, parents, author, author_time, commit_time, subject, trailers] = fields.as_slice()
    else {
        return None;
    };
    let trailer = |line: &str| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    };
    Some(CommitInfo {
        commit: commit.clone(),
        tree: tree.parse().ok()?,
        parents: parents.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?,
        author: (*author).to_owned(),
        author_time: author_time.parse().ok()?,
        commit_time: commit_time.parse().ok()?,
        subject: (*subject).to_owned(),
        trailers: trailers.lines().filter_map(trailer).collect(),
    })
}

/// Whether `new` contains `old`. An old commit that is gone was left behind by a forced push: it does not.
pub async fn is_ancestor(
    repository: &Path,
    old: &CommitId,
    new: &CommitId,
) -> Result<bool, DistGitError> {
    let name = repository.display().to_string();
    let mut command = git::git(repository);
    command.args(["merge-base", "--is-ancestor", old.as_str(), new.as_str()]);
    let finished = git::finish(&name, command).await?;
    match finished.status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => {
            resolve_commit(repository, new.as_str()).await?;
            match resolve_commit(repository, old.as_str()).await {
                Err(DistGitError::NoCommit { .. }) => Ok(false),
                _ => Err(DistGitError::Git { repository: name, source: finished.failure() }),
            }
        }
    }
}

/// The commit a revision names: a branch, a tag, an abbreviated commit, `f44~1`.
pub async fn resolve_commit(repository: &Path, revision: &str) -> Result<CommitId, DistGitError> {
    let name = repository.display().to_string();
    let mut command = git::git(repository);
    command.args(["rev-parse", "--verify", "--quiet", "--end-of-options"]);
    command.arg(format!("{revision}^{{commit}}"));
    let finished = git::finish(&name, command).await?;
    let silent =
        finished.stderr.trim().is_empty() || finished.stderr.contains("Needed a single revision");
    match finished.success() {
        Ok(printed) => {
            let printed = String::from_utf8_lossy(&printed).trim().to_owned();
            printed.parse().map_err(|_| DistGitError::Unexpected { repository: name, printed })
        }
        Err(_) if silent => {
            Err(DistGitError::NoCommit { repository: name, revision: revision.to_owned() })
        }
        Err(source) => Err(DistGitError::Git { repository: name, source }),
    }
}

/// The id of a commit's files: equal for two commits that hold the same.
pub async fn tree_id(repository: &Path, commit: &CommitId) -> Result<CommitId, DistGitError> {
    Ok(commit_info(repository, commit).await?.tree)
}

/// The content of one file of a commit; none if the commit has no such file.
pub async fn read_file(
    repository: &Path,
    commit: &CommitId,
    path: &str,
) -> Result<Option<Vec<u8>>, DistGitError> {
    let name = repository.display().to_string();
    let mut list = git::git(repository);
    list.args(["ls-tree", "-z", "--full-tree", commit.as_str(), "--", path]);
    if !git::output(&name, list).await?.contains(" blob ") {
        return Ok(None);
    }
    let mut command = git::git(repository);
    command.args(["cat-file", "blob", &format!("{commit}:{path}")]);
    let content = git::finish(&name, command).await?.success();
    content.map(Some).map_err(|source| DistGitError::Git { repository: name, source })
}

/// Writes the files of a commit into a folder, which must be empty or not there. All get the commit's time.
///
/// This is no `git archive`: a commit could take its own tests out of one with an `export-ignore` attribute.
pub async fn export(repository: &Path, commit: &CommitId, into: &Path) -> Result<(), DistGitError> {
    let name = repository.display().to_string();
    let into = prepare(into)?;
    let time = commit_info(repository, commit).await?.commit_time;
    let index = index_beside(&into);
    let with_index = || {
        let mut command = git::git(repository);
        command.env("GIT_INDEX_FILE", &index).env("GIT_WORK_TREE", &into);
        command.args(["-c", "core.bare=false", "-c", "core.hooksPath=/dev/null"]);
        command
    };
    let mut read_tree = with_index();
    read_tree.args(["read-tree", commit.as_str()]);
    let mut checkout = with_index();
    checkout.args(["checkout-index", "--all", "--quiet"]);
    let written = match git::output(&name, read_tree).await {
        Ok(_) => git::output(&name, checkout).await.map(drop),
        Err(error) => Err(error),
    };
    // It is beside the export and of no use to anybody.
    let _ = fs::remove_file(&index);
    written?;
    let time = UNIX_EPOCH + Duration::from_secs(time.max(0).unsigned_abs());
    tokio::task::spawn_blocking(move || set_times(&into, time)).await?
}

/// Writes the files of a working tree as they are into a folder: the tracked ones and those git does not ignore.
/// All get the time of its last commit, or that of 1970 before the first.
pub async fn export_worktree(tree: &Path, into: &Path) -> Result<(), DistGitError> {
    let name = tree.display().to_string();
    let into = prepare(into)?;
    let mut list = git::git(tree);
    list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
    let listed = git::finish(&name, list).await?.success();
    let listed = listed.map_err(|source| DistGitError::Git { repository: name, source })?;
    let time = match resolve_commit(tree, "HEAD").await {
        Ok(head) => commit_info(tree, &head).await?.commit_time,
        Err(DistGitError::NoCommit { .. }) => 0,
        Err(error) => return Err(error),
    };
    let time = UNIX_EPOCH + Duration::from_secs(time.max(0).unsigned_abs());
    let tree = tree.to_owned();
    tokio::task::spawn_blocking(move || {
        for path in listed.split(|&byte| byte == 0).filter(|path| !path.is_empty()) {
            copy(&tree, &into, Path::new(std::ffi::OsStr::from_bytes(path)))?;
        }
        set_times(&into, time)
    })
    .await?
}

/// Copies one file or symbolic link; one that was deleted in the working tree is left out.
fn copy(tree: &Path, into: &Path, path: &Path) -> Result<(), DistGitError> {
    let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
    let (from, to) = (tree.join(path), into.join(path));
    let Ok(found) = fs::symlink_metadata(&from) else { return Ok(()) };
    // A folder is a submodule, which git exports as an empty folder as well.
    if !inside || found.is_dir() {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent).map_err(io_error(parent))?;
    }
    if found.is_symlink() {
        let target = fs::read_link(&from).map_err(io_error(&from))?;
        std::os::unix::fs::symlink(target, &to).map_err(io_error(&to))
    } else {
        fs::copy(&from, &to).map_err(io_error(&from)).map(drop)
    }
}

/// Makes a folder that must be empty, and returns its absolute path: git is run elsewhere.
fn prepare(into: &Path) -> Result<PathBuf, DistGitError> {
    fs::create_dir_all(into).map_err(io_error(into))?;
    let into = fs::canonicalize(into).map_err(io_error(into))?;
    match fs::read_dir(&into).map_err(io_error(&into))?.next() {
        None => Ok(into),
        Some(_) => Err(DistGitError::NotEmpty { path: into }),
    }
}

fn index_beside(into: &Path) -> PathBuf {
    let name = into.file_name().unwrap_or_default().to_string_lossy();
    into.with_file_name(format!(".{name}.index"))
}

/// Gives every file and folder one time, so that no build tool sees one as newer than another.
fn set_times(folder: &Path, time: SystemTime) -> Result<(), DistGitError> {
    for entry in fs::read_dir(folder).map_err(io_error(folder))? {
        let entry = entry.map_err(io_error(folder))?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(io_error(folder))?);
        if kind.is_dir() {
            set_times(&path, time)?;
        } else if kind.is_file() {
            set_time(&path, time)?;
        }
    }
    set_time(folder, time)
}

fn set_time(path: &Path, time: SystemTime) -> Result<(), DistGitError> {
    let times = FileTimes::new().set_modified(time).set_accessed(time);
    fs::File::open(path).and_then(|file| file.set_times(times)).map_err(io_error(path))
}
