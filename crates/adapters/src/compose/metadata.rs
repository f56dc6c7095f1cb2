//! productmd's description of a compose: `composeinfo.json`, `rpms.json` and `images.json` in version 1.2 of their formats.
//!
//! <https://productmd.readthedocs.io/> describes them. Paths are relative to the folder `compose/`.

use std::fs::File;
use std::io;
use std::path::Path;

use model::compose::{
    ArchName, ComposeOutput, ComposedImage, ComposedVariant, DeliverableKey, VariantId,
};
use model::digest::Digest;
use model::version::Nevra;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::folder::write_file;
use super::{ComposeError, file_error, file_name};
use crate::repository::folder::FILE_TIME;

/// The version of the formats.
const VERSION: &str = "1.2";

/// Describes the compose whose deliverables are in the folder `compose/`.
pub(super) fn write(compose: &Path, output: &ComposeOutput) -> Result<(), ComposeError> {
    let folder = compose.join(DeliverableKey::Metadata.path());
    let files = [
        ("composeinfo.json", "productmd.composeinfo", composeinfo(output)),
        ("rpms.json", "productmd.rpms", rpms(output)),
        ("images.json", "productmd.images", images(compose, output)?),
    ];
    for (name, kind, mut payload) in files {
        payload["compose"] = compose_section(output);
        let document = json!({"header": {"type": kind, "version": VERSION}, "payload": payload});
        write_file(&folder.join(name), format!("{document:#}\n").as_bytes())?;
    }
    Ok(())
}

fn compose_section(output: &ComposeOutput) -> Value {
    let id = &output.id;
    json!({
        "id": id.to_string(),
        "date": id.date.to_string(),
        "type": id.kind.as_str(),
        "respin": id.respin,
    })
}

fn composeinfo(output: &ComposeOutput) -> Value {
    let release = &output.release;
    let variants = output.variants.iter().map(|(id, variant)| {
        let described = json!({
            "id": id.as_str(),
            "uid": id.as_str(),
            "name": variant.name,
            "type": "variant",
            "arches": variant.arches.keys().map(ArchName::as_str).collect::<Vec<_>>(),
            "paths": paths(output, id, variant),
        });
        (id.to_string(), described)
    });
    json!({
        "release": {
            "name": release.name,
            "short": release.short.as_str(),
            "version": release.version.as_str(),
            "type": release.kind.as_str(),
            "internal": false,
        },
        "variants": variants.collect::<Map<String, Value>>(),
    })
}

/// Where the trees of a variant are, by what is there and by architecture.
fn paths(output: &ComposeOutput, id: &VariantId, variant: &ComposedVariant) -> Value {
    let mut paths = json!({});
    let mut add = |what: &str, arch: &str, path: String| paths[what][arch] = path.into();
    for arch in variant.arches.keys() {
        let (variant, tree) = (id.clone(), arch.clone());
        let repository = DeliverableKey::Repository { variant, arch: tree };
        if let Some(deliverable) = output.deliverable(&repository) {
            let path = &deliverable.path;
            add("os_tree", arch.as_str(), path.clone());
            add("repository", arch.as_str(), path.clone());
            add("packages", arch.as_str(), format!("{path}/Packages"));
        }
        if let Some(deliverable) =
            output.deliverable(&DeliverableKey::Source { variant: id.clone() })
        {
            let path = &deliverable.path;
            add("source_tree", arch.as_str(), path.clone());
            add("source_repository", arch.as_str(), path.clone());
            add("source_packages", arch.as_str(), format!("{path}/Packages"));
        }
        let is_image = |key: &DeliverableKey| {
            let own = key.variant() == Some(id) && key.arch() == Some(arch);
            own && matches!(key, DeliverableKey::Image { .. })
        };
        let image = output.deliverables.iter().find(|deliverable| is_image(&deliverable.key));
        if let Some((folder, _)) = image.and_then(|image| image.path.rsplit_once('/')) {
            add("images", arch.as_str(), folder.to_owned());
        }
    }
    paths
}

fn rpms(output: &ComposeOutput) -> Value {
    let mut rpms = json!({});
    for (id, variant) in &output.variants {
        let sources = output.deliverable(&DeliverableKey::Source { variant: id.clone() });
        for (arch, contents) in &variant.arches {
            let key = DeliverableKey::Repository { variant: id.clone(), arch: arch.clone() };
            let Some(repository) = output.deliverable(&key) else { continue };
            let tree = &mut rpms[id.as_str()][arch.as_str()];
            *tree = json!({});
            for package in &contents.packages {
                let (nevra, source) = (&package.nevra, productmd_nevra(&package.source));
                let entry = |folder: &str, nevra: &Nevra, category: &str| {
                    let path = format!("{folder}/Packages/{}", file_name(nevra));
                    json!({"path": path, "sigkey": null, "category": category})
                };
                let category = if is_debug(&nevra.name) { "debug" } else { "binary" };
                tree[&source][productmd_nevra(nevra)] = entry(&repository.path, nevra, category);
                if let Some(sources) = sources {
                    tree[&source][&source] = entry(&sources.path, &package.source, "source");
                }
            }
        }
    }
    json!({"rpms": rpms})
}

fn images(compose: &Path, output: &ComposeOutput) -> Result<Value, ComposeError> {
    let mut images = json!({});
    for (id, variant) in &output.variants {
        for (arch, contents) in &variant.arches {
            let described = |image: &ComposedImage| {
                let (variant, arch) = (id.clone(), arch.clone());
                let key = DeliverableKey::Image { variant, arch, name: image.name.clone() };
                image_entry(compose, &key)
            };
            let described: Result<Vec<_>, _> = contents.images.iter().map(described).collect();
            let described = described?;
            if !described.is_empty() {
                images[id.as_str()][arch.as_str()] = described.into();
            }
        }
    }
    Ok(json!({"images": images}))
}

/// productmd knows no type of its own for an OCI archive in every version; that of a container image it does.
fn image_entry(compose: &Path, key: &DeliverableKey) -> Result<Value, ComposeError> {
    let (DeliverableKey::Image { name, arch, .. }, path) = (key, key.path()) else {
        return Ok(Value::Null);
    };
    let file = compose.join(&path);
    let (size, digest) = digest_file(&file).map_err(file_error(&file))?;
    Ok(json!({
        "path": path,
        "mtime": FILE_TIME,
        "size": size,
        "volume_id": null,
        "type": "docker",
        "format": "tar.gz",
        "arch": arch.as_str(),
        "disc_number": 1,
        "disc_count": 1,
        "checksums": {"sha256": digest.to_string()},
        "implant_md5": null,
        "bootable": false,
        "subvariant": name.as_str(),
    }))
}

/// The size and the digest of a file.
pub(super) fn digest_file(path: &Path) -> io::Result<(u64, Digest)> {
    let mut hasher = Sha256::new();
    let size = io::copy(&mut File::open(path)?, &mut HashWriter(&mut hasher))?;
    Ok((size, Digest(hasher.finalize().into())))
}

struct HashWriter<'a>(&'a mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// productmd always writes the epoch.
fn productmd_nevra(nevra: &Nevra) -> String {
    let Nevra { name, evr, arch } = nevra;
    format!("{name}-{}:{}-{}.{arch}", evr.epoch, evr.version, evr.release)
}

fn is_debug(name: &str) -> bool {
    name.ends_with("-debuginfo") || name.ends_with("-debugsource")
}
