//! What a page changes stands in the audit log before it is done, as with the API.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use model::digest::Digest;
use store::audit::{self, AuditEntry};
use uuid::Uuid;

use super::trouble::Trouble;
use super::visitor::{Visitor, scope_of};
use super::{LONGEST, Ui};
use crate::clock::mint;

/// Records a form that may change something; one that may not is refused by its handler.
pub(super) async fn record(
    State(ui): State<Arc<Ui>>,
    request: Request,
    next: Next,
) -> Result<Response, Trouble> {
    let Some(scope) = scope_of(request.uri().path()).filter(|_| request.method() == Method::POST)
    else {
        return Ok(next.run(request).await);
    };
    let visitor = Visitor::of(request.headers());
    let Some(writer) = ui.writer(&visitor, scope).await? else {
        return Ok(next.run(request).await);
    };
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LONGEST).await else {
        return Err(Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "The form is too long."));
    };
    let entry = AuditEntry {
        at: ui.api.clock.now(),
        actor: writer.name().to_owned(),
        remote: peer.map(|peer| peer.to_string()).unwrap_or_default(),
        method: parts.method.to_string(),
        path: parts.uri.to_string(),
        body: Digest::of(&body),
        request: mint::<Uuid>().to_string(),
        status: None,
    };
    let mut tx = ui.api.store.begin().await?;
    let number = audit::begin(&mut tx, &entry).await?;
    tx.commit().await?;
    let response = next.run(Request::from_parts(parts, Body::from(body))).await.into_response();
    if let Err(error) = complete(&ui, number, u32::from(response.status().as_u16())).await {
        // The write is in the log, without its end.
        tracing::warn!(request = entry.request, %error, "could not record how a write ended");
    }
    Ok(response)
}

async fn complete(ui: &Ui, number: i64, status: u32) -> Result<(), store::Error> {
    let mut tx = ui.api.store.begin().await?;
    audit::complete(&mut tx, number, status).await?;
    tx.commit().await
}
