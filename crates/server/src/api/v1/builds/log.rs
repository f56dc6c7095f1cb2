//! `GET /api/v1/builds/BUILD/log`: the log of a build, whole, in part, or as it grows.

use std::io::SeekFrom;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use serde::Deserialize;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::sync::watch;
use utoipa::IntoParams;

use crate::admin::builds::BuildLog;
use crate::api::Api;
use crate::api::input::{Path, Query};
use crate::api::problem::{Kind, Problem};

/// How often a log that grows is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How much is read at a time.
const CHUNK: usize = 64 << 10;
/// Says whether the log may still grow.
const ENDED: HeaderName = HeaderName::from_static("x-log-ended");

/// Which part of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// What comes after so many bytes; less than the log has is answered with nothing, not with an error.
    from: Option<u64>,
    /// Go on until the build has ended.
    #[serde(default)]
    #[param(default = false)]
    follow: bool,
}

/// The log of a build as text: whole, a `Range` of it, what comes after so many bytes, or on and on while it grows. The
/// header `X-Log-Ended` says whether it is complete.
#[utoipa::path(
    get,
    path = "/builds/{build}/log",
    tag = "builds",
    operation_id = "log_of_build",
    params(
        ("build" = String, Path, description = "Its number or its NVR."),
        Wanted,
        ("Range" = Option<String>, Header, description = "One range of bytes."),
    ),
    responses(
        (status = 200, description = "The log.", body = String, content_type = "text/plain"),
        (status = 206, description = "A part of it.", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such build, or its log is not here."),
        (status = 416, description = "The log does not go so far."),
    ),
)]
pub(crate) async fn log(
    State(api): State<Arc<Api>>,
    Path(build): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let BuildLog { path, ended, removed } = api.admin.build_log(&build).await?;
    if let Some(removed) = removed {
        let detail = format!("the log of build {build} is not kept any more: {removed}");
        return Err(Problem::new(Kind::NotFound, detail));
    }
    if wanted.follow {
        let follow = Follow {
            build,
            path,
            at: wanted.from.unwrap_or(0),
            stop: api.stop.clone(),
            api,
            over: false,
        };
        return Ok(text(Body::from_stream(stream::unfold(follow, Follow::next)), false));
    }
    let missing = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::NotFound => Problem::new(
            Kind::NotFound,
            format!(
                "build {build} has no log here: it has not begun, or was built on another machine"
            ),
        ),
        _ => Problem::new(
            Kind::Internal,
            format!("the log of build {build} cannot be read: {error}"),
        ),
    };
    let mut file = File::open(&path).await.map_err(missing)?;
    let size = file.metadata().await.map_err(missing)?.len();
    let range = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let part = match (range.and_then(parse), wanted.from) {
        (Some(range), None) => Some(range.within(size).ok_or_else(|| beyond(size))?),
        _ => None,
    };
    let (from, to) = part.unwrap_or((wanted.from.unwrap_or(0).min(size), size));
    file.seek(SeekFrom::Start(from)).await.map_err(missing)?;
    let mut response = text(Body::from_stream(whole(file, to - from)), ended);
    if part.is_some() {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        let range = format!("bytes {from}-{}/{size}", to - 1);
        if let Ok(range) = HeaderValue::from_str(&range) {
            response.headers_mut().insert(header::CONTENT_RANGE, range);
        }
    }
    Ok(response)
}

fn text(body: Body, ended: bool) -> Response {
    let ended = if ended { "true" } else { "false" };
    let headers = [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::ACCEPT_RANGES, "bytes"),
        // What it holds is written by builds, and no page.
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (ENDED, ended),
    ];
    (headers, body).into_response()
}

fn beyond(size: u64) -> Problem {
    Problem::new(Kind::RangeNotSatisfiable, format!("the log has {size} bytes"))
        .with(header::CONTENT_RANGE, &format!("bytes */{size}"))
}

/// A range of bytes as a client asks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    From(u64, Option<u64>),
    Last(u64),
}

impl Range {
    /// The first byte and the one behind the last, if there are any.
    fn within(self, size: u64) -> Option<(u64, u64)> {
        let (from, to) = match self {
            Self::From(from, last) => (from, last.map_or(size, |last| size.min(last + 1))),
            Self::Last(count) => (size.saturating_sub(count), size),
        };
        (from < to).then_some((from, to))
    }
}

/// One range of bytes (RFC 9110, 14.1.2). What is not understood is ignored, and so are several ranges.
fn parse(text: &str) -> Option<Range> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    match (first, last) {
        ("", last) => Some(Range::Last(last.parse().ok()?)),
        (first, "") => Some(Range::From(first.parse().ok()?, None)),
        (first, last) => {
            let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
            (first <= last && last < u64::MAX).then_some(Range::From(first, Some(last)))
        }
    }
}

/// So many bytes of a file, piece by piece.
fn whole(file: File, length: u64) -> impl futures_util::Stream<Item = std::io::Result<Bytes>> {
    stream::unfold(file.take(length), |mut file| async move {
        match read(&mut file).await {
            Ok(bytes) if bytes.is_empty() => None,
            other => Some((other, file)),
        }
    })
}

async fn read(file: &mut (impl tokio::io::AsyncRead + Unpin)) -> std::io::Result<Bytes> {
    let mut buffer = vec![0; CHUNK];
    let read = file.read(&mut buffer).await?;
    buffer.truncate(read);
    Ok(buffer.into())
}

/// A log that is followed until its build has ended or the server stops.
struct Follow {
    api: Arc<Api>,
    build: String,
    path: PathBuf,
    at: u64,
    stop: watch::Receiver<bool>,
    over: bool,
}

impl Follow {
    async fn next(mut self) -> Option<(std::io::Result<Bytes>, Self)> {
        loop {
            if self.over || *self.stop.borrow() {
                return None;
            }
            // Asked before the log is read: what is written until the end is sent.
            let ended = self.api.admin.build_log(&self.build).await.is_ok_and(|log| log.ended);
            match self.more().await {
                Ok(bytes) if bytes.is_empty() => self.over = ended,
                Ok(bytes) => return Some((Ok(bytes), self)),
                // It has not begun yet.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => self.over = ended,
                Err(error) => {
                    self.over = true;
                    return Some((Err(error), self));
                }
            }
            if !self.over {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    _ = self.stop.changed() => {}
                }
            }
        }
    }

    async fn more(&mut self) -> std::io::Result<Bytes> {
        let mut file = File::open(&self.path).await?;
        // Another attempt begins a new log.
        if file.metadata().await?.len() < self.at {
            self.at = 0;
        }
        file.seek(SeekFrom::Start(self.at)).await?;
        let bytes = read(&mut file).await?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_asked_for() {
        let check = |text: &str, expected: Option<(u64, u64)>| {
            assert_eq!(parse(text).map(|range| range.within(10)), Some(expected), "{text}");
        };
        check("bytes=0-", Some((0, 10)));
        check("bytes=2-4", Some((2, 5)));
        check("bytes=2-99", Some((2, 10)));
        check("bytes=-3", Some((7, 10)));
        check("bytes=-30", Some((0, 10)));
        check("bytes=10-", None);
        check("bytes=-0", None);
        for text in ["bytes=", "bytes=-", "bytes=4-2", "lines=0-1", "bytes=0-1,3-4", "bytes=a-b"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
