//! Two kinds of requests to a provider. Redirections are not followed.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::http::request;
use hyper::{Method, header};
use url::Host;

use super::OidcError;
use crate::http::{self, Target};

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much it may say, in bytes.
const LONGEST: usize = 1 << 20;

/// An address that may be gone to.
pub(super) struct Address(Target);

impl Address {
    pub(super) fn of(text: &str) -> Result<Self, OidcError> {
        let target = Target::of(text).map_err(provider)?;
        let is_here = match target.url().host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if target.is_tls() || is_here {
            return Ok(Self(target));
        }
        Err(OidcError::Provider(format!("{text:?} is not https, and not on this machine")))
    }
}

pub(super) async fn get(address: &str) -> Result<Bytes, OidcError> {
    let address = Address::of(address)?;
    let request = address.0.request(Method::GET);
    send(&address, request, String::new()).await
}

pub(super) async fn post(
    address: &str,
    authorization: &str,
    body: String,
) -> Result<Bytes, OidcError> {
    let address = Address::of(address)?;
    let request = address
        .0
        .request(Method::POST)
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(&address, request, body).await
}

async fn send(
    address: &Address,
    request: request::Builder,
    body: String,
) -> Result<Bytes, OidcError> {
    let request = request
        .header(header::ACCEPT, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(provider)?;
    let answered = tokio::time::timeout(PATIENCE, async {
        let answer = http::send(&address.0, |_| true, request).await;
        let mut answer = answer.map_err(provider)?;
        let body = Limited::new(answer.response.body_mut(), LONGEST).collect().await;
        Ok((answer.response.status(), body.map_err(provider)?.to_bytes()))
    });
    let (status, body) =
        answered.await.unwrap_or_else(|_| Err(provider("it does not answer in time")))?;
    match status {
        status if status.is_success() => Ok(body),
        // RFC 6749, 5.2: the code or the client is not good.
        status if matches!(status.as_u16(), 400 | 401) => {
            Err(OidcError::Refused(String::from_utf8_lossy(&body).trim().to_owned()))
        }
        status => Err(provider(format!("it answers {status}"))),
    }
}

fn provider(problem: impl std::fmt::Display) -> OidcError {
    OidcError::Provider(problem.to_string())
}

/// Percent-encoded, but for what no address gives a meaning.
pub(super) fn encoded(text: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes()
        .map(|b| if is_plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_gone_to_without_tls() {
        for (text, allowed) in [
            ("https://id.example/x?y", true),
            ("http://127.0.0.1:80/", true),
            ("http://[::1]/", true),
            ("http://localhost:1/", true),
            ("http://id.example/", false),
            ("http://127.0.0.1.evil.example/", false),
            ("ftp://localhost/", false),
            ("/x", false),
        ] {
            assert_eq!(Address::of(text).is_ok(), allowed, "{text}");
        }
    }
}
