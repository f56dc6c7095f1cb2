//! `GET /auth/session`: who is logged in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;

use super::{logins, person};
use crate::api::Api;
use crate::api::problem::{Kind, Problem};

pub(super) async fn show(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    logins(&api)?;
    let nobody = || Problem::new(Kind::Unauthorized, "nobody is logged in: GET /auth/login");
    let person = person(&api, &headers).await?.ok_or_else(nobody)?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(person)))
}
