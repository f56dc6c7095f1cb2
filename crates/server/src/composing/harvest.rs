//! What a compose is made of: the packages and images of each variant, with everything the packages require.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::artifact::{ArtifactKey, ArtifactKind, ArtifactName};
use model::build::{Build, InstalledPackage};
use model::compose::{
    ArchName, ComposeDefinition, ComposeInputs, ComposedArch, ComposedImage, ComposedPackage,
    ComposedVariant, VariantId,
};
use model::id::BuildId;
use model::version::Nevra;
use pipeline::compose::contents::{Asked, Available, Missing, ask};
use store::builds;

use crate::context::Context;
use crate::reconcile::StageError;
use crate::resolving::{self, Repository, Resolution};
use crate::view::Overlay;

/// Gathers every variant on each of its architectures; or says, in sentences, what is lacking.
pub(crate) async fn gather(
    context: &Context,
    artifact: &ArtifactKey,
    definition: &ComposeDefinition,
    (overlay, repository): (&Overlay, &Repository),
) -> Result<Result<ComposeInputs, Vec<String>>, StageError> {
    let harvest = Harvest { context, artifact, definition, overlay, repository };
    let mut inputs = ComposeInputs::default();
    let mut lacking = Vec::new();
    for (id, variant) in &definition.variants {
        let mut arches = BTreeMap::new();
        for arch in &variant.arches {
            match harvest.arch(id, arch).await? {
                Ok(contents) => {
                    arches.insert(arch.clone(), contents);
                }
                Err(problems) => {
                    lacking.extend(problems.iter().map(|problem| format!("{id}: {problem}")));
                }
            }
        }
        inputs.variants.insert(id.clone(), ComposedVariant { name: variant.name.clone(), arches });
    }
    Ok(if lacking.is_empty() { Ok(inputs) } else { Err(lacking) })
}

/// What a compose is gathered from.
struct Harvest<'a> {
    context: &'a Context,
    artifact: &'a ArtifactKey,
    definition: &'a ComposeDefinition,
    overlay: &'a Overlay,
    repository: &'a Repository,
}

impl Harvest<'_> {
    /// Asks until what is there asks for nothing more: a conditional member comes in with what another one requires.
    async fn arch(
        &self,
        variant: &VariantId,
        arch: &ArchName,
    ) -> Result<Result<ComposedArch, Vec<String>>, StageError> {
        let available = self.available(arch);
        let mut present: BTreeSet<String> = BTreeSet::new();
        loop {
            let names = present.iter().map(String::as_str).collect();
            let asked = ask(self.definition, variant, arch, &available, &names);
            if !asked.missing.is_empty() {
                return Ok(Err(asked.missing.iter().map(Missing::to_string).collect()));
            }
            let installed = match self.close(&asked).await? {
                Ok(installed) => installed,
                Err(problems) => return Ok(Err(problems)),
            };
            let now: BTreeSet<String> =
                installed.iter().map(|package| package.nevra.name.clone()).collect();
            if now == present {
                let packages = self.packages(&installed).await?;
                return Ok(Ok(ComposedArch { packages, images: self.images(&asked).await? }));
            }
            present = now;
        }
    }

    fn available(&self, arch: &ArchName) -> Available<'_> {
        let is_for = |nevra: &Nevra| nevra.arch == arch.as_str() || nevra.arch == "noarch";
        let images = self.overlay.builds.keys();
        let images = images.filter(|key| key.kind == ArtifactKind::Containers);
        Available {
            packages: self
                .repository
                .packages()
                .filter(|(_, package)| is_for(&package.nevra))
                .map(|(_, package)| package.nevra.name.as_str())
                .collect(),
            images: images.map(|key| key.name.as_str()).collect(),
        }
    }

    /// What is asked for, with everything it requires; without the stand-in of the toolchain, which is never shipped.
    async fn close(
        &self,
        asked: &Asked,
    ) -> Result<Result<Vec<InstalledPackage>, Vec<String>>, StageError> {
        let wishes: Vec<String> = asked.packages.keys().map(ToString::to_string).collect();
        if wishes.is_empty() {
            return Ok(Ok(Vec::new()));
        }
        let resolution = resolving::resolve(self.context, self.repository, wishes, &[]).await?;
        Ok(match resolution {
            Resolution::Installed(mut installed) => {
                installed.retain(|package| package.build.is_some());
                Ok(installed)
            }
            Resolution::Problems(problems) => Err(problems),
        })
    }

    async fn packages(
        &self,
        installed: &[InstalledPackage],
    ) -> Result<Vec<ComposedPackage>, StageError> {
        let ids: Vec<BuildId> = installed.iter().filter_map(|package| package.build).collect();
        let found = builds::get_many(&mut *self.context.store.read().await?, &ids).await?;
        let found: HashMap<BuildId, Build> =
            found.into_iter().map(|build| (build.id, build)).collect();
        let known: HashMap<_, _> = self
            .repository
            .packages()
            .map(|(build, package)| ((build, package.digest), package))
            .collect();
        let composed = |installed: &InstalledPackage| {
            let build = found.get(&installed.build?)?;
            let package = known.get(&(build.id, installed.digest))?;
            let (name, evr) = (build.nvr.name.clone(), build.nvr.evr.clone());
            Some(ComposedPackage {
                nevra: package.nevra.clone(),
                source: Nevra { name, evr, arch: "src".to_owned() },
                build: build.id,
                file: package.file.clone(),
                digest: package.digest,
                size: package.size,
            })
        };
        let mut packages: Vec<ComposedPackage> = installed.iter().filter_map(composed).collect();
        packages.sort();
        Ok(packages)
    }

    async fn images(&self, asked: &Asked) -> Result<Vec<ComposedImage>, StageError> {
        let mut images = Vec::new();
        for name in &asked.images {
            images.extend(self.image(name).await?);
        }
        Ok(images)
    }

    async fn image(&self, name: &ArtifactName) -> Result<Option<ComposedImage>, StageError> {
        let branch = self.artifact.branch.clone();
        let key = ArtifactKey { kind: ArtifactKind::Containers, name: name.clone(), branch };
        let Some(&build) = self.overlay.builds.get(&key) else { return Ok(None) };
        let image = self.context.image(build).await?;
        let found = builds::get(&mut *self.context.store.read().await?, build).await?;
        Ok(image.zip(found).map(|(image, found)| ComposedImage {
            name: name.clone(),
            nvr: found.nvr,
            build,
            digest: image.digest,
        }))
    }
}
