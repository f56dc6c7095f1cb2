//! Fills the folder of a compose: makes what has to be made, links what is reused, and describes it at the end.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::compose::{
    ArchName, ComposeOutput, ComposedArch, ComposedPackage, Deliverable, DeliverableKey, VariantId,
};
use model::digest::Digest;

use super::{ComposeError, Ingredients, archive, file_error, file_name, metadata};
use crate::repository::{RepositoryError, folder};

/// The file that says what a compose was made of; written last, so it also says the folder is whole.
pub(super) const IDENTITY: &str = "millstream-compose";
/// The file that names the compose.
pub(super) const COMPOSE_ID: &str = "COMPOSE_ID";
/// The file that says how far it is, in pungi's words.
pub(super) const STATUS: &str = "STATUS";
/// What [`STATUS`] says of a compose that is whole.
pub(super) const FINISHED: &str = "FINISHED";

/// Makes sure that `ROOT/COMPOSE-ID/` holds a compose. One that is there with the same inputs is used as it is.
///
/// A deliverable that says it is reused is taken from the previous compose's folder; where that is gone, it is made.
/// Returns the compose as it came out: with the sizes, and with what was really reused.
///
/// # Errors
/// Something is not there, not as it was planned, or cannot be written; then there is no such folder.
pub async fn write(
    root: &Path,
    planned: &ComposeOutput,
    ingredients: &Ingredients,
) -> Result<ComposeOutput, ComposeError> {
    let identity = identity(planned);
    let target = root.join(planned.id.to_string());
    let _lock = folder::lock(root).await?;
    match read_identity(&target) {
        Some(existing) if existing == identity => return measured(&target, planned.clone()),
        Some(_) => return Err(ComposeError::Taken { path: target }),
        None => {}
    }
    let draft = root.join(format!("{}{}", folder::TEMPORARY, planned.id));
    let filled = fill(&draft, &root.join(".checksums"), planned, ingredients, identity).await;
    let renamed = filled.and_then(|output| {
        // What has the final name without an identity was not made here whole: a power cut can leave such.
        folder::remove(&target).map_err(file_error(&target))?;
        fs::rename(&draft, &target).map_err(file_error(&target))?;
        folder::sync(root).map_err(file_error(root))?;
        Ok(output)
    });
    if renamed.is_err() {
        // The first error is the one to tell, and the next writer removes what is left.
        let _ = folder::remove(&draft);
    }
    renamed
}

/// What a compose is made of. Reuse does not count: what is reused is the same as what would be made.
fn identity(output: &ComposeOutput) -> Digest {
    let inputs = output.deliverables.iter().map(|it| format!("{} {}", it.path, it.input));
    Digest::of_fields(std::iter::once(output.id.to_string()).chain(inputs))
}

/// The identity of the compose in a folder; none if there is no whole one.
pub(super) fn read_identity(target: &Path) -> Option<Digest> {
    fs::read_to_string(target.join(IDENTITY)).ok()?.trim().parse().ok()
}

async fn fill(
    draft: &Path,
    cache: &Path,
    planned: &ComposeOutput,
    ingredients: &Ingredients,
    identity: Digest,
) -> Result<ComposeOutput, ComposeError> {
    folder::remove(draft).map_err(file_error(draft))?;
    let mut output = planned.clone();
    for deliverable in &mut output.deliverables {
        if !reuse(draft, deliverable, ingredients).await? {
            deliverable.reused_from = None;
            make(draft, cache, planned, ingredients, deliverable).await?;
        }
    }
    let draft = draft.to_owned();
    let finish = move || {
        // Last, since it tells the sizes and digests of the others.
        metadata::write(&draft.join("compose"), &output)?;
        seal(&draft, &output, identity)?;
        measured(&draft, output)
    };
    tokio::task::spawn_blocking(finish).await?
}

/// Takes a deliverable over from the compose before, if it says so and is there; says whether it did.
async fn reuse(
    draft: &Path,
    deliverable: &Deliverable,
    ingredients: &Ingredients,
) -> Result<bool, ComposeError> {
    let previous = ingredients.previous.as_ref().filter(|_| deliverable.reused_from.is_some());
    let Some(previous) = previous.filter(|previous| read_identity(previous).is_some()) else {
        return Ok(false);
    };
    let source = previous.join("compose").join(&deliverable.path);
    if !source.exists() {
        return Ok(false);
    }
    let place = draft.join("compose").join(&deliverable.path);
    tokio::task::spawn_blocking(move || link_tree(&source, &place)).await??;
    Ok(true)
}

/// Links a file, or a folder with everything below it.
pub(super) fn link_tree(source: &Path, place: &Path) -> Result<(), ComposeError> {
    if source.is_dir() {
        fs::create_dir_all(place).map_err(file_error(place))?;
        for entry in fs::read_dir(source).map_err(file_error(source))? {
            let entry = entry.map_err(file_error(source))?;
            link_tree(&entry.path(), &place.join(entry.file_name()))?;
        }
        return Ok(());
    }
    make_parent(place)?;
    folder::link(source, place).map_err(file_error(place))
}

async fn make(
    draft: &Path,
    cache: &Path,
    output: &ComposeOutput,
    ingredients: &Ingredients,
    deliverable: &Deliverable,
) -> Result<(), ComposeError> {
    let key = &deliverable.key;
    let place = draft.join("compose").join(&deliverable.path);
    let missing = |what: String| ComposeError::Missing { deliverable: Box::new(key.clone()), what };
    match key {
        DeliverableKey::Comps { .. } => {
            let text = ingredients.comps.get(key).ok_or_else(|| missing("comps.xml".to_owned()))?;
            write_file(&place, text.as_bytes())
        }
        DeliverableKey::Repository { variant, arch } => {
            let files = packages(output, variant, arch, ingredients)
                .map_err(|file| missing(format!("the package {file}")))?;
            // The groups come before the repository, in the order of their keys.
            let groups = DeliverableKey::Comps { variant: variant.clone(), arch: arch.clone() };
            let groups = draft.join("compose").join(groups.path());
            let groups = groups.exists().then_some(groups);
            repository(&place, cache, files, groups.as_deref()).await
        }
        DeliverableKey::Source { variant } => {
            let files = sources(output, variant, ingredients)
                .map_err(|file| missing(format!("the source package {file}")))?;
            repository(&place, cache, files, None).await
        }
        DeliverableKey::Image { arch, name, .. } => {
            let layout = ingredients.images.get(&(arch.clone(), name.clone()));
            let layout = layout.ok_or_else(|| missing(format!("the image {name}")))?.clone();
            make_parent(&place)?;
            tokio::task::spawn_blocking(move || archive::write(&layout, &place)).await?
        }
        DeliverableKey::Metadata => Ok(()),
    }
}

/// The files of a repository by name, each with the digest it must have, if that is known.
type Files = BTreeMap<String, (PathBuf, Option<Digest>)>;

/// The packages of a variant; the name of the first one that is not there.
fn packages(
    output: &ComposeOutput,
    variant: &VariantId,
    arch: &ArchName,
    ingredients: &Ingredients,
) -> Result<Files, String> {
    let contents = output.variants.get(variant).and_then(|variant| variant.arches.get(arch));
    let packages = contents.iter().flat_map(|contents| &contents.packages);
    let file = |package: &ComposedPackage| {
        let path = ingredients.packages.get(&package.file).ok_or_else(|| package.file.clone())?;
        Ok((file_name(&package.nevra), (path.clone(), Some(package.digest))))
    };
    packages.map(file).collect()
}

/// The source packages of a variant; the name of the first one that is not there.
fn sources(
    output: &ComposeOutput,
    variant: &VariantId,
    ingredients: &Ingredients,
) -> Result<Files, String> {
    let arches = output.variants.get(variant).into_iter().flat_map(|it| it.arches.values());
    let packages = arches.flat_map(|contents: &ComposedArch| &contents.packages);
    let file = |package: &ComposedPackage| {
        let path = ingredients.sources.get(&package.source);
        let path = path.ok_or_else(|| package.source.to_string())?;
        Ok((file_name(&package.source), (path.clone(), None)))
    };
    packages.map(file).collect()
}

/// Makes a repository with its packages in `Packages/`.
async fn repository(
    place: &Path,
    cache: &Path,
    files: Files,
    groups: Option<&Path>,
) -> Result<(), ComposeError> {
    let count = files.len();
    let packages = place.join("Packages");
    tokio::task::spawn_blocking(move || link_packages(&packages, files)).await??;
    Ok(folder::create_metadata(place, cache, count, groups).await?)
}

fn link_packages(folder: &Path, files: Files) -> Result<(), ComposeError> {
    fs::create_dir_all(folder).map_err(file_error(folder))?;
    for (name, (path, digest)) in files {
        let unreadable = |source| RepositoryError::Package { path: path.clone(), source };
        let source = fs::canonicalize(&path).map_err(unreadable)?;
        let found = folder::digest_file(&source).map_err(unreadable)?;
        if digest.is_some_and(|digest| digest != found) {
            return Err(ComposeError::Different { path });
        }
        let place = folder.join(name);
        folder::link(&source, &place).map_err(file_error(&place))?;
    }
    Ok(())
}

/// Writes a file with the time all files have, and brings it to the disk.
pub(super) fn write_file(path: &Path, content: &[u8]) -> Result<(), ComposeError> {
    make_parent(path)?;
    let written = fs::write(path, content).and_then(|()| folder::set_time(path));
    written.and_then(|()| folder::sync(path)).map_err(file_error(path))
}

fn make_parent(path: &Path) -> Result<(), ComposeError> {
    let parent = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(file_error(parent))
}

/// Says that the compose is whole, after everything else has come to the disk.
fn seal(draft: &Path, output: &ComposeOutput, identity: Digest) -> Result<(), ComposeError> {
    write_file(&draft.join(COMPOSE_ID), format!("{}\n", output.id).as_bytes())?;
    write_file(&draft.join(STATUS), format!("{FINISHED}\n").as_bytes())?;
    sync_tree(draft).map_err(file_error(draft))?;
    write_file(&draft.join(IDENTITY), format!("{identity}\n").as_bytes())?;
    folder::sync(draft).map_err(file_error(draft))
}

/// Brings metadata and the entries of all folders to the disk. Packages are there already, and so are images.
pub(super) fn sync_tree(place: &Path) -> io::Result<()> {
    for entry in fs::read_dir(place)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else if path.extension().is_none_or(|extension| extension != "rpm") {
            folder::sync(&path)?;
        }
    }
    folder::sync(place)
}

/// The compose with the size of each deliverable as it is on the disk.
fn measured(target: &Path, mut output: ComposeOutput) -> Result<ComposeOutput, ComposeError> {
    for deliverable in &mut output.deliverables {
        let path = target.join("compose").join(&deliverable.path);
        deliverable.size = size(&path).map_err(file_error(&path))?;
    }
    Ok(output)
}

fn size(path: &Path) -> io::Result<u64> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_dir() {
        return Ok(metadata.len());
    }
    fs::read_dir(path)?.map(|entry| size(&entry?.path())).sum()
}
