//! Where a repository lies: in a folder, or at an address that it is fetched from.

use std::path::{Path, PathBuf};

use model::digest::Digest;
use url::Url;

use super::FetchError;
use crate::http::Target;

/// Where a repository lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// In this folder.
    Folder(PathBuf),
    /// Elsewhere.
    Elsewhere(Address),
}

/// The address of a repository: what its `repodata/repomd.xml` lies below.
#[derive(Clone, Debug)]
pub struct Address(Target);

impl Place {
    /// Reads what somebody names: `http://…`, `https://…`, `file:///…`, or a folder.
    ///
    /// # Errors
    /// [`FetchError::Address`] where it is like a URL, and none that can be used.
    pub fn of(named: &Path) -> Result<Self, FetchError> {
        let Some((text, scheme)) = named.to_str().and_then(|text| Some((text, scheme(text)?)))
        else {
            return Ok(Self::Folder(named.to_owned()));
        };
        let place = match scheme {
            "file" => folder(text).map(Self::Folder),
            _ => Address::of(text).map(Self::Elsewhere),
        };
        place.map_err(FetchError::Address)
    }
}

/// What stands in front of `://`, if that could be the scheme of a URL.
fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once("://")?;
    let is_one = !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_alphanumeric());
    is_one.then_some(scheme)
}

fn folder(text: &str) -> Result<PathBuf, String> {
    let url = Url::parse(text).map_err(|error| format!("{text:?} is no URL: {error}"))?;
    // The host of a file can only be this machine, which has no name in it then (RFC 8089).
    let path = url.to_file_path();
    path.map_err(|()| {
        format!("{text:?} names a folder of another machine: file:///PATH is one of this")
    })
}

impl Address {
    fn of(text: &str) -> Result<Self, String> {
        if text.contains(['?', '#']) {
            return Err(format!("{text:?} has `?` or `#` in it, and nothing could follow that"));
        }
        // With a slash at its end or without, it is one repository.
        Ok(Self(Target::of(text)?.below([])))
    }

    /// The folder of a cache that is its own.
    pub(super) fn folder_name(&self) -> String {
        Digest::of(self.0.url().as_str()).to_string()
    }

    /// A file of the repository.
    pub(super) fn file(&self, path: &Path) -> Target {
        self.0.below(path.iter().filter_map(|name| name.to_str()))
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.url().as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(named: &str) -> String {
        match Place::of(Path::new(named)) {
            Ok(Place::Folder(folder)) => format!("folder {}", folder.display()),
            Ok(Place::Elsewhere(address)) => {
                address.file(Path::new("repodata/a b?#%2e.xml")).url().to_string()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn folders_stay_what_they_are() {
        for folder in ["published/f44/current", "/srv/a://b", "C:/x", "://", "./http://x"] {
            assert_eq!(told(folder), format!("folder {folder}"));
        }
        assert_eq!(told("file:///srv/a%20b"), "folder /srv/a b");
        assert_eq!(told("file://localhost/srv"), "folder /srv");
        assert!(told("file://elsewhere/srv").ends_with("file:///PATH is one of this"));
    }

    #[test]
    fn files_lie_below_the_address() {
        let tail = "repodata/a%20b%3F%23%252e.xml";
        for base in ["http://x", "http://x/"] {
            assert_eq!(told(base), format!("http://x/{tail}"));
        }
        for base in ["https://x:1/f44/os", "https://x:1/f44/os/", "HTTPS://X:1/f44/./os/"] {
            assert_eq!(told(base), format!("https://x:1/f44/os/{tail}"));
        }
    }

    #[test]
    fn one_repository_has_one_folder() {
        let name = |text: &str| Address::of(text).unwrap().folder_name();
        assert_eq!(name("http://X:80/a/"), name("http://x/a"));
        assert_ne!(name("http://x/a"), name("http://x/A"));
        assert!(name("http://x/../..").bytes().all(|b| b.is_ascii_hexdigit()));
    }

    #[test]
    fn strange_addresses_are_refused() {
        for (address, why) in [
            ("ftp://x/", "begins neither with http:// nor with https://"),
            ("http://", "is no URL: empty host"),
            ("http://a:b@x/", "has a user in it, which is not sent"),
            ("http://x/?repo=a", "has `?` or `#` in it, and nothing could follow that"),
        ] {
            assert_eq!(told(address), format!("{address:?} {why}"));
        }
    }
}
