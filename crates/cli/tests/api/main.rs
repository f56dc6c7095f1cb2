//! The real server on a store that holds a little of everything, checked from outside against its own description.

#[cfg(test)]
mod server;

use std::path::Path;
use std::process::Command;

use server::Server;

/// How many cases are tried for each operation at most.
const EXAMPLES: &str = "10";

/// Schemathesis makes requests of the description, sound ones and broken ones, and holds each answer against it: no
/// server error, no answer, header or body that the description does not know.
#[test]
fn schemathesis_finds_no_server_error_and_no_undocumented_answer() {
    let server = Server::start();
    // A cursor is a text that only the server can make, and an end may be past: what is well-formed may be refused.
    let excluded = "negative_data_rejection,positive_data_acceptance";
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/api");
    let mut schemathesis = Command::new(program());
    schemathesis
        .arg("--config-file")
        .arg(here.join("schemathesis.toml"))
        .args(["run", "--no-color", "--exclude-checks", excluded, "--max-examples", EXAMPLES])
        .args(["--phases", "examples,coverage,fuzzing,stateful", "--generation-deterministic"])
        .args(["--request-timeout", "10", "--warnings", "off"])
        .args(["--continue-on-failure", "--header", &server.authorization(), "--workers", "1"])
        .arg(format!("http://{}/api/v1/openapi.json", server.address))
        .current_dir(server.folder.path());
    let output = schemathesis.output().expect("schemathesis runs");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let ended = server.stop();
    assert!(ended.success());
}

/// Schemathesis in an environment of its own, kept with what cargo builds.
fn program() -> std::path::PathBuf {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemathesis");
    let made = Command::new(scripts.join("python-venv"))
        .arg(&folder)
        .arg(scripts.join("schemathesis.txt"))
        .output()
        .expect("scripts/python-venv runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    folder.join("bin/schemathesis")
}
