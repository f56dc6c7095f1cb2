//! Two kinds of requests to a provider. Redirections are not followed.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::OidcError;

/// How long the provider may take.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much it may say, in bytes.
const LONGEST: usize = 1 << 20;

/// An address that may be gone to.
pub(super) struct Address {
    host: String,
    port: u16,
    tls: bool,
    path: String,
    authority: String,
}

impl Address {
    pub(super) fn of(text: &str) -> Result<Self, OidcError> {
        let wrong = |what: &str| OidcError::Provider(format!("{text:?} {what}"));
        let uri: Uri = text.parse().map_err(|error| wrong(&format!("is no address: {error}")))?;
        let authority = uri.authority().ok_or_else(|| wrong("names no host"))?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if is_here => false,
            _ => return Err(wrong("is not https, and not on this machine")),
        };
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
        Ok(Self { host, port, tls, path, authority: authority.to_string() })
    }
}

pub(super) async fn get(address: &str) -> Result<Bytes, OidcError> {
    let address = Address::of(address)?;
    let request = Request::get(&address.path);
    send(&address, request, String::new()).await
}

pub(super) async fn post(
    address: &str,
    authorization: &str,
    body: String,
) -> Result<Bytes, OidcError> {
    let address = Address::of(address)?;
    let request = Request::post(&address.path)
        .header(header::AUTHORIZATION, authorization)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(&address, request, body).await
}

async fn send(
    address: &Address,
    request: hyper::http::request::Builder,
    body: String,
) -> Result<Bytes, OidcError> {
    let request = request
        .header(header::HOST, &address.authority)
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(body)))
        .map_err(provider)?;
    let answered = tokio::time::timeout(PATIENCE, async {
        let stream = TcpStream::connect((address.host.as_str(), address.port)).await;
        let stream = stream.map_err(provider)?;
        if !address.tls {
            return ask(stream, request).await;
        }
        let name = ServerName::try_from(address.host.clone()).map_err(provider)?;
        ask(connector()?.connect(name, stream).await.map_err(provider)?, request).await
    });
    answered.await.unwrap_or_else(|_| Err(provider("it does not answer in time")))
}

fn connector() -> Result<TlsConnector, OidcError> {
    let mut roots = RootCertStore::empty();
    // Some of the system's certificates may be strange; those that are not do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(provider)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Bytes, OidcError> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(provider)?;
    // It ends with the answer; the answer tells about any trouble.
    tokio::spawn(connection);
    let answer = sender.send_request(request).await.map_err(provider)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), LONGEST).collect().await.map_err(provider)?;
    let body = body.to_bytes();
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
