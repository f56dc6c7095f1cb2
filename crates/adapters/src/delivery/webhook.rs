//! Signed HTTP requests, as Standard Webhooks has them: <https://www.standardwebhooks.com/>.
//!
//! A URL is somebody's word, so only public addresses are gone to unless the operator allows others; the address that was
//! looked at is the one that is connected to, and redirections are not followed.

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, Request, StatusCode, header};
use model::clock::Timestamp;
use sha2::Sha256;

use super::{Undelivered, guard};
use crate::http::{self, HttpError, Target};

/// How long the other side may take for everything.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a secret begins; base64 follows.
const PREFIX: &str = "whsec_";

/// One request.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// The secret it is signed with.
    pub secret: String,
    /// Its id; the same for a repetition.
    pub id: String,
    /// When it is sent.
    pub at: Timestamp,
    /// Its JSON.
    pub body: String,
    /// Whether addresses may be gone to that are not public.
    pub private_addresses: bool,
}

/// A secret of these random bytes.
pub fn secret(random: &[u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(random))
}

/// Whether a text is a URL that can be gone to, and another one a secret that can be signed with.
///
/// # Errors
/// What is wrong with them.
pub fn check(url: &str, secret: &str) -> Result<(), String> {
    Target::of(url)?;
    key(secret).map(drop)
}

/// Sends a request; the other side has it when it answers with a 2xx status.
///
/// # Errors
/// [`Undelivered`], for good if the URL may not be gone to or is gone (410).
pub async fn post(webhook: &Webhook) -> Result<(), Undelivered> {
    let target = Target::of(&webhook.url).map_err(Undelivered::for_good)?;
    let request = request(webhook, &target).map_err(Undelivered::for_good)?;
    let host = target.host();
    let allowed = |address: IpAddr| webhook.private_addresses || guard::is_public(address);
    let answered = tokio::time::timeout(PATIENCE, http::send(&target, allowed, request));
    let Ok(answer) = answered.await else {
        let problem = format!("{host} did not answer within {} s", PATIENCE.as_secs());
        return Err(Undelivered::for_now(problem));
    };
    let answer = answer.map_err(|error| match error {
        HttpError::NoAddress { .. } => Undelivered::for_good(format!(
            "{host} has no public address, and others are not gone to (private_addresses in [notify.webhooks])"
        )),
        error => Undelivered::for_now(error.to_string()),
    })?;
    match answer.response.status() {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => {
            Err(Undelivered::for_good(format!("{host} answers that it is gone (410)")))
        }
        status => Err(Undelivered::for_now(format!("{host} answers {status}"))),
    }
}

fn key(secret: &str) -> Result<Vec<u8>, String> {
    let encoded = secret.strip_prefix(PREFIX).ok_or(format!("a secret begins with {PREFIX}"))?;
    let key = STANDARD.decode(encoded);
    let key = key.map_err(|error| format!("what follows {PREFIX} is no base64: {error}"))?;
    match key.len() {
        24..=64 => Ok(key),
        bytes => Err(format!("a secret has 24 to 64 bytes, this one has {bytes}")),
    }
}

fn request(webhook: &Webhook, target: &Target) -> Result<Request<Full<Bytes>>, String> {
    let Webhook { secret, id, at, body, .. } = webhook;
    let seconds = at.as_seconds();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key(secret)?).map_err(|error| error.to_string())?;
    mac.update(format!("{id}.{seconds}.{body}").as_bytes());
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    target
        .request(Method::POST)
        .header(header::CONTENT_TYPE, "application/json")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature)
        .body(Full::new(Bytes::from(body.clone())))
        .map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_specification() {
        let webhook = Webhook {
            url: "https://example.org/hook?a=1".to_owned(),
            secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned(),
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            at: Timestamp(1_614_265_330_000_000),
            body: "{\"test\": 2432232314}".to_owned(),
            private_addresses: false,
        };
        let request = request(&webhook, &Target::of(&webhook.url).unwrap()).unwrap();
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(request.headers()["webhook-signature"], expected);
        assert_eq!(request.headers()[header::HOST], "example.org");
        assert_eq!(request.uri(), "/hook?a=1");
    }

    #[test]
    fn strange_urls_and_secrets_are_refused() {
        let good = secret(&[7; 32]);
        assert_eq!(check("https://example.org", &good), Ok(()));
        assert_eq!(check("http://[::1]:8080/x", &good), Ok(()));
        for url in ["", "example.org", "ftp://example.org", "file:///etc/passwd", "http://a:b@c/"] {
            assert!(check(url, &good).is_err(), "{url}");
        }
        for secret in ["", "whsec_", "whsec_AAAA", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"] {
            assert!(check("https://example.org", secret).is_err(), "{secret}");
        }
    }

    #[tokio::test]
    async fn private_addresses_are_not_gone_to() {
        let webhook = |url: &str| Webhook {
            url: url.to_owned(),
            secret: secret(&[7; 32]),
            id: "1".to_owned(),
            at: Timestamp(0),
            body: "{}".to_owned(),
            private_addresses: false,
        };
        for url in [
            "http://127.0.0.1:1/",
            "http://localhost/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/",
        ] {
            let refused = post(&webhook(url)).await.unwrap_err();
            assert!(
                refused.for_good && refused.problem.contains("no public address"),
                "{url}: {refused}"
            );
        }
    }
}
