//! Reads an OCI image layout and believes nothing in it that its digests do not confirm.
//!
//! The layout, the manifest and the configuration are those of the OCI image specification 1.0.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use model::digest::Digest;
use model::image::Layer;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

/// An image layout that is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The digest of the manifest, which is the image's name for all time.
    pub digest: Digest,
    /// The tag, if it has one.
    pub tag: Option<String>,
    /// The layers, from the ground up.
    pub layers: Vec<Layer>,
    /// The digest of the configuration.
    pub config_digest: Digest,
    /// What the image says about itself.
    pub config: Config,
    /// The blobs, by the paths they have in the layout.
    pub(crate) blobs: Vec<PathBuf>,
}

/// The configuration, as far as we ask about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Config {
    /// Such as `amd64`.
    pub architecture: String,
    /// What a container of it runs as.
    #[serde(default)]
    pub config: Execution,
    rootfs: RootFs,
}

/// How a container of an image starts. Where something is not said, it is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Execution {
    /// The program and its first arguments.
    pub entrypoint: Vec<String>,
    /// Further arguments, or the program where there is no entry point.
    pub cmd: Vec<String>,
    /// `NAME=VALUE`.
    pub env: Vec<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// The folder it starts in.
    pub working_dir: String,
    /// The user.
    pub user: String,
    /// `80/tcp`.
    pub exposed_ports: BTreeMap<String, serde_json::Value>,
    /// Folders that outlive a container.
    pub volumes: BTreeMap<String, serde_json::Value>,
    /// How it is asked to end.
    pub stop_signal: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

/// What is wrong with a layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file is missing or cannot be read.
    #[error("could not read {path} of the image: {source}")]
    File {
        /// In the layout.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what the specification wants.
    #[error("{path} of the image cannot be understood: {source}")]
    Json {
        /// In the layout.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// Something does not fit together.
    #[error("{path} of the image {problem}")]
    Problem {
        /// In the layout.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

#[derive(Deserialize)]
struct Marker {
    #[serde(rename = "imageLayoutVersion")]
    version: String,
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

const TAG: &str = "org.opencontainers.image.ref.name";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Manifests, configurations and lists are small; what is larger is something else.
const LARGEST_JSON: u64 = 16 << 20;

/// Reads the layout of one image, every blob of it.
///
/// # Errors
/// A blob is missing or is not what its digest says, or the layout does not hold exactly one image.
pub fn read_layout(folder: &Path) -> Result<Layout, LayoutError> {
    let marker: Marker = json(folder, Path::new("oci-layout"))?;
    if !marker.version.starts_with("1.") {
        return Err(problem("oci-layout", format!("is of version {}", marker.version)));
    }
    let index: Index = json(folder, Path::new("index.json"))?;
    let [entry] = &index.manifests[..] else {
        let count = index.manifests.len();
        return Err(problem("index.json", format!("lists {count} images, not one")));
    };
    if entry.media_type != MANIFEST {
        return Err(problem("index.json", format!("lists a {}", entry.media_type)));
    }
    let mut blobs = Vec::new();
    let digest = blob(folder, entry, &mut blobs)?;
    let manifest: Manifest = json(folder, &place(digest))?;
    let config_digest = blob(folder, &manifest.config, &mut blobs)?;
    let config: Config = json(folder, &place(config_digest))?;
    let layers = layers(folder, &manifest, &config, &mut blobs)?;
    Ok(Layout {
        digest,
        tag: entry.annotations.get(TAG).cloned(),
        layers,
        config_digest,
        config,
        blobs,
    })
}

/// Checks each layer twice: as it is stored, and unpacked, as the configuration names it.
fn layers(
    folder: &Path,
    manifest: &Manifest,
    config: &Config,
    blobs: &mut Vec<PathBuf>,
) -> Result<Vec<Layer>, LayoutError> {
    let names = &config.rootfs.diff_ids;
    if names.len() != manifest.layers.len() {
        let counts = format!("has {} layers, and {}", manifest.layers.len(), names.len());
        return Err(problem("the manifest", format!("{counts} in the configuration")));
    }
    let mut layers = Vec::new();
    for (descriptor, name) in manifest.layers.iter().zip(names) {
        let digest = blob(folder, descriptor, blobs)?;
        let path = place(digest);
        let unpacked = unpacked(folder, &path, &descriptor.media_type)?;
        if format!("sha256:{unpacked}") != *name {
            let what = format!("unpacks to sha256:{unpacked}, not to {name}");
            return Err(LayoutError::Problem { path, problem: what });
        }
        layers.push(Layer { digest, size: descriptor.size });
    }
    Ok(layers)
}

/// The digest of a blob that is there and is what its descriptor says.
fn blob(
    folder: &Path,
    descriptor: &Descriptor,
    blobs: &mut Vec<PathBuf>,
) -> Result<Digest, LayoutError> {
    let stated = descriptor.digest.strip_prefix("sha256:").and_then(|text| text.parse().ok());
    let Some(stated) = stated else {
        return Err(problem("a descriptor", format!("has the digest {}", descriptor.digest)));
    };
    let path = place(stated);
    let (found, size) = open(folder, &path)
        .and_then(digest)
        .map_err(|source| LayoutError::File { path: path.clone(), source })?;
    if (found, size) != (stated, descriptor.size) {
        let what = format!("has {size} bytes with the digest sha256:{found}");
        return Err(LayoutError::Problem { path, problem: what });
    }
    blobs.push(path);
    Ok(found)
}

fn unpacked(folder: &Path, path: &Path, media_type: &str) -> Result<Digest, LayoutError> {
    let failed = |source| LayoutError::File { path: path.to_owned(), source };
    let file = open(folder, path).map_err(failed)?;
    let hashed = match media_type.rsplit_once(".tar") {
        Some((_, "")) => digest(file),
        Some((_, "+gzip")) => digest(MultiGzDecoder::new(io::BufReader::new(file))),
        _ => {
            let what = format!("is a {media_type}, which we do not unpack");
            return Err(LayoutError::Problem { path: path.to_owned(), problem: what });
        }
    };
    hashed.map(|(digest, _)| digest).map_err(failed)
}

fn place(digest: Digest) -> PathBuf {
    Path::new("blobs/sha256").join(digest.to_string())
}

/// A link could lead to a file that is no part of the image.
fn open(folder: &Path, path: &Path) -> io::Result<File> {
    let path = folder.join(path);
    if !path.symlink_metadata()?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    File::open(path)
}

fn digest(mut from: impl Read) -> io::Result<(Digest, u64)> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 128 << 10];
    let mut size = 0;
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((Digest(hasher.finalize().into()), size)),
            read => {
                hasher.update(&buffer[..read]);
                size += read as u64;
            }
        }
    }
}

fn json<T: for<'a> Deserialize<'a>>(folder: &Path, path: &Path) -> Result<T, LayoutError> {
    let mut text = Vec::new();
    open(folder, path)
        .and_then(|file| file.take(LARGEST_JSON).read_to_end(&mut text))
        .map_err(|source| LayoutError::File { path: path.to_owned(), source })?;
    let parsed = serde_json::from_slice(&text);
    parsed.map_err(|source| LayoutError::Json { path: path.to_owned(), source })
}

fn problem(path: &str, problem: String) -> LayoutError {
    LayoutError::Problem { path: PathBuf::from(path), problem }
}
