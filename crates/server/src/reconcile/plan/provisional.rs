//! Edges of what is not built yet, from what specs say. They stay until a build reports its own.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::requirement::Capability;
use model::source::Source;
use pipeline::affected::edges::{Providers, names_asked, of_source};
use pipeline::plan::Root;
use store::leases::{self, Lease};
use store::{edges, refs};

use crate::context::Context;
use crate::dependencies::Loaded;
use crate::dependencies::providers::Provider;
use crate::published::{self, BranchState};
use crate::reconcile::StageError;

/// Brings the edges of the roots, and of everything that is not published yet, up to date.
pub(super) async fn update(
    context: &Context,
    lease: &Lease,
    branch: &BranchName,
    roots: &[Root],
) -> Result<(), StageError> {
    let changed = roots
        .iter()
        .filter(|root| matches!(root.reason, model::reason::Reason::SourceChanged { .. }));
    let mut wanted: Vec<(ArtifactKey, CommitId)> =
        changed.map(|root| (root.artifact.clone(), root.commit.clone())).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    wanted.extend(unpublished(context, branch).await?);
    wanted.sort();
    wanted.dedup();
    let sources = sources(context, &wanted).await?;
    let providers = providers(context, branch, &sources).await?;
    for source in &sources {
        replace(context, lease, source, &providers).await?;
    }
    Ok(())
}

/// Who provides what these sources ask for, on the branch: the packages that are published, as the solver knows them, and
/// what these sources say they will build.
///
/// Every package that provides a capability counts, not only the one that the solver would choose today: which one it
/// will be is known when the buildroot is resolved, after what is published may have changed.
pub(crate) async fn providers(
    context: &Context,
    branch: &BranchName,
    sources: &[Source],
) -> Result<Providers, StageError> {
    let published = context.published.current(&context.store, branch).await?;
    let contents = || sources.iter().filter_map(|source| source.content.as_ref().ok());
    let mut providers = match published::repository(context, branch, &published).await {
        Some(repository) => {
            let names = contents().flat_map(names_asked).collect();
            in_repository(repository, names, &published).await?
        }
        None => among_builds(context, &published).await?,
    };
    for source in sources {
        let packages =
            source.content.as_ref().map_or(&[][..], |content| content.packages.as_slice());
        for package in packages {
            providers.add(&source.artifact, &package.name, &package.provides);
        }
    }
    Ok(providers)
}

/// The published packages that provide one of these names.
async fn in_repository(
    repository: Arc<Loaded>,
    names: BTreeSet<String>,
    published: &BranchState,
) -> Result<Providers, StageError> {
    let found = tokio::task::spawn_blocking(move || repository.providers(&names)).await;
    let found = found.map_err(StageError::outside)?.map_err(StageError::outside)?;
    let mut providers = Providers::default();
    for Provider { capability, package, source } in found {
        // What no artifact was built for is the toolchain's.
        if let Some(artifact) = published.sources.get(&source) {
            providers.add(artifact, &package, &[Capability { name: capability, range: None }]);
        }
    }
    Ok(providers)
}

/// The same from the facts of every published build, where there is no repository: in shadow mode others have it.
async fn among_builds(context: &Context, published: &BranchState) -> Result<Providers, StageError> {
    let mut providers = Providers::default();
    for (artifact, build) in &published.builds {
        let Some(facts) = context.facts(*build).await? else { continue };
        for package in &facts.packages {
            providers.add(artifact, &package.nevra.name, &package.provides);
        }
        providers.add_files(artifact, &facts.facets);
    }
    Ok(providers)
}

/// What commits say, as far as they were read.
pub(crate) async fn sources(
    context: &Context,
    wanted: &[(ArtifactKey, CommitId)],
) -> Result<Vec<Source>, StageError> {
    let mut sources = Vec::new();
    for (artifact, commit) in wanted {
        sources.extend(context.source(artifact, commit).await?);
    }
    Ok(sources)
}

/// What was never published, each as its branch stands.
pub(crate) async fn unpublished(
    context: &Context,
    branch: &BranchName,
) -> Result<Vec<(ArtifactKey, CommitId)>, StageError> {
    let published = context.published.current(&context.store, branch).await?;
    let tips = refs::tips(&mut *context.store.read().await?, Some(branch)).await?;
    let unpublished = tips.into_iter().filter(|tip| !published.builds.contains_key(&tip.artifact));
    Ok(unpublished.filter_map(|tip| Some((tip.artifact, tip.commit?))).collect())
}

/// What the spec says takes the place of what specs said before; what builds recorded stays beside it.
async fn replace(
    context: &Context,
    lease: &Lease,
    source: &Source,
    providers: &Providers,
) -> Result<(), StageError> {
    let Ok(content) = &source.content else { return Ok(()) };
    let known = edges::for_dependents(
        &mut *context.store.read().await?,
        std::slice::from_ref(&source.artifact),
    )
    .await?;
    let said = of_source(&source.artifact, &source.commit, content, providers);
    let before = known.iter().filter(|stored| stored.provisional).map(|stored| &stored.edge);
    if before.eq(&said) {
        return Ok(());
    }
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, context.clock.now()).await?;
    edges::replace_for(&mut tx, &source.artifact, &said, true).await?;
    Ok(tx.commit().await?)
}
