//! Two servers on one database and one data folder.

use model::artifact::ArtifactKey;
use store::testing::TestDatabase;
use store::{Page, Store, builds, test_runs};

use crate::server::Server;
use crate::sources::{Package, Spec};

const NAMES: [&str; 6] = ["one", "two", "three", "four", "five", "six"];

#[tokio::test]
async fn two_servers_do_everything_once() {
    let database = TestDatabase::postgres().await;
    let mut server = Server::on(Some(&database.url), "");
    let companion = server.companion();
    for name in NAMES {
        let spec = Spec::of(name).preamble(if name == "six" { "BuildRequires: one\n" } else { "" });
        Package::new(&server, name).push_spec(&spec.write());
    }
    for name in NAMES {
        server.until_step(name, "published");
    }
    assert!(companion.stop().success());
    assert!(server.stop().success());
    let owners = std::fs::read_dir(server.data().join("owners")).unwrap();
    assert_eq!(owners.count(), 0, "a server that stops leaves nothing behind");

    let store = Store::open(&database.url).await.unwrap();
    let mut conn = store.read().await.unwrap();
    let all = builds::list(&mut conn, None, None, Page::first(100)).await.unwrap();
    let mut built: Vec<String> = all.iter().map(|build| build.artifact.to_string()).collect();
    built.sort();
    let mut expected = NAMES.map(|name| format!("rpms/{name}#f44"));
    expected.sort();
    assert_eq!(built, expected);
    for build in &all {
        let runs = test_runs::of_build(&mut conn, build.id).await.unwrap();
        let attempts: Vec<u32> = runs.iter().map(|run| run.attempt).collect();
        let artifact: &ArtifactKey = &build.artifact;
        assert_eq!((build.attempt, attempts.as_slice()), (1, &[1][..]), "{artifact}");
    }
    drop(conn);
    store.close().await;
}
