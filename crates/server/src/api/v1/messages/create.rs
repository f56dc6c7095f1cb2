//! `POST /api/v1/messages`: takes a message and answers when it is stored for good.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::digest::Digest;
use model::message::Message;
use serde::Deserialize;
use store::inbox::Receipt;
use store::tokens;

use super::writer::Writer;
use crate::api::problem::Problem;
use crate::context::Context;

/// The longest body a message may have, in bytes.
const LONGEST: usize = 4 << 20;

/// A message as it is sent: `id` and `topic` as texts, `body` as any JSON.
#[derive(Deserialize)]
struct Sent {
    id: String,
    topic: String,
    body: serde_json::Value,
}

/// 202 for a new message, 200 for one that is known; both are stored when the answer leaves.
pub(crate) async fn create(
    State((context, writer)): State<(Arc<Context>, Writer)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    authorize(&context, &headers).await?;
    if body.len() > LONGEST {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a message may have {LONGEST} bytes"),
        ));
    }
    let sent: Sent = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the request is no message: {error}"))
    })?;
    if sent.id.is_empty() || sent.id.len() > 255 || sent.topic.is_empty() || sent.topic.len() > 255
    {
        return Err(Problem::new(StatusCode::BAD_REQUEST, "id and topic must have 1 to 255 bytes"));
    }
    let message = Message { id: sent.id, topic: sent.topic, body: sent.body.to_string() };
    let id = message.id.clone();
    let receipt = writer.write(message).await?;
    let (status, state) = match receipt {
        Receipt::Inserted => (StatusCode::ACCEPTED, "stored"),
        Receipt::Duplicate => (StatusCode::OK, "known"),
    };
    Ok((status, axum::Json(serde_json::json!({ "id": id, "state": state }))).into_response())
}

/// The configured token, or one that was made and has neither expired nor been revoked.
async fn authorize(context: &Context, headers: &HeaderMap) -> Result<(), Problem> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let refused = |detail: &str| Err(Problem::new(StatusCode::UNAUTHORIZED, detail));
    match (given, &context.config.token) {
        (None, None) => Ok(()),
        (None, Some(_)) => refused("this server wants a token: Authorization: Bearer …"),
        // Digests are compared, so that the time it takes tells nothing about the token.
        (Some(given), Some(wanted)) if Digest::of(given) == Digest::of(wanted) => Ok(()),
        (Some(given), _) => {
            let found = tokens::find(&mut *context.store.read().await?, Digest::of(given)).await?;
            let Some(token) = found else { return refused("the token is not known") };
            let now = context.clock.now();
            match (token.revoked, token.expires) {
                (Some(_), _) => refused("the token was revoked"),
                (None, Some(expires)) if expires <= now => {
                    refused("the token has expired: make a new one with millstream token create")
                }
                _ => Ok(()),
            }
        }
    }
}
