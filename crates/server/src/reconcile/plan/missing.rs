//! What a compose or an image asks for and nobody has built yet: it is built first, in the same plan.

use std::collections::BTreeSet;

use model::artifact::{ArtifactKey, ArtifactKind, BranchName};
use model::plan::RootAction;
use model::reason::Reason;
use pipeline::plan::Root;
use store::refs;

use crate::context::Context;
use crate::reconcile::StageError;

/// A root for each artifact that one of `roots` needs, directly or through others, and that was never built. One whose
/// branch is gone, or whose source cannot be read, is left out: the resolver then says what is missing.
pub(super) async fn roots(
    context: &Context,
    branch: &BranchName,
    roots: &[Root],
) -> Result<Vec<Root>, StageError> {
    let assembled = |root: &&Root| root.artifact.kind != ArtifactKind::Rpms;
    if !roots.iter().any(|root| assembled(&root)) {
        return Ok(Vec::new());
    }
    let published = context.published.current(&context.store, branch).await?;
    let mut known: BTreeSet<ArtifactKey> = roots.iter().map(|root| root.artifact.clone()).collect();
    let mut found = Vec::new();
    for root in roots.iter().filter(assembled) {
        let mut open = vec![root.artifact.clone()];
        while let Some(at) = open.pop() {
            for needed in needs(context, &at).await? {
                if published.builds.contains_key(&needed) || !known.insert(needed.clone()) {
                    continue;
                }
                if let Some(missing) = missing(context, &needed, root).await? {
                    found.push(missing);
                    open.push(needed);
                }
            }
        }
    }
    Ok(found)
}

async fn needs(context: &Context, artifact: &ArtifactKey) -> Result<Vec<ArtifactKey>, StageError> {
    let mut cache = context.graph.lock().await;
    let graph = cache.current(&context.store).await?;
    let Some(node) = graph.node(artifact) else { return Ok(Vec::new()) };
    Ok(graph.dependencies(node).map(|edge| graph.key(edge.dependency).clone()).collect())
}

async fn missing(
    context: &Context,
    artifact: &ArtifactKey,
    wanted_by: &Root,
) -> Result<Option<Root>, StageError> {
    let tip = refs::tip(&mut *context.store.read().await?, artifact).await?;
    let Some(commit) = tip.and_then(|tip| tip.commit) else { return Ok(None) };
    if context.content(artifact, &commit).await?.is_none() {
        return Ok(None);
    }
    Ok(Some(Root {
        artifact: artifact.clone(),
        commit,
        action: RootAction::Rebuild,
        reason: Reason::Missing { event: wanted_by.event, by: wanted_by.artifact.clone() },
        severity: wanted_by.severity,
        event: wanted_by.event,
        rule: wanted_by.rule.clone(),
        hours: wanted_by.hours,
    }))
}
