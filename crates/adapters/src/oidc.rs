//! Logins through a provider of OpenID Connect: the authorization code flow with PKCE (OpenID Connect Core 1.0, 3.1;
//! RFC 7636).
//!
//! The ID token comes from the token endpoint over TLS, which OpenID Connect Core 3.1.3.7 (6) lets stand for its
//! signature; so every address has to be `https`, but for a provider on this machine.

mod wire;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use wire::{Address, encoded};

/// Why somebody could not be logged in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider cannot be reached, or answers strangely.
    #[error("the provider of logins: {0}")]
    Provider(String),
    /// The provider does not vouch for whoever wants to log in.
    #[error("the login was refused: {0}")]
    Refused(String),
}

/// A provider, as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Provider {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
}

/// What this server is to the provider.
#[derive(Clone, Debug)]
pub struct Client {
    /// Its id there.
    pub id: String,
    /// Its secret there.
    pub secret: String,
    /// Where the provider sends people back to.
    pub redirect: String,
    /// What is asked for beside `openid`.
    pub scopes: Vec<String>,
}

/// Random texts that bind a login to the browser that began it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secrets {
    /// Comes back with the person.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Shown to the token endpoint; its digest is shown when the login begins.
    pub verifier: String,
}

/// What the provider says of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    /// A claim that is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// A claim that is a list of texts.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        match self.0.get(name) {
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(text)) => vec![text],
            _ => Vec::new(),
        }
    }
}

/// Asks a provider to describe itself.
///
/// # Errors
/// [`OidcError::Provider`].
pub async fn discover(issuer: &str) -> Result<Provider, OidcError> {
    let trimmed = issuer.trim_end_matches('/');
    let answer = wire::get(&format!("{trimmed}/.well-known/openid-configuration")).await?;
    let provider: Provider = serde_json::from_slice(&answer)
        .map_err(|error| OidcError::Provider(format!("does not describe itself: {error}")))?;
    // Another issuer's description would let it speak for this one (OpenID Connect Discovery 4.3).
    if provider.issuer.trim_end_matches('/') != trimmed {
        let problem = format!("{issuer} calls itself {}", provider.issuer);
        return Err(OidcError::Provider(problem));
    }
    for address in [&provider.authorization_endpoint, &provider.token_endpoint] {
        Address::of(address)?;
    }
    Ok(provider)
}

impl Provider {
    /// Where a person is sent to log in.
    pub fn authorization(&self, client: &Client, secrets: &Secrets) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&secrets.verifier));
        let scopes: Vec<&str> =
            std::iter::once("openid").chain(client.scopes.iter().map(String::as_str)).collect();
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &client.id),
            ("redirect_uri", &client.redirect),
            ("scope", &scopes.join(" ")),
            ("state", &secrets.state),
            ("nonce", &secrets.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let sign = if self.authorization_endpoint.contains('?') { '&' } else { '?' };
        format!("{}{sign}{query}", self.authorization_endpoint)
    }

    /// What the provider says of the person that came back with a code; `now` is in seconds since 1970.
    ///
    /// # Errors
    /// [`OidcError::Refused`] when the code or what it stands for is not good.
    pub async fn claims(
        &self,
        client: &Client,
        secrets: &Secrets,
        (code, now): (&str, i64),
    ) -> Result<Claims, OidcError> {
        let body = form(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &client.redirect),
            ("code_verifier", &secrets.verifier),
        ]);
        // RFC 6749, 2.3.1: both are encoded before they are joined.
        let credentials = format!("{}:{}", encoded(&client.id), encoded(&client.secret));
        let authorization = format!("Basic {}", STANDARD.encode(credentials));
        let answer = wire::post(&self.token_endpoint, &authorization, body).await?;
        let answer: Tokens = serde_json::from_slice(&answer)
            .map_err(|error| OidcError::Provider(format!("gives no ID token: {error}")))?;
        let claims = payload(&answer.id_token)?;
        self.check(client, secrets, &claims, now)?;
        Ok(claims)
    }

    /// OpenID Connect Core 3.1.3.7: it is from this issuer, for this client, still good, and of this login.
    fn check(
        &self,
        client: &Client,
        secrets: &Secrets,
        claims: &Claims,
        now: i64,
    ) -> Result<(), OidcError> {
        let refused = |what: &str| Err(OidcError::Refused(format!("the ID token {what}")));
        if claims.text("iss") != Some(&self.issuer) {
            return refused("is of another issuer");
        }
        if !claims.texts("aud").contains(&client.id.as_str()) {
            return refused("is for another client");
        }
        if claims.text("azp").is_some_and(|party| party != client.id) {
            return refused("was given to another client");
        }
        if claims.0.get("exp").and_then(Value::as_i64).is_none_or(|end| end <= now) {
            return refused("has expired");
        }
        if claims.text("nonce") != Some(&secrets.nonce) {
            return refused("is of another login");
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// The claims in the middle part of a token.
fn payload(token: &str) -> Result<Claims, OidcError> {
    let strange = || OidcError::Provider("gives an ID token that cannot be read".to_owned());
    let part = token.split('.').nth(1).ok_or_else(strange)?;
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| strange())?;
    serde_json::from_slice(&bytes).map(Claims).map_err(|_| strange())
}

/// `a=b&c=d`, encoded.
fn form(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> Provider {
        Provider {
            issuer: "https://id.example".to_owned(),
            authorization_endpoint: "https://id.example/authorize".to_owned(),
            token_endpoint: "https://id.example/token".to_owned(),
        }
    }

    fn client() -> Client {
        Client {
            id: "millstream".to_owned(),
            secret: "s".to_owned(),
            redirect: "https://mill.example/auth/callback".to_owned(),
            scopes: vec!["groups".to_owned()],
        }
    }

    fn secrets() -> Secrets {
        // The verifier of RFC 7636, appendix B.
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        Secrets { state: "st".to_owned(), nonce: "no".to_owned(), verifier }
    }

    #[test]
    fn the_challenge_is_that_of_the_specification() {
        let address = provider().authorization(&client(), &secrets());
        assert!(
            address.starts_with(
                "https://id.example/authorize?response_type=code&client_id=millstream&"
            )
        );
        assert!(address.contains("redirect_uri=https%3A%2F%2Fmill.example%2Fauth%2Fcallback"));
        assert!(address.contains("scope=openid%20groups&state=st&nonce=no"));
        assert!(address.contains("code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    }

    #[test]
    fn tokens_of_others_are_refused() {
        let good = serde_json::json!({"iss": "https://id.example", "aud": ["x", "millstream"], "exp": 100, "nonce": "no"});
        let check = |field: &str, value: Value, expected: &str| {
            let mut claims = good.as_object().unwrap().clone();
            claims.insert(field.to_owned(), value);
            let found = provider().check(&client(), &secrets(), &Claims(claims), 50);
            let found = found.map_or_else(|error| error.to_string(), |()| "good".to_owned());
            assert!(found.ends_with(expected), "{field}: {found}");
        };
        check("sub", "ann".into(), "good");
        check("aud", "millstream".into(), "good");
        check("azp", "millstream".into(), "good");
        check("iss", "https://id.example.evil".into(), "another issuer");
        check("aud", "other".into(), "another client");
        check("azp", "other".into(), "another client");
        check("exp", 50.into(), "expired");
        check("exp", "100".into(), "expired");
        check("nonce", "other".into(), "another login");
        check("nonce", Value::Null, "another login");
    }

    #[test]
    fn what_is_no_token_is_no_token() {
        for text in ["", "a", "a.b.c", "a.e30", "a.W10.c"] {
            let read = payload(text);
            assert_eq!(read.is_ok(), text == "a.e30", "{text}: {read:?}");
        }
    }
}
