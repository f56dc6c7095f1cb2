//! Why an artifact is rebuilt, retested or left alone: from artifact to artifact, until an event.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use model::artifact::ArtifactKey;
use model::edge::EdgeKind;
use model::facet::Facet;
use model::id::{EventId, PlanId};
use model::plan::NumberedPlan;
use model::reason::{Reason, StopReason};
use model::step::{Step, StepState};
use serde::Serialize;
use store::{Conn, events, plans, steps};
use utoipa::ToSchema;

use super::events::EventView;
use super::shelf::Shelf;
use super::{Admin, AdminError};

/// The chain of reasons of one artifact.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Why {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// The public number of the plan.
    pub plan: i64,
    /// From the artifact towards the cause.
    pub chain: Vec<Link>,
    /// The event in which the chain ends.
    pub event: Option<EventView>,
}

/// One artifact of a chain.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Link {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// Where its step stands.
    pub state: &'static str,
    /// Why, as a sentence.
    pub sentence: String,
    /// What stands in its way: why it failed, or what its gate objects to.
    pub trouble: Option<String>,
    /// The edge by which the change came, or at which it stopped.
    pub edge: Option<EdgeView>,
    /// The facets that changed there.
    pub facets: Vec<Facet>,
    /// Why, as data.
    pub reason: Reason,
}

/// An edge in few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct EdgeView {
    /// How the dependent needs it.
    pub kind: EdgeKind,
    /// The binary package.
    pub package: String,
    /// The artifact it comes from.
    pub dependency: ArtifactKey,
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}: {}", self.artifact, self.state, self.sentence)?;
        if let Some(trouble) = &self.trouble {
            write!(f, "\n    {trouble}")?;
        }
        let Some(EdgeView { kind, package, dependency }) = &self.edge else { return Ok(()) };
        write!(f, "\n    edge {kind} {package} of {dependency}")?;
        let facets: Vec<&str> = self.facets.iter().map(|facet| facet.as_str()).collect();
        if facets.is_empty() { Ok(()) } else { write!(f, ", facets {}", facets.join(", ")) }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan {}", self.plan)?;
        self.chain.iter().try_for_each(|link| writeln!(f, "  {link}"))?;
        match &self.event {
            Some(event) => writeln!(f, "  {event}"),
            None => writeln!(f, "  the event it began with is not recorded"),
        }
    }
}

impl Admin {
    /// Why the newest step of an artifact is what it is, or its step in one plan.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such step.
    pub async fn why(&self, artifact: &ArtifactKey, plan: Option<i64>) -> Result<Why, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let number = match plan {
            Some(number) => Some(number),
            None => steps::of_artifact(&mut reader, artifact, 1)
                .await?
                .first()
                .map(|placed| placed.plan_number),
        };
        let Some(number) = number else {
            return Err(AdminError::NotFound(format!(
                "{artifact} is in no plan: `millstream why-not '{artifact}'` says why"
            )));
        };
        let whole = Whole::load(&self.shelf, &mut reader, number).await?;
        if !whole.has(artifact) {
            return Err(AdminError::NotFound(format!(
                "{artifact} is not in plan {number}: `millstream why-not '{artifact}' --plan {number}` says why"
            )));
        }
        explain(&mut reader, whole, artifact).await
    }
}

/// A plan whose steps are read as they are asked for: a chain of reasons needs a few out of thousands.
pub(crate) struct Whole<'a> {
    pub(crate) found: Arc<NumberedPlan>,
    shelf: &'a Shelf,
}

impl<'a> Whole<'a> {
    pub(crate) async fn load(
        shelf: &'a Shelf,
        conn: &mut Conn,
        number: i64,
    ) -> Result<Self, AdminError> {
        Ok(Self { found: shelf.plan(conn, number).await?, shelf })
    }

    async fn parent(&self, conn: &mut Conn) -> Result<Option<Self>, AdminError> {
        let Some(id) = self.found.plan.parent else { return Ok(None) };
        match plans::head(conn, id).await? {
            Some(head) => Ok(Some(Self::load(self.shelf, conn, head.number).await?)),
            None => Ok(None),
        }
    }

    fn has(&self, artifact: &ArtifactKey) -> bool {
        self.found.plan.step_of(artifact).is_some()
    }

    pub(crate) async fn step(
        &self,
        conn: &mut Conn,
        artifact: &ArtifactKey,
    ) -> Result<Option<Step>, AdminError> {
        let Some(index) = self.found.plan.step_of(artifact) else { return Ok(None) };
        Ok(steps::some_of_plan(conn, self.found.number, &[index]).await?.into_iter().next())
    }

    fn id(&self) -> PlanId {
        self.found.plan.id
    }
}

/// Follows the reasons of a step to an event. What another plan began is looked up there.
pub(crate) async fn explain(
    conn: &mut Conn,
    start: Whole<'_>,
    artifact: &ArtifactKey,
) -> Result<Why, AdminError> {
    let number = start.found.number;
    let mut at = start;
    let mut seen: HashSet<(PlanId, ArtifactKey)> = HashSet::new();
    let mut chain = Vec::new();
    let mut next = Some(artifact.clone());
    let mut event = None;
    while let Some(artifact) = next.take() {
        let Some(step) = at.step(conn, &artifact).await? else {
            // A plan that goes on with another one does not repeat what is published by then.
            match at.parent(conn).await? {
                Some(parent) => {
                    at = parent;
                    next = Some(artifact);
                    continue;
                }
                None => break,
            }
        };
        seen.insert((at.id(), artifact.clone()));
        let reason = onward(&at, &step, &seen);
        event = reason.event();
        chain.push(link(&artifact, &step, reason));
        next = reason.towards().filter(|next| !seen.contains(&(at.id(), (*next).clone()))).cloned();
        if next.is_none() && event.is_none() {
            // In a cycle the reasons go round; what the plan says of one of its members ends in the event.
            let plan = &at.found.plan;
            let planned = chain.iter().filter_map(|link| plan.step_of(&link.artifact));
            event = planned.filter_map(|index| plan.steps[index].reason.event()).next();
        }
    }
    let event = event.or(at.found.plan.events.first().copied());
    Ok(Why { artifact: artifact.clone(), plan: number, chain, event: recorded(conn, event).await? })
}

/// The reason that leads on. Members of a cycle may name each other; the plan's own reasons never do.
fn onward<'a>(
    at: &'a Whole<'_>,
    step: &'a Step,
    seen: &HashSet<(PlanId, ArtifactKey)>,
) -> &'a Reason {
    let again = step.reason.towards().is_some_and(|next| seen.contains(&(at.id(), next.clone())));
    if again { &at.found.plan.steps[step.index].reason } else { &step.reason }
}

async fn recorded(
    conn: &mut Conn,
    event: Option<EventId>,
) -> Result<Option<EventView>, AdminError> {
    let Some(id) = event else { return Ok(None) };
    Ok(events::get(conn, id).await?.map(EventView::from))
}

fn link(artifact: &ArtifactKey, step: &Step, reason: &Reason) -> Link {
    let (edge, facets) = crossed(reason);
    Link {
        artifact: artifact.clone(),
        state: step.state.name(),
        sentence: reason.to_string(),
        trouble: trouble(&step.state),
        edge,
        facets,
        reason: reason.clone(),
    }
}

fn trouble(state: &StepState) -> Option<String> {
    match state {
        StepState::Failed { failure, .. } => Some(failure.to_string()),
        StepState::Held { objections, .. } => {
            let objections: Vec<String> = objections.iter().map(ToString::to_string).collect();
            Some(objections.join("; "))
        }
        StepState::Cancelled { author, reason } => Some(format!("cancelled by {author}: {reason}")),
        _ => None,
    }
}

/// The edge a reason is about, and the facets that changed at its far end.
fn crossed(reason: &Reason) -> (Option<EdgeView>, Vec<Facet>) {
    let (edge, facets) = match reason {
        Reason::Reached { edge }
        | Reason::Replaced { edge }
        | Reason::RequirementLost { edge, .. } => (edge, Vec::new()),
        Reason::Listens { edge, change } | Reason::UsesAtRunTime { edge, change } => {
            (edge, vec![change.facet])
        }
        Reason::NothingHeard { stops } => match stops.first() {
            Some(stop) => (&stop.edge, changed(&stop.because)),
            None => return (None, Vec::new()),
        },
        Reason::Bootstrapped { because } => return crossed(because),
        Reason::SourceChanged { .. }
        | Reason::Requested { .. }
        | Reason::Missing { .. }
        | Reason::Frozen { .. }
        | Reason::Retired => {
            return (None, Vec::new());
        }
    };
    (Some(EdgeView::from(edge)), facets)
}

/// The facets that changed where a change stopped.
pub(crate) fn changed(because: &StopReason) -> Vec<Facet> {
    match because {
        StopReason::NotListening { changed } => changed.iter().map(|change| change.facet).collect(),
        _ => Vec::new(),
    }
}

impl From<&model::edge::Edge> for EdgeView {
    fn from(edge: &model::edge::Edge) -> Self {
        Self { kind: edge.kind, package: edge.package.clone(), dependency: edge.dependency.clone() }
    }
}
