//! `GET /auth/callback`: a person comes back from the provider.

use std::sync::Arc;
use std::time::Duration;

use adapters::oidc::{Claims, OidcError, Secrets};
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use model::digest::Digest;
use serde::Deserialize;
use store::sessions::{self, Session};

use super::{LOGIN, Logins, cookie, logins};
use crate::admin::tokens::secret;
use crate::api::Api;
use crate::api::access::PERSON;
use crate::api::input::Query;
use crate::api::problem::Problem;

/// What the provider sends back with the person; it may add more.
#[derive(Deserialize)]
pub(super) struct Returned {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

pub(super) async fn end(
    State(api): State<Arc<Api>>,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<impl IntoResponse, Problem> {
    let logins = logins(&api)?;
    let begun = cookie(&headers, LOGIN).and_then(begun);
    let Some((secrets, to)) = begun else {
        let detail = "no login was begun in this browser, or it took too long: begin anew";
        return Err(Problem::invalid("header.Cookie", detail));
    };
    if returned.state.as_deref() != Some(&secrets.state) {
        return Err(Problem::invalid("query.state", "it is of another login: begin anew"));
    }
    if let Some(error) = returned.error {
        let more = returned.error_description.map(|more| format!(": {more}")).unwrap_or_default();
        return Err(OidcError::Refused(format!("{error}{more}")).into());
    }
    let code = returned.code.ok_or_else(|| Problem::invalid("query.code", "it is missing"))?;
    let now = api.clock.now();
    let provider = logins.provider().await?;
    let claims = provider.claims(&logins.client, &secrets, (&code, now.as_seconds())).await?;
    let secret = secret()?;
    let lasts = Duration::from_secs(3600 * u64::from(logins.config.session_hours));
    let session = Session {
        secret: Digest::of(&secret),
        name: name(logins, &claims)?,
        scopes: scopes(logins, &claims),
        created: now,
        end: now + lasts,
    };
    let mut tx = api.store.begin().await?;
    sessions::put(&mut tx, &session).await?;
    tx.commit().await?;
    tracing::info!(name = session.name, scopes = session.scopes.join(","), "logged in");
    let cookies = AppendHeaders([
        (header::SET_COOKIE, logins.cookie(PERSON, &secret, lasts)),
        (header::SET_COOKIE, logins.cookie(LOGIN, "", Duration::ZERO)),
    ]);
    Ok((cookies, Redirect::to(&to)))
}

/// What the cookie of a login holds.
fn begun(value: &str) -> Option<(Secrets, String)> {
    let mut parts = value.splitn(4, '.').map(str::to_owned);
    let secrets = Secrets { state: parts.next()?, nonce: parts.next()?, verifier: parts.next()? };
    Some((secrets, decoded(&parts.next()?)?))
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next()?, rest.next()?];
        bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// What the person is called in the ledger. The provider's own id does where there is no name.
fn name(logins: &Logins, claims: &Claims) -> Result<String, Problem> {
    let named = claims.text(&logins.config.name_claim).or(claims.text("sub"));
    let is_name = |name: &&str| !name.trim().is_empty() && !name.chars().any(char::is_control);
    let nameless = || OidcError::Refused("the provider does not say who it is".to_owned());
    Ok(named.filter(is_name).ok_or_else(nameless)?.to_owned())
}

/// The scopes of the person's groups.
fn scopes(logins: &Logins, claims: &Claims) -> Vec<String> {
    let groups = claims.texts(&logins.config.groups_claim);
    let has_one = |wanted: &[String]| wanted.iter().any(|group| groups.contains(&group.as_str()));
    let own = logins.config.scopes.iter().filter(|(_, wanted)| has_one(wanted));
    own.map(|(scope, _)| scope.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_of_a_login_is_read_back() {
        let (secrets, to) = begun("a.b.c.%2Fplans%2F7%3Fx%3D%2E").unwrap();
        assert_eq!(
            (secrets.state.as_str(), secrets.verifier.as_str(), to.as_str()),
            ("a", "c", "/plans/7?x=.")
        );
        for strange in ["", "a.b.c", "a.b.c.%", "a.b.c.%zz", "a.b.c.%ff"] {
            assert!(begun(strange).is_none(), "{strange}");
        }
    }
}
