//! One question to a server: redirections followed, and the body taken in pieces, each of them in time.

use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body as _, Bytes};
use hyper::http::request;
use hyper::{HeaderMap, Method, StatusCode, header};
use tokio::time::timeout;

use super::{FetchError, Limits};
use crate::http::{self, Answer, Target};

/// An answer that is no redirection, and its body.
pub(super) struct Reply<'a> {
    limits: &'a Limits,
    answer: Answer,
    /// What was asked for in the end.
    target: Target,
    /// Bytes that came already in this window.
    in_window: u64,
    /// What is left of the window.
    window: Window,
}

/// The time in which the next bytes have to come.
struct Window(std::pin::Pin<Box<tokio::time::Sleep>>);

impl Window {
    fn of(duration: Duration) -> Self {
        Self(Box::pin(tokio::time::sleep(duration)))
    }
}

impl<'a> Reply<'a> {
    /// Asks for something, with what `ask` adds to each request, as redirections may lead to other servers.
    pub(super) async fn to(
        target: &Target,
        limits: &'a Limits,
        ask: impl Fn(&Target, request::Builder) -> request::Builder,
    ) -> Result<Self, FetchError> {
        let first = target.url().as_str();
        let mut target = target.clone();
        for _ in 0..=limits.redirections {
            let answer = once(&target, limits, &ask).await?;
            if !is_redirection(answer.response.status()) {
                let window = Window::of(limits.window);
                return Ok(Self { limits, answer, target, in_window: 0, window });
            }
            let next = next(&target, answer.response.headers());
            target = next.map_err(|problem| FetchError::Redirected {
                url: target.url().to_string(),
                problem,
            })?;
        }
        Err(FetchError::Redirected {
            url: first.to_owned(),
            problem: format!("more than {} times", limits.redirections),
        })
    }

    pub(super) fn status(&self) -> StatusCode {
        self.answer.response.status()
    }

    /// A header that is text.
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.answer.response.headers().get(name)?.to_str().ok()
    }

    /// The URL that answered.
    pub(super) fn url(&self) -> &str {
        self.target.url().as_str()
    }

    /// How long the body will be, where the server says so.
    pub(super) fn length(&self) -> Option<u64> {
        self.answer.response.body().size_hint().exact()
    }

    /// The next bytes of the body; none at its end.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, FetchError> {
        loop {
            let frame = tokio::select! {
                biased;
                frame = self.answer.response.body_mut().frame() => frame,
                () = &mut self.window.0 => return Err(self.slow()),
            };
            let Some(frame) = frame else { return Ok(None) };
            let frame =
                frame.map_err(|error| FetchError::unreachable(self.url(), &error.into()))?;
            // Trailers say nothing that is asked for.
            let Ok(bytes) = frame.into_data() else { continue };
            self.in_window += bytes.len() as u64;
            if self.in_window >= self.limits.bytes_in_window {
                self.in_window = 0;
                self.window = Window::of(self.limits.window);
            }
            return Ok(Some(bytes));
        }
    }

    fn slow(&self) -> FetchError {
        let problem = format!(
            "fewer than {} bytes came within {:?}",
            self.limits.bytes_in_window, self.limits.window
        );
        FetchError::Slow { url: self.url().to_owned(), problem }
    }
}

async fn once(
    target: &Target,
    limits: &Limits,
    ask: impl Fn(&Target, request::Builder) -> request::Builder,
) -> Result<Answer, FetchError> {
    let url = || target.url().to_string();
    // What is packed is so by its name; packing it once more would hide its checksum.
    let request = target.request(Method::GET).header(header::ACCEPT_ENCODING, "identity");
    let request = ask(target, request).body(Full::default());
    let request = request
        .map_err(|error| FetchError::Unreachable { url: url(), problem: error.to_string() })?;
    match timeout(limits.answer, http::send(target, |_| true, request)).await {
        Ok(answer) => answer.map_err(|error| FetchError::unreachable(&url(), &error)),
        Err(_) => Err(FetchError::Slow {
            url: url(),
            problem: format!("there was no answer within {:?}", limits.answer),
        }),
    }
}

fn is_redirection(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where a redirection leads, or the end of a sentence that says why it is not followed.
fn next(from: &Target, headers: &HeaderMap) -> Result<Target, String> {
    let location = headers.get(header::LOCATION).ok_or("without saying where to")?;
    let location = location.to_str().map_err(|_| "to something that is no text")?;
    let to = |what: &dyn std::fmt::Display| format!("to {location:?}, which {what}");
    let url = from.url().join(location).map_err(|error| to(&format!("is no URL: {error}")))?;
    let next = Target::checked(url).map_err(|what| to(&what))?;
    if from.is_tls() && !next.is_tls() {
        return Err(to(&"would leave TLS"));
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirection_leads_to_a_url_of_no_lesser_kind() {
        let check = |from: &str, location: &str, expected: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, location.parse().unwrap());
            let next = next(&Target::of(from).unwrap(), &headers);
            let next = next.map_or_else(|why| why, |next| next.url().to_string());
            assert!(next.ends_with(expected), "{from} -> {location}: {next}");
        };
        check("http://a/b/c", "d", "http://a/b/d");
        check("http://a/b/c", "/d?e#f", "http://a/d?e");
        check("http://a/b/c", "//d/e", "http://d/e");
        check("http://a/", "https://b/", "https://b/");
        check("https://a/", "https://b/", "https://b/");
        check("https://a/", "http://a/", "which would leave TLS");
        check("http://a/", "file:///etc/passwd", "nor with https://");
        check("http://a/", "http://u:p@a/", "which is not sent");
        check("http://a/", "http://", "is no URL: empty host");
        let none = next(&Target::of("http://a/").unwrap(), &HeaderMap::new()).unwrap_err();
        assert_eq!(none, "without saying where to");
    }
}
