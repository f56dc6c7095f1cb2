//! Who writes: the configured token, a token that was made, or whoever sits at this machine.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};
use model::digest::Digest;
use store::tokens;

use super::Api;
use super::problem::{Kind, Problem};
use crate::admin::tokens::Scope;

/// The cookie that holds the secret of somebody's session, where people log in.
pub(crate) const PERSON: &str = "millstream_person";

/// Who writes.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// The name of the token, or of the person whose session it is.
    pub(crate) name: String,
    /// What they are good for.
    pub(crate) scopes: Vec<Scope>,
}

impl Actor {
    /// Whether it may do what needs this scope.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.iter().any(|own| *own == scope || *own == Scope::Admin)
    }

    /// Who is named as the author of an intervention.
    pub(crate) fn author(&self, on_behalf_of: Option<&str>) -> String {
        match on_behalf_of {
            Some(person) => format!("{person} (by {})", self.name),
            None => self.name.clone(),
        }
    }
}

/// The token a request carries.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Who sends messages. Whoever sits at this machine needs no token, unless one is configured or people log in here:
/// then who seems to may come through a proxy.
pub(crate) async fn sender(api: &Api, headers: &HeaderMap, peer: IpAddr) -> Result<Actor, Problem> {
    let local = || Actor { name: "this machine".to_owned(), scopes: vec![Scope::Messages] };
    match (bearer(headers), &api.config.token) {
        (None, None) if peer.to_canonical().is_loopback() && api.config.oidc.is_none() => {
            Ok(local())
        }
        (None, _) => by_session(api, headers).await?.ok_or_else(|| {
            unauthorized(
                "this server wants a token, as `Authorization: Bearer …`: `millstream token create` makes one",
            )
        }),
        // Digests are compared, so that the time it takes tells nothing about the token.
        (Some(given), Some(wanted)) if Digest::of(given) == Digest::of(wanted) => {
            Ok(Actor { name: "the configured token".to_owned(), scopes: vec![Scope::Messages] })
        }
        (Some(given), _) => by_token(api, given).await,
    }
}

/// Who intervenes, if they may do what needs this scope.
pub(crate) async fn intervener(
    api: &Api,
    headers: &HeaderMap,
    scope: Scope,
) -> Result<Actor, Problem> {
    let actor = match bearer(headers) {
        Some(given) => by_token(api, given).await?,
        None => by_session(api, headers).await?.ok_or_else(|| {
            unauthorized(&format!(
                "this needs a token, as `Authorization: Bearer …`: `millstream token create NAME --scope {scope}` makes one"
            ))
        })?,
    };
    if actor.may(scope) { Ok(actor) } else { Err(forbidden(&actor, scope)) }
}

/// Says what a token is good for, and what it is not good for.
pub(crate) fn forbidden(actor: &Actor, scope: Scope) -> Problem {
    let own: Vec<&str> = actor.scopes.iter().map(|scope| scope.as_str()).collect();
    let own = if own.is_empty() { "nothing".to_owned() } else { own.join(", ") };
    Problem::new(Kind::Forbidden, format!("the token is good for {own}, not for {scope}"))
}

async fn by_token(api: &Api, given: &str) -> Result<Actor, Problem> {
    let found = tokens::find(&mut *api.store.read().await?, Digest::of(given)).await?;
    let Some(token) = found else {
        return Err(unauthorized(
            "the token is not known: make one with `millstream token create`",
        ));
    };
    if token.revoked.is_some() {
        return Err(unauthorized(
            "the token was revoked: make a new one with `millstream token create`",
        ));
    }
    if !token.is_valid(api.clock.now()) {
        return Err(unauthorized(
            "the token has expired: make a new one with `millstream token create`",
        ));
    }
    // A scope that this version does not know gives nothing.
    let scopes = token.scopes.iter().filter_map(|scope| scope.parse().ok()).collect();
    Ok(Actor { name: token.name, scopes })
}

/// Who is logged in, if the write shows that it comes from a page of ours.
#[cfg(feature = "oidc")]
async fn by_session(api: &Api, headers: &HeaderMap) -> Result<Option<Actor>, Problem> {
    let Some(person) = super::auth::person(api, headers).await? else { return Ok(None) };
    person.meant_it(headers)?;
    Ok(Some(Actor { name: person.name, scopes: person.scopes }))
}

#[cfg(feature = "oidc")]
impl Api {
    /// Who is logged in with this secret; that they meant what they send is for the caller to see to.
    pub(crate) async fn logged_in(&self, secret: &str) -> Result<Option<Actor>, store::Error> {
        let person = super::auth::logged_in(self, secret).await?;
        Ok(person.map(|person| Actor { name: person.name, scopes: person.scopes }))
    }

    /// Ends somebody's session.
    pub(crate) async fn log_out(&self, secret: &str) -> Result<(), store::Error> {
        let mut tx = self.store.begin().await?;
        store::sessions::end(&mut tx, Digest::of(secret)).await?;
        tx.commit().await
    }
}

/// Nobody can log in to a program that was built without it.
#[cfg(not(feature = "oidc"))]
async fn by_session(_: &Api, _: &HeaderMap) -> Result<Option<Actor>, Problem> {
    Ok(None)
}

#[cfg(not(feature = "oidc"))]
impl Api {
    pub(crate) async fn logged_in(&self, _: &str) -> Result<Option<Actor>, store::Error> {
        Ok(None)
    }

    pub(crate) async fn log_out(&self, _: &str) -> Result<(), store::Error> {
        Ok(())
    }
}

fn unauthorized(detail: &str) -> Problem {
    Problem::new(Kind::Unauthorized, detail).with(header::WWW_AUTHENTICATE, "Bearer")
}

/// Refuses what a page of another site makes a browser send. Clients that are no browsers send neither header.
pub(crate) fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign =
        || Err(Problem::new(Kind::Forbidden, "the request comes from a page of another site"));
    if text("sec-fetch-site").is_some_and(|site| !matches!(site, "same-origin" | "none")) {
        return foreign();
    }
    match text("origin") {
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            if host.is_some() && host == text("host") { Ok(()) } else { foreign() }
        }
        None => Ok(()),
    }
}

/// Refuses a body that does not say that it is JSON. A page of another site cannot say so without asking first.
pub(crate) fn is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    match kind {
        Some(kind) if kind.eq_ignore_ascii_case("application/json") => Ok(()),
        Some(kind) => Err(Problem::new(
            Kind::UnsupportedMediaType,
            format!("the body is {kind}: send JSON, with `Content-Type: application/json`"),
        )),
        None => Err(Problem::new(
            Kind::UnsupportedMediaType,
            "the body does not say what it is: send JSON, with `Content-Type: application/json`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = ("host", "mill.example:8484");
        let check = |pairs: &[(&'static str, &str)], allowed: bool| {
            let mut all = vec![host];
            all.extend_from_slice(pairs);
            assert_eq!(same_origin(&headers(&all)).is_ok(), allowed, "{pairs:?}");
        };
        check(&[], true);
        check(&[("origin", "http://mill.example:8484")], true);
        check(&[("origin", "http://mill.example")], false);
        check(&[("origin", "https://evil.example")], false);
        check(&[("origin", "null")], false);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
    }

    #[test]
    fn bodies_have_to_say_that_they_are_json() {
        for (kind, allowed) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
        ] {
            assert_eq!(is_json(&headers(&[("content-type", kind)])).is_ok(), allowed, "{kind}");
        }
        assert!(is_json(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_token_stands_behind_its_scheme() {
        let token = |value: &str| bearer(&headers(&[("authorization", value)])).map(str::to_owned);
        assert_eq!(token("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(token("bearer  abc").as_deref(), Some("abc"));
        assert_eq!([token("Basic abc"), token("abc")], [None, None]);
    }
}
