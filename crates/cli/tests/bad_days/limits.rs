//! Builds that hang, fork for ever or eat all memory.

use serde_json::Value;

use crate::server::Server;
use crate::sources::{Package, Spec};

/// Little, but more than a build of these needs.
const CONFIG: &str = "[build]\nmemory_mb = 512\nprocesses = 64\n";

/// Ends a hanging build soon, and no other.
const SOON: (&str, &str) = ("millstream.toml", "[build]\ntimeout_seconds = 3\n");

const FORK_BOMB: &str = "bomb() { bomb | bomb & }\nbomb\nsleep 60";
const MEMORY_HOG: &str = "python3 -c 'x = [bytearray(1 << 24) for _ in range(256)]'";

#[test]
fn a_build_without_end_is_ended_and_holds_its_dependents_only() {
    let server = Server::start(CONFIG);
    let [hang, bomb, hog, user] =
        ["hang", "bomb", "hog", "user"].map(|name| Package::new(&server, name));
    let of = |name, build| Spec::of(name).build(build).write();
    hang.push(&[("hang.spec", &of("hang", "echo it begins\nsleep 999")), SOON]);
    bomb.push_spec(&of("bomb", FORK_BOMB));
    hog.push_spec(&of("hog", MEMORY_HOG));
    user.push_spec(&Spec::of("user").preamble("BuildRequires: hang\n").write());
    let free = Package::new(&server, "free");
    free.push_spec(&Spec::of("free").write());
    server.until_step("free", "published");

    let step = server.until_step("hang", "failed");
    assert_eq!(step["failure"]["kind"], "timed-out", "{step}");
    let shown = server.done(&["build", "show", "hang-1-1.f44"]);
    assert!(shown.contains("it took longer than it may"), "{shown}");
    assert!(server.done(&["build", "log", "hang-1-1.f44"]).contains("it begins"));
    check_limit(&server, "bomb", "it had more processes than it may");
    check_limit(&server, "hog", "it needed more memory than it may");
    let user = server.step("user").unwrap();
    assert_eq!(
        (&user["state"], &user["waits_for"][0]),
        (&"rebuild".into(), &"rpms/hang#f44".into())
    );
    assert_eq!(server.builds("user"), Vec::<Value>::new());
    goes_on(&server, &hang, &hog);
}

fn check_limit(server: &Server, name: &str, words: &str) {
    let step = server.until_step(name, "failed");
    assert_eq!(
        (&step["failure"]["kind"], &step["failure"]["message"]),
        (&"limit-exceeded".into(), &words.into())
    );
    let shown = server.done(&["build", "show", &format!("{name}-1-1.f44")]);
    assert!(shown.contains(words), "{shown}");
}

/// A new commit goes on; a retry without one comes to the same, and says so.
fn goes_on(server: &Server, hang: &Package, hog: &Package) {
    let retried =
        server.done(&["retry", "--failed-only", "--artifact", "rpms/hog#f44", "--author", "ann"]);
    assert_eq!(retried, "rpms/hog#f44 is built again\n");
    server.until("another attempt to fail", || {
        let builds = server.builds("hog");
        (builds[0]["attempt"] == 2 && builds[0]["state"] == "failed").then_some(())
    });
    server.until_step("hog", "failed");
    hang.push_spec(&Spec::of("hang").write());
    hog.push_spec(&Spec::of("hog").write());
    for name in ["hang", "hog", "user"] {
        server.until_step(name, "published");
    }
    let bomb = server.step("bomb").unwrap();
    assert_eq!(bomb["state"], "failed");
    let status = server.json(&["status"]);
    let open = &status["open_plans"];
    assert_eq!(
        (open.as_array().unwrap().len(), &open[0]["state"]),
        (1, &"held".into()),
        "{status}"
    );
}
