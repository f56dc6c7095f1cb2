//! Repositories that vanish and come back, branches that are deleted or moved by force.

use std::fs;

use serde_json::Value;

use crate::server::Server;
use crate::sources::{Package, Spec};

#[test]
fn a_repository_that_vanishes_takes_nothing_with_it() {
    let mut server = Server::start("");
    let (alpha, beta) = (Package::new(&server, "alpha"), Package::new(&server, "beta"));
    alpha.push_spec(&Spec::of("alpha").write());
    server.until_step("alpha", "published");
    let away = server.folder.path().join("away.git");
    fs::rename(&alpha.bare, &away).unwrap();
    let told = || server.log().matches("rpms/alpha has vanished from dist-git").count();
    server.until("the log to tell of it", || (told() > 0).then_some(()));
    // The others go on meanwhile, and it is told once.
    beta.push_spec(&Spec::of("beta").write());
    server.until_step("beta", "published");
    assert_eq!(told(), 1);
    assert_eq!(server.published(), ["alpha-1-1.f44.noarch.rpm", "beta-1-1.f44.noarch.rpm"]);
    assert_eq!(changes(&server, "alpha"), ["created"]);

    fs::rename(&away, &alpha.bare).unwrap();
    alpha.push_spec(&Spec::of("alpha").text("second").write());
    server
        .until("alpha to be published again", || (server.builds("alpha").len() == 2).then_some(()));
    server.until_step("alpha", "published");
    assert_eq!(changes(&server, "alpha"), ["pushed", "created"]);
    vanishes_before_it_is_read(&mut server, &beta);
    branches_move(&server, &alpha);
}

/// The commit is known and its source cannot be read: it waits, and nothing else waits with it.
fn vanishes_before_it_is_read(server: &mut Server, beta: &Package) {
    assert!(server.stop().success());
    // This server sees a commit and never reads it.
    server.run(&["--role", "scan", "--role", "intake"]);
    let gamma = Package::new(server, "gamma");
    gamma.push_spec(&Spec::of("gamma").write());
    server.until_event("gamma", "new");
    assert!(server.stop().success());
    let away = server.folder.path().join("away.git");
    fs::rename(&gamma.bare, &away).unwrap();
    server.run(&[]);
    beta.push_spec(&Spec::of("beta").text("second").write());
    server.until("beta to be built again", || (server.builds("beta").len() == 2).then_some(()));
    server.until_step("beta", "published");
    let event = server.event("gamma").unwrap();
    assert_eq!(event["state"], "new");
    let log = server.log();
    assert!(
        log.contains("could not look at a source, will look again artifact=rpms/gamma#f44"),
        "{log}"
    );
    fs::rename(&away, &gamma.bare).unwrap();
    server.until_step("gamma", "published");
}

fn branches_move(server: &Server, alpha: &Package) {
    let second = alpha.push_spec(&Spec::of("alpha").text("third").write());
    server.until("the move", || (changes(server, "alpha").len() == 3).then_some(()));
    let third = alpha.push_by_force(&[("alpha.spec", &Spec::of("alpha").text("fourth").write())]);
    server.until("the forced move", || (changes(server, "alpha").len() == 4).then_some(()));
    alpha.delete_branch();
    server.until("the deletion", || (changes(server, "alpha").len() == 5).then_some(()));
    assert_eq!(changes(server, "alpha"), ["deleted", "forced", "pushed", "pushed", "created"]);
    let history = server.json(&["branch", "history", "rpms/alpha#f44"]);
    let [deleted, forced] = [&history["moves"][0], &history["moves"][1]];
    assert_eq!(
        (&forced["previous"], &forced["commit"]),
        (&Value::from(second), &Value::from(third.clone()))
    );
    assert_eq!((&deleted["previous"], &deleted["commit"]), (&Value::from(third), &Value::Null));
    // What is published of it stays.
    assert!(server.published().iter().any(|file| file.starts_with("alpha-1-1.f44")));
}

/// How the branch of a package moved, the newest first.
fn changes(server: &Server, name: &str) -> Vec<String> {
    let history = server.json(&["branch", "history", &format!("rpms/{name}#f44")]);
    let moves = history["moves"].as_array().unwrap();
    moves.iter().map(|one| one["change"].as_str().unwrap().to_owned()).collect()
}
