//! `POST /auth/logout`: ends a session.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;

use super::{logins, person};
use crate::api::Api;
use crate::api::access::{PERSON, same_origin};
use crate::api::problem::Problem;

pub(super) async fn end(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let logins = logins(&api)?;
    same_origin(&headers)?;
    if let Some(person) = person(&api, &headers).await? {
        person.meant_it(&headers)?;
        api.log_out(&person.secret).await?;
    }
    let gone = logins.cookie(PERSON, "", Duration::ZERO);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]))
}
