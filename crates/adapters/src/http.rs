//! The one place that makes HTTP requests: one request over a connection of its own, with TLS where the program has it.
//!
//! How long anything may take, which addresses may be gone to, and whether a redirection is followed is for whoever asks.

use std::error::Error;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::http::request;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use url::{Host, Position, Url};

/// How long one address may take to accept a connection, before the next is tried.
const CONNECTING: Duration = Duration::from_secs(10);

/// What a program built without TLS says when it is asked for.
#[cfg(not(feature = "tls"))]
pub(crate) const NO_TLS: &str =
    "this program was built without TLS: build it with the feature `tls`";

/// A URL that can be gone to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target(Url);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpError {
    /// The name of the host is not known, or cannot be asked for.
    #[error("{host}: {source}")]
    Lookup { host: String, source: io::Error },
    /// The name stands for nothing, or for nothing that may be gone to.
    #[error("{host} has no address that may be gone to")]
    NoAddress { host: String },
    /// Nobody is there.
    #[error("{address}: {source}")]
    Connect { address: SocketAddr, source: io::Error },
    /// TLS cannot be agreed upon; most often nobody trusted vouches for the host.
    #[cfg(any(feature = "tls", feature = "oidc"))]
    #[error("TLS with {host}: {problem}")]
    Tls { host: String, problem: String },
    /// TLS was left out.
    #[cfg(not(any(feature = "tls", feature = "oidc")))]
    #[error("{NO_TLS}")]
    WithoutTls,
    /// The connection was lost, or it does not speak HTTP.
    #[error("{}", told(.0))]
    Exchange(#[from] hyper::Error),
}

/// An answer, whose body is still on its way.
pub(crate) struct Answer {
    pub(crate) response: Response<Incoming>,
    _connection: Connection,
}

/// What moves the bytes of a connection; it is closed when this is dropped.
struct Connection(JoinHandle<Result<(), hyper::Error>>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, the URL in front.
    pub(crate) fn of(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
        Self::checked(url).map_err(|what| format!("{text:?} {what}"))
    }

    pub(crate) fn checked(mut url: Url) -> Result<Self, &'static str> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err("begins neither with http:// nor with https://");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("has a user in it, which is not sent");
        }
        url.set_fragment(None);
        Ok(Self(url))
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The host without the brackets of an address.
    pub(crate) fn host(&self) -> String {
        match self.0.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(host) => host.to_string(),
            None => String::new(),
        }
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// What lies below it, under names in which no sign has a meaning.
    pub(crate) fn below<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(names);
        }
        Self(url)
    }

    /// A request to it, with what every request has.
    pub(crate) fn request(&self, method: Method) -> request::Builder {
        Request::builder()
            .method(method)
            .uri(&self.0[Position::BeforePath..Position::AfterQuery])
            .header(header::HOST, &self.0[Position::BeforeHost..Position::AfterPort])
            .header(header::USER_AGENT, "millstream")
            .header(header::CONNECTION, "close")
    }
}

/// Sends a request to the first address that may be gone to and accepts a connection.
///
/// # Errors
/// [`HttpError`]; a status that is no success is an answer as well.
pub(crate) async fn send(
    target: &Target,
    may_be_gone_to: impl Fn(IpAddr) -> bool,
    request: Request<Full<Bytes>>,
) -> Result<Answer, HttpError> {
    #[cfg(not(any(feature = "tls", feature = "oidc")))]
    if target.is_tls() {
        return Err(HttpError::WithoutTls);
    }
    let host = target.host();
    let port = target.0.port_or_known_default().unwrap_or(80);
    let found = tokio::net::lookup_host((host.as_str(), port)).await;
    let found = found.map_err(|source| HttpError::Lookup { host: host.clone(), source })?;
    let addresses: Vec<SocketAddr> = found.filter(|address| may_be_gone_to(address.ip())).collect();
    let stream = connect(host, &addresses).await?;
    #[cfg(any(feature = "tls", feature = "oidc"))]
    if target.is_tls() {
        return ask(secured(target, stream).await?, request).await;
    }
    ask(stream, request).await
}

async fn connect(host: String, addresses: &[SocketAddr]) -> Result<TcpStream, HttpError> {
    let mut last = HttpError::NoAddress { host };
    for &address in addresses {
        let connected = tokio::time::timeout(CONNECTING, TcpStream::connect(address)).await;
        match connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => return Ok(stream),
            Err(source) => last = HttpError::Connect { address, source },
        }
    }
    Err(last)
}

#[cfg(any(feature = "tls", feature = "oidc"))]
async fn secured(
    target: &Target,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, HttpError> {
    use std::sync::Arc;

    use tokio_rustls::TlsConnector;
    use tokio_rustls::rustls::crypto::ring;
    use tokio_rustls::rustls::pki_types::ServerName;
    use tokio_rustls::rustls::{ClientConfig, RootCertStore};

    let host = target.host();
    let problem =
        |error: &dyn Error| HttpError::Tls { host: host.clone(), problem: error.to_string() };
    let mut roots = RootCertStore::empty();
    // Some of the system's certificates may be strange; those that are not do.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| problem(&error))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.clone()).map_err(|error| problem(&error))?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    stream.map_err(|error| problem(&error))
}

async fn ask(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Answer, HttpError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // The answer and its body tell about any trouble.
    let connection = Connection(tokio::spawn(connection));
    Ok(Answer { response: sender.send_request(request).await?, _connection: connection })
}

/// An error with what is behind it.
pub(crate) fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", told(source)),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_host_and_path_as_the_url_does() {
        let check = |url: &str, host: &str, asked: &str, named: &str| {
            let target = Target::of(url).unwrap();
            let request = target.request(Method::GET).body(()).unwrap();
            assert_eq!(target.host(), host);
            assert_eq!(request.uri(), asked);
            assert_eq!(request.headers()[header::HOST], named);
        };
        check("http://example.org", "example.org", "/", "example.org");
        check("https://example.org:443/a?b=c#d", "example.org", "/a?b=c", "example.org");
        check("http://[::1]:8080/a b", "::1", "/a%20b", "[::1]:8080");
        check("HTTP://EXAMPLE.org:81/A", "example.org", "/A", "example.org:81");
    }

    #[test]
    fn strange_urls_are_refused() {
        for url in ["", "example.org", "ftp://example.org", "file:///etc/passwd", "http://a:b@c/"] {
            let refused = Target::of(url).unwrap_err();
            assert!(refused.starts_with(&format!("{url:?} ")), "{refused}");
        }
    }
}
