//! Specs that do not parse, hang, or come with files that say nothing sensible.

use serde_json::Value;

use crate::server::Server;
use crate::sources::{Package, Spec};

/// What a package is pushed with, and the sentence with which that is rejected.
type Bad<'a> = (&'static str, Vec<(&'a str, &'a str)>, &'a str);

#[test]
fn a_bad_source_is_rejected_with_its_place_and_the_others_go_on() {
    let server = Server::start("");
    let (broken, hanging, unclosed, other) = (
        Spec::of("broken").preamble("Colour: green\n").write(),
        Spec::of("hanging").preamble("%define never %(sleep 999)\n%{never}\n").write(),
        Spec::of("unclosed").build("%if 1\ntrue").write(),
        Spec::of("settings").write(),
    );
    let gated = Spec::of("gated").write();
    let unnamed = Spec::of("misnamed").write();
    let bad: [Bad<'_>; 6] = [
        ("broken", vec![("broken.spec", &broken)], "broken.spec:7: Unknown tag: Colour: green"),
        ("unclosed", vec![("unclosed.spec", &unclosed)], "unclosed.spec:12: Unclosed %if"),
        (
            "settings",
            vec![("settings.spec", &other), ("millstream.toml", "[build]\ntimeout = 3\n")],
            "millstream.toml:2: unknown field `timeout`, expected `timeout_seconds` or `memory_mb`",
        ),
        (
            "gated",
            vec![("gated.spec", &gated), ("gating.yaml", "--- !Policy\nrules:\n  - !Passing {}\n")],
            "gating.yaml:3: rules: unknown variant `Passing`, expected `PassingTestCaseRule`",
        ),
        (
            "misnamed",
            vec![("other.spec", &unnamed)],
            "misnamed.spec: the repository has no such file",
        ),
        (
            "hanging",
            vec![("hanging.spec", &hanging)],
            "hanging.spec: could not be read within 10 s: something in it does not end",
        ),
    ];
    let packages = bad.each_ref().map(|(name, files, _)| {
        let package = Package::new(&server, name);
        package.push(files);
        package
    });
    let good = Package::new(&server, "good");
    good.push_spec(&Spec::of("good").write());
    server.until("a plan for the good one", || server.step("good"));
    let hanging = server.event("hanging");
    assert!(hanging.is_none_or(|event| event["state"] == "new"), "it hangs no more");
    server.until_step("good", "published");
    for (name, _, expected) in &bad {
        let event = server.until_event(name, "rejected");
        let sentence = event["decisions"][0]["sentence"].as_str().unwrap();
        let expected = format!("rpms/{name}#f44: {expected}");
        assert!(sentence.starts_with(&expected), "{sentence}\nexpected {expected}");
        assert_eq!(event["plans"], Value::Array(vec![]));
    }
    assert_eq!(server.json(&["build", "list"]).as_array().unwrap().len(), 1);
    what_is_mended_goes_on(&server, &packages);
}

fn what_is_mended_goes_on(server: &Server, packages: &[Package]) {
    for package in packages {
        let spec = format!("{}.spec", package.name);
        let mended = Spec::of(package.name).write();
        package.push(&[(&spec, &mended), ("millstream.toml", ""), ("gating.yaml", "")]);
    }
    for package in packages {
        server.until_step(package.name, "published");
    }
    assert_eq!(server.published().len(), packages.len() + 1);
}
