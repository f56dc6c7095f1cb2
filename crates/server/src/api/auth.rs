//! `/auth`: people log in through a provider of OpenID Connect, and stay so by a cookie that scripts cannot read.

mod callback;
mod login;
mod logout;
mod session;

use std::sync::Arc;
use std::time::Duration;

use adapters::oidc::{self, Client, OidcError, Provider};
use axum::Router;
use axum::http::{HeaderMap, HeaderName, header};
use axum::routing::{get, post};
use model::digest::Digest;
use serde::Serialize;
use store::sessions;
use tokio::sync::OnceCell;

use super::Api;
use super::access::PERSON;
use super::problem::{Kind, Problem};
use crate::admin::time::Moment;
use crate::admin::tokens::Scope;
use crate::config::Oidc;

/// The cookie that binds a login to the browser that began it.
const LOGIN: &str = "millstream_login";
/// How long a login may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// What a write by cookie must carry: a page of another site can make a browser send the cookie, and cannot read this.
pub(super) const CSRF: HeaderName = HeaderName::from_static("x-csrf-token");

/// Through whom people log in.
pub(super) struct Logins {
    config: Oidc,
    client: Client,
    /// Asked for when somebody logs in first: a provider that is away keeps no server from starting.
    provider: OnceCell<Provider>,
}

/// Somebody who is logged in.
#[derive(Clone, Serialize)]
pub(super) struct Person {
    /// What the provider calls them.
    pub(super) name: String,
    /// What they may do.
    pub(super) scopes: Vec<Scope>,
    /// What their writes must carry as `X-CSRF-Token`.
    pub(super) csrf: String,
    /// When they have to log in again.
    end: Moment,
    #[serde(skip)]
    secret: String,
}

impl Logins {
    pub(super) fn new(config: Oidc) -> Self {
        let client = Client {
            id: config.client_id.clone(),
            secret: config.client_secret.clone(),
            redirect: format!("{}/auth/callback", config.url.trim_end_matches('/')),
            scopes: config.request.clone(),
        };
        Self { config, client, provider: OnceCell::new() }
    }

    async fn provider(&self) -> Result<&Provider, Problem> {
        let issuer = &self.config.issuer;
        Ok(self.provider.get_or_try_init(|| oidc::discover(issuer)).await?)
    }

    /// A cookie that only this server gets back, and only from its own pages or a link to them.
    fn cookie(&self, name: &str, value: &str, lasts: Duration) -> String {
        let secure = if self.config.url.starts_with("https://") { "; Secure" } else { "" };
        let seconds = lasts.as_secs();
        format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}")
    }
}

/// The pages; each says so if nobody can log in here.
pub(super) fn router() -> Router<Arc<Api>> {
    Router::new()
        .route("/auth/login", get(login::begin))
        .route("/auth/callback", get(callback::end))
        .route("/auth/session", get(session::show))
        .route("/auth/logout", post(logout::end))
}

fn logins(api: &Api) -> Result<&Logins, Problem> {
    let none = || Problem::new(Kind::NotFound, "nobody can log in here: [oidc] is not configured");
    api.logins.as_ref().ok_or_else(none)
}

/// Who is logged in, as the cookie of a request says.
pub(super) async fn person(api: &Api, headers: &HeaderMap) -> Result<Option<Person>, Problem> {
    match cookie(headers, PERSON) {
        Some(secret) => Ok(logged_in(api, secret).await?),
        None => Ok(None),
    }
}

/// Who is logged in with this secret.
pub(super) async fn logged_in(api: &Api, secret: &str) -> Result<Option<Person>, store::Error> {
    let digest = Digest::of(secret);
    let now = api.clock.now();
    let found = sessions::find(&mut *api.store.read().await?, digest, now).await?;
    Ok(found.map(|session| Person {
        name: session.name,
        // A scope that this version does not know gives nothing.
        scopes: session.scopes.iter().filter_map(|scope| scope.parse().ok()).collect(),
        csrf: Digest::of_fields(["csrf", secret]).to_string(),
        end: Moment(session.end),
        secret: secret.to_owned(),
    }))
}

impl Person {
    /// Refuses a write that comes by cookie without showing that it comes from a page of ours.
    pub(super) fn meant_it(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let given = headers.get(CSRF).map(|value| Digest::of(value.as_bytes()));
        // Digests are compared, so that the time it takes tells nothing about it.
        if given == Some(Digest::of(&self.csrf)) {
            return Ok(());
        }
        let detail = "a write by cookie needs X-CSRF-Token, which GET /auth/session tells";
        Err(Problem::new(Kind::Forbidden, detail))
    }
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|cookies| cookies.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(own, _)| *own == name).map(|p| p.1)
}

impl From<OidcError> for Problem {
    fn from(error: OidcError) -> Self {
        let kind = match error {
            OidcError::Provider(_) => Kind::Unavailable,
            OidcError::Refused(_) => Kind::Forbidden,
        };
        Self::new(kind, error.to_string())
    }
}
