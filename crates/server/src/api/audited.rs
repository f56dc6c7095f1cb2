//! Around every intervention: who may, and that it is in the audit log before it is done.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, OriginalUri, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use model::digest::Digest;
use store::audit::{self, AuditEntry};

use super::Api;
use super::access::{intervener, is_json, same_origin};
use super::envelope::RequestId;
use super::problem::{Kind, Problem};
use crate::admin::tokens::Scope;

/// Lets an intervention that needs a scope be done. What is not in the log is not done.
pub(super) async fn audited(
    State((api, scope)): State<(Arc<Api>, Scope)>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    OriginalUri(uri): OriginalUri,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    same_origin(request.headers())?;
    let actor = intervener(&api, request.headers(), scope).await?;
    is_json(request.headers())?;
    let (mut parts, body) = request.into_parts();
    let body = read(body, api.config.api.largest_body).await?;
    let id = parts.extensions.get::<RequestId>().map(|id| id.0.clone());
    let entry = AuditEntry {
        at: api.clock.now(),
        actor: actor.name.clone(),
        remote: peer.ip().to_string(),
        method: parts.method.to_string(),
        path: uri.to_string(),
        body: Digest::of(&body),
        request: id.unwrap_or_default(),
        status: None,
    };
    let mut tx = api.store.begin().await?;
    let number = audit::begin(&mut tx, &entry).await?;
    tx.commit().await?;
    parts.extensions.insert(actor);
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    let status = u32::from(response.status().as_u16());
    tracing::info!(
        request = entry.request,
        actor = entry.actor,
        path = entry.path,
        status,
        "wrote"
    );
    if let Err(error) = complete(&api, number, status).await {
        // The write is in the log, without its end.
        tracing::warn!(request = entry.request, %error, "could not record how a write ended");
    }
    Ok(response)
}

async fn complete(api: &Api, number: i64, status: u32) -> Result<(), store::Error> {
    let mut tx = api.store.begin().await?;
    audit::complete(&mut tx, number, status).await?;
    tx.commit().await
}

async fn read(body: Body, largest: usize) -> Result<Bytes, Problem> {
    to_bytes(body, largest).await.map_err(|_| {
        Problem::new(
            Kind::TooLarge,
            format!("the request is too large: {largest} bytes at most, or it was cut off"),
        )
    })
}
