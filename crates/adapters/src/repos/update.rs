//! Brings one repository up to date: asks whether there is news, fetches what is new, and makes it current.

use hyper::http::request;
use hyper::{StatusCode, header};
use tokio::task::spawn_blocking;

use super::download::download;
use super::place::Address;
use super::reply::Reply;
use super::shelf::{Generation, Origin, Shelf};
use super::wanted::{REPOMD, Wanted, wanted};
use super::{Cache, FetchError, Fetched, Limits, Listener, Progress};
use crate::http::Target;

/// More than any `repomd.xml` has, in bytes.
const REPOMD_LIMIT: usize = 16 << 20;

/// How often a repository may be made anew while it is read.
const CHANGES: usize = 3;

/// Where it is fetched from, and how.
struct Source<'a> {
    address: &'a Address,
    limits: &'a Limits,
    listener: Listener<'a>,
}

/// A `repomd.xml` that has come.
#[derive(Clone, Debug)]
struct Repomd {
    bytes: Vec<u8>,
    origin: Origin,
}

/// Brings it up to date.
pub(super) async fn update(
    cache: &Cache,
    address: &Address,
    listener: Listener<'_>,
) -> Result<Fetched, FetchError> {
    let shelf = Shelf::open(&cache.folder, address).await?;
    let source = Source { address, limits: &cache.limits, listener };
    let current = shelf.current()?;
    let asked = source.repomd(current.as_ref().map(|generation| &generation.origin)).await?;
    let mut repomd = match (asked, &current) {
        (Some(repomd), _) => repomd,
        (None, Some(generation)) => return Ok(unchanged(generation)),
        (None, None) => source.repomd_anyway().await?,
    };
    for _ in 0..CHANGES {
        let failed = match source.follow(&shelf, current.as_ref(), &repomd).await {
            Err(error) if error.may_be_of_a_change() => error,
            done => return done,
        };
        let again = source.repomd_anyway().await?;
        if again.bytes == repomd.bytes {
            return Err(failed);
        }
        repomd = again;
    }
    source.follow(&shelf, current.as_ref(), &repomd).await
}

fn unchanged(generation: &Generation) -> Fetched {
    Fetched { folder: generation.folder.clone(), files: 0 }
}

impl Source<'_> {
    /// What the repository says of itself now; none if that is what is remembered.
    async fn repomd(&self, remembered: Option<&Origin>) -> Result<Option<Repomd>, FetchError> {
        let ask = |target: &Target, request: request::Builder| {
            let request = request.header(header::CACHE_CONTROL, "no-cache");
            let remembered = remembered.filter(|origin| origin.url == target.url().as_str());
            match remembered {
                Some(origin) => conditional(request, origin),
                None => request,
            }
        };
        let target = self.address.file(REPOMD.as_ref());
        let reply = Reply::to(&target, self.limits, ask).await?;
        let was_conditional = remembered.is_some_and(|origin| origin.url == reply.url());
        match reply.status() {
            StatusCode::NOT_MODIFIED if was_conditional => Ok(None),
            StatusCode::OK => self.taken(reply).await.map(Some),
            status => Err(FetchError::Status { url: reply.url().to_owned(), status }),
        }
    }

    async fn repomd_anyway(&self) -> Result<Repomd, FetchError> {
        let url = || self.address.file(REPOMD.as_ref()).url().to_string();
        // Without conditions, no server is allowed to say that nothing changed.
        let none = || FetchError::Status { url: url(), status: StatusCode::NOT_MODIFIED };
        self.repomd(None).await?.ok_or_else(none)
    }

    async fn taken(&self, mut reply: Reply<'_>) -> Result<Repomd, FetchError> {
        let origin = origin(self.address, &reply);
        let mut bytes = Vec::new();
        while let Some(more) = reply.next().await? {
            bytes.extend_from_slice(&more);
            if bytes.len() > REPOMD_LIMIT {
                let limit = REPOMD_LIMIT as u64;
                return Err(FetchError::TooLarge { url: origin.url, limit });
            }
            let so_far = bytes.len() as u64;
            (self.listener)(Progress { url: &origin.url, bytes: so_far, of: reply.length() });
        }
        Ok(Repomd { bytes, origin })
    }

    /// Makes current what a `repomd.xml` speaks of.
    async fn follow(
        &self,
        shelf: &Shelf,
        current: Option<&Generation>,
        repomd: &Repomd,
    ) -> Result<Fetched, FetchError> {
        if let Some(generation) = current.filter(|current| current.repomd == repomd.bytes) {
            if generation.origin != repomd.origin {
                shelf.note(generation, &repomd.origin)?;
            }
            return Ok(unchanged(generation));
        }
        let files = wanted(&repomd.bytes)
            .map_err(|what| FetchError::Malformed { url: repomd.origin.url.clone(), what })?;
        let mut fetched = 0;
        for file in &files {
            if !holds(shelf, file).await? {
                let target = self.address.file(&file.path);
                download(&target, file, shelf, (self.limits, self.listener)).await?;
                fetched += 1;
            }
        }
        let (shelf, Repomd { bytes, origin }) = (shelf.clone(), repomd.clone());
        let published = spawn_blocking(move || shelf.publish(&bytes, &files, &origin)).await?;
        Ok(Fetched { folder: published?, files: fetched })
    }
}

async fn holds(shelf: &Shelf, file: &Wanted) -> Result<bool, FetchError> {
    let (shelf, file) = (shelf.clone(), file.clone());
    spawn_blocking(move || shelf.holds(&file)).await?
}

fn conditional(request: request::Builder, origin: &Origin) -> request::Builder {
    let marks =
        [(header::IF_NONE_MATCH, &origin.etag), (header::IF_MODIFIED_SINCE, &origin.last_modified)];
    marks.into_iter().fold(request, |request, (name, mark)| match mark {
        Some(mark) => request.header(name, mark),
        None => request,
    })
}

/// What to ask with next time. A file that changed in the second it was read may change in it once more, and marks made
/// of times and sizes would not tell (RFC 9110, 8.8.2.2): it has none.
fn origin(address: &Address, reply: &Reply<'_>) -> Origin {
    let last_modified = reply.header(header::LAST_MODIFIED);
    let may_change_unseen = last_modified.is_some() && last_modified == reply.header(header::DATE);
    let mark = |mark: Option<&str>| mark.filter(|_| !may_change_unseen).map(str::to_owned);
    Origin {
        address: address.to_string(),
        url: reply.url().to_owned(),
        etag: mark(reply.header(header::ETAG)),
        last_modified: mark(last_modified),
    }
}
