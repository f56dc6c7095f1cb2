//! How far the changes behind events go: the rules as they are now, asked about each event again.
//!
//! A plan that goes on with another asks them again too: it is made now, and the rules may have changed since.

use std::collections::HashMap;

use model::artifact::{ArtifactKey, CommitId};
use model::event::{Event, RecordedEvent};
use model::id::EventId;
use model::source::About;
use pipeline::plan::Root;
use pipeline::rules::matching::{Answer, Matches};
use pipeline::rules::passage::Route;
use store::{events, refs, sources};

use crate::context::Context;
use crate::reconcile::StageError;

/// The routes of the events behind these roots; `known` are those that are not asked for.
pub(super) async fn routes(
    context: &Context,
    roots: &[Root],
    known: &HashMap<EventId, Route>,
) -> Result<HashMap<EventId, Route>, StageError> {
    let mut wanted: Vec<EventId> = roots.iter().map(|root| root.event).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|event| !known.contains_key(event));
    let recorded = events::get_many(&mut *context.store.read().await?, &wanted).await?;
    let abouts = abouts(context, roots, &recorded).await?;
    let (mut routes, none) = (known.clone(), About::default());
    for RecordedEvent { id, event, .. } in recorded {
        let about = abouts.get(event.artifact()).unwrap_or(&none);
        if let Answer::Start(launch) = context.rules.ask(&event, about).answer() {
            routes.insert(id, launch.route);
        }
    }
    Ok(routes)
}

/// What the artifacts of events tell about themselves: at the commit where a root starts, or at their tips.
async fn abouts(
    context: &Context,
    roots: &[Root],
    recorded: &[RecordedEvent],
) -> Result<HashMap<ArtifactKey, About>, StageError> {
    if !context.rules.asks_about() {
        // Nobody asks.
        return Ok(HashMap::new());
    }
    let mut reader = context.store.read().await?;
    let artifacts: Vec<ArtifactKey> =
        recorded.iter().map(|recorded| recorded.event.artifact().clone()).collect();
    let tips = refs::tips_of(&mut reader, &artifacts).await?.into_iter();
    let mut commits: HashMap<ArtifactKey, CommitId> =
        tips.filter_map(|tip| Some((tip.artifact, tip.commit?))).collect();
    let own = roots.iter().filter(|root| artifacts.contains(&root.artifact));
    commits.extend(own.map(|root| (root.artifact.clone(), root.commit.clone())));
    let commits: Vec<(ArtifactKey, CommitId)> = commits.into_iter().collect();
    let sources = sources::get_many(&mut reader, &commits).await?.into_iter();
    Ok(sources
        .filter_map(|source| Some((source.artifact, source.content.ok()?.settings.about)))
        .collect())
}

impl Context {
    /// Asks the rules about an event. What they ask about its artifact is read from `commit`, or else from the one its
    /// branch points at.
    pub(crate) async fn ask(
        &self,
        event: &Event,
        commit: Option<&CommitId>,
    ) -> Result<Matches, StageError> {
        let about = match self.rules.asks_about() {
            true => self.about(event.artifact(), commit).await?,
            // Nobody asks.
            false => About::default(),
        };
        Ok(self.rules.ask(event, &about))
    }

    /// What a commit's `millstream.toml` tells about an artifact, as far as it was read.
    pub(crate) async fn about(
        &self,
        artifact: &ArtifactKey,
        commit: Option<&CommitId>,
    ) -> Result<About, StageError> {
        let tip = match commit {
            Some(_) => None,
            None => refs::tip(&mut *self.store.read().await?, artifact).await?,
        };
        let tip = tip.and_then(|tip| tip.commit);
        let Some(commit) = commit.or(tip.as_ref()) else { return Ok(About::default()) };
        let content = self.content(artifact, commit).await?;
        Ok(content.map(|content| content.settings.about).unwrap_or_default())
    }
}
