//! Why an artifact is *not* rebuilt: what stopped the change on its way, and where the change came from.

use std::fmt;

use model::artifact::ArtifactKey;
use model::event::{EventState, RecordedEvent};
use model::facet::Facet;
use model::hold::HoldKind;
use model::plan::RootAction;
use model::reason::{Reason, Stop};
use model::step::StepState;
use serde::Serialize;
use store::decisions::{self, DecisionFilter};
use store::events::EventFilter;
use store::{Conn, Page, events, holds, plans, publications, refs};
use utoipa::ToSchema;

use super::events::{EventView, no_event};
use super::why::{EdgeView, Link, Whole, changed, explain};
use super::{Admin, AdminError};

/// Why nothing is rebuilt.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct WhyNot {
    /// The artifact.
    pub artifact: ArtifactKey,
    /// The public number of the plan that was asked about, if there is one.
    pub plan: Option<i64>,
    /// Whether it is rebuilt after all.
    pub rebuilt: bool,
    /// The answer in a sentence.
    pub sentence: String,
    /// The edges at which the change stopped.
    pub stops: Vec<StopView>,
    /// From the first of those edges towards the cause.
    pub chain: Vec<Link>,
    /// The events in which it ends: that of the chain, or the newest.
    pub events: Vec<EventView>,
}

/// An edge at which a change stopped.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StopView {
    /// The edge.
    pub edge: EdgeView,
    /// The facets that changed at its far end.
    pub facets: Vec<Facet>,
    /// Why it stopped there.
    pub sentence: String,
}

impl From<&Stop> for StopView {
    fn from(stop: &Stop) -> Self {
        Self {
            edge: EdgeView::from(&stop.edge),
            facets: changed(&stop.because),
            sentence: stop.because.to_string(),
        }
    }
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.plan {
            Some(plan) => writeln!(f, "plan {plan}: {}", self.sentence)?,
            None => writeln!(f, "{}", self.sentence)?,
        }
        for StopView { edge: EdgeView { kind, package, dependency }, sentence, .. } in &self.stops {
            writeln!(f, "  edge {kind} {package} of {dependency}: {sentence}")?;
        }
        self.chain.iter().try_for_each(|link| writeln!(f, "  {link}"))?;
        self.events.iter().try_for_each(|event| writeln!(f, "  {event}"))
    }
}

impl Admin {
    /// Why an artifact is not rebuilt: in one plan, on account of one event, or in the newest plan of its branch.
    ///
    /// # Errors
    /// [`AdminError::NotFound`] when there is no such plan or event.
    pub async fn why_not(
        &self,
        artifact: &ArtifactKey,
        event: Option<i64>,
        plan: Option<i64>,
    ) -> Result<WhyNot, AdminError> {
        let mut reader = self.store.snapshot().await?;
        let conn = &mut *reader;
        match (event, plan) {
            (_, Some(number)) => {
                let whole = Whole::load(&self.shelf, conn, number).await?;
                self.in_plan(conn, artifact, whole).await
            }
            (Some(number), None) => {
                let event =
                    events::by_number(conn, number).await?.ok_or_else(|| no_event(number))?;
                match plans::answering(conn, event.id).await?.last() {
                    Some(head) => {
                        let whole = Whole::load(&self.shelf, conn, head.number).await?;
                        self.in_plan(conn, artifact, whole).await
                    }
                    None => without_plan(conn, artifact, event).await,
                }
            }
            (None, None) => self.newest(conn, artifact).await,
        }
    }

    /// What came last: an event of its own that led to no plan, or the newest plan of its branch.
    async fn newest(&self, conn: &mut Conn, artifact: &ArtifactKey) -> Result<WhyNot, AdminError> {
        let filter = EventFilter { artifact: Some(artifact.clone()), ..EventFilter::default() };
        let own = events::list(conn, &filter, Page::first(1)).await?.into_iter().next();
        if let Some(event) = own.filter(|event| event.state != EventState::Planned) {
            return without_plan(conn, artifact, event).await;
        }
        match plans::list(conn, Some(&artifact.branch), false, Page::first(1)).await?.first() {
            Some(head) => {
                let whole = Whole::load(&self.shelf, conn, head.number).await?;
                self.in_plan(conn, artifact, whole).await
            }
            None => {
                let sentence = format!("there has been no plan on {} yet", artifact.branch);
                let events = newest_events(conn).await?;
                Ok(answer(artifact, None, sentence, events))
            }
        }
    }

    async fn in_plan(
        &self,
        conn: &mut Conn,
        artifact: &ArtifactKey,
        whole: Whole<'_>,
    ) -> Result<WhyNot, AdminError> {
        if let Some(step) = whole.step(conn, artifact).await? {
            let sentence = format!("{artifact} is {}: {}", step.state.name(), step.reason);
            let rebuilt =
                is_rebuilt(&step.state, &step.reason, whole.found.plan.steps[step.index].root);
            let stops = match &step.reason {
                Reason::NothingHeard { stops } => stops.iter().map(StopView::from).collect(),
                _ => Vec::new(),
            };
            let number = Some(whole.found.number);
            let why = explain(conn, whole, artifact).await?;
            let events = why.event.into_iter().collect();
            return Ok(WhyNot {
                rebuilt,
                stops,
                chain: why.chain,
                ..answer(artifact, number, sentence, events)
            });
        }
        let stops: Vec<Stop> = whole
            .found
            .plan
            .stops
            .iter()
            .filter(|stop| stop.edge.dependent == *artifact)
            .cloned()
            .collect();
        match stops.first() {
            Some(first) => stopped(conn, artifact, whole, (&stops, first)).await,
            None => self.not_reached(conn, artifact, &whole).await,
        }
    }

    /// The artifact is in no step and at no stop of the plan.
    async fn not_reached(
        &self,
        conn: &mut Conn,
        artifact: &ArtifactKey,
        whole: &Whole<'_>,
    ) -> Result<WhyNot, AdminError> {
        let sentence = match self.standing_reason(conn, artifact).await? {
            Some(sentence) => sentence,
            None => {
                let roots = whole.found.plan.steps.iter().filter(|step| step.root.is_some());
                let roots: Vec<String> = roots.map(|root| root.artifact.to_string()).collect();
                format!("no edge leads from {artifact} to what changed: {}", roots.join(", "))
            }
        };
        let found = events::get_many(conn, &whole.found.plan.events).await?;
        let events = found.into_iter().map(EventView::from).collect();
        Ok(answer(artifact, Some(whole.found.number), sentence, events))
    }

    /// What keeps an artifact out of every plan.
    async fn standing_reason(
        &self,
        conn: &mut Conn,
        artifact: &ArtifactKey,
    ) -> Result<Option<String>, AdminError> {
        let in_force = holds::in_force(conn, self.now()).await?;
        let freeze = in_force
            .into_iter()
            .find(|hold| hold.kind == HoldKind::Freeze && hold.artifact == *artifact);
        if let Some(hold) = freeze {
            return Ok(Some(format!("{artifact} is frozen by {}: {}", hold.author, hold.reason)));
        }
        let never_published = publications::current_build(conn, artifact).await?.is_none();
        Ok(match refs::tip(conn, artifact).await? {
            None => Some(format!("nothing is known of {artifact}: it was never seen in dist-git")),
            Some(tip) if tip.commit.is_none() => Some(format!("the branch of {artifact} is gone")),
            Some(_) if never_published => Some(format!(
                "{artifact} was never published: there is nothing to bring up to date"
            )),
            Some(_) => None,
        })
    }
}

fn answer(
    artifact: &ArtifactKey,
    plan: Option<i64>,
    sentence: String,
    events: Vec<EventView>,
) -> WhyNot {
    let (stops, chain) = (Vec::new(), Vec::new());
    WhyNot { artifact: artifact.clone(), plan, rebuilt: false, sentence, stops, chain, events }
}

fn is_rebuilt(state: &StepState, reason: &Reason, root: Option<RootAction>) -> bool {
    match state {
        StepState::Rebuild
        | StepState::Building { .. }
        | StepState::Built { .. }
        | StepState::Passed { .. }
        | StepState::Published { .. } => true,
        StepState::Superseded { .. } => {
            root == Some(RootAction::Rebuild)
                || matches!(
                    reason,
                    Reason::Listens { .. }
                        | Reason::Replaced { .. }
                        | Reason::RequirementLost { .. }
                )
        }
        _ => false,
    }
}

/// The change stopped at edges of the artifact when the plan was made.
async fn stopped(
    conn: &mut Conn,
    artifact: &ArtifactKey,
    whole: Whole<'_>,
    (stops, first): (&[Stop], &Stop),
) -> Result<WhyNot, AdminError> {
    let number = Some(whole.found.number);
    let sentence = format!("the change stopped before {artifact}: {}", first.because);
    let why = explain(conn, whole, &first.edge.dependency).await?;
    let stops = stops.iter().map(StopView::from).collect();
    let events = why.event.into_iter().collect();
    Ok(WhyNot { stops, chain: why.chain, ..answer(artifact, number, sentence, events) })
}

/// An event without a plan: the ledger says why.
async fn without_plan(
    conn: &mut Conn,
    artifact: &ArtifactKey,
    event: RecordedEvent,
) -> Result<WhyNot, AdminError> {
    let filter = DecisionFilter { event: Some(event.id), ..DecisionFilter::default() };
    let decision = decisions::list(conn, &filter, Page::first(1)).await?.into_iter().next();
    let said = decision
        .map(|line| line.decision.sentence)
        .unwrap_or_else(|| "nobody has answered it yet".to_owned());
    let sentence =
        format!("event {} led to no plan ({}): {said}", event.number, event.state.as_str());
    Ok(answer(artifact, None, sentence, vec![event.into()]))
}

async fn newest_events(conn: &mut Conn) -> Result<Vec<EventView>, AdminError> {
    let found = events::list(conn, &EventFilter::default(), Page::first(3)).await?;
    Ok(found.into_iter().map(EventView::from).collect())
}
