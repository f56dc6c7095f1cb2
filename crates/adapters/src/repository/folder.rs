//! Fills a folder with packages and their metadata under a temporary name, then gives it its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use flate2::read::GzDecoder;
use model::digest::Digest;
use sha2::{Digest as _, Sha256};

use super::command::{self, CommandError};
use super::{RepositoryError, images, write_error};

/// Packages by file name, with what identifies each.
pub(crate) type Packages = BTreeMap<String, (PathBuf, Digest)>;

/// What a folder is filled with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Contents {
    pub(crate) packages: Packages,
    /// Images by name: the folder of the layout, and what identifies it.
    pub(crate) images: BTreeMap<String, (PathBuf, Digest)>,
}

/// The file in a folder that holds the digest of its packages; written last, so it also says the folder is whole.
pub(crate) const IDENTITY: &str = "millstream-snapshot";

/// What a folder is called until it is whole.
pub(crate) const TEMPORARY: &str = ".new-";

/// The time every package and metadata file gets, so that the same packages have the same metadata: 1980-01-01.
pub(crate) const FILE_TIME: u64 = 315_532_800;

/// How the lead of every RPM file starts.
pub(crate) const RPM_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];

const TIME_LIMIT: Duration = Duration::from_secs(900);

/// Reads and digests packages. Every one of them must be there before anything is written.
pub(crate) fn digest_packages(paths: &[PathBuf]) -> Result<Packages, RepositoryError> {
    let mut packages = Packages::new();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| name.ends_with(".rpm") && !name.contains(['\n', '\0']));
        let name = name.ok_or_else(|| RepositoryError::Name { path: path.clone() })?;
        let digest = digest_file(path)
            .map_err(|source| RepositoryError::Package { path: path.clone(), source })?;
        let earlier = packages.insert(name.to_owned(), (path.clone(), digest));
        if let Some((first, _)) = earlier.filter(|(_, other)| *other != digest) {
            return Err(RepositoryError::Clash { first, second: path.clone() });
        }
    }
    Ok(packages)
}

/// The digest of a package.
pub(crate) fn digest_file(path: &Path) -> io::Result<Digest> {
    let mut file = File::open(path)?;
    let mut magic = [0; 4];
    if file.read_exact(&mut magic).is_err() || magic != RPM_MAGIC {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not an RPM package"));
    }
    let mut hasher = Sha256::new_with_prefix(magic);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest(hasher.finalize().into())),
            length => hasher.update(&buffer[..length]),
        }
    }
}

/// The digest of what a folder is filled with: over the names and digests of packages and images.
pub(crate) fn identity(contents: &Contents) -> Digest {
    let packages = contents.packages.iter().map(|(name, (_, digest))| format!("{name} {digest}\n"));
    let images =
        contents.images.iter().map(|(name, (_, digest))| format!("image {name} {digest}\n"));
    Digest::of(packages.chain(images).collect::<String>())
}

/// The identity of the packages in a folder; none if there is no whole folder.
pub(crate) fn read_identity(folder: &Path) -> Option<Digest> {
    fs::read_to_string(folder.join(IDENTITY)).ok()?.trim().parse().ok()
}

/// Makes the folder `target` with these packages and images. Call it under [`lock`].
pub(crate) async fn write(
    target: &Path,
    cache: &Path,
    contents: &Contents,
) -> Result<(), RepositoryError> {
    let parent = target.parent().unwrap_or(Path::new("."));
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let draft = parent.join(format!("{TEMPORARY}{name}"));
    let written = fill(&draft, cache, contents).await;
    let renamed = written.and_then(|()| {
        // What has the final name without an identity was not made here whole: a power cut can leave such.
        remove(target).map_err(write_error(target))?;
        fs::rename(&draft, target).map_err(write_error(target))?;
        sync(parent).map_err(write_error(parent))
    });
    if renamed.is_err() {
        // The first error is the one to tell, and the next writer removes what is left.
        let _ = remove(&draft);
    }
    renamed
}

async fn fill(draft: &Path, cache: &Path, contents: &Contents) -> Result<(), RepositoryError> {
    {
        let (draft, contents) = (draft.to_owned(), contents.clone());
        tokio::task::spawn_blocking(move || link_all(&draft, &contents)).await??;
    }
    create_metadata(draft, cache, contents.packages.len(), None).await?;
    let (draft, identity) = (draft.to_owned(), identity(contents));
    tokio::task::spawn_blocking(move || seal(&draft, identity)).await?
}

fn link_all(draft: &Path, contents: &Contents) -> Result<(), RepositoryError> {
    remove(draft).map_err(write_error(draft))?;
    fs::create_dir_all(draft).map_err(write_error(draft))?;
    images::link(&contents.images, &draft.join(images::FOLDER))?;
    for (name, (path, _)) in &contents.packages {
        let place = draft.join(name);
        let source = fs::canonicalize(path)
            .map_err(|source| RepositoryError::Package { path: path.clone(), source })?;
        link(&source, &place).map_err(write_error(&place))?;
    }
    Ok(())
}

/// Puts a file at another place as well, with the time all files have.
pub(crate) fn link(source: &Path, place: &Path) -> io::Result<()> {
    // Another file system, another owner, too many links: whatever it is, a copy does as well.
    fs::hard_link(source, place).and_then(|()| set_time(place)).or_else(|_| copy(source, place))
}

fn copy(source: &Path, place: &Path) -> io::Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => fs::copy(source, place)?,
    };
    set_time(place)?;
    sync(place)
}

/// Gives a file the time all packages have. A hard link shares it with the build's output, which does not mind.
pub(crate) fn set_time(path: &Path) -> io::Result<()> {
    let time = UNIX_EPOCH + Duration::from_secs(FILE_TIME);
    let file = File::open(path)?;
    if file.metadata()?.modified()? == time { Ok(()) } else { file.set_modified(time) }
}

/// Writes the metadata of the packages in and below a folder, with groups if there are any.
pub(crate) async fn create_metadata(
    draft: &Path,
    cache: &Path,
    given: usize,
    groups: Option<&Path>,
) -> Result<(), RepositoryError> {
    let mut createrepo = command::clean("createrepo_c");
    if let Some(groups) = groups {
        createrepo.arg("--groupfile").arg(absolute(groups));
    }
    createrepo
        .args(["--no-database", "--simple-md-filenames", "--general-compress-type=gz"])
        .args(["--changelog-limit=0", "--set-timestamp-to-revision", "--error-exit-val"])
        .arg(format!("--revision={FILE_TIME}"))
        .arg("--cachedir")
        .arg(absolute(cache))
        .arg(absolute(draft));
    let path = || draft.to_owned();
    let metadata = |source: CommandError| RepositoryError::Metadata { path: path(), source };
    let finished = command::finish(createrepo, TIME_LIMIT).await.map_err(metadata)?;
    let message = finished.stderr.trim().to_owned();
    finished.success().map_err(metadata)?;
    // It goes on without a package it cannot read.
    let primary = draft.join("repodata/primary.xml.gz");
    let listed = count_packages(&primary).map_err(write_error(&primary))?;
    if listed == given {
        Ok(())
    } else {
        Err(RepositoryError::Incomplete { path: path(), listed, given, message })
    }
}

/// How many packages the metadata says it lists; it says so in its first lines.
fn count_packages(primary: &Path) -> io::Result<usize> {
    let mut start = String::new();
    GzDecoder::new(File::open(primary)?).take(512).read_to_string(&mut start)?;
    let number = start.split_once("packages=\"").and_then(|(_, rest)| rest.split_once('"'));
    let number = number.and_then(|(number, _)| number.parse().ok());
    number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no number of packages in it"))
}

/// Brings the metadata to the disk and writes the identity behind it.
fn seal(draft: &Path, identity: Digest) -> Result<(), RepositoryError> {
    let repodata = draft.join("repodata");
    for entry in fs::read_dir(&repodata).map_err(write_error(&repodata))? {
        let path = entry.map_err(write_error(&repodata))?.path();
        sync(&path).map_err(write_error(&path))?;
    }
    let path = draft.join(IDENTITY);
    fs::write(&path, format!("{identity}\n")).map_err(write_error(&path))?;
    for path in [&path, &repodata, &draft.to_owned()] {
        sync(path).map_err(write_error(path))?;
    }
    Ok(())
}

/// Brings a file or the entries of a folder to the disk.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a folder, if it is there.
pub(crate) fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes a folder that counts: first its name, at once, then what was in it.
pub(crate) fn discard(folder: &Path) -> io::Result<()> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let doomed = folder.with_file_name(format!("{TEMPORARY}{name}"));
    fs::rename(folder, &doomed)?;
    remove(&doomed)
}

/// The names of what is in a folder; none if there is no folder.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Waits until no other process writes below a folder, and removes what writers left behind that were killed.
pub(crate) async fn lock(folder: &Path) -> Result<File, RepositoryError> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || {
        fs::create_dir_all(&folder).map_err(write_error(&folder))?;
        let path = folder.join(".lock");
        let options = File::options().create(true).append(true).clone();
        let file = options.open(&path).map_err(write_error(&path))?;
        file.lock().map_err(write_error(&path))?;
        for entry in fs::read_dir(&folder).map_err(write_error(&folder))? {
            let entry = entry.map_err(write_error(&folder))?;
            if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
                remove(&entry.path()).map_err(write_error(&folder))?;
            }
        }
        Ok(file)
    })
    .await?
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
