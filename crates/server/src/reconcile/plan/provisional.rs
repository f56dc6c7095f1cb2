//! Edges of what is not built yet, from what specs say. They stay until a build reports its own.

use model::artifact::{ArtifactKey, BranchName, CommitId};
use model::source::Source;
use pipeline::affected::edges::{Providers, of_source};
use pipeline::plan::Root;
use store::leases::{self, Lease};
use store::{edges, refs};

use crate::context::Context;
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
    let mut sources = Vec::new();
    for (artifact, commit) in &wanted {
        sources.extend(context.source(artifact, commit).await?);
    }
    let providers = providers(context, branch, &sources).await?;
    for source in &sources {
        replace(context, lease, source, &providers).await?;
    }
    Ok(())
}

/// Who provides what on the branch: what is published, and what these sources say they will build.
pub(crate) async fn providers(
    context: &Context,
    branch: &BranchName,
    sources: &[Source],
) -> Result<Providers, StageError> {
    let mut providers = Providers::default();
    for (artifact, build) in &context.published.current(&context.store, branch).await?.builds {
        let Some(facts) = context.facts(*build).await? else { continue };
        for package in &facts.packages {
            providers.add(artifact, &package.nevra.name, &package.provides);
        }
        providers.add_files(artifact, &facts.facets);
    }
    for source in sources {
        let packages =
            source.content.as_ref().map_or(&[][..], |content| content.packages.as_slice());
        for package in packages {
            providers.add(&source.artifact, &package.name, &package.provides);
        }
    }
    Ok(providers)
}

async fn unpublished(
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
