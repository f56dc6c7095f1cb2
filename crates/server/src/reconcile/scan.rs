//! Dist-git's refs -> messages. Refs are the truth; a hook only makes the look come sooner.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use adapters::distgit::{self, RefTip, RepositoryName};
use model::artifact::{ArtifactKey, ArtifactKind, ArtifactName, BranchName, CommitId};
use model::message::{InboxState, Message, Received};
use pipeline::intake::git_ref;
use store::inbox::{self, Receipt};
use store::leases::{self, Lease};
use store::{Store, refs};

use super::{Outcome, Stage, StageError};
use crate::context::Context;

/// Compares every ref with what is remembered and writes a message for each that moved.
pub(crate) async fn look(context: &Context, lease: &Lease) -> Result<Outcome, StageError> {
    let scan = context.scanner.lock().await.scan().await.map_err(StageError::outside)?;
    report(context, &scan);
    let known = context.tips.current(&context.store).await?;
    let mut messages = Vec::new();
    for tip in scan.tips.iter().filter(|tip| context.config.follows(tip.branch.as_str())) {
        let artifact = ArtifactKey {
            kind: tip.repository.kind,
            name: tip.repository.name.clone(),
            branch: tip.branch.clone(),
        };
        if known.get(&artifact).is_none_or(|known| known.commit.as_ref() != Some(&tip.commit)) {
            messages.push(moved(context, &artifact, tip, known.get(&artifact)).await?);
        }
    }
    messages.extend(vanished(&known, &scan));
    if messages.is_empty() {
        return Ok(Outcome::Idle);
    }
    remember(context, lease, &messages).await
}

/// Logs what could not be read, once until it changes.
fn report(context: &Context, scan: &distgit::Scan) {
    let problems: Vec<String> = scan
        .problems
        .iter()
        .map(|problem| format!("{}: {}", problem.place, problem.error))
        .collect();
    let mut known = context.scan_problems.lock().unwrap_or_else(PoisonError::into_inner);
    if *known != problems {
        for problem in &problems {
            tracing::warn!(problem, "could not look at a part of the dist-git");
        }
        *known = problems;
    }
}

/// What is remembered of a branch.
#[derive(Debug)]
struct Known {
    /// Where it points; none when it is deleted.
    commit: Option<CommitId>,
    /// How often it moved, so that the same move has the same message id however often it is seen.
    moves: i64,
}

type KnownTips = Arc<HashMap<ArtifactKey, Known>>;

/// The tips as they were read last, and how often branches had moved by then: a look that finds that none has moved
/// since does not read them again.
#[derive(Debug, Default)]
pub(crate) struct TipsCache(Mutex<(i64, KnownTips)>);

impl TipsCache {
    async fn current(&self, store: &Store) -> Result<KnownTips, StageError> {
        let moves = refs::all_moves(&mut *store.read().await?).await?;
        let (known_moves, known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if known_moves == moves {
            return Ok(known);
        }
        let mut reader = store.snapshot().await?;
        let moves = refs::all_moves(&mut reader).await?;
        let tips = refs::tips(&mut reader, None).await?.into_iter();
        let tips = tips.map(|tip| (tip.artifact, Known { commit: tip.commit, moves: tip.moves }));
        let known = Arc::new(tips.collect());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = (moves, Arc::clone(&known));
        Ok(known)
    }
}

async fn moved(
    context: &Context,
    artifact: &ArtifactKey,
    tip: &RefTip,
    known: Option<&Known>,
) -> Result<Message, StageError> {
    let repository = tip.repository.path(&context.config.distgit_root());
    let old = known.and_then(|known| known.commit.as_ref());
    let forced = match old {
        Some(old) => !distgit::is_ancestor(&repository, old, &tip.commit)
            .await
            .map_err(StageError::outside)?,
        None => false,
    };
    let info = distgit::commit_info(&repository, &tip.commit).await.map_err(StageError::outside)?;
    let body = serde_json::json!({
        "repository": artifact.repository(),
        "branch": artifact.branch,
        "old": old,
        "new": tip.commit,
        "forced": forced,
        "subject": info.subject,
        "severity": info.trailer("Severity").unwrap_or("none").to_ascii_lowercase(),
    });
    Ok(message(artifact, known, tip.commit.as_str(), &body))
}

/// Branches that are remembered and are there no more. Of a repository that could not be read nothing is known.
fn vanished(known: &HashMap<ArtifactKey, Known>, scan: &distgit::Scan) -> Vec<Message> {
    let place = |artifact: &ArtifactKey| RepositoryName {
        kind: artifact.kind,
        name: artifact.name.clone(),
    };
    let present: HashSet<(ArtifactKind, &ArtifactName, &BranchName)> = (scan.tips.iter())
        .map(|tip| (tip.repository.kind, &tip.repository.name, &tip.branch))
        .collect();
    let gone = known.iter().filter(|(artifact, known)| {
        known.commit.is_some()
            && !present.contains(&(artifact.kind, &artifact.name, &artifact.branch))
            && scan.read.contains(&place(artifact))
    });
    gone.map(|(artifact, known)| {
        let body = serde_json::json!({
            "repository": artifact.repository(), "branch": artifact.branch, "old": known.commit, "new": null,
        });
        message(artifact, Some(known), "deleted", &body)
    })
    .collect()
}

fn message(
    artifact: &ArtifactKey,
    known: Option<&Known>,
    to: &str,
    body: &serde_json::Value,
) -> Message {
    let moves = known.map_or(0, |known| known.moves);
    Message {
        id: format!("git:{artifact}:{moves}:{to}"),
        topic: git_ref::TOPIC.to_owned(),
        body: body.to_string(),
    }
}

async fn remember(
    context: &Context,
    lease: &Lease,
    messages: &[Message],
) -> Result<Outcome, StageError> {
    let now = context.clock.now();
    let mut tx = context.store.begin().await?;
    leases::guard(&mut tx, lease, now).await?;
    let received: Vec<Received> = messages
        .iter()
        .map(|message| Received { message: message.clone(), at: now, state: InboxState::Received })
        .collect();
    let receipts = inbox::receive_many(&mut tx, &received).await?;
    tx.commit().await?;
    if receipts.contains(&Receipt::Inserted) {
        context.wakes.wake(Stage::Intake);
    }
    Ok(Outcome::Idle)
}
