//! What a finished build left: the image in its layout, and the record that makes it a result.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use model::digest::Digest;
use model::image::Layer;
use model::version::Nevra;
use serde::{Deserialize, Serialize};

use crate::image::contents::{self, Facts, OwnFile};
use crate::image::{Execution, ImageError, ImageRequest, Layout, facets, read_layout};
use crate::sandbox::{Keeping, SandboxError, keep};

/// The file that makes a folder a finished image.
const RECORD: &str = "image.json";
/// The folder of the layout in it.
const LAYOUT: &str = "oci";

/// The result of a successful build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuiltImage {
    /// The folder with the OCI layout.
    pub oci: PathBuf,
    /// The digest of the manifest: equal when, and only when, everything in the image is.
    pub digest: Digest,
    /// The digest of the configuration.
    pub config_digest: Digest,
    /// Such as `amd64`.
    pub architecture: String,
    /// The layers, from the ground up; the first ones are the parent's.
    pub layers: Vec<Layer>,
    /// The sum of its layers as they are stored, in bytes.
    pub size: u64,
    /// The packages in its rpm database, sorted, those of its parents included.
    pub packages: Vec<Nevra>,
    /// The files that are not as a package brought them, sorted by path.
    pub files: Vec<OwnFile>,
    /// What its configuration means to those who use it, a line for each thing, sorted.
    pub config: Vec<String>,
    /// From start to end, with the making of the root.
    pub duration: Duration,
}

/// `image.json`.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    digest: Digest,
    config_digest: Digest,
    architecture: String,
    layers: Vec<Layer>,
    size: u64,
    packages: Vec<Nevra>,
    files: Vec<OwnFile>,
    config: Vec<String>,
    duration_ms: u64,
}

/// Reads the result of a build that finished earlier; `None` if there is none.
///
/// # Errors
/// The folder has a record that cannot be read.
pub fn collect(folder: &Path) -> Result<Option<BuiltImage>, ImageError> {
    let Some(text) = keep::record(folder, RECORD)? else { return Ok(None) };
    let failed = |source| ImageError::Record { path: folder.join(RECORD), source };
    Ok(Some(built(folder, serde_json::from_str(&text).map_err(failed)?)))
}

/// Takes what a build left in `out`, once it is known to be whole, and renames the folder into place.
pub(super) fn place(
    request: &ImageRequest,
    out: &Path,
    took: Duration,
) -> Result<BuiltImage, ImageError> {
    let folder = &request.output;
    let left = out.join(LAYOUT);
    let layout =
        read_layout(&left).map_err(|source| ImageError::Layout { folder: left.clone(), source })?;
    check(request, &layout).map_err(|problem| ImageError::Output { problem })?;
    let record = record(&layout, out, took)?;

    let keeping = Keeping::begin(folder)?;
    let fixed = ["oci-layout", "index.json"].map(PathBuf::from);
    for path in fixed.iter().chain(&layout.blobs) {
        let to = Path::new(LAYOUT).join(path);
        // Two layers may be the same blob.
        if !keeping.partial().join(&to).exists() {
            keeping.take(&left.join(path), &to)?;
        }
    }
    let text = serde_json::to_vec_pretty(&record)
        .map_err(|source| ImageError::Record { path: folder.join(RECORD), source })?;
    keeping.finish(RECORD, &text)?;
    Ok(built(folder, record))
}

fn record(layout: &Layout, out: &Path, took: Duration) -> Result<Record, ImageError> {
    let read = |name: &str| {
        let path = out.join(name);
        fs::read(&path).map_err(|source| SandboxError::file("read the facts in", path, source))
    };
    let (packages, owned) = (read("packages")?, read("owned")?);
    let facts = Facts {
        packages: &String::from_utf8_lossy(&packages),
        owned: &String::from_utf8_lossy(&owned),
        files: &read("files")?,
        digests: &read("digests")?,
    };
    let strange = |problem| ImageError::Output { problem };
    Ok(Record {
        digest: layout.digest,
        config_digest: layout.config_digest,
        architecture: layout.config.architecture.clone(),
        layers: layout.layers.clone(),
        size: layout.layers.iter().map(|layer| layer.size).sum(),
        packages: contents::packages(&facts).map_err(strange)?,
        files: contents::own_files(&facts).map_err(strange)?,
        config: facets::config_lines(&layout.config.config),
        duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Whether the image starts as it was asked to. buildah reads some of its arguments as little programs.
fn check(request: &ImageRequest, layout: &Layout) -> Result<(), String> {
    let Execution { entrypoint, cmd, env, labels, working_dir, user, .. } = &layout.config.config;
    let wanted = &request.config;
    let is_same = |wanted: &Vec<String>, got| wanted.is_empty() || wanted == got;
    let has_variable = |(name, value): (_, _)| env.contains(&format!("{name}={value}"));
    let starts = is_same(&wanted.entrypoint, entrypoint)
        && is_same(&wanted.cmd, cmd)
        && wanted.env.iter().all(has_variable)
        && wanted.workdir.as_ref().is_none_or(|folder| folder == working_dir)
        && wanted.user.as_ref().is_none_or(|name| name == user);
    if request.containerfile.is_none() && !starts {
        return Err(format!("the image starts by {:?}", layout.config.config));
    }
    match wanted.labels.iter().find(|(name, value)| labels.get(*name) != Some(value)) {
        Some((name, _)) => Err(format!("the label {name} is {:?}", labels.get(name))),
        None => Ok(()),
    }
}

fn built(folder: &Path, record: Record) -> BuiltImage {
    let Record { digest, config_digest, architecture, layers, size, .. } = record;
    BuiltImage {
        oci: folder.join(LAYOUT),
        digest,
        config_digest,
        architecture,
        layers,
        size,
        packages: record.packages,
        files: record.files,
        config: record.config,
        duration: Duration::from_millis(record.duration_ms),
    }
}
