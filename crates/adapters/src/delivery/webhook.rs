//! Signed HTTP requests, as Standard Webhooks has them: <https://www.standardwebhooks.com/>.
//!
//! A URL is somebody's word, so only public addresses are gone to unless the operator allows others; the address that was
//! looked at is the one that is connected to, and redirections are not followed.

use std::net::SocketAddr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use model::clock::Timestamp;
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::{Undelivered, guard};

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
    let answered = tokio::time::timeout(PATIENCE, async {
        let stream = connect(&target, webhook.private_addresses).await?;
        exchange(&target, stream, request).await
    });
    let Ok(answer) = answered.await else {
        let problem = format!("{} did not answer within {} s", target.host, PATIENCE.as_secs());
        return Err(Undelivered::for_now(problem));
    };
    match answer? {
        status if status.is_success() => Ok(()),
        StatusCode::GONE => {
            Err(Undelivered::for_good(format!("{} answers that it is gone (410)", target.host)))
        }
        status => Err(Undelivered::for_now(format!("{} answers {status}", target.host))),
    }
}

/// A URL, taken apart.
struct Target {
    host: String,
    port: u16,
    tls: bool,
    path: String,
    authority: String,
}

impl Target {
    fn of(url: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("{url:?} {what}");
        let uri: Uri = url.parse().map_err(|error| wrong(&format!("is no URL: {error}")))?;
        let tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(wrong("begins neither with http:// nor with https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("has a user in it, which is not sent"));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port, tls, path, authority: authority.to_string() })
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
    Request::post(&target.path)
        .header(header::HOST, &target.authority)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "millstream")
        .header(header::CONNECTION, "close")
        .header("webhook-id", id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signature)
        .body(Full::new(Bytes::from(body.clone())))
        .map_err(|error| error.to_string())
}

/// Connects to the first address that may be gone to and answers.
async fn connect(target: &Target, private_addresses: bool) -> Result<TcpStream, Undelivered> {
    let found = tokio::net::lookup_host((target.host.as_str(), target.port)).await;
    let found: Vec<SocketAddr> =
        found.map_err(|error| Undelivered::for_now(format!("{}: {error}", target.host)))?.collect();
    let allowed = |address: &&SocketAddr| private_addresses || guard::is_public(address.ip());
    let Some(_) = found.iter().find(allowed) else {
        return Err(Undelivered::for_good(format!(
            "{} has no public address, and others are not gone to (private_addresses in [notify.webhooks])",
            target.host
        )));
    };
    let mut last = Undelivered::for_now(format!("{} has no address", target.host));
    for address in found.iter().filter(allowed) {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Undelivered::for_now(format!("{address}: {error}")),
        }
    }
    Err(last)
}

async fn exchange(
    target: &Target,
    stream: TcpStream,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, Undelivered> {
    if target.tls { secured(target, stream, request).await } else { ask(stream, request).await }
}

#[cfg(feature = "tls")]
async fn secured(
    target: &Target,
    stream: TcpStream,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, Undelivered> {
    use std::sync::Arc;

    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    let problem = |error: &dyn std::fmt::Display| {
        Undelivered::for_now(format!("TLS with {}: {error}", target.host))
    };
    let mut roots = RootCertStore::empty();
    // Some of the system's certificates may be strange; those that are not do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(target.host.clone()).map_err(|error| problem(&error))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    ask(stream.map_err(|error| problem(&error))?, request).await
}

#[cfg(not(feature = "tls"))]
async fn secured(
    _: &Target,
    _: TcpStream,
    _: Request<Full<Bytes>>,
) -> Result<StatusCode, Undelivered> {
    Err(Undelivered::for_now(super::NO_TLS))
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<StatusCode, Undelivered> {
    let problem = |error: hyper::Error| Undelivered::for_now(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(problem)?;
    // It ends when the sender is dropped, or with the other side; the answer tells about any trouble.
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(request).await;
    connection.abort();
    Ok(answer.map_err(problem)?.status())
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
