//! The OpenAPI document: what stands beside the handlers, and what holds for all of them.

use utoipa::OpenApi as _;
use utoipa::openapi::path::Operation;
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr};

use model::artifact::{ArtifactKind, ArtifactName};
use model::facet::Facet;
use model::rule::RuleId;

use super::problem::{MEDIA_TYPE, ProblemBody};
use crate::admin::{BranchName, Evr};

/// The security scheme's name.
const TOKEN: &str = "token";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Millstream",
        description = "Reads need no token. Writes need `Authorization: Bearer TOKEN` with the scope that the \
                       operation names. Every error is `application/problem+json` (RFC 9457). Listings are pages: \
                       follow `next`, which is also in the header `Link`. Every JSON answer has a strong `ETag`.",
    ),
    // The last ones are asked for by parameters, from which they are not gathered.
    components(schemas(ProblemBody<'static>, ArtifactKind, ArtifactName, BranchName, Evr, Facet, RuleId)),
    tags(
        (name = "events", description = "What happened outside."),
        (name = "artifacts", description = "What has a home in dist-git and is built."),
        (name = "rules", description = "By which changes are followed."),
        (name = "plans", description = "What is done about events."),
        (name = "steps", description = "Where each artifact of a plan stands."),
        (name = "builds", description = "Attempts at artifacts, with logs, facets and buildroots."),
        (name = "results", description = "Results of tests."),
        (name = "gates", description = "Waivers and sign-offs."),
        (name = "holds", description = "Freezes and holds."),
        (name = "images", description = "Images and what is in them."),
        (name = "dependencies", description = "What is published: what would be installed, and who needs what."),
        (name = "composes", description = "Composes and what is in them."),
        (name = "decisions", description = "The ledger: every decision with its reason."),
        (name = "status", description = "How everything stands, and where something is on its way."),
        (name = "stream", description = "The ledger as it grows."),
        (name = "messages", description = "Messages from other systems."),
    )
)]
struct Beginning;

/// The document before any path is in it.
pub(super) fn beginning() -> OpenApi {
    Beginning::openapi()
}

/// Adds what every operation may answer, and who may ask.
pub(super) fn complete(document: &mut OpenApi) {
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme(TOKEN, scheme);
    for item in document.paths.paths.values_mut() {
        let PathItem { get, post, .. } = item;
        if let Some(operation) = get {
            complete_read(operation);
        }
        if let Some(operation) = post {
            complete_write(operation);
        }
    }
}

fn complete_read(operation: &mut Operation) {
    complete_any(operation);
    let is_json = |response: &RefOr<Response>| match response {
        RefOr::T(response) => response.content.contains_key("application/json"),
        RefOr::Ref(_) => false,
    };
    if operation.responses.responses.get("200").is_some_and(is_json) {
        let known = ResponseBuilder::new().description("The client has it already.").build();
        add(operation, "304", known);
    }
}

fn complete_write(operation: &mut Operation) {
    complete_any(operation);
    let requirement = SecurityRequirement::new(TOKEN, [""; 0]);
    operation.security.get_or_insert_with(|| vec![requirement]);
    for (status, description) in [
        ("401", "There is no token, or none that is known and valid."),
        (
            "403",
            "The token is not good for this, or the request comes from a page of another site.",
        ),
        ("413", "The body is too large."),
        ("415", "The body is not JSON."),
    ] {
        add(operation, status, problem(description));
    }
}

fn complete_any(operation: &mut Operation) {
    let has_input = operation.parameters.as_ref().is_some_and(|list| !list.is_empty());
    if has_input || operation.request_body.is_some() {
        add(operation, "400", problem("A parameter or the body cannot be read; `place` names it."));
    }
    // An operation says in words when it answers with an error; that it is a problem holds for all of them.
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && (status.starts_with('4') || status.starts_with('5'))
            && response.content.is_empty()
        {
            *response = problem(&response.description);
        }
    }
    for (status, description) in [
        ("429", "Too many requests; the header `Retry-After` says when to come again."),
        ("500", "A defect of the server."),
        ("503", "The database is away, or the server is stopping."),
        ("504", "It took too long."),
    ] {
        add(operation, status, problem(description));
    }
}

/// A problem as an answer.
fn problem(description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build()
}

fn add(operation: &mut Operation, status: &str, response: Response) {
    let known = &mut operation.responses.responses;
    known.entry(status.to_owned()).or_insert(RefOr::T(response));
}
