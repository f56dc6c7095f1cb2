//! `GET /auth/login?to=PATH`: sends a person to the provider.

use std::sync::Arc;

use adapters::oidc::Secrets;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect};
use serde::Deserialize;

use super::{LOGIN, PATIENCE, logins};
use crate::admin::tokens::secret;
use crate::api::Api;
use crate::api::input::Query;
use crate::api::listing::encoded;
use crate::api::problem::Problem;

/// Where to afterwards.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default = "home")]
    to: String,
}

fn home() -> String {
    "/".to_owned()
}

pub(super) async fn begin(
    State(api): State<Arc<Api>>,
    Query(Wanted { to }): Query<Wanted>,
) -> Result<impl IntoResponse, Problem> {
    let logins = logins(&api)?;
    // `//host` and `/\host` lead elsewhere.
    let is_ours = to.starts_with('/') && !to[1..].starts_with(['/', '\\']);
    if !is_ours || to.chars().any(char::is_control) {
        return Err(Problem::invalid("query.to", "expected a path of this server"));
    }
    let secrets = Secrets { state: secret()?, nonce: secret()?, verifier: secret()? };
    let address = logins.provider().await?.authorization(&logins.client, &secrets);
    let Secrets { state, nonce, verifier } = secrets;
    let value = format!("{state}.{nonce}.{verifier}.{}", encoded(&to).replace('.', "%2E"));
    let cookie = logins.cookie(LOGIN, &value, PATIENCE);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&address)))
}
