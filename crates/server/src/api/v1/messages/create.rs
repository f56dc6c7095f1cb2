//! `POST /api/v1/messages`: takes a message and answers when it is stored for good.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, Extension, State};
use axum::http::{HeaderMap, StatusCode};
use model::digest::Digest;
use model::message::Message;
use pipeline::intake::test_result;
use serde::{Deserialize, Serialize};
use store::audit::AuditEntry;
use store::inbox::Receipt;
use utoipa::ToSchema;

use super::writer;
use crate::admin::tokens::Scope;
use crate::api::Api;
use crate::api::access::{forbidden, is_json, same_origin, sender};
use crate::api::envelope::RequestId;
use crate::api::problem::{Kind, Problem};

/// The longest body a message may have, in bytes.
pub(crate) const LONGEST: usize = 4 << 20;

/// A message as it is sent.
#[derive(Deserialize, ToSchema)]
pub(crate) struct MessageBody {
    /// The sender's id; a second message with the same id changes nothing.
    #[schema(min_length = 1, max_length = 255)]
    id: String,
    /// What it is about, e.g. `millstream.request`.
    #[schema(min_length = 1, max_length = 255)]
    topic: String,
    /// The body: any JSON.
    body: serde_json::Value,
}

/// That a message is stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct Stored {
    /// The message's id.
    id: String,
    /// `stored`, or `known` if one with this id was stored before.
    state: &'static str,
}

/// Stores a message, unless its id is known. Needs the scope `messages`, or `results` for topic
/// `millstream.test-result`; from this machine no token, unless one is configured.
#[utoipa::path(
    post,
    path = "/messages",
    tag = "messages",
    operation_id = "create_message",
    request_body = MessageBody,
    security((), ("token" = [])),
    responses(
        (status = 202, description = "It is stored for good.", body = Stored),
        (status = 200, description = "It was stored before.", body = Stored),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Extension(request): Extension<RequestId>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Stored>), Problem> {
    same_origin(&headers)?;
    let actor = sender(&api, &headers, peer.ip()).await?;
    is_json(&headers)?;
    let body = body.map_err(|rejection| unreceived(&rejection))?;
    let sent: MessageBody = serde_json::from_slice(&body)
        .map_err(|error| Problem::invalid("body", format!("the request is no message: {error}")))?;
    for (field, text) in [("id", &sent.id), ("topic", &sent.topic)] {
        // PostgreSQL keeps no NUL, and nobody can read the others in a listing.
        if text.is_empty() || text.len() > 255 || text.chars().any(char::is_control) {
            let detail =
                format!("{field} must have 1 to 255 bytes, none of them control characters");
            return Err(Problem::invalid(format!("body.{field}"), detail));
        }
    }
    let is_result = sent.topic == test_result::TOPIC && actor.may(Scope::Results);
    if !is_result && !actor.may(Scope::Messages) {
        return Err(forbidden(&actor, Scope::Messages));
    }
    let entry = AuditEntry {
        at: api.clock.now(),
        actor: actor.name,
        remote: peer.ip().to_string(),
        method: "POST".to_owned(),
        path: "/api/v1/messages".to_owned(),
        body: Digest::of(&body),
        request: request.0,
        status: None,
    };
    let message = Message { id: sent.id, topic: sent.topic, body: sent.body.to_string() };
    let id = message.id.clone();
    let receipt = api.writer.write(message, entry).await?;
    let state = match receipt {
        Receipt::Inserted => "stored",
        Receipt::Duplicate => "known",
    };
    Ok((writer::status(receipt), Json(Stored { id, state })))
}

/// Why the body could not be taken from the connection.
fn unreceived(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            Kind::TooLarge,
            format!("the request is too large: {LONGEST} bytes at most"),
        ),
        _ => Problem::invalid("body", rejection.body_text()),
    }
}
