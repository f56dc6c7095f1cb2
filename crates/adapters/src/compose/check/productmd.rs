//! Reads productmd's files back and looks for everything they name.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::super::folder::{COMPOSE_ID, FINISHED, STATUS};
use super::super::metadata::digest_file;
use super::{Findings, repodata};

type ByName<T> = BTreeMap<String, T>;

#[derive(Deserialize)]
struct Document<P> {
    payload: P,
}

#[derive(Deserialize)]
struct Compose {
    id: String,
}

#[derive(Deserialize)]
struct Info {
    compose: Compose,
    variants: ByName<Variant>,
}

#[derive(Deserialize)]
struct Variant {
    /// By what they are and by architecture.
    paths: ByName<ByName<String>>,
}

#[derive(Deserialize)]
struct Rpms {
    compose: Compose,
    /// By variant, architecture, source package and package.
    rpms: ByName<ByName<ByName<ByName<Rpm>>>>,
}

#[derive(Deserialize)]
struct Rpm {
    path: String,
}

#[derive(Deserialize)]
struct Images {
    compose: Compose,
    images: ByName<ByName<Vec<Image>>>,
}

#[derive(Deserialize)]
struct Image {
    path: String,
    size: u64,
    checksums: ByName<String>,
}

/// The repositories of binary packages, relative to the folder `compose/`.
pub(super) fn repositories(compose: &Path) -> Result<BTreeSet<String>, String> {
    let info: Info = read(compose, "composeinfo.json")?;
    Ok(trees(&info, &["repository"]))
}

fn trees(info: &Info, kinds: &[&str]) -> BTreeSet<String> {
    let paths = info.variants.values().flat_map(|variant| &variant.paths);
    let wanted = paths.filter(|(kind, _)| kinds.contains(&kind.as_str()));
    wanted.flat_map(|(_, paths)| paths.values().cloned()).collect()
}

fn read<P: DeserializeOwned>(compose: &Path, name: &str) -> Result<P, String> {
    let path = compose.join("metadata").join(name);
    let place = |error: &dyn std::fmt::Display| format!("metadata/{name}: {error}");
    let text = fs::read_to_string(path).map_err(|error| place(&error))?;
    let document: Document<P> = serde_json::from_str(&text).map_err(|error| place(&error))?;
    Ok(document.payload)
}

/// Looks for everything that the metadata of the compose in a folder names.
///
/// What cannot be read is as wrong as what is not there.
pub(super) fn check(folder: &Path) -> Vec<String> {
    look(folder).unwrap_or_else(|problem| vec![problem])
}

fn look(folder: &Path) -> Findings {
    let compose = folder.join("compose");
    let info: Info = read(&compose, "composeinfo.json")?;
    let rpms: Rpms = read(&compose, "rpms.json")?;
    let images: Images = read(&compose, "images.json")?;
    let mut findings = labels(folder, [&info.compose, &rpms.compose, &images.compose]);
    let paths = info.variants.values().flat_map(|variant| variant.paths.values());
    let absent = paths.flat_map(BTreeMap::values).filter(|path| !compose.join(path).is_dir());
    findings
        .extend(absent.map(|path| format!("composeinfo.json names {path}, which is no folder")));
    findings.extend(packages(&compose, &info, &rpms));
    for image in images.images.values().flat_map(BTreeMap::values).flatten() {
        findings.extend(image_findings(&compose, image));
    }
    Ok(findings)
}

/// Whether all files speak of one finished compose.
fn labels(folder: &Path, composes: [&Compose; 3]) -> Vec<String> {
    let content = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
    let (id, status) = (content(COMPOSE_ID), content(STATUS));
    let mut findings = Vec::new();
    for other in composes.into_iter().filter(|compose| compose.id != id.trim()) {
        findings.push(format!(
            "{COMPOSE_ID} is {:?} and the metadata is of {}",
            id.trim(),
            other.id
        ));
    }
    if status.trim() != FINISHED {
        findings.push(format!("{STATUS} is {:?} and not {FINISHED}", status.trim()));
    }
    findings
}

/// Whether `rpms.json` and the metadata of the repositories list the same packages, and these are there.
fn packages(compose: &Path, info: &Info, rpms: &Rpms) -> Vec<String> {
    let mut findings = Vec::new();
    let mut listed = BTreeSet::new();
    for tree in trees(info, &["repository", "source_repository"]) {
        match repodata::packages(compose, &tree) {
            Ok(packages) => {
                findings.extend(packages.iter().filter_map(|package| package.check(compose)));
                listed.extend(packages.into_iter().map(|package| package.path));
            }
            Err(problem) => findings.push(problem),
        }
        match repodata::check_index(compose, &tree) {
            Ok(wrong) => findings.extend(wrong),
            Err(problem) => findings.push(problem),
        }
    }
    let arches = rpms.rpms.values().flat_map(BTreeMap::values);
    let entries = arches.flat_map(BTreeMap::values).flat_map(BTreeMap::values);
    let named: BTreeSet<String> = entries.map(|rpm| rpm.path.clone()).collect();
    let only = |paths: &BTreeSet<String>, others: &BTreeSet<String>, why: &str| -> Vec<String> {
        paths.difference(others).map(|path| format!("{path} {why}")).collect()
    };
    findings.extend(only(&named, &listed, "is in rpms.json and in no repository"));
    findings.extend(only(&listed, &named, "is in a repository and not in rpms.json"));
    findings
}

fn image_findings(compose: &Path, image: &Image) -> Option<String> {
    let path = &image.path;
    match digest_file(&compose.join(path)) {
        Err(error) => Some(format!("images.json names {path}: {error}")),
        Ok((size, _)) if size != image.size => {
            Some(format!("{path} has {size} bytes and not {}", image.size))
        }
        Ok((_, digest)) if image.checksums.get("sha256") != Some(&digest.to_string()) => {
            Some(format!("{path} has the SHA-256 {digest}, which images.json does not say"))
        }
        Ok(_) => None,
    }
}
