//! Lays out a dist-git: its folders, its repositories, and the hook that wakes whoever watches it.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use model::artifact::ArtifactKind;

use super::{DistGitError, RepositoryName, git, io_error};

/// What became of a hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookState {
    /// It was written.
    Installed,
    /// It was there as it should be.
    Unchanged,
    /// Somebody else's hook is there and was left alone. Polling finds pushes without a hook, only later.
    Foreign,
}

/// The line by which our own hook is known.
const MARK: &str = "# Wakes Millstream after a push; it is safe to remove this file.";

/// Lays out an empty dist-git; what is there already stays.
pub fn init(root: &Path) -> Result<(), DistGitError> {
    for kind in ArtifactKind::ALL {
        let folder = root.join(kind.as_str());
        fs::create_dir_all(&folder).map_err(io_error(&folder))?;
    }
    Ok(())
}

/// Makes an empty bare repository, unless it is there, and returns its folder.
pub async fn create_repository(
    root: &Path,
    name: &RepositoryName,
) -> Result<PathBuf, DistGitError> {
    let target = name.path(root);
    if target.join("HEAD").exists() {
        return Ok(target);
    }
    init(root)?;
    // A scan must not meet a half-made repository; it passes over names that start with a dot.
    let draft = target.with_file_name(format!(".{}.new", name.name));
    match fs::remove_dir_all(&draft) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&draft)(error)),
        _ => {}
    }
    let folder = target.parent().unwrap_or(root);
    let mut command = git::git(folder);
    command.args(["init", "--quiet", "--bare", "--initial-branch=main", "--"]);
    command.arg(draft.file_name().unwrap_or_default());
    git::output(&name.to_string(), command).await?;
    match fs::rename(&draft, &target) {
        // Another process was faster.
        Err(_) if target.join("HEAD").exists() => {
            fs::remove_dir_all(&draft).map_err(io_error(&draft))?;
        }
        renamed => renamed.map_err(io_error(&target))?,
    }
    Ok(target)
}

/// The file a dist-git's hooks touch.
pub fn wake_file(root: &Path) -> PathBuf {
    root.join(".wake")
}

/// The shell command that touches the wake file.
pub fn wake_command(root: &Path) -> String {
    let path = std::path::absolute(wake_file(root)).unwrap_or_else(|_| wake_file(root));
    format!("touch -- '{}'", path.display().to_string().replace('\'', r"'\''"))
}

/// Installs a `post-receive` hook that runs a command and lets the push succeed whatever comes of it.
pub fn install_hook(repository: &Path, wake_command: &str) -> Result<HookState, DistGitError> {
    let hooks = repository.join("hooks");
    let path = hooks.join("post-receive");
    // The list of refs on standard input has to be read, or git complains about a broken pipe.
    let text = format!(
        "#!/bin/sh\n{MARK}\ncat >/dev/null\n({wake_command}) >/dev/null 2>&1 || true\nexit 0\n"
    );
    match fs::read(&path) {
        Ok(found) if found == text.as_bytes() => return Ok(HookState::Unchanged),
        Ok(found) if !String::from_utf8_lossy(&found).contains(MARK) => {
            return Ok(HookState::Foreign);
        }
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error(&path)(error)),
        _ => {}
    }
    fs::create_dir_all(&hooks).map_err(io_error(&hooks))?;
    let draft = hooks.join(".post-receive.new");
    fs::write(&draft, text).map_err(io_error(&draft))?;
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).map_err(io_error(&draft))?;
    fs::rename(&draft, &path).map_err(io_error(&path))?;
    Ok(HookState::Installed)
}
