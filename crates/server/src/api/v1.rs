//! `/api/v1`: one file for each operation, in the folder of its resource.

mod events;

mod artifacts;

mod rules;

mod plans;
mod steps;

mod builds;
mod results;

mod images;

mod composes;

mod dependencies;

mod holds;
mod sign_offs;
mod waivers;

mod decisions;

mod status;
mod stream;
mod whereabouts;

pub(super) mod messages;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::{Api, audited, document};
use crate::admin::tokens::Scope;

/// Every operation with its description.
pub(super) fn router(api: &Arc<Api>) -> OpenApiRouter<Arc<Api>> {
    let largest_message = DefaultBodyLimit::max(messages::create::LONGEST);
    let v1 = OpenApiRouter::new()
        .merge(reads())
        .merge(writes(api))
        .routes(routes!(messages::create::create).layer(largest_message));
    OpenApiRouter::with_openapi(document::beginning()).nest("/api/v1", v1)
}

fn reads() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::new()
        .routes(routes!(events::list::list))
        .routes(routes!(events::show::show))
        .routes(routes!(events::rules::rules))
        .routes(routes!(artifacts::list::list))
        .routes(routes!(artifacts::show::show))
        .routes(routes!(artifacts::history::history))
        .routes(routes!(artifacts::why::why))
        .routes(routes!(artifacts::why_not::why_not))
        .routes(routes!(artifacts::rules::rules))
        .routes(routes!(rules::list::list))
        .routes(routes!(rules::show::show))
        .routes(routes!(plans::list::list))
        .routes(routes!(plans::show::show))
        .routes(routes!(plans::step::step))
        .routes(routes!(steps::list::list))
        .routes(routes!(builds::list::list))
        .routes(routes!(builds::show::show))
        .routes(routes!(builds::log::log))
        .routes(routes!(builds::facets::facets))
        .routes(routes!(builds::changes::changes))
        .routes(routes!(builds::buildroot::buildroot))
        .routes(routes!(builds::results::results))
        .routes(routes!(builds::gate::gate))
        .routes(routes!(results::list::list))
        .routes(routes!(images::list::list))
        .routes(routes!(images::show::show))
        .routes(routes!(composes::list::list))
        .routes(routes!(composes::show::show))
        .routes(routes!(dependencies::resolve::resolve))
        .routes(routes!(dependencies::whatrequires::what_requires))
        .routes(routes!(dependencies::depcheck::depcheck))
        .routes(routes!(waivers::show::show))
        .routes(routes!(sign_offs::show::show))
        .routes(routes!(holds::show::show))
        .routes(routes!(decisions::list::list))
        .routes(routes!(decisions::show::show))
        .routes(routes!(status::show::show))
        .routes(routes!(whereabouts::show::show))
        .routes(routes!(stream::show::show))
}

/// What needs a token, by the scope it needs. A listing shares its path with the operation that adds to it.
fn writes(api: &Arc<Api>) -> OpenApiRouter<Arc<Api>> {
    let for_scope = |scope: Scope| from_fn_with_state((Arc::clone(api), scope), audited::audited);
    let plans = OpenApiRouter::new()
        .routes(routes!(plans::run::run))
        .routes(routes!(plans::approve::approve))
        .routes(routes!(plans::retry::retry))
        .routes(routes!(plans::cancel::cancel))
        .route_layer(for_scope(Scope::Plans));
    let gate = OpenApiRouter::new()
        .routes(routes!(waivers::create::create))
        .routes(routes!(sign_offs::create::create))
        .route_layer(for_scope(Scope::Gate));
    let holds = OpenApiRouter::new()
        .routes(routes!(holds::create::create))
        .routes(routes!(holds::release::release))
        .route_layer(for_scope(Scope::Holds));
    let listings = OpenApiRouter::new()
        .routes(routes!(waivers::list::list))
        .routes(routes!(sign_offs::list::list))
        .routes(routes!(holds::list::list));
    OpenApiRouter::new().merge(plans).merge(gate).merge(holds).merge(listings)
}
