//! PostgreSQL goes away while a build runs, and comes back.

use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use store::testing::{PostgresServer, TestDatabase};

use crate::server::Server;
use crate::sources::{Package, Spec};

const REQUEST: &str = r#"{"id": "again", "topic": "millstream.request", "body":
    {"artifact": "rpms/slow#f44", "request": "rebuild", "by": "ann", "reason": "while it is away"}}"#;

#[tokio::test]
async fn a_build_outlives_its_database() {
    let postgres = Arc::new(PostgresServer::start());
    let database = TestDatabase::on(Arc::clone(&postgres)).await;
    let server = Server::on(Some(&database.url), "");
    odd_characters_stop_nothing(&server);
    let slow = Package::new(&server, "slow");
    slow.push_spec(&Spec::of("slow").build("sleep 3").write());
    server.until("the build to run", || {
        server.builds("slow").first().filter(|build| build["state"] == "running").map(drop)
    });
    postgres.stop();
    let (status, body) = server.get("/health");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("the database is unavailable"), "{body}");
    let (status, problem) = server.post(None, REQUEST);
    assert_eq!(status, 503, "{problem}");
    let said = server.cli(&["status"]);
    assert_eq!(said.code, 3, "{said:?}");
    // The build ends meanwhile: its packages are renamed into place.
    let builds = server.data().join("builds");
    let output = server.until("the build to end", || {
        let mut entries = std::fs::read_dir(&builds).unwrap().map(|entry| entry.unwrap().path());
        entries.find(|path| path.is_dir())
    });
    let made = std::fs::metadata(&output).unwrap().ino();
    assert_eq!(server.get("/health").0, 503);
    postgres.restart();
    server.until("the server to be well", || (server.get("/health").0 == 200).then_some(()));
    server.until_step("slow", "published");
    let builds = server.builds("slow");
    assert_eq!(builds.len(), 1, "{builds:?}");
    let found = std::fs::metadata(&output).unwrap().ino();
    assert_eq!(found, made, "what was built is recorded, and not built again");
    assert_eq!(server.post(None, REQUEST).0, 202);
    server.until("the request to be answered", || {
        let event = server.event("slow")?;
        (event["event"]["kind"] == "requested" && event["state"] == "planned").then_some(())
    });
}

/// PostgreSQL keeps no NUL in a text, which must not stop the stages.
fn odd_characters_stop_nothing(server: &Server) {
    let odd = r#"{"id": "odd", "topic": "millstream.request", "body":
        {"artifact": "rpms/none#f44", "request": "rebuild", "by": "an\u0000n", "reason": "r\u0000\u001b"}}"#;
    assert_eq!(server.post(None, odd).0, 202);
    server.until("the message to be looked at", || {
        let messages = server.json(&["status"])["counts"]["messages"].clone();
        (messages["received"].is_null() || messages["received"] == 0).then_some(())
    });
}
