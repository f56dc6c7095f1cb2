//! `POST /auth/logout`: ends a session.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use store::sessions;

use super::{SESSION, logins, person};
use crate::api::Api;
use crate::api::access::same_origin;
use crate::api::problem::Problem;

pub(super) async fn end(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let logins = logins(&api)?;
    same_origin(&headers)?;
    if let Some(person) = person(&api, &headers).await? {
        person.meant_it(&headers)?;
        let mut tx = api.store.begin().await?;
        sessions::end(&mut tx, person.secret).await?;
        tx.commit().await?;
    }
    let gone = logins.cookie(SESSION, "", Duration::ZERO);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]))
}
