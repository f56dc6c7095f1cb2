//! Fetches that are cut off anywhere, by others or by a kill, and fetches beside each other.

use std::io::{BufRead as _, BufReader};
use std::pin::pin;
use std::process::{Child, Command, Stdio};
use std::task::Poll;

use super::*;

/// Drives a future for so many steps and no further.
async fn cut<T>(future: impl Future<Output = T>, steps: usize) -> Option<T> {
    let mut future = pin!(future);
    let mut left = steps;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

#[tokio::test]
async fn a_fetch_may_be_dropped_anywhere() {
    let bench = Bench::new(&["a"]).await;
    bench.fetch().await.unwrap();
    let mut groups = vec!["tools".to_owned()];
    for steps in 0.. {
        let group = format!("group-{steps}");
        remake(bench.root(), &group);
        groups.push(group);
        let done = cut(bench.fetch(), steps).await;
        // Whatever its threads still do, they do it before the lock is given back.
        let found = read(&bench.shelf().join("current").canonicalize().unwrap());
        let is_whole = groups.iter().any(|group| found == format!("a [{group}] 1 1"));
        assert!(is_whole, "after {steps} steps: {found}");
        if let Some(done) = done {
            done.unwrap();
            assert!(steps > 5, "{steps} steps are too few to be cut");
            break;
        }
        if steps % 3 == 0 {
            bench.news().await;
        }
    }
    remake(bench.root(), "last");
    bench.news().await;
    assert_eq!(read(&bench.shelf().join("current")), "a [last] 1 1");
}

/// Says to the test binary what to fetch, and into which cache.
const FETCH: &str = "MILLSTREAM_TEST_FETCH";

/// Not a test: what the tests below run as a process of its own. By itself it does nothing.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "a parent tells its child by the environment")]
async fn fetch_as_told() {
    let Ok(told) = std::env::var(FETCH) else { return };
    let (address, cache) = told.split_once(' ').unwrap();
    let place = Place::of(Path::new(address)).unwrap();
    let cache = Cache::at(Path::new(cache));
    let fetched = cache.fetch(&place, &|progress| println!("\nprogress {}", progress.url)).await;
    println!("\nfetched {}", fetched.unwrap().folder.display());
}

/// A process that fetches.
pub(super) fn process_of(address: &str, cache: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "fetching::processes::fetch_as_told", "--nocapture"])
        .env(FETCH, format!("{address} {}", cache.display()))
        .stdout(Stdio::piped());
    command
}

fn process(bench: &Bench) -> Child {
    process_of(&bench.server.address, &bench.folder.path().join("cache")).spawn().unwrap()
}

/// Waits for a line that begins so, and gives the rest of it.
pub(super) async fn line(child: &mut Child, start: &str) -> String {
    let (stdout, expected) = (child.stdout.take().unwrap(), start.to_owned());
    let found = tokio::task::spawn_blocking(move || {
        let lines = BufReader::new(stdout).lines().map_while(Result::ok);
        lines.filter_map(|line| line.strip_prefix(&expected).map(str::to_owned)).next()
    });
    found.await.unwrap().expect(start)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_is_in_nobodys_way() {
    let bench = Bench::new(&["a"]).await;
    let old = bench.fetch().await.unwrap();
    remake(bench.root(), "games");
    let group = file(bench.root(), group(bench.root()));
    bench.server.twist(&group, Twist::Trickle);
    let mut child = process(&bench);
    // It has begun with the file: the lock is its own, and a draft is there.
    line(&mut child, &format!("progress {}/{group}", bench.server.address)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let drafts = bench.shelf_names(".new-files");
    assert_eq!(drafts.len(), 1, "{drafts:?}");
    assert_eq!(read(&bench.shelf().join("current")), "a [tools] 1 1");
    bench.server.untwist();
    assert_eq!(bench.news().await, [format!("{group} 200")].into());
    assert_eq!(read(&old.folder), "a [tools] 1 1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_beside_each_other_fetch_everything_once() {
    let bench = Bench::new(&["a"]).await;
    let children: Vec<Child> = (0..4).map(|_| process(&bench)).collect();
    let mut folders = BTreeSet::new();
    for child in children {
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await;
        let printed = String::from_utf8(output.unwrap().stdout).unwrap();
        let folder = printed.lines().find_map(|line| line.strip_prefix("fetched "));
        folders.insert(folder.expect(&printed).to_owned());
    }
    assert_eq!(folders.len(), 1, "{folders:?}");
    assert_eq!(read(Path::new(folders.first().unwrap())), "a [tools] 1 1");
    let asked = bench.server.asked();
    let files = asked.iter().filter(|line| !line.starts_with("repodata/repomd.xml"));
    assert_eq!(files.count(), 5, "{asked:?}");
}

/// A server that nobody here wrote: it knows `Last-Modified` and no `ETag`, and ends each body with the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pythons_server_is_understood() {
    let folder = tempfile::tempdir().unwrap();
    let root = repository(folder.path(), &["a"]);
    let mut python = Command::new("python3")
        .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
        .arg(&root)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let serving = line(&mut python, "Serving HTTP on 127.0.0.1 port ").await;
    let address = format!("http://127.0.0.1:{}", serving.split(' ').next().unwrap());
    let cache = Cache::at(&folder.path().join("cache"));
    // As if it were made long ago: of a file of this second nothing would be remembered.
    let old = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let repomd = fs::File::options().append(true).open(root.join("repodata/repomd.xml")).unwrap();
    repomd.set_modified(old).unwrap();
    let first = fetch(&cache, &address).await.unwrap();
    assert_eq!((first.files, read(&first.folder)), (5, "a [tools] 1 1".to_owned()));
    assert_eq!(fetch(&cache, &address).await.unwrap().files, 0);
    remake(&root, "games");
    let second = fetch(&cache, &address).await.unwrap();
    assert_eq!((second.files, read(&second.folder)), (1, "a [games] 1 1".to_owned()));
    let missing = fetch(&cache, &format!("{address}/nowhere")).await.unwrap_err();
    assert!(missing.to_string().ends_with("the server answers 404 Not Found"), "{missing}");
    python.kill().unwrap();
    let log = String::from_utf8(python.wait_with_output().unwrap().stderr).unwrap();
    let repomd: Vec<&str> =
        log.lines().filter(|line| line.contains("GET /repodata/repomd.xml")).collect();
    let statuses: Vec<&str> =
        repomd.iter().map(|line| line.split("HTTP/1.1\" ").nth(1).unwrap()).collect();
    assert_eq!(statuses, ["200 -", "304 -", "200 -"], "{log}");
}
