//! `GET /api/v1/stream`: what changes, as it changes, by server-sent events that can be resumed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use serde::{Deserialize, Serialize};
use store::changes::{self, Change, ChangeFilter, Changed, Place};
use tokio::sync::watch;
use utoipa::{IntoParams, ToSchema};

use crate::admin::ArtifactKey;
use crate::admin::time::Moment;
use crate::api::input::Query;
use crate::api::problem::Problem;
use crate::api::{Api, news};

/// How often a comment is sent when nothing changes, so that nothing in between takes the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How many changes are read at once.
const AT_ONCE: u32 = 500;
/// Where a client goes on; browsers send it by themselves.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What is followed.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// What happens in the plan of this public number.
    plan: Option<i64>,
    /// What happens to this artifact.
    artifact: Option<ArtifactKey>,
    /// Go on after the event of this id, as `Last-Event-ID` does; from now on if neither is given. `0` is the beginning.
    after: Option<String>,
    /// Go on as long as the client listens; else only what there is already is sent.
    #[serde(default = "yes")]
    #[param(default = true)]
    follow: bool,
}

fn yes() -> bool {
    true
}

/// A change as it is sent: the `data` of an event.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChangeView {
    /// When.
    time: Moment,
    /// The public number of the plan. Builds and test runs may serve several and have none.
    plan: Option<i64>,
    /// About which artifact.
    artifact: Option<ArtifactKey>,
    /// The state that was entered, or the kind of the decision.
    state: String,
    /// The public number of the decision, the build or the test run, or the position of the step.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<i64>,
    /// The NVR of the build.
    #[serde(skip_serializing_if = "Option::is_none")]
    nvr: Option<String>,
    /// The reason of the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    sentence: Option<String>,
}

/// What changes, as it changes. Each event has an `id` to resume after, a name (`decision`, `plan`, `step`, `build`,
/// `test-run`) and JSON as its `data`. `reset` says that changes were missed: read anew what you show.
#[utoipa::path(
    get,
    path = "/stream",
    tag = "stream",
    operation_id = "stream",
    params(
        Wanted,
        ("Last-Event-ID" = Option<String>, Header, description = "Go on after the event of this id."),
    ),
    responses(
        (status = 200, description = "Events; the data of each is a change.", body = ChangeView, content_type = "text/event-stream"),
    ),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let given = headers.get(LAST_EVENT_ID).map(|value| value.to_str().unwrap_or_default());
    let (place, text) = match (given, wanted.after.as_deref()) {
        (Some(text), _) => ("header.Last-Event-ID", Some(text)),
        (None, text) => ("query.after", text),
    };
    let after = text
        .filter(|text| !text.is_empty())
        .map(|text| text.parse::<Place>().map_err(|e| Problem::invalid(place, e.to_string())))
        .transpose()?;
    let newest = news::newest(&api.store).await?;
    let oldest = changes::oldest(&mut *api.store.read().await?).await?;
    let mut follow = Follow {
        at: after.unwrap_or(newest),
        filter: ChangeFilter { plan: wanted.plan, artifact: wanted.artifact },
        ready: VecDeque::new(),
        until: (!wanted.follow).then_some(newest),
        news: api.news.clone(),
        stop: api.stop.clone(),
        api,
    };
    // Who begins at 0 wants all there is; what was forgotten, or comes from another database, cannot be resumed.
    let is_lost = follow.at > newest || follow.at < oldest && follow.at != Place::default();
    if is_lost {
        follow.at = newest;
        let reset = Event::default().event("reset").id(newest.to_string()).data("{}");
        follow.ready.push_back(reset);
    }
    let events = stream::unfold(follow, |mut follow| async move {
        follow.next().await.map(|event| (Ok(event), follow))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)))
}

/// A client that follows.
struct Follow {
    api: Arc<Api>,
    at: Place,
    filter: ChangeFilter,
    ready: VecDeque<Event>,
    /// Where to end, for a client that does not want to wait.
    until: Option<Place>,
    news: watch::Receiver<Place>,
    stop: watch::Receiver<bool>,
}

impl Follow {
    /// The next event; none when the server stops, or the client wanted no more. It holds up no stop (axum's graceful
    /// shutdown waits for every answer to end).
    async fn next(&mut self) -> Option<Event> {
        loop {
            if *self.stop.borrow() {
                return None;
            }
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let newest = match self.until {
                Some(newest) => newest,
                None => (*self.news.borrow_and_update()).max(self.at),
            };
            if self.at < newest {
                match self.read(newest).await {
                    Ok(()) => continue,
                    // The client comes again and resumes.
                    Err(error) => {
                        tracing::warn!(%error, "a stream ends");
                        return None;
                    }
                }
            }
            if self.until.is_some() {
                return None;
            }
            tokio::select! {
                changed = self.news.changed() => if changed.is_err() { return None },
                _ = self.stop.changed() => {}
            }
        }
    }

    async fn read(&mut self, newest: Place) -> Result<(), store::Error> {
        let mut reader = self.api.store.read().await?;
        let found = changes::after(&mut reader, &self.filter, (self.at, newest), AT_ONCE).await?;
        // A page that is not full is all there is.
        let is_full = found.len() >= AT_ONCE as usize;
        self.at = found.last().filter(|_| is_full).map_or(newest, |last| last.place);
        self.ready.extend(found.into_iter().filter_map(event));
        Ok(())
    }
}

fn event(change: Change) -> Option<Event> {
    let (name, number, nvr, sentence) = match change.changed {
        Changed::Decision { number, sentence } => ("decision", Some(number), None, Some(sentence)),
        Changed::Plan => ("plan", None, None, None),
        Changed::Step { index } => ("step", Some(index), None, None),
        Changed::Build { number, nvr } => ("build", Some(number), Some(nvr), None),
        Changed::TestRun { number } => ("test-run", Some(number), None, None),
    };
    let view = ChangeView {
        time: Moment(change.at),
        plan: change.plan,
        artifact: change.artifact,
        state: change.state,
        number,
        nvr,
        sentence,
    };
    Event::default().id(change.place.to_string()).event(name).json_data(view).ok()
}
