//! Fetches one file into the cache, verified while it comes.

use std::fs::{self, File};

use hyper::StatusCode;
use tokio::io::AsyncWriteExt as _;

use super::error::cache_error;
use super::reply::Reply;
use super::shelf::Shelf;
use super::wanted::Wanted;
use super::{FetchError, Limits, Listener, Progress};
use crate::http::Target;

/// Fetches a file; it has its name in the cache once all of it is on the disk.
pub(super) async fn download(
    target: &Target,
    wanted: &Wanted,
    shelf: &Shelf,
    (limits, listener): (&Limits, Listener<'_>),
) -> Result<(), FetchError> {
    let mut reply = Reply::to(target, limits, |_, request| request).await?;
    let url = reply.url().to_owned();
    if reply.status() != StatusCode::OK {
        return Err(FetchError::Status { url, status: reply.status() });
    }
    let mut check = Check::of(&url, wanted, limits)?;
    if let Some(length) = reply.length() {
        check.size(length)?;
    }
    let draft = shelf.draft(wanted).map_err(cache_error(shelf.folder()))?;
    // Made at once, not by a thread that might come to it when somebody else has the lock.
    let file = File::create(&draft).map_err(cache_error(&draft))?;
    let mut file = tokio::fs::File::from_std(file);
    while let Some(bytes) = reply.next().await? {
        check.take(&bytes)?;
        file.write_all(&bytes).await.map_err(cache_error(&draft))?;
        listener(Progress { url: &url, bytes: check.bytes, of: wanted.size });
    }
    check.end(wanted)?;
    file.flush().await.map_err(cache_error(&draft))?;
    file.sync_all().await.map_err(cache_error(&draft))?;
    fs::rename(&draft, shelf.file(wanted)).map_err(cache_error(&draft))
}

/// What a file must be, held against what came of it.
struct Check<'a> {
    url: &'a str,
    hasher: solver::load::repomd::Hasher,
    bytes: u64,
    expected: Option<u64>,
    limit: u64,
}

impl<'a> Check<'a> {
    fn of(url: &'a str, wanted: &Wanted, limits: &Limits) -> Result<Self, FetchError> {
        let hasher = wanted.checksum.hasher();
        let hasher = hasher.map_err(|error| FetchError::Unreachable {
            url: url.to_owned(),
            problem: error.to_string(),
        })?;
        let (expected, limit) = (wanted.size, limits.file_bytes);
        match expected.filter(|size| *size > limit) {
            Some(_) => Err(FetchError::TooLarge { url: url.to_owned(), limit }),
            None => Ok(Self { url, hasher, bytes: 0, expected, limit }),
        }
    }

    /// Holds the size that the file has, as soon as it is known.
    fn size(&self, found: u64) -> Result<(), FetchError> {
        match self.expected {
            Some(expected) if expected != found => {
                Err(FetchError::Size { url: self.url.to_owned(), expected, found })
            }
            _ => self.at_least(found),
        }
    }

    fn at_least(&self, found: u64) -> Result<(), FetchError> {
        match self.expected {
            Some(expected) if found > expected => {
                Err(FetchError::Size { url: self.url.to_owned(), expected, found })
            }
            None if found > self.limit => {
                Err(FetchError::TooLarge { url: self.url.to_owned(), limit: self.limit })
            }
            _ => Ok(()),
        }
    }

    fn take(&mut self, bytes: &[u8]) -> Result<(), FetchError> {
        self.bytes += bytes.len() as u64;
        self.hasher.update(bytes);
        self.at_least(self.bytes)
    }

    fn end(self, wanted: &Wanted) -> Result<(), FetchError> {
        self.size(self.bytes)?;
        let (url, checksum) = (self.url.to_owned(), wanted.checksum.clone());
        match self.hasher.digest() {
            found if found == checksum.digest => Ok(()),
            found => Err(FetchError::Checksum {
                url,
                function: checksum.function,
                expected: checksum.digest,
                found,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use solver::load::repomd::Checksum;

    use super::*;

    /// What comes of three bytes, where `repomd.xml` states a size or none, and so many bytes are taken at most.
    fn told(size: Option<u64>, limit: u64) -> String {
        let (function, digest) = ("md5".to_owned(), "900150983cd24fb0d6963f7d28e17f72".to_owned());
        let wanted = Wanted { path: "p".into(), checksum: Checksum { function, digest }, size };
        let limits = Limits { file_bytes: limit, ..Limits::default() };
        let took = Check::of("URL", &wanted, &limits).and_then(|mut check| {
            check.take(b"ab")?;
            check.take(b"c")?;
            check.end(&wanted)
        });
        took.map_or_else(|error| error.to_string(), |()| "taken".to_owned())
    }

    #[test]
    fn no_file_is_larger_than_stated_or_allowed() {
        let too_large = "URL is larger than 2 bytes, which is the most that is taken";
        assert_eq!(told(None, 3), "taken");
        assert_eq!(told(Some(3), 3), "taken");
        assert_eq!(told(None, 2), too_large);
        assert_eq!(told(Some(3), 2), too_large);
        for (stated, found) in [(2, 3), (4, 3), (1, 2)] {
            let expected = format!("URL has {found} bytes instead of the {stated} that");
            assert!(told(Some(stated), 9).starts_with(&expected), "{stated}");
        }
    }
}
