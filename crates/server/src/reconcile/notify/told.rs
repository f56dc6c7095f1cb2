//! A notice with what people call its cause and its plan.

use model::notice::Notice;
use pipeline::notify::{Cause, Told};
use store::{Conn, events, plans};

/// Looks up what a text about a notice needs.
pub(crate) async fn about(conn: &mut Conn, notice: Notice) -> Result<Told, store::Error> {
    let event = match notice.cause {
        Some(event) => events::get(conn, event).await?,
        None => None,
    };
    let cause = event.map(|recorded| Cause {
        number: recorded.number,
        artifact: recorded.event.artifact().clone(),
        sentence: recorded.event.to_string(),
    });
    let plan = match notice.plan {
        Some(plan) => plans::head(conn, plan).await?.map(|head| head.number),
        None => None,
    };
    Ok(Told { notice, cause, plan })
}
