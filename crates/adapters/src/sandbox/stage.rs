//! The folder a cell starts from: everything it may see, readable by its user, and nothing else.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use crate::sandbox::{Cell, SandboxError};

/// The part of the script that is the same for all cells.
const ROOT: &str = include_str!("root.sh");

/// rpm's own settings inside: where things are, and whatever would make two equal builds differ.
const MACROS: &str = "\
%_topdir /build
%_dbpath /var/lib/rpm
%_buildhost build
%use_source_date_epoch_as_buildtime 1
%clamp_mtime_to_source_date_epoch 1
%debug_package %{nil}
%_build_id_links none
%__brp_elfperms %{nil}
%_binary_payload w1.gzdio
%_source_payload w1.gzdio
%_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm
";

/// Debian's rpm warns against itself on standard error, where complaints of packages are looked for;
/// it does so where it finds Debian's /etc, which the root does not have.
const INSTALL: &str = "exec rpm -U --nosignature --nodigest /in/dependencies/*.rpm\n";

/// The libraries just installed become findable at run time.
const LDCONFIG: &str = "exec ldconfig\n";

/// A further thing for the folder `/in`.
#[derive(Clone, Debug)]
pub(crate) enum Staged {
    /// A file with this name and text.
    Text(&'static str, String),
    /// A folder with this name, copied from there.
    Tree(String, PathBuf),
    /// A folder with this name, with copies of these packages.
    Packages(String, Vec<PathBuf>),
}

/// Makes `in` and `out` in the cell's work folder, and returns the folder that holds both.
pub(crate) fn stage(cell: &Cell, owner: Option<u32>) -> Result<PathBuf, SandboxError> {
    let folder = cell.work.join("cell");
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(SandboxError::file("remove the earlier", folder, error));
        }
        _ => {}
    }
    let inside = folder.join("in");
    create(&inside.join("rpmdb"))?;
    write(&inside.join("root.sh"), &format!("{ROOT}{}", cell.steps))?;
    write(&inside.join("macros"), MACROS)?;
    write(&inside.join("install.sh"), INSTALL)?;
    write(&inside.join("ldconfig.sh"), LDCONFIG)?;
    copy_tree(&cell.rpmdb, &inside.join("rpmdb"))?;
    stage_packages(&cell.dependencies, &inside.join("dependencies"), Means::Link)?;
    for staged in &cell.staged {
        match staged {
            Staged::Text(name, text) => write(&inside.join(name), text)?,
            Staged::Tree(name, from) => copy_tree(from, &inside.join(name))?,
            Staged::Packages(name, packages) => {
                stage_packages(packages, &inside.join(name), Means::Copy)?;
            }
        }
    }
    let out = folder.join("out");
    create(&out)?;
    if let Some(uid) = owner {
        let given = chown(&out, Some(uid), Some(uid));
        given.map_err(|source| SandboxError::file("give away", &out, source))?;
    }
    // The slot's user passes through this folder without being able to list it.
    permit(&folder, 0o711)?;
    Ok(folder)
}

/// How a package comes into a cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Means {
    /// By a hard link, where that is possible: it costs nothing.
    Link,
    /// By a copy, for a cell that has the capabilities to undo a mount and so must hold nothing of worth.
    Copy,
}

/// Gives packages short names of their own, so that neither order nor two of the same name matter.
fn stage_packages(packages: &[PathBuf], folder: &Path, means: Means) -> Result<(), SandboxError> {
    if packages.is_empty() {
        return Ok(());
    }
    create(folder)?;
    for (number, package) in packages.iter().enumerate() {
        let place = folder.join(format!("{number:04}.rpm"));
        let readable =
            fs::metadata(package).is_ok_and(|found| found.permissions().mode() & 0o004 != 0);
        // A link is impossible across file systems and for files of other users.
        let linked = means == Means::Link && readable && fs::hard_link(package, &place).is_ok();
        if !linked {
            copy_file(package, &place, 0o644)?;
        }
    }
    Ok(())
}

/// Copies a folder's files, folders and symbolic links. Everything becomes readable to all and keeps
/// whether it is executable. What belongs to git is left out.
pub(crate) fn copy_tree(from: &Path, to: &Path) -> Result<(), SandboxError> {
    create(to)?;
    let failed = |source| SandboxError::file("read the folder", from, source);
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let (path, place) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type().map_err(failed)?;
        if entry.file_name() == ".git" {
            continue;
        }
        if kind.is_dir() {
            copy_tree(&path, &place)?;
        } else if kind.is_symlink() {
            let target = fs::read_link(&path).and_then(|target| symlink(target, &place));
            target.map_err(|source| SandboxError::file("copy the link", path, source))?;
        } else if kind.is_file() {
            let mode = entry.metadata().map_err(failed)?.permissions().mode();
            copy_file(&path, &place, if mode & 0o100 == 0 { 0o644 } else { 0o755 })?;
        }
    }
    Ok(())
}

fn copy_file(from: &Path, to: &Path, mode: u32) -> Result<(), SandboxError> {
    fs::copy(from, to).map_err(|source| SandboxError::file("copy", from, source))?;
    permit(to, mode)
}

fn create(folder: &Path) -> Result<(), SandboxError> {
    fs::create_dir_all(folder).map_err(|source| SandboxError::file("make", folder, source))?;
    permit(folder, 0o755)
}

fn write(path: &Path, text: &str) -> Result<(), SandboxError> {
    fs::write(path, text).map_err(|source| SandboxError::file("write", path, source))?;
    permit(path, 0o644)
}

/// Sets a mode whatever the server's umask is.
fn permit(path: &Path, mode: u32) -> Result<(), SandboxError> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|source| SandboxError::file("set the mode of", path, source))
}
