//! Repositories of createrepo_c, fetched from servers that behave and from one that does not.

mod processes;
mod server;
#[cfg(feature = "tls")]
mod tls;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use adapters::repos::{Cache, FetchError, Fetched, Limits, Place};
use solver::load::repository::Repository;

use crate::packages::{build, run, spec};
use server::{Server, Twist};

/// A repository with packages, comps, modules and advisories, as createrepo_c and modifyrepo_c write it.
pub(crate) fn repository(folder: &Path, packages: &[&str]) -> PathBuf {
    let root = folder.join("repository");
    fs::create_dir_all(&root).unwrap();
    let packages: Vec<(&str, &str)> = packages.iter().map(|name| (*name, "")).collect();
    for package in build(folder, &spec("source", "1", &packages), ".f44") {
        fs::copy(&package, root.join(package.file_name().unwrap())).unwrap();
    }
    remake(&root, "tools");
    root
}

/// Makes the metadata anew, with another name of the one group.
fn remake(root: &Path, group: &str) {
    let comps = format!("<comps><group><id>{group}</id><name>{group}</name></group></comps>");
    let modules =
        "document: modulemd-defaults\nversion: 1\ndata:\n  module: one\n  stream: \"1\"\n";
    let updates = "<updates><update type=\"security\" status=\"final\" from=\"a@b\"><id>MS-1</id><title>t</title></update></updates>";
    let write = |name: &str, text: &str| {
        let path = root.with_file_name(name);
        fs::write(&path, text).unwrap();
        path
    };
    let createrepo = ["--no-database", "--revision", "1", "--set-timestamp-to-revision"];
    let comps = write("comps.xml", &comps);
    run(Command::new("createrepo_c").args(createrepo).arg("--groupfile").arg(comps).arg(root));
    for file in [write("modules.yaml", modules), write("updateinfo.xml", updates)] {
        run(Command::new("modifyrepo_c").arg(file).arg(root.join("repodata")));
    }
}

/// The names of the metadata files of a kind; a checksum stands in front of each.
fn file(root: &Path, kind: &str) -> String {
    let repository = Repository::open(root).unwrap();
    repository.metadata().record(kind).unwrap().location.clone()
}

fn everything(root: &Path) -> BTreeSet<String> {
    let kinds = ["primary", "filelists", "modules", "updateinfo", group(root)];
    kinds.map(|kind| format!("{} 200", file(root, kind))).into()
}

/// The kind under which this createrepo_c writes packed comps.
fn group(root: &Path) -> &'static str {
    let repository = Repository::open(root).unwrap();
    let kinds = ["group_zst", "group_xz", "group_gz", "group"];
    kinds.into_iter().find(|kind| repository.metadata().record(kind).is_some()).unwrap()
}

async fn fetch(cache: &Cache, address: &str) -> Result<Fetched, FetchError> {
    cache.fetch(&Place::of(Path::new(address)).unwrap(), &|_| ()).await
}

/// The packages, groups, modules and advisories that are read from a folder.
fn read(folder: &Path) -> String {
    let repository = Repository::open(folder).unwrap();
    let primary = String::from_utf8(repository.primary().unwrap()).unwrap();
    let names = primary.split("<name>").skip(1).map(|rest| rest.split('<').next().unwrap());
    let names: Vec<&str> = names.collect();
    assert!(repository.filelists().unwrap().is_some());
    let groups = repository.group().unwrap().unwrap().groups;
    let groups: Vec<&str> = groups.iter().map(|group| group.id.as_str()).collect();
    let modules = repository.modules().unwrap().unwrap().defaults.len();
    let advisories = repository.updateinfo().unwrap().unwrap().len();
    format!("{} [{}] {modules} {advisories}", names.join(" "), groups.join(" "))
}

struct Bench {
    folder: tempfile::TempDir,
    server: Server,
    cache: Cache,
}

impl Bench {
    async fn new(packages: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::of(repository(folder.path(), packages)).await;
        let cache = Cache::at(&folder.path().join("cache"));
        Self { folder, server, cache }
    }

    /// The same cache with somebody before it who loses patience soon.
    fn impatient(&self) -> Cache {
        let (answer, window) = (Duration::from_secs(2), Duration::from_secs(1));
        let limits = Limits { answer, window, bytes_in_window: 1000, ..Limits::default() };
        self.cache.clone().with_limits(limits)
    }

    async fn fetch(&self) -> Result<Fetched, FetchError> {
        fetch(&self.cache, &self.server.address).await
    }

    fn root(&self) -> &Path {
        &self.server.root
    }

    /// The folder of the one address.
    fn shelf(&self) -> PathBuf {
        let mut entries = fs::read_dir(self.folder.path().join("cache")).unwrap();
        entries.next().unwrap().unwrap().path()
    }

    fn shelf_names(&self, folder: &str) -> BTreeSet<String> {
        let entries = fs::read_dir(self.shelf().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    /// What is asked of the server by a fetch that goes well, `repomd.xml` left out.
    async fn news(&self) -> BTreeSet<String> {
        self.server.asked();
        let fetched = self.fetch().await.unwrap();
        assert_eq!(read(&fetched.folder), read(self.root()));
        let asked: BTreeSet<String> = self.server.asked().into_iter().collect();
        let files = asked.into_iter().filter(|line| !line.starts_with("repodata/repomd.xml"));
        let files: BTreeSet<String> = files.collect();
        assert_eq!(fetched.files, files.len());
        files
    }
}

#[tokio::test]
async fn only_what_changed_is_fetched() {
    let bench = Bench::new(&["a", "b"]).await;
    let first = bench.fetch().await.unwrap();
    assert_eq!(read(&first.folder), "a b [tools] 1 1");
    let mut asked = bench.server.asked();
    assert_eq!(asked.remove(0), "repodata/repomd.xml 200");
    assert_eq!(asked.into_iter().collect::<BTreeSet<_>>(), everything(bench.root()));
    assert_eq!(first.files, 5);

    let again = bench.fetch().await.unwrap();
    assert_eq!(again, Fetched { folder: first.folder.clone(), files: 0 });
    assert_eq!(bench.server.asked(), ["repodata/repomd.xml 304"]);

    remake(bench.root(), "games");
    let changed = format!("{} 200", file(bench.root(), group(bench.root())));
    assert_eq!(bench.news().await, [changed].into());
    // Whoever reads the old one reads on.
    assert_eq!(read(&first.folder), "a b [tools] 1 1");
    assert_eq!(bench.shelf_names("files").len(), 6);

    remake(bench.root(), "maps");
    assert_eq!(bench.news().await.len(), 1);
    assert!(!first.folder.exists());
    let expected = [".lock", "current", "files", "generation-2", "generation-3"];
    let left = bench.shelf_names(".").into_iter().filter(|name| !name.starts_with(".new-"));
    assert_eq!(left.collect::<BTreeSet<_>>(), expected.map(str::to_owned).into());
    assert_eq!(bench.shelf_names("files").len(), 6, "those of two generations");
}

#[tokio::test]
async fn what_is_wrong_with_a_server_is_named_and_changes_nothing() {
    let bench = Bench::new(&["a"]).await;
    let old = bench.fetch().await.unwrap();
    remake(bench.root(), "games");
    let repomd = "repodata/repomd.xml".to_owned();
    let group = file(bench.root(), group(bench.root()));
    let bytes = fs::read(bench.root().join(&group)).unwrap();
    let other: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    let (digest, found) = (
        model::digest::Digest::of(&bytes).to_string(),
        model::digest::Digest::of(&other).to_string(),
    );
    let sizes = |found: usize| format!("has {found} bytes instead of the {} that", bytes.len());
    let cases: Vec<(&String, Twist, String)> = vec![
        (&group, Twist::Bytes(other), format!("sha256 checksum {found} instead of {digest}")),
        (&group, Twist::Bytes(bytes[1..].to_vec()), sizes(bytes.len() - 1)),
        (&group, Twist::Bytes([&bytes[..], b"x"].concat()), sizes(bytes.len() + 1)),
        (&group, Twist::Half, "could not fetch".into()),
        (&group, Twist::HalfInChunks, "could not fetch".into()),
        (&group, Twist::HalfNoLength, sizes(bytes.len() / 2)),
        (&group, Twist::Endless, "bytes instead of the".into()),
        (&group, Twist::Status(404), "the server answers 404 Not Found".into()),
        (&group, Twist::Status(503), "the server answers 503 Service Unavailable".into()),
        (&group, Twist::Stuck, "fewer than 1000 bytes came within 1s".into()),
        (&group, Twist::Trickle, "fewer than 1000 bytes came within 1s".into()),
        (&group, Twist::Silent, "there was no answer within 2s".into()),
        (&group, Twist::To(format!("/repo/{group}")), "it redirects more than 10 times".into()),
        (&group, Twist::To("ftp://x/".into()), "it redirects to \"ftp://x/\", which begins".into()),
        (&repomd, Twist::Status(404), "the server answers 404 Not Found".into()),
        (&repomd, Twist::Status(304), "the server answers 304 Not Modified".into()),
        (&repomd, Twist::Status(500), "the server answers 500 Internal Server Error".into()),
        (&repomd, Twist::Half, "could not fetch".into()),
        (&repomd, Twist::HalfNoLength, "repomd.xml, line ".into()),
        (&repomd, Twist::Endless, "is larger than 16777216 bytes".into()),
        (&repomd, Twist::Trickle, "fewer than 1000 bytes came within 1s".into()),
        (&repomd, Twist::Bytes(b"<html>moved</html>".to_vec()), "repomd.xml, line 1".into()),
    ];
    for (path, twist, expected) in cases {
        bench.server.untwist();
        bench.server.twist(path, twist.clone());
        let cache = match twist {
            // Of this one nobody asked whether anything changed.
            Twist::Status(304) => Cache::at(&bench.folder.path().join("elsewhere")),
            Twist::Stuck | Twist::Trickle | Twist::Silent => bench.impatient(),
            _ => bench.cache.clone(),
        };
        let result = fetch(&cache, &bench.server.address).await;
        let error = result.expect_err(&format!("{path} {twist:?}")).to_string();
        let url = format!("{}/{path}", bench.server.address);
        assert!(error.contains(&expected) && error.contains(&url), "{path} {twist:?}: {error}");
        assert_eq!(read(&bench.shelf().join("current")), "a [tools] 1 1", "{path} {twist:?}");
        assert_eq!(bench.shelf().join("current").canonicalize().unwrap(), old.folder);
    }
    bench.server.untwist();
    assert_eq!(bench.news().await.len(), 1);
}

#[tokio::test]
async fn nobody_there_is_told_with_the_url() {
    let folder = tempfile::tempdir().unwrap();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let address = format!("http://127.0.0.1:{port}/f44");
    let error = fetch(&Cache::at(folder.path()), &address).await.unwrap_err();
    let expected = format!("could not fetch {address}/repodata/repomd.xml: 127.0.0.1:{port}: ");
    assert!(error.to_string().starts_with(&expected), "{error}");
    assert!(!error.is_input());
}

#[tokio::test]
async fn bodies_come_in_every_way_that_http_has() {
    for twist in [Twist::Chunks, Twist::NoLength] {
        let bench = Bench::new(&["a"]).await;
        let kinds = ["primary", "filelists", group(bench.root())];
        for path in kinds.map(|kind| file(bench.root(), kind)) {
            bench.server.twist(&path, twist.clone());
        }
        bench.server.twist("repodata/repomd.xml", twist);
        assert_eq!(bench.news().await.len(), 5);
    }
}

#[tokio::test]
async fn a_redirection_is_followed_and_what_it_led_to_is_asked_alike() {
    let bench = Bench::new(&["a"]).await;
    let other = Server::of(bench.root().to_owned()).await;
    let primary = file(bench.root(), "primary");
    for path in ["repodata/repomd.xml", primary.as_str()] {
        bench.server.twist(path, Twist::To(format!("{}/{path}", other.address)));
    }
    bench.fetch().await.unwrap();
    assert_eq!(other.asked(), ["repodata/repomd.xml 200".to_owned(), format!("{primary} 200")]);
    bench.fetch().await.unwrap();
    assert_eq!(other.asked(), ["repodata/repomd.xml 304"]);
    // Another server's marks mean nothing to this one.
    bench.server.untwist();
    bench.server.asked();
    assert_eq!(bench.fetch().await.unwrap().files, 0);
    assert_eq!(bench.server.asked(), ["repodata/repomd.xml 200"]);
    assert_eq!(bench.fetch().await.unwrap().files, 0);
    assert_eq!(bench.server.asked(), ["repodata/repomd.xml 304"]);
}

#[tokio::test]
async fn a_repository_that_is_made_anew_meanwhile_is_fetched_anew() {
    let bench = Bench::new(&["a"]).await;
    let old = fs::read(bench.root().join("repodata/repomd.xml")).unwrap();
    remake(bench.root(), "games");
    bench.server.twist("repodata/repomd.xml", Twist::BytesOnce(old));
    let fetched = bench.fetch().await.unwrap();
    assert_eq!(read(&fetched.folder), "a [games] 1 1");
    let asked = bench.server.asked();
    assert!(asked.iter().any(|line| line.ends_with(" 404")), "{asked:?}");
    let repomd = asked.iter().filter(|line| *line == "repodata/repomd.xml 200");
    assert_eq!(repomd.count(), 2, "{asked:?}");
}

#[tokio::test]
async fn a_mark_that_may_hide_a_change_is_not_remembered() {
    let bench = Bench::new(&["a"]).await;
    let date = "Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let same_second = format!("ETag: \"1\"\r\nDate: {date}Last-Modified: {date}");
    bench.server.add_headers(&same_second);
    bench.fetch().await.unwrap();
    remake(bench.root(), "games");
    assert_eq!(bench.news().await.len(), 1);
    bench.server.asked();
    bench.server.add_headers("Date: Sun, 06 Nov 1994 08:49:38 GMT\r\n");
    bench.fetch().await.unwrap();
    bench.fetch().await.unwrap();
    assert_eq!(bench.server.asked(), ["repodata/repomd.xml 200", "repodata/repomd.xml 304"]);
}

#[tokio::test]
async fn a_cache_that_somebody_damaged_is_mended() {
    let bench = Bench::new(&["a"]).await;
    let first = bench.fetch().await.unwrap();
    let primary = file(bench.root(), "primary");
    // A hard link: the file by its checksum is cut as well.
    let cut = fs::File::options().write(true).open(first.folder.join(&primary)).unwrap();
    cut.set_len(3).unwrap();
    assert_eq!(bench.news().await, [format!("{primary} 200")].into());
    for gone in ["millstream-origin.json", "repodata/repomd.xml", primary.as_str()] {
        let current = bench.shelf().join("current").canonicalize().unwrap();
        fs::remove_file(current.join(gone)).unwrap();
        assert_eq!(bench.news().await, BTreeSet::new(), "{gone}");
    }
    let current = bench.shelf().join("current").canonicalize().unwrap();
    fs::remove_dir_all(current).unwrap();
    assert_eq!(bench.news().await, BTreeSet::new());
    fs::remove_dir_all(bench.shelf()).unwrap();
    assert_eq!(bench.news().await.len(), 5);
}

#[tokio::test]
async fn folders_pass_through() {
    let folder = tempfile::tempdir().unwrap();
    let (cache, root) = (folder.path().join("cache"), folder.path().join("a b"));
    let url = format!("file://{}", root.display().to_string().replace(' ', "%20"));
    for named in [root.to_str().unwrap(), &url] {
        let fetched = fetch(&Cache::at(&cache), named).await.unwrap();
        assert_eq!(fetched, Fetched { folder: root.clone(), files: 0 });
    }
    assert!(!cache.exists());
}
