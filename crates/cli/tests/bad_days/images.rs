//! Images whose recipes cannot be read, that stand on nothing, or that fail while they are built.

use serde_json::Value;

use crate::server::Server;
use crate::sources::{Package, Spec};

/// An image is pushed with files, and refused with a sentence.
type Bad<'a> = (&'static str, &'a [(&'a str, &'a str)], &'a str);

#[test]
fn a_bad_recipe_is_rejected_with_its_place_and_the_others_go_on() {
    let server = Server::start("");
    let bad: [Bad<'_>; 5] = [
        (
            "containers/outside",
            &[("Containerfile", "# From elsewhere\nFROM docker.example/debian:12\n")],
            "Containerfile:2: FROM docker.example/debian:12: it stands on images of the same branch only",
        ),
        (
            "containers/typing",
            &[("Containerfile", "FROM scratch\nRUNN true\n")],
            "Containerfile:2: RUNN is no instruction",
        ),
        (
            "containers/misspelt",
            &[("millstream.toml", "[image]\npackage = [\"good\"]\n")],
            "millstream.toml:2: unknown field `package`, expected one of `version`, `from`, `packages`",
        ),
        (
            "containers/stages",
            &[
                ("Containerfile", "FROM scratch AS press\nCOPY a /a\n"),
                ("millstream.toml", "[image.stages.pres]\npackages = [\"good\"]\n"),
            ],
            "millstream.toml: image.stages.pres: the Containerfile has no stage of this name",
        ),
        (
            "containers/empty",
            &[("README", "Soon.\n")],
            "Containerfile: there is neither a Containerfile nor [image] in millstream.toml",
        ),
    ];
    for (name, files, _) in &bad {
        Package::new(&server, name).push(files);
    }
    Package::new(&server, "good").push_spec(&Spec::of("good").write());
    server.until_step("good", "published");
    for (name, _, expected) in &bad {
        let event = server.until_event(name, "rejected");
        let sentence = event["decisions"][0]["sentence"].as_str().unwrap();
        let expected = format!("{name}#f44: {expected}");
        assert!(sentence.starts_with(&expected), "{sentence}\nexpected {expected}");
        assert_eq!(event["plans"], Value::Array(vec![]));
    }
    assert_eq!(server.json(&["build", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn what_an_image_lacks_and_what_fails_in_it_is_told() {
    let server = Server::start("");
    Package::new(&server, "good").push_spec(&Spec::of("good").write());
    Package::new(&server, "containers/base")
        .push(&[("millstream.toml", "[image]\ntoolchain = [\"sh\", \"cat\"]\n")]);
    server.until_step("good", "published");
    server.until_step("containers/base", "published");
    Package::new(&server, "containers/orphan")
        .push(&[("millstream.toml", "[image]\nfrom = \"nobody\"\npackages = [\"good\"]\n")]);
    Package::new(&server, "containers/hungry")
        .push(&[("millstream.toml", "[image]\nfrom = \"base\"\npackages = [\"nowhere\"]\n")]);
    let failing = Package::new(&server, "containers/failing");
    failing.push(&[("Containerfile", "FROM base\nRUN echo so far\nRUN cat /nowhere\n")]);
    let expected = [
        (
            "containers/orphan",
            "unresolvable",
            "there is no build of containers/nobody#f44, on which containers/orphan#f44 stands",
        ),
        ("containers/hungry", "unresolvable", "nowhere"),
        (
            "containers/failing",
            "failed",
            "Containerfile:3: cat: /nowhere: No such file or directory",
        ),
    ];
    for (name, kind, message) in expected {
        let step = server.until_step(name, "failed");
        assert_eq!(step["failure"]["kind"], kind, "{step:#}");
        let said = step["failure"]["message"].as_str().unwrap();
        assert!(said.contains(message), "{said}\nexpected {message}");
    }
    failing.push(&[("Containerfile", "FROM base\nRUN echo so far > /so-far\n")]);
    server.until_step("containers/failing", "published");
    let image = server.data().join("published/f44/current/images");
    let mut names: Vec<String> = std::fs::read_dir(image)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["base", "failing"]);
    reproduces(&server);
}

/// An image is made again from what it was made of, and is the same.
fn reproduces(server: &Server) {
    let build = server.builds("containers/failing").swap_remove(0);
    let again = server.done(&["reproduce", build["nvr"].as_str().unwrap()]);
    let expected = "is reproducible: no facet differs, and its manifest is the same";
    assert!(again.contains(expected), "{again}");
}
