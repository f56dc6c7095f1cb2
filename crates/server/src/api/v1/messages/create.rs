//! `POST /api/v1/messages`: takes a message and answers when it is stored for good.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
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
pub(crate) const LONGEST: usize = 4 << 20;

/// What a token must be good for to send messages.
const SCOPE: &str = "messages";

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
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    authorize(&context, &headers).await?;
    let body = body.map_err(|rejection| unreceived(&rejection))?;
    let sent: Sent = serde_json::from_slice(&body).map_err(|error| {
        Problem::new(StatusCode::BAD_REQUEST, format!("the request is no message: {error}"))
    })?;
    for (field, text) in [("id", &sent.id), ("topic", &sent.topic)] {
        // PostgreSQL keeps no NUL, and nobody can read the others in a listing.
        if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
            let detail =
                format!("{field} must have 1 to 255 bytes, none of them control characters");
            return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
        }
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

/// Why the body could not be taken from the connection.
fn unreceived(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        status @ StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(status, format!("the request is too large: {LONGEST} bytes at most"))
        }
        status => Problem::new(status, rejection.body_text()),
    }
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
        (None, Some(_)) => refused(
            "this server wants a token, as `Authorization: Bearer …`: `millstream token create` makes one",
        ),
        // Digests are compared, so that the time it takes tells nothing about the token.
        (Some(given), Some(wanted)) if Digest::of(given) == Digest::of(wanted) => Ok(()),
        (Some(given), _) => {
            let found = tokens::find(&mut *context.store.read().await?, Digest::of(given)).await?;
            let Some(token) = found else {
                return refused("the token is not known: make one with `millstream token create`");
            };
            let now = context.clock.now();
            match (token.revoked, token.expires) {
                (Some(_), _) => {
                    refused("the token was revoked: make a new one with `millstream token create`")
                }
                (None, Some(expires)) if expires <= now => {
                    refused("the token has expired: make a new one with `millstream token create`")
                }
                _ if !token.scopes.iter().any(|scope| scope == SCOPE) => {
                    let scopes = token.scopes.join(", ");
                    let detail = format!("the token is good for {scopes}, not for {SCOPE}");
                    Err(Problem::new(StatusCode::FORBIDDEN, detail))
                }
                _ => Ok(()),
            }
        }
    }
}
