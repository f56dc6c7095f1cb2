//! A set of builds -> a repository folder; wishes -> what has to be installed from it.

use std::collections::HashMap;
use std::path::PathBuf;

use adapters::closure::{Answer, HOST_TOOLCHAIN, Question};
use adapters::repository;
use model::build::InstalledPackage;
use model::digest::Digest;
use model::id::BuildId;
use model::package::Package;
use model::publication::PublishedBuild;
use model::requirement::Requirement;
use model::version::Nevra;
use pipeline::affected::edges::is_direct;

use crate::context::Context;
use crate::dependencies::question::Asked;
use crate::dependencies::resolve::Resolution as Resolved;
use crate::dependencies::threaded;
use crate::reconcile::StageError;
use crate::view::{Overlay, files};

/// A repository folder with what is known of the packages in it.
pub(crate) struct Repository {
    /// The folder, with metadata.
    pub(crate) folder: PathBuf,
    /// The list of builds it was made of.
    pub(crate) manifest: Vec<PublishedBuild>,
    packages: HashMap<String, (BuildId, Package)>,
}

/// What resolving came to.
pub(crate) enum Resolution {
    /// These packages are installed, sorted; the stand-in of the toolchain comes first.
    Installed(Vec<InstalledPackage>),
    /// It is impossible, for these reasons.
    Problems(Vec<String>),
}

impl Repository {
    /// Its packages, each with the build it comes from; the toolchain's stand-in left out.
    pub(crate) fn packages(&self) -> impl Iterator<Item = (BuildId, &Package)> {
        self.packages.values().map(|(build, package)| (*build, package))
    }

    /// Whether a package with this digest is in it.
    pub(crate) fn has(&self, digest: &Digest) -> bool {
        self.packages().any(|(_, package)| package.digest == *digest)
    }
}

/// Lays out the repository of an overlay, or finds it laid out.
pub(crate) async fn repository(
    context: &Context,
    overlay: &Overlay,
) -> Result<Repository, StageError> {
    let mut packages = HashMap::new();
    let mut paths = vec![context.toolchain.rpm.clone()];
    let mut manifest = Vec::new();
    for (artifact, build) in &overlay.builds {
        let facts = context.facts(*build).await?;
        let facts = facts.ok_or_else(|| {
            StageError::Outside(format!("build {build} of {artifact} has no outputs"))
        })?;
        paths.extend(files(context, *build, &facts));
        let named =
            facts.packages.iter().map(|package| (package.file.clone(), (*build, package.clone())));
        packages.extend(named);
        manifest.push(PublishedBuild { artifact: artifact.clone(), build: *build });
    }
    let root = context.config.snapshots_root();
    let id = repository::write_snapshot(&root, &paths).await.map_err(StageError::outside)?;
    Ok(Repository { folder: root.join(id.to_string()), manifest, packages })
}

/// What has to be installed so that the wishes hold. `direct` are the BuildRequires that make a package a direct one.
pub(crate) async fn resolve(
    context: &Context,
    repository: &Repository,
    wishes: Vec<String>,
    direct: &[Requirement],
) -> Result<Resolution, StageError> {
    resolve_from(context, repository, &[], wishes, direct).await
}

/// The same, with further packages to choose from, each with its file.
pub(crate) async fn resolve_from(
    context: &Context,
    repository: &Repository,
    further: &[(InstalledPackage, PathBuf)],
    wishes: Vec<String>,
    direct: &[Requirement],
) -> Result<Resolution, StageError> {
    if !further.is_empty() {
        return resolve_among(context, repository, further, wishes, direct).await;
    }
    let loaded = context.ready.repository(&repository.folder).await.map_err(StageError::outside)?;
    let asked = Asked { always: vec![HOST_TOOLCHAIN.to_owned()], wishes, ..Asked::default() };
    let resolved = threaded(move || loaded.resolve(&asked)).await.map_err(StageError::outside)?;
    let nevras = match resolved {
        Resolved::Installed(nevras) => nevras,
        Resolved::Problems(problems) => return Ok(Resolution::Problems(problems)),
    };
    let files: HashMap<String, &str> = repository
        .packages
        .iter()
        .map(|(file, (_, package))| (package.nevra.to_string(), file.as_str()))
        .collect();
    let installed = nevras.iter().map(|text| {
        let nevra: Nevra = text.parse().map_err(StageError::outside)?;
        let file = files.get(&nevra.to_string()).copied().unwrap_or_default();
        installed(context, repository, file, nevra, direct)
    });
    Ok(Resolution::Installed(installed.collect::<Result<_, _>>()?))
}

/// The same among packages that are in no repository, which dnf's resolver reads as they are.
async fn resolve_among(
    context: &Context,
    repository: &Repository,
    further: &[(InstalledPackage, PathBuf)],
    wishes: Vec<String>,
    direct: &[Requirement],
) -> Result<Resolution, StageError> {
    let question = Question { id: "wishes".to_owned(), install: wishes, weak: false };
    let files = further.iter().map(|(_, path)| path.clone());
    let folders: Vec<PathBuf> = std::iter::once(repository.folder.clone()).chain(files).collect();
    let mut answers =
        context.closures.resolve(&folders, &[question]).await.map_err(StageError::outside)?;
    match answers.remove("wishes") {
        Some(Answer::Packages(resolved)) => {
            let installed = resolved.iter().map(|resolved| {
                let known = further.iter().find(|(package, _)| package.nevra == resolved.nevra);
                if let Some((package, _)) = known {
                    return Ok(package.clone());
                }
                let file = resolved.path.file_name().unwrap_or_default().to_string_lossy();
                installed(context, repository, &file, resolved.nevra.clone(), direct)
            });
            Ok(Resolution::Installed(installed.collect::<Result<_, _>>()?))
        }
        Some(Answer::Problems(problems)) => Ok(Resolution::Problems(problems)),
        None => Err(StageError::Outside("the resolver gave no answer".to_owned())),
    }
}

fn installed(
    context: &Context,
    repository: &Repository,
    file: &str,
    nevra: Nevra,
    direct: &[Requirement],
) -> Result<InstalledPackage, StageError> {
    if nevra.name == HOST_TOOLCHAIN {
        return Ok(InstalledPackage {
            digest: context.stand_in.digest,
            build: None,
            direct: false,
            nevra,
        });
    }
    let (build, package) = repository.packages.get(file).ok_or_else(|| {
        StageError::Outside(format!(
            "the resolver chose {nevra}, which is in no build of the overlay"
        ))
    })?;
    let direct = is_direct(package, direct);
    Ok(InstalledPackage { digest: package.digest, build: Some(*build), direct, nevra })
}

/// The files of installed packages, the toolchain's stand-in left out: it is in every root already.
pub(crate) async fn installed_files(
    context: &Context,
    installed: &[InstalledPackage],
) -> Result<Vec<PathBuf>, StageError> {
    let mut paths = Vec::new();
    for package in installed {
        let Some(build) = package.build else { continue };
        let facts = context.facts(build).await?;
        let file = facts
            .as_ref()
            .and_then(|facts| facts.packages.iter().find(|known| known.nevra == package.nevra));
        let file = file.ok_or_else(|| {
            StageError::Outside(format!("{} is not in build {build}", package.nevra))
        })?;
        paths.push(context.config.builds_root().join(build.to_string()).join(&file.file));
    }
    Ok(paths)
}

/// The identity of a set of installed packages: the digests of their files.
pub(crate) fn identity(installed: &[InstalledPackage]) -> Digest {
    let mut digests: Vec<[u8; 32]> = installed.iter().map(|package| package.digest.0).collect();
    digests.sort_unstable();
    Digest::of_fields(digests)
}
